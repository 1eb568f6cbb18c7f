"""How money, tokens and waiting look: pure functions from values to text.

What nobody knows the price of is `?` and never 0; what comes from a list of prices, not from the agent, has a `~`.
"""

import math
from datetime import datetime

from uet_tui.console.format import money
from uet_tui.store.cost_views import CostView

UNKNOWN = "?"
ESTIMATED = "~"
NOTHING = "–"


def price(usd: float, *, unknown: bool = False, estimated: bool = False) -> str:
    """Money with its marks: `$0.31`, `~$0.31`; `?` where nothing of it is known, `$0.31+?` where a part is not."""
    if unknown and not usd:
        return UNKNOWN
    return f"{ESTIMATED if estimated else ''}{money(usd)}{'+' + UNKNOWN if unknown else ''}"


def tokens(count: int) -> str:
    """Tokens in at most five cells: `940`, `9.4k`, `94k`, `940k`, `9.4M`, `94M`; none is a dash."""
    if not count:
        return NOTHING
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= size * 0.9995:
            scaled = count / size
            return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:.0f}{unit}"
    return str(count)


def spent(costs: CostView) -> str:
    """What a run has spent, with the marks of what is unknown or estimated."""
    return price(costs.spent_usd, unknown=bool(costs.unpriced), estimated=bool(costs.estimated_usd))


def unpaid(costs: CostView) -> bool:
    """Whether tokens were used and no money was: with a subscription."""
    return not (costs.spent_usd or costs.reserved_usd or costs.unpriced) and bool(costs.tokens_in or costs.tokens_out)


def countdown(until: datetime, now: datetime) -> str:
    """How long until then, in minutes and seconds, `02:10`; from an hour on `1:02:10`; `now` once it has come."""
    seconds = math.ceil((until - now).total_seconds())
    if seconds <= 0:
        return "now"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24}d {hours % 24}h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
