"""Keeping the memory of a long run small: what it needed for a moment goes back to the system."""

import ctypes
from contextlib import suppress
from typing import Final

_MMAP_THRESHOLD: Final = -3
"""`M_MMAP_THRESHOLD` of glibc's malloc.h."""
_ARENA_MAX: Final = -8
"""`M_ARENA_MAX`."""
_LARGE: Final = 128 * 1024
"""Bytes from which the system is asked for memory: glibc's own figure, until what the program does has it raised."""


def give_back() -> None:
    """Has threads that begin from now on share one heap, and keeps what is large out of it.

    The C library gives each thread a heap of its own, in which what was needed for a moment stays, and the threads of a
    run are many: with 1,000 workstreams that was half of what it held. Python's threads allocate one at a time, so they
    lose nothing. And once a large piece is freed, it takes the next ones from the heap, where they leave holes. Where
    the C library knows no such thing, nothing happens.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, 1)
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
