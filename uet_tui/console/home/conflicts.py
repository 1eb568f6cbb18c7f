"""The conflicts pane: merges that git could not make alone, with who waits behind them."""

from textual.content import Content

from uet_tui.console.format import age, cell, conflict_look, plural, right
from uet_tui.console.home.pane import Pane
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import RunView


class ConflictsPane(Pane):
    """Two lines a conflict, the open ones first."""

    number = 5
    title = "Conflicts"
    HELP = """
### Conflicts
Merges that git cannot make alone. Only what waits behind them stands still.

`enter`, `c` or `a` opens the conflict desk: nothing is approved unseen.
"""
    item_lines = 2

    def __init__(self) -> None:
        super().__init__()
        self._conflicts: tuple[ConflictView, ...] = ()

    def show(self, view: RunView) -> None:
        """Takes the newest view."""
        with self.keeping_place():
            self._conflicts = view.conflicts
        self.set_class(bool(self.alert()), "-alert")

    def alert(self) -> str:
        """How many are open."""
        open = sum(conflict.open for conflict in self._conflicts)
        return f"!{open}" if open else ""

    def workstream(self) -> str | None:
        """The workstream that could not be merged."""
        return self._conflicts[self._cursor].workstream if self.selected is not None else None

    def count(self) -> int:
        """Conflicts of the run, open or not."""
        return len(self._conflicts)

    def key_at(self, index: int) -> str:
        """The conflict's id."""
        return self._conflicts[index].id

    def empty(self) -> str:
        """Said while all merges went well."""
        return "No conflicts. A merge that git cannot make alone waits here for you; c opens it."

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """What it is, and what it holds up."""
        conflict = self._conflicts[index]
        look = conflict_look(conflict.state)
        files = plural(len(conflict.files), "file")
        by = ""
        if conflict.open:
            by = f"proposal: {conflict.proposal}" if conflict.proposal else "no proposal"
        by = cell(by, min(len(by), width // 3))
        name = max(10, width - 13 - len(files) - len(by) - 5)
        first = Content.assemble(
            (cell(f"{look.glyph} {look.word}", 13), look.style),
            cell(conflict.workstream, name),
            f"  {files}  ",
            (by, "$foreground-muted"),
        )
        behind = len(conflict.waiting)
        held = (
            f"{plural(behind, 'workstream waits', 'workstreams wait')} behind it" if behind else "nothing waits for it"
        )
        if not conflict.open:
            held = "decided"
        old = age(conflict.opened_at, self.now)
        second = f"{' ' * 13}{cell(held, width - 13 - 8)}{right(old, 7)} "
        return first, Content.styled(second, "$foreground-muted")
