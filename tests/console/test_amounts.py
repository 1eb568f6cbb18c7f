"""What money, tokens and waiting look like."""

from datetime import UTC, datetime, timedelta

import pytest

from uet_tui.console.amounts import countdown, price, tokens

NOW = datetime(2026, 3, 14, 14, 3, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("usd", "unknown", "estimated", "shown"),
    [
        (0.0, False, False, "$0.00"),
        (0.31, False, False, "$0.31"),
        (0.31, False, True, "~$0.31"),
        (0.0, True, False, "?"),
        (0.0, True, True, "?"),
        (0.31, True, False, "$0.31+?"),
        (1234.5, True, True, "~$1,234+?"),
    ],
)
def test_a_price_that_is_not_known_is_never_nothing(usd: float, unknown: bool, estimated: bool, shown: str) -> None:
    assert price(usd, unknown=unknown, estimated=estimated) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "–"),
        (1, "1"),
        (999, "999"),
        (1_000, "1.0k"),
        (9_940, "9.9k"),
        (9_960, "10k"),
        (94_400, "94k"),
        (999_400, "999k"),
        (999_900, "1.0M"),
        (41_000_000, "41M"),
        (2_000_000_000, "2.0G"),
    ],
)
def test_tokens_take_five_cells_at_most(count: int, shown: str) -> None:
    assert tokens(count) == shown
    assert len(shown) <= 5


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "now"),
        (0, "now"),
        (0.4, "00:01"),
        (9, "00:09"),
        (130, "02:10"),
        (3_730, "1:02:10"),
        (97_200, "1d 3h"),
    ],
)
def test_a_countdown(seconds: float, shown: str) -> None:
    assert countdown(NOW + timedelta(seconds=seconds), NOW) == shown
