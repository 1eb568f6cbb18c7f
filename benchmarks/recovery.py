"""How long a run of 100 workstreams needs to go on after `kill -9`, beside the start of the program alone.

    python -m benchmarks.recovery [--workstreams 100] [--workers 8] [--json]

`uet run --headless` is killed again and again in the middle: several agents run, tens of workstreams are merged. Each
time the clock runs from the start of `uet resume --headless` until the event `run_recovered` is in the store, so it
counts the start of Python too; processor time that is much less tells of a machine that was busy otherwise. The
baseline is a Python that imports what `uet resume` does, and nothing else.
"""

import argparse
import itertools
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks._report import Figure, tell
from benchmarks._scratch import UET, environment, make_plan, make_repository, source

GOAL_SECONDS = 2.0
KILLS = (0.2, 0.35, 0.5, 0.65, 0.8)
"""At which share of the workstreams merged the orchestrator is killed."""
_WORK = "sleep 1"
"""What an agent does beside its edit: it shall be running when its orchestrator is killed."""
_IMPORTS = "import uet_tui.cli.driving"
_LIMIT = 240.0


def main() -> int:
    """Measures and prints; exit code 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workstreams", type=int, default=100)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-recovery-") as scratch:
        stage = Stage(Path(scratch), given.workstreams, given.workers)
        stage.run(given.workers)
    figure = Figure(
        "uet resume to run_recovered",
        statistics.median(stage.recovered),
        "its imports alone",
        statistics.median(stage.started),
        GOAL_SECONDS,
        f"longest {max(stage.recovered):.2f} s; {statistics.median(stage.computed):.2f} s of CPU; "
        + "; ".join(stage.became),
    )
    code = tell(f"Going on after a kill, medians of {len(KILLS)}", [figure], as_json=given.json)
    return code or int(max(stage.recovered) >= GOAL_SECONDS)


class Stage:
    """A repository and a run in it."""

    def __init__(self, scratch: Path, count: int, workers: int) -> None:
        self._count = count
        self._repository = make_repository(scratch / "repository", count)
        scripts = [f"{_WORK}; echo 'edited = {number}' >> {source(number)}" for number in range(count)]
        self._plan = make_plan(scratch / "plan.json", scripts)
        self._store = self._repository / ".uet" / "uet.db"
        self.recovered: list[float] = []
        self.computed: list[float] = []
        """Seconds of processor time until then, those of git included."""
        self.started: list[float] = []
        self.became: list[str] = []
        """What became of the attempts that were left, each time."""

    def run(self, workers: int) -> None:
        """Runs it to its end, over all kills."""
        process = self._start("run", str(self._plan), "--workers", str(workers), "--headless")
        for number, share in enumerate(KILLS, start=1):
            self._until(lambda share=share: self._merged() >= share * self._count, process, f"{share:.0%} merged")
            process.kill()
            process.wait()
            begin = time.perf_counter()
            process = self._start("resume", "--headless")
            self._until(lambda number=number: len(self._recoveries()) == number, process, "run_recovered")
            self.recovered.append(time.perf_counter() - begin)
            self.computed.append(_cpu(process.pid))
        if process.wait(_LIMIT) or self._merged() != self._count:
            raise SystemExit(f"the run did not end as it should: {self._merged()} merged, {process.returncode}")
        for _ in KILLS:
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", _IMPORTS], env=environment(), check=True)
            self.started.append(time.perf_counter() - begin)
        told = (json.loads(data) for (data,) in self._recoveries())
        self.became = [", ".join(f"{one[name]} {name}" for name in ("adopted", "collected", "lost")) for one in told]

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([*UET, *words], cwd=self._repository, env=environment(), stdout=subprocess.DEVNULL)

    def _merged(self) -> int:
        found = self._ask("SELECT count(*) FROM workstreams WHERE state = 'MERGED'")
        return int(found[0][0]) if found else 0

    def _recoveries(self) -> list[tuple[str]]:
        return self._ask("SELECT data FROM uet_events WHERE type = 'run_recovered' ORDER BY id")

    def _ask(self, query: str) -> list[tuple[str]]:
        try:
            with closing(sqlite3.connect(f"file:{self._store}?mode=ro", uri=True)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # it is being made
            return []

    def _until(self, true: Callable[[], bool], process: "subprocess.Popen[bytes]", what: str) -> None:
        end = time.monotonic() + _LIMIT
        for _ in itertools.count():
            if true():
                return
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"waited in vain for {what}; exit code {process.poll()}")
            time.sleep(0.01)


def _cpu(pid: int) -> float:
    """Of a process and of its children that ended."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
