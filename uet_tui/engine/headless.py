"""Running without a console: the same orchestrator, with the operator's interrupts as its only keys."""

import getpass
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from uet_tui.core import vocabulary
from uet_tui.core.commands import Command, Verb
from uet_tui.core.events import Noted
from uet_tui.core.states import RunState
from uet_tui.engine import attempts, liveness
from uet_tui.engine.engine_log import log_to_file
from uet_tui.engine.offline import carry_out
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.signals import handled
from uet_tui.engine.start import OpenRun
from uet_tui.errors import UetError
from uet_tui.store import inbox

_LOOK = 0.25
"""Seconds between looks at whether the orchestrator is done; signals are handled in between."""


def operator_command(verb: Verb, source: str, *, target: str | None = None, note: str = "") -> Command:
    """A command of the operator at this process."""
    return Command(
        id=uuid.uuid4().hex,
        verb=verb,
        target=target,
        note=note,
        by=operator_name(),
        source=f"{source}:{os.getpid()}",
        at=datetime.now(UTC),
    )


def act_of(verb: str, source: str, told: str) -> Noted:
    """An act of the operator at this process that is no command to an orchestrator, to be put on record like one."""
    by = operator_name()
    data: dict[str, object] = {
        "by": by,
        "source": f"{source}:{os.getpid()}",
        "verb": verb,
        "asked_at": datetime.now(UTC).isoformat(),
        "ok": True,
    }
    return Noted(vocabulary.OPERATOR_COMMAND, f"{by}: {verb}: {told}", data=data)


def operator_name() -> str:
    """Who sits here."""
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return str(os.getuid())


def drain(opened: OpenRun, orchestrator: Orchestrator, source: str) -> float:
    """Has a run drain, and tells whoever looks how long that may take; gives until when, as a monotonic time."""
    seconds = opened.place.settings.drain_seconds
    orchestrator.drains_until(time.time() + seconds)
    inbox.submit(opened.place.paths, operator_command(Verb.DRAIN, source, note=f"for {seconds:g} s"))
    return time.monotonic() + seconds


def end_agents(opened: OpenRun, orchestrator: Orchestrator, source: str) -> None:
    """Ends the agents of all attempts at once, and all that they started; their keepers tell of it."""
    orchestrator.report(act_of("kill", source, "running attempts are ended at once"))
    for record in list(opened.hold.records.attempts.values()):
        folder = opened.place.paths.attempt(record.workstream, record.number)
        if liveness.alive(folder):
            attempts.end_now(folder)


class Headless:
    """One run without a console, from the main thread of a process."""

    def __init__(self, opened: OpenRun, say: Callable[[str], None]) -> None:
        """`say` tells the operator what an interrupt does."""
        self._opened = opened
        self._say = say
        self._orchestrator = Orchestrator(opened.place, opened.hold)
        if opened.act is not None:
            self._orchestrator.report(opened.act)
        self._drains_until: float | None = None
        self._draining = False
        self.interrupts = 0
        """How often the operator interrupted."""

    def run(self) -> None:
        """Runs to the end, or to where the operator is needed; lands if the settings say so.

        The first interrupt drains, the second stops agents gently, the third ends them.

        Raises:
            StoppedError: the orchestrator failed by the machine's doing; what was committed can be resumed.
            InterruptedCommandError: the operator interrupted the landing.
        """
        place = self._opened.place
        log = log_to_file(place)
        with handled({signal.SIGHUP: signal.SIG_IGN}):  # a terminal that closes leaves the run going
            with handled({number: lambda *_: self._interrupted() for number in (signal.SIGINT, signal.SIGTERM)}):
                self._orchestrator.start()
                while not self._orchestrator.join(_LOOK):
                    self._look_at_the_clock()
            log.close()
            self._orchestrator.raise_failure()
            if place.settings.land == "auto" and self._orchestrator.records.run.state is RunState.COMPLETED:
                self._say(carry_out(place.home, place.run, operator_command(Verb.LAND, "cli"), self._say).message)

    def _look_at_the_clock(self) -> None:
        """Stops the attempts once the time to drain is over, unless somebody had the run go on meanwhile."""
        if self._drains_until is None or self.interrupts != 1:
            return
        state = self._opened.hold.records.run.state
        self._draining = self._draining or state is RunState.DRAINING
        if self._draining and state is RunState.RUNNING:
            self._drains_until, self._draining, self.interrupts = None, False, 0
        elif time.monotonic() > self._drains_until:
            self._say("the time to drain is over")
            self._interrupted()

    def _interrupted(self) -> None:
        self.interrupts += 1
        place = self._opened.place
        try:
            if self.interrupts == 1:
                self._drains_until = drain(self._opened, self._orchestrator, "cli")
                seconds = place.settings.drain_seconds
                self._say(f"draining: running attempts may finish for {seconds:.0f} s; interrupt again to stop them")
            elif self.interrupts == 2:
                if self._orchestrator.no_room:
                    return self._orchestrator.give_up()
                inbox.submit(place.paths, operator_command(Verb.STOP, "cli"))
                self._say("stopping running attempts; interrupt again to end them at once")
            else:
                end_agents(self._opened, self._orchestrator, "cli")
                self._say("ending running attempts")
                if self._orchestrator.no_room:
                    self._orchestrator.give_up()
        except UetError as error:
            if self.interrupts > 1:
                return self._orchestrator.give_up()
            self._say(f"{error}; interrupt again to leave the run as it is")
        return None


def say_on_stderr(text: str) -> None:
    """Tells the operator something beside the output."""
    with suppress(OSError):
        print(f"uet: {text}", file=sys.stderr, flush=True)  # noqa: T201 - the operator's terminal
