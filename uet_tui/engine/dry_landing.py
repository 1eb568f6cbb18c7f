"""What landing would do now, told without doing any of it: no lock, no inbox, while whoever has the run goes on."""

from collections.abc import Iterator
from dataclasses import dataclass

from uet_tui.core.landing import refusals
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.landing import required_gates
from uet_tui.engine.start import plan_of, repository_at
from uet_tui.errors import UetError
from uet_tui.merge.landing import Landing, plan_landing
from uet_tui.merge.soundness import unsound
from uet_tui.store.conflict_views import GateView
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.history import Step, steps
from uet_tui.workspace.trees import Change


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What landing would do now."""

    run: str
    landing: Landing
    refusals: tuple[str, ...]
    """All that stands against it, each with what to do; empty if it would land."""
    merges: tuple[Step, ...]
    """The merges that the target branch would get, oldest first; what was undone is not among them."""
    not_merged: tuple[tuple[str, str], ...]
    """Workstreams that would not be part of it, with their states."""
    changes: tuple[Change, ...]
    gates: tuple[tuple[str, GateView | None], ...]
    """The gates that must hold on the tree, with what is on record of it; those without are run before it lands."""


def foresee(home: Home, run: str, reader: Reader, target: str | None) -> Foreseen:
    """What landing would do now; changes nothing, takes no lock and needs none.

    Raises:
        UetError: the run's files are not whole.
    """
    view = reader.run(run)
    if not home.control.is_dir():
        raise UetError(f"{home.control} is gone, and with it what run {run} merged: nothing can land")
    operator = repository_at(home.folder.parent)
    with ControlRepository.open_or_create(home.control, operator) as control:
        wanted = target or view.target_branch
        landing = plan_landing(operator, control, wanted, view.tip)
        merged = [ws.id for ws in view.workstreams if ws.state is WorkstreamState.MERGED]
        recorded = {ws.merge_commit for ws in view.workstreams if ws.id in merged and ws.merge_commit}
        problem = unsound(control, run, view.base_commit, view.tip, recorded)
        told = {gate.gate: gate for gate in reader.gates_of(run, control.tree_of(view.tip))}
        return Foreseen(
            run,
            landing,
            tuple(_against(view, landing, problem)),
            () if problem else _new_merges(control, view, landing.old),
            tuple((ws.id, ws.state.value) for ws in view.workstreams if ws.state is not WorkstreamState.MERGED),
            control.changes(landing.old or view.base_commit, view.tip),
            tuple((gate.type, told.get(gate.type)) for gate in required_gates(plan_of(home, run), merged)),
        )


def _against(view: RunView, landing: Landing, problem: str) -> Iterator[str]:
    on_the_way = (WorkstreamState.QUEUED, WorkstreamState.MERGING)
    merging = [ws.id for ws in view.workstreams if ws.state in on_the_way and not ws.held]
    merged = view.merged if view.tip != view.base_commit else 0
    landed_on = view.target_branch if view.landed_at is not None else None
    yield from refusals(view.id, view.state, merging, merged, landing.branch, landed_on)
    if problem:
        yield problem
    if landing.refused and landing.branch is not None:
        yield landing.reason


def _new_merges(control: ControlRepository, view: RunView, old: str | None) -> tuple[Step, ...]:
    branch = steps(control, view.tip, view.base_commit)
    undone = {step.reverts for step in branch}
    new = [step for step in branch if not step.reverts and step.commit not in undone]
    return tuple(step for step in reversed(new) if old is None or not control.is_ancestor(step.commit, old))
