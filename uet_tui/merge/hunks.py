"""A three-way merge of one text, piece by piece: what git merged by itself, and where both sides changed the same.

Pieces are bytes and put together give back, to the byte, what either side had: line ends and a missing last newline
included. What the operator sees is made from them, never the other way round.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uet_tui.core.conflicts import Hunk
from uet_tui.text import harmless

_CONTEXT = 3
"""Lines shown around a hunk."""
_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_RUN = re.compile(rb"^(?:<+|\|+|=+|>+)", re.MULTILINE)
_SHORTEST = 7

Lines = tuple[bytes, ...]
"""Each with its own line end."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Where both sides changed the same lines."""

    ours: Lines
    base: Lines
    theirs: Lines
    end: bytes
    """The line end that the file uses."""

    def both(self) -> bytes:
        """Ours, then theirs; on a line of its own even where ours had no last newline."""
        ours = b"".join(self.ours)
        if ours and self.theirs and not ours.endswith(b"\n"):
            ours += self.end
        return ours + b"".join(self.theirs)


Piece = Lines | Clash


def line_end(*texts: bytes) -> bytes:
    """The line end that texts use: that of the first line which has one."""
    first = next((text.partition(b"\n")[0] for text in texts if b"\n" in text), b"")
    return b"\r\n" if first.endswith(b"\r") else b"\n"


def split(text: bytes) -> Lines:
    """The lines of a text, each with its line end."""
    return tuple(_LINES.findall(text))


def marker_size(*texts: bytes) -> int:
    """A length of conflict markers that no line of the texts can be taken for."""
    return max([_SHORTEST - 1, *(len(run) for text in texts for run in _RUN.findall(text))]) + 1


def pieces(marked: bytes, size: int, ours: bytes, base: bytes, theirs: bytes) -> tuple[Piece, ...]:
    """The pieces of a text with conflict markers of `size`, which git made of the three texts."""
    markers = [char * size for char in (b"<", b"|", b"=", b">")]
    end = line_end(ours, theirs, base)
    found: list[Piece] = []
    parts: list[list[bytes]] = [[]]
    for line in split(marked):
        if not line.startswith(markers[len(parts) - 1]):
            parts[-1].append(line)
        elif len(parts) == len(markers):
            clean, mine, before, yours = (tuple(part) for part in parts)
            found += [clean, Clash(mine, before, yours, end)]
            parts = [[]]
        else:
            parts.append([])
    if parts[0]:
        found.append(tuple(parts[0]))
    elif found and isinstance(last := found[-1], Clash):
        # Git ends every line before a marker; a text that had no last newline gets its own last line back.
        found[-1] = Clash(_ended(last.ours, ours), _ended(last.base, base), _ended(last.theirs, theirs), end)
    return tuple(piece for piece in found if piece)


def _ended(lines: Lines, text: bytes) -> Lines:
    if not lines or text.endswith(b"\n"):
        return lines
    return (*lines[:-1], split(text)[-1])


def hunks(found: Sequence[Piece], ours: bytes) -> tuple[Hunk, ...]:
    """The clashes as the operator sees them, numbered, with what is around them and where they are in ours."""
    ours_lines = split(ours)
    result: list[Hunk] = []
    at = 0
    for index, piece in enumerate(found):
        if not isinstance(piece, Clash):
            continue
        before = _clean(found, index - 1)[-_CONTEXT:]
        after = _clean(found, index + 1)[:_CONTEXT]
        at = _place(ours_lines, before, piece.ours, after, at)
        result.append(
            Hunk(
                number=len(result) + 1,
                line=at + 1,
                before=_shown(before),
                ours=_shown(piece.ours),
                base=_shown(piece.base),
                theirs=_shown(piece.theirs),
                after=_shown(after),
            )
        )
        at += len(piece.ours)
    return tuple(result)


def _clean(found: Sequence[Piece], index: int) -> Lines:
    piece = found[index] if 0 <= index < len(found) else ()
    return () if isinstance(piece, Clash) else piece


def _place(lines: Lines, before: Lines, side: Lines, after: Lines, start: int) -> int:
    """Where a side's lines are in its text; what is around them may have been merged from the other side."""
    for left, right in ((before, after), (before, ()), ((), after), (before[-1:], ()), ((), ())):
        wanted = (*left, *side, *right)
        for at in range(max(0, start - len(left)), len(lines) - len(wanted) + 1):
            if wanted and lines[at : at + len(wanted)] == wanted:
                return at + len(left)
    return min(start, len(lines))


def _shown(lines: Lines) -> tuple[str, ...]:
    return tuple(harmless(line.decode("utf-8", "replace")).rstrip("\r\n") for line in lines)


def marked(found: Sequence[Piece | bytes]) -> Iterator[bytes]:
    """The text for an editor: clashes between markers of the usual length, the rest as it is."""
    for piece in found:
        if isinstance(piece, bytes):
            yield piece
        elif isinstance(piece, Clash):
            for marker, lines in zip(MARKERS, (piece.ours, piece.base, piece.theirs, ()), strict=True):
                yield marker + piece.end
                text = b"".join(lines)
                yield text if not text or text.endswith(b"\n") else text + piece.end
        else:
            yield b"".join(piece)


MARKERS = (b"<<<<<<< ours", b"||||||| base", b"=======", b">>>>>>> theirs")
"""The lines that stand before ours, base and theirs, and after them."""
