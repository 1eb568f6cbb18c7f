"""The providers of a run, from its records. Pure."""

from collections import Counter

from uet_tui.core.records import ProviderRecord, Records
from uet_tui.core.states import ATTEMPT_OVER
from uet_tui.store.cost_views import ProviderView
from uet_tui.store.rows import moment


def provider_views(records: Records) -> tuple[ProviderView, ...]:
    """All providers of a run, by name."""
    running = Counter(attempt.provider for attempt in records.attempts.values() if attempt.state not in ATTEMPT_OVER)
    running.update(one.ask(one.asks).provider for one in records.conflicts.values() if one.asking)
    return tuple(
        ProviderView(
            name=name,
            state=one.state,
            until=None if one.until is None else moment(one.until),
            reason=one.reason,
            running=running[name],
            limit=one.limit,
        )
        for name, one in sorted(records.providers.items())
    )


def told(provider: ProviderRecord | ProviderView) -> str:
    """A provider that is not open, in a notice."""
    return f"provider {provider.name} {provider.state.value.lower()}: {provider.reason}"
