"""Making sandboxes ready before anything runs in them, and taking what an agent left there."""

import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.gates.runner import end_of, run_command
from uet_tui.text import one_line
from uet_tui.workspace.sandbox import Sandbox, Snapshot


def make_ready(
    place: Workplace, sandbox: Sandbox, commit: str, leaving: threading.Event, keep_git: Path | None = None
) -> None:
    """Makes a sandbox the commit, and sets it up where that was not done, or what was there is gone.

    Raises:
        UetError: a setup command failed.
        InterruptedRunError: `leaving` was set meanwhile.
    """
    ready = sandbox.index.with_name(f"{sandbox.index.name}.ready")
    if not sandbox.folder.exists():
        ready.unlink(missing_ok=True)
    elif not ready.exists():
        shutil.rmtree(sandbox.folder)  # setting it up failed, or the orchestrator died meanwhile
    sandbox.reset(commit, keep_git)
    if not ready.exists():
        _set_up(place, sandbox, leaving)
        ready.touch()


def _set_up(place: Workplace, sandbox: Sandbox, leaving: threading.Event) -> None:
    settings = place.settings
    sandbox.prepare(place.operator.root, settings.sandbox.copy_untracked)
    log = sandbox.index.with_name(f"{sandbox.index.name}.setup.log")
    for command in settings.sandbox.setup:
        deadline = time.monotonic() + settings.timeout_seconds
        code = run_command(command, sandbox.folder, log, {**os.environ, **sandbox.environment}, deadline, leaving)
        if code != 0:
            how = f"did not end in {settings.timeout_seconds:g} s" if code is None else f"ended with {code}"
            raise UetError(f"setup command `{command}` {how}: {_last_line(end_of(log))}; {log} has all of it")


def take_snapshot(sandbox: Sandbox, base: str, message: str, refuge: Path) -> Snapshot:
    """All that an agent left as one commit on `base`.

    Raises:
        UetError: there is none to be had. What is left is in `refuge` then: the next reset would not leave it.
    """
    if not sandbox.folder.is_dir():
        raise UetError("its sandbox is gone: the agent deleted it")
    try:
        return sandbox.snapshot(base, message)
    except (UetError, OSError) as error:
        with suppress(OSError):
            sandbox.folder.rename(refuge)
        raise UetError(f"{error}; all that it left is in {refuge}") from error


def _last_line(text: str) -> str:
    return one_line((text.strip().splitlines() or ["it printed nothing"])[-1], 200)
