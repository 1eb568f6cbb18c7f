"""A list that draws only the lines in sight: the ground of every pane.

No widget per row, and a row is formatted when it is drawn, so a thousand workstreams or a hundred thousand events cost
what fits on the screen. Rows are known by keys: the cursor and the scroll stay with what they were on while rows come,
go and change around them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

CURSOR, CURSOR_AWAY = "▌", "▏"
"""What marks the cursor's line, with the focus and without."""


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Items of one or more lines each, with a cursor; subclasses say what the items are."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rowlist--cursor", "rowlist--heading", "rowlist--empty"}
    DEFAULT_CSS = """
    RowList {
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
        & > .rowlist--heading { color: $text-muted; }
        & > .rowlist--empty { color: $text-muted; }
        & > .rowlist--cursor { background: $foreground 6%; }
        &:focus > .rowlist--cursor { background: $primary 35%; text-style: bold; }
        &:focus:nocolor > .rowlist--cursor { text-style: reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="list.open", key_display="enter", tooltip="Open what the cursor is on"),
        Binding("up", "move(-1)", "Up", id="list.up", show=False, system=True),
        Binding("down,j", "move(1)", "Down", id="list.down", show=False, system=True),
        Binding("pageup", "page(-1)", "Page up", id="list.page_up", show=False, system=True),
        Binding("pagedown", "page(1)", "Page down", id="list.page_down", show=False, system=True),
        Binding("home,g", "first", "First", id="list.first", show=False),
        Binding("end,G", "last", "Last", id="list.last", show=False),
    ]

    item_lines: ClassVar[int] = 1
    """How many lines each item takes."""

    @dataclass
    class Moved(Message):
        """The cursor is on another item."""

        rows: "RowList"

    @dataclass
    class Opened(Message):
        """The operator wants to see more of an item."""

        rows: "RowList"
        key: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._cursor = 0
        self._drawn: dict[int, Content] = {}
        """What was last drawn on each line of the widget, its marks and colours as a whole left out."""

    def count(self) -> int:
        """How many items there are."""
        return 0

    def key_at(self, index: int) -> str:
        """What an item is known by."""
        raise NotImplementedError

    def index_of(self, key: str) -> int | None:
        """Where the item with this key is."""
        return next((i for i in range(self.count()) if self.key_at(i) == key), None)

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """The lines of an item, `item_lines` of them."""
        raise NotImplementedError

    def heading(self, width: int) -> tuple[Content, ...]:
        """Lines that stand above the items and do not scroll."""
        return ()

    def empty(self) -> str:
        """What is said where there are no items: what will appear here, and what to press."""
        return ""

    @property
    def selected(self) -> str | None:
        """The key of the item that the cursor is on."""
        return self.key_at(self._cursor) if 0 <= self._cursor < self.count() else None

    def select(self, key: str) -> bool:
        """Puts the cursor on an item, if it is there, and brings it into sight."""
        if (index := self.index_of(key)) is None:
            return False
        self._go(index)
        return True

    @contextmanager
    def keeping_place(self, *, at_top: bool = False) -> Iterator[None]:
        """Lets items change inside; the cursor stays on its item, and the item in sight stays where it is.

        Args:
            at_top: a list that is at its top stays there, and what comes above its first item is seen.
        """
        if at_top and self._cursor == 0 and self.scroll_offset.y == 0:
            yield
            self._measure()
            self.refresh()
            return
        top, cursor = self.scroll_offset.y, self.selected
        line = self._cursor * self.item_lines
        in_sight = top <= line < top + self._page()
        anchor = self._cursor if in_sight else top // self.item_lines
        anchor_key = self.key_at(anchor) if anchor < self.count() else None
        yield
        self._measure()
        found = None if cursor is None else self.index_of(cursor)
        self._cursor = max(0, min(self._cursor, self.count() - 1)) if found is None else found
        place = None if anchor_key is None else self.index_of(anchor_key)
        if place is not None and place != anchor:
            self.scroll_to(y=top + (place - anchor) * self.item_lines, animate=False, immediate=True, force=True)
        self.refresh()

    def refresh_changed(self) -> None:
        """Has the lines drawn again that are not what they were: most do not change from one second to the next."""
        heading = self.heading(self.scrollable_content_region.width - 1)
        for y, before in self._drawn.items():
            if y < self.size.height and not self._said(y, heading).is_same(before):
                self.refresh_line(self.scroll_offset.y + y)

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        width = self.scrollable_content_region.width
        heading = self.heading(width - 1)
        said = self._drawn[y] = self._said(y, heading)
        if y < len(heading):
            return self._strip(" ", said, width, "rowlist--heading")
        if not self.count():
            return self._strip(" ", said, width, "rowlist--empty")
        index, _ = self._item_at(y, heading)
        if index >= self.count():
            return Strip.blank(width, self.visual_style.rich_style)
        under = index == self._cursor
        return self._strip(
            (CURSOR if self.has_focus else CURSOR_AWAY) if under else " ",
            said,
            width,
            "rowlist--cursor" if under else "",
        )

    def _said(self, y: int, heading: tuple[Content, ...]) -> Content:
        """What a line of the widget says, under a heading."""
        if y < len(heading):
            return heading[y]
        width = self.scrollable_content_region.width
        if not (count := self.count()):
            said = wrap(self.empty(), max(10, width - 2))
            return Content("".join(said[y - len(heading) :][:1]))
        index, part = self._item_at(y, heading)
        return self.lines(index, width - 1)[part] if index < count else Content("")

    def _item_at(self, y: int, heading: tuple[Content, ...]) -> tuple[int, int]:
        """Which item is on a line of the widget, and which line of it."""
        return divmod(self.scroll_offset.y + y - len(heading), self.item_lines)

    def _strip(self, gutter: str, content: Content, width: int, component: str) -> Strip:
        style = self.get_visual_style(component) if component else self.visual_style
        drawn = Visual.to_strips(self, Content(gutter) + content, width, 1, style, pad=True)
        return drawn[0] if drawn else Strip.blank(width)

    def _page(self) -> int:
        """How many lines of items are in sight."""
        region = self.scrollable_content_region
        return max(1, region.height - len(self.heading(region.width)))

    def _measure(self) -> None:
        lines = self.count() * self.item_lines + len(self.heading(self.size.width))
        self.virtual_size = Size(0, lines)

    def _go(self, index: int) -> None:
        """Puts the cursor on an index and brings it into sight."""
        self._cursor = max(0, min(index, self.count() - 1))
        line, top, page = self._cursor * self.item_lines, self.scroll_offset.y, self._page()
        lowest = line + self.item_lines - page
        if line < top or lowest > top:
            self.scroll_to(y=line if line < top else lowest, animate=False, immediate=True, force=True)
        self.refresh()
        self.post_message(self.Moved(self))

    def on_resize(self, _event: Resize) -> None:
        """Measures anew and keeps the cursor in sight."""
        self._measure()
        self.call_after_refresh(self.keep_cursor_in_sight)

    def keep_cursor_in_sight(self) -> None:
        """Scrolls to the cursor."""
        self._go(self._cursor)

    def on_click(self, event: Click) -> None:
        """A click selects; a click on what is selected opens it."""
        line = event.get_content_offset_capture(self).y - len(self.heading(self.size.width))
        index = (self.scroll_offset.y + line) // self.item_lines
        if line < 0 or index >= self.count():
            return
        self.clicked(index, again=index == self._cursor)

    def clicked(self, index: int, *, again: bool) -> None:
        """Takes a click on an item; `again` says that the cursor was on it."""
        self._go(index)
        if again:
            self.action_open()

    def action_open(self) -> None:
        """Tells that the item under the cursor is to be opened."""
        if (key := self.selected) is not None:
            self.post_message(self.Opened(self, key))

    def action_move(self, by: int) -> None:
        """Moves the cursor by items."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Moves the cursor by pages."""
        self._go(self._cursor + by * max(1, self._page() // self.item_lines - 1))

    def action_first(self) -> None:
        """Moves the cursor to the first item."""
        self._go(0)

    def action_last(self) -> None:
        """Moves the cursor to the last item."""
        self._go(self.count() - 1)
