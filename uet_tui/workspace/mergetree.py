"""What git's own merging is asked: merged trees, merged texts. In memory, in the control repository."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uet_tui.core.conflicts import Entry
from uet_tui.workspace import trees
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.git import Git, GitError, version

_MERGE_TREE = ("merge-tree", "--write-tree", "-z")
_MANY_AT_ONCE = (2, 39)
"""The first git with `merge-tree --stdin`: its release notes."""


@dataclass(frozen=True, slots=True)
class MergedTree:
    """What `git merge-tree` made of two commits."""

    tree: str
    """The merged tree; where it could not merge, the files hold conflict markers."""
    stages: Mapping[str, Mapping[int, Entry]]
    """The conflicted paths, with base (1), ours (2) and theirs (3) as far as they exist. Empty: a clean merge."""
    conflicts: Sequence[tuple[tuple[str, ...], str]]
    """Git's own words for each conflict, `CONFLICT (rename/delete)` for one, with the paths that it concerns."""


def merge_tree(control: ControlRepository, tip: str, commit: str) -> MergedTree:
    """Merges two commits in memory, as `git merge-tree` does.

    Raises:
        GitError: git could not merge them at all (unrelated histories).
    """
    return _merge_one(control.git, tip, commit)


def merge_trees(
    git: Git, pairs: Sequence[tuple[str, str]], *, at_once: bool | None = None
) -> tuple[MergedTree | None, ...]:
    """Merges many pairs of commits, each for itself; None for those that git cannot merge at all.

    `at_once` says whether one process does all of them; None asks git, which can since 2.39.
    """
    if at_once is None:
        at_once = version() >= _MANY_AT_ONCE
    if at_once and len(pairs) > 1:
        try:
            return _merge_all(git, pairs)
        except GitError:
            pass  # one pair without a common history ends it: the others are merged one by one
    return tuple(_merge_if_possible(git, *pair) for pair in pairs)


def _merge_all(git: Git, pairs: Sequence[tuple[str, str]]) -> tuple[MergedTree | None, ...]:
    orders = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs)
    # What so many merges write is not kept: packing it would take longer than merging.
    done = git.run("-c", "core.looseCompression=0", *_MERGE_TREE, "--stdin", input=orders.encode())
    words = iter(done.out.split(b"\0"))
    return tuple(_read(words, conflicted=next(words) != b"1") for _ in pairs)


def _merge_if_possible(git: Git, ours: str, theirs: str) -> MergedTree | None:
    try:
        return _merge_one(git, ours, theirs)
    except GitError:
        return None


def _merge_one(git: Git, ours: str, theirs: str) -> MergedTree:
    done = git.run(*_MERGE_TREE, ours, theirs, ok=(0, 1))
    return _read(iter(done.out.split(b"\0")), conflicted=done.code == 1)


def _read(words: Iterator[bytes], *, conflicted: bool) -> MergedTree:
    """One merge of what `merge-tree -z` prints, up to the empty word that ends it."""
    tree = next(words).decode()
    stages: dict[str, dict[int, Entry]] = {}
    conflicts: list[tuple[tuple[str, ...], str]] = []
    if not conflicted:
        next(words)
        return MergedTree(tree, {}, ())
    for line in iter(words.__next__, b""):
        facts, _, path = line.partition(b"\t")
        mode, oid, stage = facts.decode().split()
        stages.setdefault(trees.decode(path), {})[int(stage)] = Entry(mode, oid)
    for count in iter(words.__next__, b""):
        if not count.isdigit():
            break  # advice on submodules follows the list, and ends it
        paths = tuple(trees.decode(next(words)) for _ in range(int(count)))
        kind = trees.decode(next(words))
        next(words)  # the sentence that git shows people
        if kind.startswith("CONFLICT"):
            conflicts.append((paths, kind))
    return MergedTree(tree, stages, conflicts)


def merge_file(
    control: ControlRepository,
    ours: bytes,
    base: bytes,
    theirs: bytes,
    marker_size: int,
    style: Literal["merge", "diff3", "zdiff3"] = "zdiff3",
) -> bytes:
    """The text of a three-way merge; its conflict markers are `marker_size` long.

    `zdiff3` and `diff3` show the base as well; `zdiff3` leaves out what both sides changed alike.

    Raises:
        GitError: one of them is not text.
    """
    with tempfile.TemporaryDirectory(prefix="merge-", dir=control.path) as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, data in zip(files, (ours, base, theirs), strict=True):
            file.write_bytes(data)
        return control.git.run(
            "-c", f"merge.conflictStyle={style}", "merge-file", "-p", f"--marker-size={marker_size}",
            "-L", "ours", "-L", "base", "-L", "theirs", *map(str, files), ok=range(128),
        ).out  # fmt: skip


def merge_bases(control: ControlRepository, tip: str, commit: str) -> tuple[str, ...]:
    """The best common ancestors of two commits: one, or more where their histories cross."""
    return tuple(control.git.run("merge-base", "--all", tip, commit, ok=(0, 1)).out.decode().split())


def renames(control: ControlRepository, old: str, new: str) -> dict[str, str]:
    """Which files were renamed from one tree to another, as git finds them by their content: old path to new path."""
    out = control.git.run("diff-tree", "-r", "-M", "-l0", "--diff-filter=R", "--name-status", "-z", old, new).out
    words = iter(out.split(b"\0")[:-1])
    return {trees.decode(before): trees.decode(after) for _, before, after in zip(words, words, words, strict=True)}
