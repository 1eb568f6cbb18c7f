"""Where the ladder's commands run: a sandbox for those that need the merged files, a folder for the others."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from uet_tui.engine import processes
from uet_tui.engine.confining import Confinement
from uet_tui.gates.runner import end_of, run_command
from uet_tui.merge.rungs import Ran
from uet_tui.redaction import Redactor
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.sandbox import Sandbox


class SandboxWorkshop:
    """Runs commands with a time limit, what they print in a file, and whatever they started ended with them."""

    def __init__(
        self,
        control: ControlRepository,
        sandbox: Sandbox,
        *,
        log: Path,
        seconds: float,
        environ: Mapping[str, str],
        confine: Callable[[Path, Mapping[str, str]], Confinement],
        cookie: str,
        leaving: threading.Event,
        redactor: Redactor,
    ) -> None:
        """`seconds` ends a command; `confine` tells how one is confined in a folder, with its environment; `cookie`
        marks what it starts; `leaving` is set when the orchestrator leaves.
        """
        self._control = control
        self._sandbox = sandbox
        self._log = log
        self._seconds = seconds
        self._environ = {**environ, processes.COOKIE: cookie}
        self._confine = confine
        self._cookie = cookie
        self._leaving = leaving
        self._redactor = redactor

    def end_left(self) -> None:
        """Ends what its commands left running, those of an orchestrator that was killed included."""
        processes.end_carrying(self._cookie)

    def in_tree(self, tree: str, command: str) -> Ran:
        """Runs a command in the sandbox, checked out at a tree, and says what it changed there.

        Raises:
            InterruptedRunError: the orchestrator leaves.
        """
        commit = self._control.commit_tree(tree, (), "What is merged so far")
        self._sandbox.reset(commit)
        ran = self._run(self._sandbox.folder, command, self._sandbox.environment)
        changes = self._sandbox.snapshot(commit, "What a command made").changes if ran.code == 0 else ()
        return Ran(ran.code, ran.output, changes)

    def in_folder(self, folder: Path, command: str) -> Ran:
        """Runs a command in a folder.

        Raises:
            InterruptedRunError: the orchestrator leaves.
        """
        return self._run(folder, command, {"GIT_CEILING_DIRECTORIES": str(folder.parent)})

    def _run(self, folder: Path, command: str, more: Mapping[str, str]) -> Ran:
        self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            deadline = time.monotonic() + self._seconds
            confinement = self._confine(folder, {**self._environ, **more})
            environ, before = confinement.environ, confinement.before
            code = run_command(command, folder, self._log, environ, deadline, self._leaving, self._redactor, before)
        finally:
            self.end_left()
        return Ran(code, end_of(self._log))
