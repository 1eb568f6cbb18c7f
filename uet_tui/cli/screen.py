"""Opening the console on a run: with the engine in this process, or attached to one that is elsewhere or over."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from threading import Thread
from types import FrameType

from uet_tui.cli.asking import login
from uet_tui.console.app import UetApp
from uet_tui.console.host import Leaving
from uet_tui.console.source import StoreSource
from uet_tui.core.commands import Answer, Command
from uet_tui.core.states import RUN_OVER, RunState
from uet_tui.engine.embedded import EmbeddedEngine
from uet_tui.engine.signals import handled
from uet_tui.engine.start import OpenRun
from uet_tui.report.outcome import exit_code
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView

_HANDOVER_SECONDS = 5.0
"""How long a process in the background may take to begin."""


def attach(home: Home, run: str, editor: str, host: "_Host | None" = None) -> int:
    """Shows a run until the operator leaves; returns what the console ended with, 0 unless it broke.

    `editor` is the setting.
    """

    def carry_out(command: Command) -> Answer:
        from uet_tui.engine.offline import carry_out

        return carry_out(home, run, command, lambda _: None)  # the header tells what it waits for

    with closing(StoreSource(home, run, login(), carry_out)) as source:
        app = UetApp(source, host=host, editor=editor)
        with _signals(app, host) if host is not None else nullcontext():
            app.run()
    return app.return_code or 0


@contextmanager
def _signals(app: UetApp, host: "_Host") -> Iterator[None]:
    """Has signals leave the console as interrupts leave a run without one.

    The first SIGTERM or SIGINT drains, the second stops agents gently, the third ends them. A terminal that closes
    leaves the run going in the background: nothing can be drawn any more, so the process ends without a last word.
    """
    told = 0

    def leave(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told += 1
        if told == 1:
            app.call_later(app.leave_now, "drain")
        else:
            host.hurry()

    def hang_up(number: int, frame: FrameType | None) -> None:
        Thread(target=_leave_behind, args=(host,), name="uet-hang-up").start()

    with handled({signal.SIGTERM: leave, signal.SIGINT: leave, signal.SIGHUP: hang_up}):
        yield


def _leave_behind(host: "_Host") -> None:
    try:
        host.stop("background")
    finally:
        os._exit(0)


def drive_on_screen(opened: OpenRun) -> tuple[RunView, int]:
    """Runs a plan in this process while the console shows it; returns where the run is then, and the exit code.

    However the console ends, the run is let go of: if nobody said what should become of it, it goes on in the
    background. Leaving a run that is not over is no failure.

    Raises:
        StoppedError: the orchestrator failed by the machine's doing.
    """
    place = opened.place
    engine = EmbeddedEngine(opened)
    host = _Host(engine)
    engine.start()
    try:
        broken = attach(place.home, place.run, place.settings.editor, host)
    finally:
        with closing(Reader(place.home.database)) as reader:
            over = reader.run(place.run).state in RUN_OVER
            if host.alive:
                host.stop("background")
            view = _at_rest(reader, place.run, handed_over=host.left == "background" and not over)
    engine.raise_failure()
    ended = view.state in RUN_OVER | {RunState.HALTED}
    return view, broken or (exit_code(view, landing_asked=place.settings.land == "auto") if ended else 0)


class _Host:
    """The engine of this process, with a memory of how it was let go of."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self.left: Leaving | None = None

    @property
    def alive(self) -> bool:
        return self._engine.alive

    def stop(self, how: Leaving) -> None:
        self.left = self.left or how
        self._engine.stop(how)

    def hurry(self) -> None:
        self._engine.hurry()


def _at_rest(reader: Reader, run: str, *, handed_over: bool) -> RunView:
    """The run; if it was handed over, once the process in the background has it."""
    end = time.monotonic() + _HANDOVER_SECONDS
    view = reader.run(run)
    while handed_over and not view.alive and view.state is RunState.RUNNING and time.monotonic() < end:
        time.sleep(0.05)
        view = reader.run(run)
    return view
