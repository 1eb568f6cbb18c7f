"""Sums over the records that decisions about money and providers need, kept up to date as money is spent."""

from bisect import insort
from collections import Counter, defaultdict

from uet_tui.core.records import AttemptRecord, Records
from uet_tui.core.states import ATTEMPT_OVER, AttemptState
from uet_tui.plan.model import Plan

_ENOUGH = 3
"""Ended attempts from which on their costs say more than a setting does."""
_TENTHS = 9
"""Of those costs as many tenths are covered: most, because a reserve that is too low lets spending pass the limit."""
_TELLING = frozenset({AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.TIMED_OUT})
"""Ends of attempts whose costs are like those of others; one that was ended early cost less."""


class Purse:
    """What phases spent, what attempts cost, how many use each provider."""

    def __init__(self, plan: Plan, records: Records) -> None:
        self.phase_of = {
            id: f"phase {ws.phase}" if ws.phase else f"wave {records.workstreams[id].wave}"
            for id, ws in plan.workstreams.items()
        }
        self.spent: defaultdict[str, float] = defaultdict(float)
        """By phase."""
        self.reserved: defaultdict[str, float] = defaultdict(float)
        """By phase."""
        self.running: Counter[str] = Counter()
        """How many agents are at work, by provider."""
        self.paused = {name for name, row in records.providers.items() if row.until is not None}
        """Providers that go on by themselves."""
        self.unpriced: set[tuple[str, str]] = set()
        """Agents and models that reported what nobody can price, since this orchestrator has the run: whoever takes it
        next may have been told the price."""
        self._costs: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for id, row in records.workstreams.items():
            self.spent[self.phase_of[id]] += row.cost_usd
        for attempt in records.attempts.values():
            self.reserved[self.phase_of[attempt.workstream]] += attempt.reserved_usd
            if attempt.state in ATTEMPT_OVER:
                self.learn(attempt)
            else:
                self.running[attempt.provider] += 1
        for conflict in records.conflicts.values():
            self.reserved[self.phase_of[conflict.workstream]] += conflict.reserved_usd
            if conflict.asking:
                self.running[conflict.ask(conflict.asks).provider] += 1

    def learn(self, attempt: AttemptRecord) -> None:
        """Takes in what an attempt cost that is over, if that says what another may cost."""
        if attempt.reports and not attempt.unpriced and attempt.fault is None and attempt.state in _TELLING:
            insort(self._costs[attempt.agent, attempt.model], attempt.cost_usd)

    def usual_cost(self, agent: str, model: str) -> float | None:
        """What nine of ten attempts of an agent with a model cost at most, in US dollars; None: too few have ended."""
        costs = self._costs.get((agent, model), ())
        return costs[(_TENTHS * len(costs) - 1) // 10] if len(costs) >= _ENOUGH else None
