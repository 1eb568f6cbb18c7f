"""From choices to a tree: what the operator decided, to the byte, and nothing outside the files in conflict."""

import re
from collections.abc import Mapping, Sequence

from uet_tui.core.conflicts import ChoiceError, ConflictFile, Entry, Hunk
from uet_tui.merge.hunks import MARKERS, Clash, Piece, marked
from uet_tui.merge.proposing import file_parts
from uet_tui.merge.side_loss import groups
from uet_tui.merge.texts import is_text, text_pieces
from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.objects import TREE

_LEFT_OVER = re.compile(rb"^(?:" + b"|".join(map(re.escape, MARKERS[:2] + MARKERS[3:])) + rb")\r?$", re.MULTILINE)


def resolve(control: ControlRepository, conflict_tree: str, files: Sequence[ConflictFile]) -> str:
    """The resolved tree: the conflict's tree with every file in conflict as it was decided.

    Raises:
        ChoiceError: something is not decided, or a choice does not fit its file.
    """
    undecided = [one_line(file.path) for file in files if not file.decided]
    if undecided:
        raise ChoiceError(f"still to be decided: {', '.join(undecided)}")
    decided = {file.path: _decided(control, file) for file in files}
    _check_renames(files, decided)
    return control.tree_with(conflict_tree, _fitting(decided))


def _check_renames(files: Sequence[ConflictFile], decided: Mapping[str, Entry | None]) -> None:
    """A file that both sides renamed must keep a name: to drop both is what neither side did."""
    for group in groups(files):
        names = [file for file in group if file.kind == "rename"]
        meant = any(file.ours for file in names) and any(file.theirs for file in names)
        if meant and len(names) > 1 and not any(decided[file.path] for file in names):
            shown = " and ".join(one_line(file.path) for file in names if file.ours or file.theirs)
            raise ChoiceError(
                f"{shown} are one file, renamed by both sides, and no name of it is kept: take one of them"
            )


def _fitting(decided: Mapping[str, Entry | None]) -> dict[str, Entry | None]:
    """What was decided, without what lies below a path that is now a file."""
    files = [f"{path}/" for path, entry in decided.items() if entry is not None and entry.mode != TREE]
    return {path: entry for path, entry in decided.items() if not path.startswith(tuple(files))}


def _decided(control: ControlRepository, file: ConflictFile) -> Entry | None:
    if file.choice in ("ours", "theirs"):
        return file.ours if file.choice == "ours" else file.theirs
    if file.choice == "edited":
        if file.edited is None:
            raise ChoiceError(f"{one_line(file.path)} was edited, but its new text is not there: edit it again")
        return Entry(_mode(file), file.edited.oid)
    if file.choice == "proposal":
        if not file.proposed_by:
            raise ChoiceError(f"{one_line(file.path)} has no proposal to take")
        return file.proposed
    if file.choice is not None:
        raise ChoiceError(f"{one_line(file.path)} ({file.kind}) can only be taken whole: ours or theirs")
    if file.proposed is not None and all(hunk.choice == "proposal" for hunk in file.hunks):
        return file.proposed
    return Entry(_mode(file), control.write_blob(b"".join(_chosen(control, file, [h.choice for h in file.hunks]))))


def _mode(file: ConflictFile) -> str:
    found = [file.merged, file.ours, file.theirs]
    if file.hunks and all(hunk.choice == "theirs" for hunk in file.hunks) and not file.base:
        found.insert(0, file.theirs)
    return next((entry.mode for entry in found if entry and entry.mode.startswith("100")), "100644")


def _chosen(control: ControlRepository, file: ConflictFile, choices: Sequence[str | None]) -> list[bytes]:
    return [
        piece if isinstance(piece, bytes) else b"".join(marked([piece])) for piece in _applied(control, file, choices)
    ]


def _applied(control: ControlRepository, file: ConflictFile, choices: Sequence[str | None]) -> list[Piece | bytes]:
    """The pieces of a file with the decided clashes replaced by what was chosen."""
    found = text_pieces(control, file)
    if found is None or sum(isinstance(piece, Clash) for piece in found) != len(choices):
        raise ChoiceError(f"{one_line(file.path)} is not what it was when its hunks were found: redo the merge")
    proposed: Sequence[bytes | None] = [None] * len(choices)
    if "proposal" in choices:
        proposed = file_parts(control, file, file.proposed) or proposed
    result: list[Piece | bytes] = []
    hunks = iter(zip(file.hunks, proposed, strict=True))
    for piece in found:
        result.append(_side(file, piece, *next(hunks)) if isinstance(piece, Clash) else piece)
    return result


def _side(file: ConflictFile, clash: Clash, hunk: Hunk, proposed: bytes | None) -> Piece | bytes:
    match hunk.choice:
        case "ours":
            return clash.ours
        case "theirs":
            return clash.theirs
        case "both":
            return clash.both()
        case "both-theirs-first":
            return clash.both(theirs_first=True)
        case "proposal" if proposed is not None:
            return proposed
        case None:
            return clash
        case _:
            raise ChoiceError(f"{one_line(file.path)}: hunk {hunk.number} has no {hunk.choice} to take")


def marked_text(control: ControlRepository, file: ConflictFile) -> bytes:
    """The file for an editor: hunks that are decided as they were decided, the others between conflict markers.

    Raises:
        ChoiceError: it is not a text that can be edited.
    """
    if file.choice == "edited" and file.edited is not None:
        return control.read_blob(file.edited.oid)
    if file.proposed is not None and (file.choice == "proposal" or not file.hunks):
        if not is_text(control, file.proposed):
            raise ChoiceError(f"the proposal for {one_line(file.path)} is not text: take it, or a side")
        return control.read_blob(file.proposed.oid)
    if file.hunks:
        return b"".join(marked(_applied(control, file, [hunk.choice for hunk in file.hunks])))
    side = file.theirs if file.choice == "theirs" or file.ours is None else file.ours
    text = control.read_blob(side.oid) if side and side.mode.startswith("100") else b"\0"
    if b"\0" in text:
        raise ChoiceError(f"{one_line(file.path)} ({file.kind}) is not text: take ours or theirs")
    return text


def accept_edit(control: ControlRepository, path: str, data: bytes) -> Entry:
    """Stores what came back from the editor; its mode stays what the merge made it.

    Raises:
        ChoiceError: conflict markers are left in it.
    """
    left = _LEFT_OVER.search(data)
    if left:
        line = data.count(b"\n", 0, left.start()) + 1
        raise ChoiceError(
            f"{one_line(path)}:{line}: a conflict marker is left; decide that place and remove the marker"
        )
    return Entry("100644", control.write_blob(data))
