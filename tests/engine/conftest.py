"""The stage of the engine's tests."""

from collections.abc import Iterator

import pytest

from tests.engine.scene import Scene
from tests.support.repository import Repository


@pytest.fixture
def scene(repository: Repository) -> Iterator[Scene]:
    """A repository in which runs can be started; what still runs at the end is stopped."""
    scene = Scene(repository)
    yield scene
    scene.leave()
