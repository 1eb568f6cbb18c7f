"""What tokens cost: declared prices first, then the price list in the package; unknown is never free."""

import subprocess
import sys

import pytest

from uet_tui.agents.prices import price_known, priced
from uet_tui.core.usage import Usage
from uet_tui.settings.budget import BudgetSettings


def budget(**models: dict[str, float]) -> BudgetSettings:
    values: dict[str, object] = {
        "max_cost_total": None,
        "max_cost_per_phase": None,
        "max_cost_per_task": None,
        "warning_threshold": 0.9,
        "halt_threshold": 1.0,
        "reserve_usd": 0.25,
        "unknown_price": "refuse",
        "models": models,
        "downgrade": {},
        "providers": {},
        "pause_seconds": 30,
        "pause_max_seconds": 3600,
    }
    return BudgetSettings.model_validate(values)


def usd(model: str, settings: BudgetSettings, **tokens: int) -> float | None:
    (report,) = priced([Usage(model, **tokens)], "", settings)
    return report.usd


def test_a_declared_price_is_per_million_tokens_and_cheaper_from_a_cache() -> None:
    prices = budget(mine={"input": 2.0, "output": 10.0, "cached": 0.5})
    assert usd("mine", prices, tokens_in=1_000_000) == 2.0
    assert usd("mine", prices, tokens_in=1_000_000, tokens_cached=400_000) == pytest.approx(1.4)
    assert usd("mine", prices, tokens_out=100_000, tokens_reasoning=90_000) == 1.0, "thinking is written, too"
    assert usd("mine", prices, tokens_in=10, tokens_cached=90) == pytest.approx(10 * 0.5e-6), "no more than was read"


def test_without_a_price_for_the_cache_all_input_costs_the_same() -> None:
    assert usd("mine", budget(mine={"input": 2.0, "output": 0}), tokens_in=500_000, tokens_cached=500_000) == 1.0


def test_an_exact_name_counts_before_globs_and_the_last_glob_counts() -> None:
    prices = {
        "gpt-5": {"input": 1, "output": 0},
        "gpt-*": {"input": 2, "output": 0},
        "*-mini": {"input": 3, "output": 0},
    }
    settings = budget(**prices)
    assert usd("gpt-5", settings, tokens_in=1_000_000) == 1
    assert usd("gpt-5-nano", settings, tokens_in=1_000_000) == 2
    assert usd("gpt-5-mini", settings, tokens_in=1_000_000) == 3


def test_the_list_in_the_package_prices_what_is_not_declared() -> None:
    whole = usd("gpt-4.1", budget(), tokens_in=1_000_000, tokens_out=1_000_000)
    cached = usd("gpt-4.1", budget(), tokens_in=1_000_000, tokens_cached=1_000_000, tokens_out=1_000_000)
    assert whole is not None and cached is not None and 0 < cached < whole
    assert usd("openai/gpt-4.1", budget(), tokens_in=1_000_000, tokens_out=1_000_000) == whole
    (report,) = priced([Usage(tokens_in=1_000_000, tokens_out=1_000_000)], "gpt-4.1", budget())
    assert (report.usd, report.estimated) == (whole, True)


def test_a_report_that_sums_up_many_requests_costs_what_they_cost_together() -> None:
    one = usd("claude-sonnet-4-5", budget(), tokens_in=50_000, tokens_out=1_000)
    many = usd("claude-sonnet-4-5", budget(), tokens_in=500_000, tokens_out=10_000)
    assert one is not None and many == pytest.approx(10 * one)


@pytest.mark.parametrize("model", ["", "no-such-model", "no-such/model", "claude-of-next-year", "/", "x/"])
def test_an_unknown_model_has_no_price_and_none_is_guessed(model: str) -> None:
    assert usd(model, budget(), tokens_in=1_000_000) is None
    assert not price_known(model, budget())


def test_what_the_agent_says_counts_before_any_price() -> None:
    told = Usage("gpt-4.1", 1_000_000, usd=0.01)
    assert priced([told], "", budget()) == (told,)
    free = Usage("gpt-4.1", 1_000_000, usd=0.0)
    assert priced([free], "", budget()) == (free,)


def test_prices_are_read_without_the_network_and_only_when_they_are_asked_for() -> None:
    script = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse\n"
        "import uet_tui.agents.prices as prices\n"
        "assert 'genai_prices' not in sys.modules\n"
        "assert prices._listed('gpt-4.1') is not None\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
