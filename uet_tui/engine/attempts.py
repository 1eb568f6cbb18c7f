"""The orchestrator's side of an attempt: starting its keeper, hearing how it ended, holding it still, ending it.

Whether it lives is another matter (`engine/liveness.py`).
"""

import contextlib
import errno
import json
import math
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict

from uet_tui import failpoints
from uet_tui.engine import freezing, keeper, liveness, processes
from uet_tui.failpoints import reached
from uet_tui.secrecy import secrets_in

OUTPUT_LIMIT: Final = 1 << 28
"""Bytes of an agent's output that are kept from its beginning on; the last of a longer one are kept as well."""
_NEEDED: Final = ("LD_LIBRARY_PATH", failpoints.VARIABLE, failpoints.TRACE)
"""What the keeper itself may need of the environment, to be started at all, or to be tested; no agent gets it."""


class Start(TypedDict):
    """What a keeper is told. `start.json` holds it, with the names (and only those) of the environment's variables."""

    argv: list[str]
    cwd: str
    stdin: str
    """The file that is the agent's standard input."""
    timeout: float
    """Seconds after which the agent is asked to end."""
    grace: float
    """Seconds between asking and ending."""
    end_with: str
    """The signal that asks it to end, such as `SIGTERM`."""
    limit: int
    """Bytes of its output that are kept from the beginning on."""
    confined: bool
    """Whether the command line begins with bubblewrap, which is not to be asked itself."""
    memory: int
    """Bytes that the tree may have in memory; 0: no limit."""
    disk: int
    """Bytes that `folders` may grow by; 0: no limit."""
    folders: list[str]
    """Where it writes."""
    stall: float
    """Seconds without a sign of life after which it is asked to end; 0: no limit."""
    cookie: str
    """The attempt's name among all processes of the machine."""
    wake: str
    """The FIFO of the orchestrator."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the agent of an attempt ended."""

    code: int | None
    """Its exit code, negative for a signal; None if nobody saw it end."""
    why: str
    """`exit`, `timeout`, `killed`, `memory`, `disk`, `stall`, or `lost`."""
    seconds: float


def make_folder(folder: Path) -> None:
    """Makes the folder of an attempt that is about to start; what an agent before may have laid there is put aside.

    Only that the attempt is to end, or to stand still, can be known before.

    Raises:
        OSError: it cannot be made; `FileExistsError` where the attempt is under way.
    """
    if os.path.lexists(folder) and not stat.S_ISDIR(folder.lstat().st_mode):
        folder.rename(folder.with_name(f"{folder.name}.{time.time_ns()}"))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if liveness.alive(folder):
        raise FileExistsError(errno.EEXIST, "the attempt is under way", str(folder))
    found = [path for path in folder.iterdir() if path.name not in (keeper.STOP, freezing.FREEZE)]
    if found:
        aside = folder / f"found.{time.time_ns()}"
        aside.mkdir(mode=0o700)
        for path in found:
            path.rename(aside / path.name)


def start(
    folder: Path, start: Start, environ: Mapping[str, str], secrets: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Starts the keeper of the attempt in `folder`; the agent follows at once.

    The returned handle is for reaping only: what became of the attempt is in its folder.

    Args:
        folder: the attempt's.
        start: what is to be done.
        environ: the agent's environment. It reaches the keeper by inheritance, so that no value of it is on disk.
        secrets: what must not be on disk either, by the name that is shown instead; None means what is secret in
            `environ` by its name.
    """
    hidden = secrets_in(environ) if secrets is None else secrets
    spec = os.open(folder / "start.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(spec, "w", encoding="utf-8") as file:
        json.dump({**start, "env": sorted(environ), "secrets": sorted(hidden)}, file)
    reached("attempt.before-keeper")
    needed = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    started = subprocess.Popen(
        [sys.executable, "-I", "-S", str(liveness.KEEPER), str(folder)],
        env=needed | dict(hidden) | dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    reached("attempt.keeper-started")
    return started


def ended(folder: Path) -> Ended | None:
    """How the attempt in `folder` ended; None while it lives or was not started yet.

    A record that is there while the attempt lives is none of its keeper's, whatever it is: the lock is what tells.
    """
    record: Any = None
    try:
        record = liveness.record(folder / "exit.json")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        pass  # it makes no sense: that of a lost attempt, unless this one lives
    if not liveness.free(folder):
        return None
    try:
        code, seconds = record["code"], float(record["seconds"])
        if not (code is None or isinstance(code, int)) or not 0 <= seconds < math.inf:
            raise ValueError("a keeper writes no such thing")
        return Ended(code, str(record["why"]), seconds)
    except (ValueError, OverflowError, KeyError, TypeError):
        return Ended(None, "lost", 0.0)


def kill(folder: Path) -> None:
    """Asks the keeper of an attempt to end it, even one that is only just starting or not started yet.

    If the keeper itself is gone, ends what is left of the tree here.
    """
    _put(folder / keeper.STOP)
    if liveness.orphaned(folder):
        end_now(folder)
    else:
        liveness.tell(folder, signal.SIGTERM)


def freeze(folder: Path) -> None:
    """Has the keeper of an attempt hold its agent still, with all its children; also one that is not started yet.

    It stays so until `thaw` or `kill`, whatever becomes of the orchestrator. Asked twice, it is done once.
    """
    _put(folder / freezing.FREEZE)
    liveness.tell(folder, freezing.RING)


def thaw(folder: Path) -> None:
    """Lets a frozen attempt go on; does nothing to one that is not."""
    with contextlib.suppress(OSError):  # what is no file holds nobody still
        (folder / freezing.FREEZE).unlink(missing_ok=True)
    liveness.tell(folder, freezing.RING)


def frozen(folder: Path) -> bool:
    """Whether the agent of an attempt was told to stand still."""
    return os.path.isfile(folder / freezing.FREEZE)  # noqa: PTH113 - this one never fails


def asked_to_end(folder: Path) -> bool:
    """Whether an attempt was asked to end, and so goes on, whatever it was before."""
    return os.path.lexists(folder / keeper.STOP)


def _put(mark: Path) -> None:
    """Puts an empty file into the attempt's folder, in the place of whatever the agent put there; if it can be."""
    liveness.ensure_folder(mark.parent)
    with contextlib.suppress(OSError):
        if os.path.lexists(mark) and not stat.S_ISREG(mark.lstat().st_mode):
            mark.rename(mark.with_name(f"{mark.name}.{time.time_ns()}"))
        mark.touch()


def end_now(folder: Path) -> None:
    """Ends the attempt's tree at once, all but its keeper: whatever holds its lock, or carries its cookie."""
    lock, cookie = None, ""
    with contextlib.suppress(OSError):
        lock = (folder / "attempt.lock").stat()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        cookie = str(liveness.record(folder / "start.json")["cookie"])
    try:
        spared = {os.getpid(), *liveness.keepers(folder)}
    except OSError:
        return  # whoever looks at it next asks again

    def left() -> list[int]:
        found = {*(processes.holding(lock) if lock else ()), *(processes.carrying(cookie) if cookie else ())}
        return [pid for pid in found if pid not in spared]

    processes.end_all(left)
