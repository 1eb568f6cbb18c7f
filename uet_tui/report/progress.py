"""A headless run while it goes on: a live display on a terminal, one line an event elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from uet_tui.core import vocabulary
from uet_tui.report import tables
from uet_tui.store.queries import Reader
from uet_tui.store.views import EventView, RunView

_POLL_SECONDS: Final = 0.1
_REDRAW_SECONDS: Final = 1.0
"""How often the display is drawn again when nothing happened: its clocks go on."""
_PAGE: Final = 1000
_BAR_WIDTH: Final = 30
_NOTABLE: Final = frozenset(
    {vocabulary.WORKSTREAM_MERGED, vocabulary.CONFLICT_RESOLVED, vocabulary.RUN_LANDED, vocabulary.OPERATOR_COMMAND}
)
"""Events that stay above the live display even though nothing is wrong."""


def follow(reader: Reader, run: str, stop: Event, console: Console, *, after: int = 0) -> None:
    """Shows what happens in a run until `stop` is set and everything that had happened by then is shown.

    Args:
        reader: Used by this thread alone meanwhile.
        run: The run's full id.
        stop: Set by whoever knows that the orchestrator has ended.
        console: Where to; standard error where standard output is for a document.
        after: The last event that was told before, as when a run is resumed.

    The live display is gone at the end: how the run ended is the caller's to say.
    """
    if console.is_terminal:
        _draw(reader, run, stop, console, after)
    else:
        for batch in _batches(reader, run, stop, after):
            for event in batch:
                if event.severity != "debug":
                    console.print(tables.event(event), soft_wrap=True)


def _batches(reader: Reader, run: str, stop: Event, after: int) -> Iterator[tuple[EventView, ...]]:
    """What happened since the last look, at every look; ends with one that began after `stop` was set."""
    seen = -1
    while True:
        last_look, revision = stop.is_set(), reader.revision(run)
        if revision != seen:
            seen = revision
            while page := reader.events(run, after=after, limit=_PAGE):
                after = page[-1].id
                yield page
        yield ()
        if last_look:
            return
        stop.wait(_POLL_SECONDS)


def _draw(reader: Reader, run: str, stop: Event, console: Console, after: int) -> None:
    view, drawn = reader.run(run), datetime.now(UTC)
    with Live(display(view, drawn), console=console, auto_refresh=False, transient=True) as live:
        for batch in _batches(reader, run, stop, after):
            for event in batch:
                if event.severity in ("warning", "error") or event.type in _NOTABLE:
                    live.console.print(tables.event(event))
            now = datetime.now(UTC)
            if batch or (now - drawn).total_seconds() >= _REDRAW_SECONDS or stop.is_set():
                view, drawn = reader.run(run), now
                live.update(display(view, now), refresh=True)


def display(view: RunView, now: datetime) -> RenderableType:
    """How far it is, who does what, what it costs, what needs the operator."""
    bar = Table.grid(padding=(0, 2, 0, 0))
    total = max(1, len(view.workstreams))
    bar.add_row(ProgressBar(total, view.merged, width=_BAR_WIDTH), tables.headline(view, now))
    busy = [worker for worker in view.workers if worker.workstream]
    parts: list[RenderableType] = [bar, tables.spending(view)]
    if busy:
        parts.append(tables.workers(busy, now))
    parts += [Text(notice, style="yellow") for notice in view.notices]
    return Group(*parts, *tables.needs(view.needs), Text())
