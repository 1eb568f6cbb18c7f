"""Landing as the core sees it: when it may be tried, and what became of it."""

from collections.abc import Callable, Collection, Mapping

from uet_tui.core import rollback, vocabulary
from uet_tui.core.board import Board, Landing
from uet_tui.core.commands import Answer, Refusal, Verb
from uet_tui.core.effects import Land, Reply
from uet_tui.core.events import Asked, Landed, LandingRefused
from uet_tui.core.gate_entries import keep_gates
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.text import one_line


def refusals(
    run: str, state: RunState, merging: Collection[str], merged: int, target: str | None, landed_on: str | None
) -> tuple[str, ...]:
    """Why a run cannot land as it is, and what to do about it; empty if it can.

    One branch is on record as landed on, and a rollback follows there alone: so on a second one nothing is landed.

    Args:
        run: the run's id.
        state: where the run is.
        merging: the workstreams that are about to merge.
        merged: how many workstreams are merged.
        target: the branch to land on.
        landed_on: the branch that the run has landed on and was not rolled back on; None if there is none.
    """
    found: list[str] = []
    if state in (RunState.RUNNING, RunState.DRAINING):
        found.append(f"the run is {state.value}: land when it is over, or pause it first")
    elif merging:
        found.append(f"{min(merging)} is being merged: land when that is done")
    if not merged:
        found.append(
            "the run was rolled back, so there is nothing to land; `uet rollback` once more if a branch still holds it"
            if state is RunState.CANCELLED
            else "nothing was merged, so there is nothing to land"
        )
    if target is None:
        found.append("HEAD was detached when the run began: say where to land with --target BRANCH")
    elif landed_on is not None and target != landed_on:
        found.append(
            f"the run landed on {landed_on}, and `uet rollback` would undo it there only: bring it to "
            f"{one_line(target)} by hand with `git switch {one_line(target)} && git merge uet/{run}`, and undo it "
            "there by hand if need be"
        )
    return tuple(found)


def _land(board: Board, event: Asked) -> str:
    run, rows = board.records.run, board.records.workstreams.values()
    on_the_way = (WorkstreamState.QUEUED, WorkstreamState.MERGING)
    merging = [row.id for row in rows if row.state in on_the_way and not row.held]
    merged = sum(row.state is WorkstreamState.MERGED for row in rows) if run.tip != run.base_commit else 0
    target = event.command.target or run.target_branch
    if board.landing is not None:
        if target != board.landing.target:
            raise Refusal(f"a landing on {board.landing.target} is in progress: land on {target} when it is done")
        board.landing.asked.append(event.command.id)  # whoever asks again waits for the same end
        return ""
    landed_on = run.target_branch if run.landed_commit is not None else None
    for why in refusals(run.id, run.state, merging, merged, target, landed_on):
        raise Refusal(why)
    board.landing = Landing(target or "", [event.command.id])
    board.effects.append(Land(board.landing.target))
    return ""


ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {Verb.LAND: _land}
"""Each act takes a command and returns a line for the operator; it raises `Refusal`."""


def landed(board: Board, event: Landed) -> None:
    """The target branch is at the integration tip."""
    run = board.records.run
    keep_gates(board, event.gates)
    run.landed_at, run.landed_commit, run.target_branch = board.now, event.commit, event.branch
    board.touch_run()
    text = f"landed: {event.branch} is at {event.commit[:7]}"
    board.tell(vocabulary.RUN_LANDED, text, branch=event.branch, commit=event.commit)
    _answer(board, True, text)
    if board.rollback is not None:
        rollback.landed(board, f"{event.branch} is at {event.commit[:7]}, without it")


def landing_refused(board: Board, event: LandingRefused) -> None:
    """The target branch cannot be moved now; nothing was changed."""
    keep_gates(board, event.gates)
    board.tell(vocabulary.LANDING_REFUSED, f"not landed: {event.why}", severity="warning")
    _answer(board, False, event.why)
    if board.rollback is not None:
        rollback.landing_refused(board, event.why)


def _answer(board: Board, ok: bool, message: str) -> None:
    for id in board.landing.asked if board.landing else ():
        board.effects.append(Reply(Answer(id=id, ok=ok, message=message)))
    board.landing = None
