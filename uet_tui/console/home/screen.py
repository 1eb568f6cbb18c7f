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

from uet_tui.console.dialogs.choose import ChooseDialog, Pick
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.summary import Ending, SummaryDialog
from uet_tui.console.format import plural, worker_look
from uet_tui.console.home import keys
from uet_tui.console.home.banner import Banner
from uet_tui.console.home.conflicts import ConflictsPane
from uet_tui.console.home.costs import CostsPane
from uet_tui.console.home.events import EventsPane, event_line
from uet_tui.console.home.header import Header
from uet_tui.console.home.keys import HomeKeys, Selection, applies
from uet_tui.console.home.pane import Pane
from uet_tui.console.home.tabs import PaneTabs
from uet_tui.console.home.waves import WavesPane
from uet_tui.console.home.workers import WorkersPane
from uet_tui.console.rows import RowList
from uet_tui.console.screens import RunScreen
from uet_tui.console.source import RunSource
from uet_tui.core.commands import Answer, Verb
from uet_tui.core.states import WorkerState
from uet_tui.resources import SCREENS
from uet_tui.store.views import EventView, NeedView, RunView, WorkerView

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
    tabs = query_one(PaneTabs)
    waves_pane = query_one(WavesPane)
    workers_pane = query_one(WorkersPane)
    events_pane = query_one(EventsPane)
    costs_pane = query_one(CostsPane)
    conflicts_pane = query_one(ConflictsPane)
    search = query_one("#search", Input)

    def __init__(self, source: RunSource) -> None:
        super().__init__()
        self._source = source
        self._view: RunView | None = None
        self._wanted: int | None = None
        self._current = 1
        self._visited: NeedView | None = None

    def compose(self) -> ComposeResult:
        """Header, panes, the last event where it would be out of sight, keys."""
        yield Header()
        yield Banner()
        yield PaneTabs()
        with Container(id="panes"):
            yield WavesPane()
            yield WorkersPane()
            yield ConflictsPane()
            yield EventsPane()
            yield CostsPane()
        yield Static(id="last-event", markup=False)
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
        self._view, now = view, self.run_app.now()
        if self._wanted == view.parallelism:
            self._wanted = None
        self.header.show(view, now, self._wanted)
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
        if (last := self.events_pane.last) is not None:
            self.query_one("#last-event", Static).update(event_line(last, max(0, self.size.width - 2)))

    def source_failed(self, text: str) -> None:
        """Says that the run cannot be read; empty: that it can again."""
        self.banner.fail(text)

    def answered(self, verb: Verb, answer: Answer) -> None:
        """Forgets a parallelism that was refused."""
        if verb is Verb.SCALE and not answer.ok and self._view is not None:
            self._wanted = None
            self.header.show(self._view, self.run_app.now(), None)

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
        """The pane with the focus is the one that tabs show."""
        if isinstance(event.widget, Pane):
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
        view, pane = self._view, self.current
        if view is None or self.has_class("-searching"):
            return Selection(searching=view is not None)
        id = pane.workstream()
        workstream = None if id is None else view.workstream(id)
        worker = self.workers_pane.worker() if pane is self.workers_pane else None
        if worker is None and workstream is not None:
            worker = next((w for w in view.workers if w.number == workstream.worker), None)
        conflict = next((c.id for c in view.conflicts if c.open and c.workstream == id), None)
        if pane is self.conflicts_pane:
            conflict = next((c.id for c in view.conflicts if c.open and c.id == pane.selected), None)
        return Selection(worker, workstream, conflict, any(p.filter for p in self.panes))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what does not apply."""
        if action == "scale" and parameters == (-1,) and self._parallelism() <= 1:
            return False
        return applies(action, self._view, self.selection()) if self.is_mounted else True

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
        """Opens the conflict or the workstream under the cursor."""
        if event.rows is self.conflicts_pane:
            self.open_desk(event.key)
        elif (id := self.current.workstream()) is not None:
            self.open_workstream(id)

    def open_workstream(self, id: str) -> None:
        """Shows a workstream on a screen of its own."""
        from uet_tui.console.workstream.screen import WorkstreamScreen  # loaded when first needed

        self.app.push_screen(WorkstreamScreen(self._source, id))

    def open_desk(self, conflict: str | None) -> None:
        """Shows the conflict desk, on a conflict or on the first that needs a decision."""
        from uet_tui.console.desk.screen import ConflictDesk  # loaded when first needed

        self.app.push_screen(ConflictDesk(self._source, conflict))

    def action_conflicts(self) -> None:
        """The desk, on the conflict under the cursor if there is one."""
        self.open_desk(self.selection().conflict)

    def action_approve(self) -> None:
        """The desk: nothing is approved unseen."""
        self.open_desk(self.selection().conflict)

    def action_next_need(self) -> None:
        """Goes to what needs the operator, from one to the next."""
        needs = () if self._view is None else self._view.needs
        if not needs:
            return
        at = needs.index(self._visited) + 1 if self._visited in needs else 0
        need = self._visited = needs[at % len(needs)]
        if need.kind == "conflict":
            self.open_desk(need.target)
        elif need.kind == "land":
            self.action_land()
        else:
            if self.waves_pane.reveal(need.target):
                self.action_pane(self.waves_pane.number)
            self.notify(need.text, title="needs you", severity="warning", markup=False)

    # The filter

    def action_filter(self) -> None:
        """Asks for words, for the waves or the events."""
        if self.current not in (self.waves_pane, self.events_pane):
            self.action_pane(self.events_pane.number)
        self.search.value = self.current.filter
        self.add_class("-searching")
        self.search.focus()
        self.refresh_bindings()

    @on(Input.Changed, "#search")
    def apply_filter(self, event: Input.Changed) -> None:
        """Narrows the pane while words are typed."""
        if self.has_class("-searching"):
            self.current.narrow(event.value)

    @on(Input.Submitted, "#search")
    def keep_filter(self) -> None:
        """Back to the pane, narrowed."""
        self.remove_class("-searching")
        self.current.focus()
        self.refresh_bindings()

    def action_clear_filter(self) -> None:
        """Shows everything again."""
        self.remove_class("-searching")
        for pane in self.panes:
            if pane.filter:
                pane.narrow("")
        self.current.focus()
        self.refresh_bindings()

    # Acts

    def action_pause_run(self) -> None:
        """Starts nothing new."""
        self.act(Verb.PAUSE)

    def action_continue_run(self) -> None:
        """Starts workstreams again."""
        self.act(Verb.CONTINUE)

    def _parallelism(self) -> int:
        return self._wanted or (self._view.parallelism if self._view else 1)

    def action_scale(self, by: int) -> None:
        """Asks for more or fewer workers; the header shows it before the answer."""
        if self._view is not None:
            self._wanted = max(1, self._parallelism() + by)
            self.act(Verb.SCALE, number=self._wanted)
            self.header.show(self._view, self.run_app.now(), self._wanted)
            self.refresh_bindings()

    def action_pause_worker(self) -> None:
        """Pauses the worker under the cursor, or asks which."""
        self._with_worker("Pause which worker?", Verb.PAUSE, but=WorkerState.PAUSED)

    def action_continue_worker(self) -> None:
        """Continues the worker under the cursor."""
        self._with_worker("Continue which worker?", Verb.CONTINUE)

    def action_drain_worker(self) -> None:
        """Drains the worker under the cursor, or asks which."""
        self._with_worker("Drain which worker?", Verb.DRAIN, but=WorkerState.DRAINING)

    def _with_worker(self, question: str, verb: Verb, but: WorkerState | None = None) -> None:
        worker = self.selection().worker
        if worker is not None and worker.state is not but:
            self.act(verb, worker=worker.number)
            return
        picks = [_pick(w) for w in (self._view.workers if self._view else ()) if w.state is not but]

        def chosen(number: str | None) -> None:
            if number is not None:
                self.act(verb, worker=int(number))

        self.app.push_screen(ChooseDialog(question, picks), chosen)

    def action_drain_all(self) -> None:
        """Finishes what runs and ends, if the operator is sure."""
        running = sum(w.workstream is not None for w in (self._view.workers if self._view else ()))
        body = f"{plural(running, 'workstream')} in work will be finished and merged; nothing new starts."
        self._confirm("Drain all and finish?", body, "drain all", Verb.DRAIN)

    def action_kill(self) -> None:
        """Kills the attempt of the selected workstream, if the operator is sure."""
        if (workstream := self.selection().workstream) is not None:
            body = "Its agent is ended now. What it wrote stays on its branch; the money is spent."
            title = f"Kill the attempt of {workstream.id}?"
            self._confirm(title, body, "kill it", Verb.KILL, workstream=workstream.id)

    def action_retry(self) -> None:
        """Tries the selected workstream again."""
        if (workstream := self.selection().workstream) is not None:
            self.act(Verb.RETRY, workstream=workstream.id)

    def action_summary(self) -> None:
        """Says at length what came of the run."""

        async def next_step(step: Ending | None) -> None:
            if step == "land":
                self.action_land()
            elif step == "leave":
                await self.run_action("app.leave")

        if (view := self._view) is not None:
            self.app.push_screen(SummaryDialog(view), next_step)

    def action_land(self) -> None:
        """Lands, if the operator is sure."""
        if (view := self._view) is not None:
            body = f"{view.target_branch or 'The target branch'} moves to the integration branch, at {view.tip[:7]}."
            self._confirm(f"Land {plural(view.merged, 'workstream')}?", body, "land", Verb.LAND)

    def _confirm(self, title: str, body: str, yes: str, verb: Verb, **fields: str) -> None:
        def decided(sure: bool | None) -> None:
            if sure:
                self.act(verb, **fields)

        self.app.push_screen(ConfirmDialog(title, body, yes), decided)


def _pick(worker: WorkerView) -> Pick:
    look = worker_look(worker.state)
    return Pick(str(worker.number), f"worker {worker.number}", f"{look.glyph} {look.word}  {worker.workstream or ''}")
