"""Bringing records that are behind the world up to it: the store was restored, or a power loss took its last commits.

The records are then a prefix of what really happened; folders of attempts and the integration branch know the rest.
What ended is put on record with its money; the newest attempt of each workstream is left as if its agent had just been
started, so that the ordinary recovery adopts it, collects it or proves it dead; what the branch holds is left MERGING,
so that the merge queue finds it there, checks it and says so. Nothing is begun here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.changes import Changes
from uet_tui.core.failing import revive
from uet_tui.core.policy import Policy
from uet_tui.core.records import AskRecord, AttemptRecord, ConflictRecord, Records, WorkerRecord, WorkstreamRecord
from uet_tui.core.spending import count_ask, set_aside, settle_attempt
from uet_tui.core.states import ATTEMPT_OVER, CONFLICT_OPEN, AttemptState, ConflictState, WorkerState, WorkstreamState
from uet_tui.core.usage import Usage
from uet_tui.plan.model import Plan

_FORGOTTEN = "decided after the last record"
_NEVER_BEGAN = "the store forgot it, and it was never begun"


@dataclass(frozen=True, slots=True)
class FoundAttempt:
    """What the folder of an attempt tells."""

    record: AttemptRecord
    """As it was when its agent was about to be started."""
    outcome: AttemptState
    """How it ended; LOST where nothing says so."""
    exit_code: int | None = None
    error: str = ""
    reports: tuple[Usage, ...] = ()
    commit: str | None = None
    """What it left, once that was taken."""
    taken: bool = False
    """Whether what it left was taken, so that its sandbox is needed no more."""


@dataclass(frozen=True, slots=True)
class FoundAsk:
    """What the folder of an ask tells: somebody was asked about a conflict, and is no more."""

    conflict: str
    ask: AskRecord
    workstream: str
    ours_commit: str
    theirs_commit: str
    attempt: int
    reports: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What the world knows and the records do not."""

    attempts: Mapping[tuple[str, int], FoundAttempt] = field(default_factory=dict)
    """Those with numbers beyond the records, without gaps, and the newest of the records where there are such."""
    merged: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Which attempt of which workstream the branch holds beyond the tip on record, and its result."""
    asks: tuple[FoundAsk, ...] = ()
    """Those beyond the records, in order."""

    def __bool__(self) -> bool:
        return bool(self.attempts or self.merged or self.asks)


def catch_up(plan: Plan, policy: Policy, records: Records, found: Found, now: float) -> Changes:
    """Brings the records up to what was found, and gives what is to be written; empty where nothing was."""
    board = Board(plan, policy, records)
    board.now = now
    known = {id: row.attempts for id, row in records.workstreams.items()}
    behind = {id for id, number in found.attempts if number > known[id]} | {*found.merged}
    reopened = [id for id in sorted(behind) if _catch_up(board, found, records.workstreams[id])]
    for ask in found.asks:
        _put_ask_back(board, ask)
    _share_out_workers(board, found, behind)
    again = Board(plan, policy, records)  # the indexes of the first one know nothing of all this
    again.now, again.changes = now, board.changes
    for id in reopened:
        revive(again, id)
    if behind or found.asks:
        _tell(again, found, known)
    return again.changes


def _catch_up(board: Board, found: Found, record: WorkstreamRecord) -> bool:
    """Brings one workstream up to what was found; says whether it had been given up on record."""
    given_up = record.state in (WorkstreamState.FAILED, WorkstreamState.QUARANTINED, WorkstreamState.CANCELLED)
    newest = board.attempt(record.id)
    later = sorted(number for id, number in found.attempts if id == record.id and number > record.attempts)
    merged = found.merged.get(record.id)
    if newest is not None and newest.state not in ATTEMPT_OVER and (later or merged):
        _end(board, record, newest, found.attempts.get((record.id, newest.number)))
    for number in later:
        told = found.attempts[record.id, number]
        attempt = replace(told.record, state=AttemptState.CREATED, reserved_usd=0.0)
        board.records.attempts[record.id, number] = attempt
        board.touch_attempt(attempt)
        record.attempts, record.started_at = number, record.started_at or attempt.created_at
        if number != later[-1] or merged is not None:
            _end(board, record, attempt, told)
    _close_conflict(board, record)
    record.retry_at = None
    if merged is not None:
        _put_in_queue(board, record, merged[1])
    elif later:
        attempt = board.records.attempts[record.id, later[-1]]
        attempt.reserved_usd = found.attempts[record.id, later[-1]].record.reserved_usd
        set_aside(board, record.id, attempt.reserved_usd)
        record.state, record.reason, record.worker = WorkstreamState.RUNNING, "", attempt.worker
        record.ended_at = None
    board.touch_workstream(record)
    return given_up


def _end(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, told: FoundAttempt | None) -> None:
    attempt.state = AttemptState.LOST if told is None else told.outcome
    attempt.ended_at = board.now
    attempt.error = _NEVER_BEGAN if told is None else told.error
    if told is not None:
        attempt.exit_code, attempt.commit = told.exit_code, told.commit
    settle_attempt(board, record, attempt, () if told is None else told.reports)
    if attempt.state is AttemptState.LOST:
        record.granted_attempts += 1
    board.touch_attempt(attempt)


def _put_in_queue(board: Board, record: WorkstreamRecord, result: str) -> None:
    attempt = board.attempt(record.id)
    if attempt is not None:
        attempt.commit = attempt.commit or result
    record.state, record.reason, record.worker = WorkstreamState.MERGING, "merging", None
    record.result_commit, record.merge_onto = result, board.records.run.tip
    record.queued_at, record.ended_at = record.queued_at or board.now, None


def _put_ask_back(board: Board, found: FoundAsk) -> None:
    """Counts what a forgotten ask used; where its conflict was forgotten, too, that is put on record as closed."""
    if (found.workstream, found.attempt) not in board.records.attempts:
        return
    conflict = board.records.conflicts.get(found.conflict)
    if conflict is None:
        commits = (found.ours_commit, found.theirs_commit)
        conflict = ConflictRecord(found.conflict, found.workstream, found.attempt, *commits, (), (), board.now)
        conflict.state, conflict.closed_at, conflict.by = ConflictState.HUMAN_RESOLVED, board.now, _FORGOTTEN
        board.records.conflicts[conflict.id] = conflict
    conflict.asks = max(conflict.asks, found.ask.number)
    conflict.keep_ask(found.ask)
    board.touch_conflict(conflict)
    count_ask(board, conflict, found.ask.number, found.reports)


def _close_conflict(board: Board, record: WorkstreamRecord) -> None:
    """What was decided on it is lost; what came of it is on the branch, or was begun anew."""
    conflict = board.records.conflicts.get(record.conflict or "")
    record.conflict = None
    if conflict is not None and conflict.state in CONFLICT_OPEN:
        conflict.climbing = False
        conflict.state, conflict.closed_at = ConflictState.HUMAN_RESOLVED, board.now
        conflict.by = _FORGOTTEN
        board.touch_conflict(conflict)


def _share_out_workers(board: Board, found: Found, behind: Iterable[str]) -> None:
    """Gives each newest attempt a worker of its own: one that needs no sandbox any more gives way to one that does."""
    wanted: dict[int, tuple[float, str]] = {}
    spare: list[str] = []
    for id in sorted(behind):
        record = board.records.workstreams[id]
        attempt = board.attempt(id)
        if record.state is not WorkstreamState.RUNNING or attempt is None:
            continue
        told = found.attempts[id, attempt.number]
        rival = wanted.get(attempt.worker)
        if told.taken:
            spare.append(id)
        elif rival is None:
            wanted[attempt.worker] = (attempt.created_at, id)
        else:
            earlier, later = sorted([rival, (attempt.created_at, id)])
            wanted[attempt.worker] = later
            _forget(board, board.records.workstreams[earlier[1]])
    for number in [*wanted]:
        for row in board.records.workstreams.values():
            held = row.worker == number and row.id != wanted[number][1]
            if held and row.state in (WorkstreamState.RUNNING, WorkstreamState.GATING):
                row.worker = None
                spare.append(row.id)
    for number, (_, id) in wanted.items():
        _occupy(board, number, id)
    for id in spare:
        _occupy(board, 1 + max([0, *board.records.workers]), id, WorkerState.DRAINING)


def _forget(board: Board, record: WorkstreamRecord) -> None:
    """Gives an attempt up whose sandbox another had after it, before what it left was taken."""
    attempt = board.attempt(record.id)
    if attempt is not None:
        told = FoundAttempt(attempt, AttemptState.LOST, error="its sandbox was given to another")
        _end(board, record, attempt, told)
    record.state, record.reason, record.worker = WorkstreamState.PENDING, "", None
    board.touch_workstream(record)


def _occupy(board: Board, number: int, id: str, state: WorkerState = WorkerState.BUSY) -> None:
    record, attempt = board.records.workstreams[id], board.attempt(id)
    if attempt is None:
        raise AssertionError("it was given one")
    record.worker = attempt.worker = number
    worker = WorkerRecord(number, board.now, state, id, attempt.agent, "edit")
    board.records.workers[number] = worker
    board.touch_worker(worker)
    board.touch_attempt(attempt)
    board.touch_workstream(record)


def _tell(board: Board, found: Found, known: Mapping[str, int]) -> None:
    later = [key for key in found.attempts if key[1] > known[key[0]]]
    parts = [_count(len(later), "attempt")] if later else []
    parts += [_count(len(found.merged), "merge")] if found.merged else []
    parts += [_count(len(found.asks), "question to an agent", "questions to agents")] if found.asks else []
    text = f"the store was behind: {' and '.join(parts)} after its last record, found in folders and on the branch"
    board.tell(
        vocabulary.STORE_CAUGHT_UP,
        text,
        severity="warning",
        attempts=[f"{id}/{number}" for id, number in sorted(later)],
        merged=sorted(found.merged),
        asks=[f"{ask.conflict}/{ask.ask.number}" for ask in found.asks],
    )


def _count(number: int, one: str, more: str = "") -> str:
    return f"{number} {one if number == 1 else more or f'{one}s'}"
