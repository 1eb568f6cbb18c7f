"""The breakdown: what each side adds up, in which order, and that a live run moves nothing under the cursor."""

from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.console.running import eventually, running, text
from tests.console.samples import (
    HOSTILE,
    FakeSource,
    attempt_spend,
    breakdown,
    empty_run,
    finished_run,
    model_cost,
    sample_run,
    spend,
)
from tests.console.stage import StageSource
from uet_tui.console.breakdown.screen import BreakdownScreen
from uet_tui.console.breakdown.sides import Order, Side, ordered, rows_of, total_of, wasted_for, weight
from uet_tui.console.breakdown.table import CostTable, drawn_share, layout
from uet_tui.console.dialogs.budget import BudgetDialog
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.commands import Verb
from uet_tui.store.cost_views import CostBreakdown


async def opened(pilot: Pilot[None], kind: type) -> None:
    await eventually(pilot, lambda: isinstance(pilot.app.screen, kind))
    await pilot.pause()


async def costs_of(pilot: Pilot[None], *keys: str) -> CostTable:
    """The table, once it has what the source has."""
    await pilot.press("dollar_sign")
    await opened(pilot, BreakdownScreen)
    table = pilot.app.screen.query_one(CostTable)
    await eventually(pilot, lambda: table.count() or table.empty())
    await pilot.pause(0.05)
    await pilot.press(*keys)
    return table


def shown(pilot: Pilot[None]) -> str:
    screen = pilot.app.screen
    assert isinstance(screen, BreakdownScreen)
    return text(screen)


def names(table: CostTable) -> list[str]:
    return [table.key_at(index) for index in range(table.count())]


def said(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_each_side_adds_up_the_same_money(size: tuple[int, int]) -> None:
    async with running(FakeSource(), size) as (pilot, _):
        table = await costs_of(pilot)
        for key, first in (
            ("1", "ws-10-base"),
            ("2", "ws-10-base #2"),
            ("3", "claude-sonnet-4-5"),
            ("4", "wave 3"),
            ("5", "conflicts"),
        ):
            await pilot.press(key)
            assert names(table)[0] == first
            assert round(table.total.usd, 2) == 3.12
            assert "~$3.12+?" in shown(pilot)


async def test_what_was_wasted_says_why_and_a_price_that_nobody_knows_is_no_zero() -> None:
    async with running(FakeSource()) as (pilot, _):
        await costs_of(pilot)
        lines = {line[2:].split()[0]: line for line in shown(pilot).splitlines() if "ws-" in line[:6]}
        assert "$1.59 wasted: failed, conflicts" in said(pilot, "#detail")
        assert "$0.15 retried" in lines["ws-18-scripts"]
        assert "~$0.55" in lines["ws-18-scripts"]
        assert " ? " in lines["ws-13-plugins"]
        assert "$0.00" not in shown(pilot)


async def test_keys_and_clicks_sort_and_turn_the_order() -> None:
    async with running(FakeSource()) as (pilot, _):
        table = await costs_of(pilot)
        assert "cost▼" in shown(pilot)
        await pilot.press("S")
        assert names(table)[0] == "ws-13-plugins"
        assert "cost▲" in shown(pilot)
        await pilot.press("s")
        assert names(table)[:2] == ["ws-10-base", "ws-24-audit"]
        assert "in▼" in shown(pilot)
        await pilot.click(CostTable, offset=(3, 1))
        assert names(table)[:2] == ["ws-09-spec-tools", "ws-10-base"]
        assert "workstream▲" in shown(pilot)
        await pilot.click(CostTable, offset=(3, 1))
        assert names(table)[0] == "ws-24-audit"


async def test_enter_opens_a_workstream_and_escape_comes_back_to_the_same_row() -> None:
    async with running(FakeSource()) as (pilot, home):
        table = await costs_of(pilot, "2", "down", "enter")
        await opened(pilot, WorkstreamScreen)
        await pilot.press("escape")
        await opened(pilot, BreakdownScreen)
        assert table.selected == "ws-24-audit #1"
        await pilot.press("escape")
        await eventually(pilot, lambda: pilot.app.screen is home)


async def test_an_outcome_opens_its_attempts_and_escape_comes_back_to_it() -> None:
    async with running(FakeSource()) as (pilot, _):
        table = await costs_of(pilot, "5", "down", "enter")
        assert names(table) == ["ws-18-scripts #2", "ws-09-spec-tools #1"]
        assert "only merged" in shown(pilot)
        await pilot.press("escape")
        assert (table.count(), table.selected) == (5, "merged")
        await pilot.press("down", "down", "enter")
        assert names(table) == ["ws-10-base #1"]


@pytest.mark.parametrize("side", ["3", "4"])
async def test_what_is_no_workstream_opens_none_even_where_all_of_it_is_one_workstreams(side: str) -> None:
    async with running(FakeSource()) as (pilot, _):
        table = await costs_of(pilot, side, "S")
        for _ in range(table.count()):
            await pilot.press("enter", "down")
        assert isinstance(pilot.app.screen, BreakdownScreen)


async def test_an_attempt_opens_as_that_attempt() -> None:
    source = StageSource(sample_run())
    source.tries = tuple(replace(FakeSource().attempts("ws-18-scripts")[0], number=n) for n in (1, 2))
    async with running(source) as (pilot, _):
        await costs_of(pilot, "2", "end", "up", "enter")
        await opened(pilot, WorkstreamScreen)
        await eventually(pilot, lambda: "attempt 1 of 2" in said(pilot, "#attempt"))


async def test_a_model_of_the_costs_pane_opens_the_breakdown_by_models() -> None:
    seen = sample_run()
    two = (model_cost("claude-sonnet-4-5", usd=2.0), model_cost("gpt-5.1-codex-max", "codex", 0.5))
    async with running(FakeSource(replace(seen, costs=replace(seen.costs, by_model=two)))) as (pilot, _):
        await pilot.press("4", "home", "enter")
        await opened(pilot, BreakdownScreen)
        assert "model" in shown(pilot).splitlines()[3]


async def test_a_click_on_the_sums_of_the_costs_pane_opens_the_breakdown() -> None:
    async with running(FakeSource()) as (pilot, home):
        await pilot.click(home.costs_pane, offset=(5, 1))
        await opened(pilot, BreakdownScreen)


async def test_the_cursor_stays_on_its_row_while_the_run_goes_on() -> None:
    source = FakeSource()
    async with running(source) as (pilot, _):
        table = await costs_of(pilot, "2", "down", "down")
        assert table.selected == "ws-18-scripts #2"
        more = tuple(attempt_spend(f"ws-{n}-new", 1, 5.0 + n, 1000, "under way") for n in range(40, 60))
        source.money = breakdown((*source.money.by_attempt, *more))
        source.change()
        await eventually(pilot, lambda: table.count() == 27)
        assert table.selected == "ws-18-scripts #2"


async def test_what_is_read_late_is_not_lost_and_a_read_is_not_broken_off() -> None:
    reads: list[int] = []

    class Counting(FakeSource):
        def costs(self) -> CostBreakdown:
            reads.append(self.view.revision)
            return super().costs()

    source = Counting()
    async with running(source) as (pilot, _):
        table = await costs_of(pilot)
        for n in range(5):
            source.money = breakdown([attempt_spend("ws-10-base", 1, 1.0 + n, 10, "merged")])
            source.change()
        await eventually(pilot, lambda: table.total.usd == 5.0)
        assert reads[-1] == source.view.revision


async def test_a_store_that_cannot_be_read_says_so_and_the_last_rows_stay() -> None:
    class Broken(FakeSource):
        broken = False

        def costs(self) -> CostBreakdown:
            self.failure, kept = ("the disk [/x] is gone", self.failure) if self.broken else ("", self.failure)
            try:
                return super().costs()
            finally:
                self.failure = kept

    source = Broken()
    async with running(source) as (pilot, _):
        table = await costs_of(pilot)
        source.broken = True
        source.change()
        await eventually(pilot, lambda: "the disk [/x] is gone" in said(pilot, "#detail"))
        assert table.count() == 5


async def test_nothing_used_says_what_will_appear() -> None:
    source = FakeSource(empty_run(), ())
    source.money = CostBreakdown((), (), (), (), ())
    async with running(source) as (pilot, _):
        await costs_of(pilot)
        assert "Nothing used yet" in shown(pilot)
        await pilot.press("enter", "s", "S", "5", "enter")
        assert isinstance(pilot.app.screen, BreakdownScreen)


async def test_the_budget_can_be_changed_from_here_but_not_that_of_a_run_that_is_over() -> None:
    source = FakeSource()
    async with running(source) as (pilot, _):
        await costs_of(pilot, "b")
        await opened(pilot, BudgetDialog)
        await pilot.press(*"30", "enter")
        await eventually(pilot, lambda: source.sent)
        assert source.sent == [(Verb.BUDGET, {"amount": 30.0, "limit": "total", "note": ""})]
    async with running(FakeSource(finished_run())) as (pilot, _):
        await costs_of(pilot, "b")
        assert isinstance(pilot.app.screen, BreakdownScreen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_markup_in_names_is_text(size: tuple[int, int]) -> None:
    source = FakeSource()
    source.money = breakdown(
        [attempt_spend(f"ws-1{n} {HOSTILE}", 1, 1.0, 10, HOSTILE, agent=HOSTILE) for n in range(3)]
    )
    async with running(source, size) as (pilot, _):
        await costs_of(pilot)
        for key in "12345":
            await pilot.press(key)
            assert "[/x]" in shown(pilot)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("longest", [4, 21, 200])
def test_columns_take_the_whole_width_or_less_and_never_more(side: Side, longest: int) -> None:
    for width in range(38, 300):
        at = layout(width, side, longest)
        used = at.name + at.agent + at.cost + at.bar + 14 + at.cached + at.thought + at.tries + at.why
        assert used <= width
        assert at.name >= min(14, width)


def test_every_column_is_there_at_120_and_why_it_was_wasted_at_80() -> None:
    wide, narrow = layout(116, Side.WORKSTREAM, 20), layout(76, Side.WORKSTREAM, 20)
    assert min(wide.name, wide.agent, wide.bar, wide.cached, wide.thought, wide.tries, wide.why) > 0
    assert min(narrow.name, narrow.bar, narrow.why) > 0


def test_rows_are_ordered_by_figures_and_names_by_the_numbers_in_them() -> None:
    rows = (spend("wave 10", 1.0, 5), spend("wave 2", 1.0, 9), spend("wave 1", 3.0, 1))
    assert [row.label for row in ordered(rows, Order.COST)] == ["wave 1", "wave 2", "wave 10"]
    assert [row.label for row in ordered(rows, Order.NAME)] == ["wave 1", "wave 2", "wave 10"]
    assert [row.label for row in ordered(rows, Order.TOKENS_IN, turned=True)] == ["wave 1", "wave 10", "wave 2"]


def test_shares_are_of_money_and_of_tokens_where_none_was_paid_or_they_are_sorted_by() -> None:
    row = spend("a", 2.0, 100)
    assert weight(row, Order.COST, metered=True) == 2.0
    assert weight(row, Order.COST, metered=False) == 110
    assert weight(row, Order.TOKENS_OUT, metered=True) == 10
    assert weight(row, Order.NAME, metered=True) == 2.0
    assert drawn_share(0.5, 20) == "  ██████        50 %"
    assert [len(drawn_share(1.0, width)) for width in (0, 8, 13, 14, 28)] == [0, 8, 13, 14, 28]


def test_a_total_adds_up_all_columns() -> None:
    total = total_of(rows_of(breakdown(), Side.ATTEMPT))
    assert (total.attempts, total.unpriced, total.tokens_in) == (9, 2, 183_500)
    assert wasted_for(total) == "retried, failed, conflicts"
    assert total_of(()).usd == 0
