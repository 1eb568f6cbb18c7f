"""Merging a workstream's commit into the integration tip, in memory: no checkout, no index, nothing half-made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uet_tui.core.conflicts import ConflictFile, Entry
from uet_tui.merge.hunks import hunks
from uet_tui.merge.texts import text_pieces
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.mergetree import merge_tree
from uet_tui.workspace.trees import merge_disjoint


@dataclass(frozen=True, slots=True)
class Clean:
    """A merge that git made alone."""

    tree: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A merge that git could not make alone."""

    tree: str
    """What git merged by itself; files in conflict hold markers. Never to be committed as it is."""
    files: tuple[ConflictFile, ...]
    """The files in conflict, in path order; nothing decided."""


def merge(control: ControlRepository, tip: str, commit: str) -> Clean | Conflicted:
    """Merges `commit` (theirs) into `tip` (ours).

    Raises:
        GitError: they cannot be merged at all, having no history in common.
    """
    base = control.merge_base(tip, commit)
    if base is not None:
        ours, theirs = control.tree_of(tip), control.tree_of(commit)
        tree = merge_disjoint(control.objects, control.tree_of(base), ours, theirs)
        if tree is not None:
            return Clean(tree)
    merged = merge_tree(control, tip, commit)
    if not merged.stages:
        return Clean(merged.tree)
    files = (
        _conflict(control, merged.tree, path, stages, [kind for paths, kind in merged.conflicts if path in paths])
        for path, stages in sorted(merged.stages.items())
    )
    return Conflicted(merged.tree, tuple(files))


def _conflict(
    control: ControlRepository, tree: str, path: str, stages: Mapping[int, Entry], words: Sequence[str]
) -> ConflictFile:
    file = ConflictFile(
        path=path,
        kind="",
        base=stages.get(1),
        ours=stages.get(2),
        theirs=stages.get(3),
        merged=control.entry(tree, path),
    )
    found = text_pieces(control, file)
    return ConflictFile(
        path=path,
        kind=_kind(file, words, is_text=found is not None),
        base=file.base,
        ours=file.ours,
        theirs=file.theirs,
        merged=file.merged,
        hunks=hunks(found, control.read_blob(file.ours.oid)) if found and file.ours else (),
    )


def _kind(file: ConflictFile, words: Sequence[str], *, is_text: bool) -> str:
    modes = {entry.mode for entry in (file.base, file.ours, file.theirs) if entry}
    if "160000" in modes:
        return "submodule"
    if any("rename" in word for word in words):
        return "rename"
    if any("file/directory" in word for word in words):
        return "file/directory"
    if "120000" in modes or any("distinct" in word for word in words):
        return "symlink"
    if file.ours is None or file.theirs is None:
        return "modify/delete" if file.ours else "delete/modify" if file.theirs else "rename"
    if file.ours.oid == file.theirs.oid:
        return "mode"
    if not is_text:
        return "binary"
    return "content" if file.base else "add/add"
