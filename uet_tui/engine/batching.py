"""Carrying out a batch of the merge queue: merged in memory, gated as merged, then one move of the integration branch.

Every commit of the integration branch holds a tree that was gated. Where nothing is to be gated, each result is merged
by itself. Else those that are clean together become one commit, gated once; if that is red, the batch is halved until
it is known who is to blame, and the others are kept.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from uet_tui.core import vocabulary
from uet_tui.core.effects import Merge, QueueEntry
from uet_tui.core.events import Event, Merged, MergeFailed, Noted
from uet_tui.core.queueing import listed
from uet_tui.core.records import GateEntry, Records
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.climbing import remember
from uet_tui.engine.gating import Gated, anything_to_run, gate_tree
from uet_tui.engine.guarding import gates_watched
from uet_tui.engine.merging import Stack, merge_commit, resolved_before, stack
from uet_tui.engine.workplace import QUEUE, Workplace
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.plan.model import TestGate
from uet_tui.workspace.control import StaleRefError
from uet_tui.workspace.history import Step, steps

_Asked = tuple[str, frozenset[str], frozenset[str]]
"""A tree, the gates that it must pass, and whose acceptance tests."""


def carry_out_batch(
    place: Workplace,
    batch: Merge,
    records: Records,
    leaving: threading.Event,
    report: Callable[[Event], None],
) -> None:
    """Merges results onto the integration tip and reports what became of each, as soon as that is a fact.

    Done twice it still happens once: a branch that moved is searched for these very merges before anything else.

    Raises:
        InterruptedRunError: `leaving` was set while gates ran; what was not reported did not happen.
    """
    reached("queue.taken")
    _Batch(place, records, leaving, report).carry_out(batch)


class _Batch:
    """One batch under way."""

    def __init__(
        self, place: Workplace, records: Records, leaving: threading.Event, report: Callable[[Event], None]
    ) -> None:
        self._place = place
        self._conflicts = records.conflicts
        self._leaving = leaving
        self._report = report
        rows = records.workstreams.values()
        self._held_to = {row.id for row in rows if row.state is WorkstreamState.MERGED and row.merge_commit}
        """Whose required gates the branch passes already, and must not fail."""
        self._recorded = {row.merge_commit for row in rows if row.state is WorkstreamState.MERGED}
        self._kept: list[str] = []
        """Who of this batch is merged."""
        self._said: dict[_Asked, Gated] = {}

    def carry_out(self, batch: Merge) -> None:
        """Merges all that can be merged."""
        tip = self._place.control.head_of(self._place.integration)
        left = batch.entries
        if tip != batch.tip:
            try:
                done = steps(self._place.control, tip or "", batch.tip)
                made = [(step, *self._vouched(step, left)) for step in reversed(done)]
            except UetError as error:
                self._fail(left, f"the integration branch is at {tip}, not where it was left: {error}")
                return
            left = self._take_up(left, made)
        if tip is None or not left:
            return
        if self._anything_to_gate(left, tip):
            self._settle(left, tip)
        else:
            for entry in left:
                tip = self._settle((entry,), tip, gated=False)

    def _vouched(self, step: Step, entries: Sequence[QueueEntry]) -> tuple[tuple[QueueEntry, ...], Gated]:
        """Which entries a commit on the branch merges, and what its gates say.

        What it says of itself proves nothing, since whatever can write to the control repository can write that. If it
        is not on record, it must hold what these results come to, and pass.

        Raises:
            UetError: this run did not make it.
        """
        found = tuple(e for pair in step.merged for e in entries if (e.workstream, e.attempt) == pair)
        said = Gated((), "", "")
        if step.commit not in self._recorded:
            again = stack(self._place, found, step.before, self._conflicts)
            if again.others:
                again = resolved_before(self._place, found, step) or again
            if step.run != self._place.run or [layer.tree for layer in again.layers[-1:]] != [step.tree]:
                raise UetError(f"{step.commit} is not a merge that this run made")
            if self._anything_to_gate(found, step.before):
                said = self._gate(again, step.commit)
            if said.problem:
                raise UetError(f"{step.commit} does not pass: {said.problem}")
        self._kept += [entry.workstream for entry in found]
        return found, said

    def _take_up(
        self, entries: Sequence[QueueEntry], made: Sequence[tuple[Step, tuple[QueueEntry, ...], Gated]]
    ) -> tuple[QueueEntry, ...]:
        """Reports what was merged before an orchestrator died; gives what was not."""
        left = list(entries)
        for step, found, said in made:
            for entry in found:
                left.remove(entry)
                self._report(_merged(entry, step.commit, said))
        return tuple(left)

    def _settle(self, entries: Sequence[QueueEntry], tip: str, *, gated: bool = True) -> str:
        """Merges what can be merged of some entries; gives where the branch is then."""
        found = stack(self._place, entries, tip, self._conflicts)
        reached("queue.merged-in-memory")
        for event in found.others:
            self._report(event)
            reached("queue.turned-away")
        if not found.layers:
            return tip
        tree = found.layers[-1].tree
        alone = len(found.layers) == 1
        commit = found.layers[0].commit if alone else merge_commit(self._place, found.entries, tip, tree)
        reached("queue.commit-made")
        said = self._gate(found, commit) if gated else Gated((), "", "")
        reached("queue.gated")
        if not said.problem:
            return self._move(found, commit, said)
        if alone:
            entry = found.layers[0].entry
            problem = f"as merged: {said.problem}"
            self._report(MergeFailed(entry.workstream, problem, _of(entry, said), said.detail, said.retryable))
            reached("queue.culprit-reported")
            return tip
        self._tell_halved(found, said)
        reached("queue.halved")
        half = (len(found.layers) + 1) // 2
        tip = self._settle(found.entries[:half], tip)
        reached("queue.first-half-settled")
        return self._settle(found.entries[half:], tip)

    def _move(self, found: Stack, commit: str, said: Gated) -> str:
        try:
            reached("queue.before-move")
            self._place.control.update_refs([(self._place.integration, commit, found.tip)])
        except StaleRefError as error:
            self._fail(found.entries, str(error))
            return found.tip
        reached("queue.branch-moved")
        for layer in found.layers:
            self._kept.append(layer.entry.workstream)
            self._report(Merged(layer.entry.workstream, commit, _of(layer.entry, said)))
            reached("queue.merge-reported")
        for layer in found.layers:  # after all is told: what cannot be remembered takes nothing back
            if layer.entry.conflict and layer.resolution:
                remember(self._place, self._conflicts[layer.entry.conflict], layer.resolution)
        return commit

    def _fail(self, entries: Sequence[QueueEntry], problem: str) -> None:
        for entry in entries:
            self._report(MergeFailed(entry.workstream, problem, retryable=False))

    def _tell_halved(self, found: Stack, said: Gated) -> None:
        ids = [entry.workstream for entry in found.entries]
        text = f"{listed(ids)} do not pass together ({said.problem}): halved to find who is to blame"
        self._report(Noted(vocabulary.BATCH_HALVED, text, "warning", data={"workstreams": ids}))

    # Gating

    def _anything_to_gate(self, entries: Sequence[QueueEntry], tip: str) -> bool:
        ids = [entry.workstream for entry in entries]
        gates = self._gates(ids)
        if not gates and not any(self._place.plan.workstreams[id].acceptance_tests for id in ids):
            return False
        if any(entry.conflict for entry in entries):
            return True  # what was decided may hold what neither side has
        trees = {self._place.control.tree_of(commit) for commit in (tip, *(entry.commit for entry in entries))}
        return any(anything_to_run(self._place, gates, tree, ids) for tree in sorted(trees))

    def _gates(self, ids: Collection[str]) -> tuple[TestGate, ...]:
        """What a tree with some results in it must pass: their gates, and those that the branch is held to."""
        plan = self._place.plan.workstreams
        found = [gate for id in ids for gate in plan[id].test_gates]
        found += [gate for id in (*self._kept, *sorted(self._held_to)) for gate in plan[id].test_gates if gate.required]
        kinds: dict[str, TestGate] = {}
        for gate in found:
            known = kinds.setdefault(gate.type, gate)
            required, blocking = known.required or gate.required, known.blocking or gate.blocking
            if (required, blocking) != (known.required, known.blocking):
                kinds[gate.type] = known.model_copy(update={"required": required, "blocking": blocking})
        return tuple(kinds.values())

    def _gate(self, found: Stack, commit: str) -> Gated:
        """What the gates say of a tree; what they said of it in this batch is not asked again."""
        ids = [entry.workstream for entry in found.entries]
        gates, accepting = self._gates(ids), [*self._kept, *ids]
        required = frozenset(gate.type for gate in gates if gate.required)
        asked = (found.layers[-1].tree, required, frozenset(accepting))
        said = self._said.get(asked)
        if said is None:
            first, place = found.layers[0].entry, self._place
            with gates_watched(place, f"on {listed(ids)} as merged", self._report):
                said = self._said[asked] = gate_tree(
                    place,
                    gates,
                    workstream=first.workstream,
                    attempt=first.attempt,
                    commit=commit,
                    sandbox=place.sandbox(QUEUE),
                    output=place.paths.attempt(first.workstream, first.attempt) / "merged",
                    where="merged",
                    leaving=self._leaving,
                    accepting=accepting,
                )
        return said


def _of(entry: QueueEntry, said: Gated) -> tuple[GateEntry, ...]:
    """What was said of a tree, on record for one of those that are in it."""
    return tuple(replace(gate, workstream=entry.workstream, attempt=entry.attempt) for gate in said.entries)


def _merged(entry: QueueEntry, commit: str, said: Gated) -> Merged:
    """That an entry is on the branch, with what the gates said of the commit as said of it."""
    gates = (replace(gate, workstream=entry.workstream, attempt=entry.attempt) for gate in said.entries)
    return Merged(entry.workstream, commit, tuple(gates))
