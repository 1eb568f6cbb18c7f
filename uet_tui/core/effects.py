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
    model: str = ""
    """Who is to answer: the workstream's model, or the cheaper one; empty leaves it to the agent."""
    cap_usd: float | None = None
    """What it may cost, in US dollars; None where nothing limits it. It is ended by the core where it can be."""


@dataclass(frozen=True, slots=True)
class KillAttempt:
    """End the agent of an attempt, and all its children."""

    workstream: str
    attempt: int


@dataclass(frozen=True, slots=True)
class HoldStill:
    """Have the agent of an attempt stand still, or go on: whichever its record says by then."""

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
class QueueEntry:
    """A result that is to be merged."""

    workstream: str
    attempt: int
    commit: str
    conflict: str | None = None
    """Merge with the resolution of this conflict."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge a batch onto the integration tip, in its order, gate what comes of it, move the branch.

    Each entry comes back as an event of its own: `Merged`, `MergeConflicted`, `MergeFailed` or `MergeDeferred`.
    """

    entries: tuple[QueueEntry, ...]
    tip: str


@dataclass(frozen=True, slots=True)
class Climb:
    """Try the rungs of the ladder that need no agent on a conflict; comes back as `Climbed`."""

    conflict: str


@dataclass(frozen=True, slots=True)
class AskAgent:
    """Have an agent resolve a conflict, once and within limits; comes back as `AgentAnswered`."""

    conflict: str
    ask: int
    agent: str
    note: str
    model: str = ""
    """Who is to answer; empty leaves it to the agent."""
    cap_usd: float | None = None
    """What it may cost, in US dollars; None where nothing limits it. It is ended by the core where it can be."""


@dataclass(frozen=True, slots=True)
class EndAsk:
    """End the agent that was asked to resolve a conflict, and all its children; its `AgentAnswered` still comes."""

    conflict: str
    ask: int


@dataclass(frozen=True, slots=True)
class Revert:
    """Undo one merge commit of the integration branch by a commit on its tip, then run the compensation actions.

    Comes back as `Reverted` or `RevertFailed`.
    """

    commit: str
    """Empty where the workstream needed no change: then there are only its actions."""
    workstreams: tuple[str, ...]
    tip: str
    name: str = ""
    """Under which is remembered what of it has run: the merge commit, or else workstream and attempt."""


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


Effect = (
    SpawnWorker
    | StartAttempt
    | KillAttempt
    | HoldStill
    | Collect
    | Merge
    | LayOut
    | Climb
    | AskAgent
    | EndAsk
    | Revert
    | Land
    | Reply
    | LetGo
)
