"""Making sandboxes ready before anything runs in them, and taking what an agent left there."""

import hashlib
import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uet_tui import folders
from uet_tui.agents.launching import PLAIN, environment
from uet_tui.engine.confining import around, renew
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError, out_of_room
from uet_tui.failpoints import reached
from uet_tui.gates.runner import end_of, run_command
from uet_tui.store.files import open_regular
from uet_tui.text import one_line
from uet_tui.workspace.sandbox import Sandbox, Snapshot

_LONGEST_NOTE: Final = 2000
"""Bytes of a note that holds the id of a commit, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """That a sandbox was set up just now."""

    commands: int
    seconds: float
    log: Path
    """What the commands printed, relative to the repository."""

    def told(self, worker: int) -> str:
        """It as a line for the operator."""
        commands = "1 setup command" if self.commands == 1 else f"{self.commands} setup commands"
        return f"the sandbox of worker {worker} is set up: {commands} in {self.seconds:.1f} s, output in {self.log}"


def make_ready(
    place: Workplace, sandbox: Sandbox, commit: str, leaving: threading.Event, keep_git: Path | None = None
) -> SetUp | None:
    """Makes a sandbox the commit, and sets it up where that was not done for this run as it is set now.

    Returns:
        None where it was set up before.

    Raises:
        UetError: a setup command failed.
        InterruptedRunError: `leaving` was set meanwhile.
    """
    ready = place.paths.ready(sandbox.folder.name)
    wanted = _mark(place)
    done = ready.exists() and ready.read_text() == wanted
    if not done or not sandbox.folder.exists():
        ready.unlink(missing_ok=True)
        if sandbox.folder.exists():  # setting it up failed, is to be done otherwise, or the orchestrator died meanwhile
            folders.remove(str(sandbox.folder))
    reached("sandbox.before-reset")
    sandbox.reset(commit, keep_git)
    reached("sandbox.reset")
    if ready.exists():
        return None
    began = time.monotonic()
    log = _set_up(place, sandbox, leaving)
    reached("sandbox.set-up")
    ready.write_text(wanted)
    reached("sandbox.ready")
    return SetUp(len(place.settings.sandbox.setup), time.monotonic() - began, log)


def _mark(place: Workplace) -> str:
    """What stands for how sandboxes are set up: from which commit, with which files and commands."""
    settings = place.settings.sandbox
    told = json.dumps([place.base, settings.copy_untracked, settings.setup])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _set_up(place: Workplace, sandbox: Sandbox, leaving: threading.Event) -> Path:
    settings = place.settings
    sandbox.prepare(place.operator.root, settings.sandbox.copy_untracked)
    log = place.paths.setup_log(sandbox.folder.name)
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    log.unlink(missing_ok=True)
    environ = environment(settings.sandbox.env, os.environ) | sandbox.environment
    name = sandbox.folder.name
    if settings.sandbox.setup:
        renew(place, name)
    for command in settings.sandbox.setup:
        with log.open("ab") as file:
            file.write(f"$ {command}\n".encode("utf-8", "replace"))
        deadline = time.monotonic() + settings.timeout_seconds
        reached("sandbox.before-command")
        confinement = around(place, name, sandbox.folder, environ, environment(PLAIN, environ))
        code = run_command(
            command, sandbox.folder, log, confinement.environ, deadline, leaving, place.redactor, confinement.before
        )
        if code != 0:
            how = f"did not end in {settings.timeout_seconds:g} s" if code is None else f"ended with {code}"
            last = place.redactor.text(_last_line(end_of(log), command))
            raise UetError(f"setup command `{command}` {how}: {last}; {_short(place, log)} has all of it")
    return _short(place, log)


def _short(place: Workplace, path: Path) -> Path:
    """A path as the operator reads it: errors are cut where they are long."""
    return path.relative_to(place.home.folder.parent)


def take_snapshot(place: Workplace, sandbox: Sandbox, base: str, message: str, refuge: Path) -> Snapshot:
    """All that an agent left as one commit on `base`, which survives a power loss once this returns.

    Raises:
        OSError: the disk is full; all is where it was.
        UetError: there is none to be had. What is left is in `refuge` then: the next reset would not leave it.
    """
    if not sandbox.folder.is_dir():
        raise UetError("its sandbox is gone: the agent deleted it")
    try:
        snapshot = sandbox.snapshot(base, message)
        place.control.objects.settle()
        return snapshot
    except (UetError, OSError) as error:
        if out_of_room(error):
            raise  # it is taken again, once there is room
        with suppress(OSError):
            sandbox.folder.rename(refuge)
        raise UetError(f"{error}; all that it left is in {refuge}") from error


def taken_before(note: Path) -> str:
    """What an orchestrator before noted in the attempt's folder: the commit, or an empty line if there is none.

    Raises:
        UetError: what is there is no file: the agent can reach that folder.
    """
    file = open_regular(note)
    if file is None:
        raise UetError(f"{note} is no file: take it away; it is not uet's")
    with file:
        return file.read(_LONGEST_NOTE).decode("ascii", "replace").strip()


def _last_line(text: str, command: str) -> str:
    said = text.rpartition(f"$ {command}\n")[2]
    return one_line((said.strip().splitlines() or ["it printed nothing"])[-1], 200)
