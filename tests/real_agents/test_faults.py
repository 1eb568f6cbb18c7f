"""Each agent and each fault: how its workstream ends and why, what was tried again, its provider, and the money.

All faults of one agent go through one run, each with an entry and a provider of its own, so that none pauses another's.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.provider.script import Session
from tests.provider.server import FakeProvider
from tests.real_agents.faults import FAULTS
from tests.real_agents.fleet import Fleet, prices, workstream
from tests.support.repository import make_repository

AMPLE = 60
"""Seconds that an attempt may take which is to end by itself, on a busy machine."""
SHORT = {"aider": 30, "claude": 12, "codex": 12}
"""Seconds for one that is to be ended. Aider needs most of it to start; it then tries for 90 s what cannot be had."""
ENDED = {
    "aider": {"account", "rate-limit-long", "quota", "internal", "cut-middle", "hangs"},
    "claude": {"rate-limit-long", "hangs"},
    "codex": {"hangs"},
}
"""Where an agent goes on trying, or waits in silence, until it is ended."""
LEFT_OUT = {"aider": {"cut-before", "garbled", "late-error", "rate-limit-date", "slow", "far-outside"}}
"""What would only show again, slowly, what others show: aider takes no streams, and tries all these again for 90 s."""
AGENTS = ("aider", "claude", "codex")


@dataclass(frozen=True)
class Ended:
    """What a run came to."""

    code: int
    log: str
    workstreams: dict[str, Any]
    events: list[Any]
    provider: FakeProvider
    reports: list[dict[str, Any]]
    folder: Path

    def of(self, id: str, type: str) -> list[Any]:
        """The events of a type on a workstream."""
        return [event for event in self.events if event["type"] == type and event["workstream"] == id]


Runs = Callable[[str], Ended]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs all faults of an agent, once."""
    done: dict[str, Ended] = {}

    def run(agent: str) -> Ended:
        if agent not in done:
            done[agent] = all_faults(agent, tmp_path_factory.mktemp(agent) / "repository")
        return done[agent]

    return run


def faults_of(agent: str) -> list[str]:
    """The faults that are run for an agent."""
    return [fault for fault in FAULTS if fault not in LEFT_OUT.get(agent, ())]


def all_faults(agent: str, folder: Path) -> Ended:
    """A run of one workstream for each fault."""
    ids = {fault: f"ws-{fault}" for fault in faults_of(agent)}
    sessions = {f"{agent}-{fault}": Session({id: FAULTS[fault](id)}) for fault, id in ids.items()}
    with FakeProvider(sessions) as provider:
        fleet = Fleet(make_repository(folder), provider)
        fleet.budget = {"budget": {"pause_seconds": 2, "models": prices()}}
        fleet.settings = {"workers": 4 if agent == "aider" else 8, "retry": {"base_seconds": 0.1}, "grace_seconds": 1}
        for fault in ids:
            fleet.hire(agent, f"{agent}-{fault}", provider=f"of-{fault}")
        fleet.prepare(
            [
                workstream(
                    id,
                    f"{agent}-{fault}",
                    timeout=SHORT[agent] if fault in ENDED[agent] else AMPLE,
                    circuit_breaker={"max_attempts": 2},
                )
                for fault, id in ids.items()
            ]
        )
        done = fleet.uet("run", "--headless", "--json")
        document = json.loads(done.stdout)
        return Ended(
            done.returncode,
            done.stderr,
            {one["id"]: one for one in document["workstreams"]},
            fleet.events(),
            provider,
            fleet.reports(),
            folder,
        )
