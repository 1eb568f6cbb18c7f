"""What the breakdown says of rows: pure functions from values to lines."""

from collections.abc import Mapping

from textual.content import Content

from uet_tui.console.amounts import NOTHING, price, spent
from uet_tui.console.breakdown.sides import wasted_for
from uet_tui.console.fit import Part, fit
from uet_tui.console.format import BAD, BUSY, CARE, GOOD, QUIET, Look, cell, money, plural, share
from uet_tui.store.cost_views import SpendRow
from uet_tui.store.views import RunView

_OUTCOMES: Mapping[str, tuple[str, str]] = {
    "merged": ("✓", GOOD),
    "under way": ("▶", BUSY),
    "retried": ("↻", CARE),
    "failed": ("✗", BAD),
    "conflicts": ("≠", CARE),
}


def outcome_look(outcome: str) -> Look:
    """How what became of attempts is shown."""
    glyph, style = _OUTCOMES.get(outcome, ("·", QUIET))
    return Look(glyph, outcome, style)


def row_price(row: SpendRow) -> str:
    """What a row cost, with the marks of what is unknown or estimated; a dash where no money was paid."""
    if not row.usd and not row.unpriced:
        return NOTHING
    return price(row.usd, unknown=bool(row.unpriced), estimated=bool(row.estimated_usd))


def became(row: SpendRow, width: int) -> Content:
    """What became of an attempt."""
    looks = [outcome_look(outcome) for outcome in row.outcomes]
    said = " ".join(f"{look.glyph} {look.word}" for look in looks)
    return Content.styled(cell(f"  {said}", width), looks[0].style if len(looks) == 1 else "")


def lost(row: SpendRow, width: int) -> Content:
    """How much of it was wasted, and why; blank where nothing was."""
    why = wasted_for(row)
    if not why and not row.wasted_usd:
        return Content(" " * max(0, width))
    amount = f"{money(row.wasted_usd)} " if row.wasted_usd else ""
    return Content.styled(cell(f"  {amount}{why}", width), CARE)


def unknown_prices(reports: int) -> Content:
    """`3 reports: price unknown`; empty where all prices are known."""
    return Content.styled(f"{plural(reports, 'report')}: price unknown" if reports else "", CARE)


def headline(view: RunView, width: int) -> Content:
    """Where the money stands, in one line."""
    costs = view.costs
    limit = "" if costs.budget_usd is None else f" of {money(costs.budget_usd)}"
    parts = [
        Part(Content.styled("Costs", "bold"), 5),
        Part(Content(f"{spent(costs)} spent{limit}"), 0),
        Part(Content(f"{money(costs.reserved_usd)} reserved" if costs.reserved_usd else ""), 4),
        Part(Content.styled(f"{money(costs.landed_usd)} landed", GOOD if costs.landed_usd else QUIET), 3),
        Part(Content.styled(f"{money(costs.wasted_usd)} wasted", CARE if costs.wasted_usd else QUIET), 2),
        Part(unknown_prices(costs.unpriced), 1),
        Part(Content.styled(f"run {view.id}", QUIET), 6),
    ]
    return fit(parts, width + 2)[1:]


def detail(row: SpendRow, total: SpendRow, width: int) -> Content:
    """Everything about one row, in three lines."""
    part = f", {round(share(row.usd, total.usd) * 100)} % of all" if total.usd else ""
    first = [Content.assemble((row.label, "bold"), f"  {row_price(row)}{part}")]
    if row.unpriced:
        first.append(unknown_prices(row.unpriced))
    if row.estimated_usd:
        first.append(Content.styled(f"~ {money(row.estimated_usd)} of it from a list of prices", QUIET))
    cached = f", {row.tokens_cached:,} of it cached" if row.tokens_cached else ""
    thought = f", {row.tokens_reasoning:,} of it thought" if row.tokens_reasoning else ""
    second = Content(f"{row.tokens_in:,} tokens in{cached}   {row.tokens_out:,} out{thought}")
    who = f" by {row.agent}" if row.agent else ""
    third = Content.styled(f"{plural(row.attempts, 'attempt')}{who}", QUIET)
    if (why := wasted_for(row)) or row.wasted_usd:
        third += Content.styled(f"   {money(row.wasted_usd)} wasted: {why}" if row.wasted_usd else f"   {why}", CARE)
    return Content("\n").join(
        line.truncate(width, ellipsis=True) for line in (Content("   ").join(first), second, third)
    )
