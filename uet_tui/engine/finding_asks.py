"""Asks that the records know nothing of: what they used counts, and what they made belongs to no conflict any more.

The number of a conflict or an ask must not be used again while such a folder is there: its answer would be taken for
that of another.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from uet_tui.core.catching_up import FoundAsk
from uet_tui.core.records import AskRecord, ConflictRecord, Records
from uet_tui.engine import attempts, liveness
from uet_tui.engine.hearing import Hearing
from uet_tui.engine.workplace import Workplace
from uet_tui.store.files import open_regular, write_whole

FACTS: Final = "ask.json"
"""In an ask's folder: what is on record of it as its agent is about to be started."""
_LARGEST: Final = 1 << 16
"""Bytes of such facts that are read."""
OBJECT: Final = re.compile("[0-9a-f]{40,64}")
"""The name of an object."""
_NUMBER: Final = re.compile("[0-9]{1,9}")
"""A number as uet gives them: a store takes no such one as an agent could think of."""
_OF_CONFLICT: Final = ("workstream", "ours_commit", "theirs_commit")
_OF_ASK: Final = ("agent", "model", "provider")
_MARGIN: Final = 5.0
"""Seconds beyond its time of grace that a keeper may take to end its tree."""
_LOOK: Final = 0.02


def keep_facts(folder: Path, conflict: ConflictRecord, number: int) -> None:
    """Writes what a store that lost the ask would have to know."""
    ask = conflict.ask(number)
    facts: dict[str, object] = {name: getattr(conflict, name) for name in _OF_CONFLICT}
    facts |= {name: getattr(ask, name) for name in _OF_ASK} | {"attempt": conflict.attempt}
    write_whole(folder / FACTS, json.dumps(facts).encode())


def read_facts(path: Path) -> dict[str, Any]:
    """What a file of facts holds, which others can reach; nothing where it makes no sense."""
    file = open_regular(path)
    if file is None:
        return {}
    with file:
        data = file.read(_LARGEST)
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def asks(place: Workplace, records: Records) -> Iterator[FoundAsk]:
    """The asks beyond the records, ended for good: nobody waits for what they make."""
    for folder in sorted(place.paths.conflict("").glob("c*/ask-*")):
        conflict, number = folder.parent.name, folder.name.removeprefix("ask-")
        if not (_NUMBER.fullmatch(conflict[1:]) and _NUMBER.fullmatch(number)):
            continue
        known = records.conflicts.get(conflict)
        if known is None or known.asks < int(number):
            _end_for_good(folder, place.settings.grace_seconds)
            told = read_facts(folder / FACTS)
            if _sane(place, records, told):
                yield _found(place, folder, conflict, int(number), told)


def _found(place: Workplace, folder: Path, conflict: str, number: int, told: dict[str, Any]) -> FoundAsk:
    ended = attempts.ended(folder) or attempts.Ended(None, "lost", 0.0)
    reports = Hearing(place, told["agent"], told["model"], folder).end(ended).reports
    ask = AskRecord(number, *(told[name] for name in _OF_ASK))
    workstream, ours, theirs = (told[name] for name in _OF_CONFLICT)
    return FoundAsk(conflict, ask, workstream, ours, theirs, told["attempt"], reports)


def _sane(place: Workplace, records: Records, told: dict[str, Any]) -> bool:
    return (
        all(isinstance(text := told.get(name), str) and text.isprintable() for name in (*_OF_CONFLICT, *_OF_ASK))
        and all(OBJECT.fullmatch(told[name]) for name in ("ours_commit", "theirs_commit"))
        and _NUMBER.fullmatch(str(told.get("attempt"))) is not None
        and isinstance(told["attempt"], int)
        and told["workstream"] in records.workstreams
        and told["agent"] in place.settings.agents
    )


def _end_for_good(folder: Path, grace_seconds: float) -> None:
    """Ends the agent, through its keeper if that can still do it; no keeper can begin it afterwards."""
    attempts.kill(folder)
    end = time.monotonic() + grace_seconds + _MARGIN
    while not liveness.prove_dead(folder) and time.monotonic() < end:
        if liveness.orphaned(folder):
            attempts.end_now(folder)
        time.sleep(_LOOK)
