"""One text that an operator wrote -> plain values, each with its line.

Both notations, JSON with comments and YAML, end in the same values: what JSON can say, and nothing that a notation
would guess. Refused in both: a key written twice, numbers that are not finite or do not fit 64 bits, text that cannot
be encoded, nesting without end.
"""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from uet_tui.text import one_line

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

MAX_BYTES = 8 * 1024 * 1024
"""The largest file that is read; 10,000 workstreams of usual length take about half of it."""
MAX_DEPTH = 64
"""How deep lists and objects may be inside each other."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<real>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)", re.ASCII)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NOTHING: Mapping[str | int, "Node"] = MappingProxyType({})


class DocumentError(Exception):
    """The text cannot be read; the message says why and what to write instead."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        """1-based; 0 where the whole text is to blame."""


class Node(NamedTuple):
    """One value of a document, with where it is."""

    value: Value
    line: int
    """1-based; of the key, where it has one."""
    inside: Mapping[str | int, "Node"] = _NOTHING
    """The members of an object by key, the items of a list by 0-based position."""
    written: str = ""
    """How a number is spelled, for messages: 1.10 is not the text 1.1; empty for everything else."""

    def line_of(self, *place: str | int) -> int:
        """The line of what is at `place` below this node, or of the nearest thing around it."""
        node = self
        for step in place:
            if step not in node.inside:
                break
            node = node.inside[step]
        return node.line


def quoted(value: object, limit: int = 60) -> str:
    """A value from a document as it can stand in a message: harmless, on one line, cut at `limit` characters."""
    return f'"{one_line(value, limit)}"' if isinstance(value, str) else one_line(str(value), limit)


def decoded(data: bytes) -> str:
    """The bytes of a file as text; a byte order mark is dropped, line ends become LF.

    Raises:
        DocumentError: it is too large, not UTF-8, or holds control characters.
    """
    if len(data) > MAX_BYTES:
        raise DocumentError(0, f"is larger than {MAX_BYTES // 1024**2} MiB: split it into several files")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        raise DocumentError(0, "is not UTF-8 but looks like UTF-16 or UTF-32: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(line, f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise DocumentError(line, f"a control character (U+{ord(control[0]):04X}) stands here: remove it")
    return text


def text_value(text: str, line: int) -> str:
    """The text itself, if it can be encoded.

    Raises:
        DocumentError: it holds half of a surrogate pair.
    """
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise DocumentError(line, "half a character (a lone \\ud800 to \\udfff) stands here: remove it")
    return text


def number_value(text: str, line: int) -> int | float | None:
    """The number that the text is in JSON's notation, or None if it is none.

    Raises:
        DocumentError: it is too large.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    if match["real"]:
        real = float(text)
        if math.isinf(real):
            raise DocumentError(line, f"the number {quoted(text, 20)} is too large: write a smaller one")
        return real
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise DocumentError(line, f"a whole number of {len(text.lstrip('-'))} digits is too large: write a smaller one")
    return int(text)


def check_depth(depth: int, line: int) -> None:
    """Nothing, or a refusal to go deeper.

    Raises:
        DocumentError: `depth` is past the limit.
    """
    if depth > MAX_DEPTH:
        raise DocumentError(line, f"lists and objects are nested more than {MAX_DEPTH} deep: make it flatter")


def check_new(key: str, members: Mapping[str | int, Node], line: int) -> None:
    """Nothing, or a refusal of a key that the object has already.

    Raises:
        DocumentError: the key is written twice.
    """
    if key in members:
        first = members[key].line
        raise DocumentError(line, f"the key {quoted(key)} is written twice, first on line {first}: keep one")
