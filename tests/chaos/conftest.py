"""What an undisturbed run of each plan comes to."""

import os
import signal
from pathlib import Path

import pytest

from tests.chaos import plans
from tests.chaos.stage import Stage


@pytest.fixture(scope="session")
def tree_of_six(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tree of the six."""
    return _undisturbed(Stage(tmp_path_factory.mktemp("six"), plans.six()))


@pytest.fixture(scope="session")
def tree_of_thirty(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tree of the thirty."""
    return _undisturbed(Stage(tmp_path_factory.mktemp("thirty"), plans.thirty()))


def _undisturbed(stage: Stage) -> str:
    assert stage.do(*stage.orchestrate()) == 0
    stage.check(stage.tree)
    return stage.tree


@pytest.fixture
def folder(tmp_path: Path):
    """Where a stage may be; whatever still runs there at the end is ended."""
    yield tmp_path
    from tests.support import leftovers

    for pid in leftovers.processes("none", tmp_path):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
