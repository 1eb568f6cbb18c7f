"""The orchestrator's side of an attempt: starting its keeper, telling whether it lives, ending it.

Alive means that the attempt's lock is held, never that some pid exists.
"""

import contextlib
import errno
import fcntl
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
from uet_tui.engine import freezing, keeper
from uet_tui.failpoints import reached
from uet_tui.secrecy import secrets_in
from uet_tui.store.files import open_regular

_KEEPER = Path(keeper.__file__)


OUTPUT_LIMIT: Final = 1 << 28
"""Bytes of an agent's output that are kept from its beginning on; the last of a longer one are kept as well."""
_LARGEST_RECORD: Final = 1 << 24
"""Bytes of a record in an attempt's folder that are read; `start.json` may hold a whole prompt as an argument."""
_MOST_PROCESSES: Final = 1 << 22
"""The largest number that Linux gives a process."""
_SCARCE: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What keeps a file from being opened that may well be there."""
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
    if alive(folder):
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
        [sys.executable, "-I", "-S", str(_KEEPER), str(folder)],
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
        record = _record(folder / "exit.json")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        pass  # it makes no sense: that of a lost attempt, unless this one lives
    if not _free(folder):
        return None
    try:
        code, seconds = record["code"], float(record["seconds"])
        if not (code is None or isinstance(code, int)) or not 0 <= seconds < math.inf:
            raise ValueError("a keeper writes no such thing")
        return Ended(code, str(record["why"]), seconds)
    except (ValueError, OverflowError, KeyError, TypeError):
        return Ended(None, "lost", 0.0)


def begun(folder: Path) -> bool:
    """Whether a keeper has taken the attempt, or none ever will."""
    return os.path.lexists(folder / "keeper.json") or not os.path.isdir(folder)  # noqa: PTH112 - this one never fails


def alive(folder: Path) -> bool:
    """Whether anything of the attempt's process tree runs, its keeper included.

    Asking takes the lock for an instant, which a keeper that is only just starting waits for.
    """
    return not _free(folder)


def _free(folder: Path) -> bool:
    """Whether nobody holds a lock of the attempt: neither its tree nor, with one of its own, its keeper."""
    return _untaken(folder / "attempt.lock") and _untaken(folder / "keeper.json")


def _untaken(path: Path) -> bool:
    """Whether a lock could be had; also where it is not there, or not as it was made."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        try:
            lock = os.open(path, flags)
        except PermissionError:  # the agent may have taken it away, and be no other user
            path.parent.chmod(0o700)
            path.chmod(0o600)
            lock = os.open(path, flags)
    except OSError as error:
        return error.errno not in _SCARCE
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def prove_dead(folder: Path) -> bool:
    """Whether the attempt is dead for good: its lock was free, and no keeper can begin it any more.

    A keeper that its orchestrator had just started when that died may be about to take the lock; it finds the fence.
    """
    _make(folder)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
    try:
        lock = os.open(folder / "attempt.lock", flags, 0o600)
    except OSError:  # the agent made something else of it, or of the folder
        return _free(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(folder / "keeper.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return _untaken(folder / "keeper.json")
    except BlockingIOError:
        return False
    finally:
        os.close(lock)


def kill(folder: Path) -> None:
    """Asks the keeper of an attempt to end it, even one that is only just starting or not started yet.

    If the keeper itself is gone, ends what is left of the tree here.
    """
    _put(folder / keeper.STOP)
    if orphaned(folder):
        end_now(folder)
    else:
        _signal(folder, signal.SIGTERM)


def freeze(folder: Path) -> None:
    """Has the keeper of an attempt hold its agent still, with all its children; also one that is not started yet.

    It stays so until `thaw` or `kill`, whatever becomes of the orchestrator. Asked twice, it is done once.
    """
    _put(folder / freezing.FREEZE)
    _signal(folder, freezing.RING)


def thaw(folder: Path) -> None:
    """Lets a frozen attempt go on; does nothing to one that is not."""
    with contextlib.suppress(OSError):  # what is no file holds nobody still
        (folder / freezing.FREEZE).unlink(missing_ok=True)
    _signal(folder, freezing.RING)


def frozen(folder: Path) -> bool:
    """Whether the agent of an attempt was told to stand still."""
    return os.path.isfile(folder / freezing.FREEZE)  # noqa: PTH113 - this one never fails


def asked_to_end(folder: Path) -> bool:
    """Whether an attempt was asked to end, and so goes on, whatever it was before."""
    return os.path.lexists(folder / keeper.STOP)


def _make(folder: Path) -> None:
    """Makes the attempt's folder, unless something is there: the agent may have made a file of it."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _put(mark: Path) -> None:
    """Puts an empty file into the attempt's folder, in the place of whatever the agent put there; if it can be."""
    _make(mark.parent)
    with contextlib.suppress(OSError):
        if os.path.lexists(mark) and not stat.S_ISREG(mark.lstat().st_mode):
            mark.rename(mark.with_name(f"{mark.name}.{time.time_ns()}"))
        mark.touch()


def _signal(folder: Path, number: int) -> None:
    """Signals the keeper of an attempt, if it has begun: before that it would die of it."""
    if alive(folder):
        with contextlib.suppress(OSError):
            for pid in _keepers(folder):
                os.kill(pid, number)


def wake_keeper(folder: Path) -> bool:
    """Has the keeper of an attempt go on that somebody stopped; says whether it was stopped.

    While it is, nobody watches the limits of the attempt, or would tell its end.
    """
    woken = False
    with contextlib.suppress(OSError):
        for pid in _keepers(folder):
            if (keeper.stat(pid) or [b""])[0] in (b"T", b"t"):
                os.kill(pid, signal.SIGCONT)
                woken = True
    return woken


def orphaned(folder: Path) -> bool:
    """Whether the attempt's tree lives on without its keeper: nobody watches its time limit or will tell its end."""
    try:
        return alive(folder) and not _keepers(folder)
    except OSError:
        return False


def end_now(folder: Path) -> None:
    """Ends the attempt's tree at once, all but its keeper: whatever holds its lock, or carries its cookie."""
    lock, cookie = None, ""
    with contextlib.suppress(OSError):
        lock = (folder / "attempt.lock").stat()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        cookie = str(_record(folder / "start.json")["cookie"])
    try:
        spared = {os.getpid(), *_keepers(folder)}
    except OSError:
        return  # whoever looks at it next asks again

    def left() -> list[int]:
        found = {*(_holding(lock) if lock else ()), *(keeper.carrying(cookie) if cookie else ())}
        return [pid for pid in found if pid not in spared]

    keeper.end_all(left)


def _holding(file: os.stat_result) -> list[int]:
    """The processes that have a file open."""
    found = []
    for pid in keeper.processes():
        with contextlib.suppress(OSError):  # it ended meanwhile, or is another user's
            if any(os.path.samestat(file, fd.stat()) for fd in os.scandir(f"/proc/{pid}/fd")):
                found.append(pid)
    return found


def end_carrying(cookie: str) -> None:
    """Ends all that carries the name of an attempt, whatever became of its folder."""
    keeper.end_all(lambda: [pid for pid in keeper.carrying(cookie) if pid != os.getpid()])


def keeper_of(folder: Path) -> int:
    """The process id of the keeper that began the attempt; 0 if none has."""
    return (_keeper(folder) or (0, 0))[0]


def _keeper(folder: Path) -> tuple[int, int] | None:
    """The keeper's pid and start, as its record says; None if none has begun, or no process can be meant."""
    try:
        record = _record(folder / "keeper.json")
        pid, start = int(record["pid"]), int(record["start"])
    except (OSError, ValueError, OverflowError, KeyError, TypeError):
        return None
    return (pid, start) if 1 < pid <= _MOST_PROCESSES and start > 0 else None


def _keepers(folder: Path) -> list[int]:
    """The keeper of an attempt, if it runs: the one on record, or else whoever was started as such.

    Raises:
        OSError: nobody can say, for want of descriptors or memory.
    """
    pid, start = _keeper(folder) or (0, 0)
    if pid and keeper.start_ticks(pid) == start and _is_keeper(pid, folder):
        return [pid]
    return [pid for pid in keeper.processes() if _is_keeper(pid, folder)]


def _is_keeper(pid: int, folder: Path) -> bool:
    """Whether a process was started as the keeper of an attempt."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        program, named = (words[-3], words[-2]) if len(words) > 2 else (b"", b"")
        return named == os.fsencode(folder) and program.endswith(_KEEPER.name.encode())
    return False


def _record(path: Path) -> Any:  # noqa: ANN401 - others can write to it; whoever reads it finds out what it holds
    """What a record in the attempt's folder holds. The agent can reach it, so that it may be no file at all."""
    path.lstat()
    file = open_regular(path)
    if file is None:
        raise ValueError("it is no file")
    with file:
        try:
            return json.loads(file.read(_LARGEST_RECORD))
        except RecursionError:
            raise ValueError("it is nested too deep") from None
