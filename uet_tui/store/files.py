"""Reading and writing files that others may have tampered with: never through a symlink, never waiting, never huge."""

import os
import stat
import threading
from io import FileIO
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO | None:
    """The file, open for reading, if it is a regular one; None for a link, FIFO, folder or what is not there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def open_to_append(path: Path) -> FileIO:
    """The file, open for adding to it without a buffer; made private if it is not there.

    Raises:
        OSError: it cannot be; also where a link or a FIFO is in its place.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    return FileIO(os.open(path, flags, 0o600), "ab")


def write_whole(path: Path, data: bytes) -> None:
    """Puts a private file in its place in one step, safe from a power loss; nobody sees it half written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def make_sure(path: Path) -> None:
    """Has a file, or the names in a folder, survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
