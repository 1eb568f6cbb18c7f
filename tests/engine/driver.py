"""Orchestrators in processes of their own, which can be killed.

`python -m tests.engine.driver` loads the engine once and then forks an orchestrator for each line that it is told: a
JSON list of repository, run, point and environment. It answers with the process id, and with the exit code once that
has ended. A point names an instant at which the process kills itself, as `kill -9` would: one of `POINTS`, or such as
`commit 3`, `before commit 3`, `start 3` and `before start 3`: the third of them that it makes.
"""

import itertools
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import leftovers
from uet_tui.engine import attempting, attempts, runner
from uet_tui.engine.engine_log import log_to_file
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import open_run
from uet_tui.store.paths import Home
from uet_tui.store.writer import Writer
from uet_tui.workspace.control import ControlRepository


def die() -> None:
    """Ends this process without a last word."""
    os.kill(os.getpid(), signal.SIGKILL)


def killing(function: Callable[..., Any], *, before: bool, nth: int = 1) -> Callable[..., Any]:
    """The function, but its nth call is the process's last act."""
    calls = itertools.count(1)  # one for each thread that calls meanwhile

    def dying(*args: Any, **facts: Any) -> Any:
        call = next(calls)
        if before and call == nth:
            die()
        result = function(*args, **facts)
        if call == nth:
            die()
        return result

    return dying


POINTS: dict[str, tuple[Any, str, bool]] = {
    "before the keeper is started": (runner, "start_attempt", True),
    "once the keeper is started": (attempts, "start", False),
    "before the snapshot": (runner, "collect", True),
    "after the snapshot": (runner, "collect", False),
    "before the branch moves": (ControlRepository, "update_refs", True),
    "once the branch has moved": (ControlRepository, "update_refs", False),
    "before publishing": (ControlRepository, "publish", True),
    "after publishing": (ControlRepository, "publish", False),
    "after the gates": (attempting, "gate_tree", False),
}
"""Where to die: whose function, its name, and whether before or after it."""


def main(repository: str, run: str, point: str) -> int:
    """Drives a run to where it rests."""
    what, _, nth = point.rpartition(" ")
    if nth.isdecimal():
        where, name = (Writer, "commit") if what.endswith("commit") else (attempts, "start")
        setattr(where, name, killing(getattr(where, name), before=what.startswith("before"), nth=int(nth)))
    elif point:
        where, name, before = POINTS[point]
        setattr(where, name, killing(getattr(where, name), before=before))
    opened = open_run(Home(Path(repository) / ".uet"), run)
    log_to_file(opened.place)
    orchestrator = Orchestrator(opened.place, opened.hold)
    orchestrator.run()
    return 0 if orchestrator.failure is None else 1


def serve() -> None:
    """Forks orchestrators, one after another, until nobody asks any more."""
    for line in sys.stdin:
        repository, run, point, environment = json.loads(line)
        pid = os.fork()
        if not pid:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            os.dup2(0, 1)
            os.environ.clear()
            os.environ.update(environment)
            code = 1
            try:
                code = main(repository, run, point)
            finally:
                os._exit(code)
        print(pid, flush=True)  # noqa: T201 - the protocol
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201 - the protocol


class Orchestrating:
    """An orchestrator that was started; what `subprocess.Popen` is to a program."""

    def __init__(self, server: "subprocess.Popen[str]", repository: Path, run: str, point: str) -> None:
        assert server.stdin and server.stdout
        self._answers = server.stdout
        server.stdin.write(json.dumps([str(repository), run, point, dict(os.environ)]) + "\n")
        server.stdin.flush()
        self.pid = int(self._answers.readline())
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        if self._code is None and select.select([self._answers], [], [], 0)[0]:
            self._code = int(self._answers.readline())
        return self._code

    def wait(self, seconds: float) -> int:
        """Its exit code, once it has ended; raises `subprocess.TimeoutExpired` if it does not."""
        if self._code is None and not select.select([self._answers], [], [], seconds)[0]:
            raise subprocess.TimeoutExpired("orchestrator", seconds)
        code = self.poll()
        assert code is not None
        return code

    def kill(self) -> None:
        """Kills it, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def start_server() -> "subprocess.Popen[str]":
    """Starts a driver, which belongs to no test."""
    environment = {name: value for name, value in os.environ.items() if name != leftovers.COOKIE}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engine.driver"],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


if __name__ == "__main__":
    serve()
