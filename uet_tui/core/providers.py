"""Providers of models: paused where they want to be left alone, stopped where the operator has to see to an account."""

import zlib
from math import isfinite

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.moments import moment
from uet_tui.core.records import ProviderRecord
from uet_tui.core.states import PROVIDER_TRANSITIONS, ProviderState, WorkstreamState
from uet_tui.core.usage import Fault

PAUSING = frozenset({Fault.RATE_LIMIT, Fault.QUOTA})
"""What a provider is left alone for, until it goes on by itself."""
STOPPING = frozenset({Fault.NO_KEY, Fault.ACCOUNT})
"""What the operator has to settle before a provider is asked again."""
MOST_PAUSES = 12
"""Pauses in a row, between which it served nobody, that a provider gets: each try may cost money, so the operator is
asked. Of pauses that it sets no end to, twelve take about seven hours with the shipped settings."""
_LONGEST = 366 * 86_400.0
"""Seconds: a provider, or a setting, that wants it to be left alone for longer is a mistake."""


def provider_of(board: Board, agent: str) -> str:
    """Whose quota an agent uses; its own name where the settings do not say."""
    return board.policy.provider_of.get(agent, agent)


def know(board: Board) -> None:
    """Puts on record which providers the run uses, and how many of their agents may run at once."""
    rows = board.records.workstreams.values()
    agents = {row.agent for row in rows} | {*board.policy.resolver.values()}
    for name in sorted({provider_of(board, agent) for agent in agents}):
        limit = board.policy.concurrency.get(name)
        record = board.records.providers.get(name)
        if record is None or record.limit != limit:
            record = board.records.providers.setdefault(name, ProviderRecord(name, board.now))
            record.limit = limit
            board.touch_provider(record)


def barred(board: Board, name: str) -> str:
    """What keeps a provider from being asked, as a reason to show; empty if nothing does."""
    record = board.records.providers.get(name)
    if record is None or (record.state is ProviderState.OPEN and record.limit is None):
        return ""
    if record.state is not ProviderState.OPEN:
        return _told(record)
    at_work = board.purse.running[name]
    full = record.limit is not None and at_work >= record.limit
    return f"provider {name}: {at_work} of {record.limit} run" if full else ""


def key(name: str) -> str:
    """Under which workstreams are parked that wait for a provider."""
    return f"provider {name}"


def took(board: Board, name: str) -> None:
    """An agent of a provider begins."""
    board.purse.running[name] += 1


def left(board: Board, name: str, fault: Fault | None, until: float | None, error: str, *, worked: bool) -> None:
    """An agent of a provider is gone: another may begin, unless this one was turned away.

    Args:
        board: the run.
        name: the provider.
        fault: what went wrong, where it was not the work.
        until: when the provider wants to be asked again, in seconds since the epoch, where it says so.
        error: what the agent said.
        worked: whether the provider served it.
    """
    board.purse.running[name] -= 1
    record = board.records.providers.get(name)
    if record is None:  # of a run that an older version began
        record = board.records.providers[name] = ProviderRecord(name, board.now)
        board.touch_provider(record)
    if fault is None:
        if worked and record.pauses and record.state is ProviderState.OPEN:
            record.pauses = 0
            board.touch_provider(record)
    elif fault in PAUSING:
        _pause(board, record, fault, until)
    elif fault in STOPPING:
        _stop(board, record, f"{fault.value}: {error}" if error else fault.value)
    if board.parked:
        board.unpark(key(name))


def _pause(board: Board, record: ProviderRecord, fault: Fault, until: float | None) -> None:
    told = None
    if until is not None and isfinite(until) and until > board.now:
        told = min(until, board.now + _LONGEST)
    if record.state is ProviderState.PAUSED:  # one that began before the pause: it says nothing new but a later time
        if told is not None and told > (record.until or 0.0):
            record.until = told
            board.touch_provider(record)
        return
    if record.state is ProviderState.STOPPED:
        return
    if record.pauses >= MOST_PAUSES:
        _stop(board, record, f"{fault.value}, {record.pauses + 1} times in a row")
        return
    record.pauses += 1
    record.until = told if told is not None else board.now + _pause_seconds(board, record)
    _move(board, record, ProviderState.PAUSED, fault.value)
    board.tell(vocabulary.PROVIDER_PAUSED, _told(record), severity="warning", provider=record.name, until=record.until)


def _pause_seconds(board: Board, record: ProviderRecord) -> float:
    """Doubled each time; a share of it is drawn from the name, so that replays agree and runs do not come together."""
    policy = board.policy
    base = policy.pauses.get(record.name, policy.pause_seconds)
    full = min(policy.pause_max_seconds, base * 2.0 ** min(record.pauses - 1, 30), _LONGEST)
    draw = zlib.crc32(f"{board.records.run.id}/{record.name}/{record.pauses}".encode()) / 0xFFFFFFFF
    return full * (1 - policy.retry_jitter * draw)


def _stop(board: Board, record: ProviderRecord, reason: str) -> None:
    if record.state is ProviderState.STOPPED:
        return
    record.until = None
    _move(board, record, ProviderState.STOPPED, reason)
    board.tell(vocabulary.PROVIDER_STOPPED, _told(record), severity="error", provider=record.name)


def open_again(board: Board, record: ProviderRecord, why: str, pauses: int = 0) -> None:
    """Asks a provider again that was left alone; how often it paused so far is forgotten where the operator says so."""
    record.pauses = pauses
    record.until = None
    _move(board, record, ProviderState.OPEN, "")
    board.tell(vocabulary.PROVIDER_OPEN, f"provider {record.name} is asked again: {why}", provider=record.name)
    board.unpark(key(record.name))


def open_stopped(board: Board) -> None:
    """Asks those again that were stopped: the operator, who was asked to see to them, goes on with the run."""
    for record in board.records.providers.values():
        if record.state is ProviderState.STOPPED:
            open_again(board, record, "the run was resumed")


def wake(board: Board) -> None:
    """Asks those again whose pause is over."""
    for record in [board.records.providers[name] for name in sorted(board.purse.paused)]:
        if record.until is not None and record.until <= board.now:
            open_again(board, record, f"its pause for {record.reason} is over", record.pauses)


def next_opening(board: Board) -> float | None:
    """When the next pause ends, in seconds since the epoch."""
    return min((one.until for one in board.records.providers.values() if one.until is not None), default=None)


def will_open(board: Board) -> bool:
    """Whether something waits for a provider that goes on by itself."""
    return any(
        board.workstream(id).state is WorkstreamState.PENDING
        for record in board.records.providers.values()
        if record.state is ProviderState.PAUSED
        for id in board.parked.get(key(record.name), ())
    )


def stopped(board: Board) -> list[str]:
    """The names of those that the operator has to see to, where something waits for them."""
    waiting = [row for row in board.records.workstreams.values() if row.state is WorkstreamState.PENDING]
    needed = {provider_of(board, row.agent) for row in waiting if not board.unmet[row.id]}
    rows = board.records.providers.values()
    return [row.name for row in rows if row.state is ProviderState.STOPPED and row.name in needed]


def _move(board: Board, record: ProviderRecord, state: ProviderState, reason: str) -> None:
    board.stories.go_on(PROVIDER_TRANSITIONS[record.state], ("provider", record.name), record.state, state)
    record.state, record.reason, record.since = state, reason, board.now
    (board.purse.paused.add if state is ProviderState.PAUSED else board.purse.paused.discard)(record.name)
    board.touch_provider(record)


def _told(record: ProviderRecord) -> str:
    if record.state is ProviderState.STOPPED:
        return (
            f"provider {record.name} stopped ({record.reason}): see to it, then `uet continue --provider {record.name}`"
        )
    return f"provider {record.name} paused until {moment(record.until or 0.0)} ({record.reason})"
