"""Files that attempts leave: prompt, context, output, diff. Read in pieces, made harmless on the way."""

import codecs
import os
from dataclasses import dataclass
from pathlib import Path

from uet_tui.store.files import open_regular
from uet_tui.store.paths import CONTEXT, DIFF, OUTPUT, PROMPT
from uet_tui.text import harmless

_WHOLE_BYTES = 4 * 1024 * 1024
"""How much of a prompt or diff is read: more than anyone reads on a screen."""
_LEAST_BYTES = 16
"""A piece must have room for one character at least, or reading would never get on."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a growing file."""

    text: str
    """Harmless text, without markup meaning; ends at a line end where the file has one."""
    next_offset: int
    """Where to read on, in bytes."""


def read_output(folder: Path, offset: int = 0, limit: int = 65_536) -> Piece:
    """What the attempt in `folder` printed, from a byte offset on; a negative offset counts from the end.

    Counted from the end, the piece begins at a line's begin where one is near. A line without an end is only given when
    nothing else is left, up to its last whole character. Nothing new gives an empty text and the same offset.
    """
    file = open_regular(folder / OUTPUT)
    if file is None:
        return Piece("", max(0, offset))
    with file:
        size = os.fstat(file.fileno()).st_size
        start = max(0, size + offset) if offset < 0 else min(offset, size)
        file.seek(start)
        data = file.read(max(limit, _LEAST_BYTES))
    if offset < 0 < start:
        skipped = data.find(b"\n", 0, -1) + 1 or _broken_start(data)
        start, data = start + skipped, data[skipped:]
    data = data[: data.rfind(b"\n") + 1] or _whole_characters(data)
    return Piece(harmless(data.decode("utf-8", "replace")), start + len(data))


def read_prompt(folder: Path) -> str:
    """The prompt that the agent got; empty before there is one."""
    return _read_whole(folder / PROMPT)


def read_context(folder: Path) -> str:
    """How large the prompt is, and what of the files it leaves out, and why; empty where nobody counted."""
    return _read_whole(folder / CONTEXT)


def read_diff(folder: Path) -> str:
    """The unified diff of what the attempt changed; empty before there is one."""
    return _read_whole(folder / DIFF)


def _read_whole(path: Path) -> str:
    file = open_regular(path)
    if file is None:
        return ""
    with file:
        data = file.read(_WHOLE_BYTES)
        left = os.fstat(file.fileno()).st_size - len(data)
    if left <= 0:
        return harmless(data.decode("utf-8", "replace"))
    return harmless(_whole_characters(data).decode("utf-8", "replace")) + f"\n… {left} more bytes in {path}\n"


def _broken_start(data: bytes) -> int:
    """How many bytes at the start belong to a character that began before."""
    return next((n for n, byte in enumerate(data[:3]) if byte & 0xC0 != 0x80), len(data[:3]))


def _whole_characters(data: bytes) -> bytes:
    """The data without the begin of a character at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    pending, _ = decoder.getstate()
    return data[: len(data) - len(pending)]
