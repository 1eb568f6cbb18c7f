"""Reading a file that grows, line by line: each byte once, and never more in memory than a line may be long."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from uet_tui.store.files import open_regular

_CHUNK: Final = 1 << 18
LONGEST_LINE: Final = 1 << 22
"""Bytes of a line; a longer one is left out: it is no report."""
_LAST: Final = 64
"""Lines that are given of a piece which holds no mark."""


class Lines:
    """The lines of a file, from where they were read before."""

    def __init__(self, path: Path, mark: bytes | None = None) -> None:
        """`mark` is what a line must hold that counts; of long pieces without it only the last lines are given."""
        self._path = path
        self._mark = mark
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._rest = b""
        self._skipping = False

    def changed(self) -> bool:
        """Whether the file is not the one that was read before: it was written anew, or cut."""
        try:
            facts = self._path.stat()
        except OSError:
            return False
        return self._file is not None and ((facts.st_dev, facts.st_ino) != self._file or facts.st_size < self._offset)

    def new(self, most: int | None = None) -> Iterator[str]:
        """The lines that came since; of a long file those in the next `most` bytes."""
        file = open_regular(self._path)
        if file is None:
            return
        with file:
            facts = os.fstat(file.fileno())
            self._file = (facts.st_dev, facts.st_ino)
            file.seek(self._offset)
            left = most
            while data := file.read(_CHUNK if left is None else min(_CHUNK, left)):
                self._offset += len(data)
                if left is not None:
                    left -= len(data)
                yield from self._split(data)

    def end(self) -> Iterator[str]:
        """The last line, if it was not ended."""
        if self._rest and not self._skipping:
            yield self._rest.decode("utf-8", "replace")
        self._rest = b""

    def _split(self, data: bytes) -> Iterator[str]:
        data = self._rest + data
        if self._mark is None or self._mark in data:
            *whole, rest = data.split(b"\n")
        else:
            *whole, rest = data.rsplit(b"\n", _LAST)
            if len(whole) == _LAST:
                self._skipping = True  # what is before them
        for line in whole:
            if self._skipping:
                self._skipping = False
            elif len(line) <= LONGEST_LINE:  # also where all of it came at once
                yield line.decode("utf-8", "replace").rstrip("\r")
        if len(rest) > LONGEST_LINE:
            self._skipping = True
        self._rest = b"" if self._skipping else rest
