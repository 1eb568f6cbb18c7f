"""Holding a process tree still and letting it go on again, for its keeper.

Only the standard library, and little of that: the keeper loads it. `SIGSTOP` cannot be caught, and whatever it finds is
looked at again until nothing moves: what forks while the tree is being stopped is stopped as well.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from uet_tui.engine.processes import stat

FREEZE = "freeze"
"""A file in the attempt's folder: its agent is to stand still. Its keeper looks when it begins, and when rung."""
RING = signal.SIGHUP
"""The signal that has a keeper look. One of an earlier version does nothing on it."""
AGAIN = 5.0
"""Seconds between looks at whether somebody else woke what stands still."""
_PASSES = 200
_STILL = b"TtZX"
"""The states of processes that do not run, as /proc's `stat` names them."""


def wanted() -> bool:
    """Whether the file is there, in the folder that this process is in."""
    return os.path.isfile(FREEZE)  # noqa: PTH113 - importing pathlib costs more than the keeper


class Stillness:
    """Whether what descends from a keeper stands still, and for how long it has."""

    def __init__(self, group: int, members: Callable[[], list[int]]) -> None:
        """`group` is the agent's process group, `members` finds all of the tree, parents before their children."""
        self._group = group
        self._members = members
        self._since: float | None = None
        self._before = 0.0

    def __bool__(self) -> bool:
        """Whether it is to stand still."""
        return self._since is not None

    @property
    def seconds(self) -> float:
        """For how long it stood still, all in all."""
        return self._before + (time.monotonic() - self._since if self._since is not None else 0.0)

    def obey(self, frozen: bool) -> None:
        """Holds it still, or lets it go on; asked twice, it is done once."""
        if frozen:
            self._since = time.monotonic() if self._since is None else self._since
            self.hold()
        else:
            self.go_on()

    def hold(self) -> None:
        """Stops whatever of it runs, until nothing does. What another user runs is left out."""
        self._send(-self._group, signal.SIGSTOP)
        told: set[int] = set()
        for _ in range(_PASSES):
            moving = [pid for pid in self._members() if not self._still(pid, pid in told)]
            if not moving:
                return
            for pid in moving:
                told.add(pid)
                self._send(pid, signal.SIGSTOP)
            time.sleep(0.01)

    def go_on(self) -> None:
        """Lets it go on, children before their parents, so that none is seen to stand still. Its time counts again."""
        if self._since is None:
            return
        for pid in reversed(self._members()):
            self._send(pid, signal.SIGCONT)
        self._send(-self._group, signal.SIGCONT)
        self._before, self._since = self.seconds, None

    def _still(self, pid: int, told: bool) -> bool:
        """Whether a process does not run; one that waits for a device does not, either, once it was told."""
        facts = stat(pid)
        return not facts or facts[0] in (_STILL + b"D" if told else _STILL)

    def _send(self, pid: int, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
