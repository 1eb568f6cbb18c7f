"""The core's one entrance: an event and the time go in, changed records and effects come out."""

from dataclasses import dataclass

from uet_tui.core import ending, outcomes, scheduling, steering
from uet_tui.core.board import Board
from uet_tui.core.effects import Effect
from uet_tui.core.events import (
    Asked,
    AttemptEnded,
    AttemptStarted,
    Began,
    Collected,
    Event,
    Landed,
    LandingRefused,
    MergeConflicted,
    Merged,
    MergeFailed,
    Noted,
    Progressed,
    Ticked,
    WorkerBroken,
    WorkerReady,
)
from uet_tui.core.policy import Policy
from uet_tui.core.records import Changes, Records
from uet_tui.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Step:
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
        self._take(event)
        if not isinstance(event, Progressed | AttemptStarted | Noted):
            scheduling.schedule(board)
            ending.conclude(board)
        step = Step(board.changes, tuple(board.effects))
        board.changes, board.effects = Changes(), []
        return step

    def _take(self, event: Event) -> None:
        board = self.board
        match event:
            case AttemptEnded():
                outcomes.attempt_ended(board, event)
            case Collected():
                outcomes.collected(board, event)
            case Merged():
                outcomes.merged(board, event)
            case AttemptStarted():
                outcomes.attempt_started(board, event)
            case Progressed(number, doing):
                worker = board.records.workers.get(number)
                if worker is not None and worker.doing != doing and worker.workstream is not None:
                    worker.doing = doing
                    board.touch_worker(worker)
            case Ticked():
                pass
            case WorkerReady():
                outcomes.worker_ready(board, event)
            case WorkerBroken():
                outcomes.worker_broken(board, event)
            case MergeConflicted():
                outcomes.merge_conflicted(board, event)
            case MergeFailed():
                outcomes.merge_failed(board, event)
            case Asked():
                steering.asked(board, event)
            case Landed():
                ending.landed(board, event)
            case LandingRefused():
                ending.landing_refused(board, event)
            case Began():
                ending.began(board, event)
            case Noted():
                board.tell(
                    event.type,
                    event.text,
                    severity=event.severity,
                    workstream=event.workstream,
                    worker=event.worker,
                    attempt=event.attempt,
                    **event.data,
                )

    def next_wakeup(self) -> float | None:
        """When time alone will next change something: seconds since the epoch, or None."""
        return scheduling.next_wakeup(self.board)
