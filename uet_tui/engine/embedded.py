"""The engine in the console's process: started before the screen, let go of when the operator leaves."""

import subprocess
import sys
import threading
import time
from typing import Literal

from uet_tui.core.commands import Verb
from uet_tui.core.states import WORKSTREAM_ACTIVE, RunState
from uet_tui.engine.engine_log import log_to_file
from uet_tui.engine.headless import drain, end_agents, operator_command
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import OpenRun
from uet_tui.errors import UetError
from uet_tui.store import inbox

_LOOK = 0.1
_STOP_SECONDS = 60.0
"""How long leaving waits for agents that were asked to end, beyond their grace."""


class EmbeddedEngine:
    """An orchestrator in threads of this process; what the console knows as its `EngineHost`."""

    def __init__(self, opened: OpenRun) -> None:
        self._opened = opened
        self._orchestrator = Orchestrator(opened.place, opened.hold, linger=True)
        if opened.act is not None:
            self._orchestrator.report(opened.act)
        self._log = log_to_file(opened.place)
        self._leaving = threading.Lock()
        self._left = False
        self._hurried = 0

    def start(self) -> None:
        """Begins."""
        self._orchestrator.start()

    @property
    def alive(self) -> bool:
        """Whether it still has the run."""
        return self._orchestrator.alive

    def raise_failure(self) -> None:
        """Raises what ended the orchestrator before its time, as `Orchestrator.raise_failure` does."""
        self._orchestrator.raise_failure()

    def stop(self, how: Literal["background", "drain", "stop"]) -> None:
        """Lets go of the run.

        `background` leaves agents running and hands the run to a detached `uet resume --headless`; `drain` waits for
        running attempts, `drain_seconds` long, and then stops them; `stop` ends them. Blocks until that is done; done
        once, it does nothing more.
        """
        with self._leaving:
            self._stop(how)

    def hurry(self) -> None:
        """The operator does not want to wait: agents are stopped gently, and from the second time on ended at once."""
        self._hurried += 1
        if self._hurried == 1:
            self._send(Verb.STOP)
        else:
            end_agents(self._opened, self._orchestrator, "console")

    def _stop(self, how: Literal["background", "drain", "stop"]) -> None:
        if self._left:
            return  # a terminal that closes may say so in more than one way
        self._left = True
        try:
            self._end(how)
        except UetError:  # there is no room for a command: the run is left as it is
            self._orchestrator.give_up()
            self._orchestrator.join(_STOP_SECONDS)
        self._log.close()
        if how == "background" and self._opened.hold.records.run.state is RunState.RUNNING:
            self._resume_detached()  # a paused run stays paused: resuming it is the operator's word

    def _end(self, how: Literal["background", "drain", "stop"]) -> None:
        settings = self._opened.place.settings
        if self.alive and how == "drain":
            self._wait(drain(self._opened, self._orchestrator, "console"))
        if self.alive and (how == "stop" or (how == "drain" and self._busy())):
            self._send(Verb.STOP)
            self._wait(time.monotonic() + settings.grace_seconds + _STOP_SECONDS)
        if self.alive:
            self._send(Verb.DETACH)
            self._orchestrator.join(_STOP_SECONDS)

    def _wait(self, until: float) -> None:
        while self.alive and time.monotonic() < until and self._busy():
            time.sleep(_LOOK)

    def _busy(self) -> bool:
        rows = list(self._opened.hold.records.workstreams.values())
        return any(row.state in WORKSTREAM_ACTIVE for row in rows)

    def _send(self, verb: Verb) -> None:
        inbox.submit(self._opened.place.paths, operator_command(verb, "console"))

    def _resume_detached(self) -> None:
        place = self._opened.place
        with (place.paths.folder / "headless.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-P", "-m", "uet_tui", "resume", place.run, "--headless"],
                cwd=place.operator.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
