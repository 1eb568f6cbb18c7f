"""Every state there is, and the one table of allowed transitions for each kind of thing."""

from collections.abc import Mapping
from enum import StrEnum


class RunState(StrEnum):
    """Where a run is. HALTED: by the budget; raise it and resume."""

    PLANNED = "PLANNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DRAINING = "DRAINING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    HALTED = "HALTED"
    CANCELLED = "CANCELLED"


class WorkstreamState(StrEnum):
    """Where a workstream is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    GATING = "GATING"
    QUEUED = "QUEUED"
    MERGING = "MERGING"
    CONFLICTED = "CONFLICTED"
    MERGED = "MERGED"
    FAILED = "FAILED"
    QUARANTINED = "QUARANTINED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class AttemptState(StrEnum):
    """Where one try of a workstream is. LOST: proven dead without having said how it ended."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    KILLED = "KILLED"
    LOST = "LOST"


class WorkerState(StrEnum):
    """Where a worker is. PAUSED: takes no new attempt, finishes its own."""

    SPAWNING = "SPAWNING"
    IDLE = "IDLE"
    BUSY = "BUSY"
    PAUSED = "PAUSED"
    DRAINING = "DRAINING"
    TERMINATED = "TERMINATED"


class ConflictState(StrEnum):
    """Where a conflict is."""

    PENDING = "PENDING"
    PROPOSED = "PROPOSED"
    AUTO_RESOLVED = "AUTO_RESOLVED"
    AGENT_RESOLVED = "AGENT_RESOLVED"
    HUMAN_RESOLVED = "HUMAN_RESOLVED"
    QUARANTINED = "QUARANTINED"


class ProviderState(StrEnum):
    """Whether a provider of models is asked. PAUSED: it goes on by itself; STOPPED: the operator has to see to it."""

    OPEN = "OPEN"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class BudgetStage(StrEnum):
    """How far the budget of a run is used up: it only goes on, until the limit is changed."""

    OK = "ok"
    WARNED = "warned"
    NARROWED = "narrowed"
    """Fewer workers than the operator wants."""
    CHEAPER = "cheaper"
    """New attempts take the cheaper models of `budget.downgrade`."""
    CLOSING = "closing"
    """What waits needs more than is left; what runs finishes."""
    HALTED = "halted"


R, W, A, K, C = RunState, WorkstreamState, AttemptState, WorkerState, ConflictState

RUN_TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    R.PLANNED: frozenset({R.RUNNING, R.FAILED, R.CANCELLED}),
    R.RUNNING: frozenset({R.PAUSED, R.DRAINING, R.COMPLETED, R.FAILED, R.HALTED, R.CANCELLED}),
    R.PAUSED: frozenset({R.RUNNING, R.DRAINING, R.COMPLETED, R.FAILED, R.HALTED, R.CANCELLED}),
    R.DRAINING: frozenset({R.PAUSED, R.RUNNING, R.COMPLETED, R.FAILED, R.HALTED, R.CANCELLED}),
    R.COMPLETED: frozenset({R.CANCELLED}),
    R.FAILED: frozenset({R.RUNNING, R.PAUSED, R.COMPLETED, R.CANCELLED}),
    R.HALTED: frozenset({R.RUNNING, R.CANCELLED, R.FAILED, R.COMPLETED}),
    R.CANCELLED: frozenset({R.RUNNING, R.PAUSED}),
}

WORKSTREAM_TRANSITIONS: Mapping[WorkstreamState, frozenset[WorkstreamState]] = {
    W.PENDING: frozenset({W.RUNNING, W.SKIPPED, W.FAILED, W.CANCELLED}),
    W.RUNNING: frozenset({W.GATING, W.PENDING, W.FAILED, W.QUARANTINED, W.SKIPPED, W.CANCELLED}),
    W.GATING: frozenset({W.QUEUED, W.MERGED, W.PENDING, W.FAILED, W.QUARANTINED, W.CANCELLED}),
    W.QUEUED: frozenset({W.MERGING, W.PENDING, W.SKIPPED, W.QUARANTINED, W.CANCELLED}),
    W.MERGING: frozenset({W.MERGED, W.QUEUED, W.CONFLICTED, W.PENDING, W.FAILED, W.QUARANTINED}),
    W.CONFLICTED: frozenset({W.QUEUED, W.PENDING, W.QUARANTINED, W.SKIPPED, W.CANCELLED}),
    W.MERGED: frozenset({W.CANCELLED}),
    W.FAILED: frozenset({W.PENDING, W.SKIPPED}),
    W.QUARANTINED: frozenset({W.PENDING, W.SKIPPED}),
    W.SKIPPED: frozenset({W.PENDING}),
    W.CANCELLED: frozenset({W.PENDING}),
}

ATTEMPT_TRANSITIONS: Mapping[AttemptState, frozenset[AttemptState]] = {
    A.CREATED: frozenset({A.RUNNING, A.FAILED, A.KILLED, A.LOST}),
    A.RUNNING: frozenset({A.SUCCEEDED, A.FAILED, A.TIMED_OUT, A.KILLED, A.LOST}),
    A.SUCCEEDED: frozenset(),
    A.FAILED: frozenset(),
    A.TIMED_OUT: frozenset(),
    A.KILLED: frozenset(),
    A.LOST: frozenset(),
}

WORKER_TRANSITIONS: Mapping[WorkerState, frozenset[WorkerState]] = {
    K.SPAWNING: frozenset({K.IDLE, K.TERMINATED}),
    K.IDLE: frozenset({K.BUSY, K.PAUSED, K.TERMINATED}),
    K.BUSY: frozenset({K.IDLE, K.PAUSED, K.DRAINING, K.TERMINATED}),
    K.PAUSED: frozenset({K.IDLE, K.BUSY, K.DRAINING, K.TERMINATED}),
    K.DRAINING: frozenset({K.BUSY, K.PAUSED, K.TERMINATED}),
    K.TERMINATED: frozenset(),
}

CONFLICT_TRANSITIONS: Mapping[ConflictState, frozenset[ConflictState]] = {
    C.PENDING: frozenset({C.PROPOSED, C.AUTO_RESOLVED, C.AGENT_RESOLVED, C.HUMAN_RESOLVED, C.QUARANTINED}),
    C.PROPOSED: frozenset({C.PENDING, C.AUTO_RESOLVED, C.AGENT_RESOLVED, C.HUMAN_RESOLVED, C.QUARANTINED}),
    C.AUTO_RESOLVED: frozenset({C.PENDING}),
    C.AGENT_RESOLVED: frozenset({C.PENDING}),
    C.HUMAN_RESOLVED: frozenset({C.PENDING}),
    C.QUARANTINED: frozenset(),
}

PROVIDER_TRANSITIONS: Mapping[ProviderState, frozenset[ProviderState]] = {
    ProviderState.OPEN: frozenset({ProviderState.PAUSED, ProviderState.STOPPED}),
    ProviderState.PAUSED: frozenset({ProviderState.OPEN, ProviderState.STOPPED}),
    ProviderState.STOPPED: frozenset({ProviderState.OPEN}),
}

RUN_OVER = frozenset({R.COMPLETED, R.FAILED, R.CANCELLED})
WORKSTREAM_OVER = frozenset({W.MERGED, W.FAILED, W.QUARANTINED, W.SKIPPED, W.CANCELLED})
WORKSTREAM_ACTIVE = frozenset({W.RUNNING, W.GATING, W.QUEUED, W.MERGING})
"""States in which a workstream holds its scope and its conflict group."""
WORKSTREAM_FORECAST = WORKSTREAM_ACTIVE | {W.CONFLICTED}
"""States in which a workstream has work that is to be merged, so that it is forecast what it would conflict with."""
ATTEMPT_OVER = frozenset({A.SUCCEEDED, A.FAILED, A.TIMED_OUT, A.KILLED, A.LOST})
CONFLICT_OPEN = frozenset({C.PENDING, C.PROPOSED})


class TransitionError(Exception):
    """A transition that the table does not allow; tells what the thing went through so far."""

    def __init__(self, thing: str, old: str, new: str, story: tuple[str, ...]) -> None:
        told = " -> ".join(story) or "(nothing yet)"
        super().__init__(f"{thing} cannot go from {old} to {new}; its story so far: {told}")
