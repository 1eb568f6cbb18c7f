"""The money of a run, from its records and its reports of use. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from uet_tui.core.records import AttemptRecord, Records, WorkstreamRecord
from uet_tui.core.states import ATTEMPT_OVER, AttemptState, WorkstreamState
from uet_tui.plan.model import Workstream
from uet_tui.store.cost_views import CostRow, CostView, ModelCostRow, OverrideView
from uet_tui.store.rows import moment

SERIES_MINUTES = 10
_AVERAGE_MINUTES = 5
_LOST = frozenset(
    {WorkstreamState.FAILED, WorkstreamState.QUARANTINED, WorkstreamState.SKIPPED, WorkstreamState.CANCELLED}
)
_ENDED = frozenset({WorkstreamState.MERGED, WorkstreamState.FAILED, WorkstreamState.QUARANTINED})
"""Where a workstream is whose cost says what another may cost."""


@dataclass(frozen=True, slots=True)
class Used:
    """What the reports of use add up to that one model made, by one agent, in one attempt or ask."""

    workstream: str
    attempt: int
    conflict: str
    """The conflict that it was asked about; empty for an attempt."""
    ask: int
    agent: str
    model: str
    usd: float
    estimated_usd: float
    unpriced: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int

    @property
    def work(self) -> tuple[str, int, str, int]:
        """The attempt or ask that it is of."""
        return self.workstream, self.attempt, self.conflict, self.ask


def cost_view(
    records: Records,
    used: Sequence[Used],
    recent: Iterable[tuple[float, float]],
    now: float,
    declared: Mapping[str, Workstream] | None = None,
) -> CostView:
    """What the costs pane shows.

    Args:
        records: the run's.
        used: sums of the reports.
        recent: time and dollars of each report of the last ten minutes.
        now: seconds since the epoch; the end of a run that is over.
        declared: the workstreams as their bundles declare them.
    """
    minutes = [0.0] * SERIES_MINUTES
    for time, usd in recent:
        minute = int((now - time) // 60)
        if 0 <= minute < SERIES_MINUTES:
            minutes[-1 - minute] += usd
    workstreams, run = records.workstreams.values(), records.run
    of_workstream: dict[str, list[Used]] = {}
    for one in used:
        of_workstream.setdefault(one.workstream, []).append(one)
    rows = [_row(ws, of_workstream.get(ws.id, [])) for ws in workstreams if ws.attempts]
    asked = sum(one.usd for one in used if one.conflict)
    return CostView(
        spent_usd=run.spent_usd,
        reserved_usd=run.reserved_usd,
        budget_usd=run.budget_usd,
        per_minute_usd=sum(minutes[-_AVERAGE_MINUTES:]) / _AVERAGE_MINUTES,
        wasted_usd=asked + sum(a.cost_usd for a in records.attempts.values() if wasted(a, _of(records, a))),
        retries=sum(max(0, ws.attempts - 1) for ws in workstreams),
        forecast_usd=_forecast([*workstreams], declared or {}),
        series=tuple(minutes),
        rows=tuple(sorted(rows, key=lambda r: (-r.usd, r.workstream))),
        landed_usd=sum(a.cost_usd for a in records.attempts.values() if landed(a, _of(records, a))),
        estimated_usd=sum(one.estimated_usd for one in used),
        unpriced=sum(one.unpriced for one in used),
        tokens_in=sum(one.tokens_in for one in used),
        tokens_out=sum(one.tokens_out for one in used),
        tokens_cached=sum(one.tokens_cached for one in used),
        tokens_reasoning=sum(one.tokens_reasoning for one in used),
        by_model=_by_model(used),
        phase_budget_usd=run.phase_budget_usd,
        task_budget_usd=run.task_budget_usd,
        stage=run.budget_stage,
        note=run.budget_note,
        wide=run.wide,
        overrides=tuple(
            OverrideView(
                limit=one.limit,
                former_usd=one.former_usd,
                by=one.by,
                reason=one.reason,
                since=moment(one.since),
                expires_at=None if one.until is None else moment(one.until),
            )
            for one in run.overrides
        ),
    )


def wasted(attempt: AttemptRecord, workstream: WorkstreamRecord) -> bool:
    """Whether it is certain that what the attempt made will not be merged."""
    if attempt.state not in ATTEMPT_OVER:
        return False
    superseded = attempt.number < workstream.attempts
    return superseded or attempt.state is not AttemptState.SUCCEEDED or workstream.state in _LOST


def landed(attempt: AttemptRecord, workstream: WorkstreamRecord) -> bool:
    """Whether what the attempt made is merged."""
    return workstream.state is WorkstreamState.MERGED and not wasted(attempt, workstream)


def _of(records: Records, attempt: AttemptRecord) -> WorkstreamRecord:
    return records.workstreams[attempt.workstream]


def _forecast(workstreams: Sequence[WorkstreamRecord], declared: Mapping[str, Workstream]) -> float | None:
    """What is over costs what it cost; the rest what its like cost, else what it declares, else what others cost."""
    ended = [ws for ws in workstreams if ws.state in _ENDED and ws.attempts]
    if not ended:
        return None
    alike: dict[tuple[str, str], list[float]] = {}
    for ws in ended:
        alike.setdefault((ws.agent, ws.model), []).append(ws.cost_usd)
    average = sum(ws.cost_usd for ws in ended) / len(ended)
    total = 0.0
    for ws in workstreams:
        if ws.state in _ENDED | _LOST:
            total += ws.cost_usd
            continue
        known = alike.get((ws.agent, ws.model))
        most = declared[ws.id].max_cost_usd if ws.id in declared else None
        expected = sum(known) / len(known) if known else most if most is not None else average
        total += max(ws.cost_usd, expected)
    return total


def _row(workstream: WorkstreamRecord, used: Sequence[Used]) -> CostRow:
    return CostRow(
        workstream.id,
        workstream.agent,
        sum(one.usd for one in used),
        workstream.attempts,
        sum(one.tokens_in for one in used),
        sum(one.tokens_out for one in used),
        sum(one.tokens_cached for one in used),
        sum(one.tokens_reasoning for one in used),
        sum(one.unpriced for one in used),
    )


def _by_model(used: Iterable[Used]) -> tuple[ModelCostRow, ...]:
    alike: dict[tuple[str, str], list[Used]] = {}
    for one in used:
        alike.setdefault((one.model, one.agent), []).append(one)
    rows = [
        ModelCostRow(
            model=model,
            agent=agent,
            usd=sum(one.usd for one in some),
            attempts=len({one.work for one in some}),
            tokens_in=sum(one.tokens_in for one in some),
            tokens_out=sum(one.tokens_out for one in some),
            tokens_cached=sum(one.tokens_cached for one in some),
            tokens_reasoning=sum(one.tokens_reasoning for one in some),
            unpriced=sum(one.unpriced for one in some),
        )
        for (model, agent), some in alike.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.usd, row.model, row.agent)))
