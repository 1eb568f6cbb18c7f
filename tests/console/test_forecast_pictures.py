"""What the forecast looks like, on its own screens and on the home screen, and the gates of a workstream."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.console.running import console, eventually, shown
from tests.console.samples import (
    FakeSource,
    crowded_run,
    empty_run,
    forecast_run,
    gate,
    hostile_run,
    sample_run,
    workstream,
)
from uet_tui.console.home.screen import HomeScreen
from uet_tui.console.matrix.pair import PairScreen
from uet_tui.console.matrix.screen import MatrixScreen
from uet_tui.console.workstream.gates import GateList
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.states import WorkstreamState
from uet_tui.store.views import RunView

SIZES = [pytest.param((120, 40), id="120x40"), pytest.param((80, 24), id="80x24")]


def lonely_run() -> RunView:
    """A run with one active branch."""
    one = (workstream("ws-01-alone", WorkstreamState.RUNNING, 1, worker=1, begun=9),)
    return sample_run(workstreams=one, conflicts=(), needs=())


def clean_run() -> RunView:
    """Branches that do not meet."""
    return sample_run(conflicts=(), needs=())


class Diffs(FakeSource):
    """Serves a diff of the file where two branches meet."""

    def diff(self, folder: str) -> str:
        lines = "".join(f"-    old line {n}\n+    {folder} line {n}\n" for n in range(12))
        path = "docs/usage.md"
        return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,12 +1,12 @@ def main\n{lines}"


async def matrix(pilot: Pilot[None]) -> None:
    await shown(pilot)
    await pilot.press("m")
    await eventually(pilot, lambda: isinstance(pilot.app.screen, MatrixScreen))
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [forecast_run, crowded_run, clean_run, lonely_run, empty_run, hostile_run])
def test_the_matrix(snap_compare: Callable[..., bool], make: Callable[[], RunView], size: tuple[int, int]) -> None:
    assert snap_compare(console(FakeSource(make())), terminal_size=size, run_before=matrix)


@pytest.mark.parametrize("size", SIZES)
def test_the_far_end_of_a_large_matrix(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    async def far(pilot: Pilot[None]) -> None:
        await matrix(pilot)
        await pilot.press("end")

    assert snap_compare(console(FakeSource(crowded_run())), terminal_size=size, run_before=far)


@pytest.mark.parametrize("size", SIZES)
def test_the_matrix_without_colour(
    snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(FakeSource(forecast_run())), terminal_size=size, run_before=matrix)


def opened_pair(*keys: str) -> Callable[[Pilot[None]], object]:
    async def open_pair(pilot: Pilot[None]) -> None:
        await matrix(pilot)
        await pilot.press(*keys, "enter")
        await eventually(pilot, lambda: isinstance(pilot.app.screen, PairScreen))
        await eventually(pilot, lambda: len(pilot.app.screen._missing) == 2)  # type: ignore[attr-defined]  # both were read
        await pilot.pause()

    return open_pair


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [["n", "n"], ["n"], ["down"]], ids=["diff", "unfinished", "clean"])
def test_a_pair(snap_compare: Callable[..., bool], keys: list[str], size: tuple[int, int]) -> None:
    assert snap_compare(console(Diffs(forecast_run())), terminal_size=size, run_before=opened_pair(*keys))


@pytest.mark.parametrize("size", SIZES)
def test_a_pair_without_colour(
    snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(Diffs(forecast_run())), terminal_size=size, run_before=opened_pair("n", "n"))


@pytest.mark.parametrize("size", SIZES)
def test_a_pair_with_text_that_fits_nowhere(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(console(Diffs(crowded_run())), terminal_size=size, run_before=opened_pair())


@pytest.mark.parametrize("size", SIZES)
def test_conflicts_and_forecasts_on_the_home_screen(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(console(FakeSource(forecast_run())), press=["5"], terminal_size=size, run_before=shown)


def test_conflicts_and_forecasts_without_colour(
    snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(FakeSource(forecast_run())), press=["5"], terminal_size=(80, 24), run_before=shown)


def test_forecasts_of_long_names(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(console(FakeSource(crowded_run())), press=["5"], terminal_size=(120, 40), run_before=shown)


SPOKEN = (
    gate("GATE_LINT", "passed", seconds=1.2, before=120),
    gate("GATE_UNIT", "flaky", seconds=41.2, output="1 failed, 40 passed\nagain: 41 passed", before=100),
    gate("GATE_SECURITY", "red before", seconds=3.0, before=95),
    gate("acceptance 1: pytest -q tests/test_engine.py", "passed", seconds=2.0, before=90),
    gate("acceptance 2: The engine says what it does in plain words", "not run", seconds=0.0, before=90),
    gate("GATE_INTEGRATION", "not configured", seconds=0.0, before=80),
    gate("GATE_LINT", "error", "merged", seconds=0.1, output="sh: ruff: not found", before=40),
    gate(
        "GATE_UNIT",
        "failed",
        "merged",
        seconds=75.0,
        output="\n".join(f"tests/test_engine.py::test_{n} FAILED {'because ' * 20}" for n in range(30)),
        before=30,
    ),
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("gates", [SPOKEN, ()], ids=["spoken", "none"])
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "plain"])
def test_the_gates_of_a_workstream(
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
    gates: tuple[object, ...],
    size: tuple[int, int],
    colour: bool,
) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    source = FakeSource(forecast_run())
    source.gate_log["ws-14-engine"] = gates  # type: ignore[assignment]  # parametrised

    async def open_gates(pilot: Pilot[None]) -> None:
        await shown(pilot)
        home = pilot.app.screen
        assert isinstance(home, HomeScreen)
        home.open_workstream("ws-14-engine")
        await eventually(pilot, lambda: isinstance(pilot.app.screen, WorkstreamScreen))
        await pilot.pause()
        await pilot.press("t")
        await eventually(pilot, lambda: pilot.app.screen.query_one(GateList).count() == len(gates))
        await pilot.pause()

    assert snap_compare(console(source), terminal_size=size, run_before=open_gates)
