"""What can happen to a run: the inputs of the core."""

from dataclasses import dataclass, field

from uet_tui.core.commands import Command
from uet_tui.core.conflicts import ConflictFile, Entry, Rung
from uet_tui.core.records import GateEntry
from uet_tui.core.states import AttemptState
from uet_tui.core.usage import Fault, Usage


@dataclass(frozen=True, slots=True)
class Began:
    """An orchestrator took the run, for the first time or again.

    What is told before only goes on record: what became of attempts while nobody watched.
    """

    dispatch: bool = True
    """False: only what needs no agent is done, as when a command carries itself out on a run that nobody has."""
    linger: bool = False
    """True: wait for the operator at a conflict and after the end, as the console does, instead of letting go."""


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """A worker's sandbox is there."""

    worker: int


@dataclass(frozen=True, slots=True)
class WorkerBroken:
    """A worker's sandbox could not be made."""

    worker: int
    error: str


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """The agent of an attempt runs."""

    workstream: str
    attempt: int
    estimated_tokens: int = 0
    """How many tokens of prompt and files it is thought to read; 0 where nobody counted."""


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """The agent of an attempt is gone, with all its children."""

    workstream: str
    attempt: int
    outcome: AttemptState
    exit_code: int | None = None
    error: str = ""
    reports: tuple[Usage, ...] = ()
    """All its reports of use, from the first: those that were told of before are not counted again."""
    no_change_stated: bool = False
    """The agent said that nothing needs changing."""
    fault: Fault | None = None
    """What went wrong, where it was not the work."""
    until: float | None = None
    """Until when its provider wants to be left alone, in seconds since the epoch; None where it does not say."""


@dataclass(frozen=True, slots=True)
class UsageReported:
    """The agent of an attempt has told what it used so far."""

    workstream: str
    attempt: int
    reports: tuple[Usage, ...]
    """All its reports, from the first."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What an attempt left in its sandbox is a commit, and its gates have spoken."""

    workstream: str
    attempt: int
    commit: str | None
    """None: it left no change."""
    change: str
    """What stands for what it changed, on whatever commit: it is equal where the same was made of the same files."""
    problem: str = ""
    """Why the work cannot be merged: out of scope, a nested repository, a required gate; empty if it can."""
    gates: tuple[GateEntry, ...] = ()
    no_change_stated: bool = False
    warning: str = ""
    """What the operator should know of work that may be merged: a change outside the scope, under `scope: warn`."""
    detail: str = ""
    """What the next attempt's agent should read: the output of the gate that failed."""
    retryable: bool = True
    """False: no agent can put it right, such as a gate whose program is not installed."""
    suspicion: str = ""
    """Why the workstream is quarantined, whatever became of the attempt: it may have changed what git obeys."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The integration branch moved."""

    workstream: str
    tip: str
    gates: tuple[GateEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class MergeConflicted:
    """Git could not merge alone."""

    workstream: str
    ours: str
    theirs: str
    files: tuple[ConflictFile, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergeFailed:
    """The merged tree did not pass, or the merge could not be made."""

    workstream: str
    problem: str
    gates: tuple[GateEntry, ...] = ()
    detail: str = ""
    """What the next attempt's agent should read: the output of the gate that failed."""
    retryable: bool = True
    """False: no agent can put it right."""


@dataclass(frozen=True, slots=True)
class MergeDeferred:
    """An entry of a batch goes back into the queue: nothing is known against it yet."""

    workstream: str
    reason: str


@dataclass(frozen=True, slots=True)
class Climbed:
    """The rungs that need no agent were tried on a conflict."""

    conflict: str
    files: tuple[ConflictFile, ...]
    """The files as they were, with what the rungs propose."""
    tried: tuple[Rung, ...]
    gates: tuple[GateEntry, ...] = ()
    """What the gates said of the whole proposal; empty where some file has none."""
    problem: str = ""
    """Why the gates do not let the proposal pass."""


@dataclass(frozen=True, slots=True)
class AskReported:
    """The agent that was asked to resolve a conflict has told what it used so far."""

    conflict: str
    ask: int
    reports: tuple[Usage, ...]
    """All its reports, from the first."""


@dataclass(frozen=True, slots=True)
class AgentAnswered:
    """The agent that was asked to resolve a conflict is gone."""

    conflict: str
    ask: int
    files: tuple[ConflictFile, ...]
    rung: Rung
    gates: tuple[GateEntry, ...] = ()
    problem: str = ""
    reports: tuple[Usage, ...] = ()
    """All its reports of use, from the first: those that were told of before are not counted again."""
    fault: Fault | None = None
    """What went wrong, where it was not the conflict."""
    until: float | None = None
    """Until when its provider wants to be left alone, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Reverted:
    """A merge commit is undone on the integration branch, and its compensation actions have run."""

    commit: str
    tip: str


@dataclass(frozen=True, slots=True)
class RevertFailed:
    """A merge could not be undone, or a compensation action failed; the operator puts that right and goes on."""

    commit: str
    problem: str
    tip: str | None = None
    """Where the branch is, if the revert itself was made."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What each pair of active branches that are not clean together would come to, all of them."""

    pairs: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    """First id, second id, `same file` or `conflict`, and where."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The operator asked for something."""

    command: Command
    edited: Entry | None = None
    """For `edit`: the content as it was stored."""
    left_over: bool = False
    """It was asked of an orchestrator that was gone before it could take it."""


@dataclass(frozen=True, slots=True)
class Landed:
    """The target branch moved to the integration branch."""

    branch: str
    commit: str
    gates: tuple[GateEntry, ...] = ()
    """What gates said that had not seen this tree before."""


@dataclass(frozen=True, slots=True)
class LandingRefused:
    """The target branch cannot be moved now."""

    why: str
    gates: tuple[GateEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Progressed:
    """What a worker is doing now."""

    worker: int
    doing: str


@dataclass(frozen=True, slots=True)
class Room:
    """How much room the disk has."""

    enough: bool
    """False: nothing may be begun."""
    told: str
    """How much there is, and how much there should be."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth an event that changes no state."""

    type: str
    text: str
    severity: str = "info"
    workstream: str | None = None
    worker: int | None = None
    attempt: int | None = None
    data: dict[str, object] = field(default_factory=dict)


Event = (
    Began
    | WorkerReady
    | WorkerBroken
    | AttemptStarted
    | AttemptEnded
    | UsageReported
    | Collected
    | Merged
    | MergeConflicted
    | MergeFailed
    | MergeDeferred
    | Climbed
    | AskReported
    | AgentAnswered
    | Reverted
    | RevertFailed
    | Forecast
    | Asked
    | Landed
    | LandingRefused
    | Progressed
    | Room
    | Ticked
    | Noted
)
