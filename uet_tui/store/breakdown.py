"""Where the money of a run went, by workstream, attempt, model, wave and outcome. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from uet_tui.core.records import Records
from uet_tui.plan.model import Workstream
from uet_tui.store.cost_views import CostBreakdown, SpendRow
from uet_tui.store.money import Used, landed, wasted

MERGED, UNDER_WAY, RETRIED, FAILED, CONFLICTS = "merged", "under way", "retried", "failed", "conflicts"
OUTCOMES = (MERGED, UNDER_WAY, RETRIED, FAILED, CONFLICTS)
"""What came of what was spent."""
WASTED = (RETRIED, FAILED, CONFLICTS)
"""What came of what is not going to be merged."""


def breakdown(records: Records, used: Sequence[Used], declared: Mapping[str, Workstream]) -> CostBreakdown:
    """The reports of use, summed up in every way that the operator may look at them."""
    rows, phases = records.workstreams, {id: _phase(records, declared, id) for id in records.workstreams}
    waves: dict[str, int] = {}
    for id, row in rows.items():
        waves[phases[id]] = min(waves.get(phases[id], row.wave), row.wave)

    def outcome(one: Used) -> str:
        return _outcome(records, one)

    def summed(label: Callable[[Used], str]) -> list[SpendRow]:
        return _rows(used, label, outcome)

    return CostBreakdown(
        by_workstream=_dearest(summed(lambda one: one.workstream)),
        by_attempt=tuple(sorted(summed(_attempt), key=lambda row: (row.workstream, row.attempt, row.label))),
        by_model=_dearest(summed(lambda one: f"{one.model or 'unknown'} ({one.agent})")),
        by_wave=tuple(
            sorted(summed(lambda one: phases[one.workstream]), key=lambda row: (waves[row.label], row.label))
        ),
        by_outcome=_dearest(summed(outcome)),
    )


def _phase(records: Records, declared: Mapping[str, Workstream], id: str) -> str:
    phase = declared[id].phase if id in declared else ""
    return f"phase {phase}" if phase else f"wave {records.workstreams[id].wave}"


def _attempt(used: Used) -> str:
    asked = f" {used.conflict} ask {used.ask}" if used.conflict else ""
    return f"{used.workstream} #{used.attempt}{asked}"


def _outcome(records: Records, used: Used) -> str:
    attempt = records.attempts.get((used.workstream, used.attempt))
    if used.conflict:
        return CONFLICTS
    workstream = records.workstreams[used.workstream]
    if attempt is None or not wasted(attempt, workstream):
        return MERGED if attempt is not None and landed(attempt, workstream) else UNDER_WAY
    return RETRIED if attempt.number < workstream.attempts else FAILED


def _rows(used: Iterable[Used], label: Callable[[Used], str], outcome: Callable[[Used], str]) -> list[SpendRow]:
    alike: dict[str, list[Used]] = {}
    for one in used:
        alike.setdefault(label(one), []).append(one)
    return [_row(name, some, [outcome(one) for one in some]) for name, some in alike.items()]


def _row(label: str, used: Sequence[Used], outcomes: Sequence[str]) -> SpendRow:
    workstreams, agents = {one.workstream for one in used}, {one.agent for one in used}
    attempts = {(one.workstream, one.attempt) for one in used}
    return SpendRow(
        label=label,
        usd=sum(one.usd for one in used),
        estimated_usd=sum(one.estimated_usd for one in used),
        attempts=len({one.work for one in used}),
        tokens_in=sum(one.tokens_in for one in used),
        tokens_out=sum(one.tokens_out for one in used),
        tokens_cached=sum(one.tokens_cached for one in used),
        tokens_reasoning=sum(one.tokens_reasoning for one in used),
        unpriced=sum(one.unpriced for one in used),
        workstream=workstreams.pop() if len(workstreams) == 1 else "",
        attempt=attempts.pop()[1] if len(attempts) == 1 else 0,
        agent=agents.pop() if len(agents) == 1 else "",
        wasted_usd=sum(one.usd for one, outcome in zip(used, outcomes, strict=True) if outcome in WASTED),
        outcomes=tuple(outcome for outcome in OUTCOMES if outcome in outcomes),
    )


def _dearest(rows: Iterable[SpendRow]) -> tuple[SpendRow, ...]:
    return tuple(sorted(rows, key=lambda row: (-row.usd, row.label)))
