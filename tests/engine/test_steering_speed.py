"""What an operator asks for in a second terminal takes effect at once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.engine.scene import Scene, workstream
from tests.support.wait import until
from uet_tui.core.states import RunState, WorkerState, WorkstreamState
from uet_tui.store.views import RunView

LIMIT = 0.5
"""Seconds between submitting a command and its effect in the store."""


def type_in_a_second_terminal(scene: Scene, *arguments: str) -> Any:
    """Has the real `uet` carry a command out, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "uet_tui", *arguments, "--json"],
        cwd=scene.repository.path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def seconds_to_effect(scene: Scene) -> float:
    """From when the newest command was made until it was on record that it had been carried out."""
    ((seconds,),) = scene.sql(
        "SELECT (julianday((SELECT max(time) FROM uet_events WHERE type = 'operator_command'))"
        " - julianday((SELECT max(at) FROM operator_commands))) * 86400"
    )
    return float(seconds)


def running(scene: Scene, count: int) -> bool:
    return sum(ws.state is WorkstreamState.RUNNING for ws in scene.view().workstreams) == count


def draining(view: RunView) -> int:
    return sum(worker.state is WorkerState.DRAINING for worker in view.workers)


def test_commands_of_a_second_terminal_take_effect_within_half_a_second(scene: Scene) -> None:
    go = scene.repository.path.parent / "go"
    chatter = "head -c 100000 /dev/zero | tr '\\0' x; echo;"
    scene.begin(
        *(
            workstream(f"ws-{n}", f"while [ ! -e {go} ]; do {chatter} sleep 0.05; done", f"echo {n} > {n}", scope=[n])
            for n in "abcdef"
        ),
        sets=("workers=4",),
    )
    until(lambda: running(scene, 4), 15, "four agents")
    effects = {
        ("scale", "1"): lambda view: view.parallelism == 1 and draining(view) == 3,
        ("scale", "4"): lambda view: view.parallelism == 4 and draining(view) == 0,
        ("pause",): lambda view: view.state is RunState.PAUSED,
        ("continue",): lambda view: view.state is RunState.RUNNING,
        ("drain", "2"): lambda view: draining(view) == 1,
        ("drain",): lambda view: view.state is RunState.DRAINING and draining(view) == 4,
    }
    for command, holds in effects.items():
        assert type_in_a_second_terminal(scene, *command)["ok"]
        assert holds(scene.view()), f"{command} was answered, so its effect is in the store"
        assert 0 <= seconds_to_effect(scene) < LIMIT
    go.touch()
    assert scene.finish().state is RunState.PAUSED
    assert len([ws for ws in scene.view().workstreams if ws.state is WorkstreamState.MERGED]) == 4
