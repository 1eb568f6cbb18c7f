"""Seeing whether somebody changed what git obeys in the operator's repository, or moved its refs.

An agent that nothing confines is a program of the operator's: it can write a hook, or a filter into the configuration,
that runs when the operator uses git next. What is looked at are files, read by no git: nothing in them is executed.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from uet_tui import folders
from uet_tui.store.files import open_regular
from uet_tui.text import one_line
from uet_tui.workspace.operator import OperatorRepository

_FILES: Final = (
    "config", "config.worktree", "info/attributes", "info/exclude", "info/grafts",
    "objects/info/alternates", "objects/info/http-alternates",
)  # fmt: skip
_LARGEST: Final = 1 << 22
"""Bytes of a file that are looked at; of a larger one only when it was changed."""
_MOST: Final = 2000
"""Files of a folder, and refs, that are looked at."""
_OURS: Final = ("refs/heads/uet/", "refs/uet/")
_HARMLESS: Final = re.compile(
    r"(?i)(user\.(name|email)|color\..*|advice\..*|branch\..*\.(remote|merge|description|rebase|gh-merge-base)|"
    r"init\.defaultbranch|push\.(default|autosetupremote)|pull\.(rebase|ff)|rerere\.enabled|fetch\.prune|"
    r"remote\..*\.(fetch|gh-resolved)|core\.(bare|filemode|ignorecase|logallrefupdates|autocrlf|eol|sparsecheckout(cone)?)|extensions\.worktreeconfig)"
)
"""Keys of the configuration that make git run nothing and reach nothing else. All others count: `filter.*` and its
like have names of their own choice, so that no list of bad ones would be whole."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was there at one time."""

    files: Mapping[str, str]
    """By path, below the git directory or whole: what stands for the content; for a configuration its harmful lines."""
    refs: Mapping[str, str]
    """By name: what it points at; without uet's own."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What somebody changed."""

    files: tuple[str, ...]
    """What git obeys, by path below the git directory."""
    refs: tuple[str, ...]
    """Refs that were moved, made or removed, as the operator is told, with what they were."""


def watched(operator: OperatorRepository) -> Watched:
    """Looks at the repository: some files, a millisecond for most."""
    top = operator.common_dir
    files = {name: mark for name in _FILES if (mark := _mark(top / name))}
    for folder in ("hooks", "worktrees", "modules"):
        obeyed = (path for path in _walk(top / folder) if _obeyed(folder, path.relative_to(top / folder)))
        found = list(islice(obeyed, _MOST + 1))
        if len(found) > _MOST:  # too many to look at: it counts as changed
            files[folder] = f"more than {_MOST} files: {time.time_ns()}"
        files |= {str(path.relative_to(top)): mark for path in found if (mark := _mark(path))}
    for name in ("hooks", "info", "objects", "worktrees", "modules"):
        if (top / name).is_symlink():
            files[name] = "link to " + str((top / name).readlink())
    # What leads git from the checkout to all that. By whole paths: asked once more, git might find another folder.
    for path in {operator.root / ".git", operator.git_dir / "commondir", top / "commondir"}:
        if (path.is_symlink() or not path.is_dir()) and (mark := _mark(path)):
            files[str(path)] = mark
    return Watched(files, _refs(top))


def _obeyed(folder: str, path: Path) -> bool:
    """Whether git obeys a file below `hooks`, `worktrees` or `modules`."""
    if folder == "hooks":
        return True
    if path.name in ("config.worktree", "commondir"):
        return True
    return folder == "modules" and (path.name in ("config", "attributes", "alternates") or path.parent.name == "hooks")


def compare(before: Watched, after: Watched) -> Difference:
    """What was changed between two looks."""
    files = sorted(p for p in {*before.files, *after.files} if before.files.get(p) != after.files.get(p))
    moved = sorted(r for r in {*before.refs, *after.refs} if before.refs.get(r) != after.refs.get(r))
    return Difference(tuple(files), tuple(_told(r, before.refs.get(r), after.refs.get(r)) for r in moved))


def _told(ref: str, old: str | None, new: str | None) -> str:
    name = one_line(ref, 100)
    if old is None:
        return f"{name} is new, at {one_line(new or '', 60)}"
    return f"{name} was at {one_line(old, 60)} and is " + ("gone" if new is None else f"at {one_line(new, 60)}")


def _mark(path: Path) -> str:
    """What stands for a file; empty where there is none. A harmless change of a configuration changes nothing."""
    file = open_regular(path)
    if file is None:
        return f"link or no file: {path.readlink()}" if path.is_symlink() else ""
    with file:
        data = file.read(_LARGEST + 1)
        facts = os.fstat(file.fileno())
    if len(data) > _LARGEST:  # no program can set back the time of its inode
        return f"more than {_LARGEST} bytes, changed at {facts.st_ctime_ns}"
    if path.name == "commondir" and path.parent.parent.name == "worktrees" and data.strip() == b"../..":
        return ""  # as git makes it
    mode = facts.st_mode & 0o111
    if path.name in ("config", "config.worktree"):
        data = "\n".join(_harmful(data.decode("utf-8", "surrogateescape"))).encode("utf-8", "surrogateescape")
        if not data:
            return ""
        mode = 0
    return f"{mode:o} {hashlib.sha256(data).hexdigest()}"


def _harmful(text: str) -> Iterator[str]:
    """The settings of a configuration that count, as `section.key = value`.

    What is written in an unusual way, such as over two lines, counts in any case: nothing is taken to be harmless that
    git might read otherwise.
    """
    section = ""
    for line in text.split("\n"):  # as git does: it knows no other ends of lines, and no other spaces
        bare = line.strip(" \t\r")
        if not bare or bare.startswith(("#", ";")):
            continue
        head = re.fullmatch(r'\[\s*([\w.-]+)(?:\s+"([^"\\]*)")?\s*\]', bare)
        if head:
            section = head[1] + (f".{head[2]}" if head[2] is not None else "")
            continue
        if bare.startswith("["):
            section = "?"
        key, equals, value = bare.partition("=")
        plain = equals and "\\" not in bare and not re.search(r"[:/]", value.strip() if "remote" in key else "")
        if not (plain and _HARMLESS.fullmatch(f"{section}.{key.strip()}")):
            yield f"{section}.{bare}"


def _walk(top: Path) -> Iterator[Path]:
    """The files below a folder, however deep, without samples and the objects of repositories."""
    for folder, inner, names in () if top.is_symlink() else folders.walk(str(top)):
        if "HEAD" in names:
            inner[:] = (name for name in inner if name not in ("objects", "refs", "logs"))
        yield from (Path(folder, name) for name in names if not name.endswith(".sample"))


def _refs(top: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    packed = open_regular(top / "packed-refs")
    if packed is not None:
        with packed:
            for line in packed.read(_LARGEST).decode("utf-8", "surrogateescape").splitlines():
                oid, _, name = line.partition(" ")
                if name.startswith("refs/") and oid:
                    found[name] = oid
    for path in islice(_walk(top / "refs"), _MOST):
        file = open_regular(path)
        if file is not None and not path.name.endswith(".lock"):
            with file:
                found[str(path.relative_to(top))] = file.read(200).decode("utf-8", "surrogateescape").strip()
    return {name: oid for name, oid in found.items() if not name.startswith((*_OURS, "refs/remotes/", "refs/stash"))}
