"""What git's own merging is asked: merged trees, merged texts. In memory, in the control repository."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uet_tui.core.conflicts import Entry
from uet_tui.workspace import trees
from uet_tui.workspace.control import ControlRepository


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
    done = control.git.run("merge-tree", "--write-tree", "-z", "--messages", tip, commit, ok=(0, 1))
    head, _, rest = done.out.partition(b"\0")
    if done.code == 0:
        return MergedTree(head.decode(), {}, ())
    listed, _, told = rest.partition(b"\0\0")
    stages: dict[str, dict[int, Entry]] = {}
    for line in listed.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        mode, oid, stage = facts.decode().split()
        stages.setdefault(trees.decode(path), {})[int(stage)] = Entry(mode, oid)
    words = iter([trees.decode(word) for word in told.split(b"\0")])
    conflicts: list[tuple[tuple[str, ...], str]] = []
    for count in words:
        if not count.isdigit():
            break  # advice on submodules may follow the list
        paths = tuple(next(words) for _ in range(int(count)))
        kind = next(words)
        next(words)  # the sentence that git shows people
        if kind.startswith("CONFLICT"):
            conflicts.append((paths, kind))
    return MergedTree(head.decode(), stages, conflicts)


def merge_file(control: ControlRepository, ours: bytes, base: bytes, theirs: bytes, marker_size: int) -> bytes:
    """The text of a three-way merge; its conflict markers, base included, are `marker_size` long.

    Raises:
        GitError: one of them is not text.
    """
    with tempfile.TemporaryDirectory(prefix="merge-", dir=control.path) as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, data in zip(files, (ours, base, theirs), strict=True):
            file.write_bytes(data)
        return control.git.run(
            "-c", "merge.conflictStyle=zdiff3", "merge-file", "-p", f"--marker-size={marker_size}",
            *map(str, files), ok=range(128),
        ).out  # fmt: skip
