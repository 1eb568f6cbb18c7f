"""A conflict as data: what both sides did, hunk by hunk, and what has been decided. All functions are pure."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from uet_tui.core.commands import Side
from uet_tui.text import one_line

Choice = Literal["ours", "theirs", "both", "both-theirs-first", "proposal", "edited"]

_CHOICE: Final[dict[Side, Choice]] = {
    Side.OURS: "ours",
    Side.THEIRS: "theirs",
    Side.BOTH: "both",
    Side.BOTH_THEIRS_FIRST: "both-theirs-first",
    Side.PROPOSAL: "proposal",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a file: its mode and its content, as git names them."""

    mode: str
    """`100644`, `100755`, `120000` or `160000`."""
    oid: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place where both sides changed the same lines. Lines keep no line end."""

    number: int
    """1-based within the file."""
    line: int
    """1-based line of ours where it begins."""
    before: tuple[str, ...]
    ours: tuple[str, ...]
    base: tuple[str, ...]
    theirs: tuple[str, ...]
    after: tuple[str, ...]
    choice: Choice | None = None
    proposal: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ConflictFile:
    """One file that git could not merge."""

    path: str
    kind: str
    """`content`, `add/add`, `modify/delete`, `delete/modify`, `rename`, `binary`, `mode`, `symlink`, `submodule`,
    `file/directory`, or `lossy`: git merged it alone, but dropped lines of a side."""
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    merged: Entry | None
    """The tree's entry at `path` with what git merged by itself (conflict markers included)."""
    hunks: tuple[Hunk, ...] = ()
    choice: Choice | None = None
    """For the whole file."""
    edited: Entry | None = None
    """The file as the operator wrote it."""
    proposed: Entry | None = None
    """The whole file as a rung of the ladder would have it; hunks hold their parts of it where it falls into parts.
    With `proposed_by` set, None proposes to delete the file."""
    proposed_by: str = ""
    """Who made the proposal: a name of `RUNGS`, or `git` where its own clean merge is doubted; empty: there is none."""
    lost: tuple[str, ...] = ()
    """What the side-loss check found in the proposal: lines that it drops, as people read them."""
    beside: tuple[str, ...] = ()
    """Other paths that the same conflict concerns: the other names of a renamed file."""
    note: str = ""
    """What happened and what taking a side will do, in one line, where the kind does not say it all."""

    @property
    def decided(self) -> bool:
        """Whether nothing in it is left to decide."""
        return self.choice is not None or (bool(self.hunks) and all(h.choice for h in self.hunks))


RUNGS: Final = ("recorded", "union", "regenerate", "structural", "agent", "operator")
"""The ladder, from the bottom."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder that was tried on a conflict, and what came of it."""

    name: str
    """A name of `RUNGS`."""
    verdict: Literal["settled", "refused", "failed", "not applicable"]
    """`refused`: it made a result, but the side-loss check did not let it pass."""
    seconds: float = 0.0
    cost_usd: float = 0.0
    detail: str = ""
    """One line: what it did, why it failed, or the evidence against it."""


class ChoiceError(Exception):
    """A choice that the conflict does not offer; the message is for the operator."""


def _change(
    files: tuple[ConflictFile, ...], path: str | None, change: Callable[[ConflictFile], ConflictFile]
) -> tuple[ConflictFile, ...]:
    meant = None if path is None else _meant(files, path)
    return tuple(change(f) if meant in (None, f.path) else f for f in files)


def _meant(files: tuple[ConflictFile, ...], path: str) -> str:
    """The path of the file that is named as it is or as screens show it: a name need not even be text."""
    paths = [f.path for f in files]
    found = [path] if path in paths else [p for p in paths if one_line(p) == path]
    if len(found) > 1:
        raise ChoiceError(f"{len(found)} files of this conflict look like {path}: take a side for all, or redo it")
    if not found:
        raise ChoiceError(f"{path} is not a file of this conflict; its files are: {', '.join(paths)}")
    return found[0]


def take(
    files: tuple[ConflictFile, ...], side: Side, path: str | None = None, hunk: int | None = None
) -> tuple[ConflictFile, ...]:
    """The files with a side taken for one hunk, one file, or everything but what the operator wrote.

    Raises:
        ChoiceError: no such file or hunk; `both` for a file that has no hunks; no proposal to take, or none for the
            hunk by itself.
    """
    if hunk is not None and path is None:
        if len(files) != 1:
            raise ChoiceError("say which file the hunk is in: --file PATH")
        path = files[0].path
    if path is None and all(file.choice == "edited" for file in files):
        raise ChoiceError(f"everything was edited: name the file to take {side.value} instead of what was written")

    def change(file: ConflictFile) -> ConflictFile:
        if path is None and file.choice == "edited":
            return file  # written by hand: only an act that names the file throws it away
        if hunk is None and side in (Side.OURS, Side.THEIRS):
            cleared = tuple(replace(h, choice=_CHOICE[side]) for h in file.hunks)
            return replace(file, choice=None if file.hunks else _CHOICE[side], edited=None, hunks=cleared)
        if hunk is None and side is Side.PROPOSAL:
            return _propose(file)
        if not file.hunks:
            raise ChoiceError(f"{one_line(file.path)} ({file.kind}) can only be taken whole: {_whole(file)}")
        numbers = {h.number for h in file.hunks} if hunk is None else {hunk}
        if not numbers <= {h.number for h in file.hunks}:
            raise ChoiceError(f"{one_line(file.path)} has hunks 1 to {len(file.hunks)}, there is no hunk {hunk}")
        if side is Side.PROPOSAL and not file.proposed_by:
            raise ChoiceError(f"{one_line(file.path)} has no proposal to take")
        if side is Side.PROPOSAL and any(h.proposal is None for h in file.hunks if h.number in numbers):
            raise ChoiceError(
                f"the proposal for {one_line(file.path)} does not fall into hunks: take it for the whole file"
            )
        chosen = tuple(replace(h, choice=_CHOICE[side]) if h.number in numbers else h for h in file.hunks)
        return replace(file, choice=None, edited=None, hunks=chosen)

    return _change(files, path, change)


def _whole(file: ConflictFile) -> str:
    return "ours, theirs or the proposal" if file.proposed_by else "ours or theirs"


def _propose(file: ConflictFile) -> ConflictFile:
    """The file with its whole proposal taken: part by part where it falls into parts, so that each can be undone."""
    if not file.proposed_by:
        raise ChoiceError(f"{one_line(file.path)} has no proposal to take")
    parts = bool(file.hunks) and all(hunk.proposal is not None for hunk in file.hunks)
    hunks = tuple(replace(hunk, choice="proposal" if parts else None) for hunk in file.hunks)
    return replace(file, choice=None if parts else "proposal", edited=None, hunks=hunks)


def holds(file: ConflictFile) -> bool:
    """Whether a rung proposes the file, and the side-loss check found nothing against it."""
    return bool(file.proposed_by) and not file.lost


def take_proposals(files: tuple[ConflictFile, ...]) -> tuple[ConflictFile, ...]:
    """The files with the proposals that hold taken wherever nothing was chosen; the rest stays undecided."""

    def fill(file: ConflictFile) -> ConflictFile:
        if file.decided or not holds(file):
            return file
        if not any(hunk.choice for hunk in file.hunks):
            return _propose(file)
        if any(hunk.choice is None and hunk.proposal is None for hunk in file.hunks):
            return file  # the proposal is one piece, and a part of the file was decided otherwise
        return replace(file, hunks=tuple(replace(h, choice=h.choice or "proposal") for h in file.hunks))

    return tuple(fill(file) for file in files)


def undo(files: tuple[ConflictFile, ...], path: str | None = None, hunk: int | None = None) -> tuple[ConflictFile, ...]:
    """The files with the choices for a hunk, a file, or everything taken back."""

    def change(file: ConflictFile) -> ConflictFile:
        hunks = tuple(replace(h, choice=None) if hunk in (None, h.number) else h for h in file.hunks)
        return replace(file, choice=None, edited=None, hunks=hunks)

    return _change(files, path, change)


def edit(files: tuple[ConflictFile, ...], path: str, entry: Entry) -> tuple[ConflictFile, ...]:
    """The files with one file replaced by what the operator wrote."""
    return _change(files, path, lambda file: replace(file, choice="edited", edited=entry))


def decided(files: tuple[ConflictFile, ...]) -> bool:
    """Whether every file is decided, so that a resolution can be built."""
    return all(f.decided for f in files)


def version(files: tuple[ConflictFile, ...]) -> str:
    """What stands for the files as they are decided so far: equal where the same was decided about the same files."""
    told = []
    for file in files:
        entries = (file.base, file.ours, file.theirs, file.merged, file.proposed, file.edited)
        told.append((file.path, file.kind, entries, file.choice, [hunk.choice for hunk in file.hunks]))
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]
