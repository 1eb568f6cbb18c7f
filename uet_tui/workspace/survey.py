"""Looking through a sandbox without git: what in it is not in a tree, and what git must not be let near."""

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from uet_tui.workspace.objects import TREE, Objects

_READ_BY_GIT = b".git"
"""Git opens `.gitignore`, `.gitattributes` and `.gitmodules` wherever they are, and waits for ever on a FIFO."""


def kept(name: bytes, patterns: tuple[str, ...]) -> bool:
    """Whether a name without folders matches one of those ignore patterns that are plain names, such as `.venv/`."""
    text = os.fsdecode(name)
    return any(fnmatchcase(text, p.rstrip("/")) for p in patterns if "/" not in p.rstrip("/"))


def strays(objects: Objects, folder: Path, tree: str, keep: tuple[str, ...]) -> list[bytes]:
    """Paths in the folder that the tree has not, topmost only; names that match `keep` are no strays.

    Quicker than any git process where there are none: 1 ms for 1,000 files.
    """
    found: list[bytes] = []
    waiting = [(b"", tree)]
    while waiting:
        prefix, oid = waiting.pop()
        known = objects.tree(oid)
        with os.scandir(os.path.join(os.fsencode(folder), prefix)) as entries:  # noqa: PTH118 - bytes, not a Path
            names = {entry.name for entry in entries}
        found += (prefix + n for n in names - known.keys() if not (n == b".git" and not prefix) and not kept(n, keep))
        waiting += ((prefix + n + b"/", e.oid) for n, e in known.items() if e.mode == TREE and n in names)
    return sorted(found)


def oddities(folder: Path, keep: tuple[str, ...]) -> Iterator[tuple[bytes, str]]:
    """What in a folder is no file, folder or link (`FIFO`, `socket`, `device`) or is a `repository` of its own.

    Names that match `keep` are passed over; the folder's own `.git` is not looked into.
    """
    top = os.fsencode(folder)
    waiting = [b""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = os.scandir(os.path.join(top, prefix))  # noqa: PTH118 - bytes, not a Path
        except PermissionError:
            continue  # git says so where it matters
        with entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    if entry.name == b".git" and prefix:
                        yield prefix[:-1], "repository"
                elif not entry.is_dir(follow_symlinks=False):
                    yield prefix + entry.name, _kind(entry)
                elif entry.name != b".git":
                    if not kept(entry.name, keep):
                        waiting.append(prefix + entry.name + b"/")
                elif prefix:
                    yield prefix[:-1], "repository"


def _kind(entry: "os.DirEntry[bytes]") -> str:
    mode = entry.stat(follow_symlinks=False).st_mode
    return "FIFO" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"


def would_hang(path: bytes, kind: str) -> bool:
    """Whether git would wait for ever on this oddity."""
    return kind != "repository" and os.path.basename(path).startswith(_READ_BY_GIT)  # noqa: PTH119 - bytes


def leaves(path: str, target: bytes) -> bool:
    """Whether a symbolic link at `path` points out of the repository, or into its `.git`; by its text alone."""
    here = os.path.dirname(os.fsencode(path))  # noqa: PTH120 - bytes
    there = os.path.normpath(os.path.join(here, target))  # noqa: PTH118 - bytes
    first = there.split(b"/", 1)[0]
    return target.startswith(b"/") or first == b".." or first.lower() == b".git"
