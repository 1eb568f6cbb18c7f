"""Freezing: an agent stands still with all its processes until the operator thaws it, or has it ended.

It is apart from what its worker does next: a frozen worker may be BUSY, PAUSED or DRAINING. So it is kept with the
attempt, and over when that is.
"""

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.commands import Refusal
from uet_tui.core.effects import HoldStill, KillAttempt
from uet_tui.core.events import Asked
from uet_tui.core.records import AttemptRecord, Records, WorkerRecord
from uet_tui.core.states import AttemptState, RunState, WorkerState

_AT_WORK = (AttemptState.CREATED, AttemptState.RUNNING)


def freeze(board: Board, event: Asked) -> str:
    """Has the agent of a worker stand still."""
    worker, attempt = _at_work(board, event)
    if attempt.frozen_at is not None:
        raise Refusal(f"worker {worker.number} is frozen already")
    if attempt.kill_asked or board.stopping:
        raise Refusal(f"{attempt.workstream} is being ended: there is nothing to freeze")
    attempt.frozen_at = board.now
    said = f"worker {worker.number} is frozen: {attempt.workstream} stands still, and its time does not count"
    run = board.records.run
    if run.state is not RunState.DRAINING and standing_still(board.records):
        said += "; nothing else is at work: the run stands still until a worker is thawed"
    board.why(
        board.workstream(attempt.workstream), f"frozen by {event.command.by}; thaw worker {worker.number} to go on"
    )
    _tell(board, attempt, vocabulary.WORKER_FROZEN, said)
    return said


def thaw(board: Board, event: Asked) -> str:
    """Lets the agent of a worker go on."""
    worker, attempt = _at_work(board, event)
    if attempt.frozen_at is None:
        raise Refusal(f"worker {worker.number} is not frozen")
    attempt.frozen_at = None
    board.why(board.workstream(attempt.workstream), "")
    said = f"worker {worker.number} goes on with {attempt.workstream}"
    _tell(board, attempt, vocabulary.WORKER_THAWED, said)
    return said


def end_agent(board: Board, attempt: AttemptRecord) -> None:
    """Has an agent ended; one that stood still goes on to hear that."""
    if attempt.frozen_at is not None:
        attempt.frozen_at = None
        board.why(board.workstream(attempt.workstream), "being ended")
        board.touch_attempt(attempt)
    board.effects.append(KillAttempt(attempt.workstream, attempt.number))


def frozen_workers(records: Records) -> tuple[WorkerRecord, ...]:
    """The workers whose agents stand still, by number."""
    return tuple(
        worker
        for worker in sorted(records.workers.values(), key=lambda worker: worker.number)
        if (attempt := attempt_of(records, worker)) is not None and attempt.frozen_at is not None
    )


def standing_still(records: Records) -> tuple[WorkerRecord, ...]:
    """The frozen workers, where the run waits for nothing but them: to go on, or to be done with draining."""
    frozen = frozen_workers(records)
    busy = [
        worker
        for worker in records.workers.values()
        if worker.workstream is not None or worker.state is WorkerState.SPAWNING
    ]
    return frozen if records.run.state is RunState.DRAINING or len(frozen) == len(busy) else ()


def attempt_of(records: Records, worker: WorkerRecord) -> AttemptRecord | None:
    """The attempt that a worker has."""
    if worker.workstream is None:
        return None
    return records.attempts.get((worker.workstream, records.workstreams[worker.workstream].attempts))


def _at_work(board: Board, event: Asked) -> tuple[WorkerRecord, AttemptRecord]:
    number = event.command.worker
    live = [w for w in board.records.workers.values() if w.state is not WorkerState.TERMINATED]
    known = ", ".join(str(number) for number in sorted(w.number for w in live)) or "none"
    if number is None:
        raise Refusal(f"{event.command.verb.value} needs a worker: the workers are {known}")
    worker = next((w for w in live if w.number == number), None)
    if worker is None:
        raise Refusal(f"there is no worker {number}; the workers are: {known}")
    attempt = attempt_of(board.records, worker)
    if attempt is None or attempt.state not in _AT_WORK:
        at = f": {worker.workstream} is {board.workstream(worker.workstream).state.value}" if worker.workstream else ""
        raise Refusal(f"worker {number} has no agent at work{at}")
    return worker, attempt


def _tell(board: Board, attempt: AttemptRecord, type: str, text: str) -> None:
    board.touch_attempt(attempt)
    board.tell(type, text, workstream=attempt.workstream, worker=attempt.worker, attempt=attempt.number)
    board.effects.append(HoldStill(attempt.workstream, attempt.number))
