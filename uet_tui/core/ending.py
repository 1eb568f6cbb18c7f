"""How a run begins again and how it comes to rest: over, drained, halted, or waiting for the operator."""

from uet_tui.core import asking, climbing, limits, providers, vocabulary
from uet_tui.core.attempts import collect_effect
from uet_tui.core.board import Board
from uet_tui.core.effects import KillAttempt, LayOut, LetGo
from uet_tui.core.events import Began
from uet_tui.core.scheduling import merge_effect
from uet_tui.core.states import (
    ATTEMPT_OVER,
    CONFLICT_OPEN,
    RUN_OVER,
    WORKSTREAM_OVER,
    RunState,
    WorkerState,
    WorkstreamState,
)
from uet_tui.core.workers import fill_workers, terminate

_SETTLED = frozenset({RunState.COMPLETED, RunState.CANCELLED})
"""States of a run that is over in which there is nothing to go on with, until a workstream is retried."""

_OPERATOR = "waits for the operator: "
"""How the reason of a run begins that rests because the operator has to decide."""


def began(board: Board, event: Began) -> None:
    """An orchestrator has the run: what was under way is taken up where it was."""
    run = board.records.run
    board.begun, board.dispatching, board.lingering = True, event.dispatch, event.linger
    _take_up(board)
    providers.know(board)
    _take_models(board)
    if not event.dispatch:
        return
    first = run.state is RunState.PLANNED
    if run.state is not RunState.RUNNING:
        if run.state in _SETTLED:
            board.effects.append(LetGo("over"))
            return
        run.ended_at = None
        providers.open_stopped(board)
        board.move_run(RunState.RUNNING)
    if run.started_at is None:
        run.started_at = board.now
    count = len(board.records.workstreams)
    board.tell(
        vocabulary.RUN_STARTED if first else vocabulary.RUN_RESUMED,
        f"run {run.id} {'started' if first else 'resumed'}: {count} workstream{'' if count == 1 else 's'}, "
        f"{run.parallelism} worker{'' if run.parallelism == 1 else 's'}",
    )
    run.parallelism = max(1, run.parallelism)
    board.touch_run()
    fill_workers(board)


def _take_up(board: Board) -> None:
    busy: set[int] = set()
    for record in board.records.workstreams.values():
        attempt = board.attempt(record.id)
        under_way = record.state in (WorkstreamState.RUNNING, WorkstreamState.GATING)
        if under_way and attempt is not None:
            busy.add(attempt.worker)
            if attempt.state in ATTEMPT_OVER:
                collect_effect(board, record, attempt, no_change_stated=False)
            elif attempt.kill_asked:
                board.effects.append(KillAttempt(record.id, attempt.number))
    merge_effect(board, (board.workstream(id) for id in board.merging))
    for conflict in board.records.conflicts.values():
        if conflict.state in CONFLICT_OPEN:
            board.effects.append(LayOut(conflict.id))
        climbing.resumed(board, conflict)
    for worker in board.records.workers.values():
        if worker.number not in busy and worker.state is not WorkerState.TERMINATED:
            # Its sandbox belonged to an orchestrator that is gone: a slot made anew proves that the sandbox is sound.
            terminate(board, worker)
    board.free.clear()


def _take_models(board: Board) -> None:
    """Further attempts use the models that the agents have now."""
    for record in board.records.workstreams.values():
        model = board.policy.models.get(record.agent, record.model)
        if record.model != model and record.state is not WorkstreamState.MERGED:
            record.model = model
            board.touch_workstream(record)


def conclude(board: Board) -> None:
    """Brings the run to rest where nothing moves any more."""
    run = board.records.run
    if board.landing is not None or board.rollback is not None:
        return
    if not board.dispatching:
        _conclude_offline(board)
        return
    if climbing.board_has_climbs(board):
        return
    if board.stopping and run.state is RunState.DRAINING and not _any_agent(board):
        _rest(board, RunState.PAUSED, "stopped", "drained")  # gates are ended, and begun anew by whoever goes on
        return
    if len(board.active) > len(board.queue.held):
        return
    if board.over == len(board.records.workstreams):
        if run.state not in RUN_OVER:
            _end(board)
    elif run.state is RunState.DRAINING:
        _rest(board, RunState.PAUSED, "drained; resume goes on", "drained")
    elif run.state is RunState.RUNNING and not _will_move(board):
        _stuck(board)


def _any_agent(board: Board) -> bool:
    """Whether an agent runs, or what one left is not safe yet."""
    return any(board.workstream(id).state is WorkstreamState.RUNNING for id in board.active)


def _will_move(board: Board) -> bool:
    """Whether what is ready, or will be, is going to start where nothing is at work now."""
    if not board.live_workers():
        return False
    kept_out = board.active and board.pop_free() is not None  # by what is held in the queue: it runs alone, say
    return bool(board.timers or providers.will_open(board) or (board.ready_ids and not kept_out))


def _stuck(board: Board) -> None:
    halted = limits.halted(board)
    if halted:
        board.left_ready = set(board.ready_ids)
        _rest(board, RunState.HALTED, halted, "halted")
    elif board.lingering:
        return
    elif not board.live_workers() and (board.timers or board.ready_ids or providers.will_open(board)):
        why = f"no worker could be made: {board.broken}" if board.broken else "no worker is left; resume goes on"
        _rest(board, RunState.PAUSED, why, "operator")
    else:
        _rest(board, RunState.PAUSED, f"{_OPERATOR}{_waits_for(board)}", "operator")


def _waits_for(board: Board) -> str:
    still_open = (c for c in board.records.conflicts.values() if c.state in CONFLICT_OPEN)
    conflicts = [c.id for c in still_open if not asking.waits_for_agent(c)]
    held = sorted(r.id for r in board.records.workstreams.values() if r.held and r.state not in WORKSTREAM_OVER)
    found = [f"conflict {', '.join(conflicts)}"] if conflicts else []
    found += [f"{', '.join(held)} held"] if held else []
    found += [f"provider {name} stopped" for name in providers.stopped(board)]
    return "; ".join(found)


def _rest(board: Board, state: RunState, why: str, let_go: str) -> None:
    _retire_workers(board)
    board.move_run(state, why)
    board.effects.append(LetGo(let_go))


def _conclude_offline(board: Board) -> None:
    """Lets go once merges are done; agents that still run belong to whoever resumes the run."""
    if board.merging or board.queue or climbing.board_has_climbs(board):
        return
    if board.over == len(board.records.workstreams) and board.records.run.state not in _SETTLED:
        _end(board)
    run = board.records.run
    if run.state is RunState.PAUSED and run.reason.startswith(_OPERATOR):
        waits = _waits_for(board)
        board.move_run(run.state, f"{_OPERATOR}{waits}" if waits else "decided; resume goes on")
    board.effects.append(LetGo("done"))


def _end(board: Board) -> None:
    run = board.records.run
    total = len(board.records.workstreams)
    merged = sum(r.state is WorkstreamState.MERGED for r in board.records.workstreams.values())
    _retire_workers(board)
    state = RunState.COMPLETED if merged == total else RunState.FAILED
    if run.state is not state:
        run.ended_at = board.now
        board.move_run(state, "" if merged == total else f"{total - merged} of {total} workstreams did not merge")
        board.tell(
            vocabulary.RUN_ENDED,
            f"run {run.id} ended: {merged} of {total} merged, ${run.spent_usd:.2f} spent",
            severity="info" if merged == total else "error",
            merged=merged,
            total=total,
        )
    board.effects.append(LetGo("over"))


def _retire_workers(board: Board) -> None:
    for worker in board.records.workers.values():
        if worker.state is not WorkerState.TERMINATED and worker.workstream is None:
            terminate(board, worker)
    board.free.clear()
