"""Looking ahead: beside the work, what each pair of branches would come to if both were merged as they are now."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from uet_tui.core.events import Event, Forecast
from uet_tui.core.records import AttemptRecord, Records
from uet_tui.core.states import WORKSTREAM_FORECAST, AttemptState
from uet_tui.engine.leaks import Leaks
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.merge.pairs import Branch, Pairs
from uet_tui.workspace.scratch import Scratch
from uet_tui.workspace.unfinished import Unfinished

_log = logging.getLogger(__name__)

_REST: Final = 9
"""How many times as long as it looked it rests at least: so it takes a tenth of one core at most."""
_FULL: Final = 500
"""Snapshots after which all is begun anew, so that what was taken and is of no use any more goes."""
_MOST_FILES: Final = 100
"""Files that are told of a pair: more tell the operator nothing, and the store keeps them all."""
_PATIENCE: Final = 10.0
"""Seconds to wait for a look that is under way; it dies with the process, and the next one removes what it left."""


class Forecaster:
    """Looks every few seconds, in a thread of its own, and reports what changed. It changes nothing itself."""

    def __init__(self, place: Workplace, records: Records, report: Callable[[Event], None]) -> None:
        """The records belong to another thread: they are only read, value by value."""
        self._place = place
        self._records = records
        self._report = report
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uet-forecast", daemon=True)
        self._looking: _Looking | None = None
        self._told: Forecast | None = None
        self._failures: set[str] = set()

    def start(self) -> None:
        """Begins, unless the settings say not to look."""
        if self._place.settings.forecast_seconds > 0:
            self._thread.start()

    def close(self) -> None:
        """Ends it, once a look that is under way is over."""
        self._leaving.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        else:
            self._stop_looking()

    def _run(self) -> None:
        period = self._place.settings.forecast_seconds
        pause = period
        while not self._leaving.wait(pause):
            began = time.monotonic()
            self._guarded()
            pause = max(period, _REST * (time.monotonic() - began))
        self._stop_looking()

    def _guarded(self) -> None:
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - no run may end for a look at it; what went wrong is logged
            self._stop_looking()
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if str(error) not in self._failures:
            self._failures.add(str(error))
            expected = isinstance(error, UetError | OSError)
            _log.warning("cannot look ahead: %s", error, exc_info=None if expected else error)

    def _stop_looking(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.close()

    def look(self) -> None:
        """Looks once, and reports if any pair is not what it was."""
        attempts = self._attempts()
        if len(attempts) < 2:
            self._stop_looking()
            self._tell(Forecast(()))
            return
        if self._looking is None or self._looking.snapshots > _FULL:
            self._stop_looking()
            self._looking = _Looking(self._place, self._failed, self._leaving)
        try:
            found = self._looking.look(attempts)
        except _LeakedError:
            self._stop_looking()
            return
        if found is not None:
            self._tell(found)

    def _tell(self, forecast: Forecast) -> None:
        if forecast != self._told and not self._leaving.is_set():
            self._told = forecast
            self._report(forecast)

    def _attempts(self) -> list[AttemptRecord]:
        """The newest attempt of each workstream whose work is to be merged."""
        rows = [row for row in list(self._records.workstreams.values()) if row.state in WORKSTREAM_FORECAST]
        found = [self._records.attempts.get((row.id, row.attempts)) for row in rows]
        return [attempt for attempt in found if attempt is not None]


class _LeakedError(Exception):
    """An agent wrote a secret while its files were being looked at: nothing of that look may stay."""


class _Looking:
    """What is kept from one look to the next."""

    def __init__(self, place: Workplace, failed: Callable[[Exception], None], leaving: threading.Event) -> None:
        self.snapshots = 0
        self._place = place
        self._failed = failed
        self._leaving = leaving
        self._scratch = Scratch(place.control, place.paths.forecast)
        self._pairs = Pairs(place.control, self._scratch)
        self._unfinished: dict[tuple[str, int], Unfinished] = {}
        self._leaks: dict[tuple[str, int], Leaks] = {}
        self._taken: dict[tuple[str, int], str] = {}
        """The newest snapshot of each attempt that was surely its own work."""
        self._branches: list[Branch] = []

    def close(self) -> None:
        """Removes all of it."""
        self._scratch.close()

    def look(self, attempts: list[AttemptRecord]) -> Forecast | None:
        """What each pair comes to; None if nothing changed, or it was told to leave."""
        current = {(attempt.workstream, attempt.number) for attempt in attempts}
        self._unfinished = {key: work for key, work in self._unfinished.items() if key in current}
        self._leaks = {key: leaks for key, leaks in self._leaks.items() if key in current}
        self._taken = {key: commit for key, commit in self._taken.items() if key in current}
        branches: list[Branch] = []
        for attempt in attempts:
            if self._leaving.is_set():
                return None
            commit = attempt.commit or self._snapshot(attempt)
            if commit is not None:
                branches.append(Branch(attempt.workstream, commit, attempt.base_commit))
        if branches == self._branches:
            return None
        self._branches = branches
        return Forecast(
            tuple(
                (pair.first, pair.second, pair.verdict, pair.files[:_MOST_FILES])
                for pair in self._pairs.look(branches)
                if pair.verdict != "clean"
            )
        )

    def _snapshot(self, attempt: AttemptRecord) -> str | None:
        """The newest snapshot of an attempt that is not collected yet; None while there is none."""
        key = attempt.workstream, attempt.number
        if attempt.state is AttemptState.RUNNING:  # else its sandbox is not made yet, or may be another's by now
            try:
                taken = self._unfinished_of(attempt)
            except (UetError, OSError) as error:
                self._unfinished.pop(key, None)
                self._failed(error)
                return self._taken.get(key)
            if taken is not None and attempt.state is AttemptState.RUNNING:  # it did not end meanwhile
                self._taken[key] = taken
        return self._taken.get(key)

    def _unfinished_of(self, attempt: AttemptRecord) -> str | None:
        key = attempt.workstream, attempt.number
        work = self._unfinished.get(key)
        if work is None:
            sandbox = self._place.sandbox(attempt.worker)
            work = self._unfinished[key] = Unfinished(self._scratch, sandbox, attempt.base_commit)
            self._leaks[key] = Leaks(self._place, sandbox, self._place.paths.attempt(*key) / "start.json")
        unfit = self._leaks[key].look()
        self.snapshots += work.look(unfit)
        if set(self._leaks[key].look()) - set(unfit):
            raise _LeakedError
        return work.commit
