"""How good estimates of tokens were, and what they are multiplied by: learned from what was really used. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

REMEMBERED = 20
"""Attempts that are learned from: agents and their models change."""
_NEWEST = 3
"""Attempts that say how good estimates are now."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """One attempt that was estimated and is over."""

    agent: str
    model: str
    counted: int
    """Tokens of its prompt and the files it was given or was to read."""
    estimated: int
    """How many tokens it was thought to read: what was counted, times the factor that was known then."""
    used: int
    """Tokens that it did read, as it says: each request reads all before it again, so this is a multiple."""


@dataclass(frozen=True, slots=True)
class Factor:
    """What counted tokens are multiplied by."""

    value: float = 1.0
    error: float | None = None
    """How far off it was in the attempts that it comes from: the median, as a share; None with fewer than two."""
    attempts: int = 0
    """How many it was learned from."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good the estimates of one agent with one model were."""

    agent: str
    model: str
    attempts: int
    counted: int
    estimated: int
    used: int
    """Tokens of all these attempts together."""
    factor: Factor
    """What the next estimate is made with."""
    error: float
    """How far estimates were off from use: the median, as a share of use."""
    newest_error: float
    """The same of the newest three attempts: how good estimates are by now."""


def learned(attempts: Iterable[Estimated]) -> Factor:
    """The factor that attempts of one agent and model teach, oldest first: the median of the newest twenty.

    A median, since a few attempts always go round in circles, or end at once.
    """
    ratios = [one.used / one.counted for one in attempts if one.counted > 0 and one.used > 0][-REMEMBERED:]
    if not ratios:
        return Factor()
    value = median(ratios)
    error = median(abs(value - ratio) / ratio for ratio in ratios) if len(ratios) > 1 else None
    return Factor(value, error, len(ratios))


def estimate(counted: int, factor: Factor) -> int:
    """How many tokens an attempt will read whose prompt and files have so many."""
    return math.ceil(counted * factor.value)


def accuracy(attempts: Iterable[Estimated]) -> tuple[Accuracy, ...]:
    """How good estimates were, for each agent and model, in the order of their names; attempts oldest first."""
    of: dict[tuple[str, str], list[Estimated]] = {}
    for one in attempts:
        if one.counted > 0 and one.used > 0:
            of.setdefault((one.agent, one.model), []).append(one)
    return tuple(_accuracy(agent, model, found) for (agent, model), found in sorted(of.items()))


def _accuracy(agent: str, model: str, found: Sequence[Estimated]) -> Accuracy:
    errors = [abs(one.estimated - one.used) / one.used for one in found]
    return Accuracy(
        agent,
        model,
        len(found),
        sum(one.counted for one in found),
        sum(one.estimated for one in found),
        sum(one.used for one in found),
        learned(found),
        median(errors),
        median(errors[-_NEWEST:]),
    )
