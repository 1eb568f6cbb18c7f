"""Showing the operator's repository what was merged, without ever holding the merge queue up."""

import logging
import threading

from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError

_log = logging.getLogger(__name__)

_PAUSE = 0.25
"""Seconds between publications: a burst of merges costs the operator's repository one visit, not one each."""


class Publisher:
    """A thread that brings refs into the operator's repository; what piles up meanwhile goes in one go."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._waiting: dict[str, str] = {}
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
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                self._changed.wait_for(lambda: self._hurry or self._closing, timeout=_PAUSE)
                refs, self._waiting = self._waiting, {}
                if not refs:
                    return
                self._busy = True
            try:
                held_back = self._place.control.publish(refs)
                for ref in held_back:
                    _log.warning("%s is checked out by the operator and was not moved", ref)
            except UetError as error:
                # The work is safe in the control repository; the next publication carries the newest refs again.
                _log.warning("could not publish %d refs: %s", len(refs), error)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
