"""The files of a conflict as texts: what can be looked at line by line, and in which pieces."""

from collections.abc import Iterable

from uet_tui.core.conflicts import ConflictFile, Entry
from uet_tui.merge.hunks import Piece, marker_left, marker_size, pieces
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.mergetree import merge_file

LARGEST = 4_000_000
"""Bytes above which a file is taken whole: nobody decides such a one line by line."""
_LOOKED_AT = 8_000
"""How far git looks for a NUL byte to tell binary from text."""


def is_text(control: ControlRepository, entry: Entry, largest: int | None = None) -> bool:
    """Whether an entry of a tree is a file of lines, no larger than `largest` bytes (`LARGEST` if None)."""
    limit = LARGEST if largest is None else largest
    if not entry.mode.startswith("100") or control.objects.size(entry.oid) > limit:
        return False
    return b"\0" not in control.read_blob(entry.oid)[:_LOOKED_AT]


def sides(control: ControlRepository, file: ConflictFile) -> tuple[bytes, bytes, bytes] | None:
    """Ours, base and theirs of a file that both sides have as different texts; None for any other."""
    if file.ours is None or file.theirs is None or file.ours.oid == file.theirs.oid:
        return None
    if not _all_text(control, (file.ours, file.theirs, file.base)):
        return None
    base = control.read_blob(file.base.oid) if file.base else b""
    return control.read_blob(file.ours.oid), base, control.read_blob(file.theirs.oid)


def _all_text(control: ControlRepository, entries: Iterable[Entry | None]) -> bool:
    return all(is_text(control, entry) for entry in entries if entry)


def marker_in(control: ControlRepository, file: ConflictFile, text: bytes) -> int | None:
    """The first line of a result that is a conflict marker, and in none of the versions; None if there is none."""
    versions = (entry for entry in (file.ours, file.base, file.theirs) if entry and is_text(control, entry))
    return marker_left(text, *(control.read_blob(entry.oid) for entry in versions))


def text_pieces(control: ControlRepository, file: ConflictFile) -> tuple[Piece, ...] | None:
    """The pieces of a file that both sides have as text, the same each time; None if it can only be taken whole."""
    texts = sides(control, file)
    if texts is None:
        return None
    size = marker_size(*texts)
    return pieces(merge_file(control, *texts, size), size, *texts)
