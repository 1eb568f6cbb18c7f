"""Named places where a test has something go wrong, to show that nothing is lost there.

`UET_FAILPOINT=name[:nth][:kill|raise|enospc|stall]`: when the place is reached for the nth time (the first by default),
the process is killed (the default), the disk fails or is full, or this thread stands still for a while. Names are
literals where they are used, so that a test finds them all.

The keeper loads this, too: nothing but the standard library, and little of that.
"""

import errno
import os
import signal
import time
from _thread import allocate_lock

VARIABLE = "UET_FAILPOINT"
"""What names the place, and what happens there."""
TRACE = "UET_FAILPOINT_TRACE"
"""A file that gets a line for each place that is reached. Where it is set, `nth` counts in it: over all processes."""
STALL_SECONDS = 2.0
"""How long `stall` stands still."""
_ERRORS = {"raise": errno.EIO, "enospc": errno.ENOSPC}
_reached: dict[str, int] = {}
_lock = allocate_lock()


def reached(name: str) -> None:
    """Has go wrong here what the environment says, if it says so.

    Raises:
        OSError: it says that the disk fails or is full.
    """
    wanted, trace = os.environ.get(VARIABLE), os.environ.get(TRACE)
    if wanted is None and trace is None:
        return
    times = _count(name) if trace is None else _traced(trace, name)
    if wanted is None:
        return
    place, _, rest = wanted.partition(":")
    nth, _, kind = rest.partition(":") if rest[:1].isdigit() else ("", "", rest)
    if place != name or times != int(nth or 1):
        return
    if kind in _ERRORS:
        raise OSError(_ERRORS[kind], f"{os.strerror(_ERRORS[kind])} (failpoint {name})")
    if kind == "stall":
        time.sleep(STALL_SECONDS)
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def _count(name: str) -> int:
    with _lock:
        _reached[name] = _reached.get(name, 0) + 1
        return _reached[name]


def _traced(trace: str, name: str) -> int:
    """How often it was reached by any process, this time included: each sees the lines up to its own."""
    line = f"{name}\n".encode()
    file = os.open(trace, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line)
        end = os.lseek(file, 0, os.SEEK_CUR)
        return os.pread(file, end, 0).splitlines().count(line[:-1])
    finally:
        os.close(file)
