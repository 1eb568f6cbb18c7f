"""What the home screen looks like, at the sizes that it is made for and in each of its states."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.console.running import console, shown
from tests.console.samples import (
    FakeSource,
    empty_run,
    event,
    finished_run,
    hostile_run,
    sample_run,
    some_frozen,
    workstream,
)
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.store.views import RunView

SIZES = [pytest.param((120, 40), id="120x40"), pytest.param((80, 24), id="80x24")]


def merged_run() -> RunView:
    """A run that only has to be landed."""
    merged = tuple(
        workstream(f"ws-{n:02}-done", WorkstreamState.MERGED, 1 + n // 4, begun=90, took=60, cost=0.2)
        for n in range(12)
    )
    return finished_run(state=RunState.COMPLETED, reason="", workstreams=merged, needs=())


def wordy_run() -> RunView:
    """A run with names and reasons that fit nowhere."""
    long = "because-" * 12
    wordy = tuple(
        workstream(f"ws-{state.value.lower()}-{long}", state, 1, long, worker=1, agent=long, cost=1234.5, begun=99_999)
        for state in WorkstreamState
    )
    return sample_run(name=long, notices=(long, long), reason=long, workstreams=wordy)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [sample_run, empty_run, finished_run, merged_run, wordy_run, hostile_run])
def test_home(snap_compare: Callable[..., bool], make: Callable[[], RunView], size: tuple[int, int]) -> None:
    source = FakeSource(make(), () if make is empty_run else None)
    assert snap_compare(console(source), terminal_size=size, run_before=shown)


@pytest.mark.parametrize("size", SIZES)
def test_home_without_colour(
    snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(FakeSource()), terminal_size=size, run_before=shown)


def test_home_in_a_light_theme(snap_compare: Callable[..., bool]) -> None:
    app = console(FakeSource())
    app.theme = "textual-light"
    assert snap_compare(app, terminal_size=(120, 40), run_before=shown)


@pytest.mark.parametrize("number", ["2", "3", "4", "5"])
def test_each_tab(snap_compare: Callable[..., bool], number: str) -> None:
    assert snap_compare(console(FakeSource()), press=[number], terminal_size=(80, 24), run_before=shown)


@pytest.mark.parametrize("size", SIZES)
def test_frozen_workers(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    app = console(FakeSource(some_frozen(1, 3)))
    assert snap_compare(app, press=["2"], terminal_size=size, run_before=shown)


def test_the_least_that_is_useful(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(console(FakeSource()), terminal_size=(40, 12), run_before=shown)


def test_a_filter_being_typed(snap_compare: Callable[..., bool]) -> None:
    async def type_filter(pilot: Pilot[None]) -> None:
        await shown(pilot)
        await pilot.press("3", "slash", *"worker")

    many = tuple(event(n, f"worker {n % 5} did its part {n}") for n in range(1, 60))
    assert snap_compare(console(FakeSource(events=many)), terminal_size=(120, 40), run_before=type_filter)
