"""What merging active workstreams would come to, as a matrix with the pairs below it, and as a document."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from uet_tui.core.states import WORKSTREAM_FORECAST
from uet_tui.report import documents
from uet_tui.report.cells import cell, columns, state
from uet_tui.report.words import between, clock, several
from uet_tui.store.conflict_views import PairView
from uet_tui.store.views import RunView, WorkstreamView

_MARKS = {"conflict": ("≠", "bold red"), "same file": ("~", "yellow")}
_CLEAN = "·"
_WIDEST = 30
"""Workstreams above which there is no matrix: its lines would be cut. The pairs say it all."""
_FILES = 3


def table(view: RunView, now: datetime) -> RenderableType:
    """The matrix of active workstreams, and below it where two of them meet, conflicts first."""
    active = _active(view)
    if len(active) < 2:
        return Text("fewer than two workstreams are active: there is nothing to compare")
    pairs = _pairs(view, active)
    counted = [f"{several(len(active), 'workstream')} active"]
    for verdict, one, many in (("conflict", "conflict", "conflicts"), ("same file", "same file", "same file")):
        if found := sum(pair.verdict == verdict for pair in pairs):
            counted.append(f"{_MARKS[verdict][0]} {several(found, one, many)}")
    if not pairs:
        counted.append("all clean together")
    parts: list[RenderableType] = [Text("   ".join(counted))]
    if len(active) <= _WIDEST:
        parts += [Text(), *_matrix(active, pairs)]
    if pairs:
        parts += [Text(), _list(pairs, now)]
    return Group(*parts)


def _active(view: RunView) -> Sequence[WorkstreamView]:
    return [one for one in view.workstreams if one.state in WORKSTREAM_FORECAST]


def _pairs(view: RunView, active: Sequence[WorkstreamView]) -> Sequence[PairView]:
    ids = {one.id for one in active}
    return [pair for pair in view.pairs if {pair.first, pair.second} <= ids]


def _matrix(active: Sequence[WorkstreamView], pairs: Sequence[PairView]) -> Iterable[RenderableType]:
    verdicts = {frozenset((pair.first, pair.second)): pair.verdict for pair in pairs}
    numbers = [str(n) for n in range(1, len(active) + 1)]
    grid = columns("#", "workstream", "state", *numbers, right=frozenset({"#"}))
    for n, row in enumerate(active):
        wish = "  held" if row.held else "  first" if row.first else ""
        marks = [
            Text("╲", "dim") if row.id == other.id else _mark(verdicts.get(frozenset((row.id, other.id))))
            for other in active
        ]
        grid.add_row(numbers[n], cell(row.id), state(row.state.value) + Text(wish, "yellow"), *marks)
    yield grid
    yield Text(f"{_CLEAN} clean   ~ same file, merges   ≠ would conflict", "dim")


def _mark(verdict: str | None) -> Text:
    return Text(*_MARKS[verdict]) if verdict else Text(_CLEAN, "dim")


def _list(pairs: Sequence[PairView], now: datetime) -> RenderableType:
    rows = columns("first", "second", "verdict", "for", "where")
    for pair in pairs:
        more = f" and {len(pair.files) - _FILES} more" if len(pair.files) > _FILES else ""
        glyph, look = _MARKS[pair.verdict]
        rows.add_row(
            cell(pair.first),
            cell(pair.second),
            Text(f"{glyph} {pair.verdict}", look),
            clock(between(pair.since, None, now)),
            cell(", ".join(pair.files[:_FILES]) + more),
        )
    return rows


def document(view: RunView) -> documents.Document:
    """The same as `uet forecast --json`: pairs that are not in it are clean together."""
    active = _active(view)
    return {
        "run": view.id,
        "active": [{"id": one.id, "state": one.state.value, "held": one.held, "first": one.first} for one in active],
        "pairs": [documents.pair(one) for one in _pairs(view, active)],
    }
