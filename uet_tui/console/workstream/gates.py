"""What gates said of a workstream: a list, and the end of what the one under the cursor printed."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one

from uet_tui.console.format import QUIET, cell, clock, duration, gate_look, right
from uet_tui.console.lines_box import LinesBox
from uet_tui.console.rows import RowList
from uet_tui.console.workstream.paint import plain_lines
from uet_tui.store.conflict_views import GateView

_VERDICT, _WHERE, _TIME = 17, 9, 7


class GateList(RowList):
    """A line a gate, the newest first."""

    def __init__(self) -> None:
        super().__init__(id="gate-list")
        self._gates: tuple[GateView, ...] = ()

    def put(self, gates: Sequence[GateView]) -> None:
        """Takes all gates in the order in which they spoke."""
        with self.keeping_place():
            self._gates = tuple(gates)

    def gate(self) -> GateView | None:
        """The one under the cursor."""
        return self._at(self._cursor) if self.selected is not None else None

    def _at(self, index: int) -> GateView:
        return self._gates[-1 - index]

    def count(self) -> int:
        """How many gates have spoken."""
        return len(self._gates)

    def key_at(self, index: int) -> str:
        """Its number from the first on: that stays as others come."""
        return str(len(self._gates) - index)

    def empty(self) -> str:
        """Said before any gate has spoken."""
        return "No gate has spoken yet: they run when the agent is done, and again on what is to be merged."

    def heading(self, width: int) -> tuple[Content, ...]:
        """The names of the columns."""
        if not self._gates:
            return ()
        room = self._room(width)
        text = f"{cell('verdict', _VERDICT)}{cell('gate', room)} {cell('where', _WHERE)}{right('took', _TIME)}"
        return (Content(f"{text}  try  at"),)

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """Verdict, gate, what it looked at, how long it took, of which attempt, and when."""
        gate = self._at(index)
        room = self._room(width)
        return (
            Content.assemble(
                verdict_of(gate, _VERDICT),
                f"{cell(gate.gate, room)} {cell(gate.where, _WHERE)}",
                (f"{right(took(gate), _TIME)}  {right(str(gate.attempt), 3)}  {clock(gate.time)}", QUIET),
            ),
        )

    def _room(self, width: int) -> int:
        """How wide the gates' names are."""
        longest = max((cell_len(gate.gate) for gate in self._gates), default=4)
        return max(8, min(longest, width - _VERDICT - _WHERE - _TIME - 16))


class GatesView(Vertical):
    """The list above, the output of one gate below."""

    gates = query_one(GateList)

    def compose(self) -> ComposeResult:
        """Both."""
        yield GateList()
        yield LinesBox(id="gate-output", follow=True)

    def put(self, gates: Sequence[GateView]) -> None:
        """Takes all gates in the order in which they spoke."""
        self.gates.put(gates)
        self._tell()

    @on(RowList.Moved)
    def _tell(self) -> None:
        gate = self.gates.gate()
        box = self.query_one("#gate-output", LinesBox)
        box.border_title = Content(f"{gate.gate} {gate.where}, end of its output" if gate else "output")
        nothing = "It printed nothing." if gate else ""
        box.put(plain_lines(gate.output) if gate else (), empty=nothing)

    @on(RowList.Opened)
    def read_on(self, event: RowList.Opened) -> None:
        """To the output, to be scrolled."""
        event.stop()
        self.query_one("#gate-output", LinesBox).focus()


def took(gate: GateView) -> str:
    """How long it took, in tenths of a second below a minute; nothing for what was not run."""
    if not gate.seconds:
        return "–"
    return f"{gate.seconds:.1f} s" if gate.seconds < 60 else duration(gate.seconds)


def gate_lines(declared: Sequence[str], gates: Sequence[GateView]) -> list[Content]:
    """The last word of each gate at each place, in the order in which they first spoke; then those that did not yet."""
    last: dict[tuple[str, str], GateView] = {}
    for gate in gates:
        if not gate.gate.startswith(_ACCEPTANCE):
            last[gate.gate, gate.where] = gate
    said = {name for name, _ in last}
    waiting = [Content.assemble((f"· {name}", QUIET), ("  not yet", QUIET)) for name in declared if name not in said]
    return [*map(_gate_line, last.values()), *waiting]


def acceptance_lines(tests: Sequence[str], gates: Sequence[GateView]) -> list[Content]:
    """Each acceptance test as the bundle has it, with what came of it."""
    lines = []
    for number, test in enumerate(tests, start=1):
        said = [
            gate for gate in gates if gate.gate.startswith((f"{_ACCEPTANCE}{number}:", f"{_ACCEPTANCE}{number} of"))
        ]
        if said:
            lines.append(Content.assemble(verdict_of(said[-1]), f"  {test}"))
        else:
            lines.append(Content.assemble(("· ", QUIET), test))
    return lines


_ACCEPTANCE = "acceptance "
"""What the names of acceptance tests begin with, before their number in the bundle."""


def verdict_of(gate: GateView, width: int | None = None) -> Content:
    """Glyph and word, filled to a width if there is one."""
    look = gate_look(gate.verdict)
    text = f"{look.glyph} {look.word}"
    return Content.styled(text if width is None else cell(text, width), look.style)


def _gate_line(gate: GateView) -> Content:
    return Content.assemble(verdict_of(gate), f"  {gate.gate}", (f"  {gate.where} {took(gate)}", QUIET))
