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
    """Reserved for an attempt of a workstream without `max_cost_usd`, US dollars, until enough of its kind ended."""
    warning_threshold: float = 0.9
    """The share of the budget at which the operator is warned."""
    halt_threshold: float = 1.0
    """The share of the budget at which nothing starts any more."""
    free: frozenset[str] = frozenset()
    """Agents that cost no money: they use no model, or are metered in tokens."""
    unpriced: frozenset[tuple[str, str]] = frozenset()
    """Agents and models that are not started where money is limited, since nobody knows what they cost."""
    refuse_unknown: bool = False
    """Whether the same goes for those that turn out to report what nobody can price."""
    models: Mapping[str, str] = field(default_factory=dict)
    """The model of each agent; one that is not here chooses itself."""
    downgrade: Mapping[str, str] = field(default_factory=dict)
    """The cheaper model that takes the place of a model when money runs short."""
    provider_of: Mapping[str, str] = field(default_factory=dict)
    """Whose quota each agent uses; one that is not here is its own provider."""
    concurrency: Mapping[str, int] = field(default_factory=dict)
    """How many agents of each provider may run at once; one that is not here has no limit."""
    pause_seconds: float = 30.0
    """The first pause after a rate limit that does not say until when; doubled for each further one."""
    pause_max_seconds: float = 3600.0
    pauses: Mapping[str, float] = field(default_factory=dict)
    """The first pause of a provider, instead of `pause_seconds`."""
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
