"""What conflicts that wait cost those that have none: the same work, with and without five conflicts.

    python -m benchmarks.queue [--rounds 3] [--others 20] [--json]

Six workstreams come first. In one run they all change one line of one file, so five of them conflict and wait for the
operator; in the other, each changes a file of its own. How long it takes until the last of the others, which have
nothing to do with all that, is merged should not differ.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks._report import Figure, tell
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import new_run, repository_at
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Priority, Workstream
from uet_tui.settings.layers import load_settings

AIMED = 1.1
"""Times the run without conflicts."""
CONFLICTS = 5
_SETTINGS = (f"workers={CONFLICTS + 1}", "overlap=allow", "forecast_seconds=0", "ladder.agent=none")
_WORK = "sleep 0.2"
"""What an agent does beside its edit."""


def main() -> int:
    """Measures and prints; exit code 1 if the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--others", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-bench-") as scratch:
        took: dict[int, list[float]] = {CONFLICTS: [], 0: []}
        for number in range(asked.rounds):
            for conflicts, times in took.items():
                times.append(_seconds(Path(scratch, f"{number}-{conflicts}"), conflicts, asked.others))
    meeting, apart = (statistics.median(times) for times in took.values())
    what = f"{asked.others} merged while {CONFLICTS} conflicts wait"
    figure = Figure(what, meeting, "the same without conflicts", apart, goal=apart * AIMED)
    return tell(f"Conflicts that wait, medians of {asked.rounds}", [figure], as_json=asked.json)


def _seconds(folder: Path, conflicts: int, others: int) -> float:
    """Seconds from the start of a run to the merge of the last workstream that meets no other."""
    repository = _repository(folder)
    meet = _workstreams(
        "ws-meet", CONFLICTS + 1, lambda n: "shared.txt" if conflicts else f"own{n}.txt", Priority.FOREGROUND
    )
    rest = _workstreams("ws-other", others, lambda n: f"file{n}.txt", Priority.BACKGROUND)
    settings = load_settings(None, {}, _SETTINGS, {}).settings
    opened = new_run(repository_at(repository), build_plan([*meet, *rest]), settings)
    orchestrator = Orchestrator(opened.place, opened.hold)
    orchestrator.run()
    if orchestrator.failure is not None:
        raise orchestrator.failure
    records = orchestrator.records
    found = sum(row.state is WorkstreamState.CONFLICTED for row in records.workstreams.values())
    ends = [records.workstreams[ws.id].ended_at for ws in rest]
    began = records.run.started_at
    if found != conflicts or began is None or None in ends:
        raise SystemExit(f"the run did not go as it was meant to: {found} conflicts, {records.run.reason}")
    shutil.rmtree(folder)
    return max(end for end in ends if end is not None) - began


def _workstreams(name: str, count: int, file: Callable[[int], str], priority: Priority) -> Iterable[Workstream]:
    return [
        Workstream(
            id=f"{name}-{number:03}",
            openspec_change="BENCH",
            ccpm_issue=number,
            gate=1,
            files_scope=(file(number),),
            tasks=(_WORK, f"echo {number} > {file(number)}"),
            tool="shell",
            priority=priority,
        )
        for number in range(count)
    ]


def _repository(path: Path) -> Path:
    path.mkdir()
    (path / "shared.txt").write_text("nobody's\n")
    for words in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "bench"),
        ("config", "user.email", "bench@example.invalid"),
        ("config", "gc.auto", "0"),
        ("add", "-A"),
        ("commit", "-q", "-m", "Begin"),
    ):
        subprocess.run(["git", *words], cwd=path, check=True, capture_output=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
