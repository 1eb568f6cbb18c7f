"""What follows from merges: the branch moved, git could not make it alone, or it did not pass."""

from uet_tui.core import climbing, vocabulary
from uet_tui.core.board import Board
from uet_tui.core.effects import LayOut
from uet_tui.core.events import MergeConflicted, Merged, MergeDeferred, MergeFailed
from uet_tui.core.failing import fail
from uet_tui.core.gate_entries import keep_gates
from uet_tui.core.queueing import come_back, leave
from uet_tui.core.records import ConflictRecord, WorkstreamRecord
from uet_tui.core.states import (
    CONFLICT_OPEN,
    WorkstreamState,
)


def merged(board: Board, event: Merged) -> None:
    """The integration branch moved: what waited for this workstream may start."""
    record, run = board.workstream(event.workstream), board.records.run
    if record.state is not WorkstreamState.MERGING:
        return
    leave(board, record)
    if event.gates:
        keep_gates(board, event.gates)
    run.tip = event.tip
    board.touch_run()
    record.merge_commit = event.tip
    board.move_workstream(record, WorkstreamState.MERGED, "")
    if record.conflict is not None:
        conflict = board.records.conflicts[record.conflict]
        if conflict.state in CONFLICT_OPEN:
            # What was said of an earlier resolution as merged does not speak of this one.
            conflict.gates = event.gates or tuple(gate for gate in conflict.gates if gate.where != "merged")
            board.move_conflict(conflict, climbing.closed(board, conflict))
        board.tell(
            vocabulary.CONFLICT_RESOLVED,
            f"conflict {conflict.id} of {record.id} resolved by {conflict.by or 'the operator'}",
            workstream=record.id,
            conflict=conflict.id,
        )
    announce_merge(board, record, f"merged as {event.tip[:7]}")


def announce_merge(board: Board, record: WorkstreamRecord, how: str) -> None:
    """Tells that a workstream needs nothing more, and lets go on what waited for it."""
    board.tell(
        vocabulary.WORKSTREAM_MERGED,
        f"{record.id} {how}",
        workstream=record.id,
        attempt=record.attempts,
        commit=record.merge_commit,
    )
    board.unblock(record.id)


def merge_conflicted(board: Board, event: MergeConflicted) -> None:
    """Git could not merge alone: this workstream starts up the ladder, everything else goes on."""
    record = board.workstream(event.workstream)
    if record.state is not WorkstreamState.MERGING:
        return
    leave(board, record)
    if record.conflict is not None:
        old = board.records.conflicts[record.conflict]
        if old.state in CONFLICT_OPEN:
            board.move_conflict(old, climbing.closed(board, old))
            old.by = f"{old.by}; the branch moved on and it came up again".lstrip("; ")
    conflict = ConflictRecord(
        f"c{1 + max((int(id[1:]) for id in board.records.conflicts), default=0)}",
        record.id,
        record.attempts,
        event.ours,
        event.theirs,
        event.files,
        event.against,
        board.now,
    )
    board.records.conflicts[conflict.id] = conflict
    board.touch_conflict(conflict)
    board.effects.append(LayOut(conflict.id))
    record.conflict = conflict.id
    climbing.begin(board, conflict)


def merge_deferred(board: Board, event: MergeDeferred) -> None:
    """An entry of a batch goes back into the queue: it is tried again on what became of the batch."""
    record = board.workstream(event.workstream)
    if record.state is WorkstreamState.MERGING:
        come_back(board, record, event.reason)


def merge_failed(board: Board, event: MergeFailed) -> None:
    """The merged tree did not pass: the workstream goes back to be done again on the new tip."""
    record = board.workstream(event.workstream)
    if record.state is not WorkstreamState.MERGING:
        return
    leave(board, record)
    keep_gates(board, event.gates)
    conflict = board.records.conflicts.get(record.conflict or "")
    if conflict is not None and conflict.state in CONFLICT_OPEN:
        climbing.returned(board, conflict, event.problem, event.gates)
        return
    fail(board, record, event.problem, detail=event.detail, retryable=event.retryable)
