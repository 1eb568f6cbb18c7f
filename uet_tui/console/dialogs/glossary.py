"""What each state means, in the operator's words."""

from collections.abc import Mapping

from uet_tui.console.format import (
    Look,
    conflict_look,
    provider_look,
    run_look,
    stage_look,
    worker_look,
    workstream_look,
)
from uet_tui.core.states import BudgetStage as B
from uet_tui.core.states import ConflictState as C
from uet_tui.core.states import ProviderState as P
from uet_tui.core.states import RunState as R
from uet_tui.core.states import WorkerState as K
from uet_tui.core.states import WorkstreamState as W

_WORKSTREAM: Mapping[W, str] = {
    W.PENDING: "has not begun; its line says what it waits for",
    W.RUNNING: "an agent works on it",
    W.GATING: "its gates are run",
    W.QUEUED: "done; waits in the merge queue",
    W.MERGING: "is being merged, and gated as merged",
    W.CONFLICTED: "cannot be merged without a decision: the conflict desk",
    W.MERGED: "on the integration branch",
    W.FAILED: "did not come to a result; r retries it",
    W.QUARANTINED: "given up: it went wrong the same way again, or the operator said so",
    W.SKIPPED: "something it depends on will not merge",
    W.CANCELLED: "the run ended before it could",
}
_RUN: Mapping[R, str] = {
    R.PLANNED: "has not begun",
    R.RUNNING: "starts whatever can start",
    R.PAUSED: "starts nothing new; what runs goes on",
    R.DRAINING: "finishes what runs, then stops",
    R.COMPLETED: "everything merged",
    R.FAILED: "over, but not everything merged",
    R.HALTED: "the budget is used up; raise it and resume",
    R.CANCELLED: "ended by the operator",
}
_WORKER: Mapping[K, str] = {
    K.SPAWNING: "its sandbox is made",
    K.IDLE: "waits for work",
    K.BUSY: "runs an attempt",
    K.PAUSED: "takes no new attempt, finishes its own",
    K.DRAINING: "goes when its attempt is done",
    K.TERMINATED: "gone",
}
_FROZEN = worker_look(K.BUSY, frozen=True), "its processes stand still, and their time does not count; f thaws"
_CONFLICT: Mapping[C, str] = {
    C.PENDING: "waits for the operator",
    C.PROPOSED: "waits for the operator, with a proposal",
    C.AUTO_RESOLVED: "resolved by the machine",
    C.AGENT_RESOLVED: "resolved by an agent",
    C.HUMAN_RESOLVED: "resolved by the operator",
    C.QUARANTINED: "given up with its workstream",
}

_STAGE: Mapping[B, str] = {
    B.OK: "there is enough left",
    B.WARNED: "most of the budget is used up",
    B.NARROWED: "fewer workers than you want, so that less is under way when it is used up",
    B.CHEAPER: "new attempts take the cheaper models of budget.downgrade",
    B.CLOSING: "what waits needs more than is left; what runs finishes",
    B.HALTED: "used up: b raises it, and the run goes on",
}
_PROVIDER: Mapping[P, str] = {
    P.OPEN: "is asked",
    P.PAUSED: "is left alone until its quota or rate limit allows; goes on by itself",
    P.STOPPED: "refuses the key or the account: yours to see to, w goes there",
}


def glossary() -> tuple[tuple[str, tuple[tuple[Look, str], ...]], ...]:
    """All states with their looks and meanings, by what they are states of."""
    return (
        ("Workstreams", tuple((workstream_look(state), means) for state, means in _WORKSTREAM.items())),
        ("Conflicts", tuple((conflict_look(state), means) for state, means in _CONFLICT.items())),
        ("Workers", (*((worker_look(state), means) for state, means in _WORKER.items()), _FROZEN)),
        ("The run", tuple((run_look(state), means) for state, means in _RUN.items())),
        ("The budget", tuple((stage_look(stage), means) for stage, means in _STAGE.items())),
        ("Providers", tuple((provider_look(state), means) for state, means in _PROVIDER.items())),
    )
