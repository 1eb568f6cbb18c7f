"""What an agent left in its attempt's folder, made fit to keep by its keeper: no secrets, no more than anybody reads.

Only the standard library, and little of that: the keeper loads it.
"""

import os
from contextlib import suppress
from stat import S_ISREG

from uet_tui.folders import prune, walk
from uet_tui.redaction import Redactor, redact_file

_LOOKED_THROUGH = 1 << 30
"""Bytes of an attempt's folder that are looked through for secrets: some seconds of work. What is beyond is cut off."""
_LARGEST = 1 << 28
"""Bytes of one file in it."""


def redact_folder(top: str, redactor: Redactor) -> None:
    """Takes the secrets out of what the agent wrote into the attempt's folder by itself: its logs, its sessions.

    What is more than anybody would look through is cut off: a file of a terabyte costs an agent nothing.
    """
    prune(top)
    left = _LOOKED_THROUGH
    for folder, _, names in walk(top):
        for name in names:
            if name != "output.log":  # that never held any
                with suppress(OSError):
                    left -= _cut(f"{folder}/{name}", min(left, _LARGEST))
                    redact_file(f"{folder}/{name}", redactor)


def _cut(path: str, most: int) -> int:
    """Cuts a file off at so many bytes, and gives how many it has then; 0 for what is no regular file."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(file)
        if not S_ISREG(found.st_mode):
            return 0
        if found.st_size > most:
            os.truncate(path, most)
        return min(found.st_size, most)
    finally:
        os.close(file)
