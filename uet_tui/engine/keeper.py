"""The small process between the orchestrator and an agent: it outlives a crash of the orchestrator.

Started as a script, `python -I -S keeper.py FOLDER`, so that nothing but the standard library is loaded, and little of
that. FOLDER is the attempt's; `start.json` in it says what to run (`attempts.Start`). The keeper holds `attempt.lock`,
and so does everything that descends from it: whoever can take that lock knows that the whole tree is gone. It enforces
the time limit, ends the whole tree, escapees included, writes `exit.json` atomically and wakes the orchestrator, if
there is one. No pipe leads to the orchestrator: there is nothing to fill up and nothing to break.

What the agent prints goes through the keeper, which takes the secrets out before anything is on disk. It is given the
agent's environment, and what else is secret, as an environment of its own; the disk gets only their names.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import signal
import sys
import time
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable

if __name__ == "__main__":  # a script is in no package; what else is there must not hide the standard library
    sys.path.append(__file__.rpartition("/uet_tui/")[0])
from uet_tui.engine.freezing import AGAIN, RING, Stillness, wanted
from uet_tui.engine.leavings import redact_folder
from uet_tui.engine.metering import INTERVAL, Meter
from uet_tui.engine.processes import COOKIE, ask_confined, carrying, children, end_all, send, start_ticks
from uet_tui.failpoints import reached
from uet_tui.output import Log
from uet_tui.redaction import Redactor, Stream

ALREADY_RUNNING, ALREADY_RAN = 3, 4
"""Exit codes of a keeper that refuses: an attempt runs at most once."""

STOP = "stop"
"""A file in the attempt's folder: whoever asks for the end makes it first, for a keeper that is on its way."""
_WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, RING)
_LONGEST = 1e9
"""Seconds; the system's clocks do not count much further."""
_CHUNK = 1 << 18
"""Bytes of output that the pipe holds, where the system allows it, and that are read at once."""
_DRAIN = 10.0
"""Seconds that reading the rest may take once the tree is gone."""
_SET_CHILD_SUBREAPER = 36
"""Of Linux's `prctl`: orphans below the keeper become its children, so that none is out of its sight."""


def main(folder: str) -> int:
    """Runs the attempt in `folder`; refuses if somebody runs it or ran it before."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    os.chdir(folder)
    with open("start.json", encoding="utf-8") as file:  # noqa: PTH123 - importing pathlib costs more than this program
        start = json.load(file)
    lock = os.open("attempt.lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not taken(lock):
        return ALREADY_RUNNING
    reached("keeper.locked")
    try:
        fence = os.open("keeper.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return ALREADY_RAN
    fcntl.flock(fence, fcntl.LOCK_EX)  # the keeper's alone: the other lock can be let go of by whoever inherits it
    os.write(fence, json.dumps({"pid": os.getpid(), "start": start_ticks(os.getpid())}).encode())
    reached("keeper.begun")
    began = time.monotonic()
    code, why, still = None, "killed", 0.0
    if not os.path.lexists(STOP):  # looked for only now: who asks later finds the pid to signal
        cookie = start["cookie"]
        redactor = Redactor({name: os.environ[name] for name in start["secrets"]})
        environment = {name: os.environ[name] for name in start["env"]} | {COOKIE: cookie}
        adopting = adopt_orphans()
        log = Log(open_log("output.log"), start["limit"])
        source, target = os.pipe()
        frozen = wanted()  # looked for before there is an agent that could say so: whoever asks later rings
        agent = launch(start["argv"], start["cwd"], environment, start["stdin"], target, lock)
        os.close(target)
        reached("keeper.agent-started")
        drained = drain(source, Stream(redactor), log)
        meter = Meter(start["memory"], start["disk"], start["folders"], start["stall"], "output.log")
        asking = signal.Signals[start["end_with"]]
        ask = ask_confined if start["confined"] else send
        members = children if adopting else lambda: carrying(cookie)
        stillness = Stillness(agent, members)
        stillness.obey(frozen)
        status, why = watch(agent, start["timeout"], start["grace"], lambda: ask(agent, asking), meter, stillness)
        code, still = os.waitstatus_to_exitcode(status), stillness.seconds
        reached("keeper.agent-ended")
        send(agent, signal.SIGKILL)
        end_all(members)
        drained(_DRAIN)
        reached("keeper.tree-ended")
        with contextlib.suppress(Exception):  # whatever an agent left, how it ended must be told
            redact_folder(".", redactor)
        reached("keeper.redacted")
    seconds = round(time.monotonic() - began - still, 3)
    ended = {"code": code, "why": why, "seconds": seconds, "ended_at": time.time()}
    while True:
        try:
            write_atomically("exit.json", json.dumps(ended).encode())
            break
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            time.sleep(1.0)  # the attempt is over, and paid for: how it ended waits for room
    for held in (fence, lock):  # what the record says is believed only once nobody holds them
        fcntl.flock(held, fcntl.LOCK_UN)
    reached("keeper.end-told")
    wake(start["wake"])
    return 0


def taken(lock: int) -> bool:
    """Takes the attempt's lock, unless somebody keeps it: whoever asks whether it is held has it for an instant."""
    for _ in range(50):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.01)
    return False


def adopt_orphans() -> bool:
    """Makes all that descends from the agent the keeper's to find, whatever it does to get away; if the system can."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it was ignored, nobody could tell how a child ended
    with contextlib.suppress(OSError, AttributeError):  # elsewhere than on Linux
        return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    return False


def launch(argv: list[str], cwd: str, env: dict[str, str], stdin: str, output: int, lock: int) -> int:
    """Starts the agent in a session of its own, its input a file, its output a pipe; returns its pid."""
    agent = os.fork()
    if agent:
        return agent
    at = ""
    try:
        os.setsid()
        for number in (*_WATCHED, signal.SIGPIPE, signal.SIGXFSZ):  # what Python or the orchestrator ignores
            signal.signal(number, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        at = stdin
        os.dup2(os.open(stdin, os.O_RDONLY), 0)
        os.set_inheritable(lock, True)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        at = cwd
        os.chdir(cwd)
        at = argv[0]
        os.execvpe(argv[0], argv, env)  # noqa: S606 - its job
    except (OSError, ValueError) as error:
        os.write(2, f"{at}: {getattr(error, 'strerror', error)}\n".encode("utf-8", "replace"))
    finally:
        os._exit(127)


def open_log(path: str) -> int:
    """Opens a file to add to; raises `OSError` where it cannot be."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def drain(source: int, stream: Stream, log: Log) -> Callable[[float], bool]:
    """Has a thread read the agent's output, redact and log it, until all who could write are gone.

    Returns:
        waits for the end of that, so many seconds at most.
    """
    with contextlib.suppress(OSError, AttributeError):  # more than a user may have, or elsewhere than on Linux
        fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, _CHUNK)
    running = allocate_lock()
    running.acquire()

    def work() -> None:
        try:
            while data := os.read(source, _CHUNK):
                log.write(stream.feed(data))
            log.write(stream.close())
            log.close()
        finally:
            os.close(source)  # whatever went wrong: an agent that nobody listens to must not wait for it
            running.release()

    start_new_thread(work, ())
    return lambda seconds: running.acquire(timeout=seconds)


def watch(
    agent: int, timeout: float, grace: float, ask: Callable[[], None], meter: Meter, still: Stillness
) -> tuple[int, str]:
    """Waits for the agent; ends it at its time limit, when told to, or when it uses too much; `ask` asks it first.

    While it stands still, no limit counts; what is asked to end goes on, so that it can.

    Returns:
        its wait status, and why it ended: `exit` by itself, `timeout`, `killed` on request, or what `meter` says.
    """
    why = "exit"
    limit = time.monotonic() + min(timeout, _LONGEST) - still.seconds
    next_look = time.monotonic() + INTERVAL
    deadline = 0.0
    while True:
        metering = why == "exit" and not still and not meter.idle
        end = limit + still.seconds if why == "exit" else deadline
        left = (min(end, next_look) if metering else end) - time.monotonic()
        got = signal.sigtimedwait(_WATCHED, AGAIN if still else max(0.0, left))
        pid = -1
        while pid:  # orphans that it adopted and that ended are among them
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == agent:
                return status, why
        number, now = got.si_signo if got is not None else 0, time.monotonic()
        if why != "exit":
            if now >= deadline:
                send(agent, signal.SIGKILL)
                deadline = now + 1.0
            continue
        if number == RING:
            if still:
                meter.skip(now)
            still.obey(wanted())
        elif still and got is None:
            still.hold()
        if number in (signal.SIGTERM, signal.SIGINT):
            why = "killed"
        elif not still and now >= limit + still.seconds:  # whatever came: the agent can see to it that something does
            why = "timeout"
        elif metering and now >= next_look:
            next_look = now + INTERVAL
            why = meter.look(now) or why
        if why != "exit":
            ask()
            still.go_on()
            deadline = time.monotonic() + (0.0 if why in ("memory", "disk") else grace)  # it would go on using more


def write_atomically(path: str, data: bytes) -> None:
    """Writes a file so that it is seen whole or not at all, power loss included."""
    with contextlib.suppress(OSError):  # the agent may have put something there on which this would wait
        os.unlink(path + ".part")  # noqa: PTH108 - see above
    with contextlib.suppress(OSError):  # or a folder
        os.rename(path + ".part", f"{path}.part.{os.getpid()}")  # noqa: PTH104 - see above
    part = os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if os.write(part, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(part)
    finally:
        os.close(part)
    try:
        os.rename(path + ".part", path)  # noqa: PTH104 - see above
    except OSError:  # the agent made a folder of it
        os.rename(path, f"{path}.{os.getpid()}")  # noqa: PTH104 - see above
        os.rename(path + ".part", path)  # noqa: PTH104 - see above


def wake(fifo: str) -> None:
    """Wakes the orchestrator, if one listens."""
    with contextlib.suppress(OSError):
        listener = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        os.write(listener, b"a")
        os.close(listener)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
