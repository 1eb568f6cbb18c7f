"""The ladder: what a machine makes of a conflict, the agent that is asked, and when it comes to the operator.

A conflict climbs once, when it opens: `climbing`, and no ask yet. Then it may wait for its turn to ask an agent:
`climbing`, with the number of the ask in `asks`. While an agent is at it, it is `asking`; that outlasts the conflict
itself where the operator decided otherwise meanwhile, until the agent is gone and its money is counted.
"""

from uet_tui.core import asking, vocabulary
from uet_tui.core.board import Board
from uet_tui.core.conflicts import Rung
from uet_tui.core.effects import Climb, EndAsk
from uet_tui.core.events import Climbed
from uet_tui.core.gate_entries import keep_gates
from uet_tui.core.proposals import complete, put_rung, resolve_of, show, take_or_propose, tell_waits, to_operator, where
from uet_tui.core.records import ConflictRecord, GateEntry
from uet_tui.core.states import CONFLICT_OPEN, ConflictState, WorkstreamState


def begin(board: Board, conflict: ConflictRecord) -> None:
    """Starts a conflict that was just opened up the ladder, or gives it to the operator where policy says so."""
    record = board.workstream(conflict.workstream)
    told = f"{record.id} conflicts{where(conflict)}: conflict {conflict.id}"
    if resolve_of(board.policy, conflict) == "never":
        board.move_workstream(record, WorkstreamState.CONFLICTED)
        _tell_opened(board, conflict, told)
        to_operator(board, conflict)
        return
    conflict.climbing = True
    board.touch_conflict(conflict)
    board.move_workstream(record, WorkstreamState.CONFLICTED, f"tries to resolve conflict {conflict.id}")
    _tell_opened(board, conflict, told)
    board.effects.append(Climb(conflict.id))


def resumed(board: Board, conflict: ConflictRecord) -> None:
    """Takes up what was under way at a conflict, open or closed, when the orchestrator before was gone."""
    if conflict.climbing and not conflict.asks and conflict.state in CONFLICT_OPEN:
        board.effects.append(Climb(conflict.id))
    elif conflict.asking and board.dispatching:
        asking.resume_ask(board, conflict)


def board_has_climbs(board: Board) -> bool:
    """Whether something is under way at a conflict that comes to an end by itself, so that the run must not let go."""
    for conflict in board.records.conflicts.values():
        if conflict.asking and board.dispatching:
            return True
        if conflict.climbing and conflict.state in CONFLICT_OPEN and (not conflict.asks or asking.asks_agents(board)):
            return True
    return False


def closed(board: Board, conflict: ConflictRecord) -> ConflictState:
    """What to call a conflict whose resolution is merged: who decided it."""
    human = [rung for rung in conflict.tried if rung.name == "operator"]
    if human and human[-1].verdict == "settled":
        return ConflictState.HUMAN_RESOLVED
    if any(file.proposed_by == "agent" for file in conflict.files):
        return ConflictState.AGENT_RESOLVED
    return ConflictState.AUTO_RESOLVED


def returned(board: Board, conflict: ConflictRecord, problem: str, gates: tuple[GateEntry, ...] = ()) -> None:
    """A resolution did not hold: back to the operator, with all that was chosen and what the gates said of it."""
    if conflict.tried and conflict.tried[-1].name == "operator":
        conflict.tried = (*conflict.tried[:-1], Rung("operator", "failed", detail=problem))
    conflict.by, conflict.tree = "", None
    conflict.gates = gates or conflict.gates
    board.touch_conflict(conflict)
    reason = f"needs you: the resolution did not hold ({problem})"
    board.move_workstream(board.workstream(conflict.workstream), WorkstreamState.CONFLICTED, reason)
    tell_waits(board, conflict, reason)


def climbed(board: Board, event: Climbed) -> None:
    """The rungs that need no agent were tried."""
    conflict = board.records.conflicts.get(event.conflict)
    if conflict is None or not conflict.climbing or conflict.asks:
        return  # told twice
    conflict.climbing = False
    board.touch_conflict(conflict)
    keep_gates(board, event.gates)
    if conflict.state not in CONFLICT_OPEN:
        return
    show(board, conflict, event)
    for rung in event.tried:
        put_rung(board, conflict, rung)
    if complete(conflict.files) and not event.problem:
        take_or_propose(board, conflict)
    elif conflict.workstream in board.policy.resolver:
        asking.wait_for_agent(board, conflict)
    else:
        to_operator(board, conflict, event.problem)


def busy(conflict: ConflictRecord) -> str:
    """What is under way at a conflict, as a clause; empty where it is the operator's to decide."""
    if conflict.asking:
        return "an agent is at it"
    if conflict.climbing and not conflict.asks:
        return "the ladder is being tried on it"
    return ""


def supersede(board: Board, conflict: ConflictRecord) -> None:
    """The operator decided otherwise: nothing more is tried, and an agent that is at it is ended."""
    conflict.climbing = False
    conflict.deferred = False
    board.touch_conflict(conflict)
    if conflict.asking:
        board.effects.append(EndAsk(conflict.id, conflict.asks))


def leave_to_operator(board: Board, conflict: ConflictRecord) -> None:
    """The operator decides on it: it no longer waits for an agent."""
    if asking.waits_for_agent(conflict):
        conflict.climbing = False
        board.why(board.workstream(conflict.workstream), f"needs you: conflict {conflict.id}{where(conflict)}")
    board.touch_conflict(conflict)


def _tell_opened(board: Board, conflict: ConflictRecord, text: str) -> None:
    board.tell(
        vocabulary.CONFLICT_OPENED,
        text,
        severity="warning",
        workstream=conflict.workstream,
        attempt=conflict.attempt,
        conflict=conflict.id,
        files=[file.path for file in conflict.files],
    )
