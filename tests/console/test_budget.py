"""The budget: what can be written, what is refused and why, and what is asked of the run."""

from datetime import timedelta

import pytest
from textual.widgets import Input, Static

from tests.console.samples import NOW, costs
from tests.console.test_dialogs import NOTHING, Host
from uet_tui.console.dialogs.budget import AmountError, BudgetDialog, NewBudget, amount_of, seconds_of, standing
from uet_tui.console.format import clock
from uet_tui.store.cost_views import OverrideView


@pytest.mark.parametrize(
    ("written", "amount"),
    [("30", 30.0), (" $12.50 ", 12.5), ("1,200", 1200.0), ("3.13", 3.13), ("1e3", 1000.0)],
)
def test_an_amount_is_read_as_operators_write_it(written: str, amount: float) -> None:
    assert amount_of(written, 3.12) == amount


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "write US dollars"),
        (" $ ", "write US dollars"),
        ("much", "much is no amount"),
        ("1e12", "no budget is that large"),
        ("nan", "finite amount"),
        ("inf", "finite amount"),
        ("-inf", "finite amount"),
        ("1e999", "finite amount"),
        ("-3", "cannot be negative"),
        ("3", "not more than the $3.12 that is spent"),
        ("3.12", "not more than the $3.12 that is spent"),
        ("0", "not more than"),
    ],
)
def test_an_amount_that_cannot_be_taken_says_why(written: str, why: str) -> None:
    with pytest.raises(AmountError, match=why.replace("$", r"\$")):
        amount_of(written, 3.12)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("", None), ("  ", None), ("90s", 90.0), ("30m", 1800.0), ("1.5 H", 5400.0), ("1d", 86_400)],
)
def test_a_time_is_read_as_operators_write_it(written: str, seconds: float | None) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize("written", ["soon", "30", "-1h", "0m", "nan", "infh", "9999d"])
def test_a_time_that_cannot_be_taken_says_what_to_write(written: str) -> None:
    with pytest.raises(AmountError, match="write 30m, 2h or 1d"):
        seconds_of(written)


def test_where_the_money_stands_is_said_with_the_forecast() -> None:
    said = standing(costs(spent_usd=3.12, reserved_usd=1.4, forecast_usd=31.5))
    assert said == ["$3.12 spent + $1.40 reserved of $25.00", "the whole run is forecast to cost $31.50"]
    assert standing(costs(budget_usd=None)) == ["$0.00 spent + $0.00 reserved without a limit"]


def test_a_limit_that_ends_says_when_and_what_holds_then() -> None:
    later = OverrideView("task", None, "ann", "a hard one", NOW, NOW + timedelta(hours=2))
    for_good = OverrideView("total", 20.0, "ann", "", NOW, None)
    said = standing(costs(overrides=(later, for_good)))
    assert said[-1] == f"until {clock(NOW + timedelta(hours=2))}, by ann; then no limit for each workstream again"
    assert not any("20.00" in line for line in said)


def dialog() -> BudgetDialog:
    return BudgetDialog(costs(spent_usd=12.5, budget_usd=12.5, task_budget_usd=2.0), "The run goes on at once.")


TO_WHY = ("tab", "tab", "tab")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ([*"30", "enter"], NewBudget((("total", 30.0),), "", None)),
        ([*"30", *TO_WHY, *"two more", "down", *"2h", "enter"], NewBudget((("total", 30.0),), "two more", 7200.0)),
        (["down", *"9", "down", *"4.5", "enter"], NewBudget((("phase", 9.0), ("task", 4.5)), "", None)),
        ([*"30", "tab", *"9", "enter"], NewBudget((("total", 30.0), ("phase", 9.0)), "", None)),
        ([*TO_WHY, *"w", "up", "home", "delete", *"3", "enter"], NewBudget((("task", 3.0),), "w", None)),
        (["enter"], NOTHING),
        ([*"nan", "enter"], NOTHING),
        (["tab", *"0", "enter"], NOTHING),
        (["tab", "tab", "backspace", "enter"], NOTHING),
        ([*"30", *TO_WHY, "tab", *"soon", "enter"], NOTHING),
        (["escape"], None),
    ],
)
async def test_only_what_can_be_taken_is_handed_back(keys: list[str], answer: object) -> None:
    app = Host(dialog)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*[{" ": "space"}.get(key, key) for key in keys])
        assert app.answer is answer or app.answer == answer


async def test_what_is_wrong_is_said_until_it_is_written_anew_and_the_cursor_goes_there() -> None:
    app = Host(dialog)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"30", *TO_WHY, "tab", *"soon", "shift+tab", "enter")
        assert app.screen.focused is app.screen.query_one("#expires", Input)
        assert "soon is no time" in str(app.screen.query_one("#wrong", Static).render())
        await pilot.press("backspace")
        assert str(app.screen.query_one("#wrong", Static).render()) == ""
