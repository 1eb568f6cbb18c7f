"""What a plan would take with so many workers: the machine itself, driven by a clock of its own."""

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Literal

from uet_tui.core.beginning import first_records
from uet_tui.core.effects import Collect, Merge, SpawnWorker, StartAttempt
from uet_tui.core.events import AttemptEnded, Began, Collected, Event, Merged, Ticked, WorkerReady
from uet_tui.core.machine import Machine
from uet_tui.core.policy import Policy
from uet_tui.core.records import RunRecord
from uet_tui.core.states import RUN_OVER, AttemptState
from uet_tui.plan.model import ForecastRow, Plan


def forecast(
    plan: Plan,
    workers: Sequence[int],
    *,
    schedule: Literal["eager", "waves"] = "eager",
    overlap: Literal["serialize", "allow", "error"] = "serialize",
    default_seconds: float = 1.0,
    learned: Mapping[str, float] | None = None,
) -> tuple[ForecastRow, ...]:
    """Wall time and speedup for each number of workers.

    Args:
        plan: a valid plan.
        workers: the numbers of workers to try.
        schedule: as in the settings.
        overlap: as in the settings.
        default_seconds: duration of a workstream without `estimated_seconds`; 1.0 counts in units.
        learned: measured durations in seconds, by workstream, that replace the declared ones.
    """
    durations = {
        ws.id: (learned or {}).get(ws.id) or ws.estimated_seconds or default_seconds for ws in plan.workstreams.values()
    }
    total = sum(durations.values())
    policy = Policy(schedule=schedule, overlap=overlap, expected=durations)
    rows = []
    for count in workers:
        seconds = simulate(plan, policy, count)
        rows.append(ForecastRow(count, seconds, total / seconds if seconds else 1.0))
    return tuple(rows)


def simulate(plan: Plan, policy: Policy, workers: int) -> float:
    """Wall time in seconds if every attempt takes what the policy expects and every merge is clean and free."""
    run = RunRecord("forecast", "forecast", policy.schedule, workers, "base", "base", None, 0.0)
    agents = dict.fromkeys(plan.workstreams, "none")
    machine = Machine(plan, policy, first_records(run, plan, agents, {}))
    clock = 0.0
    ends: list[tuple[float, str, int]] = []
    waiting: list[Event] = [Began()]
    while True:
        while waiting:
            for effect in machine.step(waiting.pop(), clock).effects:
                if isinstance(effect, StartAttempt):
                    heappush(ends, (clock + policy.expected[effect.workstream], effect.workstream, effect.attempt))
                elif isinstance(effect, Collect):
                    waiting.append(Collected(effect.workstream, effect.attempt, "c", "t"))
                elif isinstance(effect, Merge):
                    waiting.extend(Merged(entry.workstream, "tip") for entry in reversed(effect.entries))
                elif isinstance(effect, SpawnWorker):
                    waiting.append(WorkerReady(effect.worker))
        if run.state in RUN_OVER or not ends:
            return clock
        wakeup = machine.next_wakeup()
        if wakeup is not None and wakeup < ends[0][0]:
            clock = wakeup
            waiting.append(Ticked())
            continue
        clock, id, attempt = heappop(ends)
        waiting.append(AttemptEnded(id, attempt, AttemptState.SUCCEEDED))
