"""The money of a run and its providers, as readers of the store get them; see `store/views.py`."""

from dataclasses import dataclass
from datetime import datetime

from uet_tui.core.states import BudgetStage, ProviderState


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one workstream cost so far."""

    workstream: str
    agent: str
    usd: float
    attempts: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    unpriced: int = 0
    """How many of its reports of use nobody can price."""


@dataclass(frozen=True, slots=True)
class ModelCostRow:
    """What one model cost so far, as one agent uses it."""

    model: str
    """Empty where the agent does not say."""
    agent: str
    usd: float
    attempts: int
    """How many attempts and asks used it."""
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class OverrideView:
    """A limit that the operator changed while the run was under way."""

    limit: str
    """`total`, `phase` or `task`."""
    former_usd: float | None
    """What held before, and holds again once this expires; None is no limit."""
    by: str
    reason: str
    since: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CostView:
    """The money of a run."""

    spent_usd: float
    reserved_usd: float
    budget_usd: float | None
    """None: no limit was set."""
    per_minute_usd: float
    """Average over the last five minutes: the burn rate."""
    wasted_usd: float
    """Spent on what is not going to be merged: failed and retried attempts, and agents asked about conflicts."""
    retries: int
    forecast_usd: float | None
    """What the whole run will have cost, along the remaining plan; None before anything ended."""
    series: tuple[float, ...]
    """Dollars per minute over the last ten minutes, oldest first."""
    rows: tuple[CostRow, ...]
    """Dearest first."""
    landed_usd: float = 0.0
    """Spent on attempts whose work is merged."""
    estimated_usd: float = 0.0
    """How much of what was spent comes from lists of prices, not from the agents."""
    unpriced: int = 0
    """How many reports of use nobody can price; what they cost is missing in what was spent."""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    by_model: tuple[ModelCostRow, ...] = ()
    """Dearest first."""
    phase_budget_usd: float | None = None
    """What the workstreams of one phase may cost together."""
    task_budget_usd: float | None = None
    """What one workstream may cost."""
    stage: BudgetStage = BudgetStage.OK
    note: str = ""
    """Why the budget is at its stage, in one line."""
    wide: int | None = None
    """The parallelism that the operator wants, while the budget allows fewer workers."""
    overrides: tuple[OverrideView, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderView:
    """Whose models the agents of a run use."""

    name: str
    state: ProviderState
    until: datetime | None
    """When its pause ends."""
    reason: str
    running: int
    """How many attempts and asks use it now."""
    limit: int | None
    """How many may."""


@dataclass(frozen=True, slots=True)
class SpendRow:
    """One line of a breakdown: the sum of some reports of use."""

    label: str
    """What they have in common: a workstream, `WORKSTREAM #ATTEMPT`, a model, a wave or phase, an outcome."""
    usd: float
    estimated_usd: float
    """How much of it comes from lists of prices."""
    attempts: int
    """How many attempts and asks the reports are of."""
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int
    unpriced: int
    """How many of the reports nobody can price."""
    workstream: str = ""
    """Where all are of one workstream."""
    attempt: int = 0
    """Where all are of one attempt, or of conflicts that came of it."""
    agent: str = ""
    """Where all are by one agent."""
    wasted_usd: float = 0.0
    """How much of it was spent on what is not going to be merged."""
    outcomes: tuple[str, ...] = ()
    """What came of them, each once: words of `CostBreakdown.by_outcome`, in their order."""


@dataclass(frozen=True, slots=True)
class CostBreakdown:
    """Where the money of a run went, each way of looking at it complete by itself; dearest first."""

    by_workstream: tuple[SpendRow, ...]
    by_attempt: tuple[SpendRow, ...]
    """In the order of workstreams and attempts; what was asked about a conflict stands beside its attempt."""
    by_model: tuple[SpendRow, ...]
    by_wave: tuple[SpendRow, ...]
    """By `metadata.phase` of the workstreams, else by their wave; in the order of the waves."""
    by_outcome: tuple[SpendRow, ...]
    """`merged`, `under way`, `retried`, `failed`, `conflicts`; those with none are left out."""
