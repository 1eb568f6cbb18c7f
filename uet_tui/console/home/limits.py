"""What the header says of what holds a run back: the stage of its budget, and providers that are not asked."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content
from textual.style import Style

from uet_tui.console.amounts import countdown
from uet_tui.console.fit import Part
from uet_tui.console.format import cell, provider_look, share, stage_look
from uet_tui.core.states import RUN_OVER, BudgetStage, ProviderState
from uet_tui.store.cost_views import CostView, ProviderView
from uet_tui.store.providers import told
from uet_tui.store.views import RunView

_REASON = 24
"""Cells of a provider's own words; all of them are in the events."""


def stage_part(view: RunView, rank: int) -> Part:
    """How far the budget is used up and what that leads to; empty while there is enough left."""
    costs = view.costs
    if costs.stage is BudgetStage.OK or view.state in RUN_OVER:
        return Part(Content(""), rank)
    look = stage_look(costs.stage)
    forms = [
        Content.styled(f"{look.glyph} {words}", Style.from_meta({"@click": "screen.budget"})).stylize(look.style)
        for words in _stage_words(costs, view.parallelism)
    ]
    return Part(forms[0], rank, tuple(forms[1:]))


def _stage_words(costs: CostView, workers: int) -> tuple[str, ...]:
    used = f"{int(share(costs.spent_usd + costs.reserved_usd, costs.budget_usd or 0.0) * 100)} %"
    few = f"{workers} of {costs.wide} workers" if costs.wide else "fewer workers"
    words = {
        BudgetStage.WARNED: (f"{used} of the budget is used", f"budget {used}", used),
        BudgetStage.NARROWED: (f"{used} of the budget is used: {few}", f"budget {used}: {few}", few),
        BudgetStage.CHEAPER: (f"{used} of the budget is used: cheaper models", f"budget {used}: cheaper models", used),
        BudgetStage.CLOSING: ("the budget allows no new attempts", "no new attempts"),
        BudgetStage.HALTED: ("too little money left: b raises it", "b raises the budget"),
    }
    return words[costs.stage]


def stopped_part(providers: Sequence[ProviderView], rank: int) -> Part:
    """The first provider that needs the operator, and how many more there are."""
    stopped = [provider for provider in providers if provider.state is ProviderState.STOPPED]
    if not stopped:
        return Part(Content(""), rank)
    look = provider_look(ProviderState.STOPPED)
    first, more = stopped[0], f" +{len(stopped) - 1}" if len(stopped) > 1 else ""
    reason = f": {_short(first.reason)}" if first.reason else " stopped"
    forms = [
        Content.styled(f"{look.glyph} {words}{more}", Style.from_meta({"@click": "screen.stopped_provider"})).stylize(
            look.style
        )
        for words in (f"{_short(first.name)}{reason}", f"{_short(first.name, 12)} stopped")
    ]
    return Part(forms[0], rank, tuple(forms[1:]))


def paused_part(providers: Sequence[ProviderView], now: datetime, rank: int) -> Part:
    """The provider whose pause ends first, with a countdown, and how many more pause."""
    paused = [provider for provider in providers if provider.state is ProviderState.PAUSED]
    if not paused:
        return Part(Content(""), rank)
    look = provider_look(ProviderState.PAUSED)
    first = min(paused, key=lambda provider: (provider.until is None, provider.until or now, provider.name))
    more = f" +{len(paused) - 1}" if len(paused) > 1 else ""
    left = "" if first.until is None else countdown(first.until, now)
    name, reason = _short(first.name), _short(first.reason) or "paused"
    words = (
        f"{name}: {reason}, resumes {'now' if left == 'now' else f'in {left}'}" if left else f"{name}: {reason}",
        f"{name}: {reason}, {left}" if left else f"{name}: {reason}",
        f"{_short(first.name, 12)} {left or 'paused'}",
    )
    forms = [Content.styled(f"{look.glyph} {form}{more}", look.style) for form in words]
    return Part(forms[0], rank, tuple(forms[1:]))


def other_notices(view: RunView) -> tuple[str, ...]:
    """What else holds the run as a whole: what is said of the budget and of providers has its own parts."""
    halted = (view.reason,) if view.costs.stage is BudgetStage.HALTED else ()
    told_of = {view.costs.note, *halted, *(told(provider) for provider in view.providers)}
    return tuple(dict.fromkeys(text for text in (*view.notices, view.reason) if text and text not in told_of))


def _short(text: str, width: int = _REASON) -> str:
    """Text cut to a width, but not filled to it."""
    return cell(text, width).rstrip()
