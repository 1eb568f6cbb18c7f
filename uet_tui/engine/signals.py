"""Signals of the operator, taken as calls for a while: what is under way is brought to a sound end instead of torn."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType


@contextmanager
def handled(handlers: Mapping[int, Callable[[int, FrameType | None], None] | signal.Handlers]) -> Iterator[None]:
    """Has signals, by their numbers, handled so meanwhile; only the main thread can, elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
