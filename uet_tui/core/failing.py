"""What follows where something did not work: another try, or giving up and skipping what depended on it."""

from heapq import heappush

from uet_tui.core import limits, vocabulary
from uet_tui.core.board import Board
from uet_tui.core.records import WorkstreamRecord
from uet_tui.core.retries import Again, delay, note, signature, verdict
from uet_tui.core.states import (
    WORKSTREAM_OVER,
    WorkstreamState,
)

_BECAUSE = "depends on "
"""How the reason begins of what was skipped because of another; what the operator skipped has another reason."""


_LESS_CONTEXT = 0.5
"""How much of its context an agent gets after one that did not fit: the next try is the last, so it must do."""


def fail(
    board: Board, record: WorkstreamRecord, error: str, *, tree: str = "", detail: str = "", retryable: bool = True
) -> None:
    """An attempt did not bring the workstream forward: try again or give up, as the circuit breaker says.

    Args:
        board: the run.
        record: the workstream that failed.
        error: why, in one line: the reason on the screen, and what repeats are told by.
        tree: what stands for what the attempt changed, if that was what was wrong.
        detail: what the next attempt's agent should read besides, such as the end of a gate's output.
        retryable: False where another try cannot end otherwise.
    """
    mark = signature(error)
    record.error_repeats = record.error_repeats + 1 if mark == record.error_signature else 0
    record.error_signature = mark
    if tree:
        record.result_repeats = record.result_repeats + 1 if tree == record.result_tree else 0
        record.result_tree = tree
    record.note = note(error, detail)
    unpaid = limits.used_up(board, record, record.agent)
    if unpaid:
        give_up(board, record, WorkstreamState.FAILED, f"{error}; {unpaid}")
        return
    breaker = board.plan.workstreams[record.id].circuit_breaker
    match verdict(record, breaker, board.policy, error, retryable=retryable):
        case Again(seconds):
            try_again(board, record, error, seconds)
        case given_up:
            give_up(board, record, given_up.state, given_up.reason)


def try_again(board: Board, record: WorkstreamRecord, error: str, seconds: float) -> None:
    """Makes a workstream PENDING again, to start after a delay in seconds."""
    record.retry_at = board.now + seconds
    reason = f"attempt {record.attempts} failed ({error}); tries again"
    board.move_workstream(record, WorkstreamState.PENDING, reason)
    heappush(board.timers, (record.retry_at, record.id))
    board.tell(
        vocabulary.RETRY_SCHEDULED,
        f"{record.id} tries again in {seconds:.0f} s: {error}",
        severity="warning",
        workstream=record.id,
        attempt=record.attempts,
        at=record.retry_at,
    )


def wait_for_provider(board: Board, record: WorkstreamRecord, provider: str, error: str) -> None:
    """Has a workstream wait until its provider is asked again: it counts neither as a try nor as an error."""
    record.granted_attempts += 1
    board.move_workstream(record, WorkstreamState.PENDING, f"attempt {record.attempts} was turned away ({error})")
    board.tell(
        vocabulary.RETRY_SCHEDULED,
        f"{record.id} goes on when provider {provider} does: {error}",
        severity="warning",
        workstream=record.id,
        attempt=record.attempts,
        provider=provider,
    )
    board.wait_for_turn(record.id)


def shrink_context(board: Board, record: WorkstreamRecord, error: str) -> None:
    """Tries once more with less context, where what the agent had to read was too much for its model."""
    if record.context_share < 1.0:
        give_up(board, record, WorkstreamState.FAILED, f"{error}; with {record.context_share:.0%} of its context, too")
        return
    record.context_share = _LESS_CONTEXT
    record.granted_attempts += 1
    try_again(board, record, error, delay(record.id, record.attempts, board.policy))


def give_up(board: Board, record: WorkstreamRecord, state: WorkstreamState, reason: str) -> None:
    """Ends a workstream without a merge, and skips what depended on it."""
    board.move_workstream(record, state, reason)
    type = vocabulary.WORKSTREAM_QUARANTINED if state is WorkstreamState.QUARANTINED else vocabulary.WORKSTREAM_FAILED
    type = vocabulary.WORKSTREAM_SKIPPED if state is WorkstreamState.SKIPPED else type
    text = f"{record.id} {state.value.lower()}: {reason}"
    board.tell(type, text, severity="error", workstream=record.id, attempt=record.attempts or None)
    word = {WorkstreamState.SKIPPED: "was skipped"}.get(state, f"is {state.value}")
    skip_dependents(board, record.id, f"{record.id} {word}")


def skip_dependents(board: Board, root: str, cause: str) -> None:
    """Skips all that waits for a workstream which will not merge."""
    waiting = list(board.plan.dependents.get(root, ()))
    while waiting:
        id = waiting.pop()
        record = board.workstream(id)
        if record.state is not WorkstreamState.PENDING:
            continue
        board.move_workstream(record, WorkstreamState.SKIPPED, f"{_BECAUSE}{root}: {cause}")
        board.tell(
            vocabulary.WORKSTREAM_SKIPPED, f"{id} skipped: {cause}", severity="warning", workstream=id, root=root
        )
        waiting.extend(board.plan.dependents.get(id, ()))


def revive(board: Board, id: str) -> None:
    """Makes PENDING again what was skipped because of a workstream that goes on now."""
    waiting = list(board.plan.dependents.get(id, ()))
    while waiting:
        dependent = waiting.pop()
        record = board.workstream(dependent)
        needs = board.plan.workstreams[dependent].depends_on
        dead = [d for d in needs if board.workstream(d).state in WORKSTREAM_OVER - {WorkstreamState.MERGED}]
        if record.state is not WorkstreamState.SKIPPED or dead or not record.reason.startswith(_BECAUSE):
            continue
        board.move_workstream(record, WorkstreamState.PENDING)
        board.wait_for_turn(dependent)
        waiting.extend(board.plan.dependents.get(dependent, ()))
