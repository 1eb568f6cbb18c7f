"""How states, times and money are written for people: word and glyph together, the colour only underlines them."""

from datetime import UTC, datetime
from typing import Final

_MARKS: Final = {
    "PLANNED": ("·", "dim"),
    "PENDING": ("·", "dim"),
    "SPAWNING": ("·", "dim"),
    "IDLE": ("·", "dim"),
    "OPEN": ("·", "dim"),
    "CREATED": ("·", "dim"),
    "RUNNING": ("▶", "cyan"),
    "BUSY": ("▶", "cyan"),
    "GATING": ("▶", "cyan"),
    "QUEUED": ("▷", "cyan"),
    "MERGING": ("▷", "cyan"),
    "PAUSED": ("⏸", "yellow"),
    "DRAINING": ("⇣", "yellow"),
    "MERGED": ("✓", "green"),
    "COMPLETED": ("✓", "green"),
    "SUCCEEDED": ("✓", "green"),
    "AUTO_RESOLVED": ("✓", "green"),
    "AGENT_RESOLVED": ("✓", "green"),
    "HUMAN_RESOLVED": ("✓", "green"),
    "CONFLICTED": ("≠", "magenta"),
    "PROPOSED": ("≠", "magenta"),
    "HALTED": ("!", "red"),
    "STOPPED": ("!", "red"),
    "FAILED": ("✗", "red"),
    "TIMED_OUT": ("✗", "red"),
    "LOST": ("✗", "red"),
    "KILLED": ("✗", "yellow"),
    "QUARANTINED": ("⊘", "yellow"),
    "SKIPPED": ("⊘", "yellow"),
    "CANCELLED": ("⊘", "yellow"),
    "TERMINATED": ("⊘", "dim"),
}
_VERDICTS: Final = {
    "passed": ("✓", "green"),
    "flaky": ("≈", "yellow"),
    "red before": ("!", "yellow"),
    "failed": ("✗", "red"),
    "error": ("✗", "red"),
    "timeout": ("✗", "red"),
    "not configured": ("–", "dim"),
    "no tests": ("–", "dim"),
    "not run": ("○", "yellow"),
}


def glyph(state: str) -> str:
    """The one-character sign of a state."""
    return _MARKS[state][0]


def style(state: str) -> str:
    """The rich style of a state."""
    return _MARKS[state][1]


def verdict(word: str) -> tuple[str, str]:
    """The one-character sign of a gate's verdict, and its rich style."""
    return _VERDICTS.get(word, ("?", "yellow"))


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as every JSON document has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def local_time(moment: datetime) -> str:
    """The time of day where the operator sits."""
    return moment.astimezone().strftime("%H:%M:%S")


def clock(seconds: float | None) -> str:
    """A duration as `6:40` or `1:02:03`; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def between(start: datetime | None, end: datetime | None, now: datetime) -> float | None:
    """Seconds from start to end, or to now while there is no end; None before the start."""
    return ((end or now) - start).total_seconds() if start else None


def money(usd: float) -> str:
    """US dollars, in cents; smaller amounts in hundredths of a cent."""
    return f"${usd:.4f}" if 0.00005 <= usd < 0.01 else f"${usd:,.2f}"


def several(count: int, one: str, many: str = "") -> str:
    """`1 workstream`, `3 workstreams`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
