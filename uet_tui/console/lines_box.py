"""A box of lines that scrolls: the sides of a hunk, an agent's output, a diff, a prompt, events.

Only the lines in sight are drawn, so it is as quick with a hundred thousand lines as with ten.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

LONGEST_LINE = 4_000
"""Characters of a line that are kept; nobody reads on, and a line of megabytes would be drawn on every refresh."""


class LinesBox(ScrollView, can_focus=True):
    """Lines of text in colours; the newest are kept if there is a limit. Text in it is never markup."""

    DEFAULT_CSS = """
    LinesBox {
        height: 1fr;
        text-wrap: nowrap;
        text-overflow: clip;
        overflow-x: auto;
        scrollbar-size-horizontal: 1;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "Bottom", show=False),
    ]

    def __init__(
        self, *, empty: str = "", limit: int | None = None, follow: bool = False, id: str | None = None
    ) -> None:
        """Makes an empty box.

        Args:
            empty: what it says while it has no lines.
            limit: how many lines it keeps; None keeps all.
            follow: whether it stays at its end while lines are added, unless the operator scrolled away from there.
            id: as of every widget.
        """
        super().__init__(id=id)
        self._empty = empty
        self._limit = limit
        self._follow = follow
        self._lines: list[Content] = []
        self._made: Sequence[Content] | None = None
        self._width = 0
        self._at_end = follow
        """Whether it follows just now: the operator has not scrolled away from the end."""
        self._unseen = 0
        self._strips: LRUCache[int, Strip] = LRUCache(512)

    @property
    def lines(self) -> Sequence[Content]:
        """The lines it has."""
        return self._lines if self._made is None else self._made

    @property
    def unseen(self) -> int:
        """How many lines came below what is in sight since the operator scrolled away from the end."""
        return self._unseen

    def put(self, lines: Iterable[Content], *, empty: str | None = None) -> None:
        """Replaces all lines; the scroll stays where it is as far as it can, at the end if the box follows."""
        if empty is not None:
            self._empty = empty
        self._lines = [short(line) for line in lines]
        self._made = None
        self._width = 0
        self._at_end = self._follow
        self._settle(self._lines)

    def put_made(self, lines: Sequence[Content], width: int) -> None:
        """Replaces all lines by such that are made when they are drawn; the widest takes `width` cells.

        For many lines that are dear to make. They are kept as they are: nothing can be added to them.
        """
        self._lines = []
        self._made = lines
        self._width = width
        self._settle(())

    def add(self, lines: Sequence[Content]) -> None:
        """Adds lines at the end."""
        if not lines:
            return
        fresh = [short(line) for line in lines]
        self._lines.extend(fresh)
        self._unseen += len(fresh)
        self._settle(fresh)

    def finish_last(self, line: Content) -> None:
        """Replaces the last line, of which so far only the beginning was known."""
        self._lines[-1] = short(line)
        self._settle(self._lines[-1:])

    def _settle(self, fresh: Sequence[Content]) -> None:
        over = 0 if self._limit is None else len(self._lines) - self._limit
        if over > 0:
            del self._lines[:over]
        self._strips.clear()
        self._width = max([self._width, *(line.cell_length for line in fresh)])
        self.virtual_size = Size(self._width, len(self.lines))
        if self._at_end:
            self._to_end()
        elif over > 0:
            self.scroll_to(y=max(0, self.scroll_offset.y - over), animate=False, immediate=True)
        self._tell()
        self.refresh(layout=self.styles.auto_dimensions)

    def _to_end(self) -> None:
        self.scroll_end(animate=False, immediate=True, force=True, x_axis=False)

    def _tell(self) -> None:
        """Says in the border what the operator does not see."""
        if self._at_end or self.is_vertical_scroll_end:
            self._unseen = 0
        if self._follow:
            self.border_subtitle = Content(f" {self._unseen} new below: G ") if self._unseen else ""

    def on_resize(self) -> None:
        """Stays at the end in another size, too."""
        if self._at_end:
            self._to_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up stops following, coming back to the end goes on with it."""
        super().watch_scroll_y(old_value, new_value)
        self.vertical_scrollbar.position = new_value  # Textual leaves it behind if it is not shown yet
        if self._follow and self.size.height:
            self._at_end = self.is_vertical_scroll_end or (self._at_end and new_value > old_value)
            self._tell()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as it has: for boxes that are as high as their content."""
        return max(1, len(self.lines))

    def notify_style_update(self) -> None:
        """A change of theme or focus changes the colours of what was drawn."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One line in sight."""
        x, top = self.scroll_offset
        width = self.scrollable_content_region.width
        return self._strip(top + y).crop_extend(x, x + width, self.rich_style)

    def _strip(self, index: int) -> Strip:
        if (strip := self._strips.get(index)) is not None:
            return strip
        if index < len(self.lines):
            strip = self._draw(self.lines[index])
        elif index == 0 and self._empty:
            return self._draw(Content.styled(self._empty, "$foreground-muted"))
        else:
            return Strip([])
        self._strips[index] = strip
        return strip

    def _draw(self, line: Content) -> Strip:
        width = max(1, line.cell_length)
        drawn = Visual.to_strips(self, line, width, 1, self.visual_style, apply_selection=False)
        return drawn[0] if drawn else Strip([])

    def show_line(self, index: int) -> None:
        """Scrolls as little as is needed to have a line in sight."""
        self.scroll_to_region(Region(0, index, 1, 1), animate=False, immediate=True)


def short(line: Content) -> Content:
    """A line that is not too long to be drawn, without tabs."""
    cut = line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + Content.styled("…", "$foreground-muted")
    return cut.expand_tabs(4)
