"""What the operator asks for, carried out or refused with a reason."""

from collections.abc import Callable, Mapping

from uet_tui.core import conflicts as decisions
from uet_tui.core import vocabulary
from uet_tui.core.board import BUDGET, Board
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.core.effects import KillAttempt, Land, LetGo, Reply, SpawnWorker
from uet_tui.core.events import Asked
from uet_tui.core.outcomes import give_up, revive, terminate
from uet_tui.core.records import ConflictRecord, WorkerRecord, WorkstreamRecord
from uet_tui.core.states import (
    CONFLICT_OPEN,
    RUN_OVER,
    AttemptState,
    ConflictState,
    RunState,
    WorkerState,
    WorkstreamState,
)


class Refusal(Exception):
    """The command cannot be carried out; the message says why and what to do instead."""


def asked(board: Board, event: Asked) -> None:
    """Carries a command out and answers it."""
    command = event.command
    try:
        message = _ACTS[command.verb](board, event)
        ok = True
    except (Refusal, decisions.ChoiceError) as refusal:
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
        ok=ok,
    )
    if message:
        board.effects.append(Reply(Answer(id=command.id, ok=ok, message=message)))


def _workstream(board: Board, command: Command) -> WorkstreamRecord:
    if command.workstream is None:
        raise Refusal(f"{command.verb.value} needs a workstream")
    record = board.records.workstreams.get(command.workstream)
    if record is None:
        raise Refusal(f"this run has no workstream {command.workstream}")
    return record


def _worker(board: Board, number: int) -> WorkerRecord:
    worker = board.records.workers.get(number)
    if worker is None or worker.state is WorkerState.TERMINATED:
        known = ", ".join(str(w.number) for w in board.live_workers()) or "none"
        raise Refusal(f"there is no worker {number}; the workers are: {known}")
    return worker


def _conflict(board: Board, command: Command) -> ConflictRecord:
    conflict = board.records.conflicts.get(command.conflict or "")
    if conflict is None:
        known = ", ".join(c.id for c in board.records.conflicts.values() if c.state in CONFLICT_OPEN) or "none"
        raise Refusal(f"there is no conflict {command.conflict}; open conflicts: {known}")
    if conflict.state not in CONFLICT_OPEN:
        raise Refusal(f"conflict {conflict.id} is closed ({conflict.state.value})")
    if board.workstream(conflict.workstream).state is not WorkstreamState.CONFLICTED:
        raise Refusal(f"conflict {conflict.id} is being merged just now")
    return conflict


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
    _tell_worker(board, worker, "paused by the operator")
    return f"worker {number} paused" + (f": it finishes {worker.workstream} first" if worker.workstream else "")


def _continue(board: Board, event: Asked) -> str:
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
        board.records.run.parallelism += 1
        board.touch_run()
    elif worker.state is not WorkerState.PAUSED:
        raise Refusal(f"worker {number} is {worker.state.value}: nothing to continue")
    board.move_worker(worker, WorkerState.BUSY if worker.workstream else WorkerState.IDLE)
    _tell_worker(board, worker, "goes on")
    return f"worker {number} goes on"


def _drain(board: Board, event: Asked) -> str:
    number, run = event.command.worker, board.records.run
    if number is None:
        if run.state not in (RunState.RUNNING, RunState.PAUSED):
            raise Refusal(f"the run is {run.state.value}: nothing to drain")
        board.move_run(RunState.DRAINING, "running attempts finish, then the run stops")
        for worker in board.live_workers():
            _drain_worker(board, worker)
        return "draining: running attempts finish, then the run stops; resume goes on"
    worker = _worker(board, number)
    if worker.state is WorkerState.DRAINING:
        raise Refusal(f"worker {number} is draining already")
    run.parallelism = max(0, run.parallelism - 1)
    board.touch_run()
    _drain_worker(board, worker)
    if worker.workstream is None:
        return f"worker {number} is gone"
    return f"worker {number} goes when {worker.workstream} is done"


def _drain_worker(board: Board, worker: WorkerRecord) -> None:
    if worker.workstream is None:
        terminate(board, worker)
        _tell_worker(board, worker, "terminated")
    else:
        board.move_worker(worker, WorkerState.DRAINING)
        _tell_worker(board, worker, f"draining: goes when {worker.workstream} is done")


def _tell_worker(board: Board, worker: WorkerRecord, what: str) -> None:
    gone = worker.state is WorkerState.TERMINATED
    type = vocabulary.WORKER_TERMINATED if gone else vocabulary.WORKER_STATE_CHANGED
    board.tell(type, f"worker {worker.number} {what}", worker=worker.number, state=worker.state.value)


def _stop(board: Board, event: Asked) -> str:
    run = board.records.run
    if run.state not in (RunState.RUNNING, RunState.PAUSED, RunState.DRAINING):
        raise Refusal(f"the run is {run.state.value}: nothing to stop")
    board.stopping = True
    if run.state is not RunState.DRAINING:
        board.move_run(RunState.DRAINING, "stopping")
    running = 0
    for worker in board.live_workers():
        _drain_worker(board, worker)
    for (id, number), attempt in board.records.attempts.items():
        if attempt.state in (AttemptState.CREATED, AttemptState.RUNNING):
            board.effects.append(KillAttempt(id, number))
            running += 1
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
    board.touch_run()
    live = board.live_workers()
    idle_first = sorted(live, key=lambda w: (w.workstream is not None, -w.number))
    for worker in idle_first[: max(0, len(live) - number)]:
        _drain_worker(board, worker)
    board.tell(
        vocabulary.PARALLELISM_CHANGED, f"parallelism {old} -> {number} by {event.command.by}", old=old, new=number
    )
    fill_workers(board)
    return f"parallelism is {number} now (was {old})"


def fill_workers(board: Board) -> None:
    """Adds workers up to the parallelism, but no more than there is work left for."""
    run, rows = board.records.run, board.records
    if run.state not in (RunState.RUNNING, RunState.PAUSED) or not board.dispatching:
        return
    wanted = min(run.parallelism, len(rows.workstreams) - board.over)
    live = len(board.live_workers())
    for worker in sorted(rows.workers.values(), key=lambda w: w.number):
        if live < wanted and worker.state is WorkerState.DRAINING and worker.workstream is not None:
            board.move_worker(worker, WorkerState.BUSY)
            live += 1
    number = 0
    while live < wanted:
        number += 1
        slot = rows.workers.get(number)
        if number in board.spawning or (slot is not None and slot.state is not WorkerState.TERMINATED):
            continue
        fresh = WorkerRecord(number, board.now, doing="sandbox")
        board.stories.pop(number, None)
        rows.workers[number] = fresh
        board.spawning.add(number)
        board.touch_worker(fresh)
        board.tell(vocabulary.WORKER_SPAWNED, f"worker {number} comes up", severity="debug", worker=number)
        board.effects.append(SpawnWorker(number))
        live += 1


def _kill(board: Board, event: Asked) -> str:
    record = _workstream(board, event.command)
    attempt = board.attempt(record.id)
    if attempt is None or attempt.state not in (AttemptState.CREATED, AttemptState.RUNNING):
        raise Refusal(f"{record.id} is {record.state.value}: no attempt of it runs")
    attempt.kill_asked = True
    board.touch_attempt(attempt)
    board.effects.append(KillAttempt(record.id, attempt.number))
    return f"ending attempt {attempt.number} of {record.id}"


def _retry(board: Board, event: Asked) -> str:
    record = _workstream(board, event.command)
    over = (
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
        WorkstreamState.SKIPPED,
        WorkstreamState.CANCELLED,
    )
    if record.state is WorkstreamState.PENDING and record.retry_at is not None:
        record.retry_at = None
        board.wait_for_turn(record.id)
        return f"{record.id} tries again now"
    if record.state not in over:
        raise Refusal(f"{record.id} is {record.state.value}: only what did not merge can be retried")
    needs = board.plan.workstreams[record.id].depends_on
    dead = [d for d in needs if board.workstream(d).state in over]
    if dead:
        raise Refusal(f"{record.id} depends on {dead[0]}, which is {board.workstream(dead[0]).state.value}: retry that")
    record.granted_attempts += 1
    record.error_repeats = record.result_repeats = 0
    record.retry_at = None
    record.note = event.command.note or record.note
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
    return f"{record.id} will be tried again"


def _skip(board: Board, event: Asked) -> str:
    record = _workstream(board, event.command)
    if record.state not in (
        WorkstreamState.PENDING,
        WorkstreamState.CONFLICTED,
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
    ):
        raise Refusal(f"{record.id} is {record.state.value} and cannot be skipped now")
    if record.conflict and (conflict := board.records.conflicts[record.conflict]).state in CONFLICT_OPEN:
        conflict.by = event.command.by
        board.move_conflict(conflict, ConflictState.QUARANTINED)
    board.ready_ids.discard(record.id)
    record.retry_at = None
    give_up(board, record, WorkstreamState.SKIPPED, f"skipped by {event.command.by}")
    return f"{record.id} is skipped, and what depends on it"


def _budget(board: Board, event: Asked) -> str:
    amount, run = event.command.amount, board.records.run
    if amount is None:
        raise Refusal("budget needs an amount in US dollars")
    old = run.budget_usd
    run.budget_usd = amount
    board.touch_run()
    board.unpark(BUDGET)
    was = "no limit" if old is None else f"${old:.2f}"
    if run.state is RunState.HALTED and board.dispatching and amount > run.spent_usd:
        board.move_run(RunState.RUNNING)
        fill_workers(board)
    board.tell(vocabulary.BUDGET_CHANGED, f"budget {was} -> ${amount:.2f} by {event.command.by}", old=old, new=amount)
    return f"the budget is ${amount:.2f} now (was {was})"


def _take(board: Board, event: Asked) -> str:
    command = event.command
    conflict = _conflict(board, command)
    if command.side is None:
        raise Refusal("say which side: ours, theirs, both or proposal")
    conflict.files = decisions.take(conflict.files, command.side, command.file, command.hunk)
    return _decided(board, conflict, command, f"{command.side.value} taken")


def _undo(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    conflict.files = decisions.undo(conflict.files, event.command.file, event.command.hunk)
    return _decided(board, conflict, event.command, "taken back")


def _edit(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    if event.command.file is None or event.edited is None:
        raise Refusal("edit needs a file of the conflict and its new content")
    conflict.files = decisions.edit(conflict.files, event.command.file, event.edited)
    return _decided(board, conflict, event.command, f"{event.command.file} replaced")


def _decided(board: Board, conflict: ConflictRecord, command: Command, what: str) -> str:
    conflict.tree = None
    board.touch_conflict(conflict)
    done = sum(f.decided for f in conflict.files)
    board.tell(
        vocabulary.CONFLICT_DECIDED,
        f"conflict {conflict.id}: {what}; {done} of {len(conflict.files)} files decided",
        workstream=conflict.workstream,
        conflict=conflict.id,
    )
    if decisions.decided(conflict.files):
        if command.settle:
            return f"{what}; {_merge_resolution(board, conflict, command)}"
        return f"{what}; everything is decided: approve {conflict.id} to merge it"
    return f"{what}; {done} of {len(conflict.files)} files decided"


def _approve(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    if not decisions.decided(conflict.files):
        left = [f.path for f in conflict.files if not f.decided]
        raise Refusal(f"conflict {conflict.id} is not decided yet: {left[0]} ({len(left)} left); take a side or edit")
    return _merge_resolution(board, conflict, event.command)


def _merge_resolution(board: Board, conflict: ConflictRecord, command: Command) -> str:
    record = board.workstream(conflict.workstream)
    conflict.by = command.by
    board.touch_conflict(conflict)
    board.move_workstream(record, WorkstreamState.QUEUED, f"resolution of {conflict.id} in the merge queue")
    board.enqueue(record.id)
    return f"the resolution of {conflict.id} is in the merge queue"


def _redo(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    record = board.workstream(conflict.workstream)
    conflict.by = f"{event.command.by}: redo on the new tip"
    board.move_conflict(conflict, ConflictState.HUMAN_RESOLVED)
    record.granted_attempts += 1
    files = ", ".join(f.path for f in conflict.files)
    record.note = event.command.note or f"the first result conflicted in {files} with what was merged meanwhile"
    board.move_workstream(record, WorkstreamState.PENDING)
    board.tell(vocabulary.WORKSTREAM_PENDING, f"{record.id} is done again on the new tip", workstream=record.id)
    board.wait_for_turn(record.id)
    fill_workers(board)
    return f"{record.id} will be done again on the new tip"


def _quarantine(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    record = board.workstream(conflict.workstream)
    conflict.by = event.command.by
    board.move_conflict(conflict, ConflictState.QUARANTINED)
    give_up(board, record, WorkstreamState.QUARANTINED, f"quarantined by {event.command.by} in conflict {conflict.id}")
    return f"{record.id} is quarantined; its work stays on its branch"


def _land(board: Board, event: Asked) -> str:
    run = board.records.run
    if board.landing is not None:
        raise Refusal("a landing is in progress")
    if run.state in (RunState.RUNNING, RunState.DRAINING) or board.merging or board.queue:
        raise Refusal(f"the run is {run.state.value}: land when it is over, or pause it first")
    target = event.command.target or run.target_branch
    if target is None:
        raise Refusal("HEAD was detached when the run began: say where to land with --target BRANCH")
    if run.tip == run.base_commit:
        raise Refusal("nothing was merged, so there is nothing to land")
    board.landing = event.command.id
    board.effects.append(Land(target))
    return ""


_ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {
    Verb.PAUSE: _pause,
    Verb.CONTINUE: _continue,
    Verb.DRAIN: _drain,
    Verb.STOP: _stop,
    Verb.DETACH: _detach,
    Verb.SCALE: _scale,
    Verb.KILL: _kill,
    Verb.RETRY: _retry,
    Verb.SKIP: _skip,
    Verb.BUDGET: _budget,
    Verb.TAKE: _take,
    Verb.UNDO: _undo,
    Verb.EDIT: _edit,
    Verb.APPROVE: _approve,
    Verb.REDO: _redo,
    Verb.QUARANTINE: _quarantine,
    Verb.LAND: _land,
}
