"""Bringing objects from the control repository into the operator's: by hard links, where a `git fetch` costs 20 ms.

Both repositories name an object by its content, so a loose object is the same file in both. What the control
repository has, it has loose (or, above `core.bigFileThreshold`, in a pack of its own); the rest is borrowed from the
operator.
"""

import os
import shutil
from pathlib import Path

from uet_tui.workspace.objects import TREE, Objects


def carry(objects: Objects, source: Path, target: Path, oids: tuple[str, ...]) -> None:
    """Makes everything reachable from the commits `oids` part of the object folder `target`.

    What an object needs is there before the object is: whatever instant this is killed at, what `target` has is whole.
    """
    for pack in sorted(source.glob("pack/pack-*.pack")):  # only huge files make git write a pack here
        for suffix in (".pack", ".rev", ".idx"):
            if pack.with_suffix(suffix).exists():
                _link(pack.with_suffix(suffix), target / "pack" / (pack.stem + suffix))
    waiting: list[tuple[str, str, bool]] = [("commit", oid, False) for oid in oids]
    carried: set[str] = set()
    while waiting:
        kind, oid, needs_are_there = waiting.pop()
        here, there = objects.path(oid), target / oid[:2] / oid[2:]
        if needs_are_there:
            _link(here, there)
            carried.add(oid)
        elif oid not in carried and here.exists() and not there.exists():
            waiting.append((kind, oid, True))
            waiting += ((inner_kind, inner, False) for inner_kind, inner in _needs(objects, kind, oid))


def _needs(objects: Objects, kind: str, oid: str) -> list[tuple[str, str]]:
    if kind == "commit":
        commit = objects.commit(oid)
        return [("tree", commit.tree), *(("commit", parent) for parent in commit.parents)]
    if kind == "tree":
        entries = objects.tree(oid).values()
        return [("tree" if e.mode == TREE else "blob", e.oid) for e in entries if e.mode != "160000"]
    return []


def _link(here: Path, there: Path) -> None:
    there.parent.mkdir(exist_ok=True)
    try:
        os.link(here, there)
    except FileExistsError:
        return
    except OSError:  # another file system, or one without hard links
        temporary = there.with_name(f"tmp_obj_{os.getpid()}_{there.name}")
        shutil.copy2(here, temporary)
        temporary.replace(there)
