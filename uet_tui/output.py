"""What programs print, on its way to a file that does not grow without end. The keeper uses it: quick to import."""

import os

_TAIL = 1 << 20
"""Bytes of the end that are kept of an output that is larger than its limit: agents tell there what they used."""


class Log:
    """A file that gets the beginning and the end of what is written: as much as its limit allows and the disk takes."""

    def __init__(self, file: int, limit: int) -> None:
        """`file` is a descriptor, which is closed with it; `limit` is in bytes, and the end comes on top of it."""
        self._file = file
        self._limit = self._room = limit
        self._tail = b""
        self._skipped = self._lost = 0

    def write(self, data: bytes) -> None:
        """Adds to it. Never fails: whoever prints must not be held up by a disk that is full."""
        head, rest = data[: self._room], data[self._room :]
        self._room -= len(head)
        self._put(head)
        if rest:
            self._tail += rest
            self._skipped += max(0, len(self._tail) - _TAIL)
            self._tail = self._tail[-_TAIL:]

    def close(self) -> None:
        """Writes what is kept of the end, and says what is missing."""
        if self._skipped:
            self._note(f"{self._skipped} bytes are left out here: the output is larger than {self._limit} bytes")
        self._put(self._tail)
        if self._lost:
            self._note(f"{self._lost} bytes of the output could not be written")
        os.close(self._file)

    def _put(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            self._lost += len(data)

    def _note(self, text: str) -> None:
        self._put(f"\n[uet: {text}]\n".encode())
