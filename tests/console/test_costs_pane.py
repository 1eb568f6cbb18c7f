"""The costs pane: sums, outlook, what is not known, and models and workstreams at any width."""

from dataclasses import replace

import pytest

from tests.console.running import running, text
from tests.console.samples import FakeSource, costs, model_cost, sample_run
from uet_tui.console.home.costs import cost_line, doubts, outlook, sums, used
from uet_tui.store.cost_views import CostRow, CostView

MODELS = (model_cost("claude-sonnet-4-5", usd=2.1), model_cost("", "codex", 0.5, unpriced=1))


def row(id: str, usd: float, **changes: object) -> CostRow:
    return replace(CostRow(id, "claude", usd, 1, 20_000, 1_500), **changes)


def priced(**changes: object) -> CostView:
    return replace(sample_run().costs, **changes)


def subscription() -> CostView:
    return costs(row("ws-a", 0.0), row("ws-b", 0.0, tokens_in=1_000), tokens_in=21_000, tokens_out=3_000)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (priced(), ["spent $3.12", "reserved $1.40", "left $20.48", "$0.31/min"]),
        (priced(budget_usd=None), ["spent $3.12", "reserved $1.40", "$0.31/min"]),
        (priced(estimated_usd=1.0, unpriced=2), ["spent ~$3.12+?"]),
        (priced(spent_usd=0.0, unpriced=2), ["spent ?"]),
        (priced(spent_usd=30.0), ["left $0.00"]),
        (subscription(), ["no money paid", "21k tokens in  3.0k out"]),
    ],
)
def test_the_sums(view: CostView, said: list[str]) -> None:
    line = sums(view, 76).plain
    assert [part for part in said if part not in line] == []


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (priced(), "forecast $8.90   landed $1.63   wasted $0.40 (2 retries)"),
        (priced(forecast_usd=31.5), "! forecast $31.50, over the budget"),
        (priced(forecast_usd=31.5, budget_usd=None), "forecast $31.50   landed"),
        (priced(forecast_usd=None, landed_usd=0.0, wasted_usd=0.0, retries=0), "▁▃▃▆█▆▄▃▃▁"),
        (priced(forecast_usd=None, landed_usd=0.0, wasted_usd=0.0, retries=0, series=(0.0, 0.0)), ""),
    ],
)
def test_the_outlook(view: CostView, said: str) -> None:
    assert outlook(view, 90).plain.startswith(said)


@pytest.mark.parametrize("view", [priced(), priced(forecast_usd=31.5), priced(estimated_usd=1.0, unpriced=12)])
def test_no_line_of_the_heading_is_wider_than_the_pane(view: CostView) -> None:
    for width in range(20, 200):
        for line in (sums(view, width), outlook(view, width), doubts(view, width)):
            assert line.cell_length <= width
        assert "forecast" in outlook(view, width).plain
        assert "spent" in sums(view, width).plain


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (row("ws-a", 0.31), "$0.31"),
        (row("ws-a", 0.0, unpriced=1), "?"),
        (row("ws-a", 0.31, unpriced=1), "$0.31+?"),
        (row("ws-a", 0.0), "22k tok"),
        (row("ws-a", 0.0, tokens_in=0, tokens_out=0), "$0.00"),
        (MODELS[1], "$0.50+?"),
    ],
)
def test_what_a_row_used(one: CostRow, said: str) -> None:
    assert used(one) == said


def test_every_line_is_as_wide_as_the_pane_whatever_the_names() -> None:
    long = "ws-" + "very-long-" * 20
    rows = (*MODELS, row(long, 2.0, agent=long), row("ws-b", 0.0, unpriced=1))
    for width in range(300):
        assert {cost_line(one, rows, width).cell_length for one in rows} == {width}


async def test_models_come_first_where_there_are_several_and_the_cursor_knows_what_it_is_on() -> None:
    view = sample_run(costs=priced(by_model=MODELS, unpriced=1))
    async with running(FakeSource(view)) as (pilot, home):
        await pilot.press("4")
        assert [home.costs_pane.key_at(index) for index in range(3)] == [
            "claude claude-sonnet-4-5",
            "codex ",
            "ws-24-audit",
        ]
        assert home.costs_pane.workstream() is None
        await pilot.press("down", "down")
        assert home.costs_pane.workstream() == "ws-24-audit"
        shown = text(home)
        assert "∑ model not told" in shown
        assert "? 1 report: price unknown, not in the sums" in shown


async def test_one_model_is_not_told_twice() -> None:
    async with running(FakeSource(sample_run(costs=priced(by_model=MODELS[:1])))) as (_, home):
        assert "∑" not in text(home)
