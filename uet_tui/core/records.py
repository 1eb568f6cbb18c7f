"""The state of a run as the core holds it and as the store remembers it: one record a row.

Records are mutable and belong to the machine alone; what leaves it are copies. Times are seconds since the epoch (UTC),
money is US dollars.
"""

from dataclasses import dataclass, field

from uet_tui.core.conflicts import ConflictFile, Rung
from uet_tui.core.states import (
    AttemptState,
    BudgetStage,
    ConflictState,
    ProviderState,
    RunState,
    WorkerState,
    WorkstreamState,
)
from uet_tui.core.usage import Fault


@dataclass(frozen=True, slots=True)
class Override:
    """A limit that the operator changed while the run was under way."""

    limit: str
    """`total`, `phase` or `task`."""
    former_usd: float | None
    """What held before, and holds again once this expires; None is no limit."""
    by: str
    reason: str
    since: float
    until: float | None
    """When it expires; None: never."""


@dataclass(slots=True)
class RunRecord:
    """One execution of a plan."""

    id: str
    name: str
    schedule: str
    parallelism: int
    base_commit: str
    tip: str
    target_branch: str | None
    created_at: float
    state: RunState = RunState.PLANNED
    reason: str = ""
    spent_usd: float = 0.0
    reserved_usd: float = 0.0
    budget_usd: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    landed_at: float | None = None
    landed_commit: str | None = None
    phase_budget_usd: float | None = None
    """What the workstreams of one phase may cost together."""
    task_budget_usd: float | None = None
    """What one workstream may cost, all attempts and asks together."""
    budget_stage: BudgetStage = BudgetStage.OK
    budget_note: str = ""
    """Why the budget is at its stage, in one line."""
    wide: int | None = None
    """The parallelism that the operator wants, while the budget allows fewer workers."""
    overrides: tuple[Override, ...] = ()
    """The newest of each limit."""


@dataclass(slots=True)
class WorkstreamRecord:
    """One workstream of a run."""

    id: str
    wave: int
    agent: str
    model: str = ""
    state: WorkstreamState = WorkstreamState.PENDING
    reason: str = ""
    attempts: int = 0
    """How many attempts were made: the number of the newest, and its fencing token."""
    worker: int | None = None
    retry_at: float | None = None
    cost_usd: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    result_commit: str | None = None
    merge_commit: str | None = None
    merge_onto: str | None = None
    """The tip that a merge in progress was begun on: what recovery compares with."""
    conflict: str | None = None
    error_signature: str = ""
    error_repeats: int = 0
    result_tree: str = ""
    result_repeats: int = 0
    granted_attempts: int = 0
    """Attempts beyond the circuit breaker that the operator granted by `retry`."""
    note: str = ""
    """What the next attempt's agent must be told of the attempt before: what went wrong. A record, no instruction."""
    wish: str = ""
    """What the operator wants further attempts to heed."""
    queued_at: float | None = None
    """Since when it is in the merge queue."""
    overtaken: int = 0
    """How many merges went before it since it was queued: what its patience is measured by."""
    held: bool = False
    """The operator holds it: it is neither started nor merged until they let it go."""
    first: bool = False
    """The operator wants it merged before what else is in the queue."""
    context_share: float = 1.0
    """How much of its agent's context the next attempt may fill; less after one that did not fit."""


@dataclass(slots=True)
class AttemptRecord:
    """One try of a workstream."""

    workstream: str
    number: int
    worker: int
    agent: str
    model: str
    base_commit: str
    """The integration tip that its sandbox was reset to."""
    created_at: float
    state: AttemptState = AttemptState.CREATED
    reserved_usd: float = 0.0
    cost_usd: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    error: str = ""
    commit: str | None = None
    kill_asked: bool = False
    kill_reason: str = ""
    """Why it was ended, where that was not the operator's wish."""
    provider: str = ""
    """Whose quota it uses."""
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    reports: int = 0
    """How many of its reports of use are counted: those before are not counted again."""
    unpriced: int = 0
    """How many of them tell no cost and have no price."""
    estimated_tokens: int = 0
    """How many tokens of prompt and files it was thought to read."""
    estimated_usd: float = 0.0
    """What it was thought to cost before it started."""
    fault: Fault | None = None
    """What went wrong, where it was not the work."""
    frozen_at: float | None = None
    """Since when its agent stands still, because the operator wants it to."""


@dataclass(slots=True)
class WorkerRecord:
    """A worker slot."""

    number: int
    since: float
    state: WorkerState = WorkerState.SPAWNING
    workstream: str | None = None
    agent: str = ""
    doing: str = ""


@dataclass(frozen=True, slots=True)
class AskRecord:
    """An agent that was asked about a conflict, and what is counted of its use."""

    number: int
    agent: str = ""
    """Empty for one that an older version asked."""
    model: str = ""
    """What it was told to use."""
    provider: str = ""
    """Whose quota it uses."""
    reports: int = 0
    """How many of its reports of use are counted."""
    cost_usd: float = 0.0
    ended_because: str = ""
    """Why it was ended, where that was not the operator's wish."""


@dataclass(slots=True)
class ConflictRecord:
    """A merge that git could not make alone."""

    id: str
    workstream: str
    attempt: int
    ours_commit: str
    """The integration tip it was tried on."""
    theirs_commit: str
    files: tuple[ConflictFile, ...]
    against: tuple[str, ...]
    opened_at: float
    state: ConflictState = ConflictState.PENDING
    proposal: str | None = None
    closed_at: float | None = None
    tree: str | None = None
    """The resolved tree, once everything is decided and built."""
    by: str = ""
    tried: tuple[Rung, ...] = ()
    """What the ladder tried so far, in order."""
    gates: tuple["GateEntry", ...] = ()
    """What the gates said of the proposal."""
    note: str = ""
    """What the operator told the agent that is asked."""
    deferred: bool = False
    """The operator looks at it later: it is passed over by what needs them next."""
    asks: int = 0
    """How often an agent was asked: the number of the newest ask, and its fencing token."""
    asking: bool = False
    """Whether an agent is at it."""
    climbing: bool = False
    """Whether the rungs that need no agent are being tried."""
    reserved_usd: float = 0.0
    """Set aside for the agent that is asked."""
    asked: tuple[AskRecord, ...] = ()
    """The agents that were asked, first to last; one that there was no money for is not among them."""

    def ask(self, number: int) -> AskRecord:
        """An ask by its number; one that nothing is known of where it was never made."""
        return next((ask for ask in self.asked if ask.number == number), AskRecord(number))

    def keep_ask(self, kept: AskRecord) -> None:
        """Puts an ask on record, in the place of what was there of it."""
        others = (ask for ask in self.asked if ask.number != kept.number)
        self.asked = tuple(sorted((*others, kept), key=lambda ask: ask.number))


@dataclass(slots=True)
class ProviderRecord:
    """Whose models the agents of a run use."""

    name: str
    since: float
    """When it came to its state."""
    state: ProviderState = ProviderState.OPEN
    until: float | None = None
    """When its pause ends."""
    reason: str = ""
    pauses: int = 0
    """How often it paused since an attempt of it went well: what the next pause is measured by."""
    limit: int | None = None
    """How many of its agents may run at once."""


@dataclass(frozen=True, slots=True)
class PairRecord:
    """What merging two active branches would come to."""

    first: str
    """The workstream whose id sorts first."""
    second: str
    verdict: str
    """`same file` or `conflict`; pairs that are clean have no record."""
    files: tuple[str, ...]
    """Where: the paths that both changed, or that conflict."""
    since: float
    """When it turned so."""


@dataclass(frozen=True, slots=True)
class GateEntry:
    """What a gate said."""

    time: float
    workstream: str
    attempt: int
    gate: str
    where: str
    """`sandbox`, `merged`, `base`, `proposal` or `landing`: what it looked at."""
    verdict: str
    """A word of `core/verdicts.py`."""
    seconds: float
    output: str
    """The end of what it printed, harmless."""
    tree: str = ""
    """The tree that it looked at."""


@dataclass(slots=True)
class Records:
    """All records of a run."""

    run: RunRecord
    workstreams: dict[str, WorkstreamRecord]
    attempts: dict[tuple[str, int], AttemptRecord]
    workers: dict[int, WorkerRecord]
    conflicts: dict[str, ConflictRecord]
    pairs: dict[tuple[str, str], PairRecord] = field(default_factory=dict)
    """The forecast: pairs of active branches that are not clean together."""
    providers: dict[str, ProviderRecord] = field(default_factory=dict)


def compact(records: Records) -> dict[str, object]:
    """The run in a few values: what a checkpoint holds."""
    states: dict[str, list[str]] = {}
    for id, row in records.workstreams.items():
        states.setdefault(row.state.value, []).append(id)
    run = records.run
    return {"state": run.state.value, "tip": run.tip, "spent_usd": run.spent_usd, "workstreams": states}
