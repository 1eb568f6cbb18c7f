"""The sides from which the breakdown adds up, and the orders in which rows can stand. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from uet_tui.store.breakdown import WASTED
from uet_tui.store.cost_views import CostBreakdown, SpendRow


class Side(StrEnum):
    """What a row stands for."""

    WORKSTREAM = "workstream"
    ATTEMPT = "attempt"
    MODEL = "model"
    WAVE = "wave"
    OUTCOME = "outcome"


class Order(StrEnum):
    """What rows are sorted by."""

    COST = "cost"
    TOKENS_IN = "in"
    CACHED = "cached"
    TOKENS_OUT = "out"
    THOUGHT = "thought"
    TRIES = "tries"
    NAME = "name"


SIDES, ORDERS = tuple(Side), tuple(Order)


def rows_of(breakdown: CostBreakdown, side: Side) -> tuple[SpendRow, ...]:
    """The rows of one side."""
    return {
        Side.WORKSTREAM: breakdown.by_workstream,
        Side.ATTEMPT: breakdown.by_attempt,
        Side.MODEL: breakdown.by_model,
        Side.WAVE: breakdown.by_wave,
        Side.OUTCOME: breakdown.by_outcome,
    }[side]


def total_of(rows: Sequence[SpendRow]) -> SpendRow:
    """All rows together."""
    return SpendRow(
        label="all",
        usd=sum(row.usd for row in rows),
        estimated_usd=sum(row.estimated_usd for row in rows),
        attempts=sum(row.attempts for row in rows),
        tokens_in=sum(row.tokens_in for row in rows),
        tokens_out=sum(row.tokens_out for row in rows),
        tokens_cached=sum(row.tokens_cached for row in rows),
        tokens_reasoning=sum(row.tokens_reasoning for row in rows),
        unpriced=sum(row.unpriced for row in rows),
        wasted_usd=sum(row.wasted_usd for row in rows),
        outcomes=tuple(dict.fromkeys(outcome for row in rows for outcome in row.outcomes)),
    )


def wasted_for(row: SpendRow) -> str:
    """Why some of it was wasted: `failed, retried`; empty where nothing was."""
    return ", ".join(outcome for outcome in row.outcomes if outcome in WASTED)


_FIGURES: Mapping[Order, Callable[[SpendRow], float]] = {
    Order.COST: lambda row: row.usd,
    Order.TOKENS_IN: lambda row: row.tokens_in,
    Order.CACHED: lambda row: row.tokens_cached,
    Order.TOKENS_OUT: lambda row: row.tokens_out,
    Order.THOUGHT: lambda row: row.tokens_reasoning,
    Order.TRIES: lambda row: row.attempts,
}


def ordered(rows: Iterable[SpendRow], order: Order, *, turned: bool = False) -> tuple[SpendRow, ...]:
    """The greatest first, names from a to z; where figures are equal, tokens and then names decide.

    `turned` puts the last first.
    """
    figure = _FIGURES.get(order)
    if figure is None:
        found = sorted(rows, key=_natural)
    else:
        found = sorted(rows, key=lambda row: (-figure(row), -row.tokens_in - row.tokens_out, _natural(row)))
    return tuple(reversed(found) if turned else found)


def _natural(row: SpendRow) -> list[tuple[int, str]]:
    """Names in the order of the numbers in them: wave 2 before wave 10."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", row.label)]


def weight(row: SpendRow, order: Order, *, metered: bool) -> float:
    """What a row's share is counted in: the tokens it is sorted by, else money, or all tokens where none was spent."""
    if order in (Order.TOKENS_IN, Order.CACHED, Order.TOKENS_OUT, Order.THOUGHT):
        return _FIGURES[order](row)
    return row.usd if metered else row.tokens_in + row.tokens_out
