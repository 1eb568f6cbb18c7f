"""The matrix itself: a cell a pair, row names and column numbers that stay in sight while it scrolls."""

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

from uet_tui.console.format import QUIET, cell, pair_look, right, workstream_look
from uet_tui.console.matrix.words import Pairs, mark
from uet_tui.store.views import WorkstreamView

_ITSELF = "╲"
_CURSOR = "$primary 35%"


class MatrixGrid(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows and columns are the same branches in the same order; the cursor is on one pair of them."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    MatrixGrid { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; text-wrap: nowrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "where", id="grid.open", key_display="enter", tooltip="Show where the two meet"),
        Binding("up,k", "move(-1, 0)", "Up", id="grid.up", show=False, system=True),
        Binding("down,j", "move(1, 0)", "Down", id="grid.down", show=False, system=True),
        Binding("left", "move(0, -1)", "Left", id="grid.left", show=False, system=True),
        Binding("right", "move(0, 1)", "Right", id="grid.right", show=False, system=True),
        Binding("pageup", "page(-1)", "Page up", id="grid.page_up", show=False, system=True),
        Binding("pagedown", "page(1)", "Page down", id="grid.page_down", show=False, system=True),
        Binding("home,g", "go(0, 0)", "First", id="grid.first", show=False),
        Binding("end,G", "go(-1, -1)", "Last", id="grid.last", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another pair."""

    @dataclass
    class Opened(Message):
        """The operator wants to see more of a pair; the two are one and the same on the diagonal."""

        row: str
        column: str

    def __init__(self) -> None:
        super().__init__(id="grid")
        self._branches: tuple[WorkstreamView, ...] = ()
        self._pairs: Pairs = {}
        self._row = 0
        self._column = 0

    # What is shown

    def put(self, branches: tuple[WorkstreamView, ...], pairs: Pairs) -> None:
        """Takes branches and what is known of their pairs; the cursor stays on its pair."""
        before = self.under_cursor
        self._branches, self._pairs = branches, pairs
        self._measure()
        if before is None or not self.select(before[0].id, before[1].id):
            index = {ws.id: n for n, ws in enumerate(branches)}
            row, column = (before[0].id, before[1].id) if before else ("", "")
            self.action_go(index.get(row, self._row), index.get(column, self._column))
        self.refresh()

    @property
    def under_cursor(self) -> tuple[WorkstreamView, WorkstreamView] | None:
        """The branches of the cursor's row and column."""
        if not self._branches:
            return None
        return self._branches[self._row], self._branches[self._column]

    def select(self, row: str, column: str) -> bool:
        """Puts the cursor on a pair, if both are there."""
        index = {ws.id: n for n, ws in enumerate(self._branches)}
        if row not in index or column not in index:
            return False
        self.action_go(index[row], index[column])
        return True

    def next_pair(self, by: int) -> None:
        """Puts the cursor on the next pair that is not clean: above the diagonal, row by row, round and round."""
        count = len(self._branches)
        meeting = [
            (row, column)
            for row in range(count)
            for column in range(row + 1, count)
            if frozenset((self._branches[row].id, self._branches[column].id)) in self._pairs
        ]
        if not meeting:
            return
        here = min(self._row, self._column), max(self._row, self._column)
        after = [at for at in meeting if (at > here if by > 0 else at < here)]
        self.action_go(*((after or meeting)[0] if by > 0 else (after or meeting)[-1]))

    # How it is laid out

    @property
    def _cell(self) -> int:
        return 3 if len(self._branches) < 100 else 4

    @property
    def _names(self) -> int:
        """How wide the names of the rows are, with number, state and mark."""
        longest = max((len(ws.id) for ws in self._branches), default=0)
        return self._cell + 5 + min(longest, max(12, self.size.width // 3))

    def _columns(self, width: int) -> range:
        """The columns in sight: only whole ones."""
        first = -(-self.scroll_offset.x // self._cell)
        return range(first, min(len(self._branches), first + max(1, (width - self._names) // self._cell)))

    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def _measure(self) -> None:
        count = len(self._branches)
        self.virtual_size = Size(self._names + count * self._cell, count + 1) if count else Size(0, 0)

    def on_resize(self, _event: Resize) -> None:
        """Keeps the cursor in sight."""
        self._measure()
        self.call_after_refresh(self.action_move, 0, 0)

    def render_line(self, y: int) -> Strip:
        """One line: the column numbers, or a branch with its cells."""
        width = self.scrollable_content_region.width
        if not self._branches:
            said = wrap(
                "No branch is active. Branches are compared here from their first change until they are merged.",
                max(10, width - 2),
            )
            return self._draw(Content.styled(f" {''.join(said[y : y + 1])}", QUIET), width)
        if y == 0:
            numbers = (
                Content.styled(right(str(n + 1), self._cell - 1) + " ", "bold" if n == self._column else QUIET)
                for n in self._columns(width)
            )
            return self._draw(Content(" " * self._names) + Content("").join(numbers), width)
        row = self.scroll_offset.y + y - 1
        if row >= len(self._branches):
            return Strip.blank(width, self.visual_style.rich_style)
        cells = (self._pair(row, column) for column in self._columns(width))
        return self._draw(self._branch(row) + Content("").join(cells), width)

    def _branch(self, row: int) -> Content:
        ws, room = self._branches[row], self._names - self._cell - 4
        look = workstream_look(ws.state)
        return Content.assemble(
            (right(str(row + 1), self._cell - 1) + " ", "bold" if row == self._row else QUIET),
            (f"{look.glyph} ", look.style),
            (cell(ws.id, room), "bold" if row == self._row else ""),
            (f"{mark(ws)} ", "bold $text-warning"),
        )

    def _pair(self, row: int, column: int) -> Content:
        if row == column:
            glyph, style = _ITSELF, QUIET
        else:
            pair = self._pairs.get(frozenset((self._branches[row].id, self._branches[column].id)))
            look = pair_look(pair.verdict if pair else "clean")
            glyph, style = look.glyph, look.style
        if (row, column) == (self._row, self._column):
            around = f"bold on {_CURSOR}" if self.has_focus else "bold"
            drawn = Content.assemble("[", (glyph, style), "]").stylize(around)
        else:
            drawn = Content.assemble(" ", (glyph, style), " ")
        return Content(" " * (self._cell - 3)) + drawn

    def _draw(self, line: Content, width: int) -> Strip:
        drawn = Visual.to_strips(self, line, width, 1, self.visual_style, pad=True)
        return drawn[0] if drawn else Strip.blank(width)

    # Moving

    def action_go(self, row: int, column: int) -> None:
        """Puts the cursor somewhere and brings it into sight; -1 is the last."""
        last = len(self._branches) - 1
        if last < 0:
            self._row = self._column = 0
            self.post_message(self.Moved())
            return
        self._row = last if row < 0 else min(row, last)
        self._column = last if column < 0 else min(column, last)
        x, y = self.scroll_offset
        page, shown = self._page(), self._columns(self.scrollable_content_region.width)
        y = self._row if self._row < y else max(y, self._row - page + 1)
        if self._column < shown.start:
            x = self._column * self._cell
        elif self._column >= shown.start + len(shown):
            x = (self._column - len(shown) + 1) * self._cell
        self.scroll_to(x=x, y=y, animate=False, immediate=True, force=True)
        self.refresh()
        self.post_message(self.Moved())

    def action_move(self, rows: int, columns: int) -> None:
        """Moves the cursor; it stays inside."""
        self.action_go(max(0, self._row + rows), max(0, self._column + columns))

    def action_page(self, by: int) -> None:
        """Moves the cursor by what is in sight."""
        self.action_move(by * max(1, self._page() - 1), 0)

    def action_open(self) -> None:
        """Tells that the pair under the cursor is to be opened."""
        if (under := self.under_cursor) is not None:
            self.post_message(self.Opened(under[0].id, under[1].id))

    def on_click(self, event: Click) -> None:
        """A click selects, a click on what is selected opens it; on a name it is the branch itself."""
        at = event.get_content_offset_capture(self)
        row = self.scroll_offset.y + at.y - 1
        shown = self._columns(self.scrollable_content_region.width)
        column = row if at.x < self._names else shown.start + (at.x - self._names) // self._cell
        if at.y == 0:
            row = self._row
        if not (0 <= row < len(self._branches) and 0 <= column < shown.stop):
            return
        again = (row, column) == (self._row, self._column)
        self.action_go(row, column)
        if again:
            self.action_open()
