"""Asking how much a run may spend, why, and for how long."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from uet_tui.console.amounts import spent
from uet_tui.console.dialogs.dialog import Dialog, key_button, text
from uet_tui.console.format import money
from uet_tui.plan.model import MOST_USD
from uet_tui.store.cost_views import CostView

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LONGEST = 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class NewBudget:
    """What the operator allows."""

    amount: float
    """US dollars for the whole run."""
    note: str
    """Why; may be empty."""
    seconds: float | None
    """After how long the old budget holds again; None: never."""


class AmountError(ValueError):
    """What was written cannot be taken; says why and what to write instead."""


def amount_of(written: str, spent: float) -> float:
    """US dollars, as an operator writes them: `30`, `$12.50`, `1,200`.

    Raises:
        AmountError: it is no amount, or not more than what is spent.
    """
    bare = written.strip().removeprefix("$").strip().replace(",", "")
    if not bare:
        raise AmountError("write US dollars, such as 30 or 12.50")
    try:
        amount = float(bare)
    except ValueError:
        raise AmountError(f"{written.strip()} is no amount: write US dollars, such as 30 or 12.50") from None
    if not math.isfinite(amount):
        raise AmountError("a budget is a finite amount of US dollars, such as 30 or 12.50")
    if amount >= MOST_USD:
        raise AmountError("no budget is that large: write US dollars, such as 30 or 12.50")
    if amount < 0:
        raise AmountError("a budget cannot be negative: write US dollars, such as 30 or 12.50")
    if amount <= spent:
        raise AmountError(f"{money(amount)} is not more than the {money(spent)} that is spent: nothing could start")
    return amount


def seconds_of(written: str) -> float | None:
    """A time as an operator writes it: `90s`, `30m`, `2h`, `1d`; nothing is for ever.

    Raises:
        AmountError: it is no time, or longer than a year.
    """
    if not (bare := written.strip().lower()):
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", bare)
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST:
        raise AmountError(
            f"{written.strip()} is no time: write 30m, 2h or 1d, or nothing for as long as the run goes on"
        )
    return seconds


class BudgetDialog(Dialog[NewBudget]):
    """Asks for an amount, a reason and an end; hands back only what can be taken."""

    AUTO_FOCUS = "#amount"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next line", show=False),
        Binding("up", "app.focus_previous", "Line before", show=False),
    ]

    def __init__(self, costs: CostView, then: str) -> None:
        """`then` says what follows once the budget is greater, and what is left to do for the operator."""
        super().__init__("Budget")
        self._costs = costs
        self._then = then

    def body(self) -> Iterable[Widget]:
        """Where the money stands, what can be written, what is wrong with it."""
        budget = self._costs.budget_usd
        yield text("\n".join(standing(self._costs)), "dialog--lead")
        yield text("US dollars for the whole run", "dialog--label")
        yield Input("" if budget is None else f"{budget:.2f}", id="amount", compact=True)
        yield text("Why (kept on record; may stay empty)", "dialog--label")
        yield Input(id="note", compact=True)
        back = "" if budget is None else f"; then {money(budget)} again"
        yield text(f"For how long: 30m, 2h, 1d{back} (empty: for good)", "dialog--label")
        yield Input(id="expires", compact=True)
        yield Static(id="wrong", markup=False)
        if self._then:
            yield text(self._then, "dialog--then")

    def buttons(self) -> Iterable[Button]:
        """Raising and going back."""
        yield key_button("enter", "set it", "screen.send", id="send")
        yield key_button("escape", "back", "screen.leave", id="back")

    @on(Input.Changed)
    def forget_what_was_wrong(self) -> None:
        """What was wrong may be right by now."""
        self.query_one("#wrong", Static).update("")

    @on(Input.Submitted)
    def action_send(self) -> None:
        """Hands back what was written, or says what is wrong with it and goes there."""
        at = "#amount"
        try:
            amount = amount_of(self._written(at), self._costs.spent_usd)
            at = "#expires"
            seconds = seconds_of(self._written(at))
        except AmountError as error:
            self.query_one("#wrong", Static).update(Content.styled(f"! {error}", "bold $text-error"))
            self.query_one(at, Input).focus()
            return
        self.dismiss(NewBudget(amount, self._written("#note").strip(), seconds))

    def _written(self, selector: str) -> str:
        return self.query_one(selector, Input).value


def standing(costs: CostView) -> list[str]:
    """What is spent and reserved of what, and what the whole run is forecast to cost."""
    limit = "without a limit" if costs.budget_usd is None else f"of {money(costs.budget_usd)}"
    lines = [f"{spent(costs)} spent + {money(costs.reserved_usd)} reserved {limit}"]
    if costs.forecast_usd is not None:
        lines.append(f"the whole run is forecast to cost {money(costs.forecast_usd)}")
    return lines
