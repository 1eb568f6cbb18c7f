"""Pairs of edits to real source files, drawn from a seed: what two agents may make of one file."""

import random
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_WINDOW = 60
"""Lines that both sides work on, so that they meet often."""
_MOST = 5
"""Edits of one side."""


@dataclass(frozen=True)
class Pair:
    """One file and what each side made of it."""

    path: str
    base: bytes
    ours: bytes
    theirs: bytes


def sources() -> list[Path]:
    """Modules of the standard library, of a size that people edit; in order of their names."""
    folder = Path(sysconfig.get_path("stdlib"))
    return [file for file in sorted(folder.glob("*.py")) if 80 <= file.read_bytes().count(b"\n") <= 900]


def pairs(count: int, seed: int) -> list[Pair]:
    """So many pairs, the same each time for a seed."""
    files = sources()
    return [_pair(random.Random(f"{seed}/{number}"), files, number) for number in range(count)]


def _pair(draw: random.Random, files: Sequence[Path], number: int) -> Pair:
    source = draw.choice(files)
    end = draw.choice([b"\n", b"\n", b"\n", b"\r\n"])
    lines = [line + end for line in source.read_bytes().splitlines()]
    at = draw.randrange(max(1, len(lines) - _WINDOW))
    sides = []
    for side in (b"ours", b"theirs"):
        changed = _edited(draw, lines[at : at + _WINDOW], side, end)
        whole = b"".join([*lines[:at], *changed, *lines[at + _WINDOW :]])
        sides.append(whole.removesuffix(end) if draw.random() < 0.1 else whole)
    return Pair(f"{number:03}_{source.name}", b"".join(lines), *sides)


def _edited(draw: random.Random, lines: Sequence[bytes], side: bytes, end: bytes) -> list[bytes]:
    result = list(lines)
    for _ in range(draw.randint(1, _MOST)):
        at, span = draw.randrange(len(result) + 1), draw.randint(1, 10)
        match draw.choice(["insert", "copy", "delete", "move", "change"]):
            case "insert":
                result[at:at] = [b"    %s_%d = %d%s" % (side, draw.randrange(50), n, end) for n in range(span // 3 + 1)]
            case "copy":
                result[at:at] = result[draw.randrange(len(result) + 1) :][: span // 3 + 1]
            case "delete":
                del result[at : at + span]
            case "move":
                block = result[at : at + span]
                del result[at : at + span]
                to = draw.randrange(len(result) + 1)
                result[to:to] = block
            case "change":
                marked = [line.rstrip() + b"  # " + side + end for line in result[at : at + span // 3 + 1]]
                result[at : at + span // 3 + 1] = marked
    return result
