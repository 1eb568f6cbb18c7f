"""What gates said of a workstream: the tab with their output, the facts, and what was never run."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import TabbedContent

from tests.console.samples import HOSTILE, ago, gate, sample_run
from tests.console.stage import Stage, StageSource, words
from uet_tui.console.lines_box import LinesBox
from uet_tui.console.workstream.gates import GateList
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.commands import Verb
from uet_tui.core.states import WorkstreamState
from uet_tui.store.conflict_views import GateView
from uet_tui.store.views import RunView

ID = "ws-14-engine"
SAID = (
    gate("GATE_LINT", "passed", seconds=1.24, before=120),
    gate("GATE_UNIT", "flaky", seconds=41.2, output="1 failed\nagain: 2 passed", before=100),
    gate("acceptance 1: pytest -q", "passed", seconds=2.0, before=90),
    gate("acceptance 2: It reads well", "not run", seconds=0.0, before=90, output="it is prose"),
    gate("GATE_UNIT", "failed", "merged", seconds=75.0, output="\n".join(f"line {n}" for n in range(200)), before=30),
)


def view(**changes: object) -> RunView:
    seen = sample_run()
    declared = {
        "test_gates": ("GATE_LINT", "GATE_UNIT", "GATE_SECURITY"),
        "acceptance_tests": ("pytest -q", "It reads well"),
    }
    streams = tuple(replace(ws, **{**declared, **changes}) if ws.id == ID else ws for ws in seen.workstreams)
    return replace(seen, workstreams=streams)


def stage(*gates: GateView, **changes: object) -> Stage:
    source = StageSource(view(**changes))
    source.gate_log[ID] = gates
    return Stage(source, lambda given: WorkstreamScreen(given, ID))


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await pilot.pause(0.01)


def listed(app: Stage, width: int = 70) -> list[str]:
    box = app.shown.query_one(GateList)
    return [box.lines(n, width)[0].plain for n in range(box.count())]


def output(app: Stage) -> LinesBox:
    return app.shown.query_one("#gate-output", LinesBox)


async def test_each_gate_tells_its_verdict_where_how_long_and_of_which_attempt_the_newest_first() -> None:
    app = stage(*SAID)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("t")
        await until(pilot, lambda: len(listed(app)) == 5)
        assert app.shown.query_one("#tabs", TabbedContent).active == "gates-pane"
        lines = [line.split() for line in listed(app)]
        assert lines[0][:5] == ["✗", "failed", "GATE_UNIT", "merged", "1:15"]
        assert lines[1][:3] == ["○", "not", "run"]
        assert lines[3][:6] == ["≈", "flaky", "GATE_UNIT", "sandbox", "41.2", "s"]
        assert lines[4][:6] == ["✓", "passed", "GATE_LINT", "sandbox", "1.2", "s"]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_end_of_a_gates_output_is_beneath_and_enter_goes_into_it(size: tuple[int, int]) -> None:
    app = stage(*SAID)
    async with app.run_test(size=size) as pilot:
        await pilot.press("t")
        await until(pilot, lambda: len(output(app).lines) == 200)
        assert output(app).is_vertical_scroll_end
        await pilot.press("enter", "home")
        assert app.focused is output(app)
        assert output(app).scroll_offset.y == 0
        await pilot.press("shift+tab", "down", "down", "down")
        assert [line.plain for line in output(app).lines] == ["1 failed", "again: 2 passed"]
        assert "GATE_UNIT sandbox" in str(output(app).border_title)


async def test_a_click_selects_a_gate_and_another_opens_its_output() -> None:
    app = stage(*SAID)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("t")
        await until(pilot, lambda: len(listed(app)) == 5)
        await pilot.click(GateList, offset=(5, 5))
        assert [line.plain for line in output(app).lines] == ["1 failed", "again: 2 passed"]
        await pilot.click(GateList, offset=(5, 5))
        assert app.focused is output(app)


async def test_gates_that_speak_later_come_on_top_and_the_cursor_stays_on_its_own() -> None:
    app = stage(*SAID[:2])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("t")
        await until(pilot, lambda: len(listed(app)) == 2)
        app.source.gate_log[ID] = SAID
        app.put(view(reason="in the merge queue"))
        await until(pilot, lambda: len(listed(app)) == 5)
        box = app.shown.query_one(GateList)
        found = box.gate()
        assert found == SAID[1]


async def test_before_any_gate_has_spoken_the_tab_says_when_they_will() -> None:
    app = stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        box = app.shown.query_one(GateList)
        assert box.count() == 0
        assert "run when the agent is done" in box.empty()
        await pilot.press("enter")
        assert app.focused is box


async def test_the_facts_tell_the_last_word_of_each_gate_and_that_prose_was_not_run() -> None:
    app = stage(*SAID)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "flaky" in words(app, "#facts-side .facts"))
        said = words(app, "#facts-side .facts")
        for part in (
            "✓ passed  GATE_LINT  sandbox 1.2 s",
            "≈ flaky  GATE_UNIT  sandbox 41.2 s",
            "✗ failed  GATE_UNIT  merged 1:15",
            "· GATE_SECURITY  not yet",
            "✓ passed  pytest -q",
            "○ not run  It reads well",
        ):
            assert part in said
        assert "acceptance 2" not in said


async def test_the_facts_tell_its_time_in_the_queue_and_what_the_operator_wants_of_it() -> None:
    app = stage(state=WorkstreamState.QUEUED, queued_at=ago(44), held=True, first=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        await until(pilot, lambda: "queued" in words(app, "#facts-pane .facts"))
        said = words(app, "#facts-pane .facts")
        assert "44 s ago" in said
        assert "held    by the operator" in said
        assert "first   merged before what else" in said


@pytest.mark.parametrize(
    ("changes", "key", "sent"),
    [
        ({}, "h", [(Verb.HOLD, {"workstream": ID})]),
        ({"held": True}, "h", [(Verb.RELEASE, {"workstream": ID})]),
        ({}, "1", [(Verb.FIRST, {"workstream": ID})]),
        ({"first": True}, "1", []),
        ({"state": WorkstreamState.MERGED}, "h", []),
        ({"state": WorkstreamState.MERGING}, "1", []),
    ],
)
async def test_it_is_held_let_go_and_put_first_where_that_can_be(
    changes: dict[str, object], key: str, sent: list[object]
) -> None:
    app = stage(**changes)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(key)
        assert app.acts == sent


async def test_hostile_names_and_output_stay_text() -> None:
    app = stage(gate(HOSTILE, HOSTILE, HOSTILE, output=f"{HOSTILE}\n" * 3), acceptance_tests=(HOSTILE,))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        await until(pilot, lambda: len(output(app).lines) == 3)
        await pilot.press("f", "t", "enter")
        assert output(app).lines[0].plain == HOSTILE
