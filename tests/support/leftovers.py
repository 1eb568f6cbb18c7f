"""What a test leaves running: processes that carry its cookie or work in its folder, and threads that hold the exit.

Agents get a scrubbed environment, so the cookie alone does not find them; they are found by the folder they work in or
that their command line names.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

COOKIE = "PYTEST_LEFTOVER_COOKIE"
_PROC = Path("/proc")


def _read(process: Path, name: str) -> bytes:
    try:
        return (process / name).read_bytes()
    except OSError:  # it ended meanwhile, or is not ours to read
        return b""


def _folder(process: Path) -> str:
    try:
        return str((process / "cwd").readlink())
    except OSError:
        return ""


def processes(cookie: str, folder: Path | None) -> dict[int, str]:
    """The command lines of living processes of a test, by process id; nothing where there is no /proc."""
    return dict(_processes(f"{COOKIE}={cookie}".encode(), str(folder) if folder else None))


def _processes(cookie: bytes, folder: str | None) -> Iterator[tuple[int, str]]:
    for process in _PROC.glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        words = _command_line(process)
        named = folder is not None and (folder.encode() in words or _folder(process).startswith(folder))
        if words and (named or cookie in _read(process, "environ").split(b"\0")):
            yield int(process.name), words.replace(b"\0", b" ").decode(errors="replace").strip()


def _command_line(process: Path) -> bytes:
    """Empty for zombies and the kernel's own. One that is just beginning has a program, and soon a command line."""
    for _ in range(1000):
        words = _read(process, "cmdline")
        if words or not _has_program(process):
            return words
        time.sleep(0.001)
    return b""


def _has_program(process: Path) -> bool:
    try:
        return bool((process / "exe").readlink())
    except OSError:
        return False


def children() -> bool:
    """Whether this process has children at all: a quick look that spares most tests the slow one."""
    tasks = (_PROC / "self" / "task").glob("*/children")
    return any(_read(task.parent, "children").strip() for task in tasks)


def kill(pids: dict[int, str]) -> None:
    """Ends processes that a test left."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # gone meanwhile
            continue


def threads() -> set[threading.Thread]:
    """The threads that would keep the interpreter from ending."""
    return {thread for thread in threading.enumerate() if thread.is_alive() and not thread.daemon}
