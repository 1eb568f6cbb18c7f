"""The events pane: what happened, newest last, following until the operator looks back."""

from bisect import bisect_left
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from uet_tui.console.format import cell, clock, event_look
from uet_tui.console.home.pane import Pane, matches
from uet_tui.store.views import EventView, RunView

KEPT = 100_000
"""How many events the pane remembers; older ones stay in the store."""
_SLACK = 5_000


class EventsPane(Pane):
    """A line an event; a filter leaves out what has not all its words."""

    number = 3
    title = "Events"
    HELP = """
### Events
What happened, newest last. Going up stops following; `G` goes back to the newest.

`/` leaves out what has not all the words: of the text, the type, the severity or the workstream.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("F", "follow", "follow", id="events.follow", tooltip="Follow the newest event", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._events: list[EventView] = []
        self._shown = self._events
        self._following = True
        self._unseen = 0

    def show(self, view: RunView) -> None:
        """The pane lives on events alone."""

    def tick(self, now: datetime) -> None:
        """Times of day do not age."""

    def add(self, events: tuple[EventView, ...]) -> None:
        """Takes new events, oldest first; follows them, or counts them where the operator looks back."""
        newest = self._events[-1].id if self._events else 0
        new = [event for event in events if event.id > newest]
        if not new:
            return
        if self.scroll_offset.y < self.max_scroll_y:
            self._following = False
        with self.keeping_place():
            self._events += new
            visible = [event for event in new if self._matches(event)]
            if self._shown is not self._events:
                self._shown += visible
            if len(self._events) > KEPT + _SLACK:
                self._forget()
        self._unseen = 0 if self._following else self._unseen + len(visible)
        if self._following:
            self.action_last()
        self._tell()

    def sift(self) -> None:
        """Works out which events match."""
        self._shown = [e for e in self._events if self._matches(e)] if self.filter else self._events
        self._unseen = 0

    def narrow(self, words: str) -> None:
        """Shows only events with all these words; the newest of them stays in sight while following."""
        super().narrow(words)
        if self._following:
            self.action_last()
        self._tell()

    def _matches(self, event: EventView) -> bool:
        about = f"{event.type} {event.severity} {event.text} {event.workstream or ''}"
        return not self.filter or matches(self.filter, about)

    def _forget(self) -> None:
        del self._events[:-KEPT]
        if self._shown is not self._events:
            oldest = self._events[0].id
            del self._shown[: bisect_left(self._shown, oldest, key=lambda e: e.id)]

    def _tell(self) -> None:
        """Says in the border what is filtered and whether the pane follows."""
        words = f"/ {self.filter}  " if self.filter else "/ filter  "
        state = "follow" if self._following else f"+{self._unseen} new  G" if self._unseen else "F follow"
        self.border_subtitle = Content(words + state)

    def _go(self, index: int) -> None:
        """Follows when the cursor is on the newest event, and only then."""
        super()._go(index)
        self._following = self._cursor >= len(self._shown) - 1
        if self._following:
            self._unseen = 0
        self._tell()

    def action_follow(self) -> None:
        """Goes to the newest event and follows."""
        self.action_last()

    def workstream(self) -> str | None:
        """The workstream that the event under the cursor is about."""
        return self._shown[self._cursor].workstream if self.selected is not None else None

    def count(self) -> int:
        """Events that match."""
        return len(self._shown)

    def key_at(self, index: int) -> str:
        """The event's id."""
        return str(self._shown[index].id)

    def index_of(self, key: str) -> int | None:
        """Where an event is: ids grow."""
        at = bisect_left(self._shown, int(key), key=lambda e: e.id)
        return at if at < len(self._shown) and self._shown[at].id == int(key) else None

    def empty(self) -> str:
        """Said before the first event, or when the filter leaves none."""
        if self.filter:
            return "No event matches the filter. escape clears it."
        return "Everything that happens is told here, newest last. / filters it."

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """Time, glyph and text."""
        return (event_line(self._shown[index], width),)


def event_line(event: EventView, width: int) -> Content:
    """`14:03:22  ✓ ws-09-spec-tools merged as 3f2c1ab`."""
    look = event_look(event.type, event.severity)
    return Content.assemble(
        (clock(event.time), "$foreground-muted"), "  ", (f"{look.glyph} {cell(event.text, width - 12)}", look.style)
    )


class LastEvent(Widget):
    """The newest event, for where the pane is out of sight."""

    def __init__(self) -> None:
        super().__init__(id="last-event")
        self._event: EventView | None = None

    def add(self, events: tuple[EventView, ...]) -> None:
        """Takes events that have not been seen yet, oldest first."""
        self._event = events[-1] if events else self._event
        self.refresh()

    def render(self) -> Content:
        """The event in as much room as there is now."""
        return event_line(self._event, self.content_size.width) if self._event is not None else Content("")
