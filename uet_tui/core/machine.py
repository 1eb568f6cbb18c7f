"""The core's one entrance: an event and the time go in, changed records and effects come out."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from uet_tui.core import (
    asking,
    attempts,
    climbing,
    ending,
    landing,
    merges,
    pairs,
    rollback,
    room,
    scheduling,
    steering,
    workers,
)
from uet_tui.core.board import Board
from uet_tui.core.changes import Changes
from uet_tui.core.effects import Effect
from uet_tui.core.events import (
    AgentAnswered,
    Asked,
    AskReported,
    AttemptEnded,
    AttemptStarted,
    Began,
    Climbed,
    Collected,
    Event,
    Forecast,
    Landed,
    LandingRefused,
    MergeConflicted,
    Merged,
    MergeDeferred,
    MergeFailed,
    Noted,
    Progressed,
    Reverted,
    RevertFailed,
    Room,
    Ticked,
    UsageReported,
    WorkerBroken,
    WorkerReady,
)
from uet_tui.core.policy import Policy
from uet_tui.core.records import Records
from uet_tui.plan.model import Plan


class Step(NamedTuple):
    """What came of some events: what to commit, then what to do."""

    changes: Changes
    effects: tuple[Effect, ...]


class Machine:
    """A run that is driven by events. Same plan, records and events: same steps, on every machine."""

    def __init__(self, plan: Plan, policy: Policy, records: Records) -> None:
        self.board = Board(plan, policy, records)

    def step(self, event: Event, now: float) -> Step:
        """Takes one event at a time `now` (seconds since the epoch).

        Raises:
            TransitionError: the event contradicts the state; nothing that it would have changed may be committed.
        """
        board = self.board
        board.now = now
        _ACTS[type(event)](board, event)
        if not board.begun:
            board.effects.clear()  # the records imply them: they are asked for when the run begins
        elif type(event) not in _QUIET:
            scheduling.schedule(board)
            if board.records.conflicts:
                asking.go_on(board)
            if board.dispatching or type(event) is not Began:  # the command that is to be carried out comes next
                ending.conclude(board)
        step = Step(board.changes, tuple(board.effects))
        board.changes, board.effects = Changes(), []
        return step

    def next_wakeup(self) -> float | None:
        """When time alone will next change something: seconds since the epoch, or None."""
        return scheduling.next_wakeup(self.board)


def _progressed(board: Board, event: Progressed) -> None:
    worker = board.records.workers.get(event.worker)
    if worker is not None and worker.doing != event.doing and worker.workstream is not None:
        worker.doing = event.doing
        board.touch_worker(worker)


def _noted(board: Board, event: Noted) -> None:
    board.tell(
        event.type,
        event.text,
        severity=event.severity,
        workstream=event.workstream,
        worker=event.worker,
        attempt=event.attempt,
        **event.data,
    )


def _ticked(board: Board, event: Ticked) -> None:
    """Time alone changes nothing but what the scheduler sees."""


_ACTS: Mapping[type[Event], Callable[[Board, Any], None]] = {  # Any: each function takes the event that it stands by
    AttemptEnded: attempts.attempt_ended,
    AttemptStarted: attempts.attempt_started,
    UsageReported: attempts.usage_reported,
    Collected: attempts.collected,
    Merged: merges.merged,
    MergeConflicted: merges.merge_conflicted,
    MergeFailed: merges.merge_failed,
    MergeDeferred: merges.merge_deferred,
    Climbed: climbing.climbed,
    AskReported: asking.ask_reported,
    AgentAnswered: asking.agent_answered,
    Reverted: rollback.reverted,
    RevertFailed: rollback.revert_failed,
    Forecast: pairs.forecast,
    WorkerReady: workers.worker_ready,
    WorkerBroken: workers.worker_broken,
    Asked: steering.asked,
    Began: ending.began,
    Landed: landing.landed,
    LandingRefused: landing.landing_refused,
    Progressed: _progressed,
    Noted: _noted,
    Room: room.room,
    Ticked: _ticked,
}
_QUIET = frozenset({Progressed, AttemptStarted, UsageReported, AskReported, Noted, Forecast})
"""What cannot make anything ready or free: what an agent spends was set aside for it, or is beyond that."""
