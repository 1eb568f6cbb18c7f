"""Making foreign text harmless: what an agent prints, names or writes is data, never a command to the terminal.

One function, used once, on the way in. Textual passes OSC 52 and C1 controls through to the terminal, so this is the
only thing between an agent's output and the operator's clipboard.
"""

import re

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|\Z)?"  # CSI, also unterminated
    r"|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, APC, PM, SOS
    r"|\x1b[ -/]*[0-~]?"  # other escapes
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi
    "\u2028\u2029\ufff9-\ufffb"  # line and paragraph separators, interlinear marks
    "\U000e0000-\U000e007f"  # tag characters
    "\ud800-\udfff]"  # lone surrogates cannot be encoded
)
_SHOWN = "\u241b"  # SYMBOL FOR ESCAPE: the operator sees that something was there


def harmless(text: str) -> str:
    """The text without escape sequences, controls and bidi tricks; tab and newline stay, CR LF becomes LF."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub("", _SEQUENCE.sub(_SHOWN, text.replace("\r\n", "\n")))


def one_line(text: str, limit: int = 300) -> str:
    """Harmless text on one line, cut at `limit` characters with an ellipsis."""
    flat = " ".join(harmless(text[: limit * 8]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
