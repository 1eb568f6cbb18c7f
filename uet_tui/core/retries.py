"""Whether and when a workstream that failed is tried again. Pure functions of what is on record."""

import re
import zlib
from dataclasses import dataclass

from uet_tui.core.policy import Policy
from uet_tui.core.records import WorkstreamRecord
from uet_tui.core.states import WorkstreamState
from uet_tui.plan.model import CircuitBreaker

_VARIABLE = re.compile(r"0x[0-9a-f]+|[0-9a-f]{7,40}|\d+|'[^']*'|\"[^\"]*\"|/[^\s:]+", re.IGNORECASE)


MOST_LOST = 12
"""Attempts in a row that may be lost while they work: each may cost money, and something ends who watches them."""
_NOTE = 4_000
"""Characters of what the next attempt is told: enough for the end of a test run, little beside a prompt."""


def note(error: str, detail: str) -> str:
    """What the next attempt's agent is told: the error, and the end of what is known of it."""
    room = _NOTE - len(error) - 3  # two line ends and an ellipsis
    if not detail or room <= 0:
        return error[:_NOTE]
    return f"{error}\n\n{detail}" if len(detail) <= room else f"{error}\n\n…{detail[-room:]}"


def signature(error: str) -> str:
    """The error without what changes from try to try: numbers, hashes, quoted words and paths."""
    return " ".join(_VARIABLE.sub("#", error).split())[:200]


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after a delay in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again."""

    state: WorkstreamState
    reason: str


def verdict(
    record: WorkstreamRecord, breaker: CircuitBreaker, policy: Policy, error: str, *, retryable: bool
) -> Again | GiveUp:
    """What follows a failure whose signature and count are already on the record."""
    if not retryable:
        return GiveUp(WorkstreamState.FAILED, error)
    if record.result_repeats >= breaker.oscillation_threshold > 0:
        times = record.result_repeats + 1
        return GiveUp(WorkstreamState.QUARANTINED, f"made the same change {times} times, and it was wrong: {error}")
    if record.error_repeats > breaker.max_error_repeats:
        times = record.error_repeats + 1
        return GiveUp(WorkstreamState.QUARANTINED, f"the same error {times} times: {error}")
    allowed = breaker.max_attempts + record.granted_attempts
    if record.attempts >= allowed:
        return GiveUp(WorkstreamState.FAILED, f"attempt {record.attempts} of {allowed} failed: {error}")
    return Again(delay(record.id, record.attempts, policy))


def delay(workstream: str, attempt: int, policy: Policy) -> float:
    """Seconds before the next attempt: doubled each time, with a share drawn from the name, so that replays agree."""
    full = min(policy.retry_max_seconds, policy.retry_base_seconds * 2.0 ** min(attempt - 1, 30))
    draw = zlib.crc32(f"{workstream}/{attempt}".encode()) / 0xFFFFFFFF
    return full * (1 - policy.retry_jitter * draw)
