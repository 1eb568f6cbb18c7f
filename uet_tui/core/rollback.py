"""Undoing a run: its merges in reverse order, one commit each, with the compensation actions.

A run that is rolled back is CANCELLED from the first moment, and all of it is over: whatever ends the rollback before
its time, nothing else begins until the operator says so. Asked again, it goes on where it was.
"""

from collections.abc import Callable, Mapping, Sequence

from uet_tui.core import climbing, vocabulary
from uet_tui.core.board import Board, Landing
from uet_tui.core.commands import Answer, Refusal, Verb
from uet_tui.core.effects import Land, LetGo, Reply, Revert
from uet_tui.core.events import Asked, Reverted, RevertFailed
from uet_tui.core.states import (
    CONFLICT_OPEN,
    WORKSTREAM_OVER,
    ConflictState,
    RunState,
    WorkerState,
    WorkstreamState,
)
from uet_tui.core.workers import terminate

MEANWHILE = frozenset({Verb.ROLLBACK, Verb.DETACH})
"""What can be asked for while a rollback is in progress."""
_ROLLED_BACK = "rolled back"
_IN_PROGRESS = "being rolled back; if nobody is at it any more, `uet rollback` goes on"


def _roll_back(board: Board, event: Asked) -> str:
    if board.rollback is not None:
        board.rollback.append(event.command.id)  # whoever asks again waits for the same end
        return ""
    _check(board)
    board.rollback = [event.command.id]
    _end_run(board)
    _go_on(board)
    return ""


ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {Verb.ROLLBACK: _roll_back}
"""Each act takes a command and returns a line for the operator; it raises `Refusal`."""


def _check(board: Board) -> None:
    run = board.records.run
    if board.landing is not None:
        raise Refusal("a landing is in progress: roll back when it is done")
    if run.state in (RunState.RUNNING, RunState.DRAINING):
        raise Refusal(
            f"the run is {run.state.value}: end it with `uet stop` first; where nobody has it any more, `uet resume` "
            "takes it up"
        )
    at_work = board.active - board.queue.held
    if at_work:
        id = min(at_work)
        state = board.workstream(id).state.value
        raise Refusal(f"{id} is {state}: roll back when that is done")
    for conflict in board.records.conflicts.values():
        if conflict.state in CONFLICT_OPEN and climbing.busy(conflict):
            raise Refusal(f"conflict {conflict.id} is being resolved: roll back when that is done")
        if conflict.asking:  # of a run that is cancelled nobody would count what it used
            then = "" if board.dispatching else "; `uet resume` sees to that"
            raise Refusal(f"an agent is at conflict {conflict.id}: roll back when it is gone{then}")
    if _newest(board) is None and not _to_be_landed(board):
        raise Refusal(
            f"the run was {_ROLLED_BACK} already: nothing of it is merged any more"
            if run.state is RunState.CANCELLED
            else "nothing was merged, so there is nothing to roll back"
        )


def _end_run(board: Board) -> None:
    """Cancels what is not over, so that nothing is begun while merges are undone, nor after that by itself."""
    run = board.records.run
    if run.state is not RunState.CANCELLED:
        run.ended_at = board.now
    board.move_run(RunState.CANCELLED, _IN_PROGRESS)
    for conflict in board.records.conflicts.values():
        if conflict.state in CONFLICT_OPEN:
            climbing.supersede(board, conflict)
            board.move_conflict(conflict, ConflictState.QUARANTINED)
    for record in board.records.workstreams.values():
        if record.state not in WORKSTREAM_OVER:
            record.retry_at, record.queued_at = None, None
            board.move_workstream(record, WorkstreamState.CANCELLED, f"the run was {_ROLLED_BACK} before it could")
    for worker in board.records.workers.values():
        if worker.state is not WorkerState.TERMINATED:
            terminate(board, worker)
    board.free.clear()


def _newest(board: Board) -> Revert | None:
    """What undoes the newest merge that is not undone; None if there is none any more.

    The clock may have been set back, so what others were built on waits for them whatever its time. What needed no
    change has no merge: its compensation actions run all the same, in its turn.
    """
    merged = {id: row for id, row in board.records.workstreams.items() if row.state is WorkstreamState.MERGED}
    built_on = {
        row.merge_commit or id
        for id, row in merged.items()
        if any(dependent in merged for dependent in board.plan.dependents.get(id, ()))
    }
    last = max(
        (row for id, row in merged.items() if (row.merge_commit or id) not in built_on),
        key=lambda record: (record.ended_at or 0.0, record.wave, record.id),
        default=None,
    )
    if last is None:
        return None
    tip = board.records.run.tip
    if last.merge_commit is None:
        return Revert("", (last.id,), tip, f"{last.id}.{last.attempts}")
    together = sorted((id for id, row in merged.items() if row.merge_commit == last.merge_commit), reverse=True)
    return Revert(last.merge_commit, tuple(together), tip, last.merge_commit)


def _to_be_landed(board: Board) -> bool:
    """Whether the target branch holds merges that the integration branch has undone since."""
    run = board.records.run
    return run.landed_commit is not None and run.landed_commit != run.tip and run.target_branch is not None


def _go_on(board: Board) -> None:
    run = board.records.run
    newest = _newest(board)
    if newest is not None:
        board.effects.append(newest)
    elif _to_be_landed(board):
        board.landing = Landing(run.target_branch or "", [])
        board.effects.append(Land(board.landing.target))
    else:
        _done(board, f"uet/{run.id} holds nothing of the run any more" if run.tip != run.base_commit else "")


def reverted(board: Board, event: Reverted) -> None:
    """A merge is undone: its workstreams are as if they had never been merged, and the next one's turn has come."""
    if board.rollback is None:
        return
    ids = _workstreams_of(board, event.commit)
    _move_tip(board, event.tip)
    for id in ids:
        record = board.workstream(id)
        record.merge_commit = record.conflict = None
        board.move_workstream(record, WorkstreamState.CANCELLED, _ROLLED_BACK)
        for dependent in board.plan.dependents.get(id, ()):
            board.unmet[dependent] += 1
    board.tell(
        vocabulary.MERGE_REVERTED,
        f"{', '.join(ids)} {_ROLLED_BACK}" + (f": {event.tip[:7]} undoes {event.commit[:7]}" if event.commit else ""),
        workstream=ids[0] if len(ids) == 1 else None,
        workstreams=list(ids),
        commit=event.commit,
        tip=event.tip,
    )
    _go_on(board)


def revert_failed(board: Board, event: RevertFailed) -> None:
    """A merge could not be undone, or an action failed: the rollback stops there and goes on when asked again."""
    if board.rollback is None:
        return
    if event.tip is not None:
        _move_tip(board, event.tip)
    where = ", ".join(_workstreams_of(board, event.commit))
    message = f"the rollback stopped at {where}: {event.problem}"
    board.move_run(RunState.CANCELLED, message)
    board.tell(
        vocabulary.ROLLBACK_STOPPED,
        message,
        severity="error",
        commit=event.commit,
        tip=event.tip,
    )
    _answer(board, False, f"{message}; `uet rollback` goes on from there")


def landed(board: Board, text: str) -> None:
    """The target branch is where the integration branch is: what was landed is undone there, too."""
    run = board.records.run
    run.landed_at = run.landed_commit = None
    _done(board, text)


def landing_refused(board: Board, why: str) -> None:
    """All is undone on the integration branch, but the target branch could not follow."""
    run = board.records.run
    text = f"{_ROLLED_BACK} on uet/{run.id}, but {run.target_branch} still holds the run: {why}"
    board.move_run(RunState.CANCELLED, text)
    board.tell(vocabulary.ROLLBACK_STOPPED, text, severity="warning", tip=run.tip)
    _answer(board, False, f"{text}; then `uet rollback` once more puts it on record")


def _done(board: Board, text: str) -> None:
    run = board.records.run
    board.move_run(RunState.CANCELLED, _ROLLED_BACK)
    message = f"run {run.id} {_ROLLED_BACK}" + (f": {text}" if text else "")
    board.tell(vocabulary.ROLLBACK_DONE, message, tip=run.tip)
    _answer(board, True, message)


def _workstreams_of(board: Board, commit: str) -> Sequence[str]:
    """Whose merge a commit is; without one, what the rollback is at: the newest that needed no change."""
    if commit:
        rows = board.records.workstreams.values()
        return sorted((r.id for r in rows if r.merge_commit == commit), reverse=True)
    newest = _newest(board)
    return newest.workstreams if newest else ()


def _move_tip(board: Board, tip: str) -> None:
    if board.records.run.tip != tip:
        board.records.run.tip = tip
        board.touch_run()


def _answer(board: Board, ok: bool, message: str) -> None:
    for id in board.rollback or ():
        board.effects.append(Reply(Answer(id=id, ok=ok, message=message)))
    board.rollback = None
    if board.dispatching:
        board.effects.append(LetGo("over"))
