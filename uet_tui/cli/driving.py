"""Carrying a run on without the console, from its opening to its exit code."""

from contextlib import closing, suppress
from datetime import UTC, datetime
from threading import Event, Thread

from rich.console import Console

from uet_tui.cli.output import console, emit, show
from uet_tui.engine.headless import Headless, say_on_stderr
from uet_tui.engine.start import OpenRun
from uet_tui.report import documents, tables
from uet_tui.report.outcome import exit_code
from uet_tui.report.progress import follow
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader

_INTERRUPTED = 130


def drive(opened: OpenRun, *, json: bool) -> int:
    """Runs to the end, or to where the operator is needed, shows how it goes meanwhile, and returns the exit code.

    Raises:
        UetError: the orchestrator failed; what was committed can be resumed.
    """
    place = opened.place
    with closing(Reader(place.home.database)) as reader:
        told = reader.last_events(place.run, 1)
    after = told[-1].id if told else 0
    stop = Event()
    out = console(stderr=json)  # standard output is for the document
    display = Thread(target=_show_progress, args=(place.home, place.run, stop, out, after), name="uet-progress")
    session = Headless(opened, say_on_stderr)
    display.start()
    try:
        session.run()
    finally:
        stop.set()
        display.join()
    with closing(Reader(place.home.database)) as reader:
        view = reader.run(place.run)
    if json:
        emit(documents.status(view))
    else:
        show(*tables.summary(view, datetime.now(UTC)))
    return _INTERRUPTED if session.interrupts else exit_code(view, landing_asked=place.settings.land == "auto")


def _show_progress(home: Home, run: str, stop: Event, out: Console, after: int) -> None:
    with closing(Reader(home.database)) as reader, suppress(OSError):  # the run does not depend on who reads of it
        follow(reader, run, stop, out, after=after)
