"""What agents use and what may go wrong with them and their providers, as values. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Usage:
    """One report of use, as an agent made it."""

    model: str = ""
    """Who answered; empty where the agent does not say."""
    tokens_in: int = 0
    """All that was read, from a cache or not."""
    tokens_out: int = 0
    """All that was written, thinking included."""
    tokens_cached: int = 0
    """How much of `tokens_in` came from a cache."""
    tokens_reasoning: int = 0
    """How much of `tokens_out` was thinking."""
    usd: float | None = None
    """What it cost, in US dollars; None: unknown, which is never taken for free."""
    estimated: bool = False
    """Whether `usd` comes from a list of prices, not from the agent."""


def known_usd(reports: Iterable[Usage]) -> float:
    """What reports cost as far as that is known, in US dollars."""
    return sum(report.usd or 0.0 for report in reports)


class Fault(StrEnum):
    """Why an agent failed where it was not the work: what a retry, a pause or the operator has to put right."""

    NO_KEY = "no key"
    """There is no key, or the provider refuses it: the operator's to settle."""
    ACCOUNT = "account"
    """The account is exhausted or closed: the operator's to settle."""
    RATE_LIMIT = "rate limit"
    """Too many requests: its provider is left alone for a while."""
    QUOTA = "quota"
    """What may be used in a period is used up: its provider is left alone until the next one."""
    CONTEXT = "context too long"
    """The prompt and what the agent read do not fit the model."""
    NETWORK = "network"
    """The provider could not be reached, or broke off."""
    REFUSAL = "refusal"
    """The model would not do it."""
    AGENT = "agent"
    """The agent itself broke: a missing program, a crash, a protocol that nobody knows."""
