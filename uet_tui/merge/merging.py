"""Merging a workstream's commit into the integration tip, in memory: no checkout, no index, nothing half-made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from uet_tui.core.conflicts import ConflictFile, Entry
from uet_tui.merge.hunks import hunks
from uet_tui.merge.kinds import Merging, conflict_files
from uet_tui.merge.proposing import propose
from uet_tui.merge.side_loss import file_losses
from uet_tui.merge.texts import text_pieces
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.mergetree import merge_bases, merge_tree, renames
from uet_tui.workspace.trees import Change, compare, merge_disjoint

GIT = "git"
"""Who made the proposal where git's own clean merge is doubted."""


@dataclass(frozen=True, slots=True)
class Clean:
    """A merge that git made alone, and that drops no line which a side added."""

    tree: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A merge that git could not make alone."""

    tree: str
    """What git merged by itself; files in conflict hold markers. Never to be committed as it is."""
    files: tuple[ConflictFile, ...]
    """The files in conflict, in path order; nothing decided. One that git merged at a loss has its merge proposed."""


def merge(control: ControlRepository, tip: str, commit: str) -> Clean | Conflicted:
    """Merges `commit` (theirs) into `tip` (ours).

    Raises:
        GitError: they cannot be merged at all, having no history in common.
    """
    base = control.merge_base(tip, commit)
    ours, theirs = control.tree_of(tip), control.tree_of(commit)
    if base is not None:
        tree = merge_disjoint(control.objects, control.tree_of(base), ours, theirs)
        if tree is not None:
            return Clean(tree)
    merged = merge_tree(control, tip, commit)
    bases = [control.tree_of(found) for found in ((base,) if base else merge_bases(control, tip, commit))]

    def merging(base_tree: str) -> Merging:
        found = cache(lambda side: renames(control, base_tree, side))
        return Merging(control, (tip, commit), base_tree, ours, theirs, merged, found)

    first = merging(bases[0])
    tree, files = conflict_files(first) if merged.stages or merged.conflicts else (merged.tree, ())
    named = {file.path for file in files}
    lossy = {file.path: file for file in _lossy(first, tree) if file.path not in named}
    for other in bases[1:]:
        # Where histories cross, a line counts as added only if it is new to every base.
        also = {file.path for file in _lossy(merging(other), tree)}
        lossy = {path: file for path, file in lossy.items() if path in also}
    if not files and not lossy:
        return Clean(tree)
    return Conflicted(tree, tuple(sorted((*files, *lossy.values()), key=lambda file: file.path)))


def _lossy(merging: Merging, tree: str) -> Iterator[ConflictFile]:
    """The files that both sides changed and git merged, but not without dropping a line that one of them added."""
    control = merging.control
    ours, theirs = (
        {change.path: change for change in compare(control.objects, merging.base, side)}
        for side in (merging.ours, merging.theirs)
    )
    for path in sorted(ours.keys() & theirs.keys()):
        if ours[path].new == theirs[path].new or path in merging.merged.stages:
            continue
        file = _changed_twice(merging, tree, ours[path], theirs[path])
        if file.path in merging.merged.stages:
            continue
        lost = file_losses(control, (file,), {file.path: file.merged}).get(file.path, ())
        if lost:
            yield propose(control, _with_hunks(control, file), file.merged, GIT, lost)


def _changed_twice(merging: Merging, tree: str, ours: Change, theirs: Change) -> ConflictFile:
    """A file with what each side made of it, under the name that it has now."""
    path = ours.path
    entries: dict[str, Entry | None] = {"ours": ours.new, "theirs": theirs.new}
    sides: Mapping[str, str] = {"ours": merging.ours, "theirs": merging.theirs}
    for name, side in sides.items():
        new = merging.renames(side).get(ours.path) if entries[name] is None else None
        if new is not None:
            path = new
            entries[name] = merging.control.entry(side, new)
    base = ours.old or theirs.old
    if base is None:  # both may have renamed it alike
        came = (old for old, new in merging.renames(merging.ours).items() if new == path)
        base = next((merging.control.entry(merging.base, old) for old in came), None)
    return ConflictFile(
        path=path,
        kind="lossy",
        base=base,
        ours=entries["ours"],
        theirs=entries["theirs"],
        merged=merging.control.entry(tree, path),
        note="git merged it alone, but its result drops lines that a side added",
    )


def _with_hunks(control: ControlRepository, file: ConflictFile) -> ConflictFile:
    found = text_pieces(control, file)
    return replace(file, hunks=hunks(found, control.read_blob(file.ours.oid))) if found and file.ours else file
