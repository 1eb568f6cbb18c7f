"""The small process between the orchestrator and an agent: it outlives a crash of the orchestrator.

Started as a script, `python -I -S keeper.py FOLDER`, so that nothing but the standard library is loaded (and little of
that: it starts in about 10 ms). FOLDER is the attempt's; `start.json` in it says what to run. The keeper holds
`attempt.lock`, and so does everything that descends from it: whoever can take that lock knows that the whole tree is
gone. It enforces the time limit, ends the whole tree, escapees included, writes `exit.json` atomically and wakes the
orchestrator, if there is one. No pipe leads to the orchestrator: there is nothing to fill up and nothing to break.
"""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from typing import TypedDict

ALREADY_RUNNING, ALREADY_RAN = 3, 4
"""Exit codes of a keeper that refuses: an attempt runs at most once."""

_COOKIE = "UET_ATTEMPT"
"""The environment variable by which descendants are found that left the process group."""

_WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Start(TypedDict):
    """The contents of `start.json`."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    timeout: float
    """Seconds after which the agent is asked to end."""
    grace: float
    """Seconds between asking and ending."""
    cookie: str
    wake: str
    """The FIFO of the orchestrator."""


def main(folder: str) -> int:
    """Runs the attempt in `folder`; refuses if somebody runs it or ran it before."""
    os.chdir(folder)
    with open("start.json", encoding="utf-8") as file:  # noqa: PTH123 - importing pathlib costs more than this program
        start: Start = json.load(file)
    lock = os.open("attempt.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return ALREADY_RUNNING
    try:
        fence = os.open("keeper.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return ALREADY_RAN
    os.write(fence, json.dumps({"pid": os.getpid(), "start": start_ticks(os.getpid())}).encode())
    os.close(fence)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    began = time.monotonic()
    agent = launch(start, lock)
    status, why = watch(agent, start["timeout"], start["grace"])
    end_tree(agent, start["cookie"])
    ended = {
        "code": os.waitstatus_to_exitcode(status),
        "why": why,
        "seconds": round(time.monotonic() - began, 3),
        "ended_at": time.time(),
    }
    write_atomically("exit.json", json.dumps(ended).encode())
    wake(start["wake"])
    return 0


def launch(start: Start, lock: int) -> int:
    """Starts the agent in a session of its own, without standard input, its output in a file; returns its pid."""
    agent = os.fork()
    if agent:
        return agent
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        output = os.open("output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.set_inheritable(lock, True)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        os.chdir(start["cwd"])
        os.execvpe(start["argv"][0], start["argv"], {**start["env"], _COOKIE: start["cookie"]})  # noqa: S606 - its job
    except OSError as error:
        os.write(2, f"{start['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def watch(agent: int, timeout: float, grace: float) -> tuple[int, str]:
    """Waits for the agent, ends it at the time limit or when asked.

    Returns:
        its wait status, and why it ended: `exit` by itself, `timeout`, or `killed` on request.
    """
    why = "exit"
    deadline = time.monotonic() + timeout
    while True:
        got = signal.sigtimedwait(_WATCHED, max(0.0, deadline - time.monotonic()))
        pid, status = os.waitpid(agent, os.WNOHANG)
        if pid:
            return status, why
        if why == "exit" and (got is None or got.si_signo in (signal.SIGTERM, signal.SIGINT)):
            why = "timeout" if got is None else "killed"
            send(agent, signal.SIGTERM)
            deadline = time.monotonic() + grace
        elif got is None:
            send(agent, signal.SIGKILL)
            deadline = time.monotonic() + 1.0


def send(group: int, number: int) -> None:
    """Signals a process group, if it is still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end_tree(group: int, cookie: str) -> None:
    """Ends what the agent left running: its group, and whatever carries its cookie elsewhere."""
    send(group, signal.SIGKILL)
    mark = f"{_COOKIE}={cookie}".encode()
    for _ in range(200):
        strays = carrying(mark)
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def carrying(mark: bytes) -> list[int]:
    """The processes whose environment holds `mark`; none where there is no /proc."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):  # noqa: PTH208 - see above
            if name.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as environ:  # noqa: PTH123
                    if mark in environ.read().split(b"\0"):
                        found.append(int(name))
    return found


def start_ticks(pid: int) -> int:
    """When a process began, in clock ticks since boot: with the pid, its identity; 0 where /proc does not tell."""
    with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123
        return int(stat.read().rpartition(b")")[2].split()[19])
    return 0


def write_atomically(path: str, data: bytes) -> None:
    """Writes a file so that it is seen whole or not at all, power loss included."""
    part = os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(part, data)
    os.fsync(part)
    os.close(part)
    os.rename(path + ".part", path)  # noqa: PTH104 - see above


def wake(fifo: str) -> None:
    """Wakes the orchestrator, if one listens."""
    with contextlib.suppress(OSError):
        listener = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        os.write(listener, b"a")
        os.close(listener)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
