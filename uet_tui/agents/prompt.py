"""What an agent is told: the tasks as a script, as text from a template, or the workstream itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uet_tui.agents.fences import Record
from uet_tui.plan.model import Workstream
from uet_tui.settings.model import SimulatedSettings
from uet_tui.text import one_line

TEMPLATE = "task.md.j2"
_MOST_FILES = 40
"""Files that a dependency changed that are named."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a workstream that this one depends on has merged."""

    workstream: Workstream
    paths: tuple[str, ...]
    """What it changed; empty if nothing needed changing."""


@dataclass(frozen=True, slots=True)
class Task:
    """What there is to tell of a workstream that is to be done."""

    workstream: Workstream
    attempt: int
    """Which try it is, from 1."""
    timeout_seconds: float
    strict: bool
    """Whether a change outside the scope is refused."""
    commands: tuple[str, ...] = ()
    """What is run on the work afterwards."""
    note: str = ""
    """What went wrong before; empty on a first attempt."""
    wish: str = ""
    """What the operator wants it to heed."""
    merged: tuple[Merged, ...] = ()


@dataclass(frozen=True, slots=True)
class Files:
    """The files that matter, as they are told."""

    text: str = ""
    """Empty: nothing is told of files."""
    whole: bool = False
    """Whether they are given whole, as far as there is room."""
    left_out: bool = False
    """Whether some are in outline or left out."""


def task_facts(task: Task, files: Files) -> Mapping[str, object]:
    """What the template of a task can use, by name."""
    ws = task.workstream
    return {
        "id": ws.id,
        "kind": ws.kind.value,
        "change": ws.openspec_change,
        "issue": ws.ccpm_issue,
        "objective": _objective(ws),
        "tasks": ws.tasks,
        "scope": ws.files_scope,
        "creates": ws.files_create,
        "acceptance_tests": ws.acceptance_tests,
        "commands": task.commands,
        "attempt": task.attempt,
        "wish": task.wish,
        "failure": Record(task.note),
        "dependencies": Record("\n".join(map(_dependency, task.merged))),
        "files": Record(files.text),
        "whole": files.whole,
        "left_out": files.left_out,
        "strict": task.strict,
        "minutes": max(1, round(task.timeout_seconds / 60)),
    }


def script_of(workstream: Workstream) -> str:
    """The prompt of an agent that carries tasks out as a shell script."""
    return "".join(f"{task}\n" for task in workstream.tasks)


def spec_of(workstream: Workstream, attempt: int, simulated: SimulatedSettings) -> str:
    """The prompt of an agent that takes the workstream as JSON, with what the rehearsal needs to know."""
    spec = workstream.model_dump(mode="json")
    spec["simulated"] = {
        "seconds": workstream.estimated_seconds or simulated.unit_seconds,
        "speed": simulated.speed,
        "cost_usd": simulated.cost_usd,
        "attempt": attempt,
    }
    return json.dumps(spec, indent=2)


def _objective(workstream: Workstream) -> str:
    """What it is for, as its author says."""
    told = (workstream.metadata.get(name) for name in ("objective", "description"))
    return next((text for text in told if isinstance(text, str)), "")


def _dependency(merged: Merged) -> str:
    changed: Sequence[str] = [one_line(path) for path in merged.paths[:_MOST_FILES]]
    more = [f"and {len(merged.paths) - _MOST_FILES} more"] if len(merged.paths) > _MOST_FILES else []
    ws = merged.workstream
    lines = [f"{ws.id} was to:", *(f"- {task}" for task in ws.tasks)]
    return "\n".join(
        [*lines, "It changed:" if changed else "It changed nothing.", *(f"- {path}" for path in [*changed, *more])]
    )
