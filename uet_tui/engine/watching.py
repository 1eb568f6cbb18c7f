"""Watching attempts: which ended, which were lost, which can be adopted, and what their agents say."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.events import AttemptEnded, AttemptStarted, Event, Noted, Progressed, UsageReported
from uet_tui.core.records import AttemptRecord
from uet_tui.core.states import ATTEMPT_OVER, AttemptState
from uet_tui.engine import attempts, liveness
from uet_tui.engine.attempting import ended_so, ending_of, hearing_of
from uet_tui.engine.hearing import Hearing
from uet_tui.engine.leavings import redact_folder
from uet_tui.engine.processes import end_carrying
from uet_tui.engine.stalling import Pulse, cpu_of_tree, span
from uet_tui.engine.workplace import Workplace
from uet_tui.store.paths import OUTPUT

_YOUNG: Final = 5.0
"""Seconds within which a keeper that was started is taken to be on its way to its lock."""


class Watch:
    """Looks at the folders of the attempts that are under way; a folder is the only witness that survives a crash."""

    def __init__(self, place: Workplace, board: Board) -> None:
        self._place = place
        self._board = board
        self._hearings: dict[tuple[str, int], Hearing] = {}
        self._pulse = Pulse(place.settings.stall_seconds, cpu_of_tree)
        self._stalled: set[object] = set()
        self._stopped: set[object] = set()
        """Attempts whose keeper was found stopped."""

    def _under_way(self) -> Iterator[AttemptRecord]:
        for id in sorted(self._board.active):
            attempt = self._board.attempt(id)
            if attempt is not None and attempt.state not in ATTEMPT_OVER:
                yield attempt

    def recovered(self) -> Iterator[Event]:
        """What became of attempts under way while nobody watched: ended, adopted, or LOST and proven dead."""
        for attempt in self._under_way():
            ended = self._ending(attempt)
            if ended is None and not liveness.prove_dead(self._folder(attempt)):
                yield AttemptStarted(attempt.workstream, attempt.number)
                became = "is frozen still" if attempt.frozen_at is not None else "went on meanwhile"
                text = f"{attempt.workstream} attempt {attempt.number} {became} and was adopted"
                yield Noted(
                    vocabulary.ATTEMPT_ADOPTED, text, "info", attempt.workstream, attempt.worker, attempt.number
                )
            else:
                yield ended or self._ending(attempt) or self._lost(attempt)

    def ended(self) -> Iterator[Event]:
        """Attempts that say how they ended."""
        for attempt in self._under_way():
            if attempt.state is AttemptState.RUNNING and (ended := self._ending(attempt)) is not None:
                yield ended

    def swept(self) -> Iterator[Event]:
        """Attempts that are gone without a word, and the last line of those that live."""
        for attempt in self._under_way():
            if attempt.state is not AttemptState.RUNNING:
                continue
            folder = self._folder(attempt)
            if liveness.wake_keeper(folder):
                yield from self._woken(attempt)
            if liveness.orphaned(folder):
                attempts.end_now(folder)
            young = self._board.now - (attempt.started_at or self._board.now) < _YOUNG
            if (liveness.begun(folder) or not young) and liveness.prove_dead(folder):
                yield self._ending(attempt) or self._lost(attempt)
            else:
                self._make_sure_of_stillness(attempt, folder)
                yield from self._news(attempt, folder)
        awake = (attempt for attempt in self._under_way() if attempt.frozen_at is None)
        self._pulse.forget({(attempt.workstream, attempt.number) for attempt in awake})

    def _make_sure_of_stillness(self, attempt: AttemptRecord, folder: Path) -> None:
        """Has an agent stand still or go on as the record says, where an orchestrator died before it could ask."""
        frozen = attempt.frozen_at is not None
        if frozen is not attempts.frozen(folder) and not attempts.asked_to_end(folder):
            (attempts.freeze if frozen else attempts.thaw)(folder)

    def _woken(self, attempt: AttemptRecord) -> Iterator[Event]:
        """Tells once that the keeper of an attempt was stopped: its agent may do it as often as it likes."""
        key = (attempt.workstream, attempt.number)
        if key not in self._stopped:
            self._stopped.add(key)
            text = f"{attempt.workstream} attempt {attempt.number}: its keeper was stopped by a signal; it goes on"
            yield Noted(vocabulary.ATTEMPT_STALLED, text, "warning", attempt.workstream, attempt.worker, attempt.number)

    def _news(self, attempt: AttemptRecord, folder: Path) -> Iterator[Event]:
        """What an agent used and does, or that it shows no sign of life: an event once for each time that it stalls."""
        doing, reports = self._hearing(attempt).look()
        if reports is not None:
            yield UsageReported(attempt.workstream, attempt.number, reports)
        if attempt.frozen_at is not None:  # whose pulse is felt from the beginning once it goes on
            return
        key, limit = (attempt.workstream, attempt.number), self._place.settings.stall_seconds
        quiet = self._pulse.quiet(key, self._board.now, size_of(folder / OUTPUT), liveness.keeper_of(folder))
        if 0 < limit <= quiet:
            if key not in self._stalled:
                self._stalled.add(key)
                text = (
                    f"{attempt.workstream} attempt {attempt.number} shows no sign of life: for {span(quiet)} it has "
                    "printed nothing and used no processor time"
                )
                yield Noted(
                    vocabulary.ATTEMPT_STALLED, text, "warning", attempt.workstream, attempt.worker, attempt.number
                )
            yield Progressed(attempt.worker, f"no sign of life for {span(quiet)}")
        elif doing or key in self._stalled:
            self._stalled.discard(key)
            yield Progressed(attempt.worker, doing)

    def _folder(self, attempt: AttemptRecord) -> Path:
        return self._place.paths.attempt(attempt.workstream, attempt.number)

    def _hearing(self, attempt: AttemptRecord) -> Hearing:
        """What hears its agent out; of those that are over none is kept."""
        key = (attempt.workstream, attempt.number)
        if key not in self._hearings:
            self._hearings[key] = hearing_of(self._place, attempt)
        return self._hearings[key]

    def _ending(self, attempt: AttemptRecord) -> AttemptEnded | None:
        ended = ending_of(self._place, attempt, self._hearing(attempt))
        if ended is not None:
            self._hearings.pop((attempt.workstream, attempt.number))
        return ended

    def _lost(self, attempt: AttemptRecord) -> AttemptEnded:
        """The end of an attempt whose keeper was killed, and with it what it would still have done.

        Where its folder is gone, no lock tells of what lives on: that must not meet the next attempt.
        """
        end_carrying(self._place.cookie(attempt.workstream, attempt.number))
        with suppress(Exception):  # whatever an agent left: the run goes on
            redact_folder(str(self._folder(attempt)), self._place.redactor)
        lost = ended_so(attempt, attempts.Ended(None, "lost", 0.0), self._hearing(attempt))
        self._hearings.pop((attempt.workstream, attempt.number))
        return lost


def size_of(output: Path) -> int:
    """How much an agent has printed, in bytes."""
    try:
        return output.stat().st_size
    except OSError:
        return 0
