"""Which lines one text added to another, as line diffs read it.

Diffs do not agree on what was moved past what, so there are three readings here: anchored on lines that are unique to
both texts (patience), and on the longest equal runs (difflib, with and without lines that are too frequent to tell
much). All take time about linear in the size of the texts; where difflib would not, it is left out.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_PAIRS = 1_000_000
"""Equal pairs of lines above which difflib is not asked: it looks at each several times."""
_FREQUENT = 100
"""In a text of 200 lines and more difflib takes no line for an anchor that is more than one in a hundred."""

Keys = Sequence[bytes]
"""Lines without their line ends."""


def keys(text: bytes) -> list[bytes]:
    """The lines of a text without their ends, so that a line is the same whether it ends in LF or in CRLF."""
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def added(base: Keys, side: Keys) -> set[int]:
    """The indexes of the lines of `side` that any of the readings takes for added."""
    start, stop = _middle(base, side)
    old, new = base[start : len(base) - stop], side[start : len(side) - stop]
    found = {start + index for index in {*_patience(old, new), *_longest(old, new, otherwise=())}}
    return found.union(_usual(base, side))


def _middle(base: Keys, side: Keys) -> tuple[int, int]:
    """How many lines at the start and at the end of both are equal."""
    shorter = min(len(base), len(side))
    start = next((i for i in range(shorter) if base[i] != side[i]), shorter)
    stop = next((i for i in range(shorter - start) if base[-1 - i] != side[-1 - i]), shorter - start)
    return start, stop


def _longest(base: Keys, side: Keys, otherwise: Sequence[int]) -> Iterator[int]:
    """What difflib says was added; `otherwise`, where it would take too long."""
    counts = Counter(base)
    if sum(counts[line] for line in side) > _PAIRS:
        yield from otherwise
        return
    yield from _inserted(SequenceMatcher(None, base, side, autojunk=False))


def _usual(base: Keys, side: Keys) -> Iterator[int]:
    """What difflib says was added if nobody tells it otherwise: frequent lines are no anchors."""
    limit = len(side) // _FREQUENT + 1
    counts, other = Counter(base), Counter(side)
    if sum(count * other[line] for line, count in counts.items() if other[line] <= limit) <= _PAIRS:
        yield from _inserted(SequenceMatcher(None, base, side))


def _inserted(matcher: SequenceMatcher[bytes]) -> Iterator[int]:
    for tag, _, _, begin, end in matcher.get_opcodes():
        if tag in ("insert", "replace"):
            yield from range(begin, end)


def _patience(base: Keys, side: Keys) -> Iterator[int]:
    """What was added between the anchors: the longest run of unique common lines that is in order on both sides."""
    at = shift = 0
    for old, new in (*_anchors(base, side), (len(base), len(side))):
        begin, end = _middle(base[shift:old], side[at:new])
        gap = side[at + begin : new - end]
        every = range(len(gap))
        yield from (at + begin + i for i in _longest(base[shift + begin : old - end], gap, otherwise=every))
        shift, at = old + 1, new + 1


def _anchors(base: Keys, side: Keys) -> list[tuple[int, int]]:
    once, other = Counter(base), Counter(side)
    places = {line: index for index, line in enumerate(base) if once[line] == 1}
    pairs = [(places[line], index) for index, line in enumerate(side) if line in places and other[line] == 1]
    ends: list[int] = []
    piles: list[int] = []
    before: list[int | None] = []
    for number, (old, _) in enumerate(pairs):
        pile = bisect_left(ends, old)
        before.append(piles[pile - 1] if pile else None)
        if pile == len(ends):
            ends.append(old)
            piles.append(number)
        else:
            ends[pile], piles[pile] = old, number
    chain: list[tuple[int, int]] = []
    last = piles[-1] if piles else None
    while last is not None:
        chain.append(pairs[last])
        last = before[last]
    return chain[::-1]
