"""What readers of the store get: frozen views with plain values, never table rows.

Views carry states as the core's enumerations, times as aware UTC datetimes, money as US dollars and durations as
seconds. Text in a view has been made harmless (`uet_tui.text.harmless`) on its way into the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from uet_tui.core.states import WORKSTREAM_OVER, AttemptState, RunState, WorkerState, WorkstreamState
from uet_tui.store.conflict_views import ConflictView, PairView
from uet_tui.store.cost_views import CostView, ProviderView


@dataclass(frozen=True, slots=True)
class WorkstreamView:
    """A workstream of a run, as the waves pane and `uet status` show it."""

    id: str
    state: WorkstreamState
    reason: str
    """Why it is where it is: the answer of `uet why`. Empty only when it runs undisturbed."""
    wave: int
    """1-based."""
    worker: int | None
    """The worker that runs or gates it now."""
    agent: str
    model: str
    attempts: int
    cost_usd: float
    started_at: datetime | None
    ended_at: datetime | None
    merge_commit: str | None
    result_commit: str | None
    """The newest snapshot of its work, merged or not."""
    depends_on: tuple[str, ...]
    waited_for_by: tuple[str, ...]
    priority: str
    kind: str
    tasks: tuple[str, ...]
    files_scope: tuple[str, ...]
    files_create: tuple[str, ...]
    acceptance_tests: tuple[str, ...]
    test_gates: tuple[str, ...]
    queued_at: datetime | None = None
    """Since when it is in the merge queue."""
    held: bool = False
    """The operator holds it."""
    first: bool = False
    """The operator wants it merged first."""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in WORKSTREAM_OVER


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try of a workstream."""

    workstream: str
    number: int
    state: AttemptState
    worker: int
    agent: str
    model: str
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    error: str
    commit: str | None
    """The snapshot of what it left in its sandbox."""
    cost_usd: float
    tokens_in: int
    tokens_out: int
    folder: str
    """Where its prompt, output and diff are, relative to the run's folder."""
    provider: str = ""
    """Whose quota it used."""
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    reports: int = 0
    """How many reports of use it made."""
    unpriced: int = 0
    """How many of them nobody can price."""
    listed_usd: float = 0.0
    """How much of what it cost comes from lists of prices, not from the agent."""
    estimated_tokens: int = 0
    """How many tokens of prompt and files it was thought to read."""
    estimated_usd: float = 0.0
    """What it was thought to cost."""
    reserved_usd: float = 0.0
    fault: str = ""
    """What went wrong, where it was not the work: a word of `core/usage.py`."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker slot."""

    number: int
    state: WorkerState
    workstream: str | None
    agent: str
    since: datetime
    """When it took its present workstream, or its present state."""
    doing: str
    """`reset`, `edit`, `gates`, or the agent's own last line."""
    frozen: bool = False
    """Whether its agent stands still until the operator thaws it."""


@dataclass(frozen=True, slots=True)
class EventView:
    """One thing that happened."""

    id: int
    time: datetime
    type: str
    severity: str
    """`debug`, `info`, `warning` or `error`."""
    workstream: str | None
    worker: int | None
    attempt: int | None
    text: str
    """One line for the operator."""
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NeedView:
    """One thing that waits for the operator: what `w` goes to."""

    kind: str
    """`conflict`, `provider`, `frozen`, `quarantined`, `failed`, `held`, `rollback`, `halted` or `land`."""
    target: str
    """The id of the conflict or workstream, the name of the provider, the number of the worker; else empty."""
    text: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of `uet runs`."""

    id: str
    state: RunState
    alive: bool
    """Whether an orchestrator has it now."""
    total: int
    merged: int
    spent_usd: float
    conflicts: int
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunView:
    """All of a run that the home screen and `uet status` show, read in one transaction."""

    id: str
    revision: int
    """Grows with every write to the run; equal revisions mean equal views."""
    name: str
    """The name of the operator's repository folder."""
    state: RunState
    reason: str
    alive: bool
    crashed_at: datetime | None
    """When the orchestrator told something last, where it died and nobody took the run up since."""
    schedule: str
    parallelism: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    target_branch: str | None
    base_commit: str
    tip: str
    """The commit that the integration branch is at."""
    landed_at: datetime | None
    forecast_end_at: datetime | None
    notices: tuple[str, ...]
    """What holds the run as a whole: a quota pause, a full disk, a pause."""
    workstreams: tuple[WorkstreamView, ...]
    """In wave order, then id."""
    workers: tuple[WorkerView, ...]
    """Those not terminated, by number."""
    conflicts: tuple[ConflictView, ...]
    """Open ones first, those put off after the others, then by age."""
    costs: CostView
    needs: tuple[NeedView, ...]
    pairs: tuple[PairView, ...] = ()
    """The forecast: pairs of active branches that are not clean together; conflicts first."""
    providers: tuple[ProviderView, ...] = ()
    """By name."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many workstreams are in each state; states with none are left out."""
        found: dict[str, int] = {}
        for ws in self.workstreams:
            found[ws.state.value] = found.get(ws.state.value, 0) + 1
        return found

    @property
    def merged(self) -> int:
        """How many workstreams are merged."""
        return sum(ws.state is WorkstreamState.MERGED for ws in self.workstreams)

    @property
    def busy(self) -> int:
        """How many workers have a workstream."""
        return sum(worker.workstream is not None for worker in self.workers)

    @property
    def leaving(self) -> int:
        """How many busy workers are more than there are to be: they end when their workstream does."""
        draining = sum(w.workstream is not None and w.state is WorkerState.DRAINING for w in self.workers)
        return max(draining, self.busy - self.parallelism) if self.busy > self.parallelism else 0

    def workstream(self, id: str) -> WorkstreamView | None:
        """The workstream with this id, if the run has it."""
        return next((ws for ws in self.workstreams if ws.id == id), None)
