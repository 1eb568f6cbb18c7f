"""What last words mean, and until when a provider wants to be left alone."""

import time
from datetime import UTC, datetime

import pytest

from tests.agents.reading.hearing import NOON
from uet_tui.agents.reading.faults import SHARED, fault_in
from uet_tui.core.usage import Fault


def moment(*fields: int) -> float:
    return datetime(*fields, tzinfo=UTC).timestamp()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("says", "fault", "until"),
    [
        ("Rate limit reached for gpt-5. Please try again in 11.5s.", Fault.RATE_LIMIT, NOON + 11.5),
        ("RateLimitError: Please try again in 1m30s.", Fault.RATE_LIMIT, NOON + 90),
        ("API Error: Request rejected (429) · Rate limit reached", Fault.RATE_LIMIT, None),
        ("API Error: 529 Overloaded.", Fault.RATE_LIMIT, None),
        ("This request would exceed your organization's rate limit of 50,000 tokens.", Fault.RATE_LIMIT, None),
        (
            "You have reached your specified API usage limits. You will regain access on 2026-11-28 at 13:30 UTC.",
            Fault.QUOTA,
            moment(2026, 11, 28, 13, 30),
        ),
        (
            "You've hit your usage limit. Try again at Nov 29th, 2026 4:30 AM UTC.",
            Fault.QUOTA,
            moment(2026, 11, 29, 4, 30),
        ),
        ("Claude AI usage limit reached, resets 3pm (Europe/Berlin)", Fault.QUOTA, moment(2026, 11, 28, 14)),
        ("5-hour limit reached ∙ resets 11am (UTC)", Fault.QUOTA, moment(2026, 11, 29, 11)),
        ("The usage limit has been reached", Fault.QUOTA, None),
        ("You exceeded your current quota, please check your plan and billing details.", Fault.ACCOUNT, None),
        ("Your credit balance is too low to access the Anthropic API.", Fault.ACCOUNT, None),
        ("unexpected status 401 Unauthorized: Incorrect API key provided", Fault.NO_KEY, None),
        ("Not logged in · Please run /login", Fault.NO_KEY, None),
        ("This model's maximum context length is 128000 tokens.", Fault.CONTEXT, None),
        ("stop_reason refusal: I cannot help with that.", Fault.REFUSAL, None),
        ("API Error: Unable to connect to API (ConnectionRefused)", Fault.NETWORK, None),
        ("Reconnecting... waiting for network (Connection failed: error sending request)", Fault.NETWORK, None),
        ("We're currently experiencing high demand, which may cause temporary errors.", Fault.NETWORK, None),
        ("API Error: Failed to parse JSON", Fault.NETWORK, None),
        ("Selected model is at capacity. Please try a different model.", Fault.RATE_LIMIT, None),
        ("error: unexpected argument '--frobnicate' found", Fault.AGENT, None),
        ("it could not make the tests pass", None, None),
    ],
)
def test_what_providers_say_is_known(says: str, fault: Fault | None, until: float | None) -> None:
    found = fault_in(says, 1, SHARED, NOON)
    assert found == (None if fault is None else (fault, until))


def test_a_program_that_is_not_there_or_crashes_is_the_agents_own_fault() -> None:
    assert [fault_in("?", code, SHARED, NOON) for code in (127, -11, 1)] == [
        (Fault.AGENT, None),
        (Fault.AGENT, None),
        None,
    ]


@pytest.mark.parametrize(
    "says",
    [
        "usage limit, resets at 1999-01-01 00:00 UTC",
        "usage limit, resets at 9999999999999999999",
        "usage limit, resets at 2099-01-01 00:00 UTC",
        "usage limit, resets at 99:99",
        "usage limit, resets at 3pm (No/Where/../../etc)",
        "rate limit, try again in " + "9" * 300 + "s",
        "rate limit, try again in 0s",
    ],
)
def test_a_time_that_cannot_be_is_none(says: str) -> None:
    found = fault_in(says, 1, SHARED, NOON)
    assert found is not None
    assert found[1] is None or found[1] <= NOON + 86_400


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("moment", ["0001-01-01 00:00", "9999-12-31 23:59", "9999-12-31 23:59 UTC"])
def test_a_moment_that_no_clock_reaches_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, zone: str, moment: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert fault_in(f"usage limit, try again at {moment}", 1, SHARED, NOON) == (Fault.QUOTA, None)
    finally:
        monkeypatch.undo()
        time.tzset()
