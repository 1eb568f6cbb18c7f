"""Warning the operator before what runs leave on the disk takes more than they want."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from uet_tui.engine.metering import size

_NEARLY: Final = 0.8
"""The share of the budget from which on it is told."""
_REST_SECONDS: Final = 60.0
_REST_FACTOR: Final = 50
"""It rests for so many times what a look took: of many files a look is long."""
_GB: Final = 1e9


def warning(used: int, budget_gb: float) -> str:
    """What there is to say of so many bytes under a budget; empty where there is nothing."""
    if not budget_gb or used < _NEARLY * budget_gb * _GB:
        return ""
    how = "more than" if used > budget_gb * _GB else f"{100 * used / (budget_gb * _GB):.0f} % of what"
    told = f".uet/ takes {used / _GB:.1f} GB, {how} disk_budget_gb allows ({budget_gb:g})"
    return f"{told}: `uet clean` frees what is merged"


class DiskBudget:
    """Looks now and then, in a thread of its own, how much a folder takes."""

    def __init__(self, folder: Path, budget_gb: float, look: Callable[[str], int] = size) -> None:
        """`folder` is measured by `look`, in bytes; a `budget_gb` of 0 is none."""
        self._folder = str(folder)
        self._budget_gb = budget_gb
        self._look = look
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="uet-disk-budget", daemon=True)
        self.warning = ""
        """What there is to say, as of the last look."""

    def start(self) -> None:
        """Begins to look, if there is a budget."""
        if self._budget_gb:
            self._thread.start()

    def close(self) -> None:
        """Ends it; a look under way ends by itself."""
        self._closing.set()

    def _work(self) -> None:
        while not self._closing.is_set():
            begun = time.monotonic()
            self.warning = warning(self._look(self._folder), self._budget_gb)
            self._closing.wait(max(_REST_SECONDS, _REST_FACTOR * (time.monotonic() - begun)))
