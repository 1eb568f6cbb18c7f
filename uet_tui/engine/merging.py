"""Merging results in memory, one on top of the other: what a batch of the queue comes to, before anything moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uet_tui.core.conflicts import decided
from uet_tui.core.effects import QueueEntry
from uet_tui.core.events import MergeConflicted, MergeDeferred, MergeFailed
from uet_tui.core.queueing import listed
from uet_tui.core.records import ConflictRecord
from uet_tui.engine.proposals import conflict_tree
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.merge.merging import Clean, Conflicted, merge
from uet_tui.merge.resolution import resolve
from uet_tui.text import one_line
from uet_tui.workspace.history import RUN, Step, merge_trailers, merges_touching
from uet_tui.workspace.trees import compare


@dataclass(frozen=True, slots=True)
class Layer:
    """A result that merges cleanly."""

    entry: QueueEntry
    commit: str
    """The merge commit of this one result, on what those before it came to."""
    tree: str
    resolution: str | None
    """The resolved tree of its conflict, on the tip that the conflict was with."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Results that are clean together, and what became of the others."""

    tip: str
    layers: tuple[Layer, ...]
    others: tuple[MergeConflicted | MergeDeferred | MergeFailed, ...]

    @property
    def entries(self) -> tuple[QueueEntry, ...]:
        """The results, in order."""
        return tuple(layer.entry for layer in self.layers)


def stack(place: Workplace, entries: Sequence[QueueEntry], tip: str, conflicts: Mapping[str, ConflictRecord]) -> Stack:
    """Merges results one on top of the other onto the tip.

    What conflicts with the tip itself is a conflict; what conflicts only with another of the batch is put off until it
    is known whether that one is kept.
    """
    layers: list[Layer] = []
    others: list[MergeConflicted | MergeDeferred | MergeFailed] = []
    for entry in entries:
        at = layers[-1].commit if layers else tip
        conflict = conflicts[entry.conflict] if entry.conflict else None
        try:
            side = _side(place, entry, conflict)
            outcome = _merged(place, side, at)
            if isinstance(outcome, Conflicted):
                others.append(_refused(place, entry, tip, at, side, outcome))
                continue
        except UetError as error:  # the others are none the worse for it
            others.append(MergeFailed(entry.workstream, f"could not be merged: {one_line(str(error))}"))
            continue
        commit = merge_commit(place, (entry,), at, outcome.tree)
        layers.append(Layer(entry, commit, outcome.tree, side.resolution))
    return Stack(tip, tuple(layers), tuple(others))


def merge_commit(place: Workplace, entries: Sequence[QueueEntry], onto: str, tree: str) -> str:
    """Makes the commit that merges results onto a commit; its trailers say whose they are."""
    names = [entry.workstream for entry in entries]
    trailers = [(RUN, place.run), *merge_trailers((entry.workstream, entry.attempt) for entry in entries)]
    parents = (onto, *(entry.commit for entry in entries))
    return place.control.commit_tree(tree, parents, f"Merge {listed(names)}", trailers)


def resolved_before(place: Workplace, entries: Sequence[QueueEntry], step: Step) -> Stack | None:
    """The results in a commit of the branch whose resolutions the store forgot; None if it is no merge of them.

    Where git merges alone the commit must hold what git made; only files in conflict may hold what somebody decided.
    """
    if any(entry.conflict for entry in entries):
        return None
    at, tree, free = step.before, place.control.tree_of(step.before), set[str]()
    try:
        for entry in entries:
            outcome = merge(place.control, at, entry.commit)
            tree = outcome.tree
            free.update(_paths(outcome) if isinstance(outcome, Conflicted) else ())
            at = place.control.commit_tree(tree, (at, entry.commit), "What git made")
    except UetError:
        return None
    if any(change.path not in free for change in compare(place.control.objects, tree, step.tree)):
        return None
    return Stack(step.before, tuple(Layer(entry, step.commit, step.tree, None) for entry in entries), ())


@dataclass(frozen=True, slots=True)
class _Side:
    """What is merged of an entry: its result, or the resolution of its conflict, which holds the result."""

    commit: str
    onto: str | None = None
    """The tip that a resolution was made on."""
    resolution: str | None = None
    """Its tree."""


def _side(place: Workplace, entry: QueueEntry, conflict: ConflictRecord | None) -> _Side:
    if conflict is None:
        return _Side(entry.commit)
    if not decided(conflict.files):
        raise UetError(f"conflict {conflict.id} is not decided")
    ours, theirs = conflict.ours_commit, conflict.theirs_commit
    tree = resolve(place.control, conflict_tree(place, conflict), conflict.files)
    return _Side(place.control.commit_tree(tree, (ours, theirs), f"Resolution of {conflict.id}"), ours, tree)


def _merged(place: Workplace, side: _Side, onto: str) -> Clean | Conflicted:
    """The merge; that of a resolution is made again if the tip moved on since: it is never landed stale."""
    if side.resolution is not None and side.onto == onto:
        return Clean(side.resolution)
    return merge(place.control, onto, side.commit)


def _refused(
    place: Workplace, entry: QueueEntry, tip: str, at: str, side: _Side, outcome: Conflicted
) -> MergeConflicted | MergeDeferred:
    paths = _paths(outcome)
    if at != tip:
        alone = _merged(place, side, tip)
        if isinstance(alone, Clean):
            mates = merges_touching(place.control, tip, at, paths)
            met = listed(mates) if mates else "another"
            return MergeDeferred(entry.workstream, f"conflicts with {met} of its batch")
        outcome = alone
        paths = _paths(outcome)
    base = place.control.merge_base(tip, entry.commit) or place.base
    against = merges_touching(place.control, base, tip, paths)
    return MergeConflicted(entry.workstream, tip, side.commit, outcome.files, against)


def _paths(outcome: Conflicted) -> list[str]:
    """Where both sides met, under all names that they had for it."""
    return [path for file in outcome.files for path in (file.path, *file.beside)]
