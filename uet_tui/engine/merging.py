"""Carrying out a merge: in memory, gated as merged, then one move of the integration branch."""

import threading

from uet_tui.core.conflicts import decided
from uet_tui.core.effects import QueueEntry
from uet_tui.core.events import MergeConflicted, Merged, MergeFailed
from uet_tui.core.records import ConflictRecord, GateEntry
from uet_tui.engine.gating import end_gates, gate
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
    gates, problem = _gate_merged(place, effect, commit, outcome.tree, leaving)
    if problem:
        return MergeFailed(ws.id, problem, gates)
    try:
        place.control.update_refs([(place.integration, commit, onto)])
    except StaleRefError as error:
        return MergeFailed(ws.id, str(error), gates)
    return Merged(ws.id, commit, gates)


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


def _gate_merged(
    place: Workplace, effect: QueueEntry, commit: str, tree: str, leaving: threading.Event
) -> tuple[tuple[GateEntry, ...], str]:
    ws = place.plan.workstreams[effect.workstream]
    configured = [gate for gate in ws.test_gates if place.settings.gates[gate.type].commands]
    if not configured or tree == place.control.tree_of(effect.commit):
        return (), ""  # what the sandbox's gates saw is the very tree that is merged
    folder = place.paths.attempt(ws.id, effect.attempt) / "merged"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    end_gates(place.cookie(ws.id, effect.attempt))
    sandbox = place.sandbox(QUEUE)
    sandbox.reset(commit)
    entries, problem = gate(
        place, ws.id, effect.attempt, configured, sandbox, output=folder, where="merged", leaving=leaving
    )
    return entries, f"as merged: {problem}" if problem else ""
