"""What agents report while they work is counted as it comes, once, whoever dies meanwhile."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.engine.test_recovery import USE, WAIT, Theatre, server, theatre
from tests.support.wait import until
from uet_tui import failpoints
from uet_tui.core.states import AttemptState, RunState
from uet_tui.plan.model import Workstream

__all__ = ["server", "theatre"]


def says(usd: float, tokens: int) -> str:
    return f"""printf '{{"uet": {{"cost_usd": {usd}, "tokens_in": {tokens}}}}}\\n'"""


def spender(outside: Path) -> Workstream:
    """An agent that reports four times, each time more, and waits in between."""
    return workstream(
        "ws-a",
        says(0.25, 100),
        WAIT.format(outside / "second"),
        says(0.5, 200),
        WAIT.format(outside / "third"),
        says(0.5, 200),
        says(1.5, 500),
        WAIT.format(outside / "end"),
        "echo a > a",
        says(2, 600),
    )


def counted(scene: Scene) -> list[tuple]:
    return scene.sql("SELECT number, usd, tokens_in FROM cost_tracking ORDER BY id")


ALL = [(1, 0.25, 100), (2, 0.25, 100), (3, 1.0, 300), (4, 0.5, 100)]


def test_reports_are_counted_as_they_come(scene: Scene) -> None:
    outside = scene.repository.path.parent
    scene.begin(spender(outside), sets=USE)
    for reports, then in ((1, "second"), (2, "third"), (3, "end")):
        until(lambda reports=reports: len(counted(scene)) == reports, 10, f"{reports} reports")
        assert scene.view().costs.spent_usd == sum(usd for _, usd, _ in ALL[:reports])
        (outside / then).touch()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.costs.spent_usd == 2.0
    assert counted(scene) == ALL


@pytest.mark.parametrize("meanwhile", [(), ("second",), ("second", "third"), ("second", "third", "end")])
def test_killed_after_a_report_no_cost_is_lost_or_counted_twice(theatre: Theatre, meanwhile: tuple[str, ...]) -> None:
    outside = theatre.repository.path.parent
    theatre.plan(spender(outside), sets=USE)
    process = theatre.launch()
    until(lambda: counted(theatre) == ALL[:1], 10, "the first report to be counted")
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    for name in meanwhile:  # the agent goes on, and reports what nobody hears
        (outside / name).touch()
    if "end" in meanwhile:
        until(lambda: (attempt_folder(theatre, "ws-a") / "exit.json").exists(), 10, "the agent to end")
    assert counted(theatre) == ALL[:1]
    again = theatre.launch()
    for name in ("second", "third", "end"):
        (outside / name).touch()
    assert again.wait(30) == 0
    assert counted(theatre) == ALL
    assert theatre.view().costs.spent_usd == 2.0
    assert theatre.attempts("ws-a") == ["SUCCEEDED"]
    theatre.check("ws-a")


def test_killed_at_every_report_they_add_up_all_the_same(theatre: Theatre) -> None:
    outside = theatre.repository.path.parent
    theatre.plan(spender(outside), sets=USE)
    for reports, then in ((1, "second"), (2, "third"), (3, "end")):
        process = theatre.launch()
        until(lambda reports=reports: len(counted(theatre)) == reports, 10, f"{reports} reports")
        process.kill()
        process.wait(10)
        (outside / then).touch()
    theatre.to_the_end()
    assert counted(theatre) == ALL
    assert theatre.view().costs.spent_usd == 2.0
    theatre.check("ws-a")


def test_what_an_attempt_used_that_was_lost_with_its_keeper_is_counted(theatre: Theatre) -> None:
    """Its last report came when nobody heard it any more: the output is there."""
    outside = theatre.repository.path.parent
    script = spender(outside).tasks
    theatre.plan(workstream("ws-a", f"test ! -e {outside}/again || {{ echo a > a; exit 0; }}", *script), sets=USE)
    process = theatre.launch()
    until(lambda: counted(theatre) == ALL[:1], 10, "the first report to be counted")
    process.kill()
    process.wait(10)
    folder = attempt_folder(theatre, "ws-a")
    (outside / "second").touch()
    until(lambda: b"0.5" in (folder / "output.log").read_bytes(), 10, "the second report")
    (outside / "again").touch()
    os.kill(json.loads((folder / "keeper.json").read_text())["pid"], signal.SIGKILL)
    theatre.to_the_end()
    assert theatre.attempts("ws-a") == [AttemptState.LOST, AttemptState.SUCCEEDED]
    assert counted(theatre) == ALL[:2]
    assert theatre.view().costs.spent_usd == 0.5
    theatre.check("ws-a")


@pytest.mark.parametrize("point", ["attempt.keeper-started", "attempt.launched"])
def test_an_agent_that_was_started_although_starting_it_failed_goes_on_and_is_counted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Its keeper may have begun or be about to: then it is not begun at all, and another attempt is made."""
    monkeypatch.setattr(failpoints, "_reached", {})
    monkeypatch.setenv(failpoints.VARIABLE, f"{point}:1:raise")
    ran = scene.repository.path.parent / "ran"
    scene.begin(workstream("ws-a", f"echo ran >> {ran}", says(0.25, 100), "echo a > a"), sets=USE)
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.costs.spent_usd == 0.25 * len(ran.read_text().splitlines())
