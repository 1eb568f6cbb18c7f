"""What the core wants done: its outputs. An effect is carried out after the state that implies it was committed."""

from dataclasses import dataclass

from uet_tui.core.commands import Answer


@dataclass(frozen=True, slots=True)
class SpawnWorker:
    """Make or find the sandbox of a worker."""

    worker: int


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """Reset the worker's sandbox to `base` and start the agent there."""

    workstream: str
    attempt: int
    worker: int
    base: str


@dataclass(frozen=True, slots=True)
class KillAttempt:
    """End the agent of an attempt, and all its children."""

    workstream: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Collect:
    """Snapshot the sandbox; if the attempt succeeded, also check its scope and run its gates."""

    workstream: str
    attempt: int
    worker: int
    base: str
    gate: bool
    no_change_stated: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge a commit onto the integration tip, gate the merged tree, move the branch."""

    workstream: str
    attempt: int
    commit: str
    tip: str
    conflict: str | None = None
    """Merge with the resolution of this conflict."""


@dataclass(frozen=True, slots=True)
class LayOut:
    """Lay the files of a conflict out with markers, for an editor."""

    conflict: str


@dataclass(frozen=True, slots=True)
class Land:
    """Move the target branch to the integration branch."""

    target: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Tell the operator what became of a command."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class LetGo:
    """End the orchestrator: the run is over, waits for the operator, or was left."""

    why: str


Effect = SpawnWorker | StartAttempt | KillAttempt | Collect | Merge | LayOut | Land | Reply | LetGo
