"""The ladder: what a machine makes of a conflict, the agent that is asked, and when it comes to the operator.

A conflict climbs once, when it opens: `climbing`, and no ask yet. Then it may wait for its turn to ask an agent:
`climbing`, with the number of the ask in `asks`. While an agent is at it, it is `asking`; that outlasts the conflict
itself where the operator decided otherwise meanwhile, until the agent is gone and its money is counted.
"""

from collections.abc import Iterable
from typing import Final

from uet_tui.core import vocabulary
from uet_tui.core.board import BUDGET, Board
from uet_tui.core.conflicts import RUNGS, ConflictFile, Rung, holds, take_proposals
from uet_tui.core.effects import AskAgent, Climb, EndAsk, LayOut
from uet_tui.core.events import AgentAnswered, Climbed
from uet_tui.core.gate_entries import keep_gates
from uet_tui.core.policy import Policy, Resolve
from uet_tui.core.records import ConflictRecord, CostEntry, GateEntry
from uet_tui.core.scheduling import reserve
from uet_tui.core.states import CONFLICT_OPEN, ConflictState, RunState, WorkstreamState
from uet_tui.plan.scopes import covers

_STRICTNESS: Final[tuple[Resolve, ...]] = ("auto", "ask", "never")
_CENT: Final = 1e-9
"""What sums of money may be off by."""


# What others need to know


def begin(board: Board, conflict: ConflictRecord) -> None:
    """Starts a conflict that was just opened up the ladder, or gives it to the operator where policy says so."""
    record = board.workstream(conflict.workstream)
    told = f"{record.id} conflicts{_where(conflict)}: conflict {conflict.id}"
    if _resolve(board.policy, conflict) == "never":
        board.move_workstream(record, WorkstreamState.CONFLICTED)
        _tell_opened(board, conflict, told)
        _to_operator(board, conflict)
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
        board.effects.append(_ask(board, conflict))
        if conflict.state not in CONFLICT_OPEN:
            board.effects.append(EndAsk(conflict.id, conflict.asks))


def go_on(board: Board) -> None:
    """Asks the next agent, if none is at work on a conflict and the run starts agents at all."""
    conflicts = board.records.conflicts
    if not _asks_agents(board) or any(conflict.asking for conflict in conflicts.values()):
        return
    for conflict in conflicts.values():
        if waits_for_agent(conflict) and _start_ask(board, conflict):
            return


def board_has_climbs(board: Board) -> bool:
    """Whether something is under way at a conflict that comes to an end by itself, so that the run must not let go."""
    for conflict in board.records.conflicts.values():
        if conflict.asking and board.dispatching:
            return True
        if conflict.climbing and conflict.state in CONFLICT_OPEN and (not conflict.asks or _asks_agents(board)):
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
    _tell_waits(board, conflict, reason)


# What happened


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
    _show(board, conflict, event)
    for rung in event.tried:
        _tried(board, conflict, rung)
    if _complete(conflict.files) and not event.problem:
        _holds(board, conflict)
    elif conflict.workstream in board.policy.resolver:
        wait_for_agent(board, conflict)
    else:
        _to_operator(board, conflict, event.problem)


def agent_answered(board: Board, event: AgentAnswered) -> None:
    """The agent that was asked is gone: its money is settled, and what it made is judged like any other proposal."""
    conflict = board.records.conflicts.get(event.conflict)
    if conflict is None or (event.ask == conflict.asks and not conflict.asking):
        return  # told twice
    _count_money(board, conflict, event)
    if event.ask != conflict.asks:
        return
    conflict.asking = False
    _give_reserve_back(board, conflict)
    keep_gates(board, event.gates)
    _tried(board, conflict, event.rung)
    if conflict.state not in CONFLICT_OPEN:
        return
    if board.stopping and event.rung.verdict == "failed":
        wait_for_agent(board, conflict)  # it was ended with everything else; whoever resumes the run asks again
        return
    settled = event.rung.verdict == "settled" and _complete(event.files)
    if settled and not event.problem:
        _show(board, conflict, event)
        _holds(board, conflict)
    elif conflict.state is ConflictState.PROPOSED:
        _propose(board, conflict, f"the proposal by {conflict.proposal} stays; {_verdict(event)}")
    else:
        if event.rung.verdict != "failed":
            _show(board, conflict, event)
        _to_operator(board, conflict, _verdict(event))


# What the operator's decisions need


def busy(conflict: ConflictRecord) -> str:
    """What is under way at a conflict, as a clause; empty where it is the operator's to decide."""
    if conflict.asking:
        return "an agent is at it"
    if conflict.climbing and not conflict.asks:
        return "the ladder is being tried on it"
    return ""


def waits_for_agent(conflict: ConflictRecord) -> bool:
    """Whether it waits for its turn to ask an agent."""
    return conflict.climbing and conflict.asks > 0 and not conflict.asking and conflict.state in CONFLICT_OPEN


def wait_for_agent(board: Board, conflict: ConflictRecord, why: str = "waits to ask an agent") -> None:
    """Puts a conflict in line for an agent; `go_on` asks it when it is its turn."""
    conflict.asks += 1
    conflict.climbing = True
    board.touch_conflict(conflict)
    board.why(board.workstream(conflict.workstream), f"{why} about conflict {conflict.id}")


def supersede(board: Board, conflict: ConflictRecord) -> None:
    """The operator decided otherwise: nothing more is tried, and an agent that is at it is ended."""
    conflict.climbing = False
    conflict.deferred = False
    board.touch_conflict(conflict)
    if conflict.asking:
        board.effects.append(EndAsk(conflict.id, conflict.asks))


def leave_to_operator(board: Board, conflict: ConflictRecord) -> None:
    """The operator decides on it: it no longer waits for an agent."""
    if waits_for_agent(conflict):
        conflict.climbing = False
        board.why(board.workstream(conflict.workstream), f"needs you: conflict {conflict.id}{_where(conflict)}")
    board.touch_conflict(conflict)


def end_asks(board: Board) -> int:
    """Ends the agents that are at conflicts; gives how many."""
    asking = [conflict for conflict in board.records.conflicts.values() if conflict.asking]
    board.effects += [EndAsk(conflict.id, conflict.asks) for conflict in asking]
    return len(asking)


def enqueue_resolution(board: Board, conflict: ConflictRecord, by: str) -> None:
    """Puts a conflict that is decided in the merge queue: it is gated again on the tip that it lands on."""
    record = board.workstream(conflict.workstream)
    conflict.by = by
    board.touch_conflict(conflict)
    board.move_workstream(record, WorkstreamState.QUEUED, f"resolution of {conflict.id} in the merge queue")
    board.enqueue(record.id)


# Judging


def _resolve(policy: Policy, conflict: ConflictRecord) -> Resolve:
    """What policy says of a conflict: the last glob that matches counts for a file, and the strictest file decides."""
    return max((_resolve_path(policy, file.path) for file in conflict.files), key=_STRICTNESS.index)


def _resolve_path(policy: Policy, path: str) -> Resolve:
    found = policy.resolve
    for glob, resolve in policy.resolve_paths.items():
        if covers((glob,), path):
            found = resolve
    return found


def _complete(files: Iterable[ConflictFile]) -> bool:
    return all(holds(file) for file in files)


def _who(board: Board, conflict: ConflictRecord) -> str:
    """Who made the proposals, in the order of the ladder."""
    rungs = {file.proposed_by for file in conflict.files if file.proposed_by}
    names = {"agent": f"agent {board.policy.resolver.get(conflict.workstream, '')}".rstrip()}
    return " and ".join(names.get(rung, rung) for rung in RUNGS if rung in rungs)


def _holds(board: Board, conflict: ConflictRecord) -> None:
    """The proposal is whole and nothing speaks against it."""
    if _resolve(board.policy, conflict) != "auto":
        _propose(board, conflict)
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


def _propose(board: Board, conflict: ConflictRecord, more: str = "") -> None:
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


def _to_operator(board: Board, conflict: ConflictRecord, evidence: str = "") -> None:
    """Nothing but the operator is left."""
    board.touch_conflict(conflict)
    reason = f"needs you: conflict {conflict.id}{_where(conflict)}" + (f"; {evidence}" if evidence else "")
    board.why(board.workstream(conflict.workstream), reason)
    _tell_waits(board, conflict, reason)


def _show(board: Board, conflict: ConflictRecord, event: Climbed | AgentAnswered) -> None:
    """Makes what was proposed what the operator sees."""
    if event.files and event.files != conflict.files:
        conflict.files = event.files
        board.effects.append(LayOut(conflict.id))
    conflict.gates = event.gates
    conflict.proposal = _who(board, conflict) or None


def _verdict(event: AgentAnswered) -> str:
    """Why what the agent made is not taken, as a clause."""
    if event.problem:
        return f"the gates refuse what the agent made: {event.problem}"
    how = {"refused": "what the agent made is refused", "not applicable": "no agent was asked"}
    return f"{how.get(event.rung.verdict, 'the agent failed')}: {event.rung.detail}"


def _where(conflict: ConflictRecord) -> str:
    others = f" with {', '.join(conflict.against)}" if conflict.against else ""
    more = f" and {len(conflict.files) - 1} more" if len(conflict.files) > 1 else ""
    return f"{others} in {conflict.files[0].path}{more}"


# Telling


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


def _tell_waits(board: Board, conflict: ConflictRecord, reason: str) -> None:
    board.tell(
        vocabulary.CONFLICT_WAITS,
        f"{conflict.workstream} {reason}",
        severity="warning",
        workstream=conflict.workstream,
        conflict=conflict.id,
    )


def _tried(board: Board, conflict: ConflictRecord, rung: Rung) -> None:
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


# Asking an agent


def _asks_agents(board: Board) -> bool:
    running = board.records.run.state is RunState.RUNNING and board.rollback is None
    return running and board.dispatching and not board.stopping


def _start_ask(board: Board, conflict: ConflictRecord) -> bool:
    """Asks the agent of a conflict whose turn it is; says whether there was one, and money for it."""
    run, record = board.records.run, board.workstream(conflict.workstream)
    conflict.climbing = False
    board.touch_conflict(conflict)
    need = reserve(board, board.plan.workstreams[record.id])
    if run.budget_usd is not None:
        left = run.budget_usd - run.spent_usd - run.reserved_usd
        if need > left + _CENT or left <= 0:
            detail = f"budget: needs ${need:.2f}, ${max(left, 0.0):.2f} is left"
            _tried(board, conflict, Rung("agent", "not applicable", detail=detail))
            if conflict.state is ConflictState.PROPOSED:
                _propose(board, conflict, f"no agent was asked ({detail})")
            else:
                _to_operator(board, conflict, f"no agent was asked ({detail})")
            return False
    conflict.asking = True
    conflict.reserved_usd = need
    run.reserved_usd += need
    board.touch_run()
    effect = _ask(board, conflict)
    board.why(record, f"agent {effect.agent} is at conflict {conflict.id}")
    board.tell(
        vocabulary.AGENT_ASKED,
        f"conflict {conflict.id}: agent {effect.agent} is asked to resolve it",
        workstream=record.id,
        attempt=conflict.attempt,
        conflict=conflict.id,
        ask=effect.ask,
    )
    board.effects.append(effect)
    return True


def _ask(board: Board, conflict: ConflictRecord) -> AskAgent:
    return AskAgent(conflict.id, conflict.asks, board.policy.resolver[conflict.workstream], conflict.note)


def _give_reserve_back(board: Board, conflict: ConflictRecord) -> None:
    if conflict.reserved_usd:
        run = board.records.run
        run.reserved_usd = max(0.0, run.reserved_usd - conflict.reserved_usd)
        conflict.reserved_usd = 0.0
        board.touch_run()
        board.unpark(BUDGET)
    board.touch_conflict(conflict)


def _count_money(board: Board, conflict: ConflictRecord, event: AgentAnswered) -> None:
    if not (event.usd or event.tokens_in or event.tokens_out):
        return
    record = board.workstream(conflict.workstream)
    agent = board.policy.resolver.get(record.id, record.agent)
    record.cost_usd += event.usd
    board.touch_workstream(record)
    board.records.run.spent_usd += event.usd
    board.touch_run()
    board.changes.costs.append(
        CostEntry(
            board.now,
            record.id,
            conflict.attempt,
            agent,
            record.model if agent == record.agent else "",
            event.usd,
            event.tokens_in,
            event.tokens_out,
        )
    )
