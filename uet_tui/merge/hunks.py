"""A three-way merge of one text, piece by piece: what git merged by itself, and where both sides changed the same.

Pieces are bytes and put together give back, to the byte, what either side had: line ends and a missing last newline
included. What the operator sees is made from them, never the other way round.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from uet_tui.core.conflicts import Hunk
from uet_tui.text import laid_bare

_CONTEXT = 3
"""Lines shown around a hunk."""
_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_RUN = re.compile(rb"^(?:<+|\|+|=+|>+)", re.MULTILINE)
USUAL = 7
"""The length of conflict markers that all programs know."""
_MARKER = re.compile(rb"(?:<{7,}|\|{7,}|>{7,})(?:[ \r\n]|$)")
"""What begins a clash, its base, or ends it; a line of equal signs alone may be anything."""
_PLACES = 200
"""Places where a clean piece may stand that are tried, when a result is taken apart."""

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

    def both(self, *, theirs_first: bool = False) -> bytes:
        """Ours, then theirs, or the other way round; the second on a line of its own whatever the first ends with."""
        first, second = (self.theirs, self.ours) if theirs_first else (self.ours, self.theirs)
        text = b"".join(first)
        if text and second and not text.endswith(b"\n"):
            text += self.end
        return text + b"".join(second)


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
    return max([USUAL - 1, *(len(run) for text in texts for run in _RUN.findall(text))]) + 1


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
                before=shown(before),
                ours=shown(piece.ours),
                base=shown(piece.base),
                theirs=shown(piece.theirs),
                after=shown(after),
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


def shown(lines: Lines) -> tuple[str, ...]:
    """Lines as people read them: laid bare, without their ends."""
    return tuple(laid_bare(line.decode("utf-8", "replace").rstrip("\r\n")) for line in lines)


def parts(found: Sequence[Piece], text: bytes) -> tuple[bytes, ...] | None:
    """What a text has in place of each clash; None if it does not hold the clean pieces, in order and to the byte.

    Where a clean piece stands more than once, that place is taken which leaves each clash most lines of its own.
    """
    lines = split(text)
    start = 0
    end = len(lines)
    clashes = [piece for piece in found if isinstance(piece, Clash)]
    between = [piece for piece in found if not isinstance(piece, Clash)]
    if not clashes or len(between) < len(clashes) - 1:
        return None  # nothing between two clashes says which of them a line belongs to
    if not isinstance(found[0], Clash):
        start = len(between.pop(0))
    if between and not isinstance(found[-1], Clash):
        end -= len(between.pop())
    if start > end or lines[:start] + lines[end:] != _outer(found):
        return None
    cuts = _cuts(lines, start, end, clashes, between)
    if cuts is None:
        return None
    return tuple(b"".join(lines[begin:stop]) for begin, stop in cuts)


def _outer(found: Sequence[Piece]) -> Lines:
    first, last = found[0], found[-1]
    return (() if isinstance(first, Clash) else first) + (() if isinstance(last, Clash) else last)


def _cuts(
    lines: Lines, start: int, end: int, clashes: Sequence[Clash], between: Sequence[Lines]
) -> list[tuple[int, int]] | None:
    """Where each clash's part begins and ends: the best way through the places where the clean pieces stand."""
    ways: list[tuple[int, int, list[tuple[int, int]]]] = [(0, start, [])]
    for clash, piece in zip(clashes, [*between, ()], strict=True):
        known = {*clash.ours, *clash.base, *clash.theirs}
        own = [0, *accumulate(line in known for line in lines)]
        stops = _places(lines, piece, start, end) if piece else [end]
        ways = [
            max(
                ((score + own[stop] - own[at], stop + len(piece), [*cut, (at, stop)]) for score, at, cut in fitting),
                key=lambda way: way[0],
            )
            for stop in stops
            if (fitting := [way for way in ways if way[1] <= stop])
        ]
    return ways[0][2] if ways else None


def _places(lines: Lines, piece: Lines, start: int, end: int) -> list[int]:
    last = end - len(piece)
    found = (at for at in range(start, last + 1) if lines[at] == piece[0] and lines[at : at + len(piece)] == piece)
    return list(islice(found, _PLACES))


def marker_left(text: bytes, *known: bytes) -> int | None:
    """The number of the first line that is a conflict marker and in none of the known texts; None if there is none."""
    allowed = {line.rstrip(b"\r\n") for side in known for line in split(side) if _MARKER.match(line)}
    for number, line in enumerate(split(text), 1):
        if _MARKER.match(line) and line.rstrip(b"\r\n") not in allowed:
            return number
    return None


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
