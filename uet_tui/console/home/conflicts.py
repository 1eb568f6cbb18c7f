"""The conflicts pane: merges that git could not make alone, and those that the forecast sees coming."""

from textual.content import Content

from uet_tui.console.desk.evidence import gates_red, lost
from uet_tui.console.format import CARE, QUIET, age, cell, conflict_look, pair_look, plural, right
from uet_tui.console.home.pane import Pane
from uet_tui.console.matrix.words import pairs_of, places
from uet_tui.store.conflict_views import ConflictView, PairView
from uet_tui.store.views import RunView

_STATE = 13
"""Columns of the first word, beneath which the second line is empty."""
_BUSY = {"agent": "agent is at it", "ladder": "being tried", "merging": "merging"}


class ConflictsPane(Pane):
    """Two lines a conflict, the open ones first, and two for each pair of branches that the forecast warns of."""

    number = 5
    title = "Conflicts"
    HELP = """
### Conflicts
Merges that git cannot make alone. Only what waits behind them stands still. Below them, what the forecast sees coming:
`≠` two branches that would conflict, `~` two that changed the same file.

`enter`, `c` or `a` opens the conflict desk: nothing is approved unseen. `m` opens the forecast.
"""
    item_lines = 2

    def __init__(self) -> None:
        super().__init__()
        self._conflicts: tuple[ConflictView, ...] = ()
        self._rows: tuple[ConflictView | PairView, ...] = ()

    def show(self, view: RunView) -> None:
        """Takes the newest view: open conflicts, then the forecast, then what was decided."""
        self._conflicts = view.conflicts
        pairs = [*pairs_of(view).values()]
        ahead = sorted(pairs, key=lambda pair: (pair.verdict, pair.first, pair.second))
        open = [conflict for conflict in view.conflicts if conflict.open]
        with self.keeping_place(at_top=not self.has_focus):
            self._rows = (*open, *ahead, *(conflict for conflict in view.conflicts if not conflict.open))
        self.set_class(bool(self.alert()), "-alert")
        later = sum(conflict.deferred for conflict in open)
        self.border_subtitle = Content(f"{later} put off" if later else "")

    def alert(self) -> str:
        """How many wait for the operator."""
        waiting = sum(conflict.needs_operator for conflict in self._conflicts)
        return f"!{waiting}" if waiting else ""

    def pair(self) -> PairView | None:
        """The pair of the forecast under the cursor."""
        row = self._row()
        return row if isinstance(row, PairView) else None

    def workstream(self) -> str | None:
        """The workstream that could not be merged, or the first of a pair."""
        row = self._row()
        return row.first if isinstance(row, PairView) else row.workstream if row is not None else None

    def _row(self) -> ConflictView | PairView | None:
        return self._rows[self._cursor] if self.selected is not None else None

    def count(self) -> int:
        """Conflicts of the run, open or not, and pairs of the forecast."""
        return len(self._rows)

    def key_at(self, index: int) -> str:
        """The conflict's id; of a pair, both workstreams."""
        row = self._rows[index]
        return f"{row.first} × {row.second}" if isinstance(row, PairView) else row.id

    def empty(self) -> str:
        """Said while all merges went well."""
        return "No conflicts. A merge that git cannot make alone waits here for you; c opens it."

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """What it is, and what it holds up or where it is."""
        row = self._rows[index]
        return self._pair_lines(row, width) if isinstance(row, PairView) else self._conflict_lines(row, width)

    def _conflict_lines(self, conflict: ConflictView, width: int) -> tuple[Content, ...]:
        look = conflict_look(conflict.state)
        files = plural(len(conflict.files), "file")
        by = made_by(conflict, max(16, width - _STATE - len(files) - 5 - max(10, len(conflict.workstream))))
        name = max(10, width - _STATE - len(files) - len(by) - 5)
        first = Content.assemble(
            (cell(f"{look.glyph} {look.word}", _STATE), look.style),
            cell(conflict.workstream, name),
            f"  {files}  ",
            (by, CARE if not conflict.busy and (gates_red(conflict) or lost(conflict)) else QUIET),
        )
        old = age(conflict.opened_at, self.now)
        return first, self._second(held_up(conflict), old, width)

    def _pair_lines(self, pair: PairView, width: int) -> tuple[Content, ...]:
        look = pair_look(pair.verdict)
        room = width - _STATE - 3
        first_room = max(room // 2, room - len(pair.second))
        first = Content.assemble(
            (cell(f"{look.glyph} forecast", _STATE), look.style),
            f"{_short(pair.first, first_room)} × {_short(pair.second, room - min(first_room, len(pair.first)))}",
        )
        return first, self._second(places(pair.files, 1), age(pair.since, self.now), width)

    def _second(self, said: str, old: str, width: int) -> Content:
        return Content.styled(f"{' ' * _STATE}{cell(said, width - _STATE - 8)}{right(old, 7)} ", QUIET)


def made_by(conflict: ConflictView, width: int) -> str:
    """Who proposes what and whether the gates hold, or who is at it; empty once it is decided."""
    if not conflict.open:
        return ""
    if conflict.busy:
        return _BUSY.get(conflict.busy, conflict.busy)
    if conflict.proposal is None:
        return "no proposal"
    gates = "" if not conflict.gates else ", gates red" if gates_red(conflict) else ", gates ok"
    if lost(conflict):
        gates = ", loses lines"
    return f"{_short(conflict.proposal if gates else f'proposal: {conflict.proposal}', width - len(gates))}{gates}"


def held_up(conflict: ConflictView) -> str:
    """What waits behind it."""
    if not conflict.open:
        return "decided"
    behind = len(conflict.waiting)
    waits = f"{plural(behind, 'workstream waits', 'workstreams wait')} behind it" if behind else "nothing waits for it"
    return f"put off · {waits}" if conflict.deferred else waits


def _short(text: str, width: int) -> str:
    """Text cut to a width, but not filled to it."""
    return cell(text, min(len(text), width))
