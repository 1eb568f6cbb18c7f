"""Carrying out a merge: in memory, gated as merged, then one move of the integration branch."""

import threading
from dataclasses import replace

from uet_tui.core.conflicts import decided
from uet_tui.core.effects import QueueEntry
from uet_tui.core.events import MergeConflicted, Merged, MergeFailed
from uet_tui.core.records import ConflictRecord
from uet_tui.engine.gating import Gated, gate_tree
from uet_tui.engine.workplace import Workplace
from uet_tui.merge.merging import Clean, Conflicted, merge
from uet_tui.merge.resolution import resolve
from uet_tui.workspace.control import StaleRefError
from uet_tui.workspace.history import merges_touching

QUEUE = "queue"
"""The name of the merge queue's own sandbox."""


def carry_out_merge(
    place: Workplace, effect: QueueEntry, onto: str, conflict: ConflictRecord | None, leaving: threading.Event
) -> Merged | MergeConflicted | MergeFailed:
    """Merges a result onto the integration tip.

    Done twice it still happens once: a branch that moved is searched for this very merge before anything else.

    Raises:
        InterruptedRunError: `leaving` was set while gates ran; the branch did not move.
    """
    tip = place.control.head_of(place.integration)
    if tip != onto:
        found = place.control.find_merge(place.integration, onto, place.run, effect.workstream, effect.attempt)
        if found is None:
            return MergeFailed(effect.workstream, f"the integration branch is at {tip}, not where it was left")
        return Merged(effect.workstream, found)
    outcome = (
        merge(place.control, onto, effect.commit)
        if conflict is None
        else _merge_resolved(place, effect, onto, conflict)
    )
    if isinstance(outcome, Conflicted):
        paths = [file.path for file in outcome.files]
        base = place.control.merge_base(onto, effect.commit) or place.operator.head
        against = merges_touching(place.control, base, onto, paths)
        return MergeConflicted(effect.workstream, onto, effect.commit, outcome.files, against)
    ws = place.plan.workstreams[effect.workstream]
    trailers = {"UET-Run": place.run, "UET-Workstream": ws.id, "UET-Attempt": str(effect.attempt)}
    parents = (onto, effect.commit)
    commit = place.control.commit_tree(outcome.tree, parents, f"Merge {ws.id}", trailers)
    gated = _gate_merged(place, effect, commit, leaving)
    if gated.problem:
        return MergeFailed(ws.id, gated.problem, gated.entries, gated.detail)
    try:
        place.control.update_refs([(place.integration, commit, onto)])
    except StaleRefError as error:
        return MergeFailed(ws.id, str(error), gated.entries)
    return Merged(ws.id, commit, gated.entries)


def _merge_resolved(place: Workplace, effect: QueueEntry, onto: str, conflict: ConflictRecord) -> Clean | Conflicted:
    """The operator's resolution, merged again if the tip moved on since it was made: never landed stale."""
    if not decided(conflict.files):
        raise ValueError(f"conflict {conflict.id} is not decided")
    first = merge(place.control, conflict.ours_commit, effect.commit)
    if isinstance(first, Clean):
        return merge(place.control, onto, effect.commit)
    tree = resolve(place.control, first.tree, conflict.files)
    if conflict.ours_commit == onto:
        return Clean(tree)
    resolved = place.control.commit_tree(
        tree, (conflict.ours_commit, effect.commit), f"Resolution of {conflict.id}", {}
    )
    return merge(place.control, onto, resolved)


def _gate_merged(place: Workplace, effect: QueueEntry, commit: str, leaving: threading.Event) -> Gated:
    ws = place.plan.workstreams[effect.workstream]
    gated = gate_tree(
        place,
        ws.test_gates,
        workstream=ws.id,
        attempt=effect.attempt,
        commit=commit,
        sandbox=place.sandbox(QUEUE),
        output=place.paths.attempt(ws.id, effect.attempt) / "merged",
        where="merged",
        leaving=leaving,
    )
    return gated if not gated.problem else replace(gated, problem=f"as merged: {gated.problem}")
