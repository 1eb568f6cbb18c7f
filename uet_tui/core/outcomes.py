"""What follows from what happened to workers, attempts and merges."""

from heapq import heappush

from uet_tui.core import vocabulary
from uet_tui.core.board import BUDGET, Board
from uet_tui.core.effects import Collect, KillAttempt, LayOut
from uet_tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    Collected,
    MergeConflicted,
    Merged,
    MergeFailed,
    WorkerBroken,
    WorkerReady,
)
from uet_tui.core.records import AttemptRecord, ConflictRecord, CostEntry, GateEntry, WorkerRecord, WorkstreamRecord
from uet_tui.core.retries import Again, delay, signature, verdict
from uet_tui.core.states import (
    ATTEMPT_OVER,
    CONFLICT_OPEN,
    WORKSTREAM_OVER,
    AttemptState,
    ConflictState,
    WorkerState,
    WorkstreamState,
)

_BECAUSE = "depends on "
"""How the reason begins of what was skipped because of another; what the operator skipped has another reason."""
_SPOKEN = {state: state.value.lower().replace("_", " ") for state in AttemptState}


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


def terminate(board: Board, worker: WorkerRecord) -> None:
    """Ends a worker slot."""
    worker.doing = ""
    worker.workstream = None
    board.move_worker(worker, WorkerState.TERMINATED)


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


def attempt_started(board: Board, event: AttemptStarted) -> None:
    """The agent runs."""
    attempt = board.attempt(event.workstream, event.attempt)
    if attempt is None or attempt.state is not AttemptState.CREATED:
        return
    attempt.started_at = board.now
    board.move_attempt(attempt, AttemptState.RUNNING)
    worker = board.records.workers[attempt.worker]
    worker.doing = "edit"
    board.touch_worker(worker)
    if attempt.kill_asked or board.stopping:  # asked for before there was anything to end
        board.effects.append(KillAttempt(event.workstream, event.attempt))


def attempt_ended(board: Board, event: AttemptEnded) -> None:
    """The agent is gone: money is settled, and what it left is collected, whatever the outcome."""
    attempt = board.attempt(event.workstream, event.attempt)
    if attempt is None or attempt.state in ATTEMPT_OVER:
        return  # told twice: an attempt ends once
    record = board.workstream(event.workstream)
    attempt.ended_at = board.now
    attempt.exit_code = event.exit_code
    attempt.error = event.error
    outcome = event.outcome
    if (attempt.kill_asked or board.stopping) and outcome is not AttemptState.SUCCEEDED:
        outcome = AttemptState.KILLED
    if attempt.state is AttemptState.CREATED and outcome in (AttemptState.SUCCEEDED, AttemptState.TIMED_OUT):
        board.move_attempt(attempt, AttemptState.RUNNING)
    board.move_attempt(attempt, outcome)
    _settle(board, record, attempt, event)
    ok = outcome is AttemptState.SUCCEEDED
    board.tell(
        vocabulary.ATTEMPT_ENDED,
        f"{record.id} attempt {attempt.number} {_SPOKEN[outcome]}"
        + (f": {event.error}" if event.error and not ok else ""),
        severity="info" if ok else "warning",
        workstream=record.id,
        worker=attempt.worker,
        attempt=attempt.number,
        exit_code=event.exit_code,
        usd=event.usd,
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


def _settle(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, event: AttemptEnded) -> None:
    run = board.records.run
    if attempt.reserved_usd:
        run.reserved_usd = max(0.0, run.reserved_usd - attempt.reserved_usd)
        attempt.reserved_usd = 0.0
        board.touch_run()
        board.unpark(BUDGET)
    attempt.cost_usd, attempt.tokens_in, attempt.tokens_out = event.usd, event.tokens_in, event.tokens_out
    record.cost_usd += event.usd
    if event.usd or event.tokens_in or event.tokens_out:
        run.spent_usd += event.usd
        board.touch_run()
        board.changes.costs.append(
            CostEntry(
                board.now,
                record.id,
                attempt.number,
                attempt.agent,
                attempt.model,
                event.usd,
                event.tokens_in,
                event.tokens_out,
            )
        )


def collected(board: Board, event: Collected) -> None:
    """What the attempt left is safe in a commit: on to the merge queue, or to the retry."""
    record, attempt = board.workstream(event.workstream), board.attempt(event.workstream, event.attempt)
    expected = (WorkstreamState.GATING, WorkstreamState.RUNNING)
    if attempt is None or record.attempts != event.attempt or record.state not in expected:
        return
    if attempt.state not in ATTEMPT_OVER:
        return
    _keep_gates(board, event.gates)
    attempt.commit = event.commit
    board.touch_attempt(attempt)
    if event.commit is not None:
        record.result_commit = event.commit
    if attempt.state is not AttemptState.SUCCEEDED:
        _after_failure(board, record, attempt)
    elif event.problem:
        fail(board, record, event.problem, tree=event.tree if event.commit else "")
    elif event.commit is None:
        _no_change(board, record, stated=event.no_change_stated)
    else:
        _queue(board, record)
    free_worker(board, record)


def _after_failure(board: Board, record: WorkstreamRecord, attempt: AttemptRecord) -> None:
    if attempt.state is AttemptState.KILLED:
        if attempt.kill_asked:
            give_up(board, record, WorkstreamState.FAILED, "killed by the operator; retry starts it again")
        else:
            record.granted_attempts += 1
            board.move_workstream(record, WorkstreamState.PENDING, "stopped; resume goes on")
            board.wait_for_turn(record.id)
    elif attempt.state is AttemptState.LOST:
        record.granted_attempts += 1
        error = attempt.error or "the agent was lost without a trace"
        _try_again(board, record, error, delay(record.id, record.attempts, board.policy))
    else:
        error = attempt.error or f"exit {attempt.exit_code}"
        fail(board, record, error, retryable=attempt.state is not AttemptState.TIMED_OUT)


def _no_change(board: Board, record: WorkstreamRecord, *, stated: bool) -> None:
    if not stated:
        fail(board, record, "the agent changed nothing and did not say that nothing needs changing")
        return
    board.move_workstream(record, WorkstreamState.MERGED, "no change needed")
    _announce_merge(board, record, "needed no change")


def _queue(board: Board, record: WorkstreamRecord) -> None:
    board.move_workstream(record, WorkstreamState.QUEUED, "in the merge queue")
    board.enqueue(record.id)
    board.tell(
        vocabulary.WORKSTREAM_QUEUED, f"{record.id} is in the merge queue", severity="debug", workstream=record.id
    )


def fail(board: Board, record: WorkstreamRecord, error: str, *, tree: str = "", retryable: bool = True) -> None:
    """An attempt did not bring the workstream forward: try again or give up, as the circuit breaker says."""
    mark = signature(error)
    record.error_repeats = record.error_repeats + 1 if mark == record.error_signature else 0
    record.error_signature = mark
    if tree:
        record.result_repeats = record.result_repeats + 1 if tree == record.result_tree else 0
        record.result_tree = tree
    record.note = error
    breaker = board.plan.workstreams[record.id].circuit_breaker
    match verdict(record, breaker, board.policy, error, retryable=retryable):
        case Again(seconds):
            _try_again(board, record, error, seconds)
        case given_up:
            give_up(board, record, given_up.state, given_up.reason)


def _try_again(board: Board, record: WorkstreamRecord, error: str, seconds: float) -> None:
    record.retry_at = board.now + seconds
    reason = f"attempt {record.attempts} failed ({error}); tries again"
    board.move_workstream(record, WorkstreamState.PENDING, reason)
    heappush(board.timers, (record.retry_at, record.id))
    board.tell(
        vocabulary.RETRY_SCHEDULED,
        f"{record.id} tries again in {seconds:.0f} s: {error}",
        severity="warning",
        workstream=record.id,
        attempt=record.attempts,
        at=record.retry_at,
    )


def give_up(board: Board, record: WorkstreamRecord, state: WorkstreamState, reason: str) -> None:
    """Ends a workstream without a merge, and skips what depended on it."""
    board.move_workstream(record, state, reason)
    type = vocabulary.WORKSTREAM_QUARANTINED if state is WorkstreamState.QUARANTINED else vocabulary.WORKSTREAM_FAILED
    type = vocabulary.WORKSTREAM_SKIPPED if state is WorkstreamState.SKIPPED else type
    text = f"{record.id} {state.value.lower()}: {reason}"
    board.tell(type, text, severity="error", workstream=record.id, attempt=record.attempts or None)
    word = {WorkstreamState.SKIPPED: "was skipped"}.get(state, f"is {state.value}")
    skip_dependents(board, record.id, f"{record.id} {word}")


def skip_dependents(board: Board, root: str, cause: str) -> None:
    """Skips all that waits for a workstream which will not merge."""
    waiting = list(board.plan.dependents.get(root, ()))
    while waiting:
        id = waiting.pop()
        record = board.workstream(id)
        if record.state is not WorkstreamState.PENDING:
            continue
        board.move_workstream(record, WorkstreamState.SKIPPED, f"{_BECAUSE}{root}: {cause}")
        board.tell(
            vocabulary.WORKSTREAM_SKIPPED, f"{id} skipped: {cause}", severity="warning", workstream=id, root=root
        )
        waiting.extend(board.plan.dependents.get(id, ()))


def revive(board: Board, id: str) -> None:
    """Makes PENDING again what was skipped because of a workstream that goes on now."""
    waiting = list(board.plan.dependents.get(id, ()))
    while waiting:
        dependent = waiting.pop()
        record = board.workstream(dependent)
        needs = board.plan.workstreams[dependent].depends_on
        dead = [d for d in needs if board.workstream(d).state in WORKSTREAM_OVER - {WorkstreamState.MERGED}]
        if record.state is not WorkstreamState.SKIPPED or dead or not record.reason.startswith(_BECAUSE):
            continue
        board.move_workstream(record, WorkstreamState.PENDING)
        board.wait_for_turn(dependent)
        waiting.extend(board.plan.dependents.get(dependent, ()))


def merged(board: Board, event: Merged) -> None:
    """The integration branch moved: what waited for this workstream may start."""
    record, run = board.workstream(event.workstream), board.records.run
    if record.state is not WorkstreamState.MERGING:
        return
    board.merging = None
    _keep_gates(board, event.gates)
    run.tip = event.tip
    board.touch_run()
    record.merge_commit = event.tip
    board.move_workstream(record, WorkstreamState.MERGED, "")
    if record.conflict is not None:
        conflict = board.records.conflicts[record.conflict]
        if conflict.state in CONFLICT_OPEN:
            board.move_conflict(conflict, ConflictState.HUMAN_RESOLVED)
        board.tell(
            vocabulary.CONFLICT_RESOLVED,
            f"conflict {conflict.id} of {record.id} resolved by {conflict.by or 'the operator'}",
            workstream=record.id,
            conflict=conflict.id,
        )
    _announce_merge(board, record, f"merged as {event.tip[:7]}")


def _announce_merge(board: Board, record: WorkstreamRecord, how: str) -> None:
    board.tell(
        vocabulary.WORKSTREAM_MERGED,
        f"{record.id} {how}",
        workstream=record.id,
        attempt=record.attempts,
        commit=record.merge_commit,
    )
    board.unblock(record.id)


def merge_conflicted(board: Board, event: MergeConflicted) -> None:
    """Git could not merge alone: this workstream waits for the operator, everything else goes on."""
    record = board.workstream(event.workstream)
    if record.state is not WorkstreamState.MERGING:
        return
    board.merging = None
    if record.conflict is not None:
        old = board.records.conflicts[record.conflict]
        if old.state in CONFLICT_OPEN:
            board.move_conflict(old, ConflictState.HUMAN_RESOLVED)
            old.by = f"{old.by}; the branch moved on and it came up again".lstrip("; ")
    conflict = ConflictRecord(
        f"c{len(board.records.conflicts) + 1}",
        record.id,
        record.attempts,
        event.ours,
        event.theirs,
        event.files,
        event.against,
        board.now,
    )
    board.records.conflicts[conflict.id] = conflict
    board.touch_conflict(conflict)
    board.effects.append(LayOut(conflict.id))
    record.conflict = conflict.id
    others = f" with {', '.join(event.against)}" if event.against else ""
    files = event.files[0].path + (f" and {len(event.files) - 1} more" if len(event.files) > 1 else "")
    board.move_workstream(record, WorkstreamState.CONFLICTED, f"needs you: conflict {conflict.id}{others} in {files}")
    board.tell(
        vocabulary.CONFLICT_OPENED,
        f"{record.id} needs you: conflict {conflict.id}{others} in {files}",
        severity="warning",
        workstream=record.id,
        attempt=record.attempts,
        conflict=conflict.id,
        files=[f.path for f in event.files],
    )


def merge_failed(board: Board, event: MergeFailed) -> None:
    """The merged tree did not pass: the workstream goes back to be done again on the new tip."""
    record = board.workstream(event.workstream)
    if record.state is not WorkstreamState.MERGING:
        return
    board.merging = None
    _keep_gates(board, event.gates)
    if record.conflict is not None:
        conflict = board.records.conflicts[record.conflict]
        if conflict.state in CONFLICT_OPEN:
            board.move_workstream(
                record, WorkstreamState.CONFLICTED, f"needs you: the resolution did not hold ({event.problem})"
            )
            board.tell(
                vocabulary.CONFLICT_OPENED,
                f"{record.id} needs you: the resolution of {conflict.id} did not hold: {event.problem}",
                severity="warning",
                workstream=record.id,
                conflict=conflict.id,
            )
            return
    fail(board, record, event.problem)


def _keep_gates(board: Board, gates: tuple[GateEntry, ...]) -> None:
    board.changes.gates.extend(gates)
    for gate in gates:
        board.tell(
            vocabulary.GATE_RESULT,
            f"{gate.workstream} {gate.gate} {gate.verdict} ({gate.where}, {gate.seconds:.1f} s)",
            severity="info" if gate.verdict in ("passed", "not configured") else "warning",
            workstream=gate.workstream,
            attempt=gate.attempt,
        )
