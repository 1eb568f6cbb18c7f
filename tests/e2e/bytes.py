"""What a program sends to its terminal, taken apart strictly: text, controls, and every kind of escape sequence.

Unlike a terminal, the parser forgives nothing: bytes that some terminal might take for a command are never text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

_STRINGS: Final = {"]": "OSC", "P": "DCS", "X": "SOS", "^": "PM", "_": "APC"}
_C1_STRINGS: Final = {"\x9d": "OSC", "\x90": "DCS", "\x98": "SOS", "\x9e": "PM", "\x9f": "APC"}
_CSI: Final = re.compile(r"([0-?]*)([ -/]*)([@-~])")
_ESCAPE: Final = re.compile(r"[ -/]*[0-~]")
_END: Final = re.compile("\x07|\x1b\\\\|\x9c")
_TEXT: Final = re.compile("[^\x00-\x1f\x7f-\x9f\udc80-\udcff]+")
_UNSEEN: Final = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


class Kind(Enum):
    """What a piece of output is."""

    TEXT = "text"
    UNSEEN = "a character that reorders or hides text"
    CONTROL = "a control of one byte, or a line end: CR and LF"
    C1 = "a control of the 8-bit kind"
    CSI = "CSI"
    STRING = "a sequence with a text in it: OSC, DCS, SOS, PM, APC"
    ESCAPE = "any other escape sequence"
    CUT = "a sequence without its end"
    BROKEN = "a byte that is not UTF-8"


@dataclass(frozen=True, slots=True)
class Piece:
    """One text or one sequence; `text` is what it says, without what introduces and ends it."""

    kind: Kind
    text: str


def pieces(sent: bytes) -> Iterator[Piece]:
    """Takes output apart, in order; nothing is left out."""
    data = sent.decode("utf-8", "surrogateescape")
    at = 0
    while at < len(data):
        if text := _TEXT.match(data, at):
            yield from _seen(text[0])
            at = text.end()
            continue
        character = data[at]
        at += 1
        if data.startswith("\r\n", at - 1):
            piece, at = Piece(Kind.CONTROL, "line end"), at + 1
        elif character == "\x1b":
            piece, at = _sequence(data, at)
        elif character == "\x9b":
            piece, at = _csi(data, at)
        elif character in _C1_STRINGS:
            piece, at = _string(data, at, _C1_STRINGS[character])
        elif "\udc80" <= character <= "\udcff":
            piece = Piece(Kind.BROKEN, f"{ord(character) - 0xDC00:#04x}")
        else:
            piece = Piece(Kind.C1 if character >= "\x80" else Kind.CONTROL, f"{ord(character):#04x}")
        yield piece


def _seen(text: str) -> Iterator[Piece]:
    at = 0
    for found in _UNSEEN.finditer(text):
        if found.start() > at:
            yield Piece(Kind.TEXT, text[at : found.start()])
        yield Piece(Kind.UNSEEN, f"U+{ord(found[0]):04X}")
        at = found.end()
    if at < len(text):
        yield Piece(Kind.TEXT, text[at:])


def _sequence(data: str, at: int) -> tuple[Piece, int]:
    introducer = data[at : at + 1]
    if introducer == "[":
        return _csi(data, at + 1)
    if introducer in _STRINGS:
        return _string(data, at + 1, _STRINGS[introducer])
    if found := _ESCAPE.match(data, at):
        return Piece(Kind.ESCAPE, found[0]), found.end()
    return Piece(Kind.CUT, "ESC"), at


def _csi(data: str, at: int) -> tuple[Piece, int]:
    if found := _CSI.match(data, at):
        return Piece(Kind.CSI, found[0]), found.end()
    return Piece(Kind.CUT, "CSI"), at


def _string(data: str, at: int, name: str) -> tuple[Piece, int]:
    if found := _END.search(data, at):
        return Piece(Kind.STRING, f"{name} {data[at : found.start()]}"), found.end()
    return Piece(Kind.CUT, name), at


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a program may send besides text, each a pattern for a whole piece."""

    controls: Sequence[str] = ("0x0a", "line end")
    csi: Sequence[str] = ()
    strings: Sequence[str] = ()


PLAIN: Final = Allowed()
"""Text in lines."""
COLOURED: Final = Allowed(csi=(r"[0-9;:]*m",))
"""Text in lines and colours: a command on a terminal."""
PROGRESS: Final = Allowed(controls=(*PLAIN.controls, "0x0d"), csi=(*COLOURED.csi, r"1A", r"2K", r"\?25[hl]"))
"""As above, with lines that are drawn over: long headless work on a terminal."""


def screen(title: str) -> Allowed:
    """What Textual's driver and this program's console send to draw; `title` is a pattern for the window's title."""
    return Allowed(
        controls=("line end",),
        csi=(
            *COLOURED.csi,
            r"[0-9]+;[0-9]+H",  # goes to a place
            r"\?(7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]",  # modes
            r"\?(2026|2048)\$p",  # asks which modes there are
            r">[0-9]+u|<u",  # the keyboard protocol
            r"2[23];2t",  # keeps the title and brings it back
        ),
        strings=(rf"OSC 2;{title}", r"OSC 22;(default|text|pointer)"),  # the title, the mouse pointer's shape
    )


def foreign(sent: bytes, allowed: Allowed) -> Sequence[Piece]:
    """The pieces that are neither text nor allowed."""
    return [piece for piece in pieces(sent) if not _fits(piece, allowed)]


def _fits(piece: Piece, allowed: Allowed) -> bool:
    if piece.kind is Kind.TEXT:
        return True
    patterns = {Kind.CONTROL: allowed.controls, Kind.CSI: allowed.csi, Kind.STRING: allowed.strings}.get(piece.kind, ())
    return any(re.fullmatch(pattern, piece.text) for pattern in patterns)


def text(sent: bytes) -> str:
    """The text alone."""
    return "".join(piece.text for piece in pieces(sent) if piece.kind is Kind.TEXT)
