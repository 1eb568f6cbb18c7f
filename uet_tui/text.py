"""Making foreign text harmless: what an agent prints, names or writes is data, never a command to the terminal.

One function, used once, on the way in. Textual passes OSC 52 and C1 controls through to the terminal, so this is the
only thing between an agent's output and the operator's clipboard.
"""

import re

_STYLE = re.compile(r"(?:\x1b\[|\x9b)[0-9;:]*[mK]")
"""Colours and line erasing: what every tool prints to look nice, so nothing is left in their place."""
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI, also cut short
    r"|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, APC, PM, SOS
    r"|\x1b[ -/]*[0-~]?"  # every other escape, also a bare one
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f"  # bidi, and the invisible operators beside it
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # line and paragraph separators, byte order mark, interlinear marks
    "\U000e0000-\U000e007f]"  # tag characters
)
_RETURN = re.compile(r"\r+\n?")
_ASCII_CONTROLS = bytes(set(range(32)) - {0x09, 0x0A}) + b"\x7f"
_SHOWN = "\u241b"  # SYMBOL FOR ESCAPE: the operator sees that something was there


def harmless(text: str) -> str:
    """The text without escape sequences, controls, bidi tricks and lone surrogates; tab and newline stay.

    A carriage return becomes a line end. Colours vanish; any other escape sequence leaves one `␛`. Whatever comes in,
    the result holds no character that a terminal acts on, and is its own `harmless`.
    """
    if text.isascii():
        data = text.encode("ascii")
        if len(data.translate(None, _ASCII_CONTROLS)) == len(data):
            return text
    else:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:  # lone surrogates: neither a terminal nor the store takes them
            text = text.encode("utf-8", "replace").decode("utf-8")
        if not _CONTROL.search(text):
            return text
    plain = _STYLE.sub("", _RETURN.sub("\n", text))
    return _CONTROL.sub("", _SEQUENCE.sub(_SHOWN, plain))


def laid_bare(text: str) -> str:
    """Lines of a file for somebody who decides about them: what `harmless` takes away is shown by its number.

    A file with an escape sequence or a bidi control in it reads other than it runs; whoever approves it must see that.
    """
    plain = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub(lambda found: f"‹U+{ord(found[0]):04X}›", plain)


def one_line(text: str, limit: int = 300) -> str:
    """Harmless text on one line, cut at `limit` characters with an ellipsis."""
    flat = " ".join(harmless(text[: limit * 8]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
