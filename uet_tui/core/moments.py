"""Times as reasons and events tell them."""

from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """The time that is so many seconds after the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
