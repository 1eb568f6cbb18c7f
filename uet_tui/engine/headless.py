"""Running without a console: the same orchestrator, with the operator's interrupts as its only keys."""

import getpass
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

from uet_tui.core.commands import Command, Verb
from uet_tui.core.states import RunState
from uet_tui.engine import attempts
from uet_tui.engine.offline import carry_out
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import OpenRun, log_to_file
from uet_tui.errors import UetError
from uet_tui.store import inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK = 0.25
"""Seconds between looks at whether the orchestrator is done; signals are handled in between."""


def operator_command(verb: Verb, source: str, *, target: str | None = None) -> Command:
    """A command of the operator at this process."""
    return Command(
        id=uuid.uuid4().hex,
        verb=verb,
        target=target,
        by=operator_name(),
        source=f"{source}:{os.getpid()}",
        at=datetime.now(UTC),
    )


def operator_name() -> str:
    """Who sits here."""
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return str(os.getuid())


class Headless:
    """One run without a console, from the main thread of a process."""

    def __init__(self, opened: OpenRun, say: Callable[[str], None]) -> None:
        """`say` tells the operator what an interrupt does."""
        self._opened = opened
        self._say = say
        self._orchestrator = Orchestrator(opened.place, opened.hold)
        self.interrupts = 0
        """How often the operator interrupted."""

    def run(self) -> None:
        """Runs to the end, or to where the operator is needed; lands if the settings say so.

        The first interrupt drains, the second stops agents gently, the third ends them.

        Raises:
            UetError: the orchestrator failed; what was committed can be resumed.
        """
        place = self._opened.place
        log = log_to_file(place)
        deadline: float | None = None
        with _interrupts(self._interrupted):
            self._orchestrator.start()
            while not self._orchestrator.join(_LOOK):
                if self.interrupts and deadline is None:
                    deadline = time.monotonic() + place.settings.drain_seconds
                if deadline is not None and time.monotonic() > deadline and self.interrupts == 1:
                    self._say("the time to drain is over")
                    self._interrupted()
        log.close()
        failure = self._orchestrator.failure
        if isinstance(failure, OSError):  # the machine's doing, not a mistake in here
            raise UetError(f"run {place.run} stops: {failure}; `uet resume {place.run}` goes on") from failure
        if failure is not None:
            raise failure
        if place.settings.land == "auto" and self._orchestrator.records.run.state is RunState.COMPLETED:
            self._say(carry_out(place.home, place.run, operator_command(Verb.LAND, "cli")).message)

    def _interrupted(self) -> None:
        self.interrupts += 1
        place = self._opened.place
        if self.interrupts == 1:
            seconds = place.settings.drain_seconds
            self._say(f"draining: running attempts may finish for {seconds:.0f} s; interrupt again to stop them")
            inbox.submit(place.paths, operator_command(Verb.DRAIN, "cli"))
        elif self.interrupts == 2:
            self._say("stopping running attempts; interrupt again to end them at once")
            inbox.submit(place.paths, operator_command(Verb.STOP, "cli"))
        else:
            self._say("ending running attempts")
            for record in list(self._opened.hold.records.attempts.values()):
                folder = place.paths.attempt(record.workstream, record.number)
                if attempts.alive(folder):
                    attempts.end_now(folder)


@contextmanager
def _interrupts(act: Callable[[], None]) -> "Iterator[None]":
    """Turns SIGINT and SIGTERM into calls of `act`; a terminal that closes (SIGHUP) leaves the run going."""

    def handle(number: int, frame: FrameType | None) -> None:
        act()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    old[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def say_on_stderr(text: str) -> None:
    """Tells the operator something beside the output."""
    with suppress(OSError):
        print(f"uet: {text}", file=sys.stderr, flush=True)  # noqa: T201 - the operator's terminal
