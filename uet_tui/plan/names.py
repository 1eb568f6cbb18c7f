"""One name of a path, or a glob for it: `*`, `?` and `[..]`, and whether two of them have a name in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeVar


class Wild(Enum):
    """What stands for characters that are not written out."""

    ONE = "?"
    MANY = "*"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One character of a set: `[abc]`, `[a-z]`; `[!..]` and `[^..]` are all others."""

    ranges: tuple[tuple[str, str], ...]
    others: bool

    def holds(self, char: str) -> bool:
        """Whether it stands for this character."""
        return any(low <= char <= high for low, high in self.ranges) != self.others


Token = str | Wild | OneOf
Reading = Sequence[Token]
"""A plain string is a name without wildcards: its characters are the tokens."""
Part = tuple[Reading, ...]
"""The ways to read one name; brackets can be read as a set and as themselves."""
T = TypeVar("T")


def literal(name: str) -> Part:
    """A name that stands for itself alone."""
    return (name,)


@lru_cache(maxsize=1 << 16)
def parsed(name: str) -> Part:
    """A name as it is written in a scope."""
    reading = _glob(name)
    if all(isinstance(token, str) for token in reading):
        return literal(name)
    return (reading, name) if any(isinstance(token, OneOf) for token in reading) else (reading,)


def names_meet(a: Part, b: Part) -> bool:
    """Whether some name is matched by both. Two sets at one place count as meeting, whatever is in them."""
    return any(_readings_meet(x, y) for x in a for y in b)


def sequences_meet(a: Sequence[T], b: Sequence[T], many: T, one_meets: Callable[[T, T], bool]) -> bool:
    """Whether two patterns match some sequence in common, where `many` stands for any number of elements.

    Goes through the tails of `a`, and keeps for each which tails of `b` it meets.
    """
    below: list[bool] = []
    for i in range(len(a), -1, -1):
        row = [False] * (len(b) + 1)
        for j in range(len(b), -1, -1):
            if i == len(a) and j == len(b):
                row[j] = True
            elif i < len(a) and a[i] == many:
                row[j] = below[j] or (j < len(b) and row[j + 1])
            elif j < len(b) and b[j] == many:
                row[j] = row[j + 1] or (i < len(a) and below[j])
            elif i < len(a) and j < len(b):
                row[j] = below[j + 1] and one_meets(a[i], b[j])
        below = row
    return below[0]


def _glob(name: str) -> Reading:
    tokens: list[Token] = []
    at = 0
    while at < len(name):
        char = name[at]
        if char == "[" and (end := _closing(name, at)):
            tokens.append(_one_of(name[at + 1 : end]))
            at = end
        elif char == "*":
            if not tokens or tokens[-1] is not Wild.MANY:
                tokens.append(Wild.MANY)
        else:
            tokens.append(Wild.ONE if char == "?" else char)
        at += 1
    return tuple(tokens)


def _closing(name: str, opening: int) -> int:
    """Where the set that is opened there ends; 0 if it does not. A `]` that comes first belongs to the set."""
    first = opening + 2 if name[opening + 1 : opening + 2] in ("!", "^") else opening + 1
    return max(name.find("]", first + 1), 0)


def _one_of(inner: str) -> OneOf:
    others = inner[0] in "!^" and len(inner) > 1
    body = inner[1:] if others else inner
    ranges: list[tuple[str, str]] = []
    at = 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            ranges.append((body[at], body[at + 2]))
            at += 3
        else:
            ranges.append((body[at], body[at]))
            at += 1
    return OneOf(tuple(ranges), others)


def _readings_meet(a: Reading, b: Reading) -> bool:
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    return sequences_meet(a, b, Wild.MANY, _tokens_meet)


def _tokens_meet(a: Token, b: Token) -> bool:
    if isinstance(a, Wild) or isinstance(b, Wild):
        return True
    if isinstance(a, OneOf):
        return isinstance(b, OneOf) or a.holds(b)
    return b.holds(a) if isinstance(b, OneOf) else a == b
