"""What a step changed, as the store writes it: records that are new or other now, and rows that are only ever added.

Times are seconds since the epoch (UTC), money is US dollars.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from uet_tui.core.records import (
    AttemptRecord,
    ConflictRecord,
    GateEntry,
    PairRecord,
    ProviderRecord,
    RunRecord,
    WorkerRecord,
    WorkstreamRecord,
)


class NewEvent(NamedTuple):
    """Something that happened, before the store gave it an id."""

    time: float
    type: str
    """A snake_case word of `core/vocabulary.py`."""
    text: str
    """One harmless line for the operator."""
    severity: str = "info"
    workstream: str | None = None
    worker: int | None = None
    attempt: int | None = None
    data: Mapping[str, object] = MappingProxyType({})


class CostEntry(NamedTuple):
    """One report of use, by an attempt or by an agent that was asked about a conflict."""

    time: float
    workstream: str
    attempt: int
    agent: str
    model: str
    usd: float
    """0 where the price is not known."""
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    estimated: bool = False
    """Whether `usd` comes from a list of prices, not from the agent."""
    priced: bool = True
    """False: nobody knows what it cost."""
    conflict: str = ""
    """The conflict that the agent was asked about; empty for an attempt."""
    ask: int = 0
    number: int = 1
    """Its place among the reports of its attempt or ask."""
    provider: str = ""


@dataclass(slots=True)
class Changes:
    """What a step changed: the rows to write, in one transaction with the events that tell of it."""

    run: RunRecord | None = None
    workstreams: dict[str, WorkstreamRecord] = field(default_factory=dict)
    attempts: dict[tuple[str, int], AttemptRecord] = field(default_factory=dict)
    workers: dict[int, WorkerRecord] = field(default_factory=dict)
    conflicts: dict[str, ConflictRecord] = field(default_factory=dict)
    events: list[NewEvent] = field(default_factory=list)
    costs: list[CostEntry] = field(default_factory=list)
    gates: list[GateEntry] = field(default_factory=list)
    pairs: dict[tuple[str, str], PairRecord | None] = field(default_factory=dict)
    """None: the pair is clean now."""
    providers: dict[str, ProviderRecord] = field(default_factory=dict)

    def add(self, later: "Changes") -> None:
        """Takes in the changes of a later step."""
        self.run = later.run or self.run
        self.workstreams.update(later.workstreams)
        self.attempts.update(later.attempts)
        self.workers.update(later.workers)
        self.conflicts.update(later.conflicts)
        self.events += later.events
        self.costs += later.costs
        self.gates += later.gates
        self.pairs.update(later.pairs)
        self.providers.update(later.providers)

    def __bool__(self) -> bool:
        return bool(
            self.run
            or self.workstreams
            or self.attempts
            or self.workers
            or self.conflicts
            or self.events
            or self.costs
            or self.gates
            or self.pairs
            or self.providers
        )
