"""Opening the console on a run: with the engine in this process, or attached to one that is elsewhere or over."""

from contextlib import closing

from uet_tui.cli.asking import login
from uet_tui.console.app import UetApp
from uet_tui.console.host import EngineHost
from uet_tui.console.source import StoreSource
from uet_tui.core.commands import Answer, Command
from uet_tui.core.states import RUN_OVER
from uet_tui.engine.embedded import EmbeddedEngine
from uet_tui.engine.start import OpenRun
from uet_tui.report.outcome import exit_code
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader


def attach(home: Home, run: str, host: EngineHost | None = None) -> int:
    """Shows a run until the operator leaves; returns what the console ended with, 0 unless it broke."""

    def carry_out(command: Command) -> Answer:
        from uet_tui.engine.offline import carry_out

        return carry_out(home, run, command)

    with closing(StoreSource(home, run, login(), carry_out)) as source:
        app = UetApp(source, host=host)
        app.run()
    return app.return_code or 0


def drive_on_screen(opened: OpenRun) -> int:
    """Runs a plan in this process while the console shows it; returns the exit code.

    However the console ends, the run is let go of: what goes on is handed to a process in the background.
    """
    place = opened.place
    engine = EmbeddedEngine(opened)
    engine.start()
    try:
        broken = attach(place.home, place.run, engine)
    finally:
        with closing(Reader(place.home.database)) as reader:
            view = reader.run(place.run)
        if engine.alive:
            engine.stop("stop" if view.state in RUN_OVER else "background")
    with closing(Reader(place.home.database)) as reader:
        view = reader.run(place.run)
    return broken or (0 if view.alive else exit_code(view, landing_asked=place.settings.land == "auto"))
