"""The money of a run, in full: as a document, as tables for people, and as CSV."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Final, Literal, get_args

from rich.console import Group, RenderableType
from rich.text import Text

from uet_tui.report.cells import cell, columns
from uet_tui.report.words import iso, local_time, money, several
from uet_tui.store.cost_views import CostBreakdown, CostView, OverrideView, ProviderView, SpendRow

By = Literal["workstream", "attempt", "model", "wave", "outcome"]
"""A way to look at what was spent."""

_NUMBERS = frozenset({"cost", "agents", "in", "cached", "out", "thinking", "no price"})
_COLUMNS: Final = (
    "by",
    "label",
    "workstream",
    "attempt",
    "agent",
    "cost_usd",
    "estimated_usd",
    "attempts",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "tokens_reasoning",
    "unpriced",
)
_FORMULA = ("=", "+", "-", "@", "\t")
"""How text begins that a spreadsheet would carry out."""


def rows(breakdown: CostBreakdown, by: By) -> Sequence[SpendRow]:
    """What was spent, looked at in one way."""
    match by:
        case "workstream":
            return breakdown.by_workstream
        case "attempt":
            return breakdown.by_attempt
        case "model":
            return breakdown.by_model
        case "wave":
            return breakdown.by_wave
        case "outcome":
            return breakdown.by_outcome


def document(
    run: str, view: CostView, breakdown: CostBreakdown, providers: Sequence[ProviderView]
) -> Mapping[str, object]:
    """`uet costs --json`."""
    workstreams = [
        {
            "workstream": row.workstream,
            "agent": row.agent,
            "cost_usd": row.usd,
            "attempts": row.attempts,
            "tokens_in": row.tokens_in,
            "tokens_out": row.tokens_out,
            "tokens_cached": row.tokens_cached,
            "tokens_reasoning": row.tokens_reasoning,
            "unpriced": row.unpriced,
        }
        for row in view.rows
    ]
    return {
        "run": run,
        "spent_usd": view.spent_usd,
        "reserved_usd": view.reserved_usd,
        "budget_usd": view.budget_usd,
        "phase_budget_usd": view.phase_budget_usd,
        "task_budget_usd": view.task_budget_usd,
        "stage": view.stage.value,
        "note": view.note,
        "overrides": [_override(one) for one in view.overrides],
        "per_minute_usd": view.per_minute_usd,
        "landed_usd": view.landed_usd,
        "wasted_usd": view.wasted_usd,
        "estimated_usd": view.estimated_usd,
        "unpriced": view.unpriced,
        "retries": view.retries,
        "forecast_usd": view.forecast_usd,
        "tokens_in": view.tokens_in,
        "tokens_out": view.tokens_out,
        "tokens_cached": view.tokens_cached,
        "tokens_reasoning": view.tokens_reasoning,
        "workstreams": workstreams,
        "providers": [_provider(one) for one in providers],
        "breakdown": {by: [_spent(row) for row in rows(breakdown, by)] for by in get_args(By)},
    }


def _override(view: OverrideView) -> Mapping[str, object]:
    return {
        "limit": view.limit,
        "former_usd": view.former_usd,
        "by": view.by,
        "reason": view.reason,
        "since": iso(view.since),
        "expires_at": iso(view.expires_at),
    }


def _provider(view: ProviderView) -> Mapping[str, object]:
    return {
        "provider": view.name,
        "state": view.state.value,
        "until": iso(view.until),
        "reason": view.reason,
        "running": view.running,
        "limit": view.limit,
    }


def _spent(row: SpendRow) -> Mapping[str, object]:
    return {
        "label": row.label,
        "workstream": row.workstream or None,
        "attempt": row.attempt or None,
        "agent": row.agent or None,
        "cost_usd": row.usd,
        "estimated_usd": row.estimated_usd,
        "attempts": row.attempts,
        "tokens_in": row.tokens_in,
        "tokens_cached": row.tokens_cached,
        "tokens_out": row.tokens_out,
        "tokens_reasoning": row.tokens_reasoning,
        "unpriced": row.unpriced,
    }


def table(view: CostView, spent: Sequence[SpendRow], by: By) -> RenderableType:
    """`uet costs` for people: what there is to say of the whole, then the rows of one way to look at it."""
    found = columns("cost", "agents", "in", "cached", "out", "thinking", "no price", by, right=_NUMBERS)
    for row in spent:
        tokens = (row.tokens_in, row.tokens_cached, row.tokens_out, row.tokens_reasoning)
        numbers = (_cost(row), str(row.attempts), *(f"{count:,}" for count in tokens), str(row.unpriced or ""))
        label = row.label if by != "workstream" or not row.agent else f"{row.label} ({row.agent})"
        found.add_row(*numbers, cell(label))
    return Group(*_whole(view), Text(), found)


def _cost(row: SpendRow) -> str:
    """Money with its marks: `~` comes from a list of prices, `?` is what nobody knows the price of, never nothing."""
    if row.unpriced and not row.usd:
        return "?"
    return f"{'~' if row.estimated_usd else ''}{money(row.usd)}{'+?' if row.unpriced else ''}"


def _whole(view: CostView) -> Iterable[Text]:
    left = None if view.budget_usd is None else view.budget_usd - view.spent_usd - view.reserved_usd
    first = f"spent {money(view.spent_usd)}   reserved {money(view.reserved_usd)}"
    yield Text(
        first + (f"   left {money(left)} of {money(view.budget_usd or 0)}" if left is not None else "   no limit")
    )
    second = f"landed {money(view.landed_usd)}   wasted {money(view.wasted_usd)}"
    second += f" ({several(view.retries, 'retry', 'retries')})   {money(view.per_minute_usd)}/min"
    yield Text(second + (f"   forecast {money(view.forecast_usd)}" if view.forecast_usd is not None else ""))
    if view.estimated_usd:
        yield Text(f"~ {money(view.estimated_usd)} of it is from lists of prices, not told by the agents")
    if view.unpriced:
        told = several(view.unpriced, "report of use has", "reports of use have")
        yield cell(f"{told} no known price and is not in this: declare it under budget.models", "yellow")
    if view.note:
        yield cell(view.note, "yellow")
    for one in view.overrides:
        former = "no limit" if one.former_usd is None else money(one.former_usd)
        until = f", until {local_time(one.expires_at)}" if one.expires_at else ""
        why = f": {one.reason}" if one.reason else ""
        yield cell(f"{one.limit} limit changed by {one.by} (was {former}{until}){why}")


def lines(breakdown: CostBreakdown, ways: Iterable[By]) -> str:
    """`uet costs --csv`: one line for each row of each way to look at it, under a line of names."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for by in ways:
        for row in rows(breakdown, by):
            values = {"by": by, **_spent(row)}
            writer.writerow([_plain(values[name]) for name in _COLUMNS])
    return text.getvalue()


def _plain(value: object) -> object:
    """A value that a spreadsheet takes for what it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
