"""From what `git merge-tree` says to files in conflict: each under its own name, as what it is, with a right way out.

Git parts a file and a folder (or a link and a file) of one name by inventing a name for one of them; here both are
sides of one path again. Of a file that was renamed twice each name is a file in conflict, and knows the others.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from uet_tui.core.conflicts import ConflictFile, Entry
from uet_tui.merge.hunks import hunks, marker_left
from uet_tui.merge.texts import LARGEST, is_text, text_pieces
from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.mergetree import MergedTree
from uet_tui.workspace.objects import TREE
from uet_tui.workspace.trees import compare

_LINK = "120000"
_SUBMODULE = "160000"
_SHORT = 10
"""Digits of a commit's id shown to people."""


@dataclass(frozen=True, slots=True)
class Merging:
    """What was merged, and what git made of it."""

    control: ControlRepository
    commits: tuple[str, str]
    """Ours and theirs."""
    base: str
    """The tree of the merge base."""
    ours: str
    theirs: str
    """The trees of both sides."""
    merged: MergedTree
    renames: Callable[[str], Mapping[str, str]]
    """From the tree of a side: where it renamed files of the base to, by their old path."""


def conflict_files(merging: Merging) -> tuple[str, tuple[ConflictFile, ...]]:
    """The tree with no invented names in it, and the files in conflict in path order; nothing decided."""
    control, merged = merging.control, merging.merged
    invented = {path: real for path in merged.stages if (real := _real_name(merging, path)) is not None}
    tree = control.tree_with(merged.tree, dict.fromkeys(invented))
    stages: dict[str, dict[int, Entry]] = {}
    for path, found in merged.stages.items():
        stages.setdefault(invented.get(path, path), {}).update(found)
    for path in set(invented.values()):
        folder = control.entry(tree, path)
        if folder is not None and folder.mode == TREE:
            side = 2 if _is_folder(control, merging.ours, path) else 3
            stages[path].setdefault(side, folder)
    for path in _unstaged(merging, stages):
        sides = {2: control.entry(merging.ours, path), 3: control.entry(merging.theirs, path)}
        stages[path] = {stage: entry for stage, entry in sides.items() if entry is not None}
    words = [(tuple(invented.get(path, path) for path in paths), kind) for paths, kind in merged.conflicts]
    files = (_file(merging, tree, path, stages[path], words) for path in stages)
    return tree, tuple(sorted(files, key=lambda file: file.path))


def _real_name(merging: Merging, path: str) -> str | None:
    """The name that an invented one stands for."""
    found = re.fullmatch(rf"(.+)~(?:{'|'.join(merging.commits)})(?:_\d+)?", path, re.DOTALL)
    if found is None or any(merging.control.entry(tree, path) for tree in (merging.ours, merging.theirs)):
        return None
    return found[1]


def _is_folder(control: ControlRepository, tree: str, path: str) -> bool:
    entry = control.entry(tree, path)
    return entry is not None and entry.mode == TREE


def _unstaged(merging: Merging, stages: Mapping[str, object]) -> Iterator[str]:
    """What git calls a conflict and merges all the same: files added to a folder that was split by the other side."""
    for paths, _ in merging.merged.conflicts:
        folder = f"{paths[0]}/"
        if any(path in stages for path in paths) or not _is_folder(merging.control, merging.merged.tree, paths[0]):
            continue
        for tree in (merging.ours, merging.theirs):
            for change in compare(merging.control.objects, merging.base, tree):
                if change.status == "A" and change.path.startswith(folder):
                    yield change.path


def _file(
    merging: Merging,
    tree: str,
    path: str,
    stages: Mapping[int, Entry],
    words: Sequence[tuple[tuple[str, ...], str]],
) -> ConflictFile:
    control = merging.control
    about = [(paths, kind) for paths, kind in words if path in paths]
    if not about:  # only a folder around it is named
        about = [((), kind) for paths, kind in words if path.startswith(f"{paths[0]}/")]
    entries = {stage: _unmarked(merging, path, stage, entry) for stage, entry in stages.items()}
    file = ConflictFile(
        path=path,
        kind="",
        base=entries.get(1),
        ours=entries.get(2),
        theirs=entries.get(3),
        merged=control.entry(tree, path),
        beside=tuple(dict.fromkeys(name for paths, _ in about for name in paths if name != path)),
    )
    found = text_pieces(control, file)
    kind = _kind(file, [kind for _, kind in about], is_text=found is not None)
    file = replace(file, kind=kind, hunks=hunks(found, control.read_blob(file.ours.oid)) if found and file.ours else ())
    return _with_note(merging, file, nested=any(entries[stage] != stages[stage] for stage in stages))


def _unmarked(merging: Merging, path: str, stage: int, entry: Entry) -> Entry:
    """A side of a file; where git put a merge with markers in its place, what the side itself has there."""
    tree = {2: merging.ours, 3: merging.theirs}.get(stage)
    own = merging.control.entry(tree, path) if tree else None
    if own is None or own.mode == TREE or own.oid == entry.oid or not is_text(merging.control, entry):
        return entry
    known = merging.control.read_blob(own.oid) if own.mode != _SUBMODULE else b""
    return entry if marker_left(merging.control.read_blob(entry.oid), known) is None else own


def _kind(file: ConflictFile, words: Sequence[str], *, is_text: bool) -> str:
    modes = {entry.mode for entry in (file.base, file.ours, file.theirs) if entry}
    if TREE in modes:
        return "file/directory"
    if _SUBMODULE in modes:
        return "submodule"
    if any("rename" in word for word in words) and not is_text:
        return "rename"
    if _LINK in modes:
        return "symlink"
    if file.ours is None or file.theirs is None:
        return "modify/delete" if file.ours else "delete/modify" if file.theirs else "rename"
    if file.ours.oid == file.theirs.oid:
        return "mode"
    if not is_text:
        return "binary"
    return "content" if file.base else "add/add"


def _with_note(merging: Merging, file: ConflictFile, *, nested: bool) -> ConflictFile:
    """The file with what happened to it and what taking a side will do, where its hunks do not say it all."""
    came = {name: _came_from(merging, tree, file.path) for name, tree in _sides(merging)}
    if file.hunks:
        file = _with_old_names(file, {name: old for name, old in came.items() if old}, nested=nested)
        told = [file.note, _line_ends(merging.control, file)]
        return replace(file, note="; ".join(part for part in told if part))
    told = [_story(merging, file, name, came[name]) for name, _ in _sides(merging)]
    sides = (("ours", file.ours), ("theirs", file.theirs))
    does = [f"{name}: {_outcome(merging.control, entry)}" for name, entry in sides]
    more = ["each name has only its own side's text"] if nested else []
    if file.kind == "binary" and any(merging.control.objects.size(e.oid) > LARGEST for _, e in sides if e):
        more.append(f"over {LARGEST // 1_000_000} MB: too large to be merged by lines")
    note = "; ".join([*(part for part in told if part), *does, *more])
    return replace(file, note=one_line(note, 500))


def _sides(merging: Merging) -> tuple[tuple[str, str], ...]:
    return ("ours", merging.ours), ("theirs", merging.theirs)


def _came_from(merging: Merging, tree: str, path: str) -> str | None:
    return next((old for old, new in merging.renames(tree).items() if new == path), None)


def _with_old_names(file: ConflictFile, came: Mapping[str, str], *, nested: bool) -> ConflictFile:
    """A file with hunks, with what it was called before.

    Of two files that met under one name a hunk shows both; what is not taken has no other name any more.
    """
    if not came:
        return file
    note = " and ".join(f"{name} renamed {one_line(old)} to it" for name, old in came.items())
    if file.base is None:
        more = ["what the other side changed under the old name is not in it"] if nested else []
        note = "; ".join([f"two files met here: {note}", "what you do not take is in no other file", *more])
    return replace(file, note=note, beside=tuple(dict.fromkeys((*file.beside, *came.values()))))


def _line_ends(control: ControlRepository, file: ConflictFile) -> str:
    """How the sides end their lines where they differ in it: two hunks that look alike are not."""
    sides = {"ours": file.ours, "theirs": file.theirs}
    texts = {name: control.read_blob(entry.oid) for name, entry in sides.items() if entry}
    ends = {name: _ends(text) for name, text in texts.items() if text}
    return "; ".join(f"{name}: {how}" for name, how in ends.items()) if len(set(ends.values())) > 1 else ""


def _ends(text: bytes) -> str:
    crlf = text.count(b"\r\n")
    lf = text.count(b"\n") - crlf
    kinds = [kind for kind, count in (("CRLF", crlf), ("LF", lf)) if count]
    told = f"line ends {' and '.join(kinds)}" if kinds else "no line end"
    return told if not kinds or text.endswith(b"\n") else f"{told}, none after the last line"


def _story(merging: Merging, file: ConflictFile, name: str, came: str | None) -> str:
    """What a side did to a file, as far as it is about names."""
    tree = dict(_sides(merging))[name]
    if came is not None:
        return f"{name} renamed {one_line(came)} to this"
    renames = merging.renames(tree)
    old = next((path for path in (file.path, *file.beside) if path in renames), None)
    if old is not None:
        return f"{name} renamed {one_line(old)} to {one_line(renames[old])}"
    if file.kind != "rename":
        return ""
    added = [path for path in file.beside if merging.control.entry(tree, path) and not file.base]
    if added:
        return f"{name} added it as {one_line(added[0])}, and the other side renamed that folder"
    gone = [path for path in file.beside if not merging.control.entry(tree, path)]
    return f"{name} deleted {one_line(gone[0])}" if gone else ""


def _outcome(control: ControlRepository, entry: Entry | None) -> str:
    """What is at a path after a side is taken."""
    if entry is None:
        return "no file here"
    if entry.mode == TREE:
        count = len(compare(control.objects, control.objects.empty_tree, entry.oid))
        return f"a folder of {count} file{'s' if count != 1 else ''}"
    if entry.mode == _SUBMODULE:
        return f"a submodule at {entry.oid[:_SHORT]}"
    if entry.mode == _LINK:
        return f"a link to {one_line(control.read_blob(entry.oid).decode('utf-8', 'replace'), 80)}"
    size = control.objects.size(entry.oid)
    return f"{'an executable file' if entry.mode == '100755' else 'a file'} of {size} byte{'s' if size != 1 else ''}"
