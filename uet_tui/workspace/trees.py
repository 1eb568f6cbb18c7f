"""Comparing, changing and merging trees in memory. Equal folders are equal ids, so only what differs is ever read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from uet_tui.core.conflicts import Entry
from uet_tui.errors import UetError
from uet_tui.text import one_line
from uet_tui.workspace.objects import TREE, Objects, Tree

_TYPE = 3
"""The first digits of a mode tell a file (`100`) from a symbolic link (`120`) and a submodule (`160`)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two trees."""

    status: Literal["A", "D", "M", "T"]
    """Added, deleted, modified (content or mode), or another type of file."""
    path: str
    """Relative, with `/`; bytes that are not UTF-8 are surrogates, as `os.fsdecode` makes them."""
    old: Entry | None
    new: Entry | None


def decode(path: bytes) -> str:
    """A path as git gives it, as a string that `encode` makes the same bytes of."""
    return path.decode("utf-8", "surrogateescape")


def encode(path: str) -> bytes:
    """The bytes of a path."""
    return path.encode("utf-8", "surrogateescape")


def compare(objects: Objects, old: str, new: str) -> tuple[Change, ...]:
    """What changed from one tree to another, in path order; a rename is a deletion and an addition."""
    return tuple(sorted(_compare(objects, old, new, b""), key=lambda change: encode(change.path)))


def _compare(objects: Objects, old: str | None, new: str | None, prefix: bytes) -> Iterator[Change]:
    before: Tree = objects.tree(old) if old else {}
    after: Tree = objects.tree(new) if new else {}
    for name in before.keys() | after.keys():
        was, is_ = before.get(name), after.get(name)
        if was == is_:
            continue
        left, right = _folder(was), _folder(is_)
        if left or right:
            yield from _compare(objects, left, right, prefix + name + b"/")
        was, is_ = None if left else was, None if right else is_
        path = decode(prefix + name)
        if was is None and is_ is not None:
            yield Change("A", path, None, is_)
        elif was is not None and is_ is None:
            yield Change("D", path, was, None)
        elif was is not None and is_ is not None:
            yield Change("M" if was.mode[:_TYPE] == is_.mode[:_TYPE] else "T", path, was, is_)


def _folder(entry: Entry | None) -> str | None:
    return entry.oid if entry is not None and entry.mode == TREE else None


def entry_at(objects: Objects, tree: str, path: str) -> Entry | None:
    """The file or folder at a path of a tree."""
    found: Entry | None = Entry(TREE, tree)
    for name in encode(path).split(b"/"):
        if found is None or found.mode != TREE:
            return None
        found = objects.tree(found.oid).get(name)
    return found


def edited(objects: Objects, tree: str, edits: Mapping[str, Entry | None]) -> str:
    """The tree with files put in, replaced or (None) taken out; folders that become empty go.

    Raises:
        UetError: a path that cannot be in a tree: empty, absolute, or with `.`, `..` or `.git` in it.
    """
    parted: dict[tuple[bytes, ...], Entry | None] = {}
    for path, entry in edits.items():
        names = tuple(encode(path).split(b"/"))
        if any(name in (b"", b".", b"..") or name.lower() == b".git" or b"\0" in name for name in names):
            raise UetError(f"{one_line(path)!r} cannot be a path in a repository")
        parted[names] = entry
    return _edited(objects, objects.tree(tree), parted) or objects.write_tree({})


def _edited(objects: Objects, tree: Tree, edits: Mapping[tuple[bytes, ...], Entry | None]) -> str | None:
    result = dict(tree)
    deeper: dict[bytes, dict[tuple[bytes, ...], Entry | None]] = {}
    for (name, *rest), entry in edits.items():
        if rest:
            deeper.setdefault(name, {})[tuple(rest)] = entry
        elif entry is not None:
            result[name] = entry
        elif name in result:
            del result[name]
    for name, inner in deeper.items():
        here = result.get(name)
        folder = here is not None and here.mode == TREE
        if not folder and not any(inner.values()):
            continue  # nothing to delete below a file
        oid = _edited(objects, objects.tree(here.oid) if here is not None and folder else {}, inner)
        if oid is not None:
            result[name] = Entry(TREE, oid)
        else:
            result.pop(name, None)
    return objects.write_tree(result) if result else None


@dataclass(frozen=True, slots=True)
class Touched:
    """The names of a folder that differ between two trees, with what differs below those that are folders in both."""

    names: Mapping[bytes, "Touched | None"]
    """None: a file, or a folder that came, went, or took a file's place. A new folder counts as one that was empty."""


def touched(objects: Objects, old: str | None, new: str) -> Touched:
    """Where one tree differs from another."""
    before: Tree = objects.tree(old) if old else {}
    after = objects.tree(new)
    found: dict[bytes, Touched | None] = {}
    for name in before.keys() | after.keys():
        was, is_ = before.get(name), after.get(name)
        if was != is_:
            was_folder, folder = _folder(was), _folder(is_)
            deeper = folder is not None and (was is None or was_folder is not None)
            found[name] = touched(objects, was_folder, folder) if deeper and folder else None
    return Touched(found)


def apart(one: Touched, other: Touched) -> bool:
    """Whether no name was touched by both, so that both changes fit together without git looking at them.

    The rule of `merge_disjoint`, without making the merged tree, and for changes that need not have begun at one tree.
    """
    if len(other.names) < len(one.names):
        one, other = other, one
    for name, below in one.names.items():
        if name in other.names:
            beside = other.names[name]
            if below is None or beside is None or not apart(below, beside):
                return False
    return True


def merge_disjoint(objects: Objects, base: str, ours: str, theirs: str) -> str | None:
    """The merge of two trees that changed different files, or None where git itself must look.

    Equal to what `git merge-tree` makes of them: whatever it does beyond this (content merges, renames, renamed
    folders) begins with a name that both sides changed, even if to the same, and that is where this gives up.
    """
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    merged = _disjoint(objects, base, ours, theirs)
    return None if merged is None else objects.write_tree(merged)


def _disjoint(objects: Objects, base: str | None, ours: str, theirs: str) -> Tree | None:
    was, our, their = (objects.tree(oid) if oid else {} for oid in (base, ours, theirs))
    result = dict(our)
    for name in was.keys() | their.keys():
        before, mine, yours = was.get(name), our.get(name), their.get(name)
        if yours == before:
            continue
        if mine == before:
            if yours is None:
                del result[name]
            else:
                result[name] = yours
            continue
        if mine is None or yours is None or mine == yours or (mine.mode, yours.mode) != (TREE, TREE):
            return None
        if before is not None and before.mode != TREE:
            return None
        inner = _disjoint(objects, before.oid if before else None, mine.oid, yours.oid)
        if inner is None:
            return None
        if inner:
            result[name] = Entry(TREE, objects.write_tree(inner))
        else:
            del result[name]
    return result
