"""The screen of one pair of the forecast: where the two meet, why each changed it, and how."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from uet_tui.console.format import cell
from uet_tui.console.key_bar import KeyBar
from uet_tui.console.lines_box import LinesBox
from uet_tui.console.matrix.diffs import part_of
from uet_tui.console.matrix.keys import PAIR
from uet_tui.console.matrix.words import branch_line, pairs_of, verdict_line
from uet_tui.console.rows import RowList
from uet_tui.console.screens import RunScreen
from uet_tui.console.source import RunSource
from uet_tui.console.workstream.paint import diff_lines
from uet_tui.core.states import WorkstreamState
from uet_tui.errors import UetError
from uet_tui.resources import SCREENS
from uet_tui.store.conflict_views import PairView
from uet_tui.store.views import RunView, WorkstreamView


class PathList(RowList):
    """The paths where two branches meet."""

    def __init__(self) -> None:
        super().__init__(id="paths")
        self._paths: tuple[str, ...] = ()

    def put(self, paths: tuple[str, ...]) -> None:
        """Takes the paths; the cursor stays on its own."""
        with self.keeping_place():
            self._paths = paths

    def count(self) -> int:
        """How many there are."""
        return len(self._paths)

    def key_at(self, index: int) -> str:
        """The path."""
        return self._paths[index]

    def empty(self) -> str:
        """Said where the two do not meet, or no more."""
        return "They meet in no file: whichever is merged first, the other merges cleanly."

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """The path."""
        return (Content(cell(self._paths[index], width)),)


class PairScreen(RunScreen):
    """Two branches: the paths where they meet, and what each changed in the one under the cursor."""

    CSS_PATH = SCREENS / "matrix.tcss"
    AUTO_FOCUS = "PathList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual types it as a variable
    BINDINGS: ClassVar[list[BindingType]] = PAIR
    HELP = """
### Two branches
Where the two meet, and what each changed there as of its newest attempt that ended. An agent that is still at work has
no diff yet.
"""

    paths = query_one(PathList)

    def __init__(self, source: RunSource, first: str, second: str) -> None:
        super().__init__()
        self._source = source
        self._ids = (first, second)
        self._known: tuple[WorkstreamView | None, WorkstreamView | None] = (None, None)
        self._diffs: dict[str, str] = {}
        """The whole diff of each, as far as it was read."""
        self._missing: dict[str, str] = {}
        """Why there is no diff of one."""

    def compose(self) -> ComposeResult:
        """What merging them comes to, both tasks, the paths, both diffs, the keys."""
        yield Static(id="headline", markup=False)
        yield Static(id="both", markup=False)
        yield PathList()
        with Container(id="sides"):
            yield LinesBox(id="first")
            yield LinesBox(id="second")
        yield KeyBar()

    def on_mount(self) -> None:
        """Names the boxes; the ids never change."""
        self.paths.border_title = Content("where they meet")
        for box, id in zip(("#first", "#second"), self._ids, strict=True):
            self.query_one(box, LinesBox).border_title = Content(id)

    def show(self, view: RunView) -> None:
        """Takes the newest view; reads the diffs again if one of the two changed."""
        known = (view.workstream(self._ids[0]), view.workstream(self._ids[1]))
        pair = self._pair(view)
        self.query_one("#headline", Static).update(verdict_line(pair, self.run_app.now()))
        width = self.size.width - 2
        lines = [branch_line(ws, width) for ws in known if ws is not None]
        self.query_one("#both", Static).update(Content("\n").join(lines))
        self.paths.put(pair.files if pair else ())
        if known != self._known:
            self._known = known
            self._read_diffs()
        self._draw()

    def _pair(self, view: RunView) -> PairView | None:
        return pairs_of(view).get(frozenset(self._ids))

    @work(exclusive=True, group="diffs")
    async def _read_diffs(self) -> None:
        for id, ws in zip(self._ids, self._known, strict=True):
            try:
                attempts = await self.read(self._source.attempts, id)
                unfinished = ws is not None and ws.state is WorkstreamState.RUNNING
                diff = await self.read(self._source.diff, attempts[-1].folder) if attempts and not unfinished else ""
                missing = "Unfinished: there is no diff before its agent ends."
                self._diffs[id], self._missing[id] = diff, missing if unfinished else "It changed nothing here."
            except UetError as error:
                self._diffs[id], self._missing[id] = "", str(error)
        self._draw()

    @on(RowList.Moved)
    def _draw(self) -> None:
        path = self.paths.selected
        for box, id in zip(("#first", "#second"), self._ids, strict=True):
            part = part_of(self._diffs.get(id, ""), path) if path is not None else ""
            missing = self._missing.get(id, "reads …") if path is not None else ""
            self.query_one(box, LinesBox).put(diff_lines(part), empty=missing)

    @on(RowList.Opened)
    def read_on(self) -> None:
        """To the first of the two diffs, to be scrolled."""
        self.query_one("#first", LinesBox).focus()

    def action_leave(self) -> None:
        """From a diff back to the paths, from there to where one came from."""
        if self.focused is not self.paths:
            self.paths.focus()
        else:
            self.dismiss()
