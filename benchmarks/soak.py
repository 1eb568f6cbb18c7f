"""Whether anything grows or is left while a long run goes on: a thousand short shell agents, by the real command.

    python -m benchmarks.soak [--workstreams 1000] [--workers 8] [--json]

`uet run PLAN --headless` merges one workstream after another; meanwhile the orchestrator's memory, open files, threads,
child processes and zombies are looked at ten times a second, and told for each hundred merged. The baseline is the same
run when its first hundred were merged. What is steady goes up and down with what happens to be under way, so a stretch
of a hundred is told by its median, and by its highest. Ends with 1 if a goal is missed.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks._scratch import UET, environment, make_plan, make_repository, source

STRETCH = 100
"""Workstreams after which a stretch ends."""
GROWTH = 0.05
"""How much of what it was after the first stretch the memory may grow by."""
_WORK_SECONDS = 2
"""What an agent takes: so long that merging keeps up, else the queue grows until the end, and what is known of it."""
_EVERY = 0.1
_LIMIT = 3600.0
"""Seconds after which the run counts as stuck."""


@dataclass(frozen=True)
class Sample:
    """How the orchestrator was at one moment."""

    merged: int
    rss: int
    """Bytes of resident memory."""
    files: int
    threads: int
    children: int
    """Living child processes: keepers, and git."""
    zombies: int


@dataclass(frozen=True)
class Stretch:
    """How it was while a hundred workstreams were merged."""

    merged: int
    """How many were when it ended."""
    seconds: float
    rss: int
    """At its end."""
    files: int
    threads: int
    children: int
    most_files: int
    most_threads: int
    most_children: int
    most_zombies: int


@dataclass(frozen=True)
class Left:
    """What there is once the command has ended."""

    code: int
    states: dict[str, int]
    """Of workstreams: how many are in each."""
    attempts: int
    sandboxes: int
    processes: Sequence[str]
    """Command lines of what still works in the repository, or was started for it."""
    temporary: Sequence[str]
    """Names in the folder for temporary files."""


@dataclass(frozen=True)
class Goal:
    """What must hold."""

    what: str
    found: str
    met: bool


def main() -> int:
    """Prints the stretches and the goals; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workstreams", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.workstreams < 2 * STRETCH:
        parser.error(f"growth after the first {STRETCH} can be told of {2 * STRETCH} workstreams or more")
    with tempfile.TemporaryDirectory(prefix="uet-soak-") as scratch:
        stretches, left = soak(Path(scratch), given.workstreams, given.workers)
    goals = judge(stretches, left, given.workstreams, given.workers)
    met = all(goal.met for goal in goals)
    if given.json:
        told = {"stretches": [asdict(one) for one in stretches], "left": asdict(left), "met": met}
        print(json.dumps(told | {"goals": [asdict(goal) for goal in goals]}))
    else:
        print("\n".join(_text(stretches, goals)))
    return 0 if met else 1


def soak(scratch: Path, count: int, workers: int) -> tuple[list[Stretch], Left]:
    """Runs the plan to its end, and looks at the orchestrator all the while."""
    repository = make_repository(scratch / "repository", count)
    scripts = [f"sleep {_WORK_SECONDS}; echo 'edited = {number}' >> {source(number)}" for number in range(count)]
    plan = make_plan(scratch / "plan.json", scripts)
    temporary = scratch / "temporary"
    temporary.mkdir()
    command = [*UET, "run", str(plan), "--headless", "--workers", str(workers)]
    with (scratch / "said").open("w") as said:
        process = subprocess.Popen(
            command, cwd=repository, stdout=said, stderr=said, env=environment(TMPDIR=str(temporary))
        )
        try:
            stretches = _stretches(process, repository / ".uet" / "uet.db", count)
        finally:
            process.kill()  # where it has ended, nothing
            code = process.wait()
    if code:
        sys.stderr.write((scratch / "said").read_text()[-2000:])
    return stretches, _left(scratch, repository, code, temporary)


def _stretches(process: "subprocess.Popen[bytes]", store: Path, count: int) -> list[Stretch]:
    """Looks until the command has ended."""
    told: list[Stretch] = []
    samples: list[Sample] = []
    begin = time.monotonic()
    end = begin + _LIMIT
    while process.poll() is None and time.monotonic() < end:
        time.sleep(_EVERY)
        sample = _sample(process.pid, _merged(store))
        if sample is None:
            continue
        samples.append(sample)
        if sample.merged >= min(STRETCH * (len(told) + 1), count):
            told.append(_stretch(samples, time.monotonic() - begin))
            samples, begin = [], time.monotonic()
            if sample.merged >= count:
                break  # what follows is the end of the program
    with suppress(subprocess.TimeoutExpired):
        process.wait(60)
    return told


def _stretch(samples: Sequence[Sample], seconds: float) -> Stretch:
    files, threads, children = (
        [getattr(sample, name) for sample in samples] for name in ("files", "threads", "children")
    )
    last = samples[-1]
    return Stretch(
        merged=last.merged,
        seconds=seconds,
        rss=last.rss,
        files=statistics.median_high(files),
        threads=statistics.median_high(threads),
        children=statistics.median_high(children),
        most_files=max(files),
        most_threads=max(threads),
        most_children=max(children),
        most_zombies=max(sample.zombies for sample in samples),
    )


def _merged(store: Path) -> int:
    """How many workstreams are merged, by the store; 0 while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT count(*) FROM workstreams WHERE state = 'MERGED'").fetchone()
            return int(found[0])
    except sqlite3.OperationalError:  # it is being made
        return 0


def _sample(pid: int, merged: int) -> Sample | None:
    """A look at a process and its children; None if it is gone."""
    try:
        words = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        states = [_state(child) for child in _children(pid)]
    except (OSError, ValueError):
        return None
    if "VmRSS" not in words:
        return None  # it is a zombie
    rss = int(words["VmRSS"].split()[0]) * 1024
    zombies = states.count("Z")
    living = sum(state not in ("Z", "") for state in states)
    return Sample(merged, rss, files, int(words["Threads"]), living, zombies)


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread that ended meanwhile
            yield from map(int, (task / "children").read_text().split())


def _state(pid: int) -> str:
    """`R`, `S`, `Z` and so on; empty if it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _left(scratch: Path, repository: Path, code: int, temporary: Path) -> Left:
    with closing(sqlite3.connect(repository / ".uet" / "uet.db")) as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM workstreams GROUP BY state").fetchall())
        (attempts,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    sandboxes = sum(1 for _ in repository.glob(".uet/runs/*/sandboxes/*"))
    return Left(
        code, states, attempts, sandboxes, [*_processes(scratch)], sorted(path.name for path in temporary.iterdir())
    )


def _processes(scratch: Path) -> Iterator[str]:
    """The command lines of processes that work below a folder or name it."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(scratch) in line or (process / "cwd").readlink().is_relative_to(scratch):
                yield line


def judge(stretches: Sequence[Stretch], left: Left, count: int, workers: int) -> list[Goal]:
    """What must hold of all that was seen."""
    if not stretches or stretches[-1].merged < count:
        return [Goal("all are merged", f"{left.states}, exit code {left.code}", met=False)]
    first, last = stretches[0], stretches[-1]
    growth = last.rss / first.rss - 1
    zombies = max(one.most_zombies for one in stretches)
    return [
        Goal(
            f"{count} merged, each with one attempt, exit code 0",
            f"{left.states}, {left.attempts} attempts, exit code {left.code}",
            left.states == {"MERGED": count} and left.attempts == count and left.code == 0,
        ),
        Goal(
            f"memory grows by less than {GROWTH:.0%} after the first {STRETCH}",
            f"{first.rss / 1e6:.1f} MB to {last.rss / 1e6:.1f} MB, {growth:+.1%}",
            growth < GROWTH,
        ),
        *(
            Goal(
                f"{name} of the last {STRETCH} by their median are no more than the most of the first{beside}",
                f"{getattr(last, name)} of {getattr(first, f'most_{name}')}",
                getattr(last, name) <= getattr(first, f"most_{name}") + more,
            )
            for name, more, beside in (
                ("files", 0, ""),
                ("threads", workers, " and one a worker, since threads are made as they are needed"),
                ("children", 0, ""),
            )
        ),
        Goal(
            "at most one zombie a worker at once: it is one from its end until the next look",
            str(zombies),
            zombies <= workers,
        ),
        Goal(
            "no sandbox but one for each worker, and the merge queue's",
            str(left.sandboxes),
            left.sandboxes <= workers + 1,
        ),
        Goal("no process is left", ", ".join(left.processes) or "none", not left.processes),
        Goal("no temporary file is left", ", ".join(left.temporary) or "none", not left.temporary),
    ]


def _text(stretches: Sequence[Stretch], goals: Sequence[Goal]) -> Iterator[str]:
    yield "merged  seconds   memory    open files   threads      children     zombies"
    yield "                            median most  median most  median most  most"
    for one in stretches:
        yield (
            f"{one.merged:6} {one.seconds:8.1f} {one.rss / 1e6:7.1f} MB {one.files:8} {one.most_files:4} "
            f"{one.threads:7} {one.most_threads:4} {one.children:7} {one.most_children:4} {one.most_zombies:5}"
        )
    yield ""
    for goal in goals:
        yield f"{'PASS' if goal.met else 'FAIL'}  {goal.what}: {goal.found}"


if __name__ == "__main__":
    sys.exit(main())
