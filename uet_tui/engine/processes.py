"""The processes of an attempt, as /proc tells of them: found, told apart, signalled and ended.

Only the standard library, and little of that: the keeper loads it. A pid alone names nobody, since the system gives it
to others later; with when it began, it does.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

COOKIE = "UET_ATTEMPT"
"""The environment variable by which descendants are found where nothing else tells."""


def children() -> list[int]:
    """All below the keeper that are left. Where it adopts orphans, no child means that the whole tree is gone."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    below: dict[int, list[int]] = {}
    for pid in pids():
        below.setdefault(parent(pid), []).append(pid)
    found = below.get(os.getpid(), [])
    for pid in found:  # grows meanwhile: one level at a time, a deep tree would outlast the patience for its end
        found += below.get(pid, [])
    return found


def send(group: int, number: int) -> None:
    """Signals a process group, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def ask_confined(group: int, number: int) -> None:
    """Signals what is inside of bubblewrap: that itself would die of it, and take the agent along unasked."""
    for pid in pids():
        facts = stat(pid)
        if pid != group and facts and int(facts[2]) == group:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def end_all(strays: Callable[[], list[int]]) -> None:
    """Ends processes until `strays` finds no more, for as long as a process that was ended can take to go."""
    for _ in range(200):
        pids = strays()
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def end_carrying(cookie: str) -> None:
    """Ends all but this process that carries the cookie, whoever started it: what a killed orchestrator left, too."""
    end_all(lambda: [pid for pid in carrying(cookie) if pid != os.getpid()])


def pids() -> list[int]:
    """All processes; none where there is no /proc."""
    with suppress(FileNotFoundError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - importing pathlib costs more than the keeper
    return []


def carrying(cookie: str) -> list[int]:
    """The processes whose environment holds the cookie."""
    mark = f"{COOKIE}={cookie}".encode()
    found = []
    for pid in pids():
        with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as environ:  # noqa: PTH123 - see above
            if mark in environ.read().split(b"\0"):
                found.append(pid)
    return found


def holding(file: os.stat_result) -> list[int]:
    """The processes that have a file open."""
    found = []
    for pid in pids():
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if any(os.path.samestat(file, fd.stat()) for fd in os.scandir(f"/proc/{pid}/fd")):
                found.append(pid)
    return found


def start_ticks(pid: int) -> int:
    """When a process began, in clock ticks since boot: with the pid, its identity; 0 if it is gone."""
    facts = stat(pid)
    return int(facts[19]) if facts and facts[0] not in (b"Z", b"X") else 0


def parent(pid: int) -> int:
    """The parent of a process; 0 if it is gone."""
    facts = stat(pid)
    return int(facts[1]) if facts else 0


def stat(pid: int) -> list[bytes]:
    """What /proc tells of a process from its state on; nothing if it is gone."""
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - see above
        return file.read().rpartition(b")")[2].split()
    return []
