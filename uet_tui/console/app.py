"""The console's app: keeps the newest view, the clock and the bridge, and hands what comes to the screens."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from uet_tui.console.bridge import Bridge
from uet_tui.console.dialogs.help import HelpScreen
from uet_tui.console.dialogs.leave import LeaveDialog
from uet_tui.console.home.screen import HomeScreen
from uet_tui.console.host import EngineHost, Leaving
from uet_tui.console.messages import Answered, EventsArrived, Left, RunChanged, SourceFailed
from uet_tui.console.palette import acts_of
from uet_tui.console.screens import Act, Field, RunApp, RunScreen
from uet_tui.console.source import RunSource
from uet_tui.core.commands import Verb
from uet_tui.core.states import RUN_OVER
from uet_tui.resources import SCREENS
from uet_tui.store.views import RunView
from uet_tui.text import one_line

_QUIET = frozenset({Verb.SCALE, Verb.TAKE, Verb.UNDO, Verb.EDIT})
"""Commands whose effect is in plain sight: no word of success."""


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class UetApp(RunApp):
    """The console of one run, in the process that runs it or attached to it from elsewhere."""

    CSS_PATH = SCREENS / "app.tcss"
    TITLE = "uet"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", id="app.help", tooltip="All keys", key_display="?"),
        Binding("f1", "help", "help", id="app.help_too", show=False),
        Binding("q", "leave", "leave", id="app.leave", tooltip="Leave the console"),
        Binding("ctrl+q", "leave", "leave", id="app.leave_too", show=False, priority=True),
    ]

    def __init__(
        self,
        source: RunSource,
        *,
        clock: Callable[[], datetime] = utc_now,
        host: EngineHost | None = None,
        editor: str = "",
    ) -> None:
        """Makes the console.

        Args:
            source: the run.
            clock: the one clock, in UTC.
            host: the engine of this process; None where the run goes on elsewhere or is over.
            editor: the setting `editor`.
        """
        super().__init__()
        self._source = source
        self._clock = clock
        self._host = host
        self.editor = editor
        self._bridge = Bridge(source, self.post_message)
        self._leaving = False

    def now(self) -> datetime:
        """The time of the one clock."""
        return self._clock()

    async def on_mount(self) -> None:
        """Opens the home screen and begins to watch the run."""
        await self.push_screen(HomeScreen(self._source))
        self.set_interval(1.0, self._tick)
        self._bridge.start()

    async def on_unmount(self) -> None:
        """Ends the bridge's threads and gives the terminal its own title back."""
        if self.title != self.TITLE:
            self._write("\x1b[23;2t")
        self._bridge.stop()
        await asyncio.to_thread(self._bridge.join)

    @property
    def run_screens(self) -> list[RunScreen]:
        """The screens of the run, the one in sight last; those that have their widgets, and none while the app ends."""
        if not self.is_running:
            return []
        return [screen for screen in self.screen_stack if isinstance(screen, RunScreen) and screen.is_mounted]

    # What comes from the run

    @on(RunChanged)
    def show_run(self, message: RunChanged) -> None:
        """Keeps the newest view and shows it on the screen in sight, also behind a dialog."""
        if self.view is not None and message.view.revision < self.view.revision:
            return
        self.view = message.view
        self._entitle(window_title(message.view))
        for screen in self.run_screens:
            if isinstance(screen, HomeScreen):
                screen.source_failed("")
        for screen in self.run_screens[-1:]:
            with self.batch_update():
                screen.show(message.view)

    @on(EventsArrived)
    def add_events(self, message: EventsArrived) -> None:
        """Tells every screen, since events come only once."""
        for screen in self.run_screens:
            screen.add_events(message.events)

    @on(SourceFailed)
    def show_failure(self, message: SourceFailed) -> None:
        """Says so on the home screen; the last view stays."""
        for screen in self.run_screens:
            if isinstance(screen, HomeScreen):
                screen.source_failed(message.text)

    def _entitle(self, title: str) -> None:
        """Titles the app and the terminal that it is in."""
        if title != self.title:
            kept = "\x1b[22;2t" if self.title == self.TITLE else ""
            self.title = title
            self._write(f"{kept}\x1b]2;{one_line(title, 100)}\x07")

    def _write(self, sequence: str) -> None:
        """Sends the terminal a sequence that Textual has no word for."""
        if self._driver is not None and not (self.is_headless or self.is_web):
            self._driver.write(sequence)

    def _tick(self) -> None:
        for screen in self.run_screens[-1:]:
            screen.tick(self.now())

    # What goes to the run

    @on(Act)
    def send(self, act: Act) -> None:
        """Sends a command off the UI thread."""
        self._bridge.send(act.verb, words(act.verb, act.fields), dict(act.fields))

    @on(Answered)
    def tell_answer(self, message: Answered) -> None:
        """Says why a command was refused, and in short that one was done."""
        answer = message.answer
        if not answer.ok:
            self.notify(answer.message, title=f"{message.what}: refused", severity="warning", timeout=8, markup=False)
        elif message.verb not in _QUIET:
            self.notify(answer.message, timeout=3, markup=False)
        for screen in self.run_screens[-1:]:
            screen.answered(message.verb, answer)

    # Leaving and help

    def action_leave(self) -> None:
        """Closes the console; asks first what becomes of a run that this process holds."""
        over = self.view is not None and self.view.state in RUN_OVER
        if self._host is None or over or not self._host.alive:
            self.exit()
        elif not self._leaving and not isinstance(self.screen, LeaveDialog):
            self.push_screen(LeaveDialog(), self._leave)

    def leave_now(self, how: Leaving) -> None:
        """Leaves without a question, as a signal wants it."""
        if self._host is None or not self._host.alive:
            self.exit()
        elif not self._leaving:
            self._leave(how)

    def _leave(self, how: Leaving | None) -> None:
        if how is None or self._host is None:
            return
        self._leaving = True
        said = {"background": "handing the run over", "drain": "draining; the console closes when all is done"}
        self.notify(said.get(how, "stopping the agents"), title="leaving", timeout=600, markup=False)
        self._bridge.leave(self._host, how)

    @on(Left)
    def close(self, message: Left) -> None:
        """Closes the console once the engine let go; stays if it could not."""
        self._leaving = False
        if message.error:
            self.notify(message.error, title="could not leave", severity="error", timeout=15, markup=False)
        else:
            self.exit()

    def action_help(self) -> None:
        """Shows all keys of the screen beneath, and what the states mean."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every act of the screen, then Textual's own commands but its quit, which would not ask."""
        yield from acts_of(self, screen)
        yield from (command for command in super().get_system_commands(screen) if command.title != "Quit")


def words(verb: Verb, fields: Mapping[str, Field]) -> str:
    """A command as the operator would say it: `drain worker 3`, `take c1`."""
    about = [f"worker {fields['worker']}"] if fields.get("worker") else []
    about += [str(fields[name]) for name in ("workstream", "conflict", "number") if fields.get(name)]
    return " ".join([verb.value, *about])


def window_title(view: RunView) -> str:
    """`uet · payments · ! 2 need you`."""
    count = len(view.needs)
    need = f" · ! {count} {'needs' if count == 1 else 'need'} you" if count else ""
    return f"uet · {view.name}{need}"
