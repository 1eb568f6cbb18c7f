"""Asking an agent about a conflict: whose turn it is, the money for it, and what follows from its answer."""

from dataclasses import replace

from uet_tui.core import limits, providers, spending, vocabulary
from uet_tui.core.board import Board
from uet_tui.core.conflicts import Rung
from uet_tui.core.effects import AskAgent, EndAsk
from uet_tui.core.events import AgentAnswered, AskReported
from uet_tui.core.gate_entries import keep_gates
from uet_tui.core.proposals import complete, propose, put_rung, show, take_or_propose, to_operator
from uet_tui.core.records import AskRecord, ConflictRecord, WorkstreamRecord
from uet_tui.core.scheduling import start_merge
from uet_tui.core.states import CONFLICT_OPEN, ConflictState, ProviderState, RunState, WorkstreamState


def go_on(board: Board) -> None:
    """Asks the next agent, if none is at work on a conflict and the run starts agents at all."""
    conflicts = board.records.conflicts
    if not asks_agents(board) or any(conflict.asking for conflict in conflicts.values()):
        return
    for conflict in conflicts.values():
        if waits_for_agent(conflict) and not _about_to_change(board, conflict) and _start_ask(board, conflict):
            return


def asks_agents(board: Board) -> bool:
    """Whether the run starts agents at all, as it is now."""
    running = board.records.run.state is RunState.RUNNING and board.rollback is None
    return running and board.dispatching and not board.stopping


def _start_ask(board: Board, conflict: ConflictRecord) -> bool:
    """Asks the agent of a conflict whose turn it is; says whether there was one, and money for it."""
    record = board.workstream(conflict.workstream)
    agent = _agent(board, conflict)
    provider = providers.provider_of(board, agent)
    waits = providers.barred(board, provider)
    if waits and board.records.providers[provider].state is not ProviderState.STOPPED:
        board.why(record, f"waits to ask an agent about conflict {conflict.id}: {waits}")
        return False
    if _overtaken(board, conflict):
        _merge_again(board, conflict)
        return False
    short = _lack(board, conflict, agent)
    if short and short.passing and not waits:
        board.why(record, f"waits to ask an agent about conflict {conflict.id}: {short.reason}")
        return False
    conflict.climbing = False
    board.touch_conflict(conflict)
    lack = waits or (short and short.reason)
    if lack:
        put_rung(board, conflict, Rung("agent", "not applicable", detail=lack))
        hand_over = propose if conflict.state is ConflictState.PROPOSED else to_operator
        hand_over(board, conflict, f"no agent was asked ({lack})")
        return False
    conflict.asking = True
    ws, model = board.plan.workstreams[record.id], _model_of(board, record, agent)
    conflict.keep_ask(AskRecord(conflict.asks, agent, model, provider))
    conflict.reserved_usd = limits.reserve(board, ws, agent, model)
    spending.set_aside(board, record.id, conflict.reserved_usd)
    providers.took(board, provider)
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


def _lack(board: Board, conflict: ConflictRecord, agent: str) -> limits.Lack | None:
    """Why no agent can be asked about a conflict; None if one can."""
    record = board.workstream(conflict.workstream)
    if record.id not in board.policy.resolver:
        return limits.Lack("none resolves conflicts of it now", "")
    return limits.lack(board, board.plan.workstreams[record.id], agent, _model_of(board, record, agent))


def _model_of(board: Board, record: WorkstreamRecord, agent: str) -> str:
    """The model that an agent is asked with."""
    return record.model if agent == record.agent else board.policy.models.get(agent, "")


def _about_to_change(board: Board, conflict: ConflictRecord) -> bool:
    """Whether a resolution in the same files is on its way: what an agent said before it is merged would be stale."""
    paths = {file.path for file in conflict.files}
    for other in board.records.conflicts.values():
        record = board.workstream(other.workstream)
        on_its_way = record.conflict == other.id and record.state in (WorkstreamState.QUEUED, WorkstreamState.MERGING)
        if on_its_way and not record.held and any(file.path in paths for file in other.files):
            return True
    return False


def _overtaken(board: Board, conflict: ConflictRecord) -> bool:
    """Whether the branch moved on before anybody said anything of a conflict, so that merging again costs nothing."""
    untouched = not any(file.choice or any(hunk.choice for hunk in file.hunks) for file in conflict.files)
    plain = conflict.theirs_commit == board.workstream(conflict.workstream).result_commit
    first = conflict.asks == 1 and not conflict.note and conflict.state is ConflictState.PENDING
    return board.records.run.tip != conflict.ours_commit and plain and first and untouched


def _merge_again(board: Board, conflict: ConflictRecord) -> None:
    """Closes a conflict with what is the tip no more: an answer to it would be paid for, and then be stale."""
    record = board.workstream(conflict.workstream)
    conflict.climbing = False
    conflict.by = "merged again: the branch moved on before an agent was asked"
    board.move_conflict(conflict, ConflictState.AUTO_RESOLVED)
    record.conflict = None
    board.move_workstream(record, WorkstreamState.QUEUED, "merged again: the branch moved on")
    board.enqueue(record.id)
    start_merge(board)


def resume_ask(board: Board, conflict: ConflictRecord) -> None:
    """Takes up what an agent is at; one that is not wanted any more, or not known, is ended, and its money counted."""
    unwanted = conflict.state not in CONFLICT_OPEN or conflict.workstream not in board.policy.resolver
    if unwanted or conflict.ask(conflict.asks).ended_because:
        board.effects.append(EndAsk(conflict.id, conflict.asks))
    board.effects.append(_ask(board, conflict))


def _ask(board: Board, conflict: ConflictRecord) -> AskAgent:
    ask, cap = conflict.ask(conflict.asks), limits.cap_of(board, board.plan.workstreams[conflict.workstream])
    return AskAgent(conflict.id, ask.number, ask.agent, conflict.note, ask.model, cap)


def _agent(board: Board, conflict: ConflictRecord) -> str:
    """Who is to be asked; the workstream's own agent where the settings name none now."""
    return board.policy.resolver.get(conflict.workstream, board.workstream(conflict.workstream).agent)


def ask_reported(board: Board, event: AskReported) -> None:
    """The agent at a conflict has told what it used so far."""
    conflict = board.records.conflicts.get(event.conflict)
    if conflict is not None and conflict.asking and event.ask == conflict.asks:
        spending.ask_reported(board, conflict, event.reports)


def agent_answered(board: Board, event: AgentAnswered) -> None:
    """The agent that was asked is gone: its money is settled, and what it made is judged like any other proposal."""
    conflict = board.records.conflicts.get(event.conflict)
    if conflict is None or (event.ask == conflict.asks and not conflict.asking):
        return  # told twice
    spending.count_ask(board, conflict, event.ask, event.reports)
    if event.ask != conflict.asks:
        return
    ask = conflict.ask(event.ask)
    if ask.ended_because and event.rung.verdict == "failed":
        event = replace(event, rung=replace(event.rung, detail=ask.ended_because))
    conflict.asking = False
    spending.give_ask_back(board, conflict)
    worked = event.rung.verdict in ("settled", "refused")
    providers.left(board, ask.provider, event.fault, event.until, event.rung.detail, worked=worked)
    keep_gates(board, event.gates)
    put_rung(board, conflict, event.rung)
    if conflict.state not in CONFLICT_OPEN:
        return
    turned_away = event.fault in providers.PAUSING
    if (board.stopping or turned_away) and event.rung.verdict == "failed" and not ask.ended_because:
        wait_for_agent(board, conflict)  # it was ended with everything else; whoever resumes the run asks again
        return
    settled = event.rung.verdict == "settled" and complete(event.files)
    if settled and not event.problem:
        show(board, conflict, event)
        take_or_propose(board, conflict)
    elif conflict.state is ConflictState.PROPOSED:
        propose(board, conflict, f"the proposal by {conflict.proposal} stays; {_verdict(event)}")
    else:
        if event.rung.verdict != "failed":
            show(board, conflict, event)
        to_operator(board, conflict, _verdict(event))


def _verdict(event: AgentAnswered) -> str:
    """Why what the agent made is not taken, as a clause."""
    if event.problem:
        return f"the gates refuse what the agent made: {event.problem}"
    how = {"refused": "what the agent made is refused", "not applicable": "no agent was asked"}
    return f"{how.get(event.rung.verdict, 'the agent failed')}: {event.rung.detail}"


def waits_for_agent(conflict: ConflictRecord) -> bool:
    """Whether it waits for its turn to ask an agent."""
    return conflict.climbing and conflict.asks > 0 and not conflict.asking and conflict.state in CONFLICT_OPEN


def wait_for_agent(board: Board, conflict: ConflictRecord, why: str = "waits to ask an agent") -> None:
    """Puts a conflict in line for an agent; `go_on` asks it when it is its turn."""
    conflict.asks += 1
    conflict.climbing = True
    board.touch_conflict(conflict)
    board.why(board.workstream(conflict.workstream), f"{why} about conflict {conflict.id}")


def end_asks(board: Board) -> int:
    """Ends the agents that are at conflicts; gives how many."""
    asking = [conflict for conflict in board.records.conflicts.values() if conflict.asking]
    board.effects += [EndAsk(conflict.id, conflict.asks) for conflict in asking]
    return len(asking)
