"""What the operator asks for, carried out or refused with a reason."""

from collections.abc import Callable, Mapping

from uet_tui.core import (
    asking,
    climbing,
    deciding,
    freezing,
    landing,
    limits,
    overrides,
    providers,
    queueing,
    rollback,
    vocabulary,
)
from uet_tui.core.board import Board
from uet_tui.core.commands import FROM_AGENT, Answer, Refusal, Verb
from uet_tui.core.conflicts import ChoiceError
from uet_tui.core.effects import LetGo, Reply
from uet_tui.core.events import Asked
from uet_tui.core.failing import give_up, revive
from uet_tui.core.queueing import named
from uet_tui.core.records import WorkerRecord
from uet_tui.core.states import (
    CONFLICT_OPEN,
    RUN_OVER,
    AttemptState,
    ConflictState,
    ProviderState,
    RunState,
    WorkerState,
    WorkstreamState,
)
from uet_tui.core.workers import drain, fill_workers, tell_of

_ENDING = frozenset({Verb.DRAIN, Verb.STOP, Verb.DETACH})
"""What ends an orchestrator's work on the run: meant for the one that was asked, and for no other."""


def asked(board: Board, event: Asked) -> None:
    """Carries a command out and answers it."""
    command = event.command
    try:
        if command.source.startswith(FROM_AGENT):
            agent = command.source.removeprefix(FROM_AGENT)
            raise Refusal(f"it comes from {agent}: what agents start has no say in a run")
        if board.rollback is not None and command.verb not in rollback.MEANWHILE:
            raise Refusal("the run is being rolled back: wait until that is done")
        if event.left_over and command.verb in _ENDING:
            raise Refusal("it was meant for an orchestrator that is gone: ask again, if you still want it")
        message = _ACTS[command.verb](board, event)
        ok = True
    except (Refusal, ChoiceError) as refusal:
        message, ok = str(refusal), False
    target = command.workstream or command.conflict or (f"worker {command.worker}" if command.worker else "")
    board.tell(
        vocabulary.OPERATOR_COMMAND,
        f"{command.by}: {command.verb.value}{' ' + target if target else ''}: {message or 'in progress'}",
        severity="info" if ok else "warning",
        workstream=command.workstream,
        worker=command.worker,
        by=command.by,
        source=command.source,
        verb=command.verb.value,
        command=command.id,
        asked_at=command.at.isoformat(),
        ok=ok,
    )
    if message:
        board.effects.append(Reply(Answer(id=command.id, ok=ok, message=message)))


def _worker(board: Board, number: int) -> WorkerRecord:
    worker = board.records.workers.get(number)
    if worker is None or worker.state is WorkerState.TERMINATED:
        known = ", ".join(str(w.number) for w in board.live_workers()) or "none"
        raise Refusal(f"there is no worker {number}; the workers are: {known}")
    return worker


def _pause(board: Board, event: Asked) -> str:
    number, run = event.command.worker, board.records.run
    if number is None:
        if run.state is not RunState.RUNNING:
            raise Refusal(f"the run is {run.state.value}, only a RUNNING one can be paused")
        board.move_run(RunState.PAUSED, "paused by the operator")
        return "paused: running attempts finish, no new one starts"
    worker = _worker(board, number)
    if worker.state not in (WorkerState.IDLE, WorkerState.BUSY):
        raise Refusal(f"worker {number} is {worker.state.value}")
    board.move_worker(worker, WorkerState.PAUSED)
    tell_of(board, worker, "paused by the operator")
    return f"worker {number} paused" + (f": it finishes {worker.workstream} first" if worker.workstream else "")


def _continue(board: Board, event: Asked) -> str:
    if event.command.provider is not None:
        return _continue_provider(board, event.command.provider, event.command.by)
    number, run = event.command.worker, board.records.run
    if number is None:
        if run.state not in (RunState.PAUSED, RunState.DRAINING):
            raise Refusal(f"the run is {run.state.value}: nothing to continue")
        if not board.dispatching:
            raise Refusal("nobody runs this run now; `uet resume` goes on with it")
        board.stopping = False
        board.move_run(RunState.RUNNING)
        fill_workers(board)
        return "the run goes on"
    worker = _worker(board, number)
    if worker.state is WorkerState.DRAINING:
        if run.state is RunState.DRAINING:
            raise Refusal("all workers drain; continue the run instead")
        run.parallelism += 1
        run.wide = None if run.wide is None else max(run.wide, run.parallelism)
        board.touch_run()
    elif worker.state is not WorkerState.PAUSED:
        raise Refusal(f"worker {number} is {worker.state.value}: nothing to continue")
    board.move_worker(worker, WorkerState.BUSY if worker.workstream else WorkerState.IDLE)
    tell_of(board, worker, "goes on")
    return f"worker {number} goes on"


def _continue_provider(board: Board, name: str, by: str) -> str:
    record = board.records.providers.get(name)
    if record is None:
        known = ", ".join(board.records.providers) or "none"
        raise Refusal(f"this run uses no provider {name}; its providers are: {known}")
    if record.state is ProviderState.OPEN:
        raise Refusal(f"provider {name} is open: nothing to continue")
    providers.open_again(board, record, f"{by} says so")
    return f"provider {name} is asked again" + ("" if board.dispatching else "; resume goes on")


def _drain(board: Board, event: Asked) -> str:
    number, run = event.command.worker, board.records.run
    if number is None:
        if run.state not in (RunState.RUNNING, RunState.PAUSED):
            raise Refusal(f"the run is {run.state.value}: nothing to drain")
        given = f" {event.command.note}" if event.command.note else ""
        board.move_run(RunState.DRAINING, f"running attempts finish{given}, then the run stops")
        for worker in board.live_workers():
            drain(board, worker)
        said = "draining: running attempts finish, then the run stops; resume goes on"
        frozen = ", ".join(f"worker {one.number}" for one in freezing.frozen_workers(board.records))
        return f"{said}; frozen and to be thawed first: {frozen}" if frozen else said
    worker = _worker(board, number)
    if worker.state is WorkerState.DRAINING:
        raise Refusal(f"worker {number} is draining already")
    run.parallelism = max(0, run.parallelism - 1)
    run.wide = None if run.wide is None else run.wide - 1
    board.touch_run()
    drain(board, worker)
    if worker.workstream is None:
        return f"worker {number} is gone"
    first = ": it is frozen, thaw it first" if worker in freezing.frozen_workers(board.records) else ""
    return f"worker {number} goes when {worker.workstream} is done{first}"


def _stop(board: Board, event: Asked) -> str:
    run = board.records.run
    if run.state not in (RunState.RUNNING, RunState.PAUSED, RunState.DRAINING):
        raise Refusal(f"the run is {run.state.value}: nothing to stop")
    board.stopping = True
    if run.state is not RunState.DRAINING:
        board.move_run(RunState.DRAINING, "stopping")
    running = 0
    for worker in board.live_workers():
        drain(board, worker)
    for attempt in board.records.attempts.values():
        if attempt.state in (AttemptState.CREATED, AttemptState.RUNNING):
            freezing.end_agent(board, attempt)
            running += 1
    running += asking.end_asks(board)
    return f"stopping {running} running attempt{'s' if running != 1 else ''}; `uet resume` goes on later"


def _detach(board: Board, event: Asked) -> str:
    board.dispatching = False  # what is reported while the orchestrator lets go starts nothing
    board.effects.append(LetGo("left"))
    return "left: agents go on, and whoever resumes the run adopts them"


def _scale(board: Board, event: Asked) -> str:
    number, run = event.command.number, board.records.run
    if number is None:
        raise Refusal("scale needs a number of workers, 1 or more")
    if run.state in RUN_OVER:
        raise Refusal(f"the run is {run.state.value}")
    old = run.parallelism
    run.parallelism = number
    run.wide = None if run.wide is None else number
    board.touch_run()
    live = board.live_workers()
    idle_first = sorted(live, key=lambda w: (w.workstream is not None, -w.number))
    for worker in idle_first[: max(0, len(live) - number)]:
        drain(board, worker)
    board.tell(
        vocabulary.PARALLELISM_CHANGED, f"parallelism {old} -> {number} by {event.command.by}", old=old, new=number
    )
    fill_workers(board)
    return f"parallelism is {number} now (was {old})"


def _kill(board: Board, event: Asked) -> str:
    record = named(board, event.command)
    attempt = board.attempt(record.id)
    if attempt is None or attempt.state not in (AttemptState.CREATED, AttemptState.RUNNING):
        raise Refusal(f"{record.id} is {record.state.value}: no attempt of it runs")
    attempt.kill_asked = True
    board.touch_attempt(attempt)
    freezing.end_agent(board, attempt)
    return f"ending attempt {attempt.number} of {record.id}"


def _retry(board: Board, event: Asked) -> str:
    record = named(board, event.command)
    over = (
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
        WorkstreamState.SKIPPED,
        WorkstreamState.CANCELLED,
    )
    if record.state is WorkstreamState.PENDING and record.retry_at is not None:
        record.retry_at = None
        board.touch_workstream(record)  # where it is held, its reason does not change
        board.wait_for_turn(record.id)
        when = "as soon as it is released: it is held by the operator" if record.held else "now"
        return f"{record.id} tries again {when}"
    if record.state not in over:
        raise Refusal(f"{record.id} is {record.state.value}: only what did not merge can be retried")
    needs = board.plan.workstreams[record.id].depends_on
    dead = [d for d in needs if board.workstream(d).state in over]
    if dead:
        raise Refusal(f"{record.id} depends on {dead[0]}, which is {board.workstream(dead[0]).state.value}: retry that")
    unpaid = limits.used_up(board, record, record.agent)
    if unpaid:
        raise Refusal(f"{record.id} {unpaid} first")
    record.granted_attempts += 1
    record.context_share = 1.0
    record.error_repeats = record.result_repeats = 0
    record.retry_at = None
    record.wish = event.command.note or record.wish
    board.move_workstream(record, WorkstreamState.PENDING)
    board.tell(
        vocabulary.WORKSTREAM_PENDING, f"{record.id} will be tried again", workstream=record.id, attempt=record.attempts
    )
    revive(board, record.id)
    run = board.records.run
    if run.state in RUN_OVER:
        if board.dispatching:
            run.ended_at = None
            board.move_run(RunState.RUNNING)
        else:
            board.move_run(RunState.PAUSED, f"{record.id} is to be retried; resume goes on")
    board.wait_for_turn(record.id)
    fill_workers(board)
    after = board.plan.dependents.get(record.id, ())
    left = [d for d in after if board.workstream(d).state is WorkstreamState.CANCELLED]
    also = f"; retry what needs it as well, if you want it: {', '.join(left)}" if left else ""
    return f"{record.id} will be tried again{also}"


def _skip(board: Board, event: Asked) -> str:
    record = named(board, event.command)
    if record.state not in (
        WorkstreamState.PENDING,
        WorkstreamState.CONFLICTED,
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
    ):
        raise Refusal(f"{record.id} is {record.state.value} and cannot be skipped now")
    if record.conflict and (conflict := board.records.conflicts[record.conflict]).state in CONFLICT_OPEN:
        conflict.by = event.command.by
        climbing.supersede(board, conflict)
        board.move_conflict(conflict, ConflictState.QUARANTINED)
    board.ready_ids.discard(record.id)
    record.retry_at = None
    give_up(board, record, WorkstreamState.SKIPPED, f"skipped by {event.command.by}")
    return f"{record.id} is skipped, and what depends on it"


_ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {
    Verb.PAUSE: _pause,
    Verb.CONTINUE: _continue,
    Verb.DRAIN: _drain,
    Verb.STOP: _stop,
    Verb.DETACH: _detach,
    Verb.SCALE: _scale,
    Verb.KILL: _kill,
    Verb.FREEZE: freezing.freeze,
    Verb.THAW: freezing.thaw,
    Verb.RETRY: _retry,
    Verb.SKIP: _skip,
    Verb.BUDGET: overrides.asked_budget,
    **deciding.ACTS,
    **queueing.ACTS,
    **landing.ACTS,
    **rollback.ACTS,
}
