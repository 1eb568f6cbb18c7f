"""The waves pane: every workstream where it stands, in the waves of the plan."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from uet_tui.console.amounts import price
from uet_tui.console.format import between, cell, counted, right, workstream_look
from uet_tui.console.home.pane import Pane, matches
from uet_tui.core.states import WorkstreamState
from uet_tui.store.views import RunView, WorkstreamView

S = WorkstreamState
_WRONG = frozenset({S.CONFLICTED, S.FAILED, S.QUARANTINED, S.SKIPPED})
"""What a fold never hides."""
_AT_WORK = frozenset({S.RUNNING, S.GATING})
_TIME, _COST = 7, 8


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave with its workstreams."""

    number: int
    workstreams: tuple[WorkstreamView, ...]

    @property
    def key(self) -> str:
        """What its row is known by; no workstream's id has a blank."""
        return f"wave {self.number}"

    @property
    def merged(self) -> bool:
        """Whether all of it is merged."""
        return all(ws.state is S.MERGED for ws in self.workstreams)

    @property
    def pending(self) -> bool:
        """Whether nothing of it has begun."""
        return all(ws.state is S.PENDING for ws in self.workstreams)

    def took(self, now: datetime) -> str:
        """From its first start to its last end, or to now; empty before it began."""
        starts = [ws.started_at for ws in self.workstreams if ws.started_at]
        ends = [ws.ended_at for ws in self.workstreams if ws.ended_at]
        over = all(ws.over for ws in self.workstreams)
        return between(min(starts), max(ends) if over and ends else None, now) if starts else ""


def waves_of(workstreams: tuple[WorkstreamView, ...]) -> tuple[Wave, ...]:
    """The waves of workstreams that are in wave order."""
    return tuple(Wave(n, tuple(found)) for n, found in groupby(workstreams, key=lambda ws: ws.wave))


def folded_waves(waves: tuple[Wave, ...]) -> frozenset[int]:
    """The waves that fold by themselves: all merged, or not begun while an earlier one is not done."""
    folded: set[int] = set()
    earlier_done = True
    for wave in waves:
        if wave.merged or (wave.pending and not earlier_done):
            folded.add(wave.number)
        earlier_done = earlier_done and wave.merged
    return frozenset(folded)


class WavesPane(Pane):
    """Waves that fold, and workstreams with their reason or their worker, time and cost."""

    number = 1
    title = "Waves"
    HELP = """
### Waves
Every workstream where it stands. A line that does not move says why. Waves that are merged, or that wait for an
earlier one, fold; what went wrong stays in sight.

`enter` opens a workstream and folds a wave, `k` kills an attempt, `r` retries, `/` filters.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "fold(True)", "Fold", id="waves.fold", tooltip="Fold the wave", show=False),
        Binding("right,l", "fold(False)", "Unfold", id="waves.unfold", tooltip="Unfold the wave", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._waves: tuple[Wave, ...] = ()
        self._own: frozenset[int] = frozenset()
        self._asked: dict[int, bool] = {}
        self._rows: list[Wave | WorkstreamView] = []
        self._index: dict[str, int] = {}
        self._unpriced: frozenset[str] = frozenset()
        self._id_width = 12

    def show(self, view: RunView) -> None:
        """Takes the newest view; folds what has finished since."""
        with self.keeping_place():
            self._waves = waves_of(view.workstreams)
            folded = folded_waves(self._waves)
            for number in folded ^ self._own:
                self._asked.pop(number, None)
            self._own = folded
            self._unpriced = frozenset(row.workstream for row in view.costs.rows if row.unpriced)
            self._id_width = max((len(ws.id) for ws in view.workstreams), default=12)
            self.sift()

    def sift(self) -> None:
        """Works out the rows in sight; a filter shows what matches in unfolded waves."""
        self._rows = []
        for wave in self._waves:
            inside = [ws for ws in wave.workstreams if self._in_sight(wave, ws)]
            if inside or not self.filter:
                self._rows += [wave, *inside]
        self._index = {self.key_at(i): i for i in range(len(self._rows))}

    def _in_sight(self, wave: Wave, ws: WorkstreamView) -> bool:
        if self.filter:
            return matches(self.filter, f"{ws.id} {ws.state} {ws.reason} {ws.agent} wave {ws.wave}")
        return not self._folded(wave) or ws.state in _WRONG

    def _folded(self, wave: Wave) -> bool:
        return not self.filter and self._asked.get(wave.number, wave.number in self._own)

    def count(self) -> int:
        """Rows in sight."""
        return len(self._rows)

    def key_at(self, index: int) -> str:
        """The wave's key or the workstream's id."""
        row = self._rows[index]
        return row.key if isinstance(row, Wave) else row.id

    def index_of(self, key: str) -> int | None:
        """Where a row is."""
        return self._index.get(key)

    def empty(self) -> str:
        """Said before there is a plan, or when the filter leaves nothing."""
        if self.filter:
            return "Nothing matches the filter. escape clears it."
        return "The workstreams of the plan appear here, wave by wave, once the run has read them."

    def reveal(self, id: str) -> bool:
        """Puts the cursor on a workstream, unfolding its wave and clearing the filter if they hide it."""
        wave = next((w for w in self._waves if any(ws.id == id for ws in w.workstreams)), None)
        if wave is None:
            return False
        if self.index_of(id) is None:
            self._asked[wave.number] = False
            self.narrow("")
        return self.select(id)

    def workstream(self) -> str | None:
        """The workstream under the cursor; None on a wave."""
        row = self._rows[self._cursor] if self.selected is not None else None
        return row.id if isinstance(row, WorkstreamView) else None

    def clicked(self, index: int, *, again: bool) -> None:
        """A click on a wave folds or unfolds it."""
        super().clicked(index, again=again or isinstance(self._rows[index], Wave))

    def action_open(self) -> None:
        """Folds or unfolds a wave; opens a workstream."""
        row = self._rows[self._cursor] if self.selected is not None else None
        if isinstance(row, Wave):
            self.action_fold(not self._folded(row))
        else:
            super().action_open()

    def action_fold(self, fold: bool) -> None:
        """Folds or unfolds the wave that the cursor is in, and stays on it."""
        if self.selected is None:
            return
        row = self._rows[self._cursor]
        number = row.number if isinstance(row, Wave) else row.wave
        with self.keeping_place():
            self._asked[number] = fold
            self.sift()
        if fold:
            self.select(f"wave {number}")

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """The one line of a wave or a workstream."""
        row = self._rows[index]
        if isinstance(row, Wave):
            return (wave_line(row, self._folded(row), self.now, width),)
        return (workstream_line(row, self.now, width, self._id_width, unpriced=row.id in self._unpriced),)


def wave_line(wave: Wave, folded: bool, now: datetime, width: int) -> Content:
    """`▾ wave 2   2 merged · 2 running`, with how long it took at the right."""
    counts: dict[str, int] = {}
    for ws in wave.workstreams:
        counts[ws.state.value] = counts.get(ws.state.value, 0) + 1
    head = f"{'▸' if folded else '▾'} wave {wave.number:<2}"
    took = wave.took(now)
    room = width - len(head) - 1 - (_TIME + 1 if took else 0)
    return Content.assemble(
        (head, "bold"),
        " ",
        (cell(counted(counts, room), room), "$foreground-muted"),
        (right(took, _TIME + 1) if took else "", "$foreground-muted"),
    )


def wished(ws: WorkstreamView) -> str:
    """The reason, after what the operator wants of its merge where the reason does not say that itself."""
    wish, told = ("held", "held") if ws.held else ("first", "1st") if ws.first else ("", "")
    return " · ".join(part for part in ("" if ws.over or told in ws.reason else wish, ws.reason) if part)


def workstream_line(ws: WorkstreamView, now: datetime, width: int, id_width: int, *, unpriced: bool = False) -> Content:
    """State, id, what it does or why it does not move, how long, how much; `unpriced`: nobody knows all of that."""
    look = workstream_look(ws.state)
    id_width = max(10, min(id_width, (width - 16) // 2, 32))
    time = between(ws.started_at, ws.ended_at, now)
    cost = price(ws.cost_usd, unknown=unpriced) if width >= 50 and (ws.cost_usd or unpriced) else ""
    at_work = ws.worker is not None and ws.state in _AT_WORK
    reason = wished(ws)
    note = " · ".join(part for part in (f"worker {ws.worker}", reason or ws.agent) if part) if at_work else reason
    figures = ""
    if time or cost:
        figures = right(time, _TIME) + (right(cost, _COST) if width >= 50 else "")
    if ws.state is S.MERGED and not note:
        note = (ws.merge_commit or "")[:7]
    room = width - 16 - id_width - 1 - len(figures)
    if 0 < room < len(note) and at_work:
        note = reason or f"worker {ws.worker}"
    elif room < len(note) and figures and ws.state is not S.MERGED:
        whole = width - 16 - id_width - 1
        figures = right(cost, _COST) if cost and len(note) <= whole - _COST else ""
        room = whole - len(figures)
    return Content.assemble(
        ("  " + cell(f"{look.glyph} {look.word}", 14), look.style),
        (cell(ws.id, id_width), "" if ws.state is not S.PENDING else "$foreground-muted"),
        " ",
        (cell(note, room), "$text-warning" if ws.state in _WRONG else "$foreground-muted"),
        figures,
    )
