"""The files of a conflict as they are laid out: what the operator's editor opens, and what each side is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uet_tui.errors import UetError
from uet_tui.store.files import open_regular
from uet_tui.text import laid_bare, one_line

SIDES: Final = ("base", "ours", "theirs", "proposal")


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


def conflict_text(folder: Path, index: int) -> str:
    """The text of one file of a conflict, byte for byte: line ends and escape sequences as they are.

    What was decided is in it; what was not stands between conflict markers.

    Args:
        folder: the conflict's folder, `conflicts/<id>` in the run's.
        index: which of the conflict's files, from 0.

    Raises:
        UetError: there is none, or it is not text; whoever asks names the file.
    """
    try:
        return text_file(folder, index).read_bytes().decode()
    except FileNotFoundError:
        raise UetError("there is no text to edit; take ours or theirs for the whole file") from None
    except UnicodeDecodeError as error:
        raise UetError(f"not UTF-8 text ({error.reason}), so it cannot be edited here; take sides instead") from None
