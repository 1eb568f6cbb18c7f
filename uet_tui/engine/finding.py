"""What the world knows of a run that its records may not: folders of attempts and asks, and merges on the branch.

A folder tells all that is needed to put its attempt back on record (`attempt.json`). What it says is checked as
anything else that an agent can reach: at worst a forged one costs its own workstream an attempt.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from uet_tui.core.catching_up import Found, FoundAttempt
from uet_tui.core.records import AttemptRecord, Records
from uet_tui.core.states import ATTEMPT_OVER, AttemptState, WorkstreamState
from uet_tui.engine import attempts
from uet_tui.engine.finding_asks import OBJECT, asks, read_facts
from uet_tui.engine.hearing import Hearing
from uet_tui.engine.sandboxes import taken_before
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.settings.model import MOST_WORKERS
from uet_tui.store.files import write_whole
from uet_tui.workspace.history import Step, steps

FACTS: Final = "attempt.json"
"""In an attempt's folder: its record as it was when its agent was about to be started."""
SNAPSHOT: Final = "snapshot"
"""In an attempt's folder: the commit of what it left, once that was taken, or nothing; then what is wrong with it."""
_MOST: Final = 1e11
"""Seconds since the epoch, or USD; with twice as many there is no such date."""
_KEPT: Final = ("worker", "agent", "model", "base_commit", "created_at", "reserved_usd", "provider", "estimated_usd")


def keep_facts(folder: Path, record: AttemptRecord) -> None:
    """Writes what a store that lost the attempt would have to know."""
    told = asdict(record)
    write_whole(folder / FACTS, json.dumps({name: told[name] for name in _KEPT}).encode())


def find(place: Workplace, records: Records) -> Found:
    """What is there beyond the records; nothing where they are up to date, which is the rule."""
    merged = _merged(place, records)
    found: dict[tuple[str, int], FoundAttempt] = {}
    for id, row in records.workstreams.items():
        later = [*_later(place, id, row.attempts)]
        found |= {(id, record.number): _told(place, record) for record in later}
        newest = records.attempts.get((id, row.attempts))
        if newest is not None and newest.state not in ATTEMPT_OVER and (later or id in merged):
            found[id, newest.number] = _told(place, newest)
    vouched = {
        id: (number, result)
        for id, (number, result) in merged.items()
        if _last(records, found, id) == number and _left(place, records, id, number) == result
    }
    return Found(found, vouched, tuple(asks(place, records)))


def _last(records: Records, found: dict[tuple[str, int], FoundAttempt], id: str) -> int:
    return max([records.workstreams[id].attempts, *(number for other, number in found if other == id)])


def _left(place: Workplace, records: Records, id: str, number: int) -> str | None:
    """What an attempt left: its folder and the records must agree with the branch before it is believed."""
    known = records.attempts.get((id, number))
    if known is not None and known.commit is not None:
        return known.commit
    return _taken(place.paths.attempt(id, number))


def _merged(place: Workplace, records: Records) -> dict[str, tuple[int, str]]:
    """Which attempts the branch holds beyond the tip on record, and their results; those under way are known."""
    tip, head = records.run.tip, place.control.head_of(place.integration)
    under_way = {id for id, row in records.workstreams.items() if row.state is WorkstreamState.MERGING}
    if head is None or head == tip:
        return {}
    try:
        done = steps(place.control, head, tip)
    except UetError:
        return {}  # somebody else moved it: whoever merges next says so
    if any(step.reverts or step.run != place.run for step in done):
        return {}
    return {
        id: (number, result)
        for step in reversed(done)
        for (id, number), result in _results(place, step)
        if id in records.workstreams and (id not in under_way or number > records.workstreams[id].attempts)
    }


def _results(place: Workplace, step: Step) -> Iterator[tuple[tuple[str, int], str]]:
    results = place.control.objects.commit(step.commit).parents[1:]
    if len(results) == len(step.merged):
        yield from zip(step.merged, results, strict=True)


def _later(place: Workplace, id: str, known: int) -> Iterator[AttemptRecord]:
    """The attempts after those on record, as their folders tell; a gap ends them."""
    number = known + 1
    while (record := _record(place, id, number)) is not None:
        yield record
        number += 1


def _record(place: Workplace, id: str, number: int) -> AttemptRecord | None:
    told = read_facts(place.paths.attempt(id, number) / FACTS)
    try:
        record = AttemptRecord(id, number, **{name: told[name] for name in _KEPT})
        return record if _sane(place, record) else None
    except (KeyError, TypeError):
        return None


def _sane(place: Workplace, record: AttemptRecord) -> bool:
    texts: tuple[Any, ...] = (record.agent, record.model, record.base_commit, record.provider)
    numbers: tuple[Any, ...] = (record.created_at, record.reserved_usd, record.estimated_usd)
    return (
        all(isinstance(text, str) and text.isprintable() for text in texts)
        and all(isinstance(one, int | float) and 0 <= one < _MOST for one in numbers)
        and isinstance(record.worker, int)
        and 1 <= record.worker <= 100 * MOST_WORKERS
        and record.agent in place.settings.agents
        and OBJECT.fullmatch(record.base_commit) is not None
        and place.control.objects.find(record.base_commit) == record.base_commit
    )


def _taken(folder: Path) -> str | None:
    """The commit of what an attempt left; empty if it left nothing, None if that was not taken."""
    try:
        return taken_before(folder / SNAPSHOT).partition("\n")[0] if os.path.lexists(folder / SNAPSHOT) else None
    except UetError:
        return None


def _told(place: Workplace, record: AttemptRecord) -> FoundAttempt:
    folder = place.paths.attempt(record.workstream, record.number)
    ended = attempts.ended(folder) or attempts.Ended(None, "lost", 0.0)
    heard = Hearing(place, record.agent, record.model, folder).end(ended)
    taken = _taken(folder)
    return FoundAttempt(
        replace(record),
        AttemptState(heard.outcome),
        ended.code,
        heard.error,
        heard.reports,
        taken or None,
        taken is not None,
    )
