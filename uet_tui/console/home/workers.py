"""The workers pane: what each worker is, does and has done it for."""

from rich.cells import cell_len
from textual.content import Content

from uet_tui.console.format import between, cell, right, worker_look
from uet_tui.console.home.pane import Pane
from uet_tui.console.matrix.words import pairs_of
from uet_tui.core.states import WorkerState
from uet_tui.store.views import RunView, WorkerView


class WorkersPane(Pane):
    """One line a worker."""

    number = 2
    title = "Workers"
    HELP = """
### Workers
What each worker does. A *paused* worker finishes its own and takes nothing new; a *draining* one ends after it.
The processes of a *frozen* one stand still, whatever else it is; no time limit counts meanwhile.

`≠` before a workstream: the forecast sees it in conflict with another branch; `m` shows which.

`p` pauses and continues, `f` freezes and thaws, `d` drains, `+` and `-` change how many there are.
"""

    def __init__(self) -> None:
        super().__init__()
        self._workers: tuple[WorkerView, ...] = ()
        self._over = False
        self._meeting: frozenset[str] = frozenset()
        """Workstreams that the forecast sees in conflict with another."""

    def show(self, view: RunView) -> None:
        """Takes the newest view."""
        with self.keeping_place():
            self._workers = view.workers
            self._over = view.ended_at is not None
            conflicts = [pair for pair in pairs_of(view).values() if pair.verdict == "conflict"]
            self._meeting = frozenset(id for pair in conflicts for id in (pair.first, pair.second))

    def worker(self) -> WorkerView | None:
        """The worker under the cursor."""
        return self._workers[self._cursor] if self.selected is not None else None

    def workstream(self) -> str | None:
        """The workstream that the worker under the cursor has."""
        worker = self.worker()
        return worker.workstream if worker else None

    def count(self) -> int:
        """Workers that are not terminated."""
        return len(self._workers)

    def key_at(self, index: int) -> str:
        """The worker's number."""
        return str(self._workers[index].number)

    def empty(self) -> str:
        """Said before the first worker and after the last."""
        if self._over:
            return "The run is over; its workers are gone."
        return "Workers appear here when the run starts. + adds one."

    def heading(self, width: int) -> tuple[Content, ...]:
        """The names of the columns."""
        names = ("#", "state", "workstream", "agent", "for", "doing")
        return (Content(self._columns(names, width)),) if self._workers else ()

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """One worker."""
        worker = self._workers[index]
        look = worker_look(worker.state, frozen=worker.frozen)
        text = self._columns(
            (
                str(worker.number),
                f"{look.glyph} {look.word}",
                self._has(worker),
                worker.agent,
                self._since(worker),
                self._doing(worker),
            ),
            width,
        )
        marked = "bold $text-warning" if text[15:17] == "≠ " else ""
        return (Content.assemble(text[:4], (text[4:15], look.style), (text[15:17], marked), text[17:]),)

    def _has(self, worker: WorkerView) -> str:
        """Its workstream, marked if the forecast sees that in conflict with another."""
        mark = "" if not self._meeting else "≠ " if worker.workstream in self._meeting else "  "
        return mark + (worker.workstream or "–")

    def _doing(self, worker: WorkerView) -> str:
        """What it does; of a frozen one, what it is besides, and what it takes to go on."""
        if not worker.frozen:
            return worker.doing
        return "f thaws" if worker.state is WorkerState.BUSY else f"{worker.state.value}; f thaws"

    def _since(self, worker: WorkerView) -> str:
        return between(worker.since, None, self.now) if worker.state is not WorkerState.IDLE else ""

    def _columns(self, values: tuple[str, str, str, str, str, str], width: int) -> str:
        """The columns in a line: all take what they need, as far as it goes, and what is done has the rest."""
        number, state, workstream, agent, since, doing = values
        begin = f"{right(number, 3)} {cell(state, 11)}"
        time = max(4, *(cell_len(self._since(worker)) for worker in self._workers))
        if width < 46:
            return f"{begin}{cell(workstream, width - 17 - time)} {right(since, time)} "
        agents = min(9, max(5, *(cell_len(worker.agent) for worker in self._workers)))
        rest = width - 15 - 2 - agents - time - 2
        name = min(max(12, rest - 8), max(10, *(cell_len(self._has(worker)) for worker in self._workers)))
        return f"{begin}{cell(workstream, name)} {cell(agent, agents)} {right(since, time)}  {cell(doing, rest - name)}"
