"""The money of a run, from its records and its reports of use. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from uet_tui.core.records import AttemptRecord, Records, WorkstreamRecord
from uet_tui.core.states import ATTEMPT_OVER, AttemptState, WorkstreamState
from uet_tui.store.views import CostRow, CostView

SERIES_MINUTES = 10
_AVERAGE_MINUTES = 5
_LOST = frozenset(
    {WorkstreamState.FAILED, WorkstreamState.QUARANTINED, WorkstreamState.SKIPPED, WorkstreamState.CANCELLED}
)
_ENDED = frozenset({WorkstreamState.MERGED, WorkstreamState.FAILED, WorkstreamState.QUARANTINED})
"""Where a workstream is whose cost says what another may cost."""


@dataclass(frozen=True, slots=True)
class Used:
    """What all reports of use of one workstream add up to."""

    usd: float
    tokens_in: int
    tokens_out: int


def cost_view(
    records: Records, used: Mapping[str, Used], recent: Iterable[tuple[float, float]], now: float
) -> CostView:
    """What the costs pane shows.

    Args:
        records: the run's.
        used: sums of the reports, by workstream.
        recent: time and dollars of each report of the last ten minutes.
        now: seconds since the epoch; the end of a run that is over.
    """
    minutes = [0.0] * SERIES_MINUTES
    for time, usd in recent:
        minute = int((now - time) // 60)
        if 0 <= minute < SERIES_MINUTES:
            minutes[-1 - minute] += usd
    workstreams = records.workstreams.values()
    return CostView(
        spent_usd=records.run.spent_usd,
        reserved_usd=records.run.reserved_usd,
        budget_usd=records.run.budget_usd,
        per_minute_usd=sum(minutes[-_AVERAGE_MINUTES:]) / _AVERAGE_MINUTES,
        wasted_usd=sum(
            attempt.cost_usd
            for attempt in records.attempts.values()
            if wasted(attempt, records.workstreams[attempt.workstream])
        ),
        retries=sum(max(0, ws.attempts - 1) for ws in workstreams),
        forecast_usd=_forecast([*workstreams]),
        series=tuple(minutes),
        rows=tuple(sorted((_row(ws, used) for ws in workstreams if ws.attempts), key=lambda r: (-r.usd, r.workstream))),
    )


def wasted(attempt: AttemptRecord, workstream: WorkstreamRecord) -> bool:
    """Whether it is certain that what the attempt made will not be merged."""
    if attempt.state not in ATTEMPT_OVER:
        return False
    superseded = attempt.number < workstream.attempts
    return superseded or attempt.state is not AttemptState.SUCCEEDED or workstream.state in _LOST


def _forecast(workstreams: Sequence[WorkstreamRecord]) -> float | None:
    ended = [ws.cost_usd for ws in workstreams if ws.state in _ENDED and ws.attempts]
    if not ended:
        return None
    average = sum(ended) / len(ended)
    over = _ENDED | _LOST
    return sum(ws.cost_usd if ws.state in over else max(ws.cost_usd, average) for ws in workstreams)


def _row(workstream: WorkstreamRecord, used: Mapping[str, Used]) -> CostRow:
    sums = used.get(workstream.id, Used(0.0, 0, 0))
    return CostRow(workstream.id, workstream.agent, sums.usd, workstream.attempts, sums.tokens_in, sums.tokens_out)
