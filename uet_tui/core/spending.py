"""Money set aside for agents, counted as they report what they use, and settled when they are gone.

Every report is counted once: a list of reports is always all of them from the first, and how many of each attempt or
ask were counted is on record. While an agent runs, what was set aside for it goes down by what it spends.
"""

from collections.abc import Sequence
from dataclasses import replace

from uet_tui.core import limits, vocabulary
from uet_tui.core.board import BUDGET, Board
from uet_tui.core.changes import CostEntry
from uet_tui.core.effects import EndAsk
from uet_tui.core.freezing import end_agent
from uet_tui.core.records import AttemptRecord, ConflictRecord, WorkstreamRecord
from uet_tui.core.states import ATTEMPT_OVER
from uet_tui.core.usage import Usage
from uet_tui.plan.model import MOST_USD

_MOST_TOKENS = 10**12
"""Of one report: sums of them stay far below what a store can hold."""
_DUST = 1e-9
"""US dollars that are only what adding and taking away leaves of rounding."""


def set_aside(board: Board, id: str, usd: float) -> None:
    """Reserves money for an agent at a workstream, or gives it back where `usd` is negative."""
    if usd:
        run, purse = board.records.run, board.purse
        total = run.reserved_usd + usd
        run.reserved_usd = total if total > _DUST else 0.0
        purse.reserved[purse.phase_of[id]] += usd
        board.touch_run()


def usage_reported(board: Board, workstream: str, number: int, reports: Sequence[Usage]) -> None:
    """The agent of an attempt has told what it used so far; at what it may cost it is ended."""
    attempt = board.attempt(workstream, number)
    if attempt is None or attempt.state in ATTEMPT_OVER:
        return
    record = board.workstream(workstream)
    count_attempt(board, record, attempt, reports)
    limits.closing(board)
    _end_attempt(board, record, attempt, limits.cap_reached(board, record, attempt.agent, attempt.cost_usd))


def end_used_up(board: Board) -> None:
    """Ends those at work whose workstream cost all that it may, now that the limit of workstreams was changed."""
    for id in sorted(board.active):
        record, attempt = board.workstream(id), board.attempt(id)
        if attempt is not None and attempt.state not in ATTEMPT_OVER:
            _end_attempt(board, record, attempt, limits.used_up(board, record, attempt.agent))
    for conflict in board.records.conflicts.values():
        if conflict.asking:
            record, agent = board.workstream(conflict.workstream), conflict.ask(conflict.asks).agent
            _end_ask(board, conflict, limits.used_up(board, record, agent))


def _end_attempt(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, why: str) -> None:
    if why and not attempt.kill_asked:
        attempt.kill_asked, attempt.kill_reason = True, why
        board.touch_attempt(attempt)
        board.tell(
            vocabulary.CAP_REACHED,
            f"{record.id} attempt {attempt.number} {why}: it is ended",
            severity="warning",
            workstream=record.id,
            worker=attempt.worker,
            attempt=attempt.number,
            usd=attempt.cost_usd,
        )
        end_agent(board, attempt)


def count_attempt(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, reports: Sequence[Usage]) -> None:
    """Counts what an attempt reported and was not counted before."""
    if len(reports) <= attempt.reports:
        return
    work = (record.id, attempt.number, "", 0, attempt.agent, attempt.model, attempt.provider)
    cost = 0.0
    for entry in _entries(board, work, reports, attempt.reports):
        cost += entry.usd
        attempt.unpriced += not entry.priced
        attempt.tokens_in += entry.tokens_in
        attempt.tokens_out += entry.tokens_out
        attempt.tokens_cached += entry.tokens_cached
        attempt.tokens_reasoning += entry.tokens_reasoning
    attempt.reports = len(reports)
    attempt.cost_usd += cost
    board.touch_attempt(attempt)
    if attempt.reserved_usd and cost:
        settled = min(attempt.reserved_usd, cost)
        attempt.reserved_usd -= settled
        set_aside(board, record.id, -settled)
    _spend(board, record, cost)


def settle_attempt(board: Board, record: WorkstreamRecord, attempt: AttemptRecord, reports: Sequence[Usage]) -> None:
    """Counts the last reports of an attempt that is over, and gives back what it did not use."""
    count_attempt(board, record, attempt, reports)
    if attempt.reserved_usd:
        set_aside(board, record.id, -attempt.reserved_usd)
        attempt.reserved_usd = 0.0
    if board.parked:
        board.unpark(BUDGET)
    board.purse.learn(attempt)


def ask_reported(board: Board, conflict: ConflictRecord, reports: Sequence[Usage]) -> None:
    """The agent at a conflict has told what it used so far; at what it may cost it is ended."""
    count_ask(board, conflict, conflict.asks, reports)
    limits.closing(board)
    ask = conflict.ask(conflict.asks)
    why = limits.cap_reached(board, board.workstream(conflict.workstream), ask.agent, ask.cost_usd)
    _end_ask(board, conflict, why)


def _end_ask(board: Board, conflict: ConflictRecord, why: str) -> None:
    ask = conflict.ask(conflict.asks)
    if why and not ask.ended_because:
        conflict.keep_ask(replace(ask, ended_because=why))
        board.touch_conflict(conflict)
        board.tell(
            vocabulary.CAP_REACHED,
            f"agent {ask.agent} at conflict {conflict.id} {why}: it is ended",
            severity="warning",
            workstream=conflict.workstream,
            attempt=conflict.attempt,
            conflict=conflict.id,
            ask=ask.number,
            usd=ask.cost_usd,
        )
        board.effects.append(EndAsk(conflict.id, ask.number))


def count_ask(board: Board, conflict: ConflictRecord, number: int, reports: Sequence[Usage]) -> None:
    """Counts what an agent reported that was asked about a conflict, whichever ask, and was not counted before."""
    ask = conflict.ask(number)
    if len(reports) <= ask.reports:
        return
    record = board.workstream(conflict.workstream)
    work = (record.id, conflict.attempt, conflict.id, number, ask.agent, ask.model, ask.provider)
    cost = sum(entry.usd for entry in _entries(board, work, reports, ask.reports))
    conflict.keep_ask(replace(ask, reports=len(reports), cost_usd=ask.cost_usd + cost))
    if number == conflict.asks and conflict.reserved_usd:
        settled = min(conflict.reserved_usd, cost)
        conflict.reserved_usd -= settled
        set_aside(board, record.id, -settled)
    board.touch_conflict(conflict)
    _spend(board, record, cost)


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
    run = board.records.run
    run.spent_usd += usd
    board.touch_run()
    if usd and run.budget_usd is not None:
        limits.spent(board)


_Work = tuple[str, int, str, int, str, str, str]
"""What reports are of: workstream, attempt, conflict and ask, and the agent, its model and its provider."""


def _entries(board: Board, work: _Work, reports: Sequence[Usage], counted: int) -> list[CostEntry]:
    """Puts on record what was reported beyond what is counted; gives the entries."""
    workstream, attempt, conflict, ask, agent, model, provider = work
    free, entries = agent in board.policy.free, []
    for number in range(counted, len(reports)):
        report = reports[number]
        usd = 0.0 if free else _amount(report.usd)
        entries.append(
            CostEntry(
                board.now,
                workstream,
                attempt,
                agent,
                report.model or model,
                usd or 0.0,
                *_tokens(report),
                report.estimated and not free,
                usd is not None,
                conflict,
                ask,
                number + 1,
                provider,
            )
        )
    board.changes.costs.extend(entries)
    if not all(entry.priced for entry in entries):
        board.purse.unpriced.add((agent, model))
    return entries


def _tokens(report: Usage) -> tuple[int, int, int, int]:
    """Tokens in, out, cached and of thinking; less than none is none, and so many that nobody used them are fewer."""
    counts = report.tokens_in, report.tokens_out, report.tokens_cached, report.tokens_reasoning
    if min(counts) >= 0 and max(counts) <= _MOST_TOKENS:
        return counts
    read, written, cached, thought = (min(max(0, count), _MOST_TOKENS) for count in counts)
    return read, written, cached, thought


def _amount(usd: float | None) -> float | None:
    """Money, or None where it is not known: what is not finite, negative, or too large to be true is no amount."""
    return usd if usd is not None and 0 <= usd < MOST_USD else None
