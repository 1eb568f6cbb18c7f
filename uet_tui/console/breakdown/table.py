"""The table of the breakdown: a line a row, with as many columns as there is room for."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from uet_tui.console.amounts import tokens
from uet_tui.console.breakdown.sides import Order, Side, ordered, total_of, weight
from uet_tui.console.breakdown.words import became, lost, outcome_look, row_price
from uet_tui.console.format import CARE, QUIET, bar, cell, right, share
from uet_tui.console.rows import RowList
from uet_tui.store.cost_views import SpendRow

_COST, _TOKENS, _TRIES, _AGENT = 10, 7, 6, 13
_NAME, _NAME_WIDEST = 14, 40
_WHY, _WHY_WIDEST = 16, 28
_BAR, _BAR_WIDEST = 8, 28
_ROOM_FOR_NAMES = 12
"""How much more a long name gets than the least, before a column takes the room."""
_WITH_PERCENT = 14
"""Columns from which on a bar has its percentage behind it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide each column is; 0 leaves it out."""

    name: int
    agent: int
    cost: int
    bar: int
    cached: int
    thought: int
    tries: int
    why: int


def layout(width: int, side: Side, longest: int) -> Layout:
    """What fits in a width: name, cost and tokens always; then why it was wasted, the bar, and the rest.

    Args:
        width: of the lines.
        side: what a row stands for; an attempt has no number of tries.
        longest: cells of the longest name.
    """
    left = width - _COST - 2 * _TOKENS - _NAME
    taken: dict[str, int] = {}
    for column, size in (
        ("why", _WHY),
        ("bar", _BAR),
        ("tries", 0 if side is Side.ATTEMPT else _TRIES),
        ("agent", 0 if side is Side.MODEL else _AGENT),
        ("cached", _TOKENS),
        ("thought", _TOKENS + 1),
    ):
        wanted = size if left >= size + min(_ROOM_FOR_NAMES, max(0, longest - _NAME)) else 0
        taken[column] = wanted
        left -= wanted
    name = max(min(width, _NAME), min(_NAME_WIDEST, longest, _NAME + left))
    left -= name - _NAME
    if taken["why"] and left > 0:
        more = min(left, _WHY_WIDEST - taken["why"])
        taken["why"] += more
        left -= more
    if taken["bar"] and left > 0:
        taken["bar"] = min(taken["bar"] + left, _BAR_WIDEST)
    return Layout(name=name, cost=_COST, **taken)


class CostTable(RowList):
    """Rows of one side, sorted, with their sum above them."""

    def __init__(self) -> None:
        super().__init__(id="breakdown")
        self._side = Side.WORKSTREAM
        self._order = Order.COST
        self._turned = False
        self._rows: tuple[SpendRow, ...] = ()
        self._total = total_of(())
        self._longest = 0

    def put(self, rows: Sequence[SpendRow], side: Side, order: Order, *, turned: bool) -> None:
        """Takes the rows; the cursor stays on its own as far as it is still there."""
        with self.keeping_place():
            self._side, self._order, self._turned = side, order, turned
            self._rows = ordered(rows, order, turned=turned)
            self._total = total_of(rows)
            self._longest = max((cell_len(one.label) for one in rows), default=0)

    @property
    def row(self) -> SpendRow | None:
        """The one under the cursor."""
        return self._rows[self._cursor] if self.selected is not None else None

    @property
    def total(self) -> SpendRow:
        """All rows together."""
        return self._total

    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def key_at(self, index: int) -> str:
        """What stands at its beginning."""
        return self._rows[index].label

    def empty(self) -> str:
        """Said while nothing has been used."""
        return "Nothing used yet. What agents use appears here as they report it: money, tokens, and what came of it."

    def heading(self, width: int) -> tuple[Content, ...]:
        """The names of the columns, each of them to be sorted by, and the sum."""
        if not self._rows:
            return ()
        at = layout(width, self._side, self._longest)
        names = Content.assemble(
            self._named(Order.NAME, self._side.value, at.name),
            cell(" agent", at.agent),
            self._named(Order.COST, "cost", at.cost),
            cell("  share", at.bar),
            self._named(Order.TOKENS_IN, "in", _TOKENS),
            self._named(Order.CACHED, "cached", at.cached),
            self._named(Order.TOKENS_OUT, "out", _TOKENS),
            self._named(Order.THOUGHT, "thought", at.thought),
            self._named(Order.TRIES, "tries", at.tries),
            cell("  what became" if self._side is Side.ATTEMPT else "  wasted", at.why),
        )
        return names, self._line(self._total, at).stylize("bold")

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """One row."""
        return (self._line(self._rows[index], layout(width, self._side, self._longest)),)

    def _named(self, order: Order, word: str, width: int) -> Content:
        """The name of a column, with an arrow where it is sorted by; a click sorts by it."""
        if not width:
            return Content("")
        names = order is Order.NAME
        arrow = ("▲" if names is not self._turned else "▼") if order is self._order else ""
        text = cell(word + arrow, width) if names else right(word + arrow, width)
        named = Content.styled(text, Style.from_meta({"@click": f"screen.sort({order.value!r})"}))
        return named.stylize("bold $text-accent") if arrow else named

    def _line(self, row: SpendRow, at: Layout) -> Content:
        is_total = row is self._total
        metered = self._total.usd > 0
        part = share(weight(row, self._order, metered=metered), weight(self._total, self._order, metered=metered))
        return Content.assemble(
            self._label(row, at.name),
            (cell(f" {row.agent}", at.agent), QUIET),
            (right(row_price(row), at.cost), CARE if row.unpriced else ""),
            (" " * at.bar if is_total else drawn_share(part, at.bar), "$text-accent"),
            right(tokens(row.tokens_in), _TOKENS),
            (right(tokens(row.tokens_cached), at.cached), QUIET),
            right(tokens(row.tokens_out), _TOKENS),
            (right(tokens(row.tokens_reasoning), at.thought), QUIET),
            right(str(row.attempts), at.tries),
            became(row, at.why) if self._side is Side.ATTEMPT and not is_total else lost(row, at.why),
        )

    def _label(self, row: SpendRow, width: int) -> Content:
        if self._side is not Side.OUTCOME or row is self._total:
            return Content(cell(row.label, width))
        look = outcome_look(row.label)
        return Content.styled(cell(f"{look.glyph} {look.word}", width), look.style)


def drawn_share(part: float, width: int) -> str:
    """A bar, and the percentage behind it where there is room."""
    if width < _WITH_PERCENT:
        return "  " + bar(part, width - 2, empty=" ") if width else ""
    return f"  {bar(part, width - 8, empty=' ')} {round(part * 100):>3} %"
