"""Worker slots: made, freed, drained and ended."""

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.effects import SpawnWorker
from uet_tui.core.events import WorkerBroken, WorkerReady
from uet_tui.core.records import WorkerRecord, WorkstreamRecord
from uet_tui.core.states import (
    RunState,
    WorkerState,
)


def worker_ready(board: Board, event: WorkerReady) -> None:
    """A worker's sandbox is there: it may take work."""
    board.spawning.discard(event.worker)
    worker = board.records.workers[event.worker]
    if worker.state is WorkerState.SPAWNING:
        worker.doing = ""
        board.move_worker(worker, WorkerState.IDLE)


def worker_broken(board: Board, event: WorkerBroken) -> None:
    """A worker's sandbox could not be made: the slot is gone until the operator scales up again."""
    board.spawning.discard(event.worker)
    board.broken = event.error
    worker = board.records.workers[event.worker]
    if worker.state is WorkerState.SPAWNING:
        terminate(board, worker)
    board.tell(
        vocabulary.WORKER_TERMINATED,
        f"worker {event.worker} could not be made: {event.error}",
        severity="error",
        worker=event.worker,
    )


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
        board.stories.forget(number)
        rows.workers[number] = fresh
        board.spawning.add(number)
        board.touch_worker(fresh)
        board.tell(vocabulary.WORKER_SPAWNED, f"worker {number} comes up", severity="debug", worker=number)
        board.effects.append(SpawnWorker(number))
        live += 1


def free_worker(board: Board, record: WorkstreamRecord) -> None:
    """Gives a worker back when its workstream no longer needs the sandbox."""
    worker = board.records.workers.get(record.worker) if record.worker is not None else None
    record.worker = None
    board.touch_workstream(record)
    if worker is None or worker.workstream != record.id:
        return
    worker.workstream, worker.agent, worker.doing = None, "", ""
    if worker.state is WorkerState.BUSY:
        board.move_worker(worker, WorkerState.IDLE)
    elif worker.state is WorkerState.DRAINING:
        terminate(board, worker)
        board.tell(vocabulary.WORKER_TERMINATED, f"worker {worker.number} drained", worker=worker.number)
    board.touch_worker(worker)


def drain(board: Board, worker: WorkerRecord) -> None:
    """Takes a worker out of service, once it has finished its own."""
    if worker.workstream is None:
        terminate(board, worker)
        tell_of(board, worker, "terminated")
    else:
        board.move_worker(worker, WorkerState.DRAINING)
        tell_of(board, worker, f"draining: goes when {worker.workstream} is done")


def terminate(board: Board, worker: WorkerRecord) -> None:
    """Ends a worker slot."""
    worker.doing = ""
    worker.workstream = None
    board.move_worker(worker, WorkerState.TERMINATED)


def tell_of(board: Board, worker: WorkerRecord, what: str) -> None:
    """Records an event about a worker."""
    gone = worker.state is WorkerState.TERMINATED
    type = vocabulary.WORKER_TERMINATED if gone else vocabulary.WORKER_STATE_CHANGED
    board.tell(type, f"worker {worker.number} {what}", worker=worker.number, state=worker.state.value)
