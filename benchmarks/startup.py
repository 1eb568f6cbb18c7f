"""How long an operator waits for a command that only says something, beside Python itself and beside the libraries.

    python -m benchmarks.startup [--rounds 7] [--json]

`uet status` tells of a run of 100 workstreams. Its baseline is the import of SQLModel, which opens the store; that of
`uet --version` is a Python that does nothing.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._report import Figure, medians, tell
from benchmarks.store import make_run
from uet_tui.store.paths import Home

ROOT = Path(__file__).resolve().parent.parent
GOAL_VERSION_SECONDS = 0.3
GOAL_STATUS_SECONDS = 0.9


class Command:
    """A command line of Python's, and how much CPU time it took each time."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._arguments = [sys.executable, *arguments]
        self._environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self._cpu: list[float] = []

    def __call__(self) -> None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(self._arguments, cwd=self._folder, env=self._environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    @property
    def note(self) -> str:
        """What it computed: much less than it took means that the machine was busy with other things."""
        return f"{statistics.median(self._cpu):.2f} s of CPU"


def measure(folder: Path, rounds: int) -> list[Figure]:
    """Both commands and both baselines, in turn."""
    make_run(Home(folder / ".uet"))
    version, status = Command(folder, "-m", "uet_tui", "--version"), Command(folder, "-m", "uet_tui", "status")
    python, libraries = Command(folder, "-c", "pass"), Command(folder, "-c", "import sqlmodel")
    status()  # what is not compiled yet is compiled now
    took = medians(rounds, {"python": python, "version": version, "libraries": libraries, "status": status})
    return [
        Figure("uet --version", took["version"], "python -c pass", took["python"], GOAL_VERSION_SECONDS, version.note),
        Figure(
            "uet status",
            took["status"],
            "python -c 'import sqlmodel'",
            took["libraries"],
            GOAL_STATUS_SECONDS,
            status.note,
        ),
    ]


def main() -> int:
    """Measures and prints; exit code 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-startup-") as folder:
        figures = measure(Path(folder), asked.rounds)
    return tell(f"Starting, medians of {asked.rounds}", figures, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
