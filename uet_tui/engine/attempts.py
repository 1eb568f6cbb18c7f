"""The orchestrator's side of an attempt: starting its keeper, telling whether it lives, ending it.

Alive means that the attempt's lock is held, never that some pid exists.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from uet_tui.engine import keeper

_KEEPER = Path(keeper.__file__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How the agent of an attempt ended."""

    code: int | None
    """Its exit code, negative for a signal; None if nobody saw it end."""
    why: str
    """`exit`, `timeout`, `killed`, or `lost`."""
    seconds: float


def start(folder: Path, start: keeper.Start) -> "subprocess.Popen[bytes]":
    """Starts the keeper of the attempt in `folder`; the agent follows at once.

    The returned handle is for reaping only: what became of the attempt is in its folder.
    """
    spec = os.open(folder / "start.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(spec, "w", encoding="utf-8") as file:
        json.dump(start, file)
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_KEEPER), str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def ended(folder: Path) -> Ended | None:
    """How the attempt in `folder` ended; None while it lives or was not started yet."""
    try:
        record = json.loads((folder / "exit.json").read_bytes())
        return Ended(record["code"], str(record["why"]), float(record["seconds"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return Ended(None, "lost", 0.0)


def alive(folder: Path) -> bool:
    """Whether anything of the attempt's process tree still runs."""
    try:
        lock = os.open(folder / "attempt.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def prove_dead(folder: Path) -> bool:
    """Whether the attempt is dead for good: its lock was free, and no keeper can begin it any more.

    A keeper that its orchestrator had just started when that died may be about to take the lock; it finds the fence.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / "attempt.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(folder / "keeper.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def kill(folder: Path) -> None:
    """Asks the keeper of a living attempt to end it; if the keeper itself is gone, ends the tree here."""
    if not alive(folder):
        return
    pid = _keeper_pid(folder)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        return
    with contextlib.suppress(OSError, ValueError, KeyError):
        cookie = json.loads((folder / "start.json").read_bytes())["cookie"]
        keeper.end_tree(NO_GROUP, cookie)


NO_GROUP = 2**22 + 1
"""Beyond the largest pid there can be: a keeper that died took the knowledge of the group with it."""


def _keeper_pid(folder: Path) -> int | None:
    try:
        record = json.loads((folder / "keeper.json").read_bytes())
        pid, ticks = int(record["pid"]), int(record["start"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if keeper.start_ticks(pid) == ticks else None
