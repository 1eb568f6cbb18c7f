"""What one side of a hunk did to the base, line by line, with numbers and marks. Pure."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from uet_tui.store.conflict_views import HunkView

Mark = Literal["-", "+", " ", "~"]
ENOUGH = 400_000
"""Pairs of lines that are compared at most: beyond it, comparing takes longer than a key press may."""


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line as a box of the desk shows it."""

    number: int | None
    """Its number in the side's own text; None for a line that the side took away."""
    mark: Mark
    """`~`: lines that are left out stand here."""
    text: str


AROUND = 3
"""Lines that are shown on each side of a change, where not all are."""


def side_lines(hunk: HunkView, side: tuple[str, ...]) -> tuple[MarkedLine, ...]:
    """A side with what stands around it: lines it took from the base are `-`, lines it put there `+`."""
    begin = hunk.line - len(hunk.before)
    around = tuple(MarkedLine(begin + at, " ", text) for at, text in enumerate(hunk.before))
    middle = compared(hunk.base, side, hunk.line)
    end = hunk.line + len(side)
    return (*around, *middle, *(MarkedLine(end + at, " ", text) for at, text in enumerate(hunk.after)))


def compared(base: tuple[str, ...], side: tuple[str, ...], first: int = 1) -> tuple[MarkedLine, ...]:
    """All lines of a text with what it took from the base and put there; `first` is the number of its first line."""
    found: list[MarkedLine] = []
    for base_from, base_to, side_from, side_to, same in _runs(base, side):
        if not same:
            found += [MarkedLine(None, "-", text) for text in base[base_from:base_to]]
        mark: Mark = " " if same else "+"
        found += [MarkedLine(first + at, mark, side[at]) for at in range(side_from, side_to)]
    return tuple(found)


def folded(lines: tuple[MarkedLine, ...]) -> tuple[MarkedLine, ...]:
    """The lines near changes; for each stretch of others there is one line that says how many."""
    changed = [index for index, line in enumerate(lines) if line.mark != " "]
    near = {at for index in changed for at in range(index - AROUND, index + AROUND + 1)}
    found: list[MarkedLine] = []
    left_out = 0
    for index, line in enumerate((*lines, None)):
        if line is not None and index not in near:
            left_out += 1
            continue
        if left_out:
            found.append(MarkedLine(None, "~", f"{left_out} {'line' if left_out == 1 else 'lines'} alike"))
        left_out = 0
        if line is not None:
            found.append(line)
    return tuple(found)


def _runs(base: tuple[str, ...], side: tuple[str, ...]) -> list[tuple[int, int, int, int, bool]]:
    """Stretches of both texts, in order: where they are the same, and where not."""
    head = 0
    while head < min(len(base), len(side)) and base[head] == side[head]:
        head += 1
    tail = 0
    while tail < min(len(base), len(side)) - head and base[-1 - tail] == side[-1 - tail]:
        tail += 1
    base_end, side_end = len(base) - tail, len(side) - tail
    if (base_end - head) * (side_end - head) > ENOUGH:
        middle = [(head, base_end, head, side_end, False)]
    else:
        codes = SequenceMatcher(None, base[head:base_end], side[head:side_end], autojunk=False).get_opcodes()
        middle = [(head + b, head + bb, head + s, head + ss, tag == "equal") for tag, b, bb, s, ss in codes]
    return [(0, head, 0, head, True), *middle, (base_end, len(base), side_end, len(side), True)]
