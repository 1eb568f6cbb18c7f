"""Whether an attempt lives, and who its keeper is: told by its locks, never by a pid that exists.

What is in the folder of an attempt can be changed by its agent; nothing here takes it for more than a claim.
"""

import contextlib
import errno
import fcntl
import json
import os
import signal
from pathlib import Path
from typing import Any, Final

from uet_tui.engine import keeper, processes
from uet_tui.store.files import open_regular

_LARGEST_RECORD: Final = 1 << 24
"""Bytes of a record in an attempt's folder that are read; `start.json` may hold a whole prompt as an argument."""
_MOST_PROCESSES: Final = 1 << 22
"""The largest number that Linux gives a process."""
_SCARCE: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What keeps a file from being opened that may well be there."""
KEEPER: Final = Path(keeper.__file__)
"""The program that every keeper runs, and by which it is told from other processes."""


def begun(folder: Path) -> bool:
    """Whether a keeper has taken the attempt, or none ever will."""
    return os.path.lexists(folder / "keeper.json") or not os.path.isdir(folder)  # noqa: PTH112 - this one never fails


def alive(folder: Path) -> bool:
    """Whether anything of the attempt's process tree runs, its keeper included.

    Asking takes the lock for an instant, which a keeper that is only just starting waits for.
    """
    return not free(folder)


def free(folder: Path) -> bool:
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
    ensure_folder(folder)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
    try:
        lock = os.open(folder / "attempt.lock", flags, 0o600)
    except OSError:  # the agent made something else of it, or of the folder
        return free(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(folder / "keeper.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return _untaken(folder / "keeper.json")
    except BlockingIOError:
        return False
    finally:
        os.close(lock)


def ensure_folder(folder: Path) -> None:
    """Makes the attempt's folder, unless something is there: the agent may have made a file of it."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def orphaned(folder: Path) -> bool:
    """Whether the attempt's tree lives on without its keeper: nobody watches its time limit or will tell its end."""
    try:
        return alive(folder) and not keepers(folder)
    except OSError:
        return False


def wake_keeper(folder: Path) -> bool:
    """Has the keeper of an attempt go on that somebody stopped; says whether it was stopped.

    While it is, nobody watches the limits of the attempt, or would tell its end.
    """
    woken = False
    with contextlib.suppress(OSError):
        for pid in keepers(folder):
            if (processes.stat(pid) or [b""])[0] in (b"T", b"t"):
                os.kill(pid, signal.SIGCONT)
                woken = True
    return woken


def tell(folder: Path, number: int) -> None:
    """Signals the keeper of an attempt, if it has begun: before that it would die of it."""
    if alive(folder):
        with contextlib.suppress(OSError):
            for pid in keepers(folder):
                os.kill(pid, number)


def keeper_of(folder: Path) -> int:
    """The process id of the keeper that began the attempt; 0 if none has."""
    return (_on_record(folder) or (0, 0))[0]


def keepers(folder: Path) -> list[int]:
    """The keeper of an attempt, if it runs: the one on record, or else whoever was started as such.

    Raises:
        OSError: nobody can say, for want of descriptors or memory.
    """
    pid, start = _on_record(folder) or (0, 0)
    if pid and processes.start_ticks(pid) == start and _is_keeper(pid, folder):
        return [pid]
    return [pid for pid in processes.pids() if _is_keeper(pid, folder)]


def _on_record(folder: Path) -> tuple[int, int] | None:
    """The keeper's pid and start, as its record says; None if none has begun, or no process can be meant."""
    try:
        found = record(folder / "keeper.json")
        pid, start = int(found["pid"]), int(found["start"])
    except (OSError, ValueError, OverflowError, KeyError, TypeError):
        return None
    return (pid, start) if 1 < pid <= _MOST_PROCESSES and start > 0 else None


def _is_keeper(pid: int, folder: Path) -> bool:
    """Whether a process was started as the keeper of an attempt."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        program, named = (words[-3], words[-2]) if len(words) > 2 else (b"", b"")
        return named == os.fsencode(folder) and program.endswith(KEEPER.name.encode())
    return False


def record(path: Path) -> Any:  # noqa: ANN401 - others can write to it; whoever reads it finds out what it holds
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
