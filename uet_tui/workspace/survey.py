"""Looking through a sandbox without git: what in it is not in a tree, and what git must not be let near."""

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from uet_tui.workspace.objects import TREE, Objects

_READ_BY_GIT = b".git"
"""Git opens `.gitignore`, `.gitattributes`, `.gitmodules` and what is in `.git` wherever they are, and waits for ever
on a FIFO."""


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

    Below a name that matches `keep` that is a `kept repository`. What is in repositories is looked at, too, for git
    opens files there; but for the folder's own `.git`, and for repositories in those.
    """
    top = os.fsencode(folder)
    waiting = [(b"", "repository")]
    while waiting:
        prefix, repository = waiting.pop()
        try:
            entries = os.scandir(os.path.join(top, prefix))  # noqa: PTH118 - bytes, not a Path
        except OSError:
            continue  # gone meanwhile, or not to be read: git says so where it matters
        with entries:
            for entry in entries:
                git = entry.name == b".git"
                if git and not prefix:
                    continue
                if git and repository:
                    yield prefix[:-1], repository
                if entry.is_dir(follow_symlinks=False):
                    within = "" if git else repository and "kept repository" if kept(entry.name, keep) else repository
                    waiting.append((prefix + entry.name + b"/", within))
                elif not entry.is_file(follow_symlinks=False) and not entry.is_symlink():
                    yield prefix + entry.name, _kind(entry)


def lead_nowhere(git: bytes) -> None:
    """Takes away by what the `.git` of a repository leads elsewhere, where it might let git wait for ever on a FIFO.

    Raises:
        OSError: it cannot be taken away.
    """
    waiting = [git]
    while waiting:
        here = waiting.pop()
        if not os.path.lexists(here):  # gone meanwhile
            continue
        facts = os.lstat(here)
        if stat.S_ISDIR(facts.st_mode):
            waiting += (os.path.join(here, name) for name in os.listdir(here))  # noqa: PTH118, PTH208 - bytes
        elif stat.S_ISLNK(facts.st_mode) or here == git or os.path.basename(here) == b"commondir":  # noqa: PTH119
            os.unlink(here)  # noqa: PTH108


def files(folder: Path, since_ns: int) -> Iterator[tuple[bytes, bool]]:
    """Every file and link but those in the folder's own `.git`, and whether it was written, made or moved since a time.

    That is told by the time of its inode; see `glance`. A folder that is too far inside to be looked into stands for
    what is in it, as if that had been written: git can go there.
    """
    top = os.fsencode(folder)
    waiting = [b""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = os.scandir(os.path.join(top, prefix))  # noqa: PTH118 - bytes, not a Path
        except OSError as error:  # gone meanwhile, or not to be read
            if error.errno == errno.ENAMETOOLONG:
                yield prefix[:-1], True
            continue
        with entries:
            for entry in entries:
                if entry.name == b".git":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(prefix + entry.name + b"/")
                elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                    yield prefix + entry.name, _written(entry, since_ns)


def _written(entry: "os.DirEntry[bytes]", since_ns: int) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_ctime_ns >= since_ns
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG


@dataclass(frozen=True, slots=True)
class Glance:
    """What the file system tells of a working copy, its files left unread."""

    signature: bytes
    """Another one as soon as any file was written, made, moved or removed."""
    newest: float
    """When any file last changed, in seconds since the epoch."""
    large: tuple[bytes, ...]
    """Files above the size that was asked for."""


def glance(folder: Path, keep: tuple[str, ...], largest: int) -> Glance:
    """Looks at all of a working copy that is not in its `.git` and does not match `keep`: 4 ms for 1,000 files.

    The time of a file's inode changes with its content, its name and its mode, and no program can set it back.
    What vanishes meanwhile is passed over.
    """
    top = os.fsencode(folder)
    signature = hashlib.blake2b(digest_size=16)
    newest = 0
    large: list[bytes] = []
    waiting = [b""]
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(os.path.join(top, prefix)) as entries:  # noqa: PTH118 - bytes, not a Path
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:  # gone meanwhile, or not to be read
            continue
        for entry in found:
            if entry.name == b".git" or kept(entry.name, keep):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(prefix + entry.name + b"/")
                continue
            try:
                facts = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            signature.update(b"%b%b\0%d %d\0" % (prefix, entry.name, facts.st_ctime_ns, facts.st_ino))
            newest = max(newest, facts.st_ctime_ns)
            if facts.st_size > largest:
                large.append(prefix + entry.name)
    return Glance(signature.digest(), newest / 1e9, tuple(large))


def _kind(entry: "os.DirEntry[bytes]") -> str:
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:  # such things come and go
        return "socket"
    return "FIFO" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"


def would_hang(odd: Collection[tuple[bytes, str]]) -> bool:
    """Whether git might wait for ever on one of these oddities; a repository may lead it to any of them."""
    pipes = [path for path, kind in odd if kind in ("FIFO", "device")]
    if any(kind == "repository" for _, kind in odd):
        return bool(pipes)
    return any(b"/" + _READ_BY_GIT in b"/" + path for path in pipes)


def leaves(path: str, target: bytes) -> bool:
    """Whether a symbolic link at `path` points out of the repository, or into its `.git`; by its text alone."""
    here = os.path.dirname(os.fsencode(path))  # noqa: PTH120 - bytes
    there = os.path.normpath(os.path.join(here, target))  # noqa: PTH118 - bytes
    first = there.split(b"/", 1)[0]
    return target.startswith(b"/") or first == b".." or first.lower() == b".git"
