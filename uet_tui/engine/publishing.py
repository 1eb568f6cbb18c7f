"""Showing the operator's repository what was merged, without ever holding the merge queue up."""

import logging
import threading
import time

from uet_tui.core.records import Records
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.failpoints import reached

_log = logging.getLogger(__name__)

_PAUSE = 0.25
"""Seconds between publications: a burst of merges costs the operator's repository one visit, not one each."""
_ON_THE_WAY = (WorkstreamState.QUEUED, WorkstreamState.MERGING, WorkstreamState.MERGED)


def due(place: Workplace, records: Records) -> dict[str, str]:
    """The refs that the operator's repository should have by now: an orchestrator may have died before it set them."""
    run = records.run
    refs = {place.integration: run.tip} if run.tip != run.base_commit else {}
    for (id, number), attempt in records.attempts.items():
        row = records.workstreams[id]
        if attempt.commit is not None and (number < row.attempts or row.state not in _ON_THE_WAY):
            refs[place.attempt_ref(id, number)] = attempt.commit
    for id, row in records.workstreams.items():
        if row.merge_commit is not None and row.result_commit is not None:
            refs[place.result_ref(id)] = row.result_commit
    return refs


class Publisher:
    """A thread that brings refs into the operator's repository; what piles up meanwhile goes in one go."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._waiting: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._changed = threading.Condition()
        self._busy = False
        self._hurry = False
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="uet-publisher", daemon=True)
        self._thread.start()

    def publish(self, refs: dict[str, str]) -> None:
        """Puts refs in line; a later value of the same ref replaces an earlier one."""
        with self._changed:
            self._waiting.update(refs)
            self._changed.notify_all()

    def flush(self) -> None:
        """Waits until all that was put in line has been tried."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout=60)
            self._hurry = False

    def close(self) -> None:
        """Publishes what is left and ends the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(60)

    def _work(self) -> None:
        earliest = 0.0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                self._changed.wait_for(
                    lambda: self._hurry or self._closing, timeout=max(0.0, earliest - time.monotonic())
                )
                refs = self._failed | self._waiting
                self._waiting, self._failed = {}, {}
                if not refs:
                    return
                self._busy = True
            self._publish(refs)
            earliest = time.monotonic() + _PAUSE
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                if self._closing and not self._waiting:
                    return

    def _publish(self, refs: dict[str, str]) -> None:
        try:
            reached("publish.before")
            for ref in self._place.control.publish(refs):
                _log.warning("%s is checked out by the operator and was not moved", ref)
            reached("publish.done")
        except (UetError, OSError) as error:
            # The work is safe in the control repository; the next publication tries these again, or the next resume.
            _log.warning("could not publish %d refs: %s", len(refs), error)
            self._failed = refs
