"""The home screen: puts the newest view into the panes, and turns keys into acts."""

from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.getters import query_one
from textual.widgets import Input, Static

from uet_tui.console.breakdown.sides import Side
from uet_tui.console.budgeting import ask_for_budget
from uet_tui.console.home import keys
from uet_tui.console.home.acts import Acts
from uet_tui.console.home.banner import Banner
from uet_tui.console.home.conflicts import ConflictsPane
from uet_tui.console.home.costs import CostsPane
from uet_tui.console.home.events import EventsPane, LastEvent
from uet_tui.console.home.header import Header
from uet_tui.console.home.keys import HomeKeys, applies
from uet_tui.console.home.pane import Pane
from uet_tui.console.home.selection import Selection, selected
from uet_tui.console.home.waves import WavesPane
from uet_tui.console.home.workers import WorkersPane
from uet_tui.console.rows import RowList
from uet_tui.console.screens import RunScreen
from uet_tui.console.source import RunSource
from uet_tui.console.tabs import NumberedTabs
from uet_tui.core.commands import Answer, Verb
from uet_tui.resources import SCREENS
from uet_tui.store.conflict_views import PairView
from uet_tui.store.views import EventView, NeedView, RunView

TABS_BELOW = (100, 26)
"""Fewer columns or lines than these: the panes become tabs."""
FLOOR = (40, 12)
"""Fewer columns or lines than these: nothing useful fits."""


class HomeScreen(RunScreen):
    """The whole run at a glance."""

    CSS_PATH = SCREENS / "home.tcss"
    AUTO_FOCUS = "WavesPane"
    BINDINGS: ClassVar[list[BindingType]] = keys.BINDINGS

    header = query_one(Header)
    banner = query_one(Banner)
    tabs = query_one(NumberedTabs)
    waves_pane = query_one(WavesPane)
    workers_pane = query_one(WorkersPane)
    events_pane = query_one(EventsPane)
    costs_pane = query_one(CostsPane)
    conflicts_pane = query_one(ConflictsPane)
    search = query_one("#search", Input)

    def __init__(self, source: RunSource) -> None:
        super().__init__()
        self._source = source
        self._acts = Acts(self, self.selection)
        self._current = 1
        self._filtered = 1
        self._visited: NeedView | None = None

    def compose(self) -> ComposeResult:
        """Header, panes, the last event where it would be out of sight, keys."""
        yield Header()
        yield Banner()
        yield NumberedTabs("pane")
        with Container(id="panes"):
            yield WavesPane()
            yield WorkersPane()
            yield ConflictsPane()
            yield EventsPane()
            yield CostsPane()
        yield LastEvent()
        yield Input(id="search", placeholder="words to look for; enter keeps them, escape clears", compact=True)
        yield HomeKeys()
        yield Static(Content(f"Too small: the console needs {FLOOR[0]} columns and {FLOOR[1]} lines."), id="too-small")

    @property
    def panes(self) -> tuple[Pane, ...]:
        """The panes by number."""
        return self.waves_pane, self.workers_pane, self.events_pane, self.costs_pane, self.conflicts_pane

    @property
    def current(self) -> Pane:
        """The pane that has the focus, or had it last."""
        return self.panes[self._current - 1]

    # What is shown

    def show(self, view: RunView) -> None:
        """Puts a view into the header and the panes."""
        now = self.run_app.now()
        self.header.show(view, now)
        self.banner.show(view, now)
        for pane in self.panes:
            pane.now = now
            pane.show(view)
        self._draw_tabs()
        self.refresh_bindings()

    def tick(self, now: datetime) -> None:
        """Lets ages and durations grow."""
        self.header.tick(now)
        for pane in self.panes:
            pane.tick(now)

    def add_events(self, events: tuple[EventView, ...]) -> None:
        """Tells the events pane, and the line that is always in sight."""
        self.events_pane.add(events)
        self.query_one(LastEvent).add(events)

    def source_failed(self, text: str) -> None:
        """Says that the run cannot be read; empty: that it can again."""
        self.banner.fail(text)

    def answered(self, verb: Verb, answer: Answer) -> None:
        """Forgets a parallelism that was refused."""
        if verb is Verb.SCALE and not answer.ok:
            self.header.forget_wanted()

    def on_resize(self, event: Resize) -> None:
        """Panes side by side, or tabs, or nothing."""
        width, height = event.size
        self.set_class(width < TABS_BELOW[0] or height < TABS_BELOW[1], "-tabs")
        self.set_class(width < FLOOR[0] or height < FLOOR[1], "-too-small")
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        """What is not shown cannot keep the focus: where it was lost, it comes back with the room."""
        if self.focused is None:
            self.set_focus(self.search if self.has_class("-searching") else self.current)

    @on(DescendantFocus)
    def follow_focus(self, event: DescendantFocus) -> None:
        """The pane with the focus is the one that tabs show; who is told late that it had it has it no longer."""
        if isinstance(event.widget, Pane) and event.widget is self.focused:
            self._current = event.widget.number
            self._draw_tabs()

    @on(RowList.Moved)
    def offer_other_keys(self) -> None:
        """Other keys apply to what the cursor is on now."""
        self.refresh_bindings()

    def _draw_tabs(self) -> None:
        for pane in self.panes:
            pane.set_class(pane.number == self._current, "-current")
        self.tabs.show(tuple((p.number, p.title, p.alert()) for p in self.panes), self._current)

    # What the cursor is on

    def selection(self) -> Selection:
        """The worker, workstream and conflict that the current pane's cursor is on."""
        view = self.run_app.view
        if view is None or self.has_class("-searching"):
            return Selection(searching=view is not None)
        return selected(view, self.current, filtered=any(pane.filter for pane in self.panes))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what does not apply."""
        if action == "scale" and parameters == (-1,) and self.header.parallelism <= 1:
            return False
        return applies(action, self.run_app.view, self.selection()) if self.is_mounted else True

    # Where to go

    def action_pane(self, number: int) -> None:
        """Puts the focus on a pane; tabs show it."""
        self._current = number
        self._draw_tabs()
        self.current.focus()

    def action_cycle(self, by: int) -> None:
        """The next pane by number."""
        self.action_pane((self._current - 1 + by) % len(self.panes) + 1)

    @on(RowList.Opened)
    def open_selected(self, event: RowList.Opened) -> None:
        """Opens the conflict or the workstream under the cursor; on a model, the breakdown by models."""
        if (pair := self.conflicts_pane.pair()) is not None and event.rows is self.conflicts_pane:
            self.open_pair(pair)
        elif event.rows is self.conflicts_pane:
            self.open_desk(event.key)
        elif (id := self.current.workstream()) is not None:
            self.open_workstream(id)
        elif event.rows is self.costs_pane:
            self.open_breakdown(Side.MODEL)

    def open_workstream(self, id: str) -> None:
        """Shows a workstream on a screen of its own."""
        from uet_tui.console.workstream.screen import WorkstreamScreen  # loaded when first needed

        self.app.push_screen(WorkstreamScreen(self._source, id))

    def open_desk(self, conflict: str | None) -> None:
        """Shows the conflict desk, on a conflict or on the first that needs a decision."""
        from uet_tui.console.desk.screen import ConflictDesk  # loaded when first needed

        self.app.push_screen(ConflictDesk(self._source, conflict))

    def open_pair(self, pair: PairView) -> None:
        """Shows where two branches meet."""
        from uet_tui.console.matrix.pair import PairScreen  # loaded when first needed

        self.app.push_screen(PairScreen(self._source, pair.first, pair.second))

    def action_matrix(self) -> None:
        """The forecast, on the pair under the cursor if there is one."""
        from uet_tui.console.matrix.screen import MatrixScreen  # loaded when first needed

        pair = self.conflicts_pane.pair() if self.current is self.conflicts_pane else None
        self.app.push_screen(MatrixScreen(self._source, None if pair is None else (pair.first, pair.second)))

    def open_breakdown(self, side: Side) -> None:
        """Shows where the money and the tokens went."""
        from uet_tui.console.breakdown.screen import BreakdownScreen  # loaded when first needed

        self.app.push_screen(BreakdownScreen(self._source, side))

    def action_breakdown(self) -> None:
        """Where the money and the tokens went."""
        self.open_breakdown(Side.WORKSTREAM)

    def action_conflicts(self) -> None:
        """The desk, on the conflict under the cursor if there is one."""
        self.open_desk(self.selection().conflict)

    def action_approve(self) -> None:
        """The desk: nothing is approved unseen."""
        self.open_desk(self.selection().conflict)

    def action_next_need(self) -> None:
        """Goes to what needs the operator, from one to the next."""
        if not (needs := self.run_app.view.needs if self.run_app.view else ()):
            return
        at = needs.index(self._visited) + 1 if self._visited in needs else 0
        need = self._visited = needs[at % len(needs)]
        if need.kind == "conflict":
            self.open_desk(need.target)
        elif need.kind == "land":
            self.action_land()
        elif need.kind == "halted":
            self.action_budget()
        elif need.kind == "provider":
            self._acts.go_on_with(need.target)
        else:
            if need.kind == "frozen" and self.workers_pane.select(need.target):
                self.action_pane(self.workers_pane.number)
            elif self.waves_pane.reveal(need.target):
                self.action_pane(self.waves_pane.number)
            self.notify(need.text, title="needs you", severity="warning", markup=False)

    # The filter: it stays with its pane, wherever the focus is told to be meanwhile

    def action_filter(self) -> None:
        """Asks for words, for the waves or the events."""
        self._filtered = (self.waves_pane if self.current is self.waves_pane else self.events_pane).number
        self.action_pane(self._filtered)
        self.search.value = self.current.filter
        self.add_class("-searching")
        self.search.focus()
        self.refresh_bindings()

    @on(Input.Changed, "#search")
    def apply_filter(self, event: Input.Changed) -> None:
        """Narrows the pane while words are typed."""
        if self.has_class("-searching"):
            self.panes[self._filtered - 1].narrow(event.value)

    @on(Input.Submitted, "#search")
    def keep_filter(self) -> None:
        """Back to the pane, narrowed."""
        self.remove_class("-searching")
        self.action_pane(self._filtered)
        self.refresh_bindings()

    def action_clear_filter(self) -> None:
        """Shows everything again."""
        for pane in self.panes:
            if pane.filter:
                pane.narrow("")
        self.remove_class("-searching")
        self.current.focus()
        self.refresh_bindings()

    # Acts

    def action_pause_run(self) -> None:
        """Starts nothing new."""
        self.act(Verb.PAUSE)

    def action_continue_run(self) -> None:
        """Starts workstreams again."""
        self.act(Verb.CONTINUE)

    def action_scale(self, by: int) -> None:
        """Asks for more or fewer workers; the header shows it before the answer."""
        self.act(Verb.SCALE, number=self.header.want(by))
        self.refresh_bindings()

    def action_pause_worker(self) -> None:
        """Pauses the worker under the cursor, or asks which."""
        self._acts.pause_worker()

    def action_continue_worker(self) -> None:
        """Continues the worker under the cursor."""
        self._acts.continue_worker()

    def action_freeze_worker(self) -> None:
        """Freezes the worker under the cursor, or asks which."""
        self._acts.freeze_worker()

    def action_thaw_worker(self) -> None:
        """Thaws the worker under the cursor, or asks which."""
        self._acts.thaw_worker()

    def action_drain_worker(self) -> None:
        """Drains the worker under the cursor, or asks which."""
        self._acts.drain_worker()

    def action_drain_all(self) -> None:
        """Finishes what runs and ends, if the operator is sure."""
        self._acts.drain_all()

    def action_kill(self) -> None:
        """Kills the attempt of the selected workstream, if the operator is sure."""
        self._acts.kill()

    def action_retry(self) -> None:
        """Tries the selected workstream again."""
        self._acts.retry()

    def action_budget(self) -> None:
        """Asks how much the run may spend."""
        ask_for_budget(self)

    def action_raise_budget(self) -> None:
        """Asks how much more the run may spend."""
        ask_for_budget(self)

    def action_stopped_provider(self) -> None:
        """Asks whether a provider that stopped may be asked again."""
        self._acts.go_on_with()

    def action_land(self) -> None:
        """Lands, if the operator is sure."""
        self._acts.land()

    def action_summary(self) -> None:
        """Says at length what came of the run."""
        self._acts.summary()
