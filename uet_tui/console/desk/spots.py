"""The places of a conflict that want a decision, and how one walks them. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from uet_tui.store.conflict_views import ConflictFileView, ConflictView, HunkView


@dataclass(frozen=True, slots=True)
class Spot:
    """One decision: a hunk of a file, or a file that can only be taken whole."""

    path: str
    hunk: int | None
    """The hunk's number, 1-based; None for the whole file."""


def spots(conflict: ConflictView) -> tuple[Spot, ...]:
    """All decisions of a conflict, in the order of its files and hunks."""
    return tuple(spot for file in conflict.files for spot in _of_file(file))


def _of_file(file: ConflictFileView) -> tuple[Spot, ...]:
    return tuple(Spot(file.path, hunk.number) for hunk in file.hunks) or (Spot(file.path, None),)


def file_at(conflict: ConflictView, spot: Spot) -> ConflictFileView | None:
    """The file of a spot."""
    return next((file for file in conflict.files if file.path == spot.path), None)


def hunk_at(conflict: ConflictView, spot: Spot) -> HunkView | None:
    """The hunk of a spot; None for a whole file."""
    file = file_at(conflict, spot)
    return next((hunk for hunk in file.hunks if hunk.number == spot.hunk), None) if file else None


def choice_at(conflict: ConflictView, spot: Spot) -> str | None:
    """What was decided there: a choice for the whole file counts for each of its hunks."""
    file, hunk = file_at(conflict, spot), hunk_at(conflict, spot)
    return (file.choice if file else None) or (hunk.choice if hunk else None)


def file_spots(conflict: ConflictView, spot: Spot) -> tuple[Spot, ...]:
    """All decisions of the file that a spot is in."""
    return tuple(other for other in spots(conflict) if other.path == spot.path)


def after(conflict: ConflictView, spot: Spot) -> tuple[Spot, ...]:
    """All decisions, beginning behind one and coming round to it."""
    there = spots(conflict)
    start = there.index(spot) + 1 if spot in there else 0
    return (*there[start:], *there[:start])


def has_part(file: ConflictFileView, spot: Spot) -> bool:
    """Whether a spot has a part of the proposal of its own, or can only be taken whole."""
    return spot.hunk is None or any(h.number == spot.hunk and h.proposal is not None for h in file.hunks)


def proposed_at(conflict: ConflictView, spot: Spot) -> bool:
    """Whether something is proposed there: for the hunk itself, or for the whole file."""
    file, hunk = file_at(conflict, spot), hunk_at(conflict, spot)
    return bool(file and file.proposed_by) or (hunk is not None and hunk.proposal is not None)


def by_parts(file: ConflictFileView) -> bool:
    """Whether each hunk has its own part of the proposal, so that hunks can take it one by one."""
    return bool(file.hunks) and all(hunk.proposal is not None for hunk in file.hunks)


def settled(conflict: ConflictView, spot: Spot) -> bool:
    """Whether approving needs no more there: it is decided, or a proposal that drops nothing is there to be taken."""
    file = file_at(conflict, spot)
    if choice_at(conflict, spot) is not None:
        return True
    if file is None or file.lost or not proposed_at(conflict, spot):
        return False
    return by_parts(file) or not any(hunk.choice for hunk in file.hunks)


def undecided(conflict: ConflictView, sent: Collection[Spot] = ()) -> tuple[Spot, ...]:
    """The spots that nobody has decided; those in `sent` count as decided, their answer is on its way."""
    return tuple(spot for spot in spots(conflict) if spot not in sent and choice_at(conflict, spot) is None)


def settle(conflict: ConflictView, spot: Spot | None) -> Spot | None:
    """The spot itself while the conflict has it, else the first undecided one, else the first."""
    there = spots(conflict)
    if spot in there:
        return spot
    return next(iter(undecided(conflict)), there[0] if there else None)


def next_undecided(conflict: ConflictView, behind: Spot, sent: Collection[Spot] = ()) -> Spot | None:
    """The next spot to decide: first those further on, then from the top; None when all is decided."""
    left = undecided(conflict, sent)
    return next((spot for spot in after(conflict, behind) if spot in left), None)


def ordered(conflicts: Sequence[ConflictView]) -> tuple[ConflictView, ...]:
    """Open conflicts, then those that were put off, then closed ones; otherwise as they were."""
    return tuple(sorted(conflicts, key=lambda one: (not one.open, one.open and one.deferred)))


def step_hunk(conflict: ConflictView, spot: Spot, by: int) -> Spot:
    """The spot `by` places on, into the next file where the file ends; stays at both ends."""
    there = spots(conflict)
    return there[min(max(there.index(spot) + by, 0), len(there) - 1)]


def step_file(conflict: ConflictView, spot: Spot, by: int) -> Spot:
    """The first spot of the file `by` files on; stays at both ends."""
    paths = [file.path for file in conflict.files]
    index = min(max(paths.index(spot.path) + by, 0), len(paths) - 1)
    return spot if paths[index] == spot.path else _of_file(conflict.files[index])[0]
