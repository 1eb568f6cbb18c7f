"""What follows from attempts: they start, they end, and what they left is collected."""

from uet_tui.core import providers, spending, vocabulary
from uet_tui.core.board import Board
from uet_tui.core.effects import Collect, KillAttempt
from uet_tui.core.events import AttemptEnded, AttemptStarted, Collected, UsageReported
from uet_tui.core.failing import fail, give_up, shrink_context, try_again, wait_for_provider
from uet_tui.core.gate_entries import keep_gates
from uet_tui.core.merges import announce_merge
from uet_tui.core.records import AttemptRecord, WorkstreamRecord
from uet_tui.core.retries import MOST_LOST, delay, signature
from uet_tui.core.states import (
    ATTEMPT_OVER,
    AttemptState,
    WorkstreamState,
)
from uet_tui.core.usage import Fault
from uet_tui.core.workers import free_worker

_NO_PROGRAM = (126, 127)
"""Exit codes of what could not be executed, or is not there: another try would end the same."""
_SPOKEN = {state: state.value.lower().replace("_", " ") for state in AttemptState}


def attempt_started(board: Board, event: AttemptStarted) -> None:
    """The agent runs."""
    attempt = board.attempt(event.workstream, event.attempt)
    if attempt is None or attempt.state is not AttemptState.CREATED:
        return
    attempt.started_at = board.now
    attempt.estimated_tokens = event.estimated_tokens or attempt.estimated_tokens
    board.move_attempt(attempt, AttemptState.RUNNING)
    worker = board.records.workers[attempt.worker]
    worker.doing = "edit"
    board.touch_worker(worker)
    if attempt.kill_asked or board.stopping:  # asked for before there was anything to end
        board.effects.append(KillAttempt(event.workstream, event.attempt))


def usage_reported(board: Board, event: UsageReported) -> None:
    """The agent has told what it used so far."""
    spending.usage_reported(board, event.workstream, event.attempt, event.reports)


def attempt_ended(board: Board, event: AttemptEnded) -> None:
    """The agent is gone: money is settled, and what it left is collected, whatever the outcome."""
    attempt = board.attempt(event.workstream, event.attempt)
    if attempt is None or attempt.state in ATTEMPT_OVER:
        return  # told twice: an attempt ends once
    record = board.workstream(event.workstream)
    attempt.ended_at = board.now
    attempt.exit_code = event.exit_code
    attempt.error = event.error
    attempt.frozen_at = None
    outcome = event.outcome
    if (attempt.kill_asked or board.stopping) and outcome is not AttemptState.SUCCEEDED:
        outcome = AttemptState.KILLED
    if attempt.state is AttemptState.CREATED and outcome in (AttemptState.SUCCEEDED, AttemptState.TIMED_OUT):
        board.move_attempt(attempt, AttemptState.RUNNING)
    board.move_attempt(attempt, outcome)
    attempt.fault = event.fault
    spending.settle_attempt(board, record, attempt, event.reports)
    worked = outcome is AttemptState.SUCCEEDED
    providers.left(board, attempt.provider, event.fault, event.until, event.error, worked=worked)
    ok = worked
    board.tell(
        vocabulary.ATTEMPT_ENDED,
        f"{record.id} attempt {attempt.number} {_SPOKEN[outcome]}"
        + (f": {event.error}" if event.error and not ok else ""),
        severity="info" if ok else "warning",
        workstream=record.id,
        worker=attempt.worker,
        attempt=attempt.number,
        exit_code=event.exit_code,
        usd=attempt.cost_usd,
        fault=event.fault,
    )
    if ok:
        board.move_workstream(record, WorkstreamState.GATING, "gates")
    else:
        board.why(record, "saving what the attempt left")
    collect_effect(board, record, attempt, event.no_change_stated)


def collect_effect(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, no_change_stated: bool) -> None:
    """Asks for the snapshot of an attempt that is over."""
    gate = attempt.state is AttemptState.SUCCEEDED
    worker = board.records.workers.get(attempt.worker)
    if worker is not None and worker.workstream == record.id:
        worker.doing = "gates" if gate else "snapshot"
        board.touch_worker(worker)
    board.effects.append(
        Collect(record.id, attempt.number, attempt.worker, attempt.base_commit, gate, no_change_stated)
    )


def collected(board: Board, event: Collected) -> None:
    """What the attempt left is safe in a commit: on to the merge queue, or to the retry."""
    record, attempt = board.workstream(event.workstream), board.attempt(event.workstream, event.attempt)
    expected = (WorkstreamState.GATING, WorkstreamState.RUNNING)
    if attempt is None or record.attempts != event.attempt or record.state not in expected:
        return
    if attempt.state not in ATTEMPT_OVER:
        return
    keep_gates(board, event.gates)
    if event.warning:
        board.tell(
            vocabulary.SCOPE_WARNING,
            f"{record.id} {event.warning}",
            severity="warning",
            workstream=record.id,
            attempt=attempt.number,
        )
    attempt.commit = event.commit
    board.touch_attempt(attempt)
    if event.commit is not None:
        record.result_commit = event.commit
    if event.suspicion:
        give_up(board, record, WorkstreamState.QUARANTINED, event.suspicion)
    elif attempt.state is not AttemptState.SUCCEEDED:
        _after_failure(board, record, attempt)
    elif event.problem:
        tree = event.change if event.commit else ""
        fail(board, record, event.problem, tree=tree, detail=event.detail, retryable=event.retryable)
    elif event.commit is None:
        _no_change(board, record, stated=event.no_change_stated)
    else:
        _queue(board, record)
    free_worker(board, record)


def _after_failure(board: Board, record: WorkstreamRecord, attempt: AttemptRecord) -> None:
    if attempt.state is AttemptState.KILLED:
        if attempt.kill_asked:
            why = attempt.kill_reason or "killed by the operator; retry starts it again"
            give_up(board, record, WorkstreamState.FAILED, why)
        elif board.stopping or not _lost_too_often(board, record, "it was ended, and uet did not ask for that"):
            record.granted_attempts += 1
            board.move_workstream(record, WorkstreamState.PENDING, "stopped; resume goes on")
            board.wait_for_turn(record.id)
    elif attempt.state is AttemptState.LOST:
        _after_loss(board, record, attempt, attempt.error or "the agent was lost without a trace")
    else:
        error = attempt.error or (attempt.fault or f"exit {attempt.exit_code}")
        _after_fault(board, record, attempt, error)


def _after_loss(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, error: str) -> None:
    """Tries again as if it had not been, unless agents that were at work are lost again and again."""
    record.granted_attempts += 1
    if attempt.started_at is None or not _lost_too_often(board, record, error):
        try_again(board, record, error, delay(record.id, record.attempts, board.policy))


def _lost_too_often(board: Board, record: WorkstreamRecord, error: str) -> bool:
    """Counts a loss, and gives a workstream up whose agents are lost again and again: each of them may cost money."""
    mark = signature(error)
    record.error_repeats = record.error_repeats + 1 if mark == record.error_signature else 0
    record.error_signature = mark
    if record.error_repeats + 1 < MOST_LOST:
        return False
    give_up(board, record, WorkstreamState.FAILED, f"{error}, {MOST_LOST} times in a row")
    return True


def _after_fault(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, error: str) -> None:
    """What follows a failure: what was not the work does not count against it, where something else can be done."""
    if attempt.fault in providers.PAUSING | providers.STOPPING:
        wait_for_provider(board, record, attempt.provider, error)
    elif attempt.fault is Fault.CONTEXT:
        shrink_context(board, record, error)
    else:
        retryable = attempt.state is not AttemptState.TIMED_OUT or attempt.fault is Fault.NETWORK
        if attempt.fault is Fault.AGENT and attempt.exit_code in _NO_PROGRAM:
            retryable = False
        fail(board, record, error, retryable=retryable)


def _no_change(board: Board, record: WorkstreamRecord, *, stated: bool) -> None:
    if not stated:
        fail(board, record, "the agent changed nothing and did not say that nothing needs changing")
        return
    board.move_workstream(record, WorkstreamState.MERGED, "no change needed")
    announce_merge(board, record, "needed no change")


def _queue(board: Board, record: WorkstreamRecord) -> None:
    board.move_workstream(record, WorkstreamState.QUEUED, "in the merge queue")
    board.enqueue(record.id)
