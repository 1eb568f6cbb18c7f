"""The settings that the core decides by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Resolve = Literal["ask", "auto", "never"]
"""What becomes of a machine's resolution: it waits for the operator, is merged if it holds, or is not made."""


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
    batch: int = 4
    """How many entries of the merge queue are gated together, at most."""
    patience: int = 8
    """How many merges may overtake an entry of the merge queue before it goes first."""
    resolve: Resolve = "ask"
    resolve_paths: Mapping[str, Resolve] = field(default_factory=dict)
    """The same for paths that match a glob; the last that matches counts."""
    resolver: Mapping[str, str] = field(default_factory=dict)
    """The agent that is asked to resolve a conflict of each workstream; one that is not here has none."""
    expected: Mapping[str, float] = field(default_factory=dict)
    """How long an attempt of each workstream takes, in seconds, where that is known."""
