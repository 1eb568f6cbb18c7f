"""When a run that is under way will end, from how long its workstreams took so far. Pure."""

from collections.abc import Mapping, Sequence

from uet_tui.core.records import Records
from uet_tui.core.states import WORKSTREAM_OVER, RunState, WorkstreamState

_ENDED = frozenset({WorkstreamState.MERGED, WorkstreamState.FAILED, WorkstreamState.QUARANTINED})


def ends_at(records: Records, depends_on: Mapping[str, Sequence[str]], now: float) -> float | None:
    """Seconds since the epoch, or None before anything ended and while the run does not go on.

    Every workstream is taken to last the average of those that ended. What remains cannot be done sooner than the
    workers can do it all together, nor sooner than its longest chain. Conflicts are taken to be decided at once.
    """
    run = records.run
    took = [
        ws.ended_at - ws.started_at
        for ws in records.workstreams.values()
        if ws.state in _ENDED and ws.started_at is not None and ws.ended_at is not None
    ]
    if not took or run.state not in (RunState.RUNNING, RunState.DRAINING):
        return None
    average = sum(took) / len(took)
    total = 0.0
    longest: dict[str, float] = {}
    for ws in sorted(records.workstreams.values(), key=lambda ws: ws.wave):
        if ws.state in WORKSTREAM_OVER:
            continue
        begun = ws.started_at is not None and ws.state is not WorkstreamState.PENDING
        left = max(0.0, average - (now - (ws.started_at or now))) if begun else average
        total += left
        longest[ws.id] = left + max((longest.get(other, 0.0) for other in depends_on[ws.id]), default=0.0)
    return now + max(total / run.parallelism, *longest.values(), 0.0)
