"""The demo without a terminal, played whole, and what is said when the console is closed."""

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.console.samples import NOW, finished_run, sample_run
from tests.support.repository import Repository
from uet_tui.core.states import ConflictState, RunState
from uet_tui.demo.farewell import farewell
from uet_tui.demo.scratch import make_scratch
from uet_tui.demo.tour import Pace, Tour, TourError, pace
from uet_tui.errors import UetError
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView

ROOT = Path(__file__).resolve().parents[2]
FAST = "simulated.speed=40"
say = partial(print, flush=True)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scratch repository; the commands of the tour find this checkout's program, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return make_scratch(tmp_path / "demo")


def seen(scratch: Path) -> RunView:
    with closing(Reader(Home(scratch / ".uet").database)) as reader:
        return reader.run(reader.newest())


@pytest.mark.slow
def test_the_tour_ends_with_everything_merged_and_landed(scratch: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Tour(scratch, pace([FAST]), say).run()
    view = seen(scratch)
    assert view.state is RunState.COMPLETED and view.landed_at is not None
    assert [conflict.state for conflict in view.conflicts] == [ConflictState.HUMAN_RESOLVED]
    repository = Repository(scratch)
    assert repository.git("rev-parse", "main") == view.tip
    assert repository.git("status", "--porcelain") == ""
    assert "2.0.0" in (scratch / "CHANGELOG.md").read_text()

    told = capfd.readouterr().out
    typed = [line for line in told.splitlines() if line.startswith("$ ")]
    assert [command for command in typed if command.startswith("$ uet")] == [
        "$ uet validate",
        f"$ uet run --headless --set {FAST}",
        "$ uet conflicts list",
        "$ uet conflicts show c1",
        "$ uet conflicts take c1 --both --hunk 1",
        "$ uet conflicts take c1 --theirs --hunk 2",
        "$ uet resume --headless",
        "$ uet land",
        "$ uet status",
    ]
    assert "$ git log --oneline --first-parent main" in typed
    assert "ours" in told and "Merge ws-release" in told
    assert "Agent simulated proposes both sides everywhere" in told


def test_a_tour_that_does_not_go_as_told_fails_and_says_what_was_expected(
    scratch: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TourError, match="ends with 4, not 3") as failed:
        Tour(scratch, pace([FAST, "budget.max_cost_total=0.2"]), say).run()
    assert failed.value.exit_code == 1
    assert "$ uet conflicts" not in capfd.readouterr().out


def test_one_worker_is_too_few_for_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UET_WORKERS", "1")
    with pytest.raises(UetError, match="UET_WORKERS: the demo needs 2 workers"):
        pace([])


def test_the_agents_hurry_unless_somebody_says_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pace(["workers=3"]) == Pace(("workers=3", "simulated.speed=6"), 6)
    monkeypatch.setenv("UET_SIMULATED__SPEED", "2")
    assert pace([]) == Pace((), 2)


def test_the_shell_is_told_what_uet_is_where_it_does_not_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = farewell(tmp_path, finished_run())
    assert any(line.startswith("  alias uet=") and "-m uet_tui" in line for line in told)
    uet = tmp_path / "uet"
    uet.write_text("#!/bin/sh\n")
    uet.chmod(0o755)
    assert not any("alias" in line for line in farewell(tmp_path, finished_run()))


@pytest.mark.parametrize(
    ("view", "first"),
    [
        (sample_run(), "uet console "),
        (sample_run(alive=False), "uet conflicts show "),
        (sample_run(alive=False, conflicts=()), "uet resume "),
        (finished_run(), "uet land "),
        (finished_run(landed_at=NOW), "uet status "),
    ],
    ids=["in the background", "waits for the operator", "stopped", "over", "landed"],
)
def test_what_to_try_next_is_what_the_run_needs_next(
    view: RunView, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    told = farewell(tmp_path, view)
    assert str(tmp_path) in told[0]
    assert next(line for line in told if line.startswith("  uet ")).startswith(f"  {first}")
