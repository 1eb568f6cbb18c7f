"""The forecast: what the matrix and the screen of one pair say, and what their keys and the mouse do."""

from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.console.running import eventually, running, text
from tests.console.samples import (
    FakeSource,
    crowded_run,
    empty_run,
    finished_run,
    forecast_run,
    hostile_run,
    pair,
    sample_run,
    workstream,
)
from uet_tui.console.dialogs.help import HelpScreen, keys_of
from uet_tui.console.lines_box import LinesBox
from uet_tui.console.matrix.diffs import part_of
from uet_tui.console.matrix.grid import MatrixGrid
from uet_tui.console.matrix.pair import PairScreen, PathList
from uet_tui.console.matrix.screen import MatrixScreen
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.store.views import RunView

S = WorkstreamState
SIZES = [(120, 40), (80, 24)]
NAMES = 21
"""How wide the names of the sample's branches are."""
BRANCHES = ["ws-13-plugins", "ws-14-engine", "ws-18-scripts", "ws-23-queue", "ws-24-audit"]


async def opened(pilot: Pilot[None], kind: type) -> None:
    await eventually(pilot, lambda: isinstance(pilot.app.screen, kind))
    await pilot.pause()


async def matrix(pilot: Pilot[None]) -> MatrixGrid:
    await pilot.press("m")
    await opened(pilot, MatrixScreen)
    return pilot.app.screen.query_one(MatrixGrid)


def under(grid: MatrixGrid) -> tuple[str, str]:
    branches = grid.under_cursor
    assert branches is not None
    return branches[0].id, branches[1].id


def said(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


def rows(grid: MatrixGrid) -> list[str]:
    """What stands in the matrix, line by line."""
    return ["".join(segment.text for segment in grid.render_line(y)).rstrip() for y in range(grid.size.height)]


@pytest.mark.parametrize("size", SIZES)
async def test_every_active_branch_has_a_row_and_a_column_and_pairs_their_sign(size: tuple[int, int]) -> None:
    async with running(FakeSource(forecast_run()), size) as (pilot, _):
        shown = rows(await matrix(pilot))
        cells = [line[NAMES:].ljust(20) for line in shown[1:6]]
        assert [line[5 : 5 + len(id)] for line, id in zip(shown[1:], BRANCHES, strict=False)] == BRANCHES
        signs = [[line[3 * n + 1] for n in range(5)] for line in cells]
        assert signs == [
            ["╲", " ", "≠", "≠", " "],
            [" ", "╲", " ", " ", "~"],
            ["≠", " ", "╲", " ", " "],
            ["≠", " ", " ", "╲", " "],
            [" ", "~", " ", " ", "╲"],
        ]
        assert "5 active branches   ≠ 2 conflicts   ~ 1 same file" in said(pilot, "#headline")


async def test_it_opens_on_the_first_pair_that_is_not_clean_and_says_where_and_what_both_are_for() -> None:
    async with running(FakeSource(forecast_run())) as (pilot, _):
        grid = await matrix(pilot)
        assert under(grid) == ("ws-13-plugins", "ws-18-scripts")
        verdict, row, column = said(pilot, "#detail").splitlines()
        assert verdict.startswith("≠ conflict")
        assert verdict.endswith("in scripts/run_workstream.py")
        assert "3 s" in verdict
        assert row.startswith("row") and "▶ RUNNING" in row and row.rstrip().endswith("Do what ws-13-plugins says")
        assert column.startswith("column") and "≠ CONFLICTED" in column


@pytest.mark.parametrize(
    ("keys", "row", "column"),
    [
        (["n"], "ws-13-plugins", "ws-23-queue"),
        (["n", "n"], "ws-14-engine", "ws-24-audit"),
        (["n", "n", "n"], "ws-13-plugins", "ws-18-scripts"),
        (["N"], "ws-14-engine", "ws-24-audit"),
        (["right"], "ws-13-plugins", "ws-23-queue"),
        (["left", "left", "left", "left"], "ws-13-plugins", "ws-13-plugins"),
        (["down"], "ws-14-engine", "ws-18-scripts"),
        (["j", "j", "k"], "ws-14-engine", "ws-18-scripts"),
        (["up"], "ws-13-plugins", "ws-18-scripts"),
        (["pagedown"], "ws-24-audit", "ws-18-scripts"),
        (["end"], "ws-24-audit", "ws-24-audit"),
        (["G", "home"], "ws-13-plugins", "ws-13-plugins"),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], row: str, column: str) -> None:
    async with running(FakeSource(forecast_run())) as (pilot, _):
        grid = await matrix(pilot)
        await pilot.press(*keys)
        assert under(grid) == (row, column)


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        (["h"], [(Verb.HOLD, {"workstream": "ws-13-plugins"})]),
        (["1"], [(Verb.FIRST, {"workstream": "ws-13-plugins"})]),
        (["down", "1"], []),
        (["down", "down", "down", "h"], [(Verb.RELEASE, {"workstream": "ws-23-queue"})]),
    ],
)
async def test_holding_and_putting_first_are_for_the_row(keys: list[str], sent: list[object]) -> None:
    source = FakeSource(forecast_run())
    async with running(source) as (pilot, _):
        await matrix(pilot)
        await pilot.press(*keys)
        await eventually(pilot, lambda: len(source.sent) >= len(sent))
        await pilot.pause(0.05)
        assert source.sent == sent


@pytest.mark.parametrize("change", [{"state": RunState.PAUSED}, {}])
async def test_nothing_can_be_held_where_nothing_goes_on(change: dict[str, object]) -> None:
    source = FakeSource(forecast_run(workstreams=(), **change))
    async with running(source) as (pilot, _):
        await matrix(pilot)
        await pilot.press("h", "1", "n", "enter", "down", "right", "end")
        await pilot.pause(0.05)
        assert source.sent == []
        assert isinstance(pilot.app.screen, (MatrixScreen, PairScreen))


async def test_enter_shows_where_two_meet_and_escape_goes_back_step_by_step() -> None:
    source = FakeSource(forecast_run())
    async with running(source) as (pilot, home):
        await matrix(pilot)
        await pilot.press("n", "enter")
        await opened(pilot, PairScreen)
        paths = pilot.app.screen.query_one(PathList)
        assert [paths.key_at(n) for n in range(paths.count())] == ["src/error/engine.py", "src/error/kinds.py"]
        assert "Do what ws-13-plugins says" in said(pilot, "#both")
        assert "Do what ws-23-queue says" in said(pilot, "#both")
        await pilot.press("down", "enter")
        assert pilot.app.focused is pilot.app.screen.query_one("#first")
        await pilot.press("tab")
        assert pilot.app.focused is pilot.app.screen.query_one("#second")
        await pilot.press("escape")
        assert pilot.app.focused is paths
        assert paths.selected == "src/error/kinds.py"
        await pilot.press("escape")
        await opened(pilot, MatrixScreen)
        await pilot.press("escape")
        await eventually(pilot, lambda: pilot.app.screen is home)


async def test_enter_on_the_diagonal_opens_the_branch() -> None:
    async with running(FakeSource(forecast_run())) as (pilot, _):
        await matrix(pilot)
        await pilot.press("home", "enter")
        await opened(pilot, WorkstreamScreen)


class Diffs(FakeSource):
    """Serves a diff of two files for each attempt."""

    def diff(self, folder: str) -> str:
        file = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-old\n+{1}\n"
        return file.format("docs/other.md", "other") + file.format("docs/usage.md", folder)


async def test_a_pair_shows_what_each_changed_in_the_path_and_that_unfinished_work_has_no_diff() -> None:
    async with running(Diffs(forecast_run())) as (pilot, _):
        await matrix(pilot)
        await pilot.press("n", "n", "enter")
        await opened(pilot, PairScreen)
        first, second = (pilot.app.screen.query_one(id, LinesBox) for id in ("#first", "#second"))
        await eventually(pilot, lambda: first.lines)
        lines = [line.plain for line in first.lines]
        assert lines[0] == "diff --git a/docs/usage.md b/docs/usage.md"
        assert lines[-1] == "+attempts/ws-14-engine/1"
        await eventually(pilot, lambda: "Unfinished" in text(pilot.app.screen))
        assert not second.lines


async def test_a_pair_that_became_clean_meanwhile_says_so() -> None:
    source = FakeSource(forecast_run())
    async with running(source) as (pilot, _):
        await matrix(pilot)
        await pilot.press("enter")
        await opened(pilot, PairScreen)
        source.change(pairs=())
        await eventually(pilot, lambda: "clean together" in said(pilot, "#headline"))
        assert "They meet in no file" in text(pilot.app.screen)


async def test_the_cursor_stays_on_its_pair_as_branches_come_and_go() -> None:
    source = FakeSource(forecast_run())
    async with running(source) as (pilot, _):
        grid = await matrix(pilot)
        await pilot.press("n")
        assert under(grid) == ("ws-13-plugins", "ws-23-queue")
        new = workstream("ws-00-new", S.RUNNING, 1, begun=5)
        kept = tuple(replace(ws, state=S.MERGED) if ws.id == "ws-18-scripts" else ws for ws in source.view.workstreams)
        source.change(workstreams=(new, *kept))
        await eventually(pilot, lambda: "ws-00-new" in rows(grid)[1])
        assert under(grid) == ("ws-13-plugins", "ws-23-queue")
        assert "≠ 1 conflict " in said(pilot, "#headline")
        done = tuple(replace(ws, state=S.MERGED) for ws in source.view.workstreams)
        source.change(workstreams=done)
        await eventually(pilot, lambda: "No branch is active" in text(pilot.app.screen))
        assert grid.under_cursor is None


@pytest.mark.parametrize("size", SIZES)
async def test_names_and_numbers_stay_in_sight_however_far_it_scrolls(size: tuple[int, int]) -> None:
    async with running(FakeSource(crowded_run()), size) as (pilot, _):
        grid = await matrix(pilot)
        await pilot.press("end")
        await pilot.pause()
        shown = rows(grid)
        assert shown[0].split()[-1] == "50"
        last = max(n for n, line in enumerate(shown) if "ws-50" in line)
        assert shown[last].endswith("[╲]")
        assert grid.scroll_offset.x > 0 and grid.scroll_offset.y > 0
        await pilot.press("home")
        await pilot.pause()
        assert rows(grid)[0].split()[0] == "1"
        assert rows(grid)[1].split()[2].startswith("ws-01")


async def test_with_one_branch_there_is_nothing_to_compare() -> None:
    one = (workstream("ws-01-alone", S.RUNNING, 1, worker=1, begun=9),)
    async with running(FakeSource(sample_run(workstreams=one, conflicts=(), needs=()))) as (pilot, _):
        await matrix(pilot)
        assert "1 active branch " in said(pilot, "#headline")
        assert "nothing to compare it with" in said(pilot, "#detail")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", [empty_run(), sample_run(workstreams=(workstream("ws-01-later"),))])
async def test_without_branches_it_says_what_will_be_there(view: RunView, size: tuple[int, int]) -> None:
    async with running(FakeSource(view), size) as (pilot, _):
        await matrix(pilot)
        assert "No branch is active" in text(pilot.app.screen)
        assert "0 active branches" in said(pilot, "#headline")


async def test_a_run_that_is_over_has_nothing_to_forecast() -> None:
    async with running(FakeSource(finished_run())) as (pilot, home):
        await pilot.press("m")
        assert pilot.app.screen is home
        assert "forecast" not in str(home.query_one("HomeKeys").render())


async def test_the_forecast_of_branches_that_are_merged_by_now_is_left_out() -> None:
    late = forecast_run(pairs=(pair("ws-13-plugins", "ws-09-spec-tools"), pair("ws-13-plugins", "ws-gone")))
    async with running(FakeSource(late)) as (pilot, home):
        assert "forecast" not in "".join(home.conflicts_pane.key_at(n) for n in range(home.conflicts_pane.count()))
        await matrix(pilot)
        assert "all are clean together" in said(pilot, "#headline")


# The mouse


async def test_a_click_selects_a_pair_another_opens_it_and_a_name_is_its_branch() -> None:
    async with running(FakeSource(forecast_run())) as (pilot, _):
        grid = await matrix(pilot)
        await pilot.click(MatrixGrid, offset=(1 + NAMES + 3 * 4, 3))
        assert under(grid) == ("ws-14-engine", "ws-24-audit")
        await pilot.click(MatrixGrid, offset=(1 + NAMES + 1, 1))
        assert under(grid) == ("ws-14-engine", "ws-13-plugins")
        await pilot.click(MatrixGrid, offset=(8, 4))
        assert under(grid) == ("ws-18-scripts", "ws-18-scripts")
        await pilot.click(MatrixGrid, offset=(100, 30))
        assert under(grid) == ("ws-18-scripts", "ws-18-scripts")
        await pilot.click(MatrixGrid, offset=(8, 4))
        await opened(pilot, WorkstreamScreen)


async def test_a_click_in_the_footer_opens_it_and_one_there_holds() -> None:
    source = FakeSource(forecast_run())
    async with running(source) as (pilot, home):
        bar = str(home.query_one("HomeKeys").render()).replace("\u00a0", " ")
        await pilot.click("HomeKeys", offset=(bar.index("forecast") + 2, 0))
        await opened(pilot, MatrixScreen)
        bar = str(pilot.app.screen.query_one("KeyBar").render()).replace("\u00a0", " ")
        await pilot.click("KeyBar", offset=(bar.index("hold") + 2, 0))
        await eventually(pilot, lambda: source.sent)
        assert source.sent == [(Verb.HOLD, {"workstream": "ws-13-plugins"})]


async def test_all_of_it_is_in_the_palette_and_in_the_help() -> None:
    async with running(FakeSource(forecast_run())) as (pilot, home):
        named = {command.title for command in pilot.app.get_system_commands(home)}
        assert "Forecast" in named
        await matrix(pilot)
        named = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert named >= {"Where", "Next", "Hold", "First", "Back"}
        told = {what for _, keys in keys_of(pilot.app.screen, pilot.app) for _, what in keys}
        assert "Go to the next pair that is not clean" in told
        await pilot.press("question_mark")
        await opened(pilot, HelpScreen)


# The home screen


async def test_the_conflicts_pane_lists_the_forecast_after_open_conflicts_the_worst_first() -> None:
    async with running(FakeSource(forecast_run())) as (_, home):
        pane = home.conflicts_pane
        assert [pane.key_at(n) for n in range(pane.count())] == [
            "c1",
            "c3",
            "c4",
            "c2",
            "ws-13-plugins × ws-23-queue",
            "ws-18-scripts × ws-13-plugins",
            "ws-14-engine × ws-24-audit",
        ]
        lines = [[line.plain for line in pane.lines(n, 57)] for n in range(pane.count())]
        assert lines[0][0].endswith("claude, gates ok")
        assert "4 workstreams wait behind it" in lines[0][1]
        assert lines[1][0].endswith("claude, gates red")
        assert lines[2][0].endswith("agent is at it")
        assert "put off · nothing waits for it" in lines[3][1]
        assert lines[4][0].rstrip() == "≠ forecast   ws-13-plugins × ws-23-queue"
        assert lines[4][1].split() == ["src/error/engine.py", "and", "1", "more", "1", "min"]
        assert lines[6][0].startswith("~ forecast")
        assert pane.alert() == "!2"
        assert str(pane.border_subtitle) == "1 put off"


@pytest.mark.parametrize(("key", "screen"), [("enter", PairScreen), ("m", MatrixScreen)])
async def test_a_pair_of_the_conflicts_pane_is_opened(key: str, screen: type) -> None:
    async with running(FakeSource(forecast_run())) as (pilot, home):
        await pilot.press("5")
        assert home.conflicts_pane.select("ws-14-engine × ws-24-audit")
        await pilot.press(key)
        await opened(pilot, screen)
        if screen is MatrixScreen:
            assert under(pilot.app.screen.query_one(MatrixGrid)) == ("ws-14-engine", "ws-24-audit")
        else:
            assert "docs/usage.md" in text(pilot.app.screen)


async def test_workers_whose_work_would_conflict_are_marked() -> None:
    async with running(FakeSource(forecast_run())) as (_, home):
        pane = home.workers_pane
        lines = [pane.lines(n, 57)[0].plain for n in range(pane.count())]
        assert ["≠ ws-" in line for line in lines] == [True, False, True, False]
        home.show(sample_run())
        assert not any("≠" in pane.lines(n, 57)[0].plain for n in range(pane.count()))


async def test_what_is_held_and_what_goes_first_says_so_in_its_line() -> None:
    async with running(FakeSource(forecast_run())) as (_, home):
        pane = home.waves_pane

        def line(id: str) -> str:
            index = pane.index_of(id)
            assert index is not None
            return pane.lines(index, 100)[0].plain

        assert "worker 3 · held" in line("ws-23-queue")
        assert "first · in the merge queue" in line("ws-14-engine")


async def test_conflicts_that_were_put_off_are_counted_quietly_where_nothing_else_needs_the_operator() -> None:
    view = forecast_run(needs=(), name="p")
    async with running(FakeSource(view), (140, 40)) as (_, home):
        first = str(home.header.render()).splitlines()[0]
        assert "1 put off" in first
        assert "need" not in first


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_stays_text(size: tuple[int, int]) -> None:
    async with running(FakeSource(hostile_run()), size) as (pilot, home):
        await matrix(pilot)
        await pilot.press("enter")
        await opened(pilot, PairScreen)
        await pilot.press("enter", "tab", "escape", "escape", "escape")
        await eventually(pilot, lambda: pilot.app.screen is home)


def test_the_part_of_a_diff_is_found_by_its_whole_path() -> None:
    file = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-diff --git a/x b/x\n+{0}\n"
    diff = file.format("x") + file.format("a x") + "diff --git a/x.bin b/x.bin\nBinary files differ\n"
    assert part_of(diff, "x") == file.format("x")
    assert part_of(diff, "a x") == file.format("a x")
    assert part_of(diff, "x.bin").endswith("Binary files differ\n")
    assert part_of(diff, "y") == part_of("", "x") == ""
