"""The tables of the store, keyed by (run, workstream). Only the store's own modules know them; readers get views."""

from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import CheckConstraint, Enum, ForeignKeyConstraint, Index, MetaData
from sqlmodel import Field, SQLModel

from uet_tui.core.commands import Verb
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
from uet_tui.store.columns import Data, Exact, Line, Prose

REVISION: Final = "0005"
"""The newest migration: what a store must be at to be read and written by this version."""


class _Stored(SQLModel):
    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


METADATA = _Stored.metadata


def _state(
    states: type[RunState | WorkstreamState | AttemptState | WorkerState | ConflictState | ProviderState],
) -> Enum:
    return Enum(states, native_enum=False, length=16)  # room for longer states without a migration


def _words(words: type[BudgetStage | Fault]) -> Enum:
    """An enumeration that is kept as its words."""
    return Enum(words, native_enum=False, length=16, values_callable=lambda members: [*members])


def _of_run() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE")


def _of_workstream() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["run", "workstream"], ["workstreams.run", "workstreams.id"], ondelete="CASCADE")


def _of_attempt() -> ForeignKeyConstraint:
    columns = ["attempts.run", "attempts.workstream", "attempts.number"]
    return ForeignKeyConstraint(["run", "workstream", "attempt"], columns, ondelete="CASCADE")


class Run(_Stored, table=True):
    """One execution of a plan, and who may write it."""

    __tablename__ = "runs"

    id: str = Field(primary_key=True)
    name: str = Field(sa_type=Line)
    schedule: str
    parallelism: int
    base_commit: str
    tip: str
    target_branch: str | None = Field(sa_type=Prose)  # never cut: it names a branch
    created_at: datetime
    state: RunState = Field(sa_type=_state(RunState))
    reason: str = Field(sa_type=Line)
    spent_usd: float
    reserved_usd: float
    budget_usd: float | None
    started_at: datetime | None
    ended_at: datetime | None
    landed_at: datetime | None
    landed_commit: str | None
    phase_budget_usd: float | None
    task_budget_usd: float | None
    budget_stage: BudgetStage = Field(sa_type=_words(BudgetStage))
    budget_note: str = Field(sa_type=Line)
    wide: int | None
    overrides: object = Field(sa_type=Data, nullable=False)
    owner_token: str | None
    """Whose writes count; null while no orchestrator has the run."""
    owner_pid: int | None
    revision: int
    """Grows with every write to the run."""


class Workstream(_Stored, table=True):
    """One workstream of a run, with its declaration."""

    __tablename__ = "workstreams"
    __table_args__ = (_of_run(),)

    run: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    declaration: object = Field(sa_type=Data, nullable=False)
    """The workstream as its bundle declares it."""
    wave: int
    agent: str = Field(sa_type=Line)
    model: str = Field(sa_type=Line)
    state: WorkstreamState = Field(sa_type=_state(WorkstreamState))
    reason: str = Field(sa_type=Line)
    attempts: int
    worker: int | None
    retry_at: datetime | None
    cost_usd: float
    started_at: datetime | None
    ended_at: datetime | None
    result_commit: str | None
    merge_commit: str | None
    merge_onto: str | None
    conflict: str | None
    error_signature: str = Field(sa_type=Prose)
    error_repeats: int
    result_tree: str
    result_repeats: int
    granted_attempts: int
    note: str = Field(sa_type=Prose)
    wish: str = Field(sa_type=Prose)
    queued_at: datetime | None
    overtaken: int
    held: bool
    first: bool
    context_share: float


class Attempt(_Stored, table=True):
    """One try of a workstream."""

    __tablename__ = "attempts"
    __table_args__ = (_of_workstream(),)

    run: str = Field(primary_key=True)
    workstream: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    worker: int
    agent: str = Field(sa_type=Line)
    model: str = Field(sa_type=Line)
    base_commit: str
    created_at: datetime
    state: AttemptState = Field(sa_type=_state(AttemptState))
    reserved_usd: float
    cost_usd: float
    tokens_in: int
    tokens_out: int
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    error: str = Field(sa_type=Prose)
    commit: str | None
    kill_asked: bool
    kill_reason: str = Field(sa_type=Line)
    provider: str = Field(sa_type=Line)
    tokens_cached: int
    tokens_reasoning: int
    reports: int
    unpriced: int
    estimated_tokens: int
    estimated_usd: float
    fault: Fault | None = Field(sa_type=_words(Fault))
    frozen_at: datetime | None


class Worker(_Stored, table=True):
    """A worker slot of a run."""

    __tablename__ = "workers"
    __table_args__ = (_of_run(),)

    run: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    since: datetime
    state: WorkerState = Field(sa_type=_state(WorkerState))
    workstream: str | None
    agent: str = Field(sa_type=Line)
    doing: str = Field(sa_type=Line)


class Event(_Stored, table=True):
    """Something that happened; ids grow in the order of happening."""

    __tablename__ = "uet_events"
    __table_args__ = (
        _of_run(),
        Index(None, "run", "id"),
        Index(None, "run", "workstream", "id"),
    )

    id: int | None = Field(primary_key=True)
    run: str
    time: datetime
    type: str = Field(sa_type=Line)
    severity: str
    workstream: str | None
    worker: int | None
    attempt: int | None
    text: str = Field(sa_type=Line)
    data: object = Field(sa_type=Data, nullable=False)


class Provider(_Stored, table=True):
    """Whose models the agents of a run use."""

    __tablename__ = "providers"
    __table_args__ = (_of_run(),)

    run: str = Field(primary_key=True)
    name: str = Field(primary_key=True, sa_type=Line)
    since: datetime
    state: ProviderState = Field(sa_type=_state(ProviderState))
    until: datetime | None
    reason: str = Field(sa_type=Line)
    pauses: int
    limit: int | None


class Cost(_Stored, table=True):
    """One report of use, by an attempt or by an agent that was asked about a conflict; counted once."""

    __tablename__ = "cost_tracking"
    __table_args__ = (
        _of_attempt(),
        CheckConstraint("usd >= 0", name="usd_not_negative"),  # NaN is stored as null, which the column refuses
        Index("ix_cost_tracking_report", "run", "workstream", "attempt", "conflict", "ask", "number", unique=True),
        Index(None, "run", "time"),
    )

    id: int | None = Field(primary_key=True)
    run: str
    workstream: str
    attempt: int
    time: datetime
    agent: str = Field(sa_type=Line)
    model: str = Field(sa_type=Line)
    usd: float
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int
    estimated: bool
    priced: bool
    conflict: str
    ask: int
    number: int
    provider: str = Field(sa_type=Line)


class Conflict(_Stored, table=True):
    """A merge that git could not make alone."""

    __tablename__ = "merge_conflicts"
    __table_args__ = (_of_workstream(),)

    run: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    workstream: str
    attempt: int
    ours_commit: str
    theirs_commit: str
    files: object = Field(sa_type=Exact, nullable=False)
    against: object = Field(sa_type=Data, nullable=False)
    opened_at: datetime
    state: ConflictState = Field(sa_type=_state(ConflictState))
    proposal: str | None = Field(sa_type=Line)
    closed_at: datetime | None
    tree: str | None
    by: str = Field(sa_type=Line)
    tried: object = Field(sa_type=Data, nullable=False)
    gates: object = Field(sa_type=Data, nullable=False)
    note: str = Field(sa_type=Prose)
    deferred: bool
    asks: int
    asking: bool
    climbing: bool
    reserved_usd: float
    asked: object = Field(sa_type=Data, nullable=False)


class Pair(_Stored, table=True):
    """Two active branches that are not clean together, as the forecast has it."""

    __tablename__ = "merge_forecast"
    __table_args__ = (_of_run(),)

    run: str = Field(primary_key=True)
    first: str = Field(primary_key=True)
    second: str = Field(primary_key=True)
    verdict: str
    files: object = Field(sa_type=Data, nullable=False)
    since: datetime


class Gate(_Stored, table=True):
    """What a gate said of an attempt or of a merged tree."""

    __tablename__ = "gate_results"
    __table_args__ = (_of_attempt(), Index(None, "run", "workstream", "attempt"))

    id: int | None = Field(primary_key=True)
    run: str
    workstream: str
    attempt: int
    time: datetime
    gate: str = Field(sa_type=Line)
    where: str
    verdict: str
    seconds: float
    output: str = Field(sa_type=Prose)
    tree: str


class Checkpoint(_Stored, table=True):
    """The newest compact state of a run."""

    __tablename__ = "execution_checkpoints"
    __table_args__ = (_of_run(),)

    run: str = Field(primary_key=True)
    revision: int
    """The run's revision that it is the state of."""
    created_at: datetime
    state: object = Field(sa_type=Data, nullable=False)


class OperatorCommand(_Stored, table=True):
    """A command of the operator and what became of it. The content of an edit is in the conflict, not here."""

    __tablename__ = "operator_commands"
    __table_args__ = (_of_run(),)

    run: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    verb: Verb = Field(sa_type=Enum(Verb, native_enum=False, length=16, values_callable=lambda verbs: [*verbs]))
    arguments: object = Field(sa_type=Data, nullable=False)
    """What the act was done to and with: the other fields that were given."""
    note: str = Field(sa_type=Prose)
    by: str = Field(sa_type=Line)
    source: str = Field(sa_type=Line)
    at: datetime
    ok: bool
    message: str = Field(sa_type=Line)


class SchemaMeta(_Stored, table=True):
    """The migration that the store is at; Alembic's version table."""

    __tablename__ = "schema_meta"

    version_num: str = Field(primary_key=True, max_length=32)


RUNS = METADATA.tables["runs"]
WORKSTREAMS = METADATA.tables["workstreams"]
ATTEMPTS = METADATA.tables["attempts"]
WORKERS = METADATA.tables["workers"]
EVENTS = METADATA.tables["uet_events"]
PROVIDERS = METADATA.tables["providers"]
COSTS = METADATA.tables["cost_tracking"]
CONFLICTS = METADATA.tables["merge_conflicts"]
PAIRS = METADATA.tables["merge_forecast"]
GATES = METADATA.tables["gate_results"]
CHECKPOINTS = METADATA.tables["execution_checkpoints"]
COMMANDS = METADATA.tables["operator_commands"]
SCHEMA_META = METADATA.tables["schema_meta"]
