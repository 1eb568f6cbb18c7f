"""Each agent and each fault: how its workstream ends and why, what was tried again, its provider, and the money.

All faults of one agent go through one run, each with an entry and a provider of its own, so that none pauses another's.
"""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.provider.protocol import text_of
from tests.provider.script import Session, Tokens
from tests.provider.server import FakeProvider
from tests.real_agents.faults import FAULTS
from tests.real_agents.fleet import PRICES, TOKENS, Fleet, prices, workstream
from tests.support.repository import make_repository

AMPLE = 60
"""Seconds that an attempt may take which is to end by itself, on a busy machine."""
SHORT = {"aider": 40, "claude": 12, "codex": 12}
"""Seconds for one that is to be ended. Aider needs 5 to 20 of them to start; it then tries for 64 s in all."""
ENDED = {
    "aider": {
        "account",
        "rate-limit-stubborn",
        "quota-stubborn",
        "internal",
        "late-error",
        "cut-before",
        "cut-middle",
        "garbled",
        "hangs",
    },
    "claude": {"rate-limit-long", "hangs"},
    "codex": {"hangs"},
}
"""Where an agent goes on trying, or waits in silence, until it is ended."""
LEFT_OUT = {
    "aider": {"quota"},
    "claude": {"rate-limit-stubborn", "quota-stubborn"},
    "codex": {"rate-limit-stubborn", "quota-stubborn"},
}
"""What another row shows: aider is told no time to wait until, and tries for a minute what the others give up."""
AGENTS = ("aider", "claude", "codex")


@dataclass(frozen=True)
class Ended:
    """What a run came to."""

    run: str
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

    def became(self, fault: str) -> list[str]:
        """What became of the provider of a fault, in order."""
        about = [event for event in self.events if event["text"].startswith(f"provider of-{fault} ")]
        return [event["type"].removeprefix("provider_") for event in about]


@dataclass(frozen=True)
class End:
    """How a workstream ends."""

    state: str
    attempts: int
    """At least; exactly, where its provider was not paused."""
    reason: str = ""
    """A regular expression that its reason holds."""
    provider: str = ""
    """`paused`, and it went on by itself, or `stopped`, for good."""
    fault: str | None = None
    """What went wrong with its first attempt, as uet understood it."""


MERGED = End("MERGED", 1)
UNCHANGED = End("FAILED", 2, "changed nothing and did not say that nothing needs changing")
LIMITED = End("MERGED", 2, "", "paused", "rate limit")
QUOTA = End("MERGED", 2, "", "paused", "quota")
NO_KEY = End("PENDING", 1, "stopped .no key", "stopped", "no key")
ACCOUNT = End("PENDING", 1, "stopped .account", "stopped", "account")
NETWORK = End("FAILED", 2, "attempt 2 of 2 failed", "", "network")
HANGS = End("FAILED", 1, "did not end within its time limit")
OUTSIDE = End("FAILED", 2, "changed docs/ws-outside.md, which is outside its scope")
NO_CHANGE = End("MERGED", 1, "no change needed")
TOO_LONG = End("FAILED", 2, "", "", "context too long")  # tried again once, with less context

TABLE = {
    # fault: aider, claude, codex
    "none": (MERGED, MERGED, MERGED),
    "nothing-done": (UNCHANGED, UNCHANGED, UNCHANGED),
    "nothing-to-do": (NO_CHANGE, NO_CHANGE, NO_CHANGE),
    "bad-key": (NO_KEY, NO_KEY, NO_KEY),
    "account": (ACCOUNT, ACCOUNT, ACCOUNT),
    "rate-limit": (MERGED, MERGED, LIMITED),  # aider and claude wait for so short a time themselves; aider for a minute
    "rate-limit-long": (MERGED, LIMITED, LIMITED),
    "rate-limit-stubborn": (LIMITED, None, None),
    "rate-limit-date": (MERGED, LIMITED, LIMITED),  # claude does not read the date
    "quota": (None, QUOTA, QUOTA),
    "quota-stubborn": (QUOTA, None, None),  # aider does not show until when
    "context": (TOO_LONG, TOO_LONG, TOO_LONG),
    "internal": (NETWORK, NETWORK, NETWORK),
    "overloaded": (MERGED, LIMITED, LIMITED),
    "late-error": (NETWORK, NETWORK, NETWORK),
    "cut-before": (NETWORK, NETWORK, NETWORK),
    "cut-middle": (NETWORK, NETWORK, NETWORK),
    "garbled": (NETWORK, NETWORK, NETWORK),
    "refusal": (
        End("FAILED", 2, "Empty response"),  # aider shows no more of it
        End("FAILED", 2, "stop_reason refusal", "", "refusal"),
        UNCHANGED,  # codex shows nothing of it
    ),
    "slow": (MERGED, MERGED, MERGED),
    "hangs": (HANGS, HANGS, HANGS),
    "outside": (OUTSIDE, OUTSIDE, OUTSIDE),
    "far-outside": (
        End("FAILED", 2, "did not conform to the edit format"),  # aider runs no commands of a model
        UNCHANGED,  # both refuse the command
        UNCHANGED,
    ),
    "hostile": (MERGED, MERGED, MERGED),
}
"""What each fault comes to with each agent; None where it is left out."""
PRICE = {"aider": PRICES["openai/fake-1"], "claude": (3.0, 15.0), "codex": PRICES["fake-2"]}
"""US dollars for a million tokens in and out."""
ROWS = [
    pytest.param(
        agent, fault, end, id=f"{agent}-{fault}", marks=[pytest.mark.programs(agent), pytest.mark.xdist_group(agent)]
    )
    for fault, ends in TABLE.items()
    for agent, end in zip(AGENTS, ends, strict=True)
    if end is not None
]
Runs = Callable[[str], Ended]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs all faults of an agent, once."""
    begun: set[str] = set()
    done: dict[str, Ended] = {}

    def run(agent: str) -> Ended:
        if agent not in begun:
            begun.add(agent)
            done[agent] = all_faults(agent, tmp_path_factory.mktemp(agent) / "repository")
        if agent not in done:
            pytest.fail(f"the run of {agent} broke before this test")
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
        fleet.settings = {"workers": 8, "retry": {"base_seconds": 0.1}, "grace_seconds": 1}
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
        done = fleet.uet("run", "--headless", "--json", limit=400)
        document = json.loads(done.stdout)
        return Ended(
            document["run"],
            done.returncode,
            done.stderr,
            {one["id"]: one for one in document["workstreams"]},
            fleet.events(),
            provider,
            fleet.reports(),
            folder,
        )


@pytest.mark.timeout(420)
@pytest.mark.parametrize(("agent", "fault", "end"), ROWS)
def test_every_fault_of_every_agent_ends_as_the_table_says(runs: Runs, agent: str, fault: str, end: End) -> None:
    run, id = runs(agent), f"ws-{fault}"
    one = run.workstreams[id]
    assert one["state"] == end.state, one["reason"]
    assert re.search(end.reason, one["reason"] or ""), one["reason"]
    assert one["attempts"] >= end.attempts
    assert one["attempts"] == end.attempts or end.provider == "paused"
    became = run.became(fault)
    assert became == {"": [], "paused": ["paused", "open"] * (len(became) // 2), "stopped": ["stopped"]}[end.provider]
    assert (end.provider == "paused") == ("paused" in became)
    assert run.of(id, "attempt_ended")[0]["data"]["fault"] == end.fault

    counted = run.provider.told(id)
    rows = [row for row in run.reports if row["workstream"] == id]
    assert sum((Tokens(*(row[name] for name in TOKENS)) for row in rows), Tokens()) == counted
    price_in, price_out = PRICE[agent]
    usd = (counted.tokens_in * price_in + counted.tokens_out * price_out) / 1e6
    assert sum(row["usd"] for row in rows) == pytest.approx(usd, abs=1e-9)
    assert one["cost_usd"] == pytest.approx(usd, abs=1e-9)


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    "agent", [pytest.param(a, marks=[pytest.mark.programs(a), pytest.mark.xdist_group(a)]) for a in AGENTS]
)
def test_what_a_model_says_stays_words_and_what_it_writes_elsewhere_is_nowhere(runs: Runs, agent: str) -> None:
    run = runs(agent)
    assert run.code == 4, run.log  # two providers wait for the operator
    told = text_of([run.events, list(run.workstreams.values())])
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", told)
    assert not (run.folder / "ws-far-outside.txt").exists()
    assert {path.name for path in run.folder.parent.iterdir()} == {"repository", "models.json"}
    branch = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", f"uet/{run.run}"],
        cwd=run.folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "docs/" not in branch
    assert "src/ws-hostile.py" in branch
