"""What uet adds to the work itself: workstreams that do next to nothing, beside the same git work by hand.

    python -m benchmarks.overhead [--count 100] [--workers 4] [--files 1000] [--rounds 5] [--json]

Each round runs `uet run PLAN --headless`, its start included, and the same edits, commits and merges under `make -jN`
(`by_hand.py`), each in a fresh copy of one repository, and compares the trees that come of it. Then one more run, in
this process and with a clock around its operations, tells where the time goes.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._by_hand import by_hand
from benchmarks._scratch import bundle
from uet_tui.engine import attempts, runner
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import new_run, repository_at
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Workstream
from uet_tui.settings.layers import load_settings
from uet_tui.store.writer import Writer
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.sandbox import Sandbox

REQUIRED, AIMED = 0.6, 0.35
"""Times the baseline's time."""
_LINES = 80
_FOLDERS = 40


def main() -> int:
    """Prints the figures; 1 if the required ratio is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"count": 100, "workers": 4, "files": 1000, "rounds": 5}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-overhead-") as scratch:
        bench = Bench(Path(scratch), given.count, given.workers, given.files)
        rounds = [(bench.uet(), bench.by_hand()) for _ in range(given.rounds)]
        parts = bench.parts()
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    found = {
        "uet_seconds": round(ours, 3),
        "by_hand_seconds": round(theirs, 3),
        "ratio": round(ours / theirs, 3),
        "required": REQUIRED,
        "aimed": AIMED,
        "met": ours / theirs <= REQUIRED,
        "rounds": [[round(one, 3) for one in both] for both in rounds],
        "parts": parts,
    }
    print(json.dumps(found) if given.json else _text(found, given.count))
    return 0 if found["met"] else 1


def _text(found: dict[str, Any], count: int) -> str:
    ours, theirs = found["uet_seconds"], found["by_hand_seconds"]
    lines = [
        f"uet run       {ours:7.2f} s   {ours / count * 1e3:6.1f} ms a workstream",
        f"by hand       {theirs:7.2f} s   {theirs / count * 1e3:6.1f} ms a workstream",
        f"ratio         {found['ratio']:7.2f}     required {REQUIRED}, aimed {AIMED}",
        "",
        "where the time goes  count   mean ms   of the wall time (operations run beside each other)",
    ]
    lines += [f"{p['part']:<20} {p['count']:5}  {p['mean_ms']:8.2f}   {p['share']:6.1%}" for p in found["parts"]]
    return "\n".join(lines)


class Bench:
    """A repository, a plan, and ways to carry it out."""

    def __init__(self, scratch: Path, count: int, workers: int, files: int) -> None:
        self._scratch = scratch
        self._workers = workers
        self._taken = 0
        self._original = _repository(scratch / "original", files)
        self._scripts = [f"echo 'edited = {n}' >> {_file(n)}" for n in range(count)]
        plan = scratch / "plan"
        plan.mkdir()
        self._bundles = [bundle(n, script, _file(n)) for n, script in enumerate(self._scripts)]
        for one in self._bundles:
            (plan / f"{one['id']}.json").write_text(json.dumps(one))
        self._trees: set[str] = set()

    def uet(self) -> float:
        """Seconds of the whole command."""
        repository = self._copy()
        argv = [sys.executable, "-m", "uet_tui", "run", str(self._scratch / "plan"), "--headless"]
        begin = time.perf_counter()
        subprocess.run(
            [*argv, "--workers", str(self._workers)],
            cwd=repository,
            check=True,
            stdout=subprocess.DEVNULL,
            env={"PYTHONPATH": str(Path(__file__).parents[1]), **_environment()},
        )
        took = time.perf_counter() - begin
        self._compare(repository, "refs/heads/uet/*")
        return took

    def by_hand(self) -> float:
        """Seconds of the baseline."""
        repository = self._copy()
        begin = time.perf_counter()
        by_hand(repository, self._scripts, self._workers, repository.with_name(f"{repository.name}-work"))
        took = time.perf_counter() - begin
        self._compare(repository, "refs/heads/by-hand/all")
        return took

    def parts(self) -> list[dict[str, Any]]:
        """How often and how long each operation took in a run in this process."""
        clock = Clock()
        clock.around(Sandbox, "reset", "reset a sandbox")
        clock.around(attempts, "start", "start a keeper")
        clock.around(Sandbox, "snapshot", "snapshot")
        clock.around(runner, "collect", "collect, all of it")
        clock.around(runner, "carry_out_batch", "merge")
        clock.around(Writer, "commit", "commit to the store")
        clock.around(ControlRepository, "publish", "publish")
        clock.agents()
        operator = repository_at(self._copy())
        plan = build_plan(Workstream.model_validate(bundle) for bundle in self._bundles)
        settings = load_settings(None, {}, (f"workers={self._workers}",), {}).settings
        begin = time.perf_counter()
        opened = new_run(operator, plan, settings)
        orchestrator = Orchestrator(opened.place, opened.hold)
        orchestrator.run()
        took = time.perf_counter() - begin
        if orchestrator.failure is not None:
            raise orchestrator.failure
        return clock.table(took)

    def _copy(self) -> Path:
        self._taken += 1
        copy = self._scratch / f"repository-{self._taken}"
        shutil.copytree(self._original, copy)
        _git(copy, "status", "--porcelain")  # brings the index up to date with the copied files
        return copy

    def _compare(self, repository: Path, ref: str) -> None:
        self._trees.add(_git(repository, "for-each-ref", "--format=%(tree)", ref))
        if len(self._trees) != 1:
            raise SystemExit(f"the work did not come to the same tree everywhere: {self._trees}")


class Clock:
    """Times functions from the outside; threads may call them."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        self._began: dict[Path, float] = {}

    def around(self, where: Any, name: str, part: str) -> None:
        """Times each call of a function under the name of a part."""
        function: Callable[..., Any] = getattr(where, name)

        def timed(*args: Any, **facts: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*args, **facts)
            finally:
                self._add(part, time.perf_counter() - begin)

        setattr(where, name, timed)

    def agents(self) -> None:
        """Tells an agent's time apart from its keeper's: from the keeper's start to the end being seen."""
        start, ended = attempts.start, attempts.ended

        def started(folder: Path, *rest: Any) -> Any:
            self._began[folder] = time.perf_counter()
            return start(folder, *rest)

        def seen(folder: Path) -> Any:
            found = ended(folder)
            begin = self._began.pop(folder, None) if found else None
            if found and begin is not None:
                self._add("agent", found.seconds)
                self._add("keeper around it", time.perf_counter() - begin - found.seconds)
            return found

        attempts.start, attempts.ended = started, seen

    def _add(self, part: str, seconds: float) -> None:
        with self._lock:
            self._times[part].append(seconds)

    def table(self, wall: float) -> list[dict[str, Any]]:
        """One row a part, the dearest first."""
        rows = [
            {
                "part": part,
                "count": len(times),
                "mean_ms": round(statistics.mean(times) * 1e3, 3),
                "share": round(sum(times) / wall, 4),
            }
            for part, times in self._times.items()
        ]
        whole = {"part": "the whole run", "count": 1, "mean_ms": round(wall * 1e3, 3), "share": 1.0}
        return [whole, *sorted(rows, key=lambda row: -row["share"])]


def _file(number: int) -> str:
    return f"src/part{number % _FOLDERS}/file{number}.py"


def _repository(path: Path, files: int) -> Path:
    for number in range(files):
        file = path / _file(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"value_{line} = {number * _LINES + line}\n" for line in range(_LINES)))
    _git(path, "init", "-q", "-b", "main")
    for key, value in {"user.name": "bench", "user.email": "bench@example.invalid", "gc.auto": "0"}.items():
        _git(path, "config", key, value)
    _git(path, "add", "-A")
    _git(path, "commit", "-q", "-m", "Begin")
    return path


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("UET_", "PYTHONPATH"))}


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
