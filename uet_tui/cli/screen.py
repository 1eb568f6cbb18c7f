"""Opening the console on a run: with the engine in this process, or attached to one that is elsewhere or over."""

import time
from contextlib import closing

from uet_tui.cli.asking import login
from uet_tui.console.app import UetApp
from uet_tui.console.host import EngineHost, Leaving
from uet_tui.console.source import StoreSource
from uet_tui.core.commands import Answer, Command
from uet_tui.core.states import RUN_OVER, RunState
from uet_tui.engine.embedded import EmbeddedEngine
from uet_tui.engine.start import OpenRun
from uet_tui.report.outcome import exit_code
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView

_HANDOVER_SECONDS = 5.0
"""How long a process in the background may take to begin."""


def attach(home: Home, run: str, editor: str, host: EngineHost | None = None) -> int:
    """Shows a run until the operator leaves; returns what the console ended with, 0 unless it broke.

    `editor` is the setting.
    """

    def carry_out(command: Command) -> Answer:
        from uet_tui.engine.offline import carry_out

        return carry_out(home, run, command)

    with closing(StoreSource(home, run, login(), carry_out)) as source:
        app = UetApp(source, host=host, editor=editor)
        app.run()
    return app.return_code or 0


def drive_on_screen(opened: OpenRun) -> tuple[RunView, int]:
    """Runs a plan in this process while the console shows it; returns where the run is then, and the exit code.

    However the console ends, the run is let go of: if nobody said what should become of it, it goes on in the
    background. Leaving a run that is not over is no failure.
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
        self.left = how
        self._engine.stop(how)


def _at_rest(reader: Reader, run: str, *, handed_over: bool) -> RunView:
    """The run; if it was handed over, once the process in the background has it."""
    end = time.monotonic() + _HANDOVER_SECONDS
    view = reader.run(run)
    while handed_over and not view.alive and view.state is RunState.RUNNING and time.monotonic() < end:
        time.sleep(0.05)
        view = reader.run(run)
    return view
