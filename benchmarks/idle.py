"""What a console costs that nobody touches and where nothing happens: its processor time, on a terminal of 120x40.

    python -m benchmarks.idle [--seconds 20] [--workstreams 50] [--json]

One agent of a run waits; the other workstreams wait for it. The console is attached to that run from a second terminal,
then to the same run paused; then it is the one that the run goes on in. Beside each: an app of Textual's without any
widget on the same terminal. Ends with 1 if an attached console takes more than 2 % of a core. No goal is set for the
orchestrator, which an embedded console has in its own process.
"""

import argparse
import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks._scratch import UET, environment, make_plan, make_repository, source

GOAL = 0.02
"""Of one core."""
_SETTLE = 5.0
"""Seconds after the first drawing that belong to the start: what was loaded is looked through by the collector."""
_LIMIT = 60.0
_EMPTY = "from textual.app import App; App().run()"


def main() -> int:
    """Prints the shares; 1 if an attached console misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workstreams", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-idle-") as scratch:
        found = measure(Path(scratch), given.workstreams, given.seconds)
    met = max(share for name, share in found.items() if name.startswith("attached")) < GOAL
    if given.json:
        print(json.dumps({"seconds": given.seconds, "shares": found, "goal": GOAL, "met": met}))
        return 0 if met else 1
    print(f"Processor time over {given.seconds:.0f} s, of one core; goal for an attached console: under {GOAL:.0%}")
    for name, share in found.items():
        goal = f"   {'PASS' if share < GOAL else 'FAIL'}" if name.startswith("attached") else ""
        print(f"  {name:44} {share:7.2%}{goal}")
    return 0 if met else 1


def measure(scratch: Path, count: int, seconds: float) -> dict[str, float]:
    """The share of a core that each takes, by its name."""
    found = {}
    with on_terminal([sys.executable, "-c", _EMPTY], scratch) as pid:
        time.sleep(_SETTLE)
        found["an empty app of Textual's"] = _share(pid, seconds)
    stage = Stage(scratch / "apart", count)
    headless = subprocess.Popen(
        [*UET, "run", str(stage.plan), "--headless", "--workers", "2"],
        cwd=stage.repository,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    stage.wait_for_agent()
    with on_terminal([*UET, "console"], stage.repository) as pid:
        time.sleep(_SETTLE)
        found["attached, one agent waits"] = _share(pid, seconds)
        found["the orchestrator meanwhile"] = _share(headless.pid, seconds)
        subprocess.run([*UET, "pause"], cwd=stage.repository, env=environment(), check=True, capture_output=True)
        time.sleep(_SETTLE)
        found["attached, the run is paused"] = _share(pid, seconds)
    stage.end([*UET, "stop"])
    headless.wait(_LIMIT)
    stage = Stage(scratch / "embedded", count)
    with on_terminal([*UET, "run", str(stage.plan), "--workers", "2"], stage.repository) as pid:
        stage.wait_for_agent()
        time.sleep(_SETTLE)
        found["embedded with its orchestrator"] = _share(pid, seconds)
        stage.end([*UET, "stop"])
    return found


class Stage:
    """A repository with a plan whose first agent waits, and whose others depend on it."""

    def __init__(self, folder: Path, count: int) -> None:
        self.repository = make_repository(folder / "repository", count)
        self._word = folder / "word"
        wait = f"until [ -e {self._word} ]; do sleep 1; done; echo x >> {source(0)}"
        self.plan = make_plan(folder / "plan.json", [wait, *["true"] * (count - 1)], after_the_first=True)

    def wait_for_agent(self) -> None:
        """Until the agent runs."""
        _until(lambda: self._states("attempts").count("RUNNING") == 1, "the agent")

    def end(self, command: Sequence[str]) -> None:
        """Ends the agent, and with it all that goes on."""
        subprocess.run(command, cwd=self.repository, env=environment(), check=True, capture_output=True)
        _until(lambda: "RUNNING" not in self._states("attempts"), "the agent to end")

    def _states(self, table: str) -> list[str]:
        try:
            with closing(sqlite3.connect(f"file:{self.repository}/.uet/uet.db?mode=ro", uri=True)) as connection:
                return [state for (state,) in connection.execute(f"SELECT state FROM {table}")]
        except sqlite3.OperationalError:  # it is being made
            return []


@contextmanager
def on_terminal(command: Sequence[str], folder: Path) -> Iterator[int]:
    """Runs a program on a terminal whose other end takes all that it draws; gives its process id, and ends it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    variables = environment(TERM="xterm-256color", COLORTERM="truecolor")
    process = subprocess.Popen(
        command, cwd=folder, env=variables, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    drawn = threading.Event()
    over = threading.Event()
    reader = threading.Thread(target=_take, args=(master, drawn, over))
    reader.start()
    try:
        if not drawn.wait(_LIMIT):
            raise SystemExit(f"{command} drew nothing")
        yield process.pid
        if process.poll() is not None:
            raise SystemExit(f"{command} ended with {process.returncode}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        over.set()
        reader.join()
        os.close(master)


def _take(master: int, drawn: threading.Event, over: threading.Event) -> None:
    while not over.is_set():
        if select.select([master], [], [], 0.2)[0]:
            try:
                os.read(master, 65536)
            except OSError:  # nobody holds the other end any more
                return
            drawn.set()


def _share(pid: int, seconds: float) -> float:
    """How much of a core a process takes, its threads included."""
    begin, before = time.monotonic(), _cpu(pid)
    time.sleep(seconds)
    return (_cpu(pid) - before) / (time.monotonic() - begin)


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _LIMIT
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
