"""Waiting for a condition, with a limit: the only way in which a test waits."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(predicate: Callable[[], T], seconds: float = 10, what: str = "", every: float = 0.02) -> T:
    """The first true value that `predicate` returns, looked for every `every` seconds.

    Raises:
        AssertionError: nothing true came within `seconds`; names `what` and the last value.
    """
    end = time.monotonic() + seconds
    while not (found := predicate()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain for {what or predicate}; last seen: {found!r}")
        time.sleep(every)
    return found
