"""The typed form of a workstream and of a validated plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from uet_tui.plan.documents import Node

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
MOST_USD: Final = 1e12
"""No amount of money is that large, in US dollars: what adds up must stay a number."""
Money = Annotated[float, Field(ge=0, lt=MOST_USD, allow_inf_nan=False)]


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
    model_config = ConfigDict(frozen=True, extra="ignore", strict=False, use_attribute_docstrings=True)


class CircuitBreaker(_Frozen):
    """Limits of a workstream's retries."""

    max_attempts: Annotated[int, Field(ge=1)] = 3
    """How often the workstream is tried at most."""
    max_error_repeats: Annotated[int, Field(ge=0)] = 2
    """How often the same error signature may come again before the workstream is quarantined."""
    oscillation_threshold: Annotated[int, Field(ge=0)] = 2
    """How often the same diff may come again before the workstream is quarantined."""


GateKind = Literal["GATE_LINT", "GATE_UNIT", "GATE_INTEGRATION", "GATE_SECURITY"]
"""What there are gates for."""


class TestGate(_Frozen):
    """A gate that must hold before the workstream is merged."""

    __test__ = False  # pytest would collect it by its name

    type: Annotated[GateKind, Field(examples=["GATE_UNIT"])]
    """Which of the configured gates it is."""
    required: bool = True
    """Whether the workstream cannot be merged without it."""
    blocking: bool = True
    """Whether a failure ends the attempt at once; else it is a warning."""


class Workstream(_Frozen):
    """One piece of work, as its bundle declares it."""

    id: Annotated[str, Field(pattern=r"^ws-[a-z0-9-]+$", max_length=80, examples=["ws-parser"])]
    """Its name, unique in the plan; also the name of its branch."""
    openspec_change: Annotated[str, Field(examples=["OS-010"])]
    """The change proposal that it carries out, for the record and the prompt."""
    ccpm_issue: Annotated[int | str, Field(examples=[2001])]
    """The issue that it belongs to, for the record and the prompt."""
    gate: Annotated[int, Field(ge=1, examples=[1])]
    """The level of approval that its change proposal needs."""
    files_scope: Annotated[tuple[str, ...], Field(min_length=1, examples=[["src/parser/"]])]
    """What it may change: files, directories and globs (`*`, `?`, `[a-z]`, `**`), relative to the repository."""
    files_create: tuple[str, ...] = ()
    """What it may create besides, written like `files_scope`."""
    tasks: Annotated[tuple[str, ...], Field(examples=[["Write the parser"]])]
    """What there is to do, one task an entry; for the agent `shell` they are the script."""
    acceptance_tests: tuple[str, ...] = ()
    """Commands or prose that say when it is done."""
    depends_on: tuple[str, ...] = ()
    """Ids of the workstreams that must be merged before it starts."""
    tool: Annotated[str, Field(examples=["shell"])]
    """The agent that does it: a name in `config/agents.yaml`."""
    capability: str | None = None
    """What the agent must be able to do; goes before `tool` where an agent offers it."""
    capability_payload: Mapping[str, Any] = Field(default_factory=dict)  # Any: free JSON of the capability
    """What the capability needs to know."""
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    """When to stop trying."""
    metadata: Mapping[str, Any] = Field(default_factory=dict)  # Any: free JSON of the plan's author
    """Notes of the plan's author: owner, phase, anything."""
    parallel_ok: bool = True
    """False: nothing else runs while it runs."""
    conflict_group: str | None = None
    """Workstreams of one group never run at the same time."""
    kind: Kind = Kind.IMPL
    """What sort of work it is."""
    priority: Priority = Priority.FOREGROUND
    """Which goes first where both could start."""
    estimated_context_tokens: Annotated[int, Field(ge=0)] | None = None
    """How many tokens of context it is thought to need."""
    max_cost_usd: Money | None = None
    """The most that one attempt may cost, in US dollars: what is reserved before it starts."""
    compensation_actions: tuple[str, ...] = ()
    """Shell commands that undo what merging it set off, run by a rollback."""
    test_gates: tuple[TestGate, ...] = ()
    """The gates that must hold before it is merged."""
    estimated_seconds: Positive | None = None
    """How long it is thought to take, in seconds; without it, it counts as one unit."""
    timeout: Positive | None = None
    """Seconds after which an attempt is ended; without it, the setting `timeout_seconds` holds."""

    @property
    def write_scope(self) -> tuple[str, ...]:
        """All paths it may write: `files_scope` and `files_create`."""
        return self.files_scope + self.files_create

    @property
    def phase(self) -> str:
        """The phase that its author put it in, `metadata.phase`; empty where it goes by its wave."""
        phase = self.metadata.get("phase")
        return str(phase) if isinstance(phase, str | int) and not isinstance(phase, bool) else ""


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
    source: Node | None = field(default=None, compare=False, repr=False)
    """What was written, for the lines of what is inside; paths in `workstream` are in their one spelling."""

    def line_of(self, *place: str | int) -> int:
        """The line of what is at `place` in it, such as `"depends_on", 0`; the nearest one around it, if unknown."""
        return self.source.line_of(*place) if self.source else self.line


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
