"""What an agent is told that is asked to resolve a conflict: both sides, why each is as it is, and what must hold."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from uet_tui.agents.fences import Record
from uet_tui.plan.model import Workstream
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.model import SimulatedSettings
from uet_tui.text import harmless

TEMPLATE = "conflict.md.j2"
LONGEST_DIFF = 20_000
"""Characters of a diff that are told: enough for what one conflict is about."""
_NOTE = 4_000
"""Characters of what was tried before that are told."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a conflict."""

    workstreams: tuple[Workstream, ...]
    """Whose work it is; empty where only a branch is known."""
    diff: str
    """What it changed in the files in conflict, since the base."""


@dataclass(frozen=True, slots=True)
class Question:
    """A conflict as an agent is asked about it."""

    conflict: str
    workstream: Workstream
    """Whose merge it is that conflicts."""
    files: tuple[tuple[str, str], ...]
    """Path and kind of each file that is to be resolved."""
    ours: Side
    theirs: Side
    gates: tuple[str, ...]
    """The commands that the result must pass."""
    note: str
    """What the operator says; empty if nothing."""
    before: str
    """What an agent proposed before, as a diff; empty if none did."""
    evidence: tuple[str, ...]
    """What was tried before, and why it was not taken."""


def can_resolve(agent: AgentSettings) -> bool:
    """Whether an agent can be asked: it reads text, or it is the rehearsal."""
    return agent.prompt == "text" or "{simulated}" in agent.command


def resolving_spec(question: Question, simulated: SimulatedSettings) -> str:
    """The prompt of the rehearsal: what to resolve, and how long to take."""
    spec = {
        "id": question.workstream.id,
        "tasks": [f"resolve conflict {question.conflict}"],
        "resolve": [path for path, _ in question.files],
        "simulated": {
            "seconds": simulated.unit_seconds,
            "speed": simulated.speed,
            "cost_usd": simulated.cost_usd,
            "attempt": 1,
        },
    }
    return json.dumps(spec, indent=2)


def conflict_facts(question: Question) -> Mapping[str, object]:
    """What the template of a conflict can use, by name."""
    return {
        "id": question.workstream.id,
        "files": [{"path": " ".join(harmless(path).splitlines()), "kind": kind} for path, kind in question.files],
        "wish": question.note,
        "ours": _side(question.ours),
        "theirs": _side(question.theirs),
        "tried": Record(_cut("\n".join(question.evidence), _NOTE)),
        "proposal": Record(_cut(question.before, LONGEST_DIFF)),
        "commands": question.gates,
    }


def _side(side: Side) -> Mapping[str, object]:
    tasks = [
        {"id": ws.id, "tasks": Record("\n".join(ws.tasks) or "(no tasks were written down)")} for ws in side.workstreams
    ]
    return {"workstreams": tasks, "diff": Record(_cut(side.diff, LONGEST_DIFF) or "(nothing that is text)")}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n(cut)"
