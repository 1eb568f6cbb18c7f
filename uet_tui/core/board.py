"""The records of a run together with the indexes that make decisions fast.

Every change of state goes through the `move_*` methods here: they check the transition table, keep the indexes true
and mark what is to be written. The functions that decide live beside it: `scheduling` and `ending` say what goes on by
itself, `attempts`, `merges`, `failing` and `workers` what follows from what happened, `steering` and `deciding` what
the operator wants.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

from uet_tui.core import vocabulary
from uet_tui.core.beginning import fill_in
from uet_tui.core.effects import Effect
from uet_tui.core.journal import Journal
from uet_tui.core.policy import Policy
from uet_tui.core.purse import Purse
from uet_tui.core.queue import MergeQueue
from uet_tui.core.records import AttemptRecord, ConflictRecord, Records, WorkerRecord, WorkstreamRecord
from uet_tui.core.states import (
    ATTEMPT_TRANSITIONS,
    CONFLICT_TRANSITIONS,
    RUN_TRANSITIONS,
    WORKER_TRANSITIONS,
    WORKSTREAM_ACTIVE,
    WORKSTREAM_FORECAST,
    WORKSTREAM_OVER,
    WORKSTREAM_TRANSITIONS,
    AttemptState,
    ConflictState,
    RunState,
    WorkerState,
    WorkstreamState,
)
from uet_tui.plan.model import Plan, Priority
from uet_tui.plan.scopes import ScopeLedger

WAVE = "wave barrier"
BUDGET = "budget"
"""Keys under which workstreams are parked that wait for no particular other one."""
HELD = "held by the operator"
"""The reason of what is neither started nor merged until the operator lets go."""

_TURN = {
    RunState.PAUSED: "the run is paused",
    RunState.DRAINING: "the run drains",
    RunState.HALTED: "the run is halted",
}
"""What a ready workstream waits for where the run starts nothing."""


@dataclass(frozen=True, slots=True)
class Landing:
    """The landing in progress."""

    target: str
    asked: list[str]
    """The ids of the commands that wait for it; none where a rollback wanted it."""


class Board(Journal):
    """The state of one run, and what follows from it."""

    def __init__(self, plan: Plan, policy: Policy, records: Records) -> None:
        super().__init__(records)
        fill_in(records, policy)
        self.plan = plan
        self.policy = policy
        self.begun = False
        """Whether an orchestrator has taken the run; until then events only put on record what happened meanwhile."""
        self.dispatching = True
        self.lingering = False
        self.stopping = False
        self.landing: Landing | None = None
        self.rollback: list[str] | None = None
        """The ids of the commands that wait for the rollback in progress."""
        self.effects: list[Effect] = []
        self.active: set[str] = set()
        self.over = 0
        self.left = [len(wave) for wave in plan.waves]
        """How many of each wave are not over."""
        self.unmet: dict[str, int] = {}
        self.ready: list[tuple[int, float, str]] = []
        self.ready_ids: set[str] = set()
        self.parked: dict[str, list[str]] = {}
        self.timers: list[tuple[float, str]] = []
        self.queue = MergeQueue(plan, records, policy.patience)
        self.merging: set[str] = set()
        """Who of the batch under way has not come back."""
        self.batch: list[str] = []
        """Who was taken from the merge queue together, the last time; in order."""
        self.groups: dict[str, set[str]] = {}
        """Who holds each group: one, and those whose resolution merges meanwhile."""
        self.alone: set[str] = set()
        """Who runs alone: one, and those whose resolution merges meanwhile."""
        self.wave = 0
        """The wave whose barrier is open, under `schedule: waves`."""
        self.hold_until: float | None = None
        """Until when a free worker is kept for a workstream that is about to become ready."""
        self.purse = Purse(plan, records)
        self.ledger = ScopeLedger()
        self.free: list[int] = []
        self.left_ready: set[str] = set()
        """Those that were ready when the run was halted, and could not start all the same."""
        self.spawning: set[int] = set()
        """Workers whose sandbox is being made, whether or not they are still wanted."""
        self.broken = ""
        """Why a sandbox could not be made, the last time."""
        self.rank = {id: self._rank(id) for id in plan.workstreams}
        """The order of starting: foreground first, then the longest remaining path, then id; lower starts first."""
        self._index()

    def _index(self) -> None:
        rows = self.records.workstreams
        self.unmet = dict.fromkeys(rows, 0)
        for id, dependents in self.plan.dependents.items():
            if rows[id].state is not WorkstreamState.MERGED:
                for dependent in dependents:
                    self.unmet[dependent] += 1
        for id, row in rows.items():
            if row.state in WORKSTREAM_ACTIVE:
                self._hold(id)
            elif row.state in WORKSTREAM_OVER:
                self._count(row, 1)
            if row.state is WorkstreamState.QUEUED:
                self.queue.add(row)
            elif row.state is WorkstreamState.MERGING:
                self.merging.add(id)
            elif row.state is WorkstreamState.PENDING:
                self.wait_for_turn(id)
        self.batch = sorted(self.merging, key=lambda id: self.queue.place(rows[id]))
        for worker in self.records.workers.values():
            if worker.state is WorkerState.IDLE:
                heappush(self.free, worker.number)

    # Transitions

    def move_run(self, state: RunState, reason: str = "") -> None:
        """Moves the run."""
        run = self.records.run
        if run.state is not state:
            self.stories.go_on(RUN_TRANSITIONS[run.state], ("run", run.id), run.state, state)
            self.tell(
                vocabulary.RUN_STATE_CHANGED,
                f"run {state.value.lower()}" + (f": {reason}" if reason else ""),
                severity="warning" if state in (RunState.FAILED, RunState.HALTED) else "info",
                old=run.state.value,
                new=state.value,
            )
            run.state = state
            for id in sorted(self.ready_ids):
                self.why(self.records.workstreams[id], self._turn())
        run.reason = reason
        self.touch_run()

    def move_workstream(self, record: WorkstreamRecord, state: WorkstreamState, reason: str = "") -> None:
        """Moves a workstream, and what it holds: its scope, its group, its place among those that are over."""
        old = record.state
        self.stories.go_on(WORKSTREAM_TRANSITIONS[old], record.id, old, state)
        record.state, record.reason = state, reason
        self.touch_workstream(record)
        if old is WorkstreamState.QUEUED and state is not WorkstreamState.MERGING:
            self.queue.discard(record.id)  # what merges was taken out
        if self.records.pairs and state not in WORKSTREAM_FORECAST:
            self._forget_pairs(record.id)
        if state in WORKSTREAM_ACTIVE:
            if old not in WORKSTREAM_ACTIVE:
                self._hold(record.id)
        elif old in WORKSTREAM_ACTIVE:
            self._release(record.id)
        if state in WORKSTREAM_OVER:
            record.ended_at = self.now
            self.ready_ids.discard(record.id)
            if old not in WORKSTREAM_OVER:
                self._count(record, 1)
        elif old in WORKSTREAM_OVER:
            record.ended_at = None
            self._count(record, -1)

    def move_attempt(self, record: AttemptRecord, state: AttemptState) -> None:
        """Moves an attempt."""
        thing = (record.workstream, record.number)
        self.stories.go_on(ATTEMPT_TRANSITIONS[record.state], thing, record.state, state)
        record.state = state
        self.touch_attempt(record)

    def move_worker(self, record: WorkerRecord, state: WorkerState) -> None:
        """Moves a worker."""
        if record.state is state:
            return
        self.stories.go_on(WORKER_TRANSITIONS[record.state], record.number, record.state, state)
        record.state = state
        record.since = self.now
        if state is WorkerState.IDLE:
            heappush(self.free, record.number)
        self.touch_worker(record)

    def move_conflict(self, record: ConflictRecord, state: ConflictState) -> None:
        """Moves a conflict."""
        self.stories.go_on(CONFLICT_TRANSITIONS[record.state], ("conflict", record.id), record.state, state)
        record.state = state
        if state not in (ConflictState.PENDING, ConflictState.PROPOSED):
            record.closed_at = self.now
        self.touch_conflict(record)

    # Holding and waiting

    def _forget_pairs(self, id: str) -> None:
        """Takes what was forecast of a workstream off the record: nothing of it is left to be merged."""
        for pair in [pair for pair in self.records.pairs if id in pair]:
            del self.records.pairs[pair]
            self.changes.pairs[pair] = None

    def _count(self, record: WorkstreamRecord, over: int) -> None:
        self.over += over
        self.left[record.wave - 1] -= over

    def _hold(self, id: str) -> None:
        ws = self.plan.workstreams[id]
        self.active.add(id)
        if self.policy.overlap == "serialize":
            self.ledger.acquire(id, ws.write_scope)
        if ws.conflict_group:
            self.groups.setdefault(ws.conflict_group, set()).add(id)
        if not ws.parallel_ok:
            self.alone.add(id)

    def _release(self, id: str) -> None:
        ws = self.plan.workstreams[id]
        self.active.discard(id)
        if self.policy.overlap == "serialize":
            self.ledger.release(id)
        if ws.conflict_group:
            self.groups[ws.conflict_group].discard(id)
        self.alone.discard(id)
        self.unpark(id)

    def park(self, id: str, holder: str) -> None:
        """Puts a ready workstream aside until `holder` lets go."""
        self.parked.setdefault(holder, []).append(id)

    def unpark(self, holder: str) -> None:
        """Makes those that waited for `holder` ready again."""
        for id in self.parked.pop(holder, ()):
            self.wait_for_turn(id)

    def wait_for_turn(self, id: str) -> None:
        """Puts a PENDING workstream where it belongs: behind its dependencies, its retry time, or among the ready."""
        record = self.records.workstreams[id]
        if record.state is not WorkstreamState.PENDING or id in self.ready_ids:
            return
        if record.held:
            self.why(record, HELD)
        elif self.unmet[id]:
            self.why(record, self._dependency_reason(id))
        elif record.retry_at is not None and record.retry_at > self.now:
            heappush(self.timers, (record.retry_at, id))
        else:
            heappush(self.ready, self.rank[id])
            self.ready_ids.add(id)
            self.why(record, self._turn())

    def _turn(self) -> str:
        return _TURN.get(self.records.run.state, "waits for a free worker")

    def _rank(self, id: str) -> tuple[int, float, str]:
        background = self.plan.workstreams[id].priority is Priority.BACKGROUND
        return (int(background), -self.plan.remaining[id], id)

    def _dependency_reason(self, id: str) -> str:
        rows = self.records.workstreams
        needs = self.plan.workstreams[id].depends_on
        return f"waits for {next(d for d in needs if rows[d].state is not WorkstreamState.MERGED)}"

    def pop_ready(self) -> str | None:
        """The ready workstream that should start first."""
        while self.ready:
            id = heappop(self.ready)[2]
            if id in self.ready_ids:
                self.ready_ids.discard(id)
                return id
        return None

    def pop_free(self) -> WorkerRecord | None:
        """The idle worker with the lowest number, left in place until it moves."""
        while self.free:
            worker = self.records.workers.get(self.free[0])
            if worker is not None and worker.state is WorkerState.IDLE:
                return worker
            heappop(self.free)
        return None

    def enqueue(self, id: str) -> None:
        """Puts a QUEUED workstream in the merge queue, or back into it."""
        record = self.records.workstreams[id]
        record.queued_at = self.now if record.queued_at is None else record.queued_at
        self.touch_workstream(record)
        self.queue.add(record)
        if record.held:
            self.why(record, HELD)
        self.tell(vocabulary.WORKSTREAM_QUEUED, f"{id} is {record.reason}", severity="debug", workstream=id)

    def unblock(self, id: str) -> None:
        """Counts a merged workstream off for those that depend on it."""
        shown = f"waits for {id}"
        for dependent in self.plan.dependents.get(id, ()):
            self.unmet[dependent] -= 1
            if not self.unmet[dependent] or self.records.workstreams[dependent].reason == shown:
                self.wait_for_turn(dependent)
