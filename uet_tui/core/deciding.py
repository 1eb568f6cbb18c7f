"""What the operator decides about conflicts."""

from collections.abc import Callable, Mapping

from uet_tui.core import asking, climbing, vocabulary
from uet_tui.core import conflicts as decisions
from uet_tui.core.accounts import account
from uet_tui.core.board import Board
from uet_tui.core.commands import Command, Refusal, Verb
from uet_tui.core.conflicts import ConflictFile, Rung
from uet_tui.core.effects import LayOut
from uet_tui.core.events import Asked
from uet_tui.core.failing import give_up
from uet_tui.core.proposals import enqueue_resolution
from uet_tui.core.records import ConflictRecord
from uet_tui.core.states import (
    CONFLICT_OPEN,
    ConflictState,
    WorkstreamState,
)
from uet_tui.core.workers import fill_workers


def _conflict(board: Board, command: Command) -> ConflictRecord:
    conflict = board.records.conflicts.get(command.conflict or "")
    if conflict is None:
        known = ", ".join(c.id for c in board.records.conflicts.values() if c.state in CONFLICT_OPEN) or "none"
        raise Refusal(f"there is no conflict {command.conflict}; open conflicts: {known}")
    if conflict.state not in CONFLICT_OPEN:
        raise Refusal(f"conflict {conflict.id} is closed ({conflict.state.value})")
    if board.workstream(conflict.workstream).state is not WorkstreamState.CONFLICTED:
        raise Refusal(f"conflict {conflict.id} is being merged just now")
    return conflict


def _decidable(board: Board, command: Command) -> ConflictRecord:
    conflict = _conflict(board, command)
    doing = climbing.busy(conflict)
    if doing:
        gone = conflict.asking and not board.dispatching  # the ladder is tried by whoever has the run
        then = "`uet resume` takes it up" if gone else "wait for what comes of it"
        raise Refusal(f"conflict {conflict.id} cannot be decided now: {doing}; {then}, or redo or quarantine it")
    return conflict


def _take(board: Board, event: Asked) -> str:
    command = event.command
    conflict = _decidable(board, command)
    if command.side is None:
        raise Refusal("say which side: ours, theirs, both, both-theirs-first or proposal")
    conflict.files = decisions.take(conflict.files, command.side, command.file, command.hunk)
    return _decided(board, conflict, command, f"{command.side.value} taken")


def _undo(board: Board, event: Asked) -> str:
    conflict = _decidable(board, event.command)
    conflict.files = decisions.undo(conflict.files, event.command.file, event.command.hunk)
    return _decided(board, conflict, event.command, "taken back")


def _edit(board: Board, event: Asked) -> str:
    conflict = _decidable(board, event.command)
    if event.command.file is None or event.edited is None:
        raise Refusal("edit needs a file of the conflict and its new content")
    conflict.files = decisions.edit(conflict.files, event.command.file, event.edited)
    return _decided(board, conflict, event.command, f"{event.command.file} replaced")


def _decided(board: Board, conflict: ConflictRecord, command: Command, what: str) -> str:
    conflict.tree = None
    climbing.leave_to_operator(board, conflict)
    board.effects.append(LayOut(conflict.id))
    done = sum(f.decided for f in conflict.files)
    board.tell(
        vocabulary.CONFLICT_DECIDED,
        f"conflict {conflict.id}: {what}; {done} of {len(conflict.files)} files decided",
        workstream=conflict.workstream,
        conflict=conflict.id,
    )
    if decisions.decided(conflict.files):
        if command.settle:
            return f"{what}; {_merge_resolution(board, conflict, command)}"
        return f"{what}; everything is decided: approve {conflict.id} to merge it"
    return f"{what}; {done} of {len(conflict.files)} files decided"


def _approve(board: Board, event: Asked) -> str:
    conflict = _decidable(board, event.command)
    files = decisions.take_proposals(conflict.files)
    left = [f.path for f in files if not f.decided]
    if left:
        raise Refusal(f"conflict {conflict.id} is not decided yet: {left[0]} ({len(left)} left); take a side or edit")
    conflict.files = files
    climbing.leave_to_operator(board, conflict)
    return _merge_resolution(board, conflict, event.command)


def _merge_resolution(board: Board, conflict: ConflictRecord, command: Command) -> str:
    proposed = all(choice == "proposal" for file in conflict.files for choice in _choices(file))
    by = f"{command.by}: proposal by {conflict.proposal}" if proposed else command.by
    conflict.tried = (*conflict.tried, Rung("operator", "settled", detail=by))
    enqueue_resolution(board, conflict, by)
    return f"the resolution of {conflict.id} is in the merge queue"


def _choices(file: ConflictFile) -> tuple[str | None, ...]:
    return (file.choice,) if file.choice else tuple(hunk.choice for hunk in file.hunks)


def _again(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    agent = board.policy.resolver.get(conflict.workstream)
    if agent is None:
        raise Refusal(
            f"no agent resolves conflicts of {conflict.workstream}: set ladder.agent to one whose prompt is text, "
            "or decide it yourself"
        )
    doing = climbing.busy(conflict)
    if doing:
        raise Refusal(f"conflict {conflict.id}: {doing} already; wait for what comes of it")
    conflict.note = event.command.note
    if not asking.waits_for_agent(conflict):
        asking.wait_for_agent(board, conflict)
    board.touch_conflict(conflict)
    return f"agent {agent} is asked about {conflict.id}" + ("" if board.dispatching else " when the run goes on")


def _defer(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    conflict.deferred = not conflict.deferred
    board.touch_conflict(conflict)
    if conflict.deferred:
        return f"conflict {conflict.id} is put off: it no longer comes up as what needs you next"
    return f"conflict {conflict.id} comes up again as what needs you"


def _redo(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    record = board.workstream(conflict.workstream)
    climbing.supersede(board, conflict)
    conflict.by = f"{event.command.by}: redo on the new tip"
    board.move_conflict(conflict, ConflictState.HUMAN_RESOLVED)
    record.granted_attempts += 1
    record.note = account(board.plan, conflict)
    record.wish = event.command.note or record.wish
    board.move_workstream(record, WorkstreamState.PENDING)
    board.tell(vocabulary.WORKSTREAM_PENDING, f"{record.id} is done again on the new tip", workstream=record.id)
    board.wait_for_turn(record.id)
    fill_workers(board)
    return f"{record.id} will be done again on the new tip"


def _quarantine(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    record = board.workstream(conflict.workstream)
    climbing.supersede(board, conflict)
    conflict.by = event.command.by
    board.move_conflict(conflict, ConflictState.QUARANTINED)
    give_up(board, record, WorkstreamState.QUARANTINED, f"quarantined by {event.command.by} in conflict {conflict.id}")
    return f"{record.id} is quarantined; its work stays on its branch"


def _forget(_: Board, event: Asked) -> str:
    return f"no longer taken by themselves: {event.command.note}"


def _decides(act: Callable[[Board, Asked], str]) -> Callable[[Board, Asked], str]:
    """The act, after which the conflict is no longer put off: the operator came back to it."""

    def done(board: Board, event: Asked) -> str:
        told = act(board, event)
        conflict = board.records.conflicts[event.command.conflict or ""]
        if conflict.deferred:
            conflict.deferred = False
            board.touch_conflict(conflict)
        return told

    return done


ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {
    Verb.TAKE: _decides(_take),
    Verb.UNDO: _decides(_undo),
    Verb.EDIT: _decides(_edit),
    Verb.APPROVE: _decides(_approve),
    Verb.AGAIN: _decides(_again),
    Verb.REDO: _decides(_redo),
    Verb.QUARANTINE: _decides(_quarantine),
    Verb.DEFER: _defer,
    Verb.FORGET: _forget,
}
"""Each act takes a command and returns a line for the operator; it raises `Refusal` or `ChoiceError`."""
