"""The settings that the core decides by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run is scheduled, retried and paid for."""

    schedule: Literal["eager", "waves"] = "eager"
    overlap: Literal["serialize", "allow", "error"] = "serialize"
    retry_base_seconds: float = 2.0
    retry_max_seconds: float = 120.0
    retry_jitter: float = 0.5
    reserve_usd: float = 0.0
    """Reserved for an attempt of a workstream without `max_cost_usd`, US dollars."""
    expected: Mapping[str, float] = field(default_factory=dict)
    """How long an attempt of each workstream takes, in seconds, where that is known."""
