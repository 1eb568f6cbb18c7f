"""Comparing the operator's repository before and after agents work, or gates run what they wrote, and what follows.

What git obeys (configuration, hooks, attributes, alternates): an attempt that ran meanwhile and that nothing confined
is quarantined, for it may have done it, and what an agent made of a conflict is refused; nothing is landed as long as
it is so. A ref that was moved is told only: operators commit while a run goes on.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from uet_tui.core import vocabulary
from uet_tui.core.events import Event, Noted
from uet_tui.engine.confining import confines_all, how_confined, may_do_without
from uet_tui.engine.processes import end_carrying
from uet_tui.engine.workplace import QUEUE, Workplace
from uet_tui.store.files import open_regular, write_whole
from uet_tui.workspace.tampering import Watched, compare, watched

_MOST = 1 << 24
"""Bytes of a look that is on disk."""
_GATES = "gates"
"""The name of the look that is taken before gates run."""
_ON_DISK = 32
"""Looks that stay on disk though nothing had changed: what came of them may not be on record yet."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An agent at work, which may change what it has no business with."""

    workstream: str
    attempt: int
    """Its own, or the one whose result is in conflict."""
    conflict: str = ""
    """The conflict that it was asked about; empty where it is at an attempt."""
    ask: int = 0
    agent: str = ""
    """Who was asked."""

    @property
    def name(self) -> str:
        """What no other has in this run."""
        return f"{self.conflict}.ask-{self.ask}" if self.conflict else f"{self.workstream}.{self.attempt}"

    @property
    def working(self) -> str:
        """What it did meanwhile, as a clause."""
        if self.conflict:
            return f"agent {self.agent} was at conflict {self.conflict}"
        return f"{self.workstream} attempt {self.attempt} ran"


def look_before(place: Workplace, suspect: Suspect) -> None:
    """Keeps what the operator's repository is like before an agent starts, where whoever looks after it finds that.

    In memory, for an agent that nothing confines can reach the file; and there, for whoever resumes the run.
    """
    look = place.looks[suspect.name] = watched(place.operator)
    _keep(place, suspect.name, look)
    done = [name for name, look in list(place.looks.items()) if look is None]
    for name in done[:-_ON_DISK]:
        _kept(place, name).unlink(missing_ok=True)
        place.looks.pop(name, None)


def look_after(place: Workplace, suspect: Suspect, told: set[str], *, confined: bool) -> tuple[str, list[Noted]]:
    """What was changed since an agent was started.

    Args:
        place: the run.
        suspect: the agent.
        told: what was told of refs before, by anybody; what is told now is added.
        confined: whether all that ran was in a sandbox, and cannot have done it.

    Returns:
        why its work is not to be taken, empty if it may be; and what the operator is to be told.
    """
    name, ws, number = suspect.name, suspect.workstream, suspect.attempt
    kept = _kept(place, name)
    before = place.looks[name] if name in place.looks else _read(kept)
    if before is None:
        if name in place.looks or not _began(place, suspect):
            return "", []
        gone = f"{kept}, which tells what your repository was like before {suspect.working}, is gone or spoiled"
        if confined or not kept.parent.exists():  # without it, an earlier version of uet began the run
            return "", [Noted(vocabulary.REPOSITORY_CHANGED, gone, "warning", ws, None, number)]
        text = f"{gone}: look at its hooks and its configuration before you use git there"
        return f"{gone}, and it may have done that", [
            Noted(vocabulary.REPOSITORY_CHANGED, text, "error", ws, None, number)
        ]
    now = watched(place.operator)
    found = compare(before, now)
    notes = []
    news = [ref for ref in found.refs if ref not in told]
    told.update(news)
    if news:
        text = f"while {suspect.working}, refs of your repository changed: {'; '.join(news[:5])}"
        notes.append(Noted(vocabulary.REPOSITORY_CHANGED, text, "info", ws, None, number))
    if not found.files:
        place.looks[name] = None
        return "", notes
    changed, severity, text = _judged(place, found.files, now, suspect.working, confined=confined)
    notes.append(Noted(vocabulary.REPOSITORY_CHANGED, text, severity, ws, None, number))
    return "" if confined else f"{changed}, and it may have done that", notes


def _judged(
    place: Workplace, files: Sequence[str], now: Watched, working: str, *, confined: bool
) -> tuple[str, str, str]:
    """What was changed, how grave that is, and what is told of it; what nobody confined stands until it is put back."""
    top = place.operator.common_dir
    changed = f"{', '.join(str(top / name) for name in files[:5])} changed while {working}"
    if confined:
        return changed, "warning", f"{changed}; it was confined and cannot have done it"
    standing = _standing(place) | {name: now.files.get(name, "") for name in files}
    write_whole(place.paths.tampered, json.dumps(standing).encode())
    told = f"{changed}: git may run what is written there. Look at it, and put it back if it was not you"
    return changed, "error", told


@contextmanager
def gates_watched(place: Workplace, where: str, report: Callable[[Event], None]) -> Iterator[None]:
    """Tells what is changed while gates run what agents wrote, and keeps it from being landed.

    Args:
        place: the run.
        where: where they run, as the end of a sentence.
        report: takes what the operator is to be told.
    """
    confined = confines_all(place) and bool(how_confined(place)) and not may_do_without(place)
    before = place.looks.get(_GATES) or watched(place.operator)  # what could not be told the last time stands
    place.looks[_GATES] = before
    if not confined:  # they may kill who looks, too
        with suppress(OSError):
            _keep(place, _GATES, before)
    try:
        yield
    finally:
        for note in _changed_by_gates(place, before, where, confined=confined):
            report(note)
        place.looks.pop(_GATES, None)
        _drop(_kept(place, _GATES))


def left_by_gates(place: Workplace) -> Iterator[Noted]:
    """What was changed while gates ran until the orchestrator died that ran them, unless they hid that they ran.

    To be asked before anything of the run goes on.
    """
    kept = _kept(place, _GATES)
    before = _read(kept)
    if before is not None:
        end_carrying(place.cookie_of_gates(place.paths.sandbox(QUEUE).name))
        yield from _changed_by_gates(place, before, "when the orchestrator died", confined=False)
        _drop(kept)


def _changed_by_gates(place: Workplace, before: Watched, where: str, *, confined: bool) -> Iterator[Noted]:
    now = watched(place.operator)
    files = compare(before, now).files
    if files:
        _, severity, text = _judged(place, files, now, f"gates ran {where}", confined=confined)
        yield Noted(vocabulary.REPOSITORY_CHANGED, text, severity)


def tampered(place: Workplace) -> str:
    """Why nothing may be landed: what an agent may have changed, and still is so; empty if nothing is."""
    standing = _standing(place)
    now = watched(place.operator).files
    left = [name for name, mark in sorted(standing.items()) if now.get(name, "") == mark]
    if not left:
        return ""
    names = ", ".join(str(place.operator.common_dir / name) for name in left)
    return (
        f"{names} changed while an agent ran, and git would run what is written there: put it back, "
        f"or if it was you, remove {place.paths.tampered}"
    )


def _keep(place: Workplace, name: str, look: Watched) -> None:
    path = _kept(place, name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(path, json.dumps(asdict(look)).encode())


def _drop(kept: Path) -> None:
    with suppress(OSError):  # whatever somebody made of it: it is no look any more
        kept.unlink(missing_ok=True)


def _kept(place: Workplace, name: str) -> Path:
    return place.paths.guard / f"{name}.json"


def _began(place: Workplace, suspect: Suspect) -> bool:
    """Whether an agent was started: what went wrong before that did so before anybody looked."""
    asked = suspect.conflict and place.paths.ask(suspect.conflict, suspect.ask)
    return ((asked or place.paths.attempt(suspect.workstream, suspect.attempt)) / "start.json").exists()


def _standing(place: Workplace) -> dict[str, str]:
    file = open_regular(place.paths.tampered)
    if file is not None:
        with file, suppress(ValueError, AttributeError, TypeError, RecursionError):
            return {str(name): str(mark) for name, mark in json.loads(file.read(_MOST)).items()}
    return {}


def _read(path: Path) -> Watched | None:
    file = open_regular(path)
    if file is not None:
        with file, suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            told = json.loads(file.read(_MOST))
            return Watched(*({str(name): str(mark) for name, mark in told[part].items()} for part in ("files", "refs")))
    return None
