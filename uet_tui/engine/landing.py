"""Landing a run: only what the run itself merged, and only a tree that was gated."""

import threading
from collections.abc import Callable, Iterable, Sequence

from uet_tui.core.events import Event, Landed, LandingRefused
from uet_tui.core.records import Records, WorkstreamRecord
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.gating import Gated, gate_tree
from uet_tui.engine.guarding import gates_watched, tampered
from uet_tui.engine.workplace import QUEUE, Workplace
from uet_tui.failpoints import reached
from uet_tui.merge.landing import Way, land, plan_landing
from uet_tui.merge.soundness import unsound
from uet_tui.plan.model import Plan, TestGate


def land_run(
    place: Workplace, records: Records, target: str, leaving: threading.Event, report: Callable[[Event], None]
) -> Landed | LandingRefused:
    """Moves the target branch to the integration branch, once it is certain that what lands is sound.

    `report` takes what the operator is to be told meanwhile.

    Raises:
        InterruptedRunError: `leaving` was set while gates ran; nothing was moved.
    """
    run = records.run
    merged = [row for row in records.workstreams.values() if row.state is WorkstreamState.MERGED]
    recorded = {row.merge_commit for row in merged if row.merge_commit}
    problem = unsound(place.control, place.run, run.base_commit, run.tip, recorded)
    if problem:
        return LandingRefused(problem)
    problem = tampered(place)
    if problem:
        return LandingRefused(problem)
    planned = plan_landing(place.operator, place.control, target, run.tip)
    if planned.refused:
        return LandingRefused(planned.reason)
    gated = None
    if planned.way is not Way.NOTHING:
        with gates_watched(place, "on the tree that lands", report):
            gated = _gate(place, records, merged, leaving)
    entries = gated.entries if gated else ()
    problem = tampered(place)
    if problem:
        return LandingRefused(problem, entries)
    if gated and gated.problem:
        return LandingRefused(
            f"{gated.problem}, on the tree that would land: its output is in {place.paths.landing}", entries
        )
    reached("land.before-move")
    done = land(place.operator, place.control, target, run.tip, place.run)
    reached("land.moved")
    return LandingRefused(done.reason, entries) if done.refused else Landed(target, done.new, entries)


def _gate(
    place: Workplace, records: Records, merged: Sequence[WorkstreamRecord], leaving: threading.Event
) -> Gated | None:
    """What all required gates of the run say of the tree that lands; those that passed on it before are not run again.

    Each merge was gated by what its own workstream asks for: gates of earlier ones have not seen the last tree.
    """
    gates = required_gates(place.plan, [row.id for row in merged])
    if not gates:
        return None
    last = max(merged, key=lambda row: (row.ended_at or 0.0, row.id))
    return gate_tree(
        place,
        gates,
        workstream=last.id,
        attempt=last.attempts,
        commit=records.run.tip,
        sandbox=place.sandbox(QUEUE),
        output=place.paths.landing,
        where="landing",
        leaving=leaving,
        accepting=(),
    )


def required_gates(plan: Plan, merged: Iterable[str]) -> tuple[TestGate, ...]:
    """The gates that must hold for all workstreams together, each kind once."""
    found = {gate.type: gate for id in merged for gate in plan.workstreams[id].test_gates if gate.required}
    return tuple(gate for _, gate in sorted(found.items()))
