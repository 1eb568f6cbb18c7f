"""What the keeper costs beside the same command started by hand: how late an agent starts, how fast it may print.

    python -m benchmarks.keeper [--rounds 3] [--json]

An agent that prints 100 MB at once is held against `sh -c ... > file`: with lines of text, with the secrets of five
variables to look for, with one of them on every hundredth line, and with colours on every line. The start is that of
`true`, from the call until its end is known, held against a Python that does nothing: the least that a program of
Python's can take.
"""

import argparse
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks._report import Figure, medians, tell
from uet_tui.engine import attempts

MEGABYTES = 100
STARTS = 15
GOAL_START_SECONDS = 0.15
SECRETS = {f"SERVICE_{n}_API_KEY": f"sk-{n}-Zq8/T+v1x7Lm9abcdefghijklmnopqrstuvwxyz0123456789{n}" for n in range(5)}
KEY = SECRETS["SERVICE_3_API_KEY"]


class Kept:
    """A shell command that a keeper runs, each time as an attempt of its own, and how much CPU time that took."""

    _numbers = itertools.count()

    def __init__(self, folder: Path, command: str, secrets: Mapping[str, str]) -> None:
        self._folder = folder
        self._command = command
        self._environ = {"PATH": os.environ["PATH"], **secrets}
        self._cpu: list[float] = []

    def __call__(self) -> None:
        folder = self._folder / f"attempt-{next(self._numbers)}"
        folder.mkdir()
        start = attempts.Start(
            argv=["/bin/sh", "-c", self._command],
            cwd=str(self._folder),
            stdin=os.devnull,
            timeout=120.0,
            grace=1.0,
            end_with="SIGTERM",
            limit=attempts.OUTPUT_LIMIT,
            confined=False,
            memory=0,
            disk=0,
            folders=[],
            stall=0.0,
            cookie=str(folder),
            wake=str(folder / "wake"),
        )
        before = _cpu()
        keeper = attempts.start(folder, start, self._environ)
        keeper.wait()
        self._cpu.append(_cpu() - before)
        ended = attempts.ended(folder)
        output = folder / "output.log"
        if ended is None or ended.code != 0 or KEY.encode() in output.read_bytes():
            raise AssertionError(ended)
        output.unlink()

    @property
    def note(self) -> str:
        """What it computed, the command itself included."""
        return f"{statistics.median(self._cpu):.2f} s of CPU"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(folder: Path, rounds: int) -> list[Figure]:
    """Both starts, and each kind of output, in turn with their baselines."""
    true = Kept(folder, "exec true", {})
    python = [sys.executable, "-I", "-S", "-c", "pass"]
    started = medians(STARTS, {"python": lambda: subprocess.run(python, check=True), "keeper": true})
    against = "python -I -S -c pass"
    figures = [Figure("start to end of true", started["keeper"], against, started["python"], GOAL_START_SECONDS)]
    plain = "".join(
        f"[{n}] compiling a line that is like any other: sk-ip, {n * 7919 % 10007}\n" for n in range(10_000)
    )
    coloured = "".join(f"\x1b[32m{line}\x1b[0m\n" for line in plain.splitlines())
    told = "".join(f"{line} {KEY if n % 100 == 0 else ''}\n" for n, line in enumerate(plain.splitlines()))
    kinds = {
        "no secrets": (plain, {}),
        "5 secrets": (plain, SECRETS),
        "5 secrets, printed": (told, SECRETS),
        "5 secrets, in colour": (coloured, SECRETS),
    }
    for name, (text, secrets) in kinds.items():
        source = folder / f"{name}.txt"
        source.write_text(text)
        times = MEGABYTES * 1_000_000 // len(text.encode())
        command = f"for n in $(seq {times}); do cat '{source}'; done"
        kept = Kept(folder, command, secrets)
        by_hand = ["/bin/sh", "-c", f"({command}) > '{folder}/by-hand'"]
        took = medians(rounds, {"by hand": lambda by_hand=by_hand: subprocess.run(by_hand, check=True), "kept": kept})
        figures.append(
            Figure(f"{MEGABYTES} MB, {name}", took["kept"], "sh -c ... > file", took["by hand"], note=kept.note)
        )
    return figures


def main() -> int:
    """Measures in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), arguments.rounds)
    return tell("The keeper, beside the same by hand", figures, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
