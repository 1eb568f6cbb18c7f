"""What a process tree uses, measured by its keeper: memory, disk, and whether it shows any sign of life.

Only the standard library, and little of that: the keeper loads it. Memory is what the whole tree has that no file on
the disk holds, sampled once a second: a limit on one process (`RLIMIT_AS`) would not hold for a tree and breaks
programs that reserve more than they use, and a control group needs rights that most users do not have.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from stat import S_ISREG

from uet_tui.engine.processes import stat

INTERVAL = 1.0
"""Seconds between looks."""
_LIVELY = 0.01
"""The share of a processor above which a tree does something: what only waits wakes up now and then, too."""
_LONGEST_STEP = 5.0
"""Seconds that count between two looks, at most: the machine may have slept."""
_WALK_SECONDS = 60.0
"""Seconds between looks through the folders where the disk gives no reason for one."""
_KB = 1024
_IN_MEMORY = ("/memfd:", "/dev/shm/")  # noqa: S108 - as /proc calls them
"""How the names of open files begin that are on no disk."""
_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _CSTIME = 11, 14
"""Where the processor times begin and end in /proc's `stat`, counted from the state on."""


class Meter:
    """Measures what descends from this process."""

    def __init__(self, memory: int, disk: int, folders: Sequence[str], stall: float, output: str) -> None:
        """Bytes of memory, bytes that the folders may grow by, seconds without a sign of life; 0 is no limit."""
        self._memory, self._disk, self._stall = memory, disk, stall
        self._folders = folders
        self._output = output
        self._began = {path: size(path) for path in folders} if disk else {}
        self._free = room(folders)
        self._walked = self._looked = 0.0
        self._quiet = 0.0
        self._seen = (-1, 0.0)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to measure."""
        return not (self._memory or self._disk or self._stall)

    def look(self, now: float) -> str:
        """The limit that is passed: `memory`, `disk` or `stall`; empty if none is."""
        pids = tree() if self._memory or self._stall else []
        if self._memory and takes_more(pids, self._memory):
            return "memory"
        if self._disk and self._may_be_full(now):
            self._walked = now
            removed, _ = nameless(pids or tree())  # first: what is removed meanwhile must not count twice
            if removed + sum(max(0, size(path) - before) for path, before in self._began.items()) > self._disk:
                return "disk"
        return "stall" if self._stall and self._still(now, pids) > self._stall else ""

    def skip(self, now: float) -> None:
        """Has the time until now not count as one without a sign of life."""
        self._looked = now

    def _may_be_full(self, now: float) -> bool:
        """Whether a walk is worth its time: the disk lost room, or it was long ago."""
        if now - self._walked >= _WALK_SECONDS:
            return True
        return self._free - room(self._folders) > self._disk // 4

    def _still(self, now: float, pids: Sequence[int]) -> float:
        """For how many seconds the tree has neither printed nor used the processor."""
        written, used = 0, sum(map(cpu, pids))
        with suppress(OSError):
            written = os.stat(self._output).st_size  # noqa: PTH116 - importing pathlib costs more than the keeper
        elapsed = min(max(0.0, now - self._looked), _LONGEST_STEP)
        if written != self._seen[0] or abs(used - self._seen[1]) > _LIVELY * elapsed + 1 / _TICKS:
            self._quiet = 0.0
        else:
            self._quiet += elapsed
        self._seen, self._looked = (written, used), now
        return self._quiet


def tree() -> list[int]:
    """All processes below this one; those that the kernel does not tell are left out."""
    found, waiting = [], [os.getpid()]
    while waiting:
        at = waiting.pop()
        with suppress(OSError):
            for task in os.listdir(f"/proc/{at}/task"):  # noqa: PTH208 - see above
                with open(f"/proc/{at}/task/{task}/children", "rb") as file:  # noqa: PTH123 - see above
                    waiting += (below := [int(pid) for pid in file.read().split()])
                    found += below
    return found


def takes_more(pids: Sequence[int], limit: int) -> bool:
    """Whether processes have more bytes in memory than that, together; what some of them share is counted once.

    Files in memory that are open and mapped memory are not told apart: of the two only the larger counts. Only where
    it would be more without all that is it worth looking who shares what: it takes the system some 35 ms for each
    gigabyte (measured on Linux 6.18 with pages of 4 kB). It is looked twice: what ended in the middle of it was counted
    with those who have its share now.
    """
    held = nameless(pids)[1]
    each = {pid: _counted(f"/proc/{pid}/status", b"RssAnon:", b"RssShmem:") for pid in pids}
    if sum(own + shared for own, shared in each.values()) + held <= limit:
        return False
    for _ in range(2):
        own = shared = 0
        for pid, most in each.items():
            found = _counted(f"/proc/{pid}/smaps_rollup", b"Pss_Anon:", b"Pss_Shmem:", unknown=most)
            own, shared = own + found[0], shared + found[1]
        if own + max(shared, held) <= limit:
            return False
    return True


def _counted(path: str, own: bytes, shared: bytes, unknown: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Two numbers of bytes that a file in /proc tells in lines such as `RssAnon:  1764 kB`.

    `unknown` where it does not tell or is not to be read; none where the process is gone, since others have its share.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - see above
            lines = {words[0]: words for words in map(bytes.split, file) if words}
        return int(lines[own][1]) * _KB, int(lines[shared][1]) * _KB
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    except (OSError, ValueError, LookupError):
        return unknown


def nameless(pids: Sequence[int]) -> tuple[int, int]:
    """Bytes on disk, and in memory, of files that processes hold open and that no folder names: each counted once."""
    on_disk: dict[tuple[int, int], int] = {}
    in_memory: dict[tuple[int, int], int] = {}
    for pid in pids:
        with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                with suppress(OSError):
                    facts = entry.stat()
                    if S_ISREG(facts.st_mode) and facts.st_nlink == 0:
                        name = os.readlink(entry.path)  # noqa: PTH115 - see above
                        found = in_memory if name.startswith(_IN_MEMORY) else on_disk
                        found[facts.st_dev, facts.st_ino] = facts.st_blocks * 512
    return sum(on_disk.values()), sum(in_memory.values())


def cpu(pid: int) -> float:
    """The seconds of processor time of a process, and of those of its children that ended."""
    return sum(map(int, stat(pid)[_UTIME : _CSTIME + 1])) / _TICKS


def room(folders: Sequence[str]) -> int:
    """The bytes that are free where the folders are; 0 where there is none."""
    for path in folders:
        with suppress(OSError):
            facts = os.statvfs(path)
            return facts.f_bavail * facts.f_frsize
    return 0


def size(top: str) -> int:
    """The bytes that a folder takes on the disk; what cannot be read, or goes meanwhile, is left out."""
    total, waiting = 0, [top]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total
