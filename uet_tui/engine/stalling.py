"""Signs of life: an agent that neither prints nor uses the processor for long is seen. It is not ended for that."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil

_LIVELY: Final = 0.01
"""The share of a processor above which a process does something: what only waits wakes up now and then, too."""
_LONGEST_STEP: Final = 5.0
"""Seconds that count between two looks, at most: the machine may have slept, or its clock been set."""
_SAMPLES: Final = 10
"""How often the processor's time is looked at within what counts as a stall."""


@dataclass
class _Sign:
    """What was seen of an attempt last."""

    size: int
    looked: float
    quiet: float = 0.0
    """Seconds without a sign of life."""
    cpu: float | None = None
    sampled: float = 0.0


class Pulse:
    """Feels for signs of life of attempts. The processor's time, which costs more, is looked at only without output."""

    def __init__(self, stall_seconds: float, cpu_of: Callable[[int], float | None]) -> None:
        """`cpu_of` gives the seconds of processor time that a process and all below it have used; None: unknown."""
        self._period = max(1.0, stall_seconds / _SAMPLES)
        self._cpu_of = cpu_of
        self._signs: dict[object, _Sign] = {}

    def quiet(self, key: object, now: float, size: int, pid: int) -> float:
        """For how many seconds an attempt has shown no sign of life.

        Args:
            key: the attempt.
            now: the time.
            size: of its output.
            pid: its keeper.
        """
        sign = self._signs.get(key)
        if sign is None or size != sign.size:
            self._signs[key] = _Sign(size, now)
            return 0.0
        sign.quiet += min(max(0.0, now - sign.looked), _LONGEST_STEP)
        sign.looked = now
        elapsed = now - sign.sampled
        if sign.cpu is None or elapsed >= self._period:
            cpu = self._cpu_of(pid)
            if sign.cpu is not None and cpu is not None and cpu - sign.cpu > _LIVELY * elapsed:
                sign.quiet = 0.0
            sign.cpu, sign.sampled = cpu, now
        return sign.quiet

    def forget(self, keys: set[object]) -> None:
        """Forgets all attempts but these."""
        self._signs = {key: sign for key, sign in self._signs.items() if key in keys}


def cpu_of_tree(pid: int) -> float | None:
    """The seconds of processor time that a process, what descends from it, and what of that has ended, used."""
    try:
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except (psutil.Error, ValueError, OverflowError):  # no process has such a number
        return None
    used = 0.0
    for process in tree:
        with suppress(psutil.Error):  # it ended meanwhile, and counts with its parent
            used += sum(process.cpu_times()[:4])
    return used


def span(seconds: float) -> str:
    """A time without a sign of life, as it is told."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds // 60:.0f} min"
