"""Money set aside for agents, counted as they report what they use, and settled when they are gone.

Every report is counted once: a list of reports is always all of them from the first, and how many of each attempt or
ask were counted is on record. While an agent runs, what was set aside for it goes down by what it spends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from uet_tui.core import limits, vocabulary
from uet_tui.core.board import BUDGET, Board
from uet_tui.core.effects import KillAttempt
from uet_tui.core.records import AttemptRecord, ConflictRecord, CostEntry, WorkstreamRecord
from uet_tui.core.states import ATTEMPT_OVER
from uet_tui.core.usage import Usage


def set_aside(board: Board, id: str, usd: float) -> None:
    """Reserves money for an agent at a workstream, or gives it back where `usd` is negative."""
    if usd:
        run, phase = board.records.run, board.purse.phase_of[id]
        run.reserved_usd = max(0.0, run.reserved_usd + usd)
        board.purse.reserved[phase] = max(0.0, board.purse.reserved[phase] + usd)
        board.touch_run()


def usage_reported(board: Board, workstream: str, number: int, reports: Sequence[Usage]) -> None:
    """The agent of an attempt has told what it used so far; at what it may cost it is ended."""
    attempt = board.attempt(workstream, number)
    if attempt is None or attempt.state in ATTEMPT_OVER:
        return
    record = board.workstream(workstream)
    count_attempt(board, record, attempt, reports)
    why = limits.cap_reached(board, record, attempt)
    if why and not attempt.kill_asked:
        attempt.kill_asked, attempt.kill_reason = True, why
        board.touch_attempt(attempt)
        board.tell(
            vocabulary.CAP_REACHED,
            f"{workstream} attempt {number} {why}: it is ended",
            severity="warning",
            workstream=workstream,
            worker=attempt.worker,
            attempt=number,
            usd=attempt.cost_usd,
        )
        board.effects.append(KillAttempt(workstream, number))


def count_attempt(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, reports: Sequence[Usage]) -> None:
    """Counts what an attempt reported and was not counted before."""
    fresh = reports[attempt.reports :]
    if not fresh:
        return
    work = _Work(record.id, attempt.number, attempt.agent, attempt.model, attempt.provider)
    usd, unpriced, entries = _entries(board, work, fresh, attempt.reports)
    attempt.reports = len(reports)
    attempt.unpriced += unpriced
    attempt.cost_usd += usd
    for entry in entries:
        attempt.tokens_in += entry.tokens_in
        attempt.tokens_out += entry.tokens_out
        attempt.tokens_cached += entry.tokens_cached
        attempt.tokens_reasoning += entry.tokens_reasoning
    settled = min(attempt.reserved_usd, usd)
    attempt.reserved_usd -= settled
    board.touch_attempt(attempt)
    set_aside(board, record.id, -settled)
    _spend(board, record, usd)


def settle_attempt(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, reports: Sequence[Usage]) -> None:
    """Counts the last reports of an attempt that is over, and gives back what it did not use."""
    count_attempt(board, record, attempt, reports)
    if attempt.reserved_usd:
        set_aside(board, record.id, -attempt.reserved_usd)
        attempt.reserved_usd = 0.0
    board.unpark(BUDGET)
    board.purse.learn(attempt)


def settle_ask(
    board: Board, conflict: ConflictRecord, ask: int, asked: tuple[str, str], reports: Sequence[Usage]
) -> None:
    """Counts what an agent reported that was asked about a conflict, whichever ask; `asked`: it and its model."""
    counted = [*conflict.reports, *[0] * (ask - len(conflict.reports))]
    fresh = reports[counted[ask - 1] :]
    if not fresh:
        return
    record = board.workstream(conflict.workstream)
    work = _Work(record.id, conflict.attempt, *asked, conflict.provider, conflict.id, ask)
    usd, _, _ = _entries(board, work, fresh, counted[ask - 1])
    counted[ask - 1] = len(reports)
    conflict.reports = tuple(counted)
    board.touch_conflict(conflict)
    _spend(board, record, usd)


def give_ask_back(board: Board, conflict: ConflictRecord) -> None:
    """Gives back what was set aside for an agent that was asked about a conflict."""
    set_aside(board, conflict.workstream, -conflict.reserved_usd)
    conflict.reserved_usd = 0.0
    board.touch_conflict(conflict)
    board.unpark(BUDGET)


def _spend(board: Board, record: WorkstreamRecord, usd: float) -> None:
    record.cost_usd += usd
    board.touch_workstream(record)
    board.purse.spent[board.purse.phase_of[record.id]] += usd
    board.records.run.spent_usd += usd
    board.touch_run()
    if usd:
        limits.spent(board)


@dataclass(frozen=True, slots=True)
class _Work:
    """What reports are of."""

    workstream: str
    attempt: int
    agent: str
    model: str
    provider: str
    conflict: str = ""
    ask: int = 0


def _entries(board: Board, work: _Work, fresh: Iterable[Usage], counted: int) -> tuple[float, int, list[CostEntry]]:
    """Puts reports on record; gives what they cost, how many have no price, and the entries."""
    free = work.agent in board.policy.free
    entries, total, unpriced = [], 0.0, 0
    for number, report in enumerate(fresh, counted + 1):
        usd = 0.0 if free else _amount(report.usd)
        unpriced += usd is None
        total += usd or 0.0
        entries.append(
            CostEntry(
                board.now,
                work.workstream,
                work.attempt,
                work.agent,
                report.model or work.model,
                usd or 0.0,
                max(0, report.tokens_in),
                max(0, report.tokens_out),
                max(0, report.tokens_cached),
                max(0, report.tokens_reasoning),
                report.estimated and not free,
                usd is not None,
                work.conflict,
                work.ask,
                number,
                work.provider,
            )
        )
    board.changes.costs.extend(entries)
    return total, unpriced, entries


def _amount(usd: float | None) -> float | None:
    """Money, or None where it is not known: what is not finite, or negative, is no amount."""
    return usd if usd is not None and isfinite(usd) and usd >= 0 else None
