"""Putting what a machine made of a conflict on its files, with the side-loss check's evidence, to be taken or not."""

from collections.abc import Sequence
from dataclasses import replace

from uet_tui.core.conflicts import ConflictFile, Entry, Hunk, holds
from uet_tui.merge.hunks import parts, shown, split
from uet_tui.merge.side_loss import Results, file_losses, touched
from uet_tui.merge.texts import is_text, marker_in, text_pieces
from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository


def propose(
    control: ControlRepository, file: ConflictFile, entry: Entry | None, by: str, lost: tuple[str, ...]
) -> ConflictFile:
    """The file with a whole result as its proposal; None proposes to delete it.

    Its hunks get their parts of it, if it falls apart along what git merged by itself, to the byte.
    """
    taken = file_parts(control, file, entry)
    shares: Sequence[tuple[str, ...] | None] = [None] * len(file.hunks)
    if taken is not None:
        shares = [shown(split(part)) for part in taken]
    hunks: list[Hunk] = [replace(hunk, proposal=share) for hunk, share in zip(file.hunks, shares, strict=True)]
    return replace(file, proposed=entry, proposed_by=by, lost=lost, hunks=tuple(hunks))


def file_parts(control: ControlRepository, file: ConflictFile, entry: Entry | None) -> tuple[bytes, ...] | None:
    """What a whole result has in place of each hunk; None where it does not fall apart."""
    if entry is None or not file.hunks or not is_text(control, entry):
        return None
    found = text_pieces(control, file)
    taken = parts(found, control.read_blob(entry.oid)) if found else None
    return taken if taken is not None and len(taken) == len(file.hunks) else None


def propose_results(
    control: ControlRepository, files: Sequence[ConflictFile], results: Results, by: str
) -> tuple[ConflictFile, ...]:
    """The files with those that have a result proposing it, each with the evidence against it."""
    lost = file_losses(control, files, results)
    return tuple(
        propose(control, file, results[file.path], by, lost.get(file.path, ())) if file.path in results else file
        for file in files
    )


def propose_tree(
    control: ControlRepository, start: str, files: Sequence[ConflictFile], tree: str, by: str
) -> tuple[tuple[ConflictFile, ...], tuple[str, ...]]:
    """The files that do not hold a proposal yet, with what a whole tree makes of them; and all evidence against it.

    `start` is the tree that whoever made the result began with. What it changed elsewhere is evidence against every
    file of it: a result that needs that change is not whole without it. A file with a conflict marker left is none.
    """
    results = {file.path: _as_merged(file, control.entry(tree, file.path)) for file in files if not holds(file)}
    stray = touched(control, start, tree, results)
    evidence: list[str] = []
    for file in files:
        entry = results.get(file.path)
        text = control.read_blob(entry.oid) if entry is not None and is_text(control, entry) else b""
        line = marker_in(control, file, text)
        if line is not None:
            evidence.append(f"{one_line(file.path)}:{line} is a conflict marker that was left")
            del results[file.path]
    made: list[ConflictFile] = []
    for file in propose_results(control, files, results, by):
        made.append(replace(file, lost=(*file.lost, *stray)) if file.path in results else file)
        evidence += made[-1].lost if file.path in results else ()
    return tuple(made), tuple(dict.fromkeys((*evidence, *stray)))


def _as_merged(file: ConflictFile, entry: Entry | None) -> Entry | None:
    """A plain file with the mode that git merged it to: of a change of mode nobody would see anything."""
    if entry and file.merged and all(one.mode.startswith("100") for one in (entry, file.merged)):
        return replace(entry, mode=file.merged.mode)
    return entry


def with_settled(control: ControlRepository, tree: str, files: Sequence[ConflictFile], *, marked: bool) -> str:
    """A conflict's tree with the proposals that hold put in.

    What is not settled keeps its conflict markers if `marked`; else it is ours' version, so that no marker is met.
    """
    edits = {file.path: file.proposed if holds(file) else file.ours for file in files if holds(file) or not marked}
    return control.tree_with(tree, edits)
