"""What the operator decides about conflicts."""

from collections.abc import Callable, Mapping

from uet_tui.core import conflicts as decisions
from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.commands import Command, Refusal, Verb
from uet_tui.core.effects import LayOut
from uet_tui.core.events import Asked
from uet_tui.core.failing import give_up
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


def _take(board: Board, event: Asked) -> str:
    command = event.command
    conflict = _conflict(board, command)
    if command.side is None:
        raise Refusal("say which side: ours, theirs, both or proposal")
    conflict.files = decisions.take(conflict.files, command.side, command.file, command.hunk)
    return _decided(board, conflict, command, f"{command.side.value} taken")


def _undo(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    conflict.files = decisions.undo(conflict.files, event.command.file, event.command.hunk)
    return _decided(board, conflict, event.command, "taken back")


def _edit(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    if event.command.file is None or event.edited is None:
        raise Refusal("edit needs a file of the conflict and its new content")
    conflict.files = decisions.edit(conflict.files, event.command.file, event.edited)
    return _decided(board, conflict, event.command, f"{event.command.file} replaced")


def _decided(board: Board, conflict: ConflictRecord, command: Command, what: str) -> str:
    conflict.tree = None
    board.touch_conflict(conflict)
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
    conflict = _conflict(board, event.command)
    if not decisions.decided(conflict.files):
        left = [f.path for f in conflict.files if not f.decided]
        raise Refusal(f"conflict {conflict.id} is not decided yet: {left[0]} ({len(left)} left); take a side or edit")
    return _merge_resolution(board, conflict, event.command)


def _merge_resolution(board: Board, conflict: ConflictRecord, command: Command) -> str:
    record = board.workstream(conflict.workstream)
    conflict.by = command.by
    board.touch_conflict(conflict)
    board.move_workstream(record, WorkstreamState.QUEUED, f"resolution of {conflict.id} in the merge queue")
    board.enqueue(record.id)
    return f"the resolution of {conflict.id} is in the merge queue"


def _redo(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    record = board.workstream(conflict.workstream)
    conflict.by = f"{event.command.by}: redo on the new tip"
    board.move_conflict(conflict, ConflictState.HUMAN_RESOLVED)
    record.granted_attempts += 1
    files = ", ".join(f.path for f in conflict.files)
    record.note = event.command.note or f"the first result conflicted in {files} with what was merged meanwhile"
    board.move_workstream(record, WorkstreamState.PENDING)
    board.tell(vocabulary.WORKSTREAM_PENDING, f"{record.id} is done again on the new tip", workstream=record.id)
    board.wait_for_turn(record.id)
    fill_workers(board)
    return f"{record.id} will be done again on the new tip"


def _quarantine(board: Board, event: Asked) -> str:
    conflict = _conflict(board, event.command)
    record = board.workstream(conflict.workstream)
    conflict.by = event.command.by
    board.move_conflict(conflict, ConflictState.QUARANTINED)
    give_up(board, record, WorkstreamState.QUARANTINED, f"quarantined by {event.command.by} in conflict {conflict.id}")
    return f"{record.id} is quarantined; its work stays on its branch"


ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {
    Verb.TAKE: _take,
    Verb.UNDO: _undo,
    Verb.EDIT: _edit,
    Verb.APPROVE: _approve,
    Verb.REDO: _redo,
    Verb.QUARANTINE: _quarantine,
}
"""Each act takes a command and returns a line for the operator; it raises `Refusal` or `ChoiceError`."""
