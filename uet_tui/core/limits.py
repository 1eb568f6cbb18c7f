"""What may still be spent, and what follows as it is used up: one step after the other, each of them told.

From the warning on, fewer run at once, in proportion to the money that is left before the halt; half way there, new
attempts take cheaper models where some are named; then nothing starts that the rest does not cover; in the end the run
is halted. When a limit is changed, all of it is looked at anew, so the way back up is the same.
"""

from math import ceil, inf
from typing import NamedTuple

from uet_tui.core import vocabulary
from uet_tui.core.board import BUDGET, Board
from uet_tui.core.records import WorkstreamRecord
from uet_tui.core.states import BudgetStage, RunState, WorkstreamState
from uet_tui.core.workers import drain, fill_workers
from uet_tui.plan.model import Workstream

_CENT = 1e-9
"""What sums of money may be off by."""
_STAGES = list(BudgetStage)
"""In the order in which they come."""


class Lack(NamedTuple):
    """Why there is no money for an agent."""

    reason: str
    """For the workstream that waits."""
    halted: str
    """For the run, where nothing else is left to do."""
    passing: bool = False
    """Whether there will be some if those that run give back all that is set aside for them."""


def model_for(board: Board, record: WorkstreamRecord) -> str:
    """The model of a workstream's next attempt."""
    downgrade = board.policy.downgrade
    if not downgrade or not _reached(board, BudgetStage.CHEAPER):
        return record.model
    cheaper = downgrade.get(record.model, record.model)
    return record.model if (record.agent, cheaper) in board.policy.unpriced else cheaper


def cap_of(board: Board, ws: Workstream) -> float | None:
    """What the next agent at a workstream may cost, in US dollars."""
    task, most = board.records.run.task_budget_usd, ws.max_cost_usd
    if task is None:
        return most
    left = max(0.0, task - board.workstream(ws.id).cost_usd)
    return left if most is None else min(most, left)


def estimate(board: Board, ws: Workstream, agent: str, model: str) -> float:
    """US dollars that one attempt is thought to cost at most: as declared, as others of its kind did, or as set."""
    if agent in board.policy.free:
        return 0.0
    if ws.max_cost_usd is not None:
        return ws.max_cost_usd
    usual = board.purse.usual_cost(agent, model)
    return board.policy.reserve_usd if usual is None else usual


def reserve(board: Board, ws: Workstream, agent: str, model: str) -> float:
    """US dollars to set aside for one agent at a workstream: never more than it may cost."""
    expected, cap = estimate(board, ws, agent, model), cap_of(board, ws)
    return expected if cap is None else min(expected, cap)


def lack(board: Board, ws: Workstream, agent: str, model: str | None = None) -> Lack | None:
    """What keeps an agent from being paid for; None if nothing does. What costs nothing is never kept.

    Without a `model` it is that of the workstream's next attempt.
    """
    run, purse = board.records.run, board.purse
    total, phase, task = run.budget_usd, run.phase_budget_usd, run.task_budget_usd
    if (total is None and phase is None and task is None) or agent in board.policy.free:
        return None
    model = model_for(board, board.workstream(ws.id)) if model is None else model
    if (agent, model) in board.policy.unpriced or (board.policy.refuse_unknown and (agent, model) in purse.unpriced):
        what = f"the price of {model} is unknown" if model else f"the price of {agent}'s model is unknown"
        fix = "declare it under budget.models" if model else f"name it in agents.{agent}.model"
        return Lack(f"budget: {what}; {fix}", f"{what}, and money is limited; {fix}, or set budget.unknown_price=allow")
    need = reserve(board, ws, agent, model)
    if total is not None:
        left = total * board.policy.halt_threshold - run.spent_usd - run.reserved_usd
        if need > left + _CENT or left <= _CENT:
            passing = _enough(need, left + run.reserved_usd)
            return Lack(_short("", need, left), _halt(total, need, left), passing)
    if phase is not None:
        name = purse.phase_of[ws.id]
        left = phase - purse.spent[name] - purse.reserved[name]
        if need > left + _CENT or left <= _CENT:
            used = f"the budget of ${phase:.2f} for {name} is used up; raise it (--per-phase) and resume"
            passing = _enough(need, left + purse.reserved[name])
            return Lack(_short(f" of {name}", need, left), used, passing)
    if task is not None and board.workstream(ws.id).cost_usd >= task - _CENT:
        why = used_up(board, board.workstream(ws.id), agent)
        return Lack(f"budget: {why}", f"{ws.id} {why}, and resume")
    return None


def _enough(need: float, left: float) -> bool:
    return need <= left and left > _CENT


def _halt(total: float, need: float, left: float) -> str:
    if left <= _CENT or not need:
        return f"the budget of ${total:.2f} is used up; raise it and resume"
    return f"${left:.2f} is left of the budget of ${total:.2f}, and an attempt needs ${need:.2f}; raise it and resume"


def _short(of: str, need: float, left: float) -> str:
    return f"budget{of}: needs ${need:.2f}, ${max(left, 0.0):.2f} is left"


def used_up(board: Board, record: WorkstreamRecord, agent: str) -> str:
    """That a workstream cost all that it may, so that an agent has no money for it; empty where there is some."""
    task = board.records.run.task_budget_usd
    if task is None or record.cost_usd < task - _CENT or agent in board.policy.free:
        return ""
    return f"cost ${record.cost_usd:.2f} of the ${task:.2f} that a workstream may cost; raise it (--per-task)"


def cap_reached(board: Board, record: WorkstreamRecord, agent: str, usd: float) -> str:
    """That an agent at a workstream cost what it may, as the end of a sentence about it; empty while it may cost more.

    Args:
        board: the run.
        record: the workstream that it is at, or at a conflict of.
        agent: who.
        usd: what this attempt or ask of it cost so far, in US dollars.
    """
    most = board.plan.workstreams[record.id].max_cost_usd
    if agent in board.policy.free:
        return ""
    if most is not None and usd >= most - _CENT:
        return f"cost ${usd:.2f} and reached its max_cost_usd of ${most:.2f}"
    return used_up(board, record, agent)


# One step after the other


def spent(board: Board) -> None:
    """Money was spent: what it means for how the run goes on."""
    share = _share(board)
    policy = board.policy
    if share < policy.warning_threshold:
        return
    run = board.records.run
    used = f"${run.spent_usd:.2f} of the budget of ${run.budget_usd or 0.0:.2f} is used"
    _reach(board, BudgetStage.WARNED, f"{used} ({100 * share:.0f} %)" if share < inf else used)
    wide = run.parallelism if run.wide is None else run.wide
    if run.parallelism > _width(board, wide):
        _narrow(board, wide, used)
    if policy.downgrade and share >= (policy.warning_threshold + policy.halt_threshold) / 2:
        _reach(board, BudgetStage.CHEAPER, f"{used}: new attempts take cheaper models")


def _share(board: Board) -> float:
    """How much of the budget is spent; 0 without a limit."""
    run = board.records.run
    if run.budget_usd is None:
        return 0.0
    return run.spent_usd / run.budget_usd if run.budget_usd else inf if run.spent_usd else 0.0


def _width(board: Board, wide: int) -> int:
    """How many workers the budget allows where `wide` are wanted."""
    share, low, high = _share(board), board.policy.warning_threshold, board.policy.halt_threshold
    if share < low:
        return wide
    return max(1, ceil(wide * (high - share) / (high - low))) if low < high and share < high else 1


def _narrow(board: Board, wide: int, used: str) -> None:
    """One worker less."""
    run = board.records.run
    run.wide = wide
    _widen_to(board, run.parallelism - 1, used)
    _reach(board, BudgetStage.NARROWED, f"{used}: {run.parallelism} of {wide} workers")
    live = board.live_workers()
    for worker in sorted(live, key=lambda w: (w.workstream is not None, -w.number))[: len(live) - run.parallelism]:
        drain(board, worker)


def _widen_to(board: Board, number: int, why: str) -> None:
    run = board.records.run
    board.tell(
        vocabulary.PARALLELISM_CHANGED,
        f"parallelism {run.parallelism} -> {number}: {why}",
        old=run.parallelism,
        new=number,
    )
    run.parallelism = number
    board.touch_run()


def closing(board: Board) -> None:
    """Notes it where nothing can start any more but what needs more than is left, and the operator was warned."""
    if board.records.run.state is not RunState.RUNNING or not board.dispatching or board.ready_ids or not board.active:
        return
    if not _reached(board, BudgetStage.WARNED) or _reached(board, BudgetStage.CLOSING):
        return
    if any(board.workstream(id).state is WorkstreamState.PENDING for id in board.parked.get(BUDGET, ())):
        run = board.records.run
        left = (run.budget_usd or 0.0) * board.policy.halt_threshold - run.spent_usd - run.reserved_usd
        _reach(board, BudgetStage.CLOSING, f"${max(0.0, left):.2f} is left for what waits: what runs finishes")


def halted(board: Board) -> str:
    """Why the run is to be halted by its budget; empty where it is not, since nothing waits for money."""
    waiting = (id for id in board.parked.get(BUDGET, ()) if board.workstream(id).state is WorkstreamState.PENDING)
    for id in sorted(waiting):
        record = board.workstream(id)
        found = lack(board, board.plan.workstreams[id], record.agent)
        if found:
            _reach(board, BudgetStage.HALTED, found.halted)
            return found.halted
    return ""


def go_on(board: Board) -> None:
    """Lets a halted run go on where something came up since that can be paid: a conflict was settled, say."""
    for id in sorted(board.ready_ids - board.left_ready):
        if lack(board, board.plan.workstreams[id], board.workstream(id).agent) is None:
            board.move_run(RunState.RUNNING)
            fill_workers(board)
            return


def changed(board: Board) -> None:
    """A limit was changed: everything that follows from it is looked at anew."""
    run = board.records.run
    board.unpark(BUDGET)
    run.budget_stage, run.budget_note = BudgetStage.OK, ""
    board.touch_run()
    if run.wide is not None:
        wide, allowed = run.wide, _width(board, run.wide)
        if allowed > run.parallelism:
            _widen_to(board, allowed, "the budget allows more again")
            fill_workers(board)
        run.wide = None if run.parallelism >= wide else wide
    spent(board)
    if run.wide is not None:
        _reach(board, BudgetStage.NARROWED, f"{run.budget_note}: {run.parallelism} of {run.wide} workers")
    if run.state is RunState.HALTED and board.dispatching and _may_go_on(board):
        board.move_run(RunState.RUNNING)
        fill_workers(board)


def _may_go_on(board: Board) -> bool:
    run = board.records.run
    return run.budget_usd is None or run.budget_usd * board.policy.halt_threshold > run.spent_usd


def _reached(board: Board, stage: BudgetStage) -> bool:
    return _STAGES.index(board.records.run.budget_stage) >= _STAGES.index(stage)


def _reach(board: Board, stage: BudgetStage, note: str) -> None:
    """Goes on to a stage, if it was not reached before, and tells of it."""
    run = board.records.run
    if _reached(board, stage):
        return
    run.budget_stage, run.budget_note = stage, note
    board.touch_run()
    board.tell(
        vocabulary.BUDGET_STAGE,
        f"budget {stage.value}: {note}",
        severity="warning",
        stage=stage.value,
        spent=run.spent_usd,
        reserved=run.reserved_usd,
        limit=run.budget_usd,
    )
