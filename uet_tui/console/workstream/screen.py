"""The screen of one workstream."""

import asyncio
from datetime import datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static, TabbedContent, TabPane

from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.key_bar import KeyBar
from uet_tui.console.lines_box import LinesBox
from uet_tui.console.screens import RunScreen
from uet_tui.console.source import RunSource
from uet_tui.console.workstream.facts import attempt_title, facts, headline
from uet_tui.console.workstream.gates import GatesView
from uet_tui.console.workstream.keys import KEYS
from uet_tui.console.workstream.output import OutputBox
from uet_tui.console.workstream.paint import diff_lines, event_line, prompt_lines
from uet_tui.core.commands import Verb
from uet_tui.core.states import ATTEMPT_OVER, WorkstreamState
from uet_tui.errors import UetError
from uet_tui.resources import SCREENS
from uet_tui.store.conflict_views import GateView
from uet_tui.store.views import AttemptView, EventView, RunView, WorkstreamView

POLL_SECONDS = 0.5
"""How often a running attempt's output is looked at: half of what "live" allows."""
TAIL_BYTES = 65_536
"""How far before its end the output of an attempt is begun; a reader gives no more at once."""
EVENTS = 500
TABS = ("facts-pane", "output-pane", "diff-pane", "prompt-pane", "gates-pane", "events-pane")
_RETRIABLE = frozenset(
    {WorkstreamState.FAILED, WorkstreamState.QUARANTINED, WorkstreamState.SKIPPED, WorkstreamState.CANCELLED}
)


class WorkstreamScreen(RunScreen):
    """Facts beside output, diff, prompt and events; follows the newest attempt until another is chosen."""

    CSS_PATH = SCREENS / "workstream.tcss"
    AUTO_FOCUS = "#output-lines"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual types it as a variable
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, source: RunSource, workstream_id: str, attempt: int | None = None) -> None:
        """Opens on an attempt, by its number, or on whatever is newest."""
        super().__init__()
        self._source = source
        self._workstream = workstream_id
        self._attempts: tuple[AttemptView, ...] = ()
        self._gates: tuple[GateView, ...] = ()
        self._chosen = attempt
        """The number of the attempt that is looked at; None: always the newest."""
        self._known: WorkstreamView | None = None
        self._followed: str | None = None
        """The folder whose output is in the box."""
        self._event = 0
        """The id of the newest event in the box."""

    def compose(self) -> ComposeResult:
        """The headline, the facts, the tabs, the keys."""
        yield Static(id="headline", markup=False)
        with Horizontal(id="body"):
            with VerticalScroll(id="facts-side") as side:
                side.border_title = "Facts"
                yield Static(classes="facts", markup=False)
            with Vertical(id="right"):
                yield Static(id="attempt", markup=False)
                with TabbedContent(initial="output-pane", id="tabs"):
                    with TabPane("Facts", id="facts-pane"), VerticalScroll():
                        yield Static(classes="facts", markup=False)
                    with TabPane("Output", id="output-pane"):
                        yield OutputBox()
                    with TabPane("Diff", id="diff-pane"):
                        yield LinesBox(id="diff-lines")
                    with TabPane("Prompt", id="prompt-pane"):
                        yield LinesBox(id="prompt-lines")
                    with TabPane("Gates", id="gates-pane"):
                        yield GatesView()
                    with TabPane("Events", id="events-pane"):
                        yield LinesBox(id="event-lines", limit=2 * EVENTS, follow=True, empty="Nothing happened yet.")
        yield KeyBar()

    def on_mount(self) -> None:
        """Fetches what the view does not carry."""
        self._read_events()

    def on_resize(self) -> None:
        """The facts are a tab, with a key, only where there is no room for them."""
        self.call_after_refresh(self._settle_tabs)

    def _settle_tabs(self) -> None:
        tabs = self.query_one("#tabs", TabbedContent)
        if tabs.active == "facts-pane" and not self.has_class("-narrow"):
            tabs.active = "output-pane"
        self.refresh_bindings()

    # What is shown

    def show(self, view: RunView) -> None:
        """Redraws the facts; looks for new attempts if anything about the workstream changed."""
        ws = view.workstream(self._workstream)
        if ws is not None and ws != self._known:
            self._read_attempts()
            self._read_gates()
        self._known = ws
        self._draw_facts()
        self.refresh_bindings()

    def tick(self, now: datetime) -> None:
        """What runs gets older."""
        self._draw_facts()

    def add_events(self, events: tuple[EventView, ...]) -> None:
        """Takes those of this workstream."""
        fresh = [event for event in events if event.workstream == self._workstream and event.id > self._event]
        if fresh:
            self._event = fresh[-1].id
            self.query_one("#event-lines", LinesBox).add([event_line(event) for event in fresh])

    def _draw_facts(self) -> None:
        view, ws = self.run_app.view, self._known
        if view is None or ws is None:
            self.query_one("#headline", Static).update(Content(f"This run has no workstream {self._workstream}."))
            return
        self.query_one("#headline", Static).update(headline(view, ws), layout=False)
        content = facts(view, ws, self._attempts, self._gates, self.run_app.now())
        for box in self.query(".facts").results(Static):
            box.update(content)

    # What is read off the UI thread

    @work(exclusive=True, group="attempts")
    async def _read_attempts(self) -> None:
        try:
            attempts = await self.read(self._source.attempts, self._workstream)
        except UetError as error:
            self._say(str(error))
            return
        self._attempts = attempts
        self._draw_facts()
        self._look_at_attempt()

    @work(exclusive=True, group="events")
    async def _read_events(self) -> None:
        try:
            events = await self.read(self._source.last_events, EVENTS, self._workstream)
        except UetError as error:
            self._say(str(error))
            return
        self.add_events(events)

    @work(exclusive=True, group="gates")
    async def _read_gates(self) -> None:
        try:
            gates = await self.read(self._source.gates, self._workstream)
        except UetError as error:
            self._say(str(error))
            return
        if gates != self._gates:
            self._gates = gates
            self.query_one(GatesView).put(gates)
            self._draw_facts()

    @work(exclusive=True, group="output")
    async def _follow(self, folder: str) -> None:
        """Pours output into the box as it comes, until the attempt is over and all of it was read."""
        box, offset = self.query_one(OutputBox), -TAIL_BYTES
        while True:
            over = self._looked_at is None or self._looked_at.state in ATTEMPT_OVER
            try:
                piece = await self.read(self._source.output, folder, offset)
            except UetError as error:
                self._say(str(error))
                return
            if offset < 0 and piece.next_offset > TAIL_BYTES:
                box.add([Content.styled(f"… what was printed before is in {folder}", "$foreground-muted")])
            offset = piece.next_offset
            if piece.text:
                box.pour(piece.text)
            elif over:
                return
            else:
                await asyncio.sleep(POLL_SECONDS)

    @work(exclusive=True, group="artifacts")
    async def _read_artifacts(self, attempt: AttemptView) -> None:
        """Reads diff and prompt, and paints them, too: both can be long."""
        source, over = self._source, attempt.state in ATTEMPT_OVER
        no_diff = "It changed nothing." if over else "No diff yet: it is made when the attempt ends."
        for box, made, empty in (
            ("#prompt-lines", _prompt_of, "No prompt: this agent got none, or not yet."),
            ("#diff-lines", _diff_of, no_diff),
        ):
            try:
                lines, nothing = await self.read(made, source, attempt.folder), empty
            except UetError as error:
                lines, nothing = [], str(error)
            self.query_one(box, LinesBox).put(lines, empty=nothing)

    @property
    def _looked_at(self) -> AttemptView | None:
        chosen = next((attempt for attempt in self._attempts if attempt.number == self._chosen), None)
        return chosen or (self._attempts[-1] if self._attempts else None)

    def _look_at_attempt(self) -> None:
        attempt = self._looked_at
        if attempt is None:
            reason = self._known.reason if self._known else ""
            self._say("No attempt yet" + (f": {reason}" if reason else "."))
            self.query_one(OutputBox).begin("No attempt yet: there is nothing to see of it.")
            for box in ("#diff-lines", "#prompt-lines"):
                self.query_one(box, LinesBox).put((), empty="No attempt yet.")
            self._followed = None
            return
        self._say(attempt_title(attempt, len(self._attempts)))
        if attempt.folder != self._followed:
            self._followed = attempt.folder
            self.query_one(OutputBox).begin("It has printed nothing yet.")
            self._follow(attempt.folder)
        self._read_artifacts(attempt)
        self.refresh_bindings()

    def _say(self, words: str | Content) -> None:
        self.query_one("#attempt", Static).update(words if isinstance(words, Content) else Content(words))

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dims what the state does not allow; facts have a key only where they are a tab."""
        ws = self._known
        match action:
            case "tab" if parameters == ("facts-pane",):
                return self.has_class("-narrow")
            case "retry":
                again = ws is not None and ws.state is WorkstreamState.PENDING and ws.attempts > 0
                return (ws is not None and ws.state in _RETRIABLE) or again or None
            case "kill":
                return (ws is not None and ws.state is WorkstreamState.RUNNING) or None
            case "hold" | "release" | "first":
                if ws is None or ws.over or ws.state is WorkstreamState.MERGING:
                    return False
                return {"hold": not ws.held, "release": ws.held, "first": not ws.first}[action]
            case "conflict":
                return self._conflict is not None
            case "attempt":
                return len(self._attempts) > 1 or None
        return True

    def action_tab(self, pane: str) -> None:
        """Opens a tab and gives its text the focus."""
        self.query_one("#tabs", TabbedContent).active = pane
        self.query_one(f"#{pane}").query("GateList, LinesBox, VerticalScroll").first().focus()

    def action_next_tab(self, by: int) -> None:
        """The tab beside, round and round."""
        tabs = TABS if self.has_class("-narrow") else TABS[1:]
        active = self.query_one("#tabs", TabbedContent).active
        self.action_tab(tabs[(tabs.index(active) + by) % len(tabs) if active in tabs else 0])

    def action_attempt(self, by: int) -> None:
        """Another attempt; on the last one, whatever is newest is followed again."""
        attempt = self._looked_at
        if attempt is not None:
            numbers = [a.number for a in self._attempts]
            index = min(max(numbers.index(attempt.number) + by, 0), len(numbers) - 1)
            self._chosen = None if index == len(numbers) - 1 else numbers[index]
            self._look_at_attempt()

    def action_retry(self) -> None:
        """Tries it again."""
        self.act(Verb.RETRY, workstream=self._workstream)

    def action_hold(self) -> None:
        """Keeps it from being started and merged."""
        self.act(Verb.HOLD, workstream=self._workstream)

    def action_release(self) -> None:
        """Lets it go on."""
        self.act(Verb.RELEASE, workstream=self._workstream)

    def action_first(self) -> None:
        """Has it merged before what else is queued."""
        self.act(Verb.FIRST, workstream=self._workstream)

    def action_kill(self) -> None:
        """Asks, then ends the running attempt."""
        title = f"Kill the attempt of {self._workstream}?"
        body = "The agent is ended now. What it wrote stays on its branch; the workstream fails until it is retried."

        def act(sure: bool | None) -> None:
            if sure:
                self.act(Verb.KILL, workstream=self._workstream)

        self.app.push_screen(ConfirmDialog(title, body, "kill it"), act)

    @property
    def _conflict(self) -> str | None:
        """The id of its conflict; an open one comes first."""
        view = self.run_app.view
        return next((c.id for c in view.conflicts if c.workstream == self._workstream), None) if view else None

    def action_conflict(self) -> None:
        """Opens its conflict: an open one, else how the last one ended."""
        if self._conflict is not None:
            from uet_tui.console.desk.screen import ConflictDesk  # loaded when first needed

            self.app.push_screen(ConflictDesk(self._source, self._conflict))

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss()


def _prompt_of(source: RunSource, folder: str) -> list[Content]:
    return prompt_lines(source.prompt(folder), source.context(folder))


def _diff_of(source: RunSource, folder: str) -> list[Content]:
    return diff_lines(source.diff(folder))
