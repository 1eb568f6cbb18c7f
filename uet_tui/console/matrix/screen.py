"""The screen of the forecast matrix."""

from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from uet_tui.console.format import pair_look
from uet_tui.console.key_bar import KeyBar
from uet_tui.console.matrix.grid import MatrixGrid
from uet_tui.console.matrix.keys import MATRIX
from uet_tui.console.matrix.pair import PairScreen
from uet_tui.console.matrix.words import FIRST, HELD, active, detail, headline, pairs_of
from uet_tui.console.screens import RunScreen
from uet_tui.console.source import RunSource
from uet_tui.core.commands import Verb
from uet_tui.core.states import RUN_OVER, WorkstreamState
from uet_tui.resources import SCREENS
from uet_tui.store.views import RunView, WorkstreamView


class MatrixScreen(RunScreen):
    """What merging any two active branches would come to."""

    CSS_PATH = SCREENS / "matrix.tcss"
    AUTO_FOCUS = "MatrixGrid"
    BINDINGS: ClassVar[list[BindingType]] = MATRIX
    HELP = """
### Forecast
Every two active branches, merged in memory every few seconds, unfinished work included. A blank cell is clean, `~` says
that both changed the same file, `≠` that git could not merge them.

`enter` shows where they meet. `h` holds the row's branch back from being merged, `1` has it merged first.
"""

    grid = query_one(MatrixGrid)

    def __init__(self, source: RunSource, at: tuple[str, str] | None = None) -> None:
        """Opens on a pair, or on the first that is not clean."""
        super().__init__()
        self._source = source
        self._at = at
        self._placed = False

    def compose(self) -> ComposeResult:
        """The headline, the matrix, what is under the cursor, the keys."""
        yield Static(id="headline", markup=False)
        yield MatrixGrid()
        yield Static(id="detail", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Says what the signs mean."""
        signs = [f"{pair_look(verdict).glyph} {verdict}" for verdict in ("same file", "conflict")]
        self.grid.border_subtitle = Content("   ".join(["blank clean", *signs, f"{HELD} held", f"{FIRST} first"]))

    def show(self, view: RunView) -> None:
        """Takes the newest forecast."""
        branches, pairs = active(view), pairs_of(view)
        self.query_one("#headline", Static).update(headline(branches, pairs, view.id))
        self.grid.put(branches, pairs)
        if branches and not self._placed:
            self._placed = True
            if self._at is None or not self.grid.select(*self._at):
                self.grid.next_pair(1)
        self._tell()

    def tick(self, now: datetime) -> None:
        """What is forecast gets older."""
        self._tell()

    @on(MatrixGrid.Moved)
    def tell_moved(self) -> None:
        """Says what is under the cursor now."""
        self._tell()

    def on_resize(self) -> None:
        """Cuts the lines anew."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        view, under = self.run_app.view, self.grid.under_cursor
        lines: tuple[Content, ...] = ()
        if view is not None and under is not None:
            now, width = self.run_app.now(), self.size.width - 2
            lines = detail(*under, pairs_of(view), now, width)
            if len(active(view)) == 1:
                lines = (Content("the only active branch: there is nothing to compare it with"), *lines[1:])
        self.query_one("#detail", Static).update(Content("\n").join(lines))
        self.refresh_bindings()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what does not apply to the row's branch, and to a run that is over."""
        view, row = self.run_app.view, self._row()
        if action in ("hold", "release", "first"):
            if view is None or row is None or view.state in RUN_OVER:
                return False
            wanted = {"hold": not row.held, "release": row.held, "first": not row.first}[action]
            return wanted and row.state is not WorkstreamState.MERGING
        if action == "next_pair":
            return view is not None and bool(pairs_of(view))
        return True

    def _row(self) -> WorkstreamView | None:
        under = self.grid.under_cursor if self.is_mounted else None
        return under[0] if under else None

    def action_next_pair(self, by: int) -> None:
        """The next pair that is not clean."""
        self.grid.next_pair(by)

    def action_hold(self) -> None:
        """Keeps the row's branch from being merged."""
        self._of_row(Verb.HOLD)

    def action_release(self) -> None:
        """Lets it be merged again."""
        self._of_row(Verb.RELEASE)

    def action_first(self) -> None:
        """Has it merged before what else is queued."""
        self._of_row(Verb.FIRST)

    def _of_row(self, verb: Verb) -> None:
        if (row := self._row()) is not None:
            self.act(verb, workstream=row.id)

    @on(MatrixGrid.Opened)
    def open_pair(self, event: MatrixGrid.Opened) -> None:
        """Shows where two branches meet; on the diagonal, the branch."""
        if event.row == event.column:
            from uet_tui.console.workstream.screen import WorkstreamScreen  # loaded when first needed

            self.app.push_screen(WorkstreamScreen(self._source, event.row))
        else:
            self.app.push_screen(PairScreen(self._source, event.row, event.column))

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss()
