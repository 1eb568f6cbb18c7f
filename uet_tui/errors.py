"""The one family of errors that an operator sees: what is wrong, where, and what to do about it."""

import errno
import os
from typing import Final

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_CAUSES: Final = {os.strerror(number): number for number in errno.errorcode}


class UetError(Exception):
    """An error with a message fit for the operator; the command line prints it on one line, without a traceback."""

    exit_code = 2
    """What the process ends with: 2 is bad usage, plan or configuration."""
    no_room = False
    """Whether that is so because the disk is full."""


class StoppedError(UetError):
    """An orchestrator had to stop, as where the disk fails: the operator sees to that, and resumes the run."""

    exit_code = 4


class NoRoomError(UetError):
    """The disk is full: what was to be written was not, and may be tried again once there is room."""

    no_room = True


def out_of_room(error: BaseException | None) -> bool:
    """Whether the disk, or the operator's share of it, is full: what failed may be tried again once there is room."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return True
        if isinstance(error, UetError) and error.no_room:
            return True
        error = error.__cause__
    return False


def tells_no_room(stderr: str) -> bool:
    """Whether git says that the disk is full, and names no other cause.

    A cause is what a line ends with. All before it may be a name that an agent gave to a file, even lines of it, but
    then the cause comes after that. Of a file that git checks out it tells none.
    """
    lines = [line.rstrip() for line in stderr.split("\n")]
    named = {number for line in lines if (number := _CAUSES.get(line.rpartition(": ")[2])) is not None}
    untold = any(line.startswith("error: unable to write file ") for line in lines)
    return named <= {*_NO_ROOM} and bool(named or untold)


class RunLockedError(UetError):
    """Another orchestrator has the run."""

    exit_code = 5
