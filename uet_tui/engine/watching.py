"""Watching attempts: which ended, which were lost, which can be adopted, and what their agents say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.events import AttemptEnded, AttemptStarted, Event, Noted, Progressed
from uet_tui.core.records import AttemptRecord
from uet_tui.core.states import ATTEMPT_OVER, AttemptState
from uet_tui.engine import attempts
from uet_tui.engine.attempting import ending_of
from uet_tui.engine.workplace import Workplace
from uet_tui.store.paths import OUTPUT
from uet_tui.text import one_line

_YOUNG: Final = 5.0
"""Seconds within which a keeper that was started is taken to be on its way to its lock."""
_TAIL: Final = 400
"""Bytes of output from which the last line is taken."""


class Watch:
    """Looks at the folders of the attempts that are under way; a folder is the only witness that survives a crash."""

    def __init__(self, place: Workplace, board: Board) -> None:
        self._place = place
        self._board = board

    def _under_way(self) -> Iterator[AttemptRecord]:
        for id in sorted(self._board.active):
            attempt = self._board.attempt(id)
            if attempt is not None and attempt.state not in ATTEMPT_OVER:
                yield attempt

    def recovered(self) -> Iterator[Event]:
        """What became of attempts under way while nobody watched: ended, adopted, or LOST and proven dead."""
        for attempt in self._under_way():
            ended = self._ending(attempt)
            if ended is None and not attempts.prove_dead(self._folder(attempt)):
                yield AttemptStarted(attempt.workstream, attempt.number)
                text = f"{attempt.workstream} attempt {attempt.number} went on meanwhile and was adopted"
                yield Noted(
                    vocabulary.ATTEMPT_ADOPTED, text, "info", attempt.workstream, attempt.worker, attempt.number
                )
            else:
                yield ended or self._ending(attempt) or _lost(attempt)

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
            if attempts.orphaned(folder):
                attempts.end_now(folder)
            young = self._board.now - (attempt.started_at or self._board.now) < _YOUNG
            if (attempts.begun(folder) or not young) and attempts.prove_dead(folder):
                yield self._ending(attempt) or _lost(attempt)
            elif line := last_line(folder / OUTPUT):
                yield Progressed(attempt.worker, self._place.redactor.text(line))

    def _folder(self, attempt: AttemptRecord) -> Path:
        return self._place.paths.attempt(attempt.workstream, attempt.number)

    def _ending(self, attempt: AttemptRecord) -> AttemptEnded | None:
        return ending_of(self._place, attempt.workstream, attempt.number, attempt.agent)


def _lost(attempt: AttemptRecord) -> AttemptEnded:
    error = "its processes are gone and nobody saw how they ended"
    return AttemptEnded(attempt.workstream, attempt.number, AttemptState.LOST, None, error)


def last_line(output: Path) -> str:
    """The last line that an agent printed, made harmless; its reports in JSON do not count."""
    try:
        with output.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith('{"uet"')]
    return one_line(lines[-1], 120) if lines else ""
