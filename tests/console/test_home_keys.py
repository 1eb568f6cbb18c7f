"""Every key of the home screen does what the design says, and only where it applies."""

import pytest
from textual.events import DescendantFocus

from tests.console.running import eventually, running
from tests.console.samples import FakeSource, empty_run, finished_run, sample_run, some_frozen, workstream
from uet_tui.console.desk.screen import ConflictDesk
from uet_tui.console.dialogs.choose import ChooseDialog
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.help import HelpScreen
from uet_tui.console.dialogs.summary import SummaryDialog
from uet_tui.console.home.banner import Banner
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.store.views import NeedView, RunView


def all_merged() -> RunView:
    merged = tuple(workstream(f"ws-{n}-done", WorkstreamState.MERGED, 1, begun=90, took=60) for n in range(3))
    return finished_run(
        state=RunState.COMPLETED, reason="", workstreams=merged, needs=(NeedView("land", "", "all merged"),)
    )


async def test_a_frozen_worker_says_so_and_how_it_goes_on() -> None:
    async with running(FakeSource(some_frozen(1, 3))) as (pilot, home):
        lines = [line.plain for n in range(4) for line in home.workers_pane.lines(n, 70)]
        assert [" FROZEN " in line for line in lines] == [True, False, True, False]
        assert "f thaws" in lines[0] and "PAUSED; f" in lines[2]
        assert "❄ worker 1 is frozen with ws (and 1 more); f thaws" in str(home.query_one(Banner).render())
        await pilot.press("w")
        assert home.current is home.workers_pane and home.workers_pane.selected == "1"


@pytest.mark.parametrize(
    ("view", "go_to", "keys", "sent"),
    [
        (sample_run(), "", ["space"], [(Verb.PAUSE, {})]),
        (sample_run(state=RunState.PAUSED), "", ["space"], [(Verb.CONTINUE, {})]),
        (sample_run(state=RunState.DRAINING), "", ["space"], [(Verb.CONTINUE, {})]),
        (sample_run(), "", ["2", "p"], [(Verb.PAUSE, {"worker": 1})]),
        (sample_run(), "", ["2", "down", "down", "p"], [(Verb.CONTINUE, {"worker": 3})]),
        (sample_run(), "", ["2", "f"], [(Verb.FREEZE, {"worker": 1})]),
        (sample_run(), "ws-14-engine", ["f"], [(Verb.FREEZE, {"worker": 2})]),
        (sample_run(), "", ["f", "2"], [(Verb.FREEZE, {"worker": 2})]),
        (some_frozen(1), "", ["2", "f"], [(Verb.THAW, {"worker": 1})]),
        (some_frozen(1), "", ["2", "down", "f"], [(Verb.FREEZE, {"worker": 2})]),
        (some_frozen(1), "", ["f", "1"], [(Verb.FREEZE, {"worker": 2})]),
        (some_frozen(1, 2, 3, 4), "", ["f", "2"], [(Verb.THAW, {"worker": 2})]),
        (sample_run(), "", ["2", "down", "d"], [(Verb.DRAIN, {"worker": 2})]),
        (sample_run(), "ws-14-engine", ["p"], [(Verb.PAUSE, {"worker": 2})]),
        (sample_run(), "ws-23-queue", ["p"], [(Verb.CONTINUE, {"worker": 3})]),
        (sample_run(), "ws-13-plugins", ["d"], [(Verb.DRAIN, {"worker": 1})]),
        (sample_run(), "", ["p", "2"], [(Verb.PAUSE, {"worker": 2})]),
        (sample_run(), "", ["d", "3"], [(Verb.DRAIN, {"worker": 3})]),
        (sample_run(), "", ["p", "escape"], []),
        (sample_run(), "", ["D", "y"], [(Verb.DRAIN, {})]),
        (sample_run(), "", ["D", "n"], []),
        (sample_run(), "ws-13-plugins", ["k", "y"], [(Verb.KILL, {"workstream": "ws-13-plugins"})]),
        (sample_run(), "ws-13-plugins", ["k", "escape"], []),
        (sample_run(), "ws-15-core", ["k"], []),
        (sample_run(), "", ["plus"], [(Verb.SCALE, {"number": 5})]),
        (sample_run(), "", ["equals_sign"], [(Verb.SCALE, {"number": 5})]),
        (sample_run(), "", ["plus", "plus"], [(Verb.SCALE, {"number": 5}), (Verb.SCALE, {"number": 6})]),
        (sample_run(), "", ["minus"], [(Verb.SCALE, {"number": 3})]),
        (sample_run(parallelism=1), "", ["minus"], []),
        (finished_run(), "ws-06-engine", ["r"], [(Verb.RETRY, {"workstream": "ws-06-engine"})]),
        (sample_run(), "ws-13-plugins", ["r"], []),
        (all_merged(), "", ["L", "y"], [(Verb.LAND, {})]),
        (all_merged(), "", ["L", "n"], []),
        (all_merged(), "", ["w", "y"], [(Verb.LAND, {})]),
        (sample_run(), "", ["L"], []),
        (finished_run(), "", ["space", "p", "f", "d", "D", "k", "plus", "minus"], []),
        (sample_run(alive=False), "", ["space", "p", "f", "d", "D", "plus"], []),
        (empty_run(), "", ["space", "p", "f", "d", "D", "k", "r", "c", "a", "w", "L", "enter", "escape"], []),
    ],
)
async def test_a_key_sends_its_command(
    view: RunView, go_to: str, keys: list[str], sent: list[tuple[Verb, dict[str, object]]]
) -> None:
    source = FakeSource(view)
    async with running(source) as (pilot, home):
        if go_to:
            assert home.waves_pane.reveal(go_to)
        await pilot.press(*keys)
        await eventually(pilot, lambda: len(source.sent) >= len(sent))
        await pilot.pause(0.05)
        assert source.sent == sent


@pytest.mark.parametrize(
    ("keys", "screen"),
    [
        (["c"], ConflictDesk),
        (["5", "enter"], ConflictDesk),
        (["5", "a"], ConflictDesk),
        (["5", "down", "c"], ConflictDesk),
        (["w"], ConflictDesk),
        (["2", "enter"], WorkstreamScreen),
        (["4", "enter"], WorkstreamScreen),
        (["down", "down", "enter"], WorkstreamScreen),
        (["3", "up", "enter"], WorkstreamScreen),
        (["D"], ConfirmDialog),
        (["p"], ChooseDialog),
    ],
)
async def test_a_key_opens_its_screen_and_escape_comes_back(keys: list[str], screen: type) -> None:
    async with running(FakeSource()) as (pilot, home):
        await pilot.press(*keys)
        await eventually(pilot, lambda: isinstance(pilot.app.screen, screen))
        await pilot.pause()
        await pilot.press("escape")
        await eventually(pilot, lambda: pilot.app.screen is home)


async def test_w_goes_from_one_need_to_the_next_and_round_again() -> None:
    async with running(FakeSource()) as (pilot, home):
        gone_to: list[str | None] = []
        home.open_desk = gone_to.append  # type: ignore[method-assign]  # where it goes is what counts here
        await pilot.press("w", "w", "w")
        assert gone_to == ["c1", "c2", "c1"]


async def test_w_puts_the_cursor_on_what_failed() -> None:
    async with running(FakeSource(finished_run())) as (pilot, home):
        await pilot.press("5", "w")
        assert (home.current, home.waves_pane.selected) == (home.waves_pane, "ws-06-engine")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_numbers_and_tab_go_from_pane_to_pane(size: tuple[int, int]) -> None:
    async with running(FakeSource(), size) as (pilot, home):
        for number in "23451":
            await pilot.press(number)
            assert home.focused is home.panes[int(number) - 1]
            assert home.focused.display
        await pilot.press("tab")
        assert home.focused is home.workers_pane
        await pilot.press("shift+tab", "shift+tab")
        assert home.focused is home.conflicts_pane


async def test_a_filter_narrows_events_while_it_is_typed_and_escape_takes_it_back() -> None:
    async with running(FakeSource()) as (pilot, home):
        await pilot.press("3", "slash", *"merged")
        assert [home.events_pane.key_at(i) for i in range(home.events_pane.count())] == ["2"]
        await pilot.press("enter")
        assert home.focused is home.events_pane
        assert home.events_pane.count() == 1
        await pilot.press("escape")
        assert home.events_pane.count() == 5


async def test_a_filter_stays_with_its_pane_although_another_is_told_late_that_it_had_the_focus() -> None:
    async with running(FakeSource()) as (pilot, home):
        await pilot.press("5", "1", "slash")
        await eventually(pilot, lambda: home.focused is home.search)
        home.post_message(DescendantFocus(home.conflicts_pane))
        await pilot.press(*"base", "space", *"01")
        assert home.waves_pane.filter == "base 01"
        await pilot.press("enter")
        assert home.focused is home.waves_pane
        assert home.current is home.waves_pane


async def test_a_filter_finds_events_by_type_severity_and_workstream() -> None:
    async with running(FakeSource()) as (_, home):
        for words, ids in {
            "WARNING": ["4"],
            "gating": ["3"],
            "ws-09": ["2"],
            "operator worker": ["5"],
            "[/x]": [],
        }.items():
            home.events_pane.narrow(words)
            assert [home.events_pane.key_at(i) for i in range(home.events_pane.count())] == ids, words


async def test_a_filter_narrows_waves_to_matching_workstreams_folded_or_not() -> None:
    async with running(FakeSource()) as (pilot, home):
        await pilot.press("slash", *"base", "space", *"01", "enter")
        assert [home.waves_pane.key_at(i) for i in range(home.waves_pane.count())] == ["wave 1", "ws-01-base"]


async def test_typing_a_filter_sends_no_command() -> None:
    source = FakeSource()
    async with running(source) as (pilot, _):
        await pilot.press("slash", *"pdk", "space", "q", "enter")
        await pilot.pause(0.05)
        assert source.sent == []


async def test_help_comes_and_goes() -> None:
    async with running(FakeSource()) as (pilot, home):
        await pilot.press("question_mark")
        await eventually(pilot, lambda: isinstance(home.app.screen, HelpScreen))
        await pilot.press("escape")
        await eventually(pilot, lambda: home.app.screen is home)


async def test_the_summary_opens_on_request_once_the_run_is_over_and_leads_to_landing() -> None:
    source = FakeSource(all_merged())
    async with running(source) as (pilot, home):
        await pilot.press("s")
        await eventually(pilot, lambda: isinstance(home.app.screen, SummaryDialog))
        await pilot.press("L")
        await eventually(pilot, lambda: isinstance(home.app.screen, ConfirmDialog))
        await pilot.press("y")
        await eventually(pilot, lambda: [verb for verb, _ in source.sent] == [Verb.LAND])


@pytest.mark.parametrize("width", [120, 100, 80, 60, 40])
async def test_the_footer_is_never_cut_and_always_says_help_and_leave(width: int) -> None:
    async with running(FakeSource(), (width, 24)) as (_, home):
        bar = home.query_one("HomeKeys")
        shown = str(bar.render()).replace("\u00a0", " ")
        assert len(shown) <= bar.size.width
        assert "? help" in shown
        assert "q leave" in shown


async def test_every_act_is_in_the_palette() -> None:
    async with running(FakeSource()) as (pilot, home):
        home.waves_pane.reveal("ws-13-plugins")
        await pilot.pause()
        named = {command.title for command in pilot.app.get_system_commands(home)}
        acts = ("Pause run", "Pause worker", "Drain", "Drain all", "Kill", "More workers", "Fewer workers", "Conflicts")
        assert named >= {*acts, "For me", "Filter", "Help", "Leave", "Open"}
        assert not named & {"Continue run", "Land", "Retry", "Quit"}


async def test_a_command_of_the_palette_is_carried_out() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        command = next(c for c in pilot.app.get_system_commands(home) if c.title == "Pause run")
        await command.callback()
        await eventually(pilot, lambda: source.sent)
        assert source.sent == [(Verb.PAUSE, {})]


async def test_a_click_in_the_footer_is_a_key() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        bar = str(home.query_one("HomeKeys").render()).replace("\u00a0", " ")
        await pilot.click("HomeKeys", offset=(bar.index("pause run") + 2, 0))
        await eventually(pilot, lambda: source.sent)
        assert source.sent == [(Verb.PAUSE, {})]


async def test_a_click_on_plus_in_the_header_scales_up() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        second = str(home.header.render()).splitlines()[1]
        await pilot.click("Header", offset=(second.index("+"), 1))
        await eventually(pilot, lambda: source.sent)
        assert source.sent == [(Verb.SCALE, {"number": 5})]


async def test_scaling_shows_at_once_and_a_refusal_takes_it_back() -> None:
    source = FakeSource()
    source.refusal = "16 workers is the most that is allowed"
    async with running(source) as (pilot, home):
        home.action_scale(2)
        assert "→ 6" in str(home.header.render())
        await eventually(pilot, lambda: "→" not in str(home.header.render()))
