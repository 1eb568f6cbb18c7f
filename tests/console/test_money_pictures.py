"""What money looks like: the costs pane, the breakdown, what the header says of limits, and the budget's dialog."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from tests.console.running import console, eventually, shown
from tests.console.samples import (
    FakeSource,
    attempt_spend,
    breakdown,
    costs,
    empty_run,
    hostile_run,
    model_cost,
    provider,
    sample_run,
)
from uet_tui.console.breakdown.screen import BreakdownScreen
from uet_tui.core.states import BudgetStage, ProviderState, RunState
from uet_tui.store.cost_views import CostBreakdown, CostRow, ProviderView, SpendRow
from uet_tui.store.views import NeedView, RunView

SIZES = [pytest.param((120, 40), id="120x40"), pytest.param((80, 24), id="80x24")]
SONNET, CODEX = model_cost("claude-sonnet-4-5", usd=2.4), model_cost("gpt-5.1-codex-max", "codex", 0.72)


def paid(**changes: object) -> RunView:
    """The sample run with other figures."""
    seen = sample_run()
    return replace(seen, costs=replace(seen.costs, **{"by_model": (SONNET, CODEX), **changes}))


def long_names() -> RunView:
    """Names that fit nowhere, and amounts of five figures."""
    name = "ws-a-name-that-goes-on-and-on-and-on-and-does-not-fit-anywhere"
    rows = tuple(CostRow(f"{name}-{n}", "an-agent-of-the-house", 12_345.6 / n, n, 9**n, 8**n) for n in range(1, 9))
    return paid(rows=rows, spent_usd=32_123.4, budget_usd=50_000.0, reserved_usd=1_234.5, forecast_usd=61_000.0)


def unknown_prices() -> RunView:
    """Models that nobody knows the price of, and prices from a list."""
    rows = (
        CostRow("ws-24-audit", "claude", 0.67, 1, 41_000, 3_200),
        CostRow("ws-18-scripts", "opencode", 0.12, 2, 30_500, 2_100, unpriced=1),
        CostRow("ws-13-plugins", "opencode", 0.0, 1, 22_000, 1_900, unpriced=3),
    )
    return paid(
        rows=rows, unpriced=4, estimated_usd=0.5, by_model=(SONNET, replace(CODEX, model="", usd=0.0, unpriced=4))
    )


def subscription() -> RunView:
    """Agents that nobody pays by the token."""
    rows = tuple(CostRow(f"ws-{n}-part", "codex", 0.0, 1, 41_000 // n, 3_200 // n) for n in range(1, 5))
    return sample_run(costs=costs(*rows, budget_usd=None, tokens_in=85_000, tokens_out=6_600))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [paid, long_names, unknown_prices, subscription, empty_run])
def test_the_costs_pane(snap_compare: Callable[..., bool], make: Callable[[], RunView], size: tuple[int, int]) -> None:
    assert snap_compare(console(FakeSource(make())), press=["4"], terminal_size=size, run_before=shown)


def limited(stage: BudgetStage, *providers: ProviderView, **changes: object) -> RunView:
    """A run whose budget is nearly used up."""
    seen = paid(stage=stage, spent_usd=23.12, wide=4, forecast_usd=31.5)
    return replace(seen, providers=providers, **changes)


def halted(**changes: object) -> RunView:
    """A run that its budget halted."""
    needs = (NeedView("halted", "", "halted by the budget"),)
    idle = tuple(replace(ws, worker=None) for ws in sample_run().workstreams)
    return limited(
        BudgetStage.HALTED, state=RunState.HALTED, reason="x", workers=(), workstreams=idle, needs=needs, **changes
    )


LIMITS: dict[str, RunView] = {
    "warned": limited(BudgetStage.WARNED),
    "slowed": limited(BudgetStage.NARROWED, parallelism=2, workers=sample_run().workers[:2]),
    "closed": limited(BudgetStage.CLOSING),
    "halted": halted(),
    "halted-and-left": halted(alive=False),
    "paused": limited(BudgetStage.OK, provider()),
    "two-paused": limited(BudgetStage.WARNED, provider(), provider("openai", reason="rate limit", seconds=9)),
    "stopped": limited(BudgetStage.OK, provider("openai", ProviderState.STOPPED, "no key"), provider()),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", LIMITS.values(), ids=LIMITS)
def test_what_the_header_says_of_limits(
    snap_compare: Callable[..., bool], view: RunView, size: tuple[int, int]
) -> None:
    assert snap_compare(console(FakeSource(view)), terminal_size=size, run_before=shown)


def test_limits_without_colour(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(FakeSource(halted())), press=["4"], terminal_size=(80, 24), run_before=shown)


def opened(*keys: str) -> Callable[[Pilot[None]], object]:
    """Opens the breakdown, waits until it is read, and presses keys there."""

    async def go(pilot: Pilot[None]) -> None:
        await shown(pilot)
        await pilot.press("dollar_sign")
        await eventually(pilot, lambda: isinstance(pilot.app.screen, BreakdownScreen))
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        await pilot.press(*keys)

    return go


def with_costs(rows: Sequence[SpendRow] | None = None, view: RunView | None = None) -> FakeSource:
    source = FakeSource(view or paid(unpriced=2, estimated_usd=0.4, wasted_usd=1.74))
    source.money = breakdown(rows)
    return source


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [*"12345"])
def test_each_side_of_the_breakdown(snap_compare: Callable[..., bool], side: str, size: tuple[int, int]) -> None:
    assert snap_compare(console(with_costs()), terminal_size=size, run_before=opened(side, "down"))


@pytest.mark.parametrize("size", SIZES)
def test_the_breakdown_of_nothing(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    source = FakeSource(empty_run(), ())
    source.money = CostBreakdown((), (), (), (), ())
    assert snap_compare(console(source), terminal_size=size, run_before=opened())


@pytest.mark.parametrize("size", SIZES)
def test_the_breakdown_of_300_attempts(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    outcomes = ("merged", "retried", "failed", "under way")
    many = [
        attempt_spend(f"ws-{n:02}-{'long-' * (n % 9)}part", n % 6 + 1, n * 0.037, n * 997, outcomes[n % 4])
        for n in range(10, 90)
    ] + [attempt_spend(f"ws-{n % 90 + 10}-more", n, 300 / n, n * 211, outcomes[n % 3]) for n in range(1, 221)]
    source = with_costs(many)
    assert snap_compare(console(source), terminal_size=size, run_before=opened("2", *["pagedown"] * 3, "s"))


@pytest.mark.parametrize("size", SIZES)
def test_the_attempts_of_one_outcome(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(console(with_costs()), terminal_size=size, run_before=opened("5", "down", "enter"))


@pytest.mark.parametrize("size", SIZES)
def test_a_breakdown_in_tokens(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    rows = [replace(row, usd=0.0, estimated_usd=0.0, wasted_usd=0.0, unpriced=0) for row in breakdown().by_attempt]
    assert snap_compare(console(with_costs(rows, subscription())), terminal_size=size, run_before=opened())


@pytest.mark.parametrize("size", SIZES)
def test_the_breakdown_without_colour(
    snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(with_costs()), terminal_size=size, run_before=opened("2", "down"))


def test_the_breakdown_in_a_light_theme(snap_compare: Callable[..., bool]) -> None:
    app = console(with_costs())
    app.theme = "textual-light"
    assert snap_compare(app, terminal_size=(120, 40), run_before=opened())


def test_the_breakdown_of_hostile_names(snap_compare: Callable[..., bool]) -> None:
    name = hostile_run().id
    rows = [attempt_spend(f"ws-1{n}{name}", 1, 1.0 + n, 1_000, name, agent=name) for n in range(3)]
    assert snap_compare(console(with_costs(rows)), terminal_size=(80, 24), run_before=opened())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "keys", [[], [*"12.50", "enter"], [*"30", "tab", *"9", "tab", "tab", *"two more", "tab", *"soon", "enter"]]
)
def test_the_budget(snap_compare: Callable[..., bool], keys: list[str], size: tuple[int, int]) -> None:
    typed = [{" ": "space", ".": "full_stop"}.get(key, key) for key in keys]
    assert snap_compare(console(FakeSource(halted())), press=["b", *typed], terminal_size=size, run_before=shown)


def test_a_stopped_provider_that_is_to_be_asked_again(snap_compare: Callable[..., bool]) -> None:
    needs = (NeedView("provider", "openai", "provider openai stopped: no key"),)
    view = replace(LIMITS["stopped"], needs=needs)
    assert snap_compare(console(FakeSource(view)), press=["w"], terminal_size=(80, 24), run_before=shown)
