"""Laying a conflict out in files: what an editor opens, and what each side of a file is, to be read on a screen."""

import threading
from contextlib import suppress
from dataclasses import replace

from uet_tui.core.conflicts import ChoiceError, ConflictFile, Entry, version
from uet_tui.core.records import ConflictRecord
from uet_tui.engine.workplace import Workplace
from uet_tui.merge.resolution import marked_text
from uet_tui.store.conflict_text import SIDES, side_file, text_file, version_file
from uet_tui.store.files import write_whole
from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository

_READ = 1_000_000
"""Bytes of a side that are laid out at most: nobody reads more of a file on a screen."""
_LOOKED_AT = 8_000
"""How far git looks for a NUL byte to tell binary from text."""

_laying_out = threading.Lock()
"""Held while a conflict is laid out: of two decisions in a row the later one must be what is there in the end."""


def lay_out(place: Workplace, conflict: ConflictRecord) -> None:
    """Writes the files of a conflict as they are decided so far, and the sides of those that are not told by hunks."""
    with _laying_out:
        _lay_out(place, conflict)


def _lay_out(place: Workplace, conflict: ConflictRecord) -> None:
    files = conflict.files
    folder = place.paths.conflict(conflict.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    version_file(folder).unlink(missing_ok=True)  # nobody is to take for whole what is half laid out
    for index, file in enumerate(files):
        with suppress(ChoiceError):  # there is nothing to edit in what is no text: a side is taken whole
            write_whole(text_file(folder, index), _text(place.control, file))
        by_hunks = bool(file.hunks) and (file.proposed is None or all(h.proposal is not None for h in file.hunks))
        entries = {"base": file.base, "ours": file.ours, "theirs": file.theirs, "proposal": file.proposed}
        for side in SIDES:
            entry = None if by_hunks else entries[side]
            if entry is None:
                side_file(folder, index, side).unlink(missing_ok=True)
            else:
                write_whole(side_file(folder, index, side), described(place.control, entry))
    write_whole(version_file(folder), version(files).encode())


def _text(control: ControlRepository, file: ConflictFile) -> bytes:
    if file.choice == "proposal" and file.proposed is not None:
        return control.read_blob(file.proposed.oid)
    try:
        return marked_text(control, file)
    except ChoiceError:
        undecided = tuple(replace(hunk, choice=None) for hunk in file.hunks)
        return marked_text(control, replace(file, choice=None, hunks=undecided))


def described(control: ControlRepository, entry: Entry) -> bytes:
    """What an entry of a tree is, in words on the first line; its text, if it is one, follows."""
    if entry.mode == "160000":
        return f"submodule at commit {entry.oid}\n".encode()
    size = control.objects.size(entry.oid)
    about = f"{size:,} bytes" + (", executable" if entry.mode == "100755" else "")
    if size > _READ:
        return f"{about}; too long to be shown here\n".encode()
    data = control.read_blob(entry.oid)
    if entry.mode == "120000":
        return f"link to {one_line(data.decode('utf-8', 'replace'))}\n".encode()
    if b"\0" in data[:_LOOKED_AT]:
        return f"not text, {about}\n".encode()
    return f"text, {about}\n".encode() + data
