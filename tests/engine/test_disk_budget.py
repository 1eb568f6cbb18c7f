"""The operator is told before the runs take more of the disk than they want."""

import pytest

from tests.engine.scene import Scene, workstream
from tests.support.wait import until
from uet_tui.core.states import RunState
from uet_tui.engine.disk_budget import DiskBudget, warning


@pytest.mark.parametrize(
    ("used", "budget_gb", "said"),
    [
        (10**12, 0, ""),
        (0, 1, ""),
        (79 * 10**7, 1, ""),
        (80 * 10**7, 1, ".uet/ takes 0.8 GB, 80 % of what disk_budget_gb allows (1)"),
        (10**9, 1, "100 % of what"),
        (12 * 10**8, 1, ".uet/ takes 1.2 GB, more than disk_budget_gb allows (1): `uet clean` frees"),
        (2 * 10**9, 2.5, "80 % of what disk_budget_gb allows (2.5)"),
    ],
)
def test_what_is_told_of_how_much(used: int, budget_gb: float, said: str) -> None:
    found = warning(used, budget_gb)
    assert said in found
    assert bool(said) == bool(found)


def test_without_a_budget_nobody_looks(scene: Scene) -> None:
    looked = list[str]()

    def look(folder: str) -> int:
        looked.append(folder)
        return 10**12

    none, small = (DiskBudget(scene.home.folder, gb, look) for gb in (0, 1))
    none.start()
    small.start()
    until(lambda: small.warning, 10, "a look")
    none.close()
    small.close()
    assert looked == [str(scene.home.folder)]
    assert not none.warning


def test_a_run_that_takes_more_than_it_may_says_so_once_and_goes_on(scene: Scene) -> None:
    go = scene.repository.path.parent / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    scene.begin(workstream("ws-a", wait, "echo a > a"), sets=("disk_budget_gb=0.00001",))
    until(lambda: scene.events("disk_budget"), 20, "the operator to be told")
    assert any("more than disk_budget_gb allows" in notice for notice in scene.view().notices)
    go.touch()
    assert scene.finish().state is RunState.COMPLETED
    assert len(scene.events("disk_budget")) == 1
