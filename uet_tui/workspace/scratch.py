"""Objects that nobody needs for long: they lie beside the control repository, which is never pruned, and go with it."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.git import Git
from uet_tui.workspace.mergetree import MergedTree, merge_trees
from uet_tui.workspace.objects import Objects

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of ours is made in it, which nobody else may look into
"""Where files are memory: a thousand merges write twelve thousand small files, which a disk takes two seconds for."""
_ROOM = 512_000_000
"""Bytes that must be free in memory; with less, the disk does."""
_WHO = "uet <uet@localhost> 0 +0000"


class Scratch:
    """An object store of its own that sees all that the control repository has. For one thread."""

    def __init__(self, control: ControlRepository, folder: Path) -> None:
        """`folder` is emptied: what a process that died left there."""
        self.folder = folder.absolute()
        self._control = control
        self._store = self.folder / "objects"
        self._passing = (_in_memory(self.folder), self.folder / "passing")
        self._clear()
        _make_store(self._store, control.path / "objects")
        self._own = self._git(self._store)
        self.objects = Objects(self._own, self._store, control.operator.object_format)

    def _git(self, store: Path) -> Git:
        return Git(
            self._control.path, variables={"GIT_DIR": str(self._control.path), "GIT_OBJECT_DIRECTORY": str(store)}
        )

    def snapshotting(self, folder: Path, index: Path) -> Git:
        """Git for the working copy at `folder` with an index that is not the sandbox's own."""
        return Git(
            folder,
            variables={
                "GIT_DIR": str(self._control.path),
                "GIT_WORK_TREE": str(folder),
                "GIT_INDEX_FILE": str(index),
                "GIT_OBJECT_DIRECTORY": str(self._store),
            },
        )

    def commit(self, tree: str, parents: Sequence[str]) -> str:
        """A commit that is there to be merged: the same tree on the same parents is the same commit."""
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {_WHO}", f"committer {_WHO}", "", ""]
        return self.objects.write("commit", "\n".join(lines).encode())

    def merge(self, pairs: Sequence[tuple[str, str]]) -> tuple[MergedTree | None, ...]:
        """Merges each pair of commits; None for those that git cannot merge at all. The merged trees are kept."""
        return merge_trees(self._own, pairs) if pairs else ()

    def try_merge(self, pairs: Sequence[tuple[str, str]]) -> tuple[MergedTree | None, ...]:
        """The same, for what the merges come to alone: the merged trees are gone when it returns."""
        if not pairs:
            return ()
        with self._passing_store() as store:
            return merge_trees(self._git(store), pairs)

    @contextmanager
    def _passing_store(self) -> Iterator[Path]:
        self._clear_passing()
        store = self._make_passing()
        try:
            yield store
        finally:
            self._clear_passing()

    def _make_passing(self) -> Path:
        memory, disk = self._passing
        with suppress(OSError):  # no such folder, or not ours to write
            if shutil.disk_usage(memory.parent).free >= _ROOM:
                _make_store(memory, self._store)
                return memory
        _make_store(disk, self._store)
        return disk

    def _clear_passing(self) -> None:
        for folder in self._passing:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Ends the lasting git process, and removes all of it."""
        self.objects.close()
        self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._clear_passing()


def _in_memory(folder: Path) -> Path:
    """The same each time, so that the next orchestrator removes what one that was killed left."""
    named = hashlib.sha256(f"{os.getuid()} {folder}".encode("utf-8", "surrogateescape")).hexdigest()
    return _MEMORY / f"uet-{named[:16]}"


def _make_store(store: Path, borrowed: Path) -> None:
    store.parent.mkdir(parents=True, exist_ok=True)
    store.mkdir(mode=0o700)
    (store / "info").mkdir()
    (store / "info" / "alternates").write_bytes(os.fsencode(borrowed) + b"\n")
