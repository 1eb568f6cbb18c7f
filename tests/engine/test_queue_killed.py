"""Killed at any step of the merge queue, a run comes to the same end, and nothing is merged twice."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.queued import bring_to_the_queue
from tests.engine.scene import Scene, workstream
from tests.engine.test_queue import FILES, UNIT, gates
from tests.support.repository import make_repository
from uet_tui import failpoints

ROOT = Path(__file__).parents[2]
POINTS = sorted(
    {
        name
        for file in (ROOT / "uet_tui").rglob("*.py")
        for name in re.findall(
            r"\breached\(\"(queue\.[^\"]+|orchestrator\.(?:before-commit|committed))\"\)", file.read_text()
        )
    }
)
ONCE = {"circuit_breaker": {"max_attempts": 1}}
WAITS_FOR_THE_OPERATOR = 4


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A run whose next batch has two that are fine, a culprit, and one that conflicts with another of the batch."""
    folder = tmp_path_factory.mktemp("waiting")
    scene = Scene(make_repository(folder / "shares", FILES))
    bring_to_the_queue(
        scene,
        workstream("ws-a", "echo a > README.md; echo 40 > shares/a", **UNIT),
        workstream("ws-b", "echo 40 > shares/b", **UNIT),
        workstream("ws-c", "echo 40 > shares/c", **UNIT, **ONCE),
        workstream("ws-d", "echo d > README.md", **UNIT),
        sets=(*gates(folder / "gated"), "ladder.agent=none"),
    )
    copy(scene.repository.path, folder / "kept")
    yield scene
    scene.leave()


def copy(folder: Path, to: Path) -> None:
    """Copies a folder with all that is in it: links and pipes, too."""
    subprocess.run(["cp", "-a", folder, to], check=True)


def restore(scene: Scene) -> None:
    """Makes everything what it was when the run came to rest."""
    shutil.rmtree(scene.repository.path)
    copy(scene.repository.path.parent / "kept", scene.repository.path)


def resume(scene: Scene, point: str = "") -> int:
    """How `uet resume --headless` ends, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    if point:
        environment[failpoints.VARIABLE] = f"{point}:kill"
    done = subprocess.run(
        [sys.executable, "-m", "uet_tui", "resume", "--headless"],
        cwd=scene.repository.path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (WAITS_FOR_THE_OPERATOR, -signal.SIGKILL), done.stderr
    return done.returncode


def outcome(scene: Scene) -> dict[str, object]:
    """What must be the same, however often the run was disturbed."""
    view, git = scene.view(), scene.repository.git
    history = git(
        "log", "--first-parent", "--format=%T %(trailers:only,separator=%x2C)", f"{view.base_commit}..{view.tip}"
    )
    merged = sorted(text.split()[0] for text in scene.events("workstream_merged"))
    assert git("rev-parse", f"refs/heads/uet/{scene.run}") == view.tip
    return {
        "history": history,
        "merged": merged,
        "workstreams": [(ws.id, ws.state, ws.attempts, ws.reason) for ws in view.workstreams],
        "conflicts": [(c.workstream, c.state, [file.path for file in c.files]) for c in view.conflicts],
        "state": (view.state, view.reason),
    }


@pytest.fixture(scope="module")
def undisturbed(waiting: Scene) -> dict[str, object]:
    """What comes of the run if nobody disturbs it."""
    restore(waiting)
    assert resume(waiting) == WAITS_FOR_THE_OPERATOR
    found = outcome(waiting)
    assert found["merged"] == ["ws-a", "ws-b"]
    return found


def test_there_is_a_point_before_and_after_each_step_of_the_queue() -> None:
    assert len([point for point in POINTS if point.startswith("queue.")]) >= 10


@pytest.mark.xdist_group("queue killed")  # what all of them begin with takes as long as one of them
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_and_resumed_it_is_as_if_nothing_had_been(
    waiting: Scene, undisturbed: dict[str, object], point: str
) -> None:
    restore(waiting)
    assert resume(waiting, point) == -signal.SIGKILL, "it must get as far as that"
    assert resume(waiting) == WAITS_FOR_THE_OPERATOR
    assert outcome(waiting) == undisturbed
    ids = [id for (id,) in waiting.sql("SELECT id FROM uet_events ORDER BY id")]
    assert ids == list(range(1, len(ids) + 1)), "no event is missing"
