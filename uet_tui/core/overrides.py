"""The operator changes what may be spent, for good or for a while."""

from uet_tui.core import limits, spending, vocabulary
from uet_tui.core.board import Board
from uet_tui.core.commands import Refusal
from uet_tui.core.events import Asked
from uet_tui.core.moments import moment
from uet_tui.core.records import Override

_FIELDS = {"total": "budget_usd", "phase": "phase_budget_usd", "task": "task_budget_usd"}
_NAMES = {"total": "the budget", "phase": "the budget of a phase", "task": "the budget of a workstream"}


def asked_budget(board: Board, event: Asked) -> str:
    """Changes a limit.

    Raises:
        Refusal: it names no amount, or would expire before it holds.
    """
    command, run = event.command, board.records.run
    if command.amount is None:
        raise Refusal("budget needs an amount in US dollars")
    until = None if command.until is None else command.until.timestamp()
    if until is not None and until <= board.now:
        raise Refusal("an override cannot expire in the past: name a later time")
    old: float | None = getattr(run, _FIELDS[command.limit])
    others = tuple(one for one in run.overrides if one.limit != command.limit)
    before = next((one for one in run.overrides if one.limit == command.limit and one.until is not None), None)
    former = old if before is None else before.former_usd
    run.overrides = (*others, Override(command.limit, former, command.by, command.note, board.now, until))
    why = f": {command.note}" if command.note else ""
    _set(board, command.limit, command.amount, f"by {command.by}{why}")
    was = "no limit" if old is None else f"${old:.2f}"
    name = _NAMES[command.limit]
    return f"{name} is ${command.amount:.2f} now (was {was})" + (f", until {moment(until)}" if until else "")


def expire(board: Board) -> None:
    """Lets the former limit hold again where an override has expired."""
    run = board.records.run
    for one in run.overrides:
        if one.until is not None and one.until <= board.now:
            run.overrides = tuple(other for other in run.overrides if other is not one)
            _set(board, one.limit, one.former_usd, f"the override by {one.by} has expired")


def next_expiry(board: Board) -> float | None:
    """When the next override expires, in seconds since the epoch."""
    return min((one.until for one in board.records.run.overrides if one.until is not None), default=None)


def _set(board: Board, limit: str, usd: float | None, why: str) -> None:
    run, field = board.records.run, _FIELDS[limit]
    old: float | None = getattr(run, field)
    setattr(run, field, usd)
    shown = ["no limit" if one is None else f"${one:.2f}" for one in (old, usd)]
    name = _NAMES[limit].removeprefix("the ")
    board.tell(vocabulary.BUDGET_CHANGED, f"{name} {shown[0]} -> {shown[1]} {why}", old=old, new=usd, limit=limit)
    limits.changed(board)
    if limit == "task":
        spending.end_used_up(board)
