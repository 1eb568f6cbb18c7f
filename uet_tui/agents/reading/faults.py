"""What an agent's last words and its exit code mean, by the rules of its settings and some that all agents share."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from uet_tui.core.usage import Fault
from uet_tui.settings.agents import FaultRule

_LONGEST_WAIT: Final = timedelta(days=32)
"""No provider's period is longer than a month; what says so is not believed."""
_AT: Final = (
    r"\d{4}-\d\d-\d\d(?: at |[T ])\d\d:\d\d(?::\d\d)?(?: ?(?:UTC|GMT|Z)|[+-]\d\d:\d\d)?|\d{9,}"
    r"|(?:[A-Z]{3} \d{1,2}(?:st|nd|rd|th)?,?(?: \d{4},?)? (?:at )?)?\d{1,2}(?::\d\d)? ?(?:[AP]M\b)?(?: ?(?:UTC|GMT))?"
)
"""How providers write a moment."""

SHARED: Final = tuple(
    FaultRule(says=f"(?i){says}", means=means)
    for says, means in (
        (
            r"insufficient_quota|exceeded your current quota|plan and billing|credit balance is too low"
            r"|billing.?hard.?limit|account (?:is|has been) (?:deactivated|suspended|disabled)|payment required",
            Fault.ACCOUNT,
        ),
        (
            r"(?:in(?:valid|correct)|missing|no)[ _]api[ _-]?key|api key not valid|authentication[ _]?(?:error|fail)"
            r"|authenticationerror|not logged in|please run /login|(?:status|error)\W{1,3}401|401 unauthorized"
            r"|invalid x-api-key|missing environment variable: .*key|api_key client option must be set",
            Fault.NO_KEY,
        ),
        (
            r"(?:(?:usage|daily|weekly|monthly|hour|session)[ _]limit|quota (?:is )?exceeded)"
            r"(?:[^\n]{0,200}?(?:again|resets?|access)(?: at| on)?:? *"
            rf"(?P<at>{_AT})(?: *\((?P<zone>[\w/+-]+)\))?)?",
            Fault.QUOTA,
        ),
        (
            r"(?:rate.?limit|too many requests|\b429\b|overloaded|\b529\b|is at capacity)(?:[^\n]{0,300}?try again in "
            r"(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+(?:\.\d+)?)s)?)?",
            Fault.RATE_LIMIT,
        ),
        (
            r"context_length_exceeded|maximum context length|context window|prompt is too long"
            r"|has hit a token limit|contextwindowexceeded|input is too long",
            Fault.CONTEXT,
        ),
        (r"stop_reason refusal|violat\w+ (?:our|the) (?:usage )?polic|content.?filter|cyber_policy", Fault.REFUSAL),
        (
            r"connection ?(?:error|refused|reset|failed|closed|aborted)|econn|enotfound|etimedout|unable to connect"
            r"|waiting for network|failed to lookup|name or service not known|stream disconnected|socket hang up"
            r"|internal ?server ?error|\b50[0234]\b|high demand|server_error"
            r"|api error:? *(?:5\d\d|unknown|failed to parse)"
            r"|litellm\.(?:timeout|apierror|serviceunavailable|badgateway)",
            Fault.NETWORK,
        ),
        (r"unrecognized arguments|unknown (?:option|argument)|unexpected argument|modulenotfounderror", Fault.AGENT),
    )
) + tuple(FaultRule(exit=code, means=Fault.AGENT) for code in (126, 127, -4, -6, -7, -11))
"""For agents that read text, after their own rules. What a script prints means whatever its author likes."""


def fault_in(
    text: str, code: int | None, rules: Iterable[FaultRule], said_at: float
) -> tuple[Fault, float | None] | None:
    """The first rule that holds, and until when to wait by it.

    Args:
        text: the last words.
        code: the exit code; None if there is none.
        rules: in the order they are tried.
        said_at: when it was said, in seconds since the epoch.
    """
    for rule in rules:
        if rule.exit is not None and rule.exit != code:
            continue
        found = _compiled(rule.says).search(text)
        if found is not None:
            return rule.means, _until(found.groupdict(), said_at)
    return None


def rules_of(own: Iterable[FaultRule], *, shared: bool) -> Iterable[FaultRule]:
    """An agent's own rules, and those that all share."""
    return chain(own, SHARED if shared else ())


@cache
def _compiled(says: str) -> re.Pattern[str]:
    return re.compile(says, re.MULTILINE)


def _until(groups: dict[str, str | None], said_at: float) -> float | None:
    now = datetime.fromtimestamp(said_at, UTC)
    told = groups.get("at")
    if told:
        moment = _moment(told, groups.get("zone"), now)
    else:
        units = {unit: groups.get(unit) for unit in ("hours", "minutes", "seconds")}
        try:
            wait = timedelta(**{unit: float(number) for unit, number in units.items() if number})
        except (ValueError, OverflowError):
            return None
        moment = now + wait if wait and wait <= _LONGEST_WAIT else None
    if moment is None or not now < moment <= now + _LONGEST_WAIT:
        return None
    return moment.timestamp()


def _moment(told: str, zone: str | None, now: datetime) -> datetime | None:
    """When a text means: seconds since the epoch, a date with a time, or a time of day that comes next."""
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|,| at\b", "", told).strip().rstrip(".")
    if text.isdigit() and len(text) >= 9:
        return datetime.fromtimestamp(int(text[:10]), UTC)
    utc = re.search(r"\s*(?:UTC|GMT|Z)$", text)
    within = UTC if utc else _zone(zone)
    text = text[: utc.start()] if utc else text
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else _local(moment, within)
    except (ValueError, OverflowError):  # a year that no clock of this machine reaches
        pass
    for form in ("%b %d %Y %I:%M %p", "%b %d %I:%M %p", "%b %d %I%p"):
        try:
            moment = datetime.strptime(
                f"{text} {now.year}" if "%Y" not in form else text, f"{form} %Y" if "%Y" not in form else form
            )
        except ValueError:
            continue
        return _local(moment, within)
    for form in ("%I:%M %p", "%I:%M%p", "%I%p", "%I %p", "%H:%M"):
        try:
            clock = datetime.strptime(text, form)
        except ValueError:
            continue
        today = now.astimezone(within)
        moment = today.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
        return moment if moment > now else moment + timedelta(days=1)
    return None


def _zone(name: str | None) -> tzinfo | None:
    """A time zone by its name; None: this machine's."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def _local(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.replace(tzinfo=zone) if zone else moment.astimezone()
