"""How fast the core plans, schedules and takes events, without any I/O.

A random graph of workstreams (three dependencies on average, one file each over forty directories) is planned,
scheduled up to its first attempts, and driven to its end. Beside it, in the same run, stands the least that any
scheduler must do: a heap of what is ready and a count of what each still waits for.
"""

import argparse
import gc
import heapq
import json
import random
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from uet_tui.core.beginning import first_records
from uet_tui.core.effects import Collect, Effect, Merge, StartAttempt
from uet_tui.core.events import AttemptEnded, AttemptStarted, Began, Collected, Event, Merged, WorkerReady
from uet_tui.core.machine import Machine
from uet_tui.core.policy import Policy
from uet_tui.core.records import RunRecord
from uet_tui.core.states import AttemptState, RunState
from uet_tui.core.usage import Usage
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Plan, Workstream

GOAL_START_MS = 250.0
GOAL_EVENT_US = 20.0
DIRECTORIES = 40
DEPENDENCIES = 6
"""At most so many, three on average."""
WORKERS = 8


@dataclass(frozen=True)
class Figures:
    """What was measured; medians."""

    workstreams: int
    rounds: int
    plan_ms: float
    schedule_ms: float
    start_ms: float
    """Planned and scheduled: from the workstreams to the first attempts."""
    events: int
    event_us: float
    """Over the whole life of the run."""
    bare_start_ms: float
    bare_event_us: float
    start_goal_ms: float = GOAL_START_MS
    event_goal_us: float = GOAL_EVENT_US

    @property
    def met(self) -> bool:
        """Whether both goals are reached."""
        return self.start_ms < self.start_goal_ms and self.event_us < self.event_goal_us


def graph(count: int, seed: int = 7) -> list[Workstream]:
    """Workstreams that depend on others before them."""
    draw = random.Random(seed)
    ids = [f"ws-{number:05}" for number in range(count)]
    return [
        Workstream(
            id=id,
            openspec_change="OS-1",
            ccpm_issue=number,
            gate=1,
            files_scope=(f"src/part{draw.randrange(DIRECTORIES):02}/{id}.py",),
            tasks=("true",),
            tool="shell",
            depends_on=tuple(draw.sample(ids[:number], min(number, draw.randint(0, DEPENDENCIES)))),
            estimated_seconds=draw.uniform(10.0, 600.0),
        )
        for number, id in enumerate(ids)
    ]


def started(plan: Plan, workers: int) -> tuple[Machine, list[Effect]]:
    """A run that has begun and whose workers are ready."""
    run = RunRecord("bench", "bench", "eager", workers, "base", "base", "main", 0.0)
    records = first_records(run, plan, dict.fromkeys(plan.workstreams, "shell"), {})
    machine = Machine(plan, Policy(), records)
    machine.step(Began(), 0.0)
    effects: list[Effect] = []
    for number in range(1, workers + 1):
        effects += machine.step(WorkerReady(number), 0.0).effects
    return machine, effects


def events(plan: Plan) -> dict[tuple[type[Effect], str], list[Event]]:
    """What follows each effect on each workstream; made beforehand, because that is not the core's work."""
    made: dict[tuple[type[Effect], str], list[Event]] = {}
    for id in plan.workstreams:
        ended = AttemptEnded(id, 1, AttemptState.SUCCEEDED, 0, "", (Usage("", 100, 10, usd=0.01),))
        made[StartAttempt, id] = [AttemptStarted(id, 1), ended]
        made[Collect, id] = [Collected(id, 1, f"commit-{id}", f"tree-{id}")]
        made[Merge, id] = [Merged(id, f"tip-{id}")]
    return made


def live(
    machine: Machine, effects: Sequence[Effect], following: Mapping[tuple[type[Effect], str], list[Event]]
) -> None:
    """Drives a run to its end, with four events a workstream."""
    waiting: deque[Event] = deque()
    clock = 0.0
    while True:
        for effect in effects:
            if isinstance(effect, StartAttempt | Collect):
                waiting.extend(following[type(effect), effect.workstream])
            elif isinstance(effect, Merge):
                for entry in effect.entries:
                    waiting.extend(following[Merge, entry.workstream])
        if not waiting:
            break
        clock += 1.0
        effects = machine.step(waiting.popleft(), clock).effects
    if machine.board.records.run.state is not RunState.COMPLETED:
        raise RuntimeError(f"the run ended {machine.board.records.run.state}: {machine.board.records.run.reason}")


class Bare:
    """The least that a scheduler of a graph must do."""

    def __init__(self, workstreams: list[Workstream]) -> None:
        self.unmet = {ws.id: len(ws.depends_on) for ws in workstreams}
        self.dependents: dict[str, list[str]] = {ws.id: [] for ws in workstreams}
        for ws in workstreams:
            for dependency in ws.depends_on:
                self.dependents[dependency].append(ws.id)
        self.ready = [id for id, count in self.unmet.items() if not count]
        heapq.heapify(self.ready)

    def drive(self) -> None:
        """Takes one after the other in order."""
        while self.ready:
            id = heapq.heappop(self.ready)
            for dependent in self.dependents[id]:
                self.unmet[dependent] -= 1
                if not self.unmet[dependent]:
                    heapq.heappush(self.ready, dependent)


@contextmanager
def timed(into: list[float], share: int = 1) -> Iterator[None]:
    """Notes the CPU time of something in seconds, from a heap without garbage, divided by `share`.

    CPU time, because nothing here waits: what other programs take of the machine is left out.
    """
    gc.collect()
    before = time.process_time()
    yield
    into.append((time.process_time() - before) / share)


def measure(count: int, rounds: int) -> Figures:
    """Every figure once a round, in turn, so that what else the machine does disturbs all alike."""
    workstreams = graph(count)
    plans, schedules, lives = list[float](), list[float](), list[float]()
    bare_starts, bare_lives = list[float](), list[float]()
    for _ in range(rounds):
        with timed(bare_starts):
            bare = Bare(workstreams)
        with timed(bare_lives, count):
            bare.drive()
        with timed(plans):
            plan = build_plan(workstreams)
        with timed(schedules):
            machine, effects = started(plan, WORKERS)
        following = events(plan)
        with timed(lives, 4 * count):
            live(machine, effects, following)
    both = [a + b for a, b in zip(plans, schedules, strict=True)]
    return Figures(
        workstreams=count,
        rounds=rounds,
        plan_ms=statistics.median(plans) * 1e3,
        schedule_ms=statistics.median(schedules) * 1e3,
        start_ms=statistics.median(both) * 1e3,
        events=4 * count,
        event_us=statistics.median(lives) * 1e6,
        bare_start_ms=statistics.median(bare_starts) * 1e3,
        bare_event_us=statistics.median(bare_lives) * 1e6,
    )


def told(figures: Figures) -> str:
    """The figures for a reader."""

    def verdict(value: float, goal: float) -> str:
        return "met" if value < goal else "NOT met"

    f = figures
    return "\n".join(
        [
            f"{f.workstreams:,} workstreams, {WORKERS} workers, medians of {f.rounds}, CPU time",
            f"  planned                 {f.plan_ms:8.1f} ms",
            f"  scheduled               {f.schedule_ms:8.1f} ms",
            f"  planned and scheduled   {f.start_ms:8.1f} ms   goal < {f.start_goal_ms:.0f} ms: "
            + verdict(f.start_ms, f.start_goal_ms),
            f"  bare heap, made         {f.bare_start_ms:8.1f} ms   ratio {f.start_ms / f.bare_start_ms:.1f}",
            f"  an event of {f.events:,}      {f.event_us:8.2f} us   goal < {f.event_goal_us:.0f} us: "
            + verdict(f.event_us, f.event_goal_us),
            f"  bare heap, a workstream {f.bare_event_us:8.2f} us   ratio {f.event_us / f.bare_event_us:.1f} an event, "
            f"{f.event_us * f.events / f.workstreams / f.bare_event_us:.1f} a workstream",
        ]
    )


def main() -> int:
    """Measures and prints; exit code 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workstreams", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = measure(asked.workstreams, asked.rounds)
    print(json.dumps(asdict(figures) | {"met": figures.met}) if asked.json else told(figures))
    return 0 if figures.met else 1


if __name__ == "__main__":
    sys.exit(main())
