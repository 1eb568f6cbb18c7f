"""The settings of `config/budget.yaml`: how much a run may spend, and what its models cost."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from uet_tui.settings.amounts import Money, PositiveSeconds
from uet_tui.settings.group import Group


class ModelPrice(Group):
    """What a model costs, in US dollars per million tokens."""

    input: Money
    output: Money
    cached: Money | None = None
    """For what is read from a cache; None: as much as other input."""


class ProviderSettings(Group):
    """How one provider of models is used."""

    concurrency: Annotated[int, Field(ge=1)] | None = None
    """How many of its agents may run at once; None is no limit."""
    pause_seconds: PositiveSeconds | None = None
    """The first pause after a rate limit, instead of `budget.pause_seconds`."""


class BudgetSettings(Group):
    """How much money a run may spend."""

    max_cost_total: Money | None
    """US dollars for the whole run; None is no limit."""
    max_cost_per_phase: Money | None
    """For the workstreams of one phase together: `metadata.phase`, else the wave."""
    max_cost_per_task: Money | None
    """For one workstream, all its attempts and what is asked about its conflicts; there the attempt is ended."""
    warning_threshold: Annotated[float, Field(gt=0, le=1)]
    """The share of `max_cost_total` at which the operator is warned; from there on it gets narrower."""
    halt_threshold: Annotated[float, Field(gt=0, le=1)]
    """The share of `max_cost_total` at which nothing starts any more."""
    reserve_usd: Money
    """Reserved for an attempt of a workstream that declares no `max_cost_usd`, until enough attempts have ended."""
    unknown_price: Literal["refuse", "allow"]
    """What becomes of workstreams, where money is limited, whose model has no known price."""
    models: Mapping[str, ModelPrice]
    """Prices by model: exact names or globs; an exact name counts before a glob, and the last glob that matches."""
    downgrade: Mapping[str, str]
    """The cheaper model that takes the place of a model when money runs short."""
    providers: Mapping[str, ProviderSettings]
    pause_seconds: PositiveSeconds
    """How long a provider is left alone after a rate limit that does not say until when; doubled for each further."""
    pause_max_seconds: PositiveSeconds
    """The longest of these pauses."""

    @model_validator(mode="after")
    def _in_order(self) -> "BudgetSettings":
        if self.warning_threshold > self.halt_threshold:
            raise ValueError("should have a warning_threshold that is not above the halt_threshold")
        return self
