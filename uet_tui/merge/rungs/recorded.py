"""Recorded: a conflict whose hunks were resolved before is resolved in the same way again."""

from collections.abc import Sequence

from uet_tui.core.conflicts import ConflictFile
from uet_tui.merge.hunks import USUAL, marker_left, marker_size
from uet_tui.merge.rungs import Case, Made
from uet_tui.merge.texts import is_text, sides
from uet_tui.workspace import rerere
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.mergetree import merge_file


def recorded(case: Case, files: Sequence[ConflictFile]) -> Made:
    """What `git rerere` knows of the files; one that it knows in part only is not for this rung."""
    if not case.settings.recorded:
        return Made()
    return Made(rerere.recall(case.control, _marked(case.control, files)))


def remember(control: ControlRepository, files: Sequence[ConflictFile], tree: str) -> tuple[str, ...]:
    """Records how the operator resolved the files, which `tree` holds; gives the ids of what is on record now."""
    marked = _marked(control, files)
    resolved: dict[str, bytes] = {}
    for path in marked:
        entry = control.entry(tree, path)
        text = control.read_blob(entry.oid) if entry is not None and is_text(control, entry) else None
        if text is not None and marker_left(text) is None:
            resolved[path] = text
    return rerere.record(control, {path: marked[path] for path in resolved}, resolved) if resolved else ()


def _marked(control: ControlRepository, files: Sequence[ConflictFile]) -> dict[str, bytes]:
    """The files with markers as git writes them; without those that hold lines which git would take for markers."""
    found: dict[str, bytes] = {}
    for file in files:
        texts = sides(control, file) if file.hunks else None
        if texts is not None and marker_size(*texts) == USUAL:
            ours, base, theirs = texts
            found[file.path] = merge_file(control, ours, base, theirs, USUAL, style="merge")
    return found
