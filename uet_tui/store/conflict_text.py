"""The files of a conflict as they are laid out: what the operator's editor opens, and what each side is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uet_tui.errors import UetError
from uet_tui.store.files import open_regular
from uet_tui.text import laid_bare, one_line

SIDES: Final = ("base", "ours", "theirs", "proposal")
PATIENCE_SECONDS: Final = 5.0
"""How long the text of a conflict is waited for; a file is laid out in milliseconds."""
_LOOK_SECONDS: Final = 0.02


def text_file(folder: Path, index: int) -> Path:
    """Where the text of a conflict's file is laid out; `index` is the file's in its conflict, from 0."""
    return folder / f"{index}.txt"


def side_file(folder: Path, index: int, side: str) -> Path:
    """Where one of the `SIDES` of a conflict's file is laid out, if its hunks do not tell it."""
    return folder / f"{index}.{side}"


@dataclass(frozen=True, slots=True)
class SideText:
    """What a file is on one side of a conflict, laid bare to be shown."""

    about: str
    """In words: `text, 120 bytes`, `link to ../lib`, `submodule at commit 3f2c...`."""
    lines: tuple[str, ...]
    """Its text; empty where it is none."""


def side_text(folder: Path, index: int, side: str) -> SideText | None:
    """One side of a conflict's file; None where that side has no such file, or hunks tell it."""
    file = open_regular(side_file(folder, index, side))
    if file is None:
        return None
    with file:
        about, _, text = file.read().decode("utf-8", "replace").partition("\n")
    lines = text.removesuffix("\n").split("\n") if text else ()
    return SideText(one_line(about), tuple(laid_bare(line.rstrip("\r")) for line in lines))


def version_file(folder: Path) -> Path:
    """Where it says which decisions what is laid out holds; written last, so that what it says is whole."""
    return folder / "version"


def conflict_text(folder: Path, index: int, version: Callable[[], str], seconds: float = PATIENCE_SECONDS) -> str:
    """The text of one file of a conflict, byte for byte: line ends and escape sequences as they are.

    What was decided is in it; what was not stands between conflict markers. A decision is on record a moment before it
    is laid out: an editor that opened what was there before would take it back without a word.

    Args:
        folder: the conflict's folder, `conflicts/<id>` in the run's.
        index: which of the conflict's files, from 0.
        version: says what the conflict is on record as; called again as long as what is laid out is something else.
        seconds: how long that is waited for.

    Raises:
        UetError: there is none, it is not text, or it was not laid out in time; whoever asks names the file.
    """
    end = time.monotonic() + seconds
    while (wanted := version()) != _laid_out(folder) or (text := _text(folder, index, wanted)) is None:
        if time.monotonic() > end:
            raise UetError("what was decided last is not laid out yet: try again; `uet resume` if nobody has the run")
        time.sleep(_LOOK_SECONDS)
    return text


def _laid_out(folder: Path) -> str:
    file = open_regular(version_file(folder))
    if file is None:
        return ""
    with file:
        return file.read().decode("ascii", "replace")


def _text(folder: Path, index: int, version: str) -> str | None:
    """The text, if it is still that of this version once it is read."""
    try:
        data = text_file(folder, index).read_bytes()
    except FileNotFoundError:
        data = None
    if _laid_out(folder) != version:
        return None
    if data is None:
        raise UetError("there is no text to edit; take ours or theirs for the whole file")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UetError(f"not UTF-8 text ({error.reason}), so it cannot be edited here; take sides instead") from None
