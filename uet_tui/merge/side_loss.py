"""The side-loss check: what a result that no human made drops of what either side added.

A result is held to two rules. It has each line that a side has more often than the base as often as that side, less
what the other side took out; and each line that a line diff says a side added, a moved one too, is somewhere in it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType

from uet_tui.core.conflicts import ConflictFile, Entry
from uet_tui.merge.additions import Keys, added, keys
from uet_tui.merge.texts import is_text
from uet_tui.text import one_line
from uet_tui.workspace import trees
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.linediff import added_lines

LARGEST = 32_000_000
"""Bytes above which a file is not checked line by line."""
_SHOWN = 80
"""Characters of a lost line that are shown."""
_TOLD = 20
"""Lost lines of a file that are told one by one."""

_LACKS = "the result lacks it"

Results = Mapping[str, Entry | None]
"""What files in conflict become, by path; None deletes one."""


Reading = Callable[[], set[bytes]]
"""What a line diff says was added, made when it is asked for."""


def lost_lines(base: bytes | None, ours: bytes, theirs: bytes, result: bytes, path: str = "") -> tuple[str, ...]:
    """The lines that a side added and the result lacks, each as a line of evidence; `path` is named in it.

    Line ends do not count: neither does a change of them alone lose a line, nor does it hide that one is lost.
    """
    return _evidence(keys(base or b""), keys(ours), keys(theirs), keys(result), path)


def _evidence(
    base: Keys,
    ours: Keys,
    theirs: Keys,
    result: Keys,
    path: str,
    readings: Mapping[str, Reading] = MappingProxyType({}),
) -> tuple[str, ...]:
    """`readings` are further line diffs, by the side that they are of."""
    sides = {"ours": (ours, theirs), "theirs": (theirs, ours)}
    told = [
        line
        for name, (side, other) in sides.items()
        for line in _lost(name, base, side, other, result, path, readings.get(name, set))
    ]
    more = len(told) - _TOLD
    return tuple(told if more <= 0 else [*told[:_TOLD], f"and {more} more lines of {one_line(path)}"])


def _lost(name: str, base: Keys, side: Keys, other: Keys, result: Keys, path: str, reading: Reading) -> Iterator[str]:
    was, has, their, now = Counter(base), Counter(side), Counter(other), Counter(result)
    found: dict[bytes, str] = {}
    for line, count in has.items():
        if count > was[line] and line.strip():
            wanted = count - max(0, was[line] - their[line])
            if now[line] < wanted:
                found[line] = _LACKS if not now[line] else f"the result has {now[line]} of {wanted}"
    gone = {line for line in has if not now[line]} - found.keys()
    if gone:
        gone &= {side[index] for index in added(base, side)} | reading()
        found |= dict.fromkeys(gone, _LACKS)
    where = f"{one_line(path)}:" if path else "line "
    for number, line in enumerate(side, 1):
        if line in found:
            shown = one_line(line.decode("utf-8", "replace"), _SHOWN)
            yield f"{name} added '{shown}' ({where}{number}), {found.pop(line)}"


def side_losses(control: ControlRepository, tree: str, files: Sequence[ConflictFile], result: str) -> tuple[str, ...]:
    """All evidence against a whole tree that was made of a conflict's tree: lost lines, and other files it touched."""
    names = {file.path for file in files}
    lost = file_losses(control, files, {path: control.entry(result, path) for path in names})
    return (*chain.from_iterable(lost.values()), *touched(control, tree, result, names))


def touched(control: ControlRepository, tree: str, result: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """Evidence for each path that differs between two trees and is not in conflict."""
    names = set(allowed)
    changes = trees.compare(control.objects, tree, result)
    return tuple(f"touched {one_line(c.path)}, which was not in conflict" for c in changes if c.path not in names)


def file_losses(
    control: ControlRepository, files: Sequence[ConflictFile], results: Results
) -> Mapping[str, tuple[str, ...]]:
    """The evidence against what files become, by path; a file without any is left out.

    The names of a renamed file are looked at together: what one of them lost may be in another.
    """
    found: dict[str, tuple[str, ...]] = {}
    for group in groups(files):
        meant = [file for file in group if file.path in results]
        if not meant:
            continue
        lost = _group_losses(control, group, {file.path: results.get(file.path, file.merged) for file in group})
        found |= {file.path: lost for file in meant if lost}
    return found


def groups(files: Sequence[ConflictFile]) -> list[list[ConflictFile]]:
    """The files, with the names of one renamed file together."""
    found: list[list[ConflictFile]] = []
    for file in files:
        names = {file.path, *file.beside}
        joined = [group for group in found if any(f.path in names or file.path in f.beside for f in group)]
        found = [group for group in found if group not in joined]
        found.append([*chain.from_iterable(joined), file])
    return found


def _group_losses(control: ControlRepository, group: Sequence[ConflictFile], results: Results) -> tuple[str, ...]:
    if len(group) == 1:
        whole = _whole_loss(control, group[0], results[group[0].path])
        if whole is not None:
            return whole
    path = group[0].path
    sides = [[file.base for file in group], [file.ours for file in group], [file.theirs for file in group]]
    texts = [_texts(control, entries) for entries in (*sides, [results[file.path] for file in group])]
    if any(text is None for text in texts):
        return (f"{one_line(path)} is binary or too large: what a machine made of it cannot be checked",)
    base, ours, theirs, result = (text or [] for text in texts)
    return _evidence(base, ours, theirs, result, path, _readings(control, group))


def _readings(control: ControlRepository, group: Sequence[ConflictFile]) -> dict[str, Reading]:
    """What git itself says that each side added; of a file under one name only."""
    file = group[0]
    if len(group) > 1 or file.base is None:
        return {}
    sides = {"ours": file.ours, "theirs": file.theirs}
    return {name: partial(added_lines, control, file.base.oid, side.oid) for name, side in sides.items() if side}


def _whole_loss(control: ControlRepository, file: ConflictFile, result: Entry | None) -> tuple[str, ...] | None:
    """What is to say of a file that is no text, or the same text on both sides; None for any other."""
    sides = {"ours": file.ours, "theirs": file.theirs}
    present = [entry for entry in (file.base, file.ours, file.theirs, result) if entry]
    same = file.ours is not None and file.theirs is not None and file.ours.oid == file.theirs.oid
    if not same and all(is_text(control, entry, LARGEST) for entry in present):
        return None
    taken = [name for name, entry in sides.items() if entry == result]
    shown = one_line(file.path)
    if not taken:
        what = "is binary or too large" if all(e.mode.startswith("100") for e in present) else "is no plain file"
        return (f"{shown} {what}: a result that equals neither side cannot be checked",)
    dropped = [name for name, entry in sides.items() if entry not in (result, file.base)]
    return tuple(f"{name} changed {shown} ({file.kind}), the result takes {taken[0]}" for name in dropped)


def _texts(control: ControlRepository, entries: Iterable[Entry | None]) -> list[bytes] | None:
    """The lines of files one after another; None if one of them is no text."""
    present = [entry for entry in entries if entry is not None]
    if not all(is_text(control, entry, LARGEST) for entry in present):
        return None
    return [line for entry in present for line in keys(control.read_blob(entry.oid))]
