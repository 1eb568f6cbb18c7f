"""At each failpoint of landing and rolling back the program dies: said again, it is done, and once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import plans
from tests.chaos.cases import LAND, ROLLBACK
from tests.chaos.stage import Stage, died

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]
ALREADY = 4
"""How a second rollback ends where the first did what was asked: a full disk only makes it wait."""
UNDONE = ("ws-a", "ws-e")
"""Those with an action of compensation."""


@pytest.fixture
def over(folder: Path, tree_of_six: str) -> Iterator[Stage]:
    """A run that is over."""
    stage = Stage(folder, plans.six())
    stage.repository.git("branch", "trunk")
    assert stage.do(*stage.orchestrate()) == 0
    yield stage


@pytest.mark.parametrize("kind", ["kill", "raise", "enospc"])
@pytest.mark.parametrize("name", LAND)
def test_landing_is_done_once(over: Stage, name: str, kind: str) -> None:
    code = over.do("land", "--target", "trunk", point=f"{name}:1:{kind}")
    assert died(code) or kind != "kill"
    assert over.do("land", "--target", "trunk") == 0
    assert over.repository.git("rev-parse", "trunk") == over.tip
    over.check_events()


@pytest.mark.parametrize("kind", ["kill", "raise", "enospc"])
@pytest.mark.parametrize("name", ROLLBACK)
def test_a_rollback_is_done_once(over: Stage, name: str, kind: str) -> None:
    base = over.repository.head
    code = over.do("rollback", point=f"{name}:1:{kind}")
    assert died(code) or kind != "kill"
    assert over.do("rollback") == (ALREADY if code == 0 else 0)
    assert over.tree == over.repository.git("rev-parse", f"{base}^{{tree}}")
    reverts = over.repository.git("log", "--format=%(trailers:key=UET-Reverts,valueonly)", f"{base}..{over.tip}")
    undone = reverts.split()
    assert len(undone) == len(set(undone)), os.linesep.join(undone)
    over.check_events()
