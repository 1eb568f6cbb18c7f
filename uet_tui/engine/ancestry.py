"""Telling whether a process was started by an agent of a run: by what it descends from, which it cannot choose.

All that an agent starts descends from its keeper, however it detaches itself; what gates start carries the cookie. An
agent that nothing confines can still have something else act for it, or write into the inbox itself.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from uet_tui.engine import processes
from uet_tui.store.paths import Home
from uet_tui.text import one_line

_DEEPEST: Final = 1000
"""Generations that are looked at."""
_MARK: Final = f"{processes.COOKIE}=".encode()


def agent_above(home: Home, pid: int | None = None) -> str:
    """The attempt, or what else runs what agents wrote, that a process belongs to; empty if none of this repository.

    Args:
        home: the repository's.
        pid: the process; this one if None.
    """
    runs = os.fsencode(home.folder.resolve() / "runs") + b"/"
    at = os.getpid() if pid is None else pid
    for _ in range(_DEEPEST):
        if at <= 1:
            break
        words = _read(at, "cmdline").split(b"\0")
        kept = next((word for word in words[2:] if word.startswith(runs)), b"")
        if kept and any(word.endswith(b"/keeper.py") for word in words):
            return _told(kept.removeprefix(runs))
        for variable in _read(at, "environ").split(b"\0"):
            cookie = variable.removeprefix(_MARK)
            run, _, what = cookie.partition(b"/")
            if cookie != variable and run and what != b"rollback" and os.path.isdir(runs + run):  # noqa: PTH112 - bytes
                return _told(cookie)
        at = processes.parent(at)
    return ""


def _told(name: bytes) -> str:
    return one_line(os.fsdecode(name), 100)


def _read(pid: int, name: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""
