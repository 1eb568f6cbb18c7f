"""The stage of the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.scene import Scene
from tests.engine.stage import Stage
from tests.support.repository import Repository
from uet_tui.engine import attempts


@pytest.fixture
def scene(repository: Repository) -> Iterator[Scene]:
    """A repository in which runs can be started; what still runs at the end is stopped."""
    scene = Scene(repository)
    yield scene
    scene.leave()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The folder of one attempt; what still runs at the end is ended."""
    stage = Stage(tmp_path / "attempt")
    yield stage
    for process in stage.keepers:
        if process.poll() is None:
            attempts.kill(stage.folder)
        process.wait(15)
