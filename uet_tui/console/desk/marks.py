"""What one side of a hunk did to the base, line by line, with numbers and marks. Pure."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from uet_tui.store.conflict_views import HunkView

Mark = Literal["-", "+", " "]
ENOUGH = 400_000
"""Pairs of lines that are compared at most: beyond it, comparing takes longer than a key press may."""


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line as a box of the desk shows it."""

    number: int | None
    """Its number in the side's own text; None for a line that the side took away."""
    mark: Mark
    text: str


def side_lines(hunk: HunkView, side: tuple[str, ...]) -> tuple[MarkedLine, ...]:
    """A side with what stands around it: lines it took from the base are `-`, lines it put there `+`."""
    found: list[MarkedLine] = []
    number = hunk.line - len(hunk.before)

    def put(mark: Mark, lines: tuple[str, ...]) -> None:
        nonlocal number
        for line in lines:
            found.append(MarkedLine(None if mark == "-" else number, mark, line))
            number += mark != "-"

    put(" ", hunk.before)
    for base_from, base_to, side_from, side_to, same in _runs(hunk.base, side):
        if same:
            put(" ", side[side_from:side_to])
        else:
            put("-", hunk.base[base_from:base_to])
            put("+", side[side_from:side_to])
    put(" ", hunk.after)
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
