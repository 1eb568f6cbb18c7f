"""What the forecast says of branches and pairs of them: pure functions from views to lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from textual.content import Content

from uet_tui.console.format import QUIET, age, cell, clock, pair_look, plural, workstream_look
from uet_tui.core.states import WORKSTREAM_FORECAST
from uet_tui.store.conflict_views import PairView
from uet_tui.store.views import RunView, WorkstreamView

HELD, FIRST = "⏸", "↑"
"""What marks a branch that is held, and one that is merged first."""

Pairs = Mapping[frozenset[str], PairView]
"""Pairs by the two that they are of; clean ones are not in it."""


def active(view: RunView) -> tuple[WorkstreamView, ...]:
    """The workstreams whose branches the forecast compares."""
    return tuple(ws for ws in view.workstreams if ws.state in WORKSTREAM_FORECAST)


def pairs_of(view: RunView) -> Pairs:
    """The pairs that are not clean, of branches that are still active: the forecast may be a moment behind."""
    ids = {ws.id for ws in active(view)}
    return {frozenset((pair.first, pair.second)): pair for pair in view.pairs if {pair.first, pair.second} <= ids}


def headline(branches: Sequence[WorkstreamView], pairs: Pairs, run: str) -> Content:
    """How many branches, and how many of their pairs are not clean."""
    found = [pair.verdict for pair in pairs.values()]
    parts = [Content.styled("Forecast", "bold"), Content(plural(len(branches), "active branch", "active branches"))]
    for verdict, one, many in (("conflict", "conflict", "conflicts"), ("same file", "same file", "same file")):
        if count := found.count(verdict):
            look = pair_look(verdict)
            parts.append(Content.styled(f"{look.glyph} {plural(count, one, many)}", look.style))
    if len(branches) > 1 and not found:
        parts.append(Content("all are clean together"))
    return Content("   ").join([*parts, Content.styled(f"run {run}", QUIET)])


def mark(ws: WorkstreamView) -> str:
    """A glyph for what the operator wants of its merge."""
    return HELD if ws.held else FIRST if ws.first else " "


def branch_line(ws: WorkstreamView, width: int, name: str = "") -> Content:
    """A branch: its state, what the operator wants of it, and its first task."""
    look = workstream_look(ws.state)
    wish = "held  " if ws.held else "first  " if ws.first else ""
    said = " · ".join(text for text in (ws.tasks[:1] or ("",))[0].splitlines()[:1] if text)
    begin = Content.assemble(
        (f"{name:<8}" if name else "", QUIET),
        (f"{look.glyph} {cell(look.word, 11)}", look.style),
        (f"{ws.id}  ", "bold"),
        (f"{HELD if ws.held else FIRST} {wish}" if wish else "", "bold $text-warning"),
    )
    return begin + Content.styled(cell(said, width - begin.cell_length), QUIET)


def verdict_line(pair: PairView | None, now: datetime) -> Content:
    """What merging the two would come to, since when, and where."""
    if pair is None:
        return Content("clean together: they changed no file in common")
    look = pair_look(pair.verdict)
    return Content.assemble(
        (f"{look.glyph} {look.word}", look.style),
        (f"  since {clock(pair.since)}, {age(pair.since, now)}  ", QUIET),
        f"in {places(pair.files)}" if pair.files else "",
    )


def places(files: Sequence[str], shown: int = 3) -> str:
    """The first few paths, and how many more there are."""
    more = f" and {len(files) - shown} more" if len(files) > shown else ""
    return ", ".join(files[:shown]) + more


def detail(
    row: WorkstreamView, column: WorkstreamView, pairs: Pairs, now: datetime, width: int
) -> tuple[Content, Content, Content]:
    """What is known of the cell under the cursor, in three lines."""
    if row.id == column.id:
        met = [pair for ids, pair in pairs.items() if row.id in ids]
        others = ", ".join(pair.second if pair.first == row.id else pair.first for pair in met)
        said = f"meets {others}" if others else "clean with all others"
        return Content(cell(said, width)), branch_line(row, width, "branch"), Content.styled(row.reason, QUIET)
    found = verdict_line(pairs.get(frozenset((row.id, column.id))), now)
    return found, branch_line(row, width, "row"), branch_line(column, width, "column")
