"""Token counts of files by the id of their content, kept on disk between runs: a content is counted once."""

import fcntl
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from uet_tui.agents.context.tokens import VOCABULARY, count_tokens
from uet_tui.store.files import open_regular

BINARY = -1
"""Instead of a count: it is no text."""
HUGE = -2
"""Instead of a count: it is larger than anyone should tell an agent."""
LARGEST = 1_000_000
"""Bytes of a file that is still counted; what is larger is generated, or data."""
_MOST = 100_000
"""Contents that are remembered: 4 MB. The older half goes when there are more."""
_RECORD = struct.Struct("<32siI")
"""An object id (filled up with zeros), a count, and a sum over both."""
_SEED = crc32(f"{VOCABULARY} {LARGEST}".encode())
"""What the sum begins with: counts that were made by other rules do not fit theirs, and are made anew."""


class Counts:
    """The counts in one file, which processes and threads may share. What in it is broken is counted anew.

    Only whole records with the right sum count, so a file that was cut short, or that two wrote at once, does no harm.
    """

    def __init__(self, path: Path) -> None:
        """`path` need not be there; its folder must."""
        self._path = path

    def known(self) -> dict[str, int]:
        """All counts, by object id."""
        file = open_regular(self._path)
        if file is None:
            return {}
        with file:
            data = file.read(_MOST * 2 * _RECORD.size)
        return dict(_records(data))

    def of(self, oids: Iterable[str], read: Callable[[str], bytes]) -> Mapping[str, int]:
        """The counts of some contents; those that are not known are read, counted and kept."""
        known = self.known()
        found: dict[str, int] = {}
        fresh: dict[str, int] = {}
        for oid in oids:
            if oid not in found:
                count = known.get(oid)
                if count is None:
                    count = fresh[oid] = count_content(read(oid))
                found[oid] = count
        if fresh:
            self._keep(fresh)
        return found

    def _keep(self, fresh: Mapping[str, int]) -> None:
        """Adds counts; a store that cannot be written is done without."""
        data = b"".join(_record(oid, count) for oid, count in fresh.items())
        try:
            with _locked(self._path) as descriptor:
                size = os.fstat(descriptor).st_size
                whole = size - size % _RECORD.size  # a record that was cut short would shift all that come after it
                if whole + len(data) > _MOST * _RECORD.size:
                    data = (os.pread(descriptor, whole, 0) + data)[-(_MOST // 2) * _RECORD.size :]
                    whole = 0
                os.ftruncate(descriptor, whole)
                os.pwrite(descriptor, data, whole)
        except OSError:
            return


def count_content(data: bytes) -> int:
    """The tokens of a file's content, or why it has none: `BINARY` or `HUGE`. What is no UTF-8 is told as `\ufffd`."""
    if len(data) > LARGEST:
        return HUGE
    if b"\0" in data:
        return BINARY
    return count_tokens(data.decode("utf-8", "replace"))


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _record(oid: str, count: int) -> bytes:
    raw = bytes.fromhex(oid).ljust(32, b"\0")
    return _RECORD.pack(raw, count, crc32(struct.pack("<32si", raw, count), _SEED))


def _records(data: bytes) -> Iterator[tuple[str, int]]:
    for at in range(0, len(data) - _RECORD.size + 1, _RECORD.size):
        if crc32(data[at : at + 36], _SEED) == int.from_bytes(data[at + 36 : at + 40], "little"):
            raw, count, _ = _RECORD.unpack_from(data, at)
            yield (raw if any(raw[20:]) else raw[:20]).hex(), count
