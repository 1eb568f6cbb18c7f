"""What tokens cost where the agent does not say: the operator's prices, then the price list that is in the package."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from uet_tui.core.usage import Usage
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.budget import BudgetSettings, ModelPrice

_MILLION = 1_000_000
_SAMPLE = 1_000
"""Tokens that a price is asked for: few enough for the price of a short prompt, which a list may tell apart."""


_TELLING = frozenset({"json-lines", "claude"})
"""Formats of use with money in them; others have some only for models that the agent knows the price of."""


class _Rates(NamedTuple):
    """US dollars per token."""

    input: float
    output: float
    cached: float


def priced(reports: Iterable[Usage], model: str, budget: BudgetSettings) -> tuple[Usage, ...]:
    """The reports with `usd` filled in where the agent told none and the price of the model is known.

    Where it is not, `usd` stays None: unknown is neither free nor guessed. Tokens from a cache are priced as such. A
    report sums up many requests, so the higher prices that some models have for a single long one are left out.

    Args:
        reports: as the agent made them.
        model: of the agent's settings, for reports that do not say who answered.
        budget: where prices may be declared.
    """
    return tuple(_priced(report, report.model or model, budget) for report in reports)


def price_known(model: str, budget: BudgetSettings) -> bool:
    """Whether what a model uses can be priced; never where no model is named."""
    return _rates(model, budget) is not None


def tells_cost(agent: AgentSettings) -> bool:
    """Whether an agent says itself what it used costs, whatever its model."""
    usage = agent.usage
    return usage.format in _TELLING or "usd" in usage.fields or "(?P<usd>" in usage.pattern


def _priced(report: Usage, model: str, budget: BudgetSettings) -> Usage:
    if report.usd is not None:
        return report
    rates = _rates(model, budget)
    if rates is None:
        return report
    cached = min(report.tokens_cached, report.tokens_in)
    usd = (report.tokens_in - cached) * rates.input + cached * rates.cached + report.tokens_out * rates.output
    return replace(report, usd=usd, estimated=True)


def _rates(model: str, budget: BudgetSettings) -> _Rates | None:
    if not model:
        return None
    declared = _declared(model, budget)
    if declared is None:
        return _listed(model)
    cached = declared.input if declared.cached is None else declared.cached
    return _Rates(declared.input / _MILLION, declared.output / _MILLION, cached / _MILLION)


def _declared(model: str, budget: BudgetSettings) -> ModelPrice | None:
    found = budget.models.get(model)
    if found is not None:
        return found
    matching = [price for glob, price in budget.models.items() if fnmatchcase(model, glob)]
    return matching[-1] if matching else None


@lru_cache(maxsize=256)
def _listed(model: str) -> _Rates | None:
    """What the price list in the package says; it is never brought up to date from the network.

    A name may begin with its provider, as in `openai/gpt-5`.
    """
    provider, slash, rest = model.partition("/")
    return _look_up(model, None) or (_look_up(rest, provider) if slash and rest else None)


def _look_up(model: str, provider: str | None) -> _Rates | None:
    from genai_prices import Usage as Amount  # a seventh of a second, which only what is priced has to pay
    from genai_prices import calc_price

    def rate(**tokens: int) -> float:
        return float(calc_price(Amount(**tokens), model, provider_id=provider).total_price) / _SAMPLE

    try:
        rates = _Rates(
            rate(input_tokens=_SAMPLE),
            rate(output_tokens=_SAMPLE),
            rate(input_tokens=_SAMPLE, cache_read_tokens=_SAMPLE),
        )
    except (
        LookupError,
        ValueError,
    ):  # no such model or provider; no such price, as of a model that only makes pictures
        return None
    return rates if all(isfinite(one) and one >= 0 for one in rates) else None
