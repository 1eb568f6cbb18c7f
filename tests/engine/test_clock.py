"""A clock that is set while a run goes on: nothing waits for it to catch up, and nothing is over before its time."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, settings, workstream
from tests.support.wait import until
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.engine import liveness
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import new_run
from uet_tui.plan.graph import build_plan

HOUR, YEAR = 3600.0, 31_536_000.0


class Clock:
    """The machine's clock, and how far somebody set it."""

    def __init__(self) -> None:
        self.off = 0.0

    def __call__(self) -> float:
        return time.time() + self.off


@pytest.mark.parametrize("off", [-HOUR, YEAR], ids=["an hour back", "a year forward"])
def test_a_run_goes_on_whatever_the_clock_says(scene: Scene, tmp_path: Path, off: float) -> None:
    clock = Clock()
    script = f"echo $$ >> {tmp_path}/pids; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo a > a.txt"
    plan = build_plan([workstream("ws-a", script, scope=["a.txt"]), workstream("ws-b", "echo b > b.txt; exit 1")])
    opened = new_run(scene.operator, plan, settings("retry.base_seconds=0.5", "retry.max_seconds=1", "overlap=allow"))
    scene.run = opened.place.run
    scene.orchestrator = Orchestrator(opened.place, opened.hold, clock=clock)
    scene.orchestrator.start()
    folder = attempt_folder(scene, "ws-a")
    until(lambda: (tmp_path / "pids").exists() and liveness.keeper_of(folder), 30, "the agent")
    clock.off = off
    os.kill(liveness.keeper_of(folder), signal.SIGKILL)  # what only a sweep finds out
    until(lambda: len((tmp_path / "pids").read_text().split()) == 2, 30, "the next attempt")
    (tmp_path / "go").touch()
    view = scene.finish(60)
    assert view.state is RunState.FAILED
    assert scene.state("ws-a") is WorkstreamState.MERGED
    rows = scene.sql("SELECT number, state FROM attempts WHERE workstream = 'ws-a' ORDER BY number")
    assert rows == [(1, "LOST"), (2, "SUCCEEDED")]
    assert scene.sql("SELECT count(*) FROM attempts WHERE workstream = 'ws-b'") == [(3,)]
