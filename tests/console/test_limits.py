"""The header's second line: the budget's stages and providers, as fully as there is room, and never cut away."""

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.content import Content

from tests.console.running import eventually, running, text
from tests.console.samples import HOSTILE, NOW, FakeSource, costs, provider, sample_run
from uet_tui.console.dialogs.budget import BudgetDialog
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.fit import Part, fit
from uet_tui.console.home.banner import halted
from uet_tui.console.home.header import second_line
from uet_tui.core.commands import Verb
from uet_tui.core.states import BudgetStage, ProviderState, RunState
from uet_tui.store.cost_views import ProviderView
from uet_tui.store.views import NeedView, RunView

B, P = BudgetStage, ProviderState
STOPPED = provider("openai", P.STOPPED, "no key")


def at(stage: BudgetStage, *providers: ProviderView, **changes: object) -> RunView:
    """The sample run with its budget at a stage."""
    seen = sample_run(providers=providers, **changes)
    return replace(seen, costs=replace(seen.costs, stage=stage, spent_usd=23.12, wide=4, note="why it is so"))


def halted_run(**changes: object) -> RunView:
    return at(B.HALTED, state=RunState.HALTED, reason="the budget is used up", workers=(), **changes)


@pytest.mark.parametrize(
    ("view", "width", "said"),
    [
        (at(B.OK), 120, "$23.12 spent + $1.40 reserved of $25.00"),
        (at(B.WARNED), 120, "! 98 % of the budget is used"),
        (at(B.WARNED, provider()), 80, "! budget 98 %"),
        (at(B.NARROWED, parallelism=2, workers=()), 120, "⇣ 98 % of the budget is used: 2 of 4 workers"),
        (at(B.NARROWED, provider(), parallelism=2, workers=()), 80, "⇣ 2 of 4 workers"),
        (at(B.CHEAPER), 120, "↓ 98 % of the budget is used: cheaper models"),
        (at(B.CLOSING), 120, "⊘ the budget allows no new attempts"),
        (at(B.CLOSING, provider(), STOPPED), 80, "⊘ no new attempts"),
        (halted_run(), 120, "$ too little money left: b raises it"),
        (halted_run(), 80, "$ too little money left: b raises it"),
        (at(B.OK, provider()), 120, "⏸ anthropic: quota, resumes in 02:10"),
        (at(B.OK, provider()), 80, "⏸ anthropic: quota, 02:10"),
        (at(B.OK, provider(seconds=3700), provider("openai", seconds=9)), 120, "⏸ openai: quota, resumes in 00:09 +1"),
        (at(B.CLOSING, provider(), provider("openai", seconds=9)), 80, "⏸ openai: quota, 00:09 +1"),
        (at(B.CLOSING, provider(), STOPPED), 80, "⏸ anthropic 02:10"),
        (at(B.OK, provider(seconds=-1)), 120, "⏸ anthropic: quota, resumes now"),
        (at(B.OK, provider(seconds=None)), 120, "⏸ anthropic: quota"),
        (at(B.OK, STOPPED), 120, "✗ openai: no key"),
        (at(B.CLOSING, STOPPED, provider()), 80, "✗ openai stopped"),
        (at(B.OK, STOPPED, provider("mistral", P.STOPPED, "account")), 120, "✗ openai: no key +1"),
        (at(B.OK, provider("openai", P.OPEN)), 120, "reserved of $25.00"),
    ],
)
def test_what_holds_the_run_is_said_as_fully_as_there_is_room(view: RunView, width: int, said: str) -> None:
    assert said in second_line(view, NOW, width, None).plain


@pytest.mark.parametrize("width", [60, 70, 80, 99, 100, 120, 200])
@pytest.mark.parametrize("stage", [stage for stage in B if stage is not B.OK])
def test_neither_the_stage_nor_a_provider_is_cut_away(stage: BudgetStage, width: int) -> None:
    line = second_line(at(stage, STOPPED, provider(), notices=("a " * 90,)), NOW, width, None)
    assert line.cell_length <= width
    assert "✗ openai" in line.plain
    assert any(glyph in line.plain for glyph in "!⇣↓⊘$")
    assert "⏸ anthropic" in line.plain or width < 80


def test_more_money_is_not_asked_for_where_a_price_is_what_lacks() -> None:
    note = "the price of gpt-x is unknown, and money is limited; declare it under budget.models"
    view = halted_run()
    said = halted(replace(view, costs=replace(view.costs, note=note)))
    assert said == f"$ halted: {note}; then `uet resume {view.id}`"


def test_the_countdown_goes_on_with_the_clock() -> None:
    view = at(B.OK, provider())
    assert "in 02:09" in second_line(view, NOW + timedelta(seconds=1), 120, None).plain
    assert "in 00:01" in second_line(view, NOW + timedelta(seconds=129), 120, None).plain


def test_what_has_a_part_of_its_own_is_not_said_twice() -> None:
    told = ("why it is so", "provider anthropic paused: quota", "the disk is full", "the disk is full")
    line = second_line(at(B.WARNED, provider(), notices=told, reason="the disk is full"), NOW, 200, None).plain
    assert line.count("the disk is full") == 1
    assert "why it is so" not in line
    assert line.count("anthropic") == 1


def test_a_subscription_is_told_in_tokens() -> None:
    used = costs(budget_usd=None, tokens_in=62_000, tokens_out=4_400)
    assert "62k tokens in, 4.4k out" in second_line(sample_run(costs=used), NOW, 120, None).plain
    limited = replace(used, budget_usd=25.0)
    assert "$0.00 spent" in second_line(sample_run(costs=limited, providers=()), NOW, 120, None).plain


def test_parts_are_shortened_before_one_is_left_out_and_the_least_important_first() -> None:
    one, two = Content("one"), Content("two")
    made = [Part(Content("oneoneone"), 0, (one,)), Part(Content("twotwotwo"), 1, (two,)), Part(Content("three"), 2)]
    for width, line in (
        (40, "oneoneone   twotwotwo   three"),
        (24, "oneoneone  two  three"),
        (20, "one   two   three"),
    ):
        assert fit(made, width).plain.strip() == line
    assert fit(made, 12).plain.strip() == "one   two"
    assert fit(made, 6).plain.strip() == "one"
    assert fit([], 10).plain.strip() == ""


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (halted_run(), "b or `uet budget --total X` raises it, and the run goes on"),
        (
            replace(halted_run(alive=False), costs=costs(spent_usd=25.0, budget_usd=25.0)),
            "raises it, then `uet resume 7f3a` goes on with it",
        ),
        (
            replace(halted_run(alive=False), costs=costs(spent_usd=25.0, budget_usd=30.0)),
            "`uet resume 7f3a` goes on with it",
        ),
    ],
)
def test_a_halted_run_says_what_to_press_and_what_to_type(view: RunView, said: str) -> None:
    assert said in halted(view)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_halted_run_offers_to_raise_its_budget(size: tuple[int, int]) -> None:
    source = FakeSource(halted_run(needs=(NeedView("halted", "", "halted"),)))
    async with running(source, size) as (pilot, home):
        assert "b raise budget" in text(home).replace("\u00a0", " ")
        await pilot.press("w")
        await eventually(pilot, lambda: isinstance(pilot.app.screen, BudgetDialog))
        await pilot.press(*"30", "tab", "tab", "tab", *"more", "tab", *"2h", "enter")
        await eventually(pilot, lambda: source.sent)
        until = (NOW + timedelta(hours=2)).isoformat()
        assert source.sent == [(Verb.BUDGET, {"amount": 30.0, "limit": "total", "note": "more", "until": until})]


async def test_a_stopped_provider_is_asked_again_if_the_operator_is_sure() -> None:
    source = FakeSource(at(B.OK, STOPPED, needs=(NeedView("provider", "openai", "provider openai stopped: no key"),)))
    async with running(source) as (pilot, home):
        await pilot.press("w")
        await eventually(pilot, lambda: isinstance(pilot.app.screen, ConfirmDialog))
        await pilot.press("n")
        column = text(home).splitlines()[1].index("openai")
        await pilot.click(home.header, offset=(column, 1))
        await eventually(pilot, lambda: isinstance(pilot.app.screen, ConfirmDialog))
        await pilot.press("y")
        await eventually(pilot, lambda: source.sent)
        assert source.sent == [(Verb.CONTINUE, {"provider": "openai"})]


async def test_a_provider_with_markup_for_a_name_is_asked_again_by_that_name() -> None:
    source = FakeSource(
        at(B.OK, provider(HOSTILE, P.STOPPED, HOSTILE), needs=(NeedView("provider", HOSTILE, HOSTILE),))
    )
    async with running(source) as (pilot, _):
        await pilot.press("w", "y")
        await eventually(pilot, lambda: source.sent)
        assert source.sent == [(Verb.CONTINUE, {"provider": HOSTILE})]


async def test_a_click_on_the_stage_asks_for_the_budget() -> None:
    async with running(FakeSource(at(B.WARNED))) as (pilot, home):
        column = text(home).splitlines()[1].index("of the budget")
        await pilot.click(home.header, offset=(column, 1))
        await eventually(pilot, lambda: isinstance(pilot.app.screen, BudgetDialog))
