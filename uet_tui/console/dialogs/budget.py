"""Asking how much a run, its phases and its workstreams may spend, why, and for how long."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from uet_tui.console.amounts import spent
from uet_tui.console.dialogs.dialog import Dialog, key_button, text
from uet_tui.console.format import clock, money
from uet_tui.plan.model import MOST_USD
from uet_tui.store.cost_views import CostView

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LONGEST = 365 * 86_400.0

Limit = Literal["total", "phase", "task"]
_LIMITS: Final[tuple[tuple[Limit, str], ...]] = (
    ("total", "the whole run"),
    ("phase", "each phase"),
    ("task", "each workstream"),
)


@dataclass(frozen=True, slots=True)
class NewBudget:
    """What the operator allows."""

    limits: tuple[tuple[Limit, float], ...]
    """What changes, and to how many US dollars."""
    note: str
    """Why; may be empty."""
    seconds: float | None
    """After how long what held before holds again; None: never."""


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
    """Asks for amounts, a reason and an end; hands back only what can be taken, and only what is to change."""

    AUTO_FOCUS = "#total"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next line", show=False),
        Binding("up", "app.focus_previous", "Line before", show=False),
    ]

    def __init__(self, costs: CostView, then: str) -> None:
        """`then` says what follows once the budget is greater, and what is left to do for the operator."""
        super().__init__("Budget")
        self._costs = costs
        self._then = then
        self._now: dict[Limit, float | None] = {
            "total": costs.budget_usd,
            "phase": costs.phase_budget_usd,
            "task": costs.task_budget_usd,
        }

    def body(self) -> Iterable[Widget]:
        """Where the money stands, what can be written, what is wrong with it."""
        yield text("\n".join(standing(self._costs)), "dialog--lead")
        yield text("US dollars for", "dialog--label")
        for limit, name in _LIMITS:
            with Horizontal(classes="dialog--field"):
                yield text(name)
                yield Input(_shown(self._now[limit]), "no limit", id=limit, compact=True)
        yield text("Why (kept on record; may stay empty)", "dialog--label")
        yield Input(id="note", compact=True)
        yield text("For how long: 30m, 2h, 1d; then what holds now (empty: for good)", "dialog--label")
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
        at = "total"
        limits: list[tuple[Limit, float]] = []
        try:
            for limit, _ in _LIMITS:
                at = limit
                if (written := self._written(limit)) not in ("", _shown(self._now[limit])):
                    limits.append((limit, amount_of(written, self._costs.spent_usd if limit == "total" else 0.0)))
            if not limits:
                at = "total"
                limits.append(("total", amount_of(self._written("total"), self._costs.spent_usd)))
            at = "expires"
            seconds = seconds_of(self._written("expires"))
        except AmountError as error:
            self.query_one("#wrong", Static).update(Content.styled(f"! {error}", "bold $text-error"))
            self.query_one(f"#{at}", Input).focus()
            return
        self.dismiss(NewBudget(tuple(limits), self._written("note"), seconds))

    def _written(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value.strip()


def _shown(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.2f}"


def standing(costs: CostView) -> list[str]:
    """What is spent and reserved of what, what the whole run is forecast to cost, and which limits end when."""
    limit = "without a limit" if costs.budget_usd is None else f"of {money(costs.budget_usd)}"
    lines = [f"{spent(costs)} spent + {money(costs.reserved_usd)} reserved {limit}"]
    if costs.forecast_usd is not None:
        lines.append(f"the whole run is forecast to cost {money(costs.forecast_usd)}")
    names: dict[str, str] = dict(_LIMITS)
    for one in costs.overrides:
        if one.expires_at is not None:
            then = "no limit" if one.former_usd is None else money(one.former_usd)
            lines.append(f"until {clock(one.expires_at)}, by {one.by}; then {then} for {names[one.limit]} again")
    return lines
