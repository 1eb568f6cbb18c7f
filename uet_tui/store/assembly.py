"""The view of a whole run, from its records. Pure, but for the clock that is handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from uet_tui.core.conflicts import ConflictFile, Hunk, version
from uet_tui.core.freezing import frozen_workers
from uet_tui.core.records import (
    AttemptRecord,
    ConflictRecord,
    GateEntry,
    Records,
    RunRecord,
    WorkerRecord,
    WorkstreamRecord,
)
from uet_tui.core.states import CONFLICT_OPEN, RUN_OVER, WORKSTREAM_OVER, RunState, WorkerState, WorkstreamState
from uet_tui.plan.model import Workstream
from uet_tui.store.conflict_views import ConflictFileView, ConflictView, GateView, HunkView, PairView, RungView
from uet_tui.store.forecast import ends_at
from uet_tui.store.money import Used, cost_view
from uet_tui.store.needs import needs
from uet_tui.store.providers import provider_views, told
from uet_tui.store.rows import moment
from uet_tui.store.views import AttemptView, RunView, WorkerView, WorkstreamView
from uet_tui.text import harmless, laid_bare, one_line

_LONGEST = 300
"""Characters of what an orchestrator says of itself."""
_LONGEST_DRAIN = 1e8
"""Seconds."""
_HELD = frozenset({RunState.PAUSED, RunState.DRAINING, RunState.HALTED})
_UNDER_WAY = frozenset({RunState.RUNNING, RunState.PAUSED, RunState.DRAINING})


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the store knows of a run, read in one transaction."""

    records: Records
    revision: int
    declared: Mapping[str, Workstream]
    used: Sequence[Used]
    recent: Sequence[tuple[float, float]]
    """Time and dollars of each report of use of the last ten minutes."""


def run_view(
    facts: Facts,
    *,
    alive: bool,
    now: float,
    told: Mapping[str, object] | None = None,
    crashed_at: datetime | None = None,
) -> RunView:
    """All of a run that the home screen shows.

    Args:
        facts: what the store knows.
        alive: whether an orchestrator has the run.
        now: seconds since the epoch.
        told: what that orchestrator says of itself: `no_room` (why it cannot write), `disk_budget` (a
            warning) and `drain_until` (a time).
        crashed_at: when the one before it told something last, where it died.
    """
    records, run = facts.records, facts.records.run
    depends_on = {id: declared.depends_on for id, declared in facts.declared.items()}
    waited_for_by: dict[str, list[str]] = {id: [] for id in records.workstreams}
    for id, others in depends_on.items():
        for other in others:
            waited_for_by[other].append(id)
    conflicts = tuple(
        _conflict(record, records, facts.declared, waited_for_by)
        for record in sorted(
            records.conflicts.values(), key=lambda c: (c.state not in CONFLICT_OPEN, c.deferred, c.opened_at)
        )
    )
    frozen = frozen_workers(records)
    end = ends_at(records, depends_on, now) if alive else None
    return RunView(
        id=run.id,
        revision=facts.revision,
        name=run.name,
        state=run.state,
        reason=run.reason,
        alive=alive,
        crashed_at=crashed_at,
        schedule=run.schedule,
        parallelism=run.parallelism,
        created_at=moment(run.created_at),
        started_at=_moment(run.started_at),
        ended_at=_moment(run.ended_at),
        target_branch=run.target_branch,
        base_commit=run.base_commit,
        tip=run.tip,
        landed_at=_moment(run.landed_at),
        forecast_end_at=_moment(end),
        notices=_notices(records, told or {}, now, left=_left(run, alive=alive, crashed=crashed_at is not None)),
        workstreams=tuple(
            _workstream(record, facts.declared[record.id], waited_for_by[record.id])
            for record in sorted(records.workstreams.values(), key=lambda ws: (ws.wave, ws.id))
        ),
        workers=tuple(
            _worker(record, frozen=record in frozen)
            for record in records.workers.values()
            if record.state is not WorkerState.TERMINATED
        ),
        conflicts=conflicts,
        costs=cost_view(records, facts.used, facts.recent, now, facts.declared),
        needs=needs(records, conflicts),
        pairs=tuple(
            PairView(pair.first, pair.second, pair.verdict, pair.files, moment(pair.since))
            for pair in sorted(records.pairs.values(), key=lambda pair: (pair.verdict, pair.first, pair.second))
        ),
        providers=provider_views(records),
    )


def _left(run: RunRecord, *, alive: bool, crashed: bool) -> str:
    """What there is to do where nobody drives a run that is under way; empty where there is nothing."""
    if alive or run.state not in _UNDER_WAY:
        return ""
    why = "its orchestrator died" if crashed else "no orchestrator has it"
    return f"{why}: `uet resume {run.id}` goes on"


def _notices(records: Records, said: Mapping[str, object], now: float, *, left: str) -> tuple[str, ...]:
    run = records.run
    held = [one_line(str(said[name]), _LONGEST) for name in ("no_room", "disk_budget") if said.get(name)]
    until = said.get("drain_until")
    if isinstance(until, int | float) and run.state is RunState.DRAINING and 0 <= until - now < _LONGEST_DRAIN:
        held.append(f"draining, {until - now:.0f} s left")
    held += [run.reason] if run.reason and run.state in _HELD else []
    held += [left] if left else []
    going_on = run.state not in RUN_OVER and run.state is not RunState.HALTED
    held += [run.budget_note] if run.budget_note and going_on else []
    held += [told(provider) for provider in records.providers.values() if provider.reason and going_on]
    return tuple(held)


def attempt_view(record: AttemptRecord, folder: str, listed_usd: float = 0.0) -> AttemptView:
    """One attempt; `folder` is relative to the run's, `listed_usd` what of its cost comes from lists of prices."""
    return AttemptView(
        workstream=record.workstream,
        number=record.number,
        state=record.state,
        worker=record.worker,
        agent=record.agent,
        model=record.model,
        started_at=_moment(record.started_at),
        ended_at=_moment(record.ended_at),
        exit_code=record.exit_code,
        error=record.error,
        commit=record.commit,
        cost_usd=record.cost_usd,
        tokens_in=record.tokens_in,
        tokens_out=record.tokens_out,
        folder=folder,
        provider=record.provider,
        tokens_cached=record.tokens_cached,
        tokens_reasoning=record.tokens_reasoning,
        reports=record.reports,
        unpriced=record.unpriced,
        listed_usd=listed_usd,
        estimated_tokens=record.estimated_tokens,
        estimated_usd=record.estimated_usd,
        reserved_usd=record.reserved_usd,
        fault=record.fault or "",
    )


def _workstream(record: WorkstreamRecord, declared: Workstream, waited_for_by: Sequence[str]) -> WorkstreamView:
    return WorkstreamView(
        id=record.id,
        state=record.state,
        reason=record.reason,
        wave=record.wave,
        worker=record.worker,
        agent=record.agent,
        model=record.model,
        attempts=record.attempts,
        cost_usd=record.cost_usd,
        started_at=_moment(record.started_at),
        ended_at=_moment(record.ended_at),
        merge_commit=record.merge_commit,
        result_commit=record.result_commit,
        depends_on=declared.depends_on,
        waited_for_by=tuple(sorted(waited_for_by)),
        priority=declared.priority,
        kind=declared.kind,
        tasks=declared.tasks,
        files_scope=declared.files_scope,
        files_create=declared.files_create,
        acceptance_tests=declared.acceptance_tests,
        test_gates=tuple(gate.type for gate in declared.test_gates),
        queued_at=_moment(record.queued_at),
        held=record.held,
        first=record.first,
    )


def _worker(record: WorkerRecord, *, frozen: bool) -> WorkerView:
    return WorkerView(
        number=record.number,
        state=record.state,
        workstream=record.workstream,
        agent=record.agent,
        since=moment(record.since),
        doing=record.doing,
        frozen=frozen,
    )


def _conflict(
    record: ConflictRecord,
    records: Records,
    declared: Mapping[str, Workstream],
    waited_for_by: Mapping[str, Sequence[str]],
) -> ConflictView:
    behind: set[str] = set()
    reached = [record.workstream]
    while reached:
        further = set(waited_for_by[reached.pop()]) - behind
        behind |= further
        reached.extend(further)
    return ConflictView(
        id=record.id,
        workstream=record.workstream,
        against=record.against,
        state=record.state,
        files=tuple(_file(file) for file in record.files),
        proposal=record.proposal,
        opened_at=moment(record.opened_at),
        closed_at=_moment(record.closed_at),
        ours_commit=record.ours_commit,
        theirs_commit=record.theirs_commit,
        ours_tasks=tuple(task for other in record.against if other in declared for task in declared[other].tasks),
        theirs_tasks=declared[record.workstream].tasks,
        waiting=tuple(sorted(id for id in behind if records.workstreams[id].state not in WORKSTREAM_OVER)),
        tried=tuple(RungView(r.name, r.verdict, r.seconds, r.cost_usd, one_line(r.detail)) for r in record.tried),
        by=record.by,
        gates=tuple(gate_view(gate) for gate in record.gates),
        deferred=record.deferred,
        busy=_busy(record, records.workstreams[record.workstream]),
        note=record.note,
        version=version(record.files),
    )


def _busy(record: ConflictRecord, workstream: WorkstreamRecord) -> str:
    if record.state not in CONFLICT_OPEN:
        return ""
    if workstream.state in (WorkstreamState.QUEUED, WorkstreamState.MERGING):
        return "merging"
    if record.asking:
        return "agent"
    return ("turn" if record.asks else "ladder") if record.climbing else ""


def gate_view(gate: GateEntry) -> GateView:
    """What a gate said."""
    return GateView(
        gate.gate, gate.attempt, gate.where, gate.verdict, gate.seconds, harmless(gate.output), moment(gate.time)
    )


def _file(file: ConflictFile) -> ConflictFileView:
    hunks = tuple(_hunk(hunk) for hunk in file.hunks)
    return ConflictFileView(
        path=one_line(file.path),
        kind=file.kind,
        hunks=hunks,
        choice=file.choice,
        proposed_by=file.proposed_by,
        lost=_lines(file.lost),
        beside=tuple(map(one_line, file.beside)),
        note=one_line(file.note),
        proposes_deletion=bool(file.proposed_by) and file.proposed is None,
    )


def _hunk(hunk: Hunk) -> HunkView:
    return HunkView(
        number=hunk.number,
        line=hunk.line,
        before=_lines(hunk.before),
        ours=_lines(hunk.ours),
        base=_lines(hunk.base),
        theirs=_lines(hunk.theirs),
        after=_lines(hunk.after),
        choice=hunk.choice,
        proposal=None if hunk.proposal is None else _lines(hunk.proposal),
    )


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines that the store keeps exactly, laid bare to be shown."""
    return tuple(laid_bare(line.rstrip("\r")).replace("\n", "␤") for line in lines)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
