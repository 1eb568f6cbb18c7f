"""Locks between processes: they are the kernel's, so whoever dies lets go."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from uet_tui.errors import RunLockedError, UetError
from uet_tui.store.files import open_regular
from uet_tui.store.paths import RunPaths

_LONGEST: Final = 2000
"""Bytes of what the holder of a lock says."""
_PROBE_SECONDS = 0.25
"""Longer than any `held` probe holds the lock, so that a probe never makes an orchestrator give up."""


class RunLock:
    """The one orchestrator of a run holds it. Programs that it starts do not inherit it."""

    def __init__(self, descriptor: int) -> None:
        """Use `acquire`."""
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, paths: RunPaths) -> Self:
        """Takes the run, and writes this process's id beside the lock for whoever asks.

        Raises:
            RunLockedError: another process has it.
            UetError: the run has no folder.
        """
        try:
            descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise UetError(f"cannot lock the run: {paths.lock}: {error.strerror}") from error
        end = time.monotonic() + _PROBE_SECONDS
        while not _exclusive(descriptor):
            if time.monotonic() > end:
                owner = os.pread(descriptor, 32, 0).partition(b"\n")[0].decode("ascii", "replace").strip() or "unknown"
                os.close(descriptor)
                raise RunLockedError(
                    f"run {paths.folder.name} is in the hands of process {owner}: watch it with `uet console`, "
                    "or end it with `uet stop` first"
                )
            time.sleep(0.005)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def tell(self, **facts: object) -> None:
        """Says something to whoever looks at the run, even where nothing can be written to a disk that is full.

        What is written takes the place of what was there, in a block that the file has already.
        """
        if self._descriptor is not None:
            with suppress(OSError):
                data = f"{os.getpid()}\n{json.dumps(facts)}\n".encode()
                os.pwrite(self._descriptor, data, 0)
                os.ftruncate(self._descriptor, len(data))

    def release(self) -> None:
        """Lets go of the run; again is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def told(lock: Path) -> dict[str, Any]:
    """What the holder of a run's lock says of itself; nothing where it says nothing, or what it says makes no sense."""
    file = open_regular(lock)
    if file is None:
        return {}
    with file:
        said = file.read(_LONGEST).partition(b"\n")[2]
    try:
        found = json.loads(said) if said else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def held(lock: Path) -> bool:
    """Whether a process holds the lock. Asks with a shared lock of an instant, and never makes the file."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Waits for its turn among all processes that use this lock file."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
