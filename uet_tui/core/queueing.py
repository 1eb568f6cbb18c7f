"""The merge queue as the operator has it: why each waits, and their acts: hold one, let it go, put one first."""

from collections.abc import Callable, Mapping, Sequence

from uet_tui.core import vocabulary
from uet_tui.core.board import HELD, Board
from uet_tui.core.commands import Command, Refusal, Verb
from uet_tui.core.events import Asked
from uet_tui.core.records import WorkstreamRecord
from uet_tui.core.states import WORKSTREAM_OVER, WorkstreamState

_PLACES = ("1st", "2nd", "3rd", "4th or later")
_TOLD = len(_PLACES) - 1
"""Who is further behind is not told behind whom: every merge would change them all."""
_BACK = "back in the queue: "


def listed(ids: Sequence[str]) -> str:
    """Names in a sentence."""
    return " and ".join([", ".join(ids[:-1]), ids[-1]] if len(ids) > 1 else ids)


def explain(board: Board, moved: int) -> None:
    """Keeps right why each workstream is in the merge queue, where others came to places from `moved` on."""
    board.queue.moved, ahead = None, ""
    if not moved and board.merging:
        ahead = board.batch[0] if len(board.batch) == 1 else f"the batch of {board.batch[0]}"
    for number, record in enumerate(board.queue.next_ones(len(_PLACES), max(0, moved - 1)), max(0, moved - 1)):
        if number >= moved and not record.reason.startswith(_BACK):
            where = f"{_where(record)}: {_PLACES[number]}"
            board.why(record, f"{where}, behind {ahead}" if ahead and number < _TOLD else where)
        ahead = record.id


def explain_batch(board: Board) -> None:
    """Says of each workstream that is merging with whom it is."""
    for id in board.batch:
        others = [other for other in board.batch if other != id]
        board.why(board.workstream(id), f"merging with {listed(others)}" if others else "merging")


def _where(record: WorkstreamRecord) -> str:
    return f"resolution of {record.conflict} in the merge queue" if record.conflict else "in the merge queue"


def come_back(board: Board, record: WorkstreamRecord, reason: str) -> None:
    """Puts an entry of a batch back into the queue: it has waited long enough, and goes before what came later."""
    _answered(board, record)
    record.overtaken = max(record.overtaken, board.policy.patience)
    board.move_workstream(record, WorkstreamState.QUEUED, _where(record))
    board.tell(
        vocabulary.MERGE_DEFERRED,
        f"{record.id} is {_BACK}{reason}",
        workstream=record.id,
        attempt=record.attempts,
    )
    board.enqueue(record.id)
    board.why(record, f"{_BACK}{reason}")


def leave(board: Board, record: WorkstreamRecord) -> None:
    """Notes that an entry of the batch under way leaves the queue for good, or until it has another result."""
    _answered(board, record)
    record.queued_at, record.overtaken, record.first = None, 0, False


def _answered(board: Board, record: WorkstreamRecord) -> None:
    board.merging.discard(record.id)
    if not board.merging:
        board.queue.moved = 0


def _hold(board: Board, event: Asked) -> str:
    record = _waiting(board, event.command)
    if record.held:
        raise Refusal(f"{record.id} is held already")
    record.held = True
    board.touch_workstream(record)
    if record.state is WorkstreamState.PENDING:
        board.ready_ids.discard(record.id)
        board.why(record, HELD)
    elif record.state is WorkstreamState.QUEUED:
        board.queue.add(record)
        board.why(record, HELD)
    else:
        return f"{record.id} is held: it is not merged until you let it go"
    return f"{record.id} is held until you let it go"


def _release(board: Board, event: Asked) -> str:
    record = named(board, event.command)
    if not record.held:
        raise Refusal(f"{record.id} is not held")
    record.held = False
    board.touch_workstream(record)
    if record.state is WorkstreamState.PENDING:
        again = f"attempt {record.attempts} failed; tries again"
        board.why(record, again if record.retry_at is not None else "")
        board.wait_for_turn(record.id)
    elif record.state is WorkstreamState.QUEUED:
        board.queue.add(record)
        board.why(record, _where(record))
    return f"{record.id} goes on"


def _first(board: Board, event: Asked) -> str:
    record = _waiting(board, event.command)
    if record.first:
        raise Refusal(f"{record.id} is to be merged first already")
    record.first = True
    board.touch_workstream(record)
    if record.state is WorkstreamState.QUEUED:
        board.queue.add(record)
        later = "; it is held, so let it go as well" if record.held else ""
        return f"{record.id} is merged next{later}"
    return f"{record.id} is merged before others once it is done"


def _waiting(board: Board, command: Command) -> WorkstreamRecord:
    record = named(board, command)
    if record.state in WORKSTREAM_OVER:
        raise Refusal(f"{record.id} is {record.state.value}: it is not going to be merged")
    if record.state is WorkstreamState.MERGING:
        raise Refusal(f"{record.id} is being merged just now")
    return record


def named(board: Board, command: Command) -> WorkstreamRecord:
    """The workstream that a command names.

    Raises:
        Refusal: it names none, or none of this run.
    """
    if command.workstream is None:
        raise Refusal(f"{command.verb.value} needs a workstream")
    record = board.records.workstreams.get(command.workstream)
    if record is None:
        raise Refusal(f"this run has no workstream {command.workstream}")
    return record


ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {
    Verb.HOLD: _hold,
    Verb.RELEASE: _release,
    Verb.FIRST: _first,
}
"""Each act takes a command and returns a line for the operator; it raises `Refusal`."""
