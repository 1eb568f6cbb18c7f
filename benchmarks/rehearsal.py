"""How near a real run comes to its forecast: a plan rehearsed by simulated agents, through the real command.

    python -m benchmarks.rehearsal [PLAN] [--workers 4] [--rounds 1] [--json]

PLAN is a folder of bundles; without one, a plan of 36 workstreams with the shape of a real one is made: 8 waves, a
critical path of 8, and overlapping scopes. The baseline is the forecast of the same schedule; the goal is a wall time,
from the first start to the last merge, of at most 1.1 times that.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

GOAL = 1.1
_WAVES = (12, 8, 4, 3, 2, 2, 3, 2)


def main() -> int:
    """Prints the ratio; 1 if the goal is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path, nargs="?")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-rehearsal-") as scratch:
        folder = Path(scratch)
        plan = given.plan.resolve() if given.plan else make_plan(folder / "plan")
        rounds = [rehearse(folder / str(n), plan, given.workers) for n in range(given.rounds)]
    forecast = rounds[0]["forecast"]
    run, command = (statistics.median(one[name] for one in rounds) for name in ("run", "command"))
    ratio = run / forecast
    found = {"forecast": forecast, "run": run, "command": command, "ratio": ratio, "met": ratio <= GOAL}
    if given.json:
        print(json.dumps(found))
    else:
        print(f"forecast               {forecast:7.2f} s")
        print(f"first start to last end{run:7.2f} s   {ratio:.3f} times the forecast (goal {GOAL})")
        print(f"the whole command      {command:7.2f} s   {command / forecast:.3f} times the forecast")
    return 0 if found["met"] else 1


def make_plan(folder: Path) -> Path:
    """A plan in 8 waves; each workstream needs one of the wave before, the first of each wave the first of that."""
    folder.mkdir()
    before: list[str] = []
    for number, width in enumerate(_WAVES, start=1):
        wave = [f"ws-{number}-{place:02}" for place in range(width)]
        for place, id in enumerate(wave):
            bundle = {
                "id": id,
                "openspec_change": "BENCH",
                "ccpm_issue": number,
                "gate": 1,
                "files_scope": [f"part{place}/", f"wave{number}/{id}.txt"],
                "tasks": [f"Write {id}"],
                "tool": "simulated",
                "depends_on": before[place % len(before) : place % len(before) + 1] if before else [],
            }
            (folder / f"{id}.json").write_text(json.dumps(bundle))
        before = wave
    return folder


def rehearse(repository: Path, plan: Path, workers: int) -> dict[str, float]:
    """One rehearsal in a repository of its own; seconds of the forecast, the run and the whole command."""
    repository.mkdir()
    for words in (
        ("init", "-q", "-b", "main"),
        ("-c", "user.name=b", "-c", "user.email=b@localhost", "commit", "-q", "--allow-empty", "-m", "Begin"),
    ):
        subprocess.run(["git", *words], cwd=repository, check=True)
    begin = time.perf_counter()
    done = uet(repository, "run", str(plan), "--agent", "simulated", "--headless", "--workers", str(workers), "--json")
    command = time.perf_counter() - begin
    status = json.loads(done)
    if status["counts"] != {"MERGED": len(status["workstreams"])}:
        raise SystemExit(f"not all merged: {status['counts']}")
    times = [datetime.fromisoformat(ws[name]) for ws in status["workstreams"] for name in ("started_at", "ended_at")]
    profile = json.loads(uet(repository, "validate", str(plan), "--workers", str(workers), "--json"))
    units = next(row["seconds"] for row in profile["forecast"] if row["workers"] == workers)
    unit = float(json.loads(uet(repository, "config", "--json"))["settings"]["simulated.unit_seconds"]["value"])
    return {"forecast": units * unit, "run": (max(times) - min(times)).total_seconds(), "command": command}


def uet(folder: Path, *arguments: str) -> str:
    """What the command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "uet_tui", *arguments], cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"uet {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
