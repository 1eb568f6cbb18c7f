"""A run whose orchestrator is a process of its own, which something that it starts kills."""

import signal
from typing import Any

from tests.engine.driver import Orchestrating, start_server
from tests.engine.scene import Scene, settings
from uet_tui.engine.start import new_run
from uet_tui.plan.graph import build_plan

LIMIT = 120.0
"""Seconds within which a busy machine does anything."""


def begin_until_killed(scene: Scene, *workstreams: Any, sets: tuple[str, ...] = ()) -> None:
    """Begins a run of the scene's, and sees its orchestrator killed; the run can be resumed then."""
    opened = new_run(scene.operator, build_plan(list(workstreams)), settings(*sets))
    scene.run = opened.place.run
    opened.hold.release(scene.run)
    opened.place.control.close()
    server = start_server()
    try:
        assert Orchestrating(server, scene.repository.path, scene.run, "").wait(LIMIT) == -signal.SIGKILL
    finally:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.close()
        server.wait(LIMIT)
        server.stdout.close()
