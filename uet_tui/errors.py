"""The one family of errors that an operator sees: what is wrong, where, and what to do about it."""

import errno
import re
from typing import Final

_NO_ROOM: Final = re.compile(r"No space left on device|Disk quota exceeded|unable to write file [^:;]+(?:;|$)")
"""What git says; of a file that it checks out it does not say why, and what it may not make it calls otherwise."""


class UetError(Exception):
    """An error with a message fit for the operator; the command line prints it on one line, without a traceback."""

    exit_code = 2
    """What the process ends with: 2 is bad usage, plan or configuration."""


class StoppedError(UetError):
    """An orchestrator had to stop, as where the disk fails: the operator sees to that, and resumes the run."""

    exit_code = 4


class NoRoomError(UetError):
    """The disk is full: what was to be written was not, and may be tried again once there is room."""


def out_of_room(error: BaseException | None) -> bool:
    """Whether the disk, or the operator's share of it, is full: what failed may be tried again once there is room."""
    while error is not None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or isinstance(error, NoRoomError) or _NO_ROOM.search(str(error)):
            return True
        error = error.__cause__
    return False


class RunLockedError(UetError):
    """Another orchestrator has the run."""

    exit_code = 5
