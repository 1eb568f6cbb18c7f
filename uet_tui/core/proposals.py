"""What becomes of what was proposed for a conflict: it is merged, waits for approval, or the operator decides."""

from collections.abc import Iterable
from typing import Final

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.conflicts import RUNGS, ConflictFile, Rung, holds, take_proposals
from uet_tui.core.effects import LayOut
from uet_tui.core.events import AgentAnswered, Climbed
from uet_tui.core.policy import Policy, Resolve
from uet_tui.core.records import ConflictRecord
from uet_tui.core.states import ConflictState, WorkstreamState
from uet_tui.plan.scopes import covers

_STRICTNESS: Final[tuple[Resolve, ...]] = ("auto", "ask", "never")


def resolve_of(policy: Policy, conflict: ConflictRecord) -> Resolve:
    """What policy says of a conflict: the last glob that matches counts for a file, and the strictest file decides."""
    return max((_resolve_path(policy, file.path) for file in conflict.files), key=_STRICTNESS.index)


def _resolve_path(policy: Policy, path: str) -> Resolve:
    found = policy.resolve
    for glob, resolve in policy.resolve_paths.items():
        if covers((glob,), path):
            found = resolve
    return found


def complete(files: Iterable[ConflictFile]) -> bool:
    """Whether every file has a proposal that holds."""
    return all(holds(file) for file in files)


def _who(board: Board, conflict: ConflictRecord) -> str:
    """Who made the proposals, in the order of the ladder."""
    rungs = {file.proposed_by for file in conflict.files if file.proposed_by}
    names = {"agent": f"agent {board.policy.resolver.get(conflict.workstream, '')}".rstrip()}
    return " and ".join(names.get(rung, rung) for rung in RUNGS if rung in rungs)


def take_or_propose(board: Board, conflict: ConflictRecord) -> None:
    """The proposal is whole and nothing speaks against it: what comes of it is as policy says."""
    if resolve_of(board.policy, conflict) != "auto":
        propose(board, conflict)
        return
    conflict.files = take_proposals(conflict.files)
    who = _who(board, conflict)
    board.tell(
        vocabulary.CONFLICT_DECIDED,
        f"conflict {conflict.id}: resolved by {who}, nothing is lost",
        workstream=conflict.workstream,
        conflict=conflict.id,
    )
    enqueue_resolution(board, conflict, who)


def propose(board: Board, conflict: ConflictRecord, more: str = "") -> None:
    """Lays the proposal before the operator; `more` is what else they should know."""
    if conflict.state is not ConflictState.PROPOSED:
        board.move_conflict(conflict, ConflictState.PROPOSED)
    board.touch_conflict(conflict)
    reason = f"needs you: proposal by {conflict.proposal} for conflict {conflict.id}" + (f"; {more}" if more else "")
    board.why(board.workstream(conflict.workstream), reason)
    board.tell(
        vocabulary.CONFLICT_PROPOSED,
        f"{conflict.workstream} {reason}",
        severity="warning",
        workstream=conflict.workstream,
        conflict=conflict.id,
    )


def to_operator(board: Board, conflict: ConflictRecord, evidence: str = "") -> None:
    """Nothing but the operator is left."""
    board.touch_conflict(conflict)
    reason = f"needs you: conflict {conflict.id}{where(conflict)}" + (f"; {evidence}" if evidence else "")
    board.why(board.workstream(conflict.workstream), reason)
    tell_waits(board, conflict, reason)


def enqueue_resolution(board: Board, conflict: ConflictRecord, by: str) -> None:
    """Puts a conflict that is decided in the merge queue: it is gated again on the tip that it lands on."""
    record = board.workstream(conflict.workstream)
    conflict.by = by
    board.touch_conflict(conflict)
    board.move_workstream(record, WorkstreamState.QUEUED, f"resolution of {conflict.id} in the merge queue")
    board.enqueue(record.id)


def show(board: Board, conflict: ConflictRecord, event: Climbed | AgentAnswered) -> None:
    """Makes what was proposed what the operator sees."""
    if event.files and event.files != conflict.files:
        conflict.files = event.files
        board.effects.append(LayOut(conflict.id))
    conflict.gates = event.gates
    conflict.proposal = _who(board, conflict) or None


def where(conflict: ConflictRecord) -> str:
    """With whom it conflicts and in which file, as the end of a sentence."""
    others = f" with {', '.join(conflict.against)}" if conflict.against else ""
    more = f" and {len(conflict.files) - 1} more" if len(conflict.files) > 1 else ""
    return f"{others} in {conflict.files[0].path}{more}"


def tell_waits(board: Board, conflict: ConflictRecord, reason: str) -> None:
    """Tells that a conflict waits for the operator."""
    board.tell(
        vocabulary.CONFLICT_WAITS,
        f"{conflict.workstream} {reason}",
        severity="warning",
        workstream=conflict.workstream,
        conflict=conflict.id,
    )


def put_rung(board: Board, conflict: ConflictRecord, rung: Rung) -> None:
    """Puts on record that a rung was tried, and tells of it."""
    conflict.tried = (*conflict.tried, rung)
    board.touch_conflict(conflict)
    took = f" in {rung.seconds:.1f} s" if rung.seconds else ""
    cost = f" for ${rung.cost_usd:.2f}" if rung.cost_usd else ""
    board.tell(
        vocabulary.RUNG_TRIED,
        f"conflict {conflict.id}: {rung.name} {rung.verdict}{took}{cost}" + (f": {rung.detail}" if rung.detail else ""),
        severity="info" if rung.verdict == "settled" else "debug" if rung.verdict == "not applicable" else "warning",
        workstream=conflict.workstream,
        attempt=conflict.attempt,
        conflict=conflict.id,
        rung=rung.name,
        verdict=rung.verdict,
    )
