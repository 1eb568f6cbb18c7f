"""Who starts now: ready workstreams to free workers, and the next batch of the merge queue."""

from collections.abc import Iterable
from heapq import heappop, heappush

from uet_tui.core import limits, overrides, providers, spending, vocabulary
from uet_tui.core.board import BUDGET, WAVE, Board
from uet_tui.core.effects import Merge, QueueEntry, StartAttempt
from uet_tui.core.queueing import explain, explain_batch, listed
from uet_tui.core.records import AttemptRecord, WorkerRecord, WorkstreamRecord
from uet_tui.core.states import WORKSTREAM_OVER, RunState, WorkerState, WorkstreamState
from uet_tui.plan.model import Workstream

_HOLD_SHARE, _LONGEST_HOLD = 0.1, 1.0
"""A worker is kept for more urgent work for at most this share of an attempt's time, and this many seconds."""


def schedule(board: Board) -> None:
    """Starts all that may start, and the next merge."""
    _wake(board)
    if board.records.run.overrides:
        overrides.expire(board)
    if board.purse.paused:
        providers.wake(board)
    start_merge(board)
    if board.records.run.state is RunState.HALTED and board.dispatching:
        limits.go_on(board)
    if board.records.run.state is RunState.RUNNING and board.dispatching:
        _dispatch(board)
        if board.parked.get(BUDGET):
            limits.closing(board)


def _wake(board: Board) -> None:
    while board.timers:
        at, id = board.timers[0]
        record = board.workstream(id)
        current = record.retry_at == at
        if current and board.now < at <= board.now + board.policy.retry_max_seconds:
            return  # any later could only be if the clock was set back: nobody waits for it to catch up
        heappop(board.timers)
        if current:
            record.retry_at = None
            board.touch_workstream(record)  # where it is held, its reason does not change
            board.wait_for_turn(id)


def start_merge(board: Board) -> None:
    """Takes the next batch out of the merge queue, if none is being merged and nothing is being landed."""
    if not board.merging and board.landing is None and board.queue:
        taken = board.queue.take(board.policy.batch)
        for record in board.queue.overtake(taken):
            board.touch_workstream(record)
        tip = board.records.run.tip
        for record in taken:
            record.merge_onto = tip
            board.move_workstream(record, WorkstreamState.MERGING)
            board.merging.add(record.id)
        ids = board.batch = [record.id for record in taken]
        explain_batch(board)
        together = " together" if len(ids) > 1 else ""
        board.tell(
            vocabulary.BATCH_TAKEN,
            f"merging {listed(ids)}{together}",
            severity="debug",
            workstream=ids[0] if len(ids) == 1 else None,
            workstreams=ids,
            tip=tip,
        )
        merge_effect(board, taken)
    if board.queue.moved is not None:
        explain(board, board.queue.moved)


def merge_effect(board: Board, records: Iterable[WorkstreamRecord]) -> None:
    """Asks for the merge of a batch whose workstreams are MERGING, in the order in which they were taken."""
    entries, tip = [], board.records.run.tip
    for record in sorted(records, key=board.queue.place):
        if record.result_commit is None:
            raise ValueError(f"{record.id} is to be merged but has no result")
        entries.append(QueueEntry(record.id, record.attempts, record.result_commit, record.conflict))
        tip = record.merge_onto or tip
    if entries:
        board.effects.append(Merge(tuple(entries), tip))


def _dispatch(board: Board) -> None:
    current_wave = _open_wave(board) if board.policy.schedule == "waves" else 0
    while board.ready_ids and (worker := board.pop_free()) is not None:
        id = board.pop_ready()
        if id is None:
            return
        ws = board.plan.workstreams[id]
        record = board.workstream(id)
        wait = _barred(board, ws, current_wave)
        if wait is None and not ws.parallel_ok and board.active:
            # Nothing may overtake it, or it could wait for ever while others keep the workers busy.
            first = min(board.active)
            more = f" and {len(board.active) - 1} more" if len(board.active) > 1 else ""
            board.why(record, f"runs alone: waits for {first}{more}")
            board.ready_ids.add(id)
            heappush(board.ready, (-1, 0.0, id))
            return
        wait = wait or _held(board, ws)
        if wait is not None:
            holder, reason = wait
            board.why(record, reason)
            board.park(id, holder)
            continue
        if _worth_waiting(board, id):
            board.ready_ids.add(id)
            heappush(board.ready, board.rank[id])
            return
        board.hold_until = None
        _start(board, ws, worker)


def _worth_waiting(board: Board, id: str) -> bool:
    """Whether a more urgent workstream is about to become ready, so that this worker is better kept for it.

    Attempts that were started together end together, but never in the same instant. Without a short wait the first
    worker that is free takes lesser work, and the critical path finds no worker a moment later.
    """
    window = min(_LONGEST_HOLD, _HOLD_SHARE * board.policy.expected.get(id, 0.0))
    if window <= 0:
        return False
    if board.hold_until is not None and board.now >= board.hold_until:
        return False
    by = board.now + window
    soon = {other for other in board.active if _about_to_merge(board, other, by)}
    rank = board.rank[id]
    if not any(_frees(board, ending, rank, soon) for ending in soon):
        return False
    if board.hold_until is None:
        board.hold_until = by
    return True


def _frees(board: Board, ending: str, rank: tuple[int, float, str], soon: set[str]) -> bool:
    """Whether something more urgent than `rank` becomes ready when `ending`, and all of `soon`, are merged."""
    ranks, rows = board.rank, board.records.workstreams
    for id in (*board.plan.dependents.get(ending, ()), *board.parked.get(ending, ())):
        if ranks[id] < rank and rows[id].state is WorkstreamState.PENDING and not _unmet_without(board, id, soon):
            return True
    return False


def _about_to_merge(board: Board, id: str, by: float) -> bool:
    record, ws = board.workstream(id), board.plan.workstreams[id]
    if record.held:
        return False
    if record.state is not WorkstreamState.RUNNING:
        return not ws.test_gates
    attempt = board.attempt(id)
    expected = board.policy.expected.get(id)
    return (
        expected is not None
        and attempt is not None
        and attempt.frozen_at is None
        and not ws.test_gates
        and (attempt.started_at if attempt.started_at is not None else attempt.created_at) + expected <= by
    )


def _unmet_without(board: Board, id: str, soon: set[str]) -> int:
    if board.unmet[id] > len(soon):
        return board.unmet[id]
    rows = board.records.workstreams
    needs = board.plan.workstreams[id].depends_on
    return sum(d not in soon and rows[d].state is not WorkstreamState.MERGED for d in needs)


def _open_wave(board: Board) -> int:
    current = _current_wave(board)
    if current != board.wave:
        board.wave = current
        board.unpark(WAVE)
    return current


def _current_wave(board: Board) -> int:
    """The first wave with a workstream that can still move without the operator; what opens its barrier."""
    stuck = {c.workstream for c in board.records.conflicts.values() if c.closed_at is None}
    if not stuck:
        return next((number for number, left in enumerate(board.left, start=1) if left), len(board.left))
    for number, wave in enumerate(board.plan.waves, start=1):
        live = False
        for id in wave:
            state = board.workstream(id).state
            if state in WORKSTREAM_OVER or id in stuck:
                continue
            if any(d in stuck for d in board.plan.workstreams[id].depends_on):
                stuck.add(id)
                continue
            live = True
        if live:
            return number
    return len(board.plan.waves)


def _held(board: Board, ws: Workstream) -> tuple[str, str] | None:
    """Who holds what a ready workstream needs, and the reason to show; None if nobody does."""
    if board.alone:
        holder = min(board.alone)
        return holder, f"waits for {holder}, which runs alone"
    if ws.conflict_group and (holders := board.groups.get(ws.conflict_group)):
        holder = min(holders)
        return holder, f"group {ws.conflict_group} held by {holder}"
    if board.policy.overlap == "serialize" and (owner := board.ledger.holder(ws.write_scope)) is not None:
        return owner, f"scope held by {owner}"
    return None


def _barred(board: Board, ws: Workstream, current_wave: int) -> tuple[str, str] | None:
    """What keeps a ready workstream from starting whoever else runs, and the reason to show; None if nothing does."""
    if current_wave and board.workstream(ws.id).wave > current_wave:
        return WAVE, f"waits for wave {current_wave} to end"
    record = board.workstream(ws.id)
    lack = limits.lack(board, ws, record.agent)
    if lack:
        return BUDGET, lack.reason
    provider = providers.provider_of(board, record.agent)
    waits = providers.barred(board, provider)
    return (providers.key(provider), waits) if waits else None


def _start(board: Board, ws: Workstream, worker: WorkerRecord) -> None:
    record, run = board.workstream(ws.id), board.records.run
    record.attempts += 1
    record.worker = worker.number
    record.retry_at = None
    record.started_at = record.started_at if record.started_at is not None else board.now
    record.conflict = None
    board.move_workstream(record, WorkstreamState.RUNNING)
    model = limits.model_for(board, record)
    expected, cap = limits.estimate(board, ws, record.agent, model), limits.cap_of(board, ws)
    attempt = AttemptRecord(
        ws.id,
        record.attempts,
        worker.number,
        record.agent,
        model,
        run.tip,
        board.now,
        reserved_usd=expected if cap is None else min(expected, cap),
        provider=providers.provider_of(board, record.agent),
        estimated_usd=expected,
    )
    board.records.attempts[ws.id, attempt.number] = attempt
    board.touch_attempt(attempt)
    spending.set_aside(board, ws.id, attempt.reserved_usd)
    providers.took(board, attempt.provider)
    worker.workstream, worker.agent, worker.doing = ws.id, record.agent, "reset"
    board.move_worker(worker, WorkerState.BUSY)
    again = f", attempt {attempt.number}" if attempt.number > 1 else ""
    cheaper = f" and the cheaper {model}" if model != record.model else ""
    board.tell(
        vocabulary.ATTEMPT_STARTED,
        f"{ws.id} started on worker {worker.number} with {record.agent}{cheaper}{again}",
        workstream=ws.id,
        worker=worker.number,
        attempt=attempt.number,
        agent=record.agent,
        model=model,
        base=run.tip,
    )
    board.effects.append(StartAttempt(ws.id, attempt.number, worker.number, run.tip, model, cap))


def next_wakeup(board: Board) -> float | None:
    """When time alone will next change something: seconds since the epoch, or None."""
    times = [board.timers[0][0]] if board.timers else []
    if board.hold_until is not None and board.hold_until > board.now:
        times.append(board.hold_until)
    times += [at for at in (overrides.next_expiry(board), providers.next_opening(board)) if at is not None]
    return min(times, default=None)
