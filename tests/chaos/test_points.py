"""At each failpoint the program dies, or its disk fails: the run still comes to what it would have come to."""

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos import plans
from tests.chaos.cases import BATCHES, LAND, MIGRATE, RESTORE, ROLLBACK, RUN, SHORT, names
from tests.chaos.stage import Stage, died

LATE = ("orchestrator.before-checkpoint", "orchestrator.checkpointed")
"""Reached only by runs of half a minute and more."""


def test_each_failpoint_has_a_name_of_its_own_and_is_exercised() -> None:
    found = names()
    assert max(Counter(found).values()) == 1
    assert set(found) == {*RUN, *RESTORE, *MIGRATE, *LAND, *ROLLBACK, *BATCHES}
    assert {point.partition(":")[0] for points in SHORT for point in points} <= set(RUN)


def disturbed(folder: Path, tree: str, point: str) -> None:
    """A run of the six to its end, though something goes wrong at a point at first."""
    name, _, rest = point.partition(":")
    kind = rest.rpartition(":")[2] if not rest.isdigit() else ""
    stage = Stage(folder, plans.six())
    code = stage.do(*stage.orchestrate(), point=point)
    nth = int(rest.partition(":")[0] or 1)
    assert stage.lines("trace").count(name) >= nth, "it must get as far as that"
    if not kind and not name.startswith("keeper."):
        assert died(code)
    stage.check_always()
    stage.to_the_end()
    stage.check(tree, every_cost=not name.startswith("keeper."))


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("chaos")  # the undisturbed run is made once
@pytest.mark.parametrize("points", SHORT, ids=lambda points: points[0])
def test_disturbed_again_and_again_a_run_comes_to_the_same_end(
    folder: Path, tree_of_six: str, points: tuple[str, ...]
) -> None:
    stage = Stage(folder, plans.six())
    for point in points:
        stage.do(*stage.orchestrate(), point=point)
        assert point.partition(":")[0] in stage.lines("trace"), "it must get as far as that"
        stage.check_always()
        stage.trace.unlink()
    stage.to_the_end()
    stage.check(tree_of_six, every_cost=False)


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["kill", "raise", "enospc", "stall"])
@pytest.mark.parametrize("name", [name for name in RUN if name not in LATE])
def test_whatever_goes_wrong_at_any_point_a_run_comes_to_the_same_end(
    folder: Path, tree_of_six: str, name: str, kind: str
) -> None:
    disturbed(folder, tree_of_six, f"{name}:1" if kind == "kill" else f"{name}:1:{kind}")


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", LATE)
def test_killed_at_a_checkpoint_a_long_run_comes_to_its_end(folder: Path, name: str) -> None:
    stage = Stage(folder, plans.long())
    assert died(stage.do(*stage.orchestrate(), point=name))
    stage.check_always()
    stage.to_the_end()
    stage.check(stage.tree)
