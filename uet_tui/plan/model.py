"""The typed form of a workstream and of a validated plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Kind(StrEnum):
    """What sort of work a workstream is; shown, and given to the agent."""

    DESIGN = "design"
    IMPL = "impl"
    TEST = "test"
    DOCS = "docs"
    INFRA = "infra"
    REFACTOR = "refactor"
    BACKGROUND = "background"
    SPIKE = "spike"


class Priority(StrEnum):
    """Foreground work starts before background work."""

    FOREGROUND = "foreground"
    BACKGROUND = "background"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=False)


class CircuitBreaker(_Frozen):
    """Limits of a workstream's retries."""

    max_attempts: Annotated[int, Field(ge=1)] = 3
    max_error_repeats: Annotated[int, Field(ge=0)] = 2
    """How often the same error signature may come again before the workstream is quarantined."""
    oscillation_threshold: Annotated[int, Field(ge=0)] = 2
    """How often the same diff may come again before the workstream is quarantined."""


class TestGate(_Frozen):
    """A gate that must hold before the workstream is merged."""

    __test__ = False  # pytest would collect it by its name

    type: Literal["GATE_LINT", "GATE_UNIT", "GATE_INTEGRATION", "GATE_SECURITY"]
    required: bool = True
    blocking: bool = True


class Workstream(_Frozen):
    """One piece of work, as its bundle declares it."""

    id: Annotated[str, Field(pattern=r"^ws-[a-z0-9-]+$", max_length=80)]
    openspec_change: str
    ccpm_issue: int | str
    gate: Annotated[int, Field(ge=1)]
    files_scope: Annotated[tuple[str, ...], Field(min_length=1)]
    files_create: tuple[str, ...] = ()
    tasks: tuple[str, ...]
    acceptance_tests: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    tool: str
    capability: str | None = None
    capability_payload: Mapping[str, Any] = Field(default_factory=dict)  # Any: free JSON of the capability
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    metadata: Mapping[str, Any] = Field(default_factory=dict)  # Any: free JSON of the plan's author
    parallel_ok: bool = True
    conflict_group: str | None = None
    kind: Kind = Kind.IMPL
    priority: Priority = Priority.FOREGROUND
    estimated_context_tokens: Annotated[int, Field(ge=0)] | None = None
    max_cost_usd: Money | None = None
    compensation_actions: tuple[str, ...] = ()
    test_gates: tuple[TestGate, ...] = ()
    estimated_seconds: Positive | None = None
    timeout: Positive | None = None
    """Seconds after which an attempt is ended; None takes the setting `timeout_seconds`."""

    @property
    def write_scope(self) -> tuple[str, ...]:
        """All paths it may write: `files_scope` and `files_create`."""
        return self.files_scope + self.files_create


@dataclass(frozen=True, slots=True)
class Problem:
    """One error or warning about a plan or a configuration file, with its place."""

    file: str
    """The path as the operator wrote it; empty where no file is to blame."""
    line: int
    """1-based; 0 where no line is to blame."""
    message: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return place + self.message


@dataclass(frozen=True, slots=True)
class Bundle:
    """A workstream together with where it was read, so that errors can point there."""

    workstream: Workstream
    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A validated set of workstreams with all that follows from it alone. Same input, same plan, on every machine."""

    workstreams: Mapping[str, Workstream]
    """By id, in id order."""
    dependents: Mapping[str, tuple[str, ...]]
    """Who depends directly on each."""
    waves: tuple[tuple[str, ...], ...]
    """Layers of the dependency graph; a workstream is in the first layer after all it depends on."""
    critical_path: tuple[str, ...]
    """The longest chain by duration, first to last; ties by id."""
    remaining: Mapping[str, float]
    """Longest path from each workstream to an end, its own duration included: the scheduling priority."""
    unblocks: Mapping[str, int]
    """How many workstreams wait for each, directly or not: the merge priority."""
    bottlenecks: tuple[str, ...]
    """Workstreams that many wait for or that run alone, worst first."""

    @property
    def wave_of(self) -> Mapping[str, int]:
        """The 1-based wave of each workstream."""
        return {ws: number for number, wave in enumerate(self.waves, start=1) for ws in wave}


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """What a number of workers would make of a plan."""

    workers: int
    seconds: float
    speedup: float
    """Sum of all durations over `seconds`."""
