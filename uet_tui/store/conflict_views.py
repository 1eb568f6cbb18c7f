"""What readers of the store get of merges: conflicts, what gates said, and the forecast. Frozen, with plain values."""

from dataclasses import dataclass
from datetime import datetime

from uet_tui.core.states import CONFLICT_OPEN, ConflictState
from uet_tui.core.verdicts import holds


@dataclass(frozen=True, slots=True)
class HunkView:
    """One place of a file where both sides changed the same lines."""

    number: int
    """1-based within the file."""
    line: int
    """1-based line in ours where the hunk begins."""
    before: tuple[str, ...]
    """Up to three unchanged lines before it."""
    ours: tuple[str, ...]
    base: tuple[str, ...]
    theirs: tuple[str, ...]
    after: tuple[str, ...]
    """Up to three unchanged lines after it."""
    choice: str | None
    """`ours`, `theirs`, `both`, `both-theirs-first`, `proposal`, `edited`, or None while undecided."""
    proposal: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ConflictFileView:
    """One file of a conflict."""

    path: str
    kind: str
    """`content`, `add/add`, `modify/delete`, `delete/modify`, `rename`, `binary`, `mode`, `symlink`, `submodule`,
    `file/directory`, or `lossy`: git merged it alone, but dropped lines of a side."""
    hunks: tuple[HunkView, ...]
    """Empty where the file can only be taken whole."""
    choice: str | None
    """For the whole file: `ours`, `theirs`, `proposal`, `edited`; None where hunks decide or nothing is decided."""
    proposed_by: str = ""
    """The rung that proposes a whole file; empty where none does. Hunks hold their parts of it, if it has parts."""
    lost: tuple[str, ...] = ()
    """Lines that the proposal drops: what the side-loss check found."""
    beside: tuple[str, ...] = ()
    """Other paths that the same conflict concerns: the other names of a renamed file."""
    note: str = ""
    """What happened and what taking a side will do, where the kind does not say it all."""
    proposes_deletion: bool = False
    """The proposal is that there be no such file."""

    @property
    def decided(self) -> bool:
        """Whether nothing in it is left to decide."""
        return self.choice is not None or (bool(self.hunks) and all(h.choice for h in self.hunks))


@dataclass(frozen=True, slots=True)
class RungView:
    """One rung of the ladder that was tried on a conflict."""

    name: str
    """`recorded`, `union`, `regenerate`, `structural`, `agent`, `operator`."""
    verdict: str
    """`settled`, `refused` (by the side-loss check), `failed` or `not applicable`."""
    seconds: float
    cost_usd: float
    detail: str = ""
    """One line: what it did, why it failed, or the evidence against it."""


@dataclass(frozen=True, slots=True)
class GateView:
    """What a gate said."""

    gate: str
    attempt: int
    where: str
    """`sandbox`, `merged`, `base`, `proposal` or `landing`: what it looked at."""
    verdict: str
    seconds: float
    output: str
    """The end of what it printed."""
    time: datetime

    @property
    def red(self) -> bool:
        """Whether it speaks against what it looked at."""
        return not holds(self.verdict)


@dataclass(frozen=True, slots=True)
class PairView:
    """Two active branches that are not clean together, as the forecast has it."""

    first: str
    second: str
    verdict: str
    """`same file` or `conflict`."""
    files: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A merge that git could not make alone."""

    id: str
    """Short: `c1`, `c2`, ... within the run."""
    workstream: str
    against: tuple[str, ...]
    """The merged workstreams that touched the same files; empty if only the base is known."""
    state: ConflictState
    files: tuple[ConflictFileView, ...]
    proposal: str | None
    """Who made the proposal; None if there is none."""
    opened_at: datetime
    closed_at: datetime | None
    ours_commit: str
    theirs_commit: str
    ours_tasks: tuple[str, ...]
    theirs_tasks: tuple[str, ...]
    waiting: tuple[str, ...]
    """Workstreams that wait behind it, directly or not."""
    tried: tuple[RungView, ...]
    by: str = ""
    """Who closed it, and how; empty while it is open."""
    gates: tuple[GateView, ...] = ()
    """What the gates said of the proposal."""
    deferred: bool = False
    busy: str = ""
    """What is being tried on it just now: `ladder`, `agent`, `merging`, or `turn`: it waits to ask an agent and
    can be decided meanwhile. Empty where it waits for the operator."""
    note: str = ""
    """What the operator told the agent that was asked last."""
    version: str = ""
    """What stands for its files as they are decided so far: `conflicts.version`."""

    @property
    def open(self) -> bool:
        """Whether it still wants a decision."""
        return self.state in CONFLICT_OPEN

    @property
    def needs_operator(self) -> bool:
        """Whether it waits for the operator now: nothing is being tried on it, and it was not put off."""
        return self.open and not self.busy and not self.deferred

    @property
    def decided_files(self) -> int:
        """How many of its files have nothing left to decide."""
        return sum(f.decided for f in self.files)
