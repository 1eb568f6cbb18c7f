"""What each pane shows, and that the operator's place in it survives every update."""

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.strip import Strip

from tests.console.running import eventually, running, text
from tests.console.samples import (
    HOSTILE,
    NOW,
    FakeSource,
    ago,
    conflict,
    empty_run,
    event,
    finished_run,
    hostile_run,
    pair,
    sample_run,
    worker,
    workstream,
)
from uet_tui.console.home.banner import landable, summary
from uet_tui.console.home.conflicts import ConflictsPane, made_by
from uet_tui.console.home.header import first_line, second_line
from uet_tui.console.home.pane import Pane
from uet_tui.console.home.waves import folded_waves, waves_of, workstream_line
from uet_tui.core.states import RunState, WorkerState, WorkstreamState

S = WorkstreamState


def rows(pane: Pane) -> list[str]:
    """The keys of all items of a pane."""
    return [pane.key_at(i) for i in range(pane.count())]


def test_finished_waves_and_waves_to_come_fold_by_themselves() -> None:
    folded = folded_waves(waves_of(sample_run().workstreams))
    assert folded == {1, 4}


def test_the_first_wave_of_a_run_that_has_not_begun_is_open() -> None:
    waves = waves_of((workstream("ws-a", wave=1), workstream("ws-b", wave=2)))
    assert folded_waves(waves) == {2}


@pytest.mark.parametrize("state", [S.FAILED, S.QUARANTINED, S.SKIPPED, S.CONFLICTED])
async def test_what_is_wrong_is_never_folded_away(state: WorkstreamState) -> None:
    wave = (workstream("ws-a", S.MERGED, 1), workstream("ws-b", state, 1, "why it is so"))
    async with running(FakeSource(sample_run(workstreams=wave))) as (pilot, home):
        await pilot.press("home", "enter")
        assert rows(home.waves_pane) == ["wave 1", "ws-b"]
        assert "why it is so" in text(home)


async def test_a_wave_folds_when_its_last_workstream_merges_and_the_cursor_stays_on_its_row() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        home.waves_pane.reveal("ws-23-queue")
        source.change(
            workstreams=tuple(replace(ws, state=S.MERGED) if ws.wave == 2 else ws for ws in source.view.workstreams)
        )
        await eventually(pilot, lambda: "ws-13-plugins" not in rows(home.waves_pane))
        assert home.waves_pane.selected == "ws-23-queue"


async def test_a_fold_of_the_operator_outlives_updates() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        home.waves_pane.select("wave 1")
        await pilot.press("enter")
        assert "ws-01-base" in rows(home.waves_pane)
        home.waves_pane.reveal("ws-13-plugins")
        await pilot.press("left")
        assert home.waves_pane.selected == "wave 2"
        source.change(reason="something else")
        await eventually(pilot, lambda: home.run_app.view == source.view)
        assert "ws-01-base" in rows(home.waves_pane)
        assert "ws-13-plugins" not in rows(home.waves_pane)
        assert "ws-18-scripts" in rows(home.waves_pane)


@pytest.mark.parametrize("width", [38, 58, 78, 120, 300])
@pytest.mark.parametrize("ws", sample_run().workstreams[12:20], ids=lambda ws: ws.id)
def test_a_line_of_a_workstream_is_exactly_as_wide_as_the_pane(ws: object, width: int) -> None:
    assert workstream_line(ws, NOW, width, 18).cell_length == width


def test_a_line_that_does_not_move_says_why() -> None:
    for ws in sample_run().workstreams:
        if ws.reason:
            assert ws.reason in workstream_line(ws, NOW, 90, 18).plain


async def test_the_header_answers_the_first_questions() -> None:
    first = first_line(sample_run(), NOW, 120).plain
    for part in (
        "uet",
        "payments · run 7f3a",
        "▶ RUNNING eager",
        "14 of 27 merged",
        "51 %",
        "14:32",
        "! 2 need you  w",
    ):
        assert part in first
    second = second_line(sample_run(), NOW, 120, None).plain
    for part in ("workers 4 of 4", "$3.12 spent + $1.40 reserved of $25.00", "anthropic: quota, resumes in 02:10"):
        assert part in second


@pytest.mark.parametrize(
    ("parallelism", "busy", "draining", "wide", "narrow"),
    [
        (4, 4, 0, "workers 4 of 4 (+ -)", "workers 4/4 (+ -)"),
        (4, 3, 1, "workers 4 of 4 (+ -)", "workers 4/4 (+ -)"),
        (4, 0, 0, "workers 0 of 4 busy (+ -)", "workers 0/4 busy (+ -)"),
        (3, 3, 1, "workers 3 of 3, 1 drains (+ -)", "workers 3/3, 1 drains (+ -)"),
        (2, 2, 2, "workers 2 of 2, 2 drain (+ -)", "workers 2/2, 2 drain (+ -)"),
        (2, 1, 2, "workers 1 of 2, 2 drain (+ -)", "workers 1/2, 2 drain (+ -)"),
        (3, 4, 0, "workers 3 of 3, 1 drains (+ -)", "workers 3/3, 1 drains (+ -)"),
    ],
)
def test_the_header_says_how_many_workers_are_at_work_of_how_many_there_are_to_be(
    parallelism: int, busy: int, draining: int, wide: str, narrow: str
) -> None:
    states = [WorkerState.BUSY] * busy + [WorkerState.DRAINING] * draining
    workers = tuple(worker(n, state, f"ws-{n}") for n, state in enumerate(states, 1))
    view = sample_run(workers=(*workers, worker(9)), parallelism=parallelism)
    assert wide in second_line(view, NOW, 120, None).plain
    assert narrow in second_line(view, NOW, 80, None).plain


@pytest.mark.parametrize(("width", "gauge", "words"), [(120, True, True), (100, False, True), (80, False, False)])
def test_the_header_says_what_was_spent_as_fully_as_there_is_room(width: int, gauge: bool, words: bool) -> None:
    second = second_line(sample_run(), NOW, width, None).plain
    assert "$3.12" in second
    assert "25.00" in second
    assert ("░" in second) is gauge
    assert ("reserved" in second) is words


@pytest.mark.parametrize("width", [40, 50, 60, 80, 99, 100, 120, 400])
@pytest.mark.parametrize("make", [sample_run, empty_run, finished_run, hostile_run])
def test_the_header_fits_and_keeps_state_and_needs(make: object, width: int) -> None:
    view = make()
    first, second = first_line(view, NOW, width), second_line(view, NOW, width, None)
    assert first.cell_length <= width
    assert second.cell_length <= width
    assert view.state.value in first.plain
    assert ("need" in first.plain) is bool(view.needs)


def test_a_run_that_is_over_says_what_came_of_it_and_what_to_press() -> None:
    said = summary(finished_run(), NOW, 100).plain
    for part in (
        "5 of 7 merged in 14:35",
        "$3.12",
        "2 retries",
        "gate unit failed: 2 tests",
        "r retries it",
        "q leave",
    ):
        assert part in said
    assert not landable(finished_run())


def test_a_run_that_is_merged_offers_to_land_until_it_has_landed() -> None:
    merged = finished_run(state=RunState.COMPLETED, workstreams=(workstream("ws-a", S.MERGED),))
    assert "L land on main" in summary(merged, NOW, 100).plain
    landed = replace(merged, landed_at=ago(5))
    assert "landed on main" in summary(landed, NOW, 100).plain
    assert not landable(landed)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (sample_run(alive=False), "no orchestrator has this run: `uet resume 7f3a` goes on with it"),
        (sample_run(alive=False, crashed_at=NOW), "its orchestrator died: the last that it told is of"),
        (sample_run(alive=False, crashed_at=NOW), "`uet resume 7f3a` takes up what they did"),
        (sample_run(state=RunState.HALTED), "`uet budget --total X` raises it"),
    ],
)
async def test_the_banner_says_what_to_do_about_a_run_that_stands_still(view: object, said: str) -> None:
    async with running(FakeSource(view)) as (_, home):
        assert said in text(home)


async def test_empty_panes_say_what_will_appear() -> None:
    async with running(FakeSource(empty_run(), ())) as (_, home):
        shown = text(home)
        for said in (
            "The workstreams of the plan appear here",
            "Workers appear here when the run starts",
            "Everything that happens is told here",
            "Nothing spent yet",
            "No conflicts.",
        ):
            assert said in shown


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_markup_in_any_field_of_any_pane_is_text(size: tuple[int, int]) -> None:
    hostile = tuple(event(n, HOSTILE, HOSTILE, severity=HOSTILE, workstream=HOSTILE) for n in range(1, 5))
    async with running(FakeSource(hostile_run(), hostile), size) as (pilot, home):
        for key in "12345":
            await pilot.press(key)
            assert "[/x]" in text(home)
        await pilot.press("slash", *"[/x] [b", "enter")
        pilot.app.notify(HOSTILE, title=HOSTILE, markup=False)
        await pilot.pause()


@pytest.mark.parametrize("view", [finished_run(reason=HOSTILE), sample_run(alive=False, id=HOSTILE)])
async def test_markup_in_the_banner_is_text(view: object) -> None:
    async with running(FakeSource(view)) as (_, home):
        assert "[/x]" in text(home)


@pytest.mark.parametrize("size", [(39, 24), (80, 11), (1, 1)])
async def test_below_the_floor_the_console_says_that_it_is_too_small(size: tuple[int, int]) -> None:
    async with running(FakeSource(), size) as (pilot, home):
        assert home.query_one("#too-small").display
        await pilot.resize_terminal(40, 12)
        await pilot.pause()
        assert not home.query_one("#too-small").display
        assert "? help" in text(home).replace("\u00a0", " ")


@pytest.mark.parametrize("size", [(99, 40), (120, 25), (80, 24), (40, 12)])
async def test_with_little_room_there_is_one_pane_and_the_last_event_on_every_tab(size: tuple[int, int]) -> None:
    async with running(FakeSource(), size) as (pilot, home):
        for number in "12345":
            await pilot.press(number)
            assert [pane.number for pane in home.panes if pane.display] == [int(number)]
            assert "14:03:40  ○ worker 3 paused" in text(home)


async def test_the_tab_of_the_conflicts_says_how_many_are_open() -> None:
    async with running(FakeSource(), (80, 24)) as (_, home):
        assert "5 Conflicts !2" in text(home)


async def test_a_huge_terminal_works() -> None:
    async with running(FakeSource(), (500, 150)) as (_, home):
        assert "ws-30-integration" in text(home)


async def test_events_are_followed_until_the_operator_looks_back() -> None:
    source = FakeSource(events=tuple(event(n, f"event {n}") for n in range(1, 101)))
    async with running(source) as (pilot, home):
        pane = home.events_pane
        assert pane.selected == "100"
        await pilot.press("3", "up")
        source.happen(*(event(n, f"event {n}") for n in range(101, 108)))
        await eventually(pilot, lambda: pane.count() == 107)
        assert pane.selected == "99"
        assert "+7 new" in str(pane.border_subtitle)
        await pilot.press("G")
        assert pane.selected == "107"
        assert "follow" in str(pane.border_subtitle)
        source.happen(event(108, "event 108"))
        await eventually(pilot, lambda: pane.selected == "108")
        assert "event 108" in text(home)


async def test_scrolling_back_with_the_wheel_is_not_undone_by_new_events() -> None:
    source = FakeSource(events=tuple(event(n, f"event {n}") for n in range(1, 101)))
    async with running(source) as (pilot, home):
        pane = home.events_pane
        pane.scroll_to(y=20, animate=False, immediate=True, force=True)
        await pilot.pause()
        source.happen(event(101, "event 101"))
        await eventually(pilot, lambda: pane.count() == 101)
        await pilot.pause()
        assert pane.scroll_offset.y == 20


async def test_the_cursor_and_the_scroll_stay_when_rows_come_above_them() -> None:
    many = tuple(workstream(f"ws-{n:03}", S.RUNNING, 1, worker=1, begun=5) for n in range(200))
    source = FakeSource(sample_run(workstreams=many))
    async with running(source) as (pilot, home):
        pane = home.waves_pane
        assert pane.select("ws-150")
        top = pane.scroll_offset.y
        early = tuple(workstream(f"ws-0{n:02}-a", S.RUNNING, 1, worker=1, begun=5) for n in range(10))
        source.change(workstreams=(*early, *many))
        await eventually(pilot, lambda: pane.count() == 211)
        assert (pane.selected, pane.scroll_offset.y) == ("ws-150", top + 10)


async def test_the_cursor_goes_to_a_neighbour_when_its_row_is_gone() -> None:
    source = FakeSource(sample_run(workers=tuple(worker(n, WorkerState.IDLE) for n in (1, 2, 3))))
    async with running(source) as (pilot, home):
        await pilot.press("2", "end")
        source.change(workers=(worker(1, WorkerState.IDLE),))
        await eventually(pilot, lambda: home.workers_pane.count() == 1)
        assert home.workers_pane.selected == "1"


async def test_a_click_selects_and_a_second_click_opens() -> None:
    async with running(FakeSource()) as (pilot, home):
        opened: list[str] = []
        home.open_workstream = opened.append  # type: ignore[method-assign]  # what is opened is what counts here
        await pilot.click("#pane-workers", offset=(10, 3))
        await pilot.pause()
        assert (home.workers_pane.selected, opened) == ("2", [])
        await pilot.click("#pane-workers", offset=(10, 3))
        await pilot.pause()
        assert opened == ["ws-14-engine"]


async def test_a_click_on_a_wave_unfolds_it() -> None:
    async with running(FakeSource()) as (pilot, home):
        await pilot.click("#pane-waves", offset=(10, 1))
        await pilot.pause()
        assert "ws-01-base" in rows(home.waves_pane)


async def test_times_go_on_with_the_clock_alone() -> None:
    async with running(FakeSource()) as (_, home):
        assert "3:12" in text(home)
        home.tick(NOW + timedelta(seconds=1))
        home.refresh()
        assert "3:13" in home.workers_pane.render_line(1).text
        assert any("3:13" in home.waves_pane.render_line(y).text for y in range(10))


async def test_the_clock_alone_has_only_those_lines_drawn_again_that_count_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: dict[tuple[Pane, int], str] = {}
    render_line = Pane.render_line

    def noted(pane: Pane, y: int) -> Strip:
        strip = render_line(pane, y)
        drawn.setdefault((pane, y), strip.text)
        return strip

    async with running(FakeSource()) as (pilot, home):
        before = {(pane, y): pane.render_line(y).text for pane in home.panes for y in range(pane.size.height)}
        monkeypatch.setattr(Pane, "render_line", noted)
        home.tick(NOW + timedelta(seconds=1))
        await eventually(pilot, lambda: drawn)
        monkeypatch.undo()
    assert any("3:13" in line for line in drawn.values())
    assert [(pane.title, y, line) for (pane, y), line in drawn.items() if line == before[pane, y]] == []


async def test_a_decided_conflict_no_longer_counts() -> None:
    source = FakeSource()
    async with running(source, (80, 24)) as (pilot, home):
        source.change(conflicts=(conflict(state=conflict().state.__class__.HUMAN_RESOLVED),))
        await eventually(pilot, lambda: not home.conflicts_pane.alert())


async def test_a_conflict_that_comes_is_in_sight_where_the_pane_stood_at_its_top() -> None:
    source = FakeSource(sample_run(conflicts=(), pairs=(pair("ws-13-plugins", "ws-14-engine"),)))
    async with running(source) as (pilot, home):
        pane = home.conflicts_pane
        assert rows(pane) == ["ws-13-plugins × ws-14-engine"]
        many = tuple(replace(conflict(), id=f"c{number}") for number in range(1, 12))
        source.change(conflicts=many)
        await eventually(pilot, lambda: pane.count() == 12)
        assert (pane.selected, pane.scroll_offset.y) == ("c1", 0)
        await pilot.press("5", "down")
        source.change(conflicts=(replace(conflict(), id="c0"), *many))
        await eventually(pilot, lambda: pane.count() == 13)
        assert pane.selected == "c2"


def test_a_proposal_that_drops_lines_is_not_said_to_be_fine() -> None:
    dropping = tuple(replace(file, lost=("ours added: x",)) for file in conflict().files)
    assert made_by(replace(conflict(), files=dropping, busy="", proposal="agent claude"), 60).endswith(", loses lines")


@pytest.mark.parametrize("name", ["ws-a", "ws-lossy", "ws-a-name-that-is-rather-long"])
@pytest.mark.parametrize("width", [50, 54, 78])
def test_the_verdict_on_a_proposal_is_never_cut_off(name: str, width: int) -> None:
    dropping = tuple(replace(file, lost=("ours added: x",)) for file in conflict().files)
    one = replace(conflict(), workstream=name, files=dropping, busy="", proposal="agent claude")
    first, _ = ConflictsPane()._conflict_lines(one, width)
    assert first.plain.endswith(", loses lines") and first.cell_length <= width


async def test_a_thousand_workstreams_and_many_events_are_drawn_by_the_line() -> None:
    many = tuple(workstream(f"ws-{n:04}", S.RUNNING, n // 100 + 1, worker=1, begun=5) for n in range(1000))
    source = FakeSource(sample_run(workstreams=many), tuple(event(n, f"event {n}") for n in range(1, 20_001)))
    async with running(source) as (pilot, home):
        drawn: list[int] = []
        lines = home.waves_pane.lines
        home.waves_pane.lines = lambda i, w: drawn.append(i) or lines(i, w)  # type: ignore[method-assign]  # counts
        source.change(reason="another")
        await eventually(pilot, lambda: home.run_app.view == source.view)
        await pilot.pause()
        assert 0 < len(set(drawn)) <= home.waves_pane.size.height + 1
        assert home.events_pane.count() == 5_000


async def test_the_workers_pane_cuts_neither_a_usual_agent_nor_what_is_done() -> None:
    workers = (
        worker(1, WorkerState.BUSY, "ws-30-integration", "simulated", "snapshot", since=3725),
        worker(2, WorkerState.DRAINING, "ws-14-engine", "claude", "gates", since=62),
    )
    async with running(FakeSource(sample_run(workers=workers))) as (_, home):
        lines = [line for line in text(home).splitlines() if "BUSY" in line or "DRAINING" in line]
        for line, parts in zip(lines, (("simulated", "1:02:05", "snapshot"), ("claude", "1:02", "gates")), strict=True):
            assert all(part in line for part in parts)
