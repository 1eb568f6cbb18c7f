"""What of a run waits for the operator, most urgent first. Pure."""

from collections.abc import Iterator, Sequence

from uet_tui.core.freezing import standing_still
from uet_tui.core.records import Records
from uet_tui.core.states import RUN_OVER, WORKSTREAM_OVER, ProviderState, RunState, WorkstreamState
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import NeedView

_FROZEN = (
    "worker {0.number} is frozen with {0.workstream}, and nothing else is at work",
    "worker {0.number} is frozen: {0.workstream} cannot finish, nor the run end, before it is thawed",
)


def needs(records: Records, conflicts: Sequence[ConflictView]) -> tuple[NeedView, ...]:
    """Conflicts that wait for nobody else and were not put off, then what could be retried, let go or gone on with."""
    return tuple(_needs(records, conflicts))


def _needs(records: Records, conflicts: Sequence[ConflictView]) -> Iterator[NeedView]:
    run = records.run
    merged = sum(ws.state is WorkstreamState.MERGED for ws in records.workstreams.values())
    for conflict in conflicts:
        if conflict.needs_operator:
            reason = records.workstreams[conflict.workstream].reason
            yield NeedView("conflict", conflict.id, f"{conflict.workstream}: {reason or 'conflict ' + conflict.id}")
    for provider in records.providers.values():
        if provider.state is ProviderState.STOPPED and run.state not in RUN_OVER:
            yield NeedView("provider", provider.name, f"provider {provider.name} stopped: {provider.reason}")
    for worker in standing_still(records):
        yield NeedView("frozen", str(worker.number), _FROZEN[run.state is RunState.DRAINING].format(worker))
    for kind, state in (("quarantined", WorkstreamState.QUARANTINED), ("failed", WorkstreamState.FAILED)):
        for ws in records.workstreams.values():
            if ws.state is state and run.landed_at is None and run.state is not RunState.CANCELLED:
                yield NeedView(kind, ws.id, f"{ws.id} {kind}: {ws.reason}" if ws.reason else f"{ws.id} {kind}")
    if run.state is RunState.PAUSED:
        for ws in records.workstreams.values():
            if ws.held and ws.state not in WORKSTREAM_OVER:
                yield NeedView("held", ws.id, f"{ws.id} is held: nothing of it goes on until you let it go")
    if run.state is RunState.CANCELLED and merged:
        yield NeedView("rollback", "", f"the rollback is not done: {merged} still merged")
    if run.state is RunState.HALTED:
        yield NeedView("halted", "", run.reason or "halted by the budget: raise it and resume")
    if run.state is RunState.COMPLETED and run.landed_at is None and run.target_branch:
        yield NeedView("land", "", f"{merged} merged workstreams can land on {run.target_branch}")
