"""Freeing disk: which sandboxes nobody needs any more, and taking them away.

Nothing that an agent wrote is deleted unless it is merged: a sandbox goes only when its run is over, the last attempt
in it is merged, and nothing is in it beside what that attempt's commit holds.
"""

import getpass
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace

from uet_tui import folders
from uet_tui.core import vocabulary
from uet_tui.core.changes import Changes, NewEvent
from uet_tui.core.records import Records
from uet_tui.core.states import RUN_OVER, WorkstreamState
from uet_tui.engine.metering import size
from uet_tui.errors import RunLockedError, UetError
from uet_tui.store import inbox
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home, RunPaths
from uet_tui.store.writer import Writer
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Place:
    """One sandbox of a run."""

    run: str
    name: str
    """The number of its worker; `queue` is the merge queue's."""
    bytes: int
    """What it takes on disk, with the homes of the agents that worked in it."""
    merged: bool
    """Whether the last attempt in it is merged."""
    dirty: bool
    """Whether something is in it that is in no commit."""
    kept: str
    """Why it is not removed; empty if it may be."""


def survey(home: Home, operator: OperatorRepository, runs: Sequence[str]) -> list[Place]:
    """All sandboxes of some runs; looks only.

    Raises:
        UetError: the store cannot be read.
    """
    with (
        closing(Writer(home.database)) as writer,
        ControlRepository.open_or_create(home.control, operator) as control,
    ):
        return [place for run in runs for place in _of_run(home.run(run), writer.load(run), control)]


def remove(home: Home, operator: OperatorRepository, places: Sequence[Place]) -> list[Place]:
    """Takes away those that may go; gives all, as they were found once nobody else could have the run.

    Each run that lost something tells so in an event. What is in use by now is kept, and says so.
    """
    found: list[Place] = []
    for run in dict.fromkeys(place.run for place in places):
        mine = {place.name for place in places if place.run == run and not place.kept}
        if not mine:
            found += [place for place in places if place.run == run]
            continue
        with ExitStack() as stack:
            try:
                lock = stack.enter_context(RunLock.acquire(home.run(run)))
            except RunLockedError as error:
                found += [replace(place, kept=str(error)) for place in places if place.run == run]
                continue
            found += _remove(home, operator, run, mine, lock)
    return found


def _remove(home: Home, operator: OperatorRepository, run: str, names: set[str], _lock: RunLock) -> Iterator[Place]:
    paths = home.run(run)
    with (
        closing(Writer(home.database)) as writer,
        ControlRepository.open_or_create(home.control, operator) as control,
    ):
        records = writer.load(run)
        gone = []
        for place in _of_run(paths, records, control, locked=True):
            if place.name in names and not place.kept:
                _sandbox(paths, place.name, control).remove()
                paths.ready(place.name).unlink(missing_ok=True)
                with suppress(OSError):
                    folders.remove(str(paths.homes(place.name)))
                gone.append(place)
            yield place
        if gone:
            _tell(writer, run, gone)


def _tell(writer: Writer, run: str, gone: Sequence[Place]) -> None:
    by, freed = _login(), sum(place.bytes for place in gone)
    names = ", ".join(place.name for place in gone)
    data: Mapping[str, object] = {
        "by": by, "source": f"cli:{os.getpid()}", "verb": "clean", "ok": True, "bytes": freed
    }  # fmt: skip
    text = f"{by}: clean: sandboxes {names} removed, {freed / 1e6:.1f} MB"
    token = secrets.token_hex(8)
    writer.claim(run, token, os.getpid())
    writer.commit(run, token, Changes(events=[NewEvent(time.time(), vocabulary.OPERATOR_COMMAND, text, data=data)]))
    writer.release(run, token)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in a container
        return str(os.getuid())


def _of_run(paths: RunPaths, records: Records, control: ControlRepository, *, locked: bool = False) -> Iterator[Place]:
    over = records.run.state in RUN_OVER and (locked or not inbox.held(paths))
    for folder in sorted(paths.sandbox(1).parent.glob("*")):
        if folder.is_symlink() or not folder.is_dir():
            continue
        taken = size(str(folder)) + size(str(paths.homes(folder.name)))
        merged, commit = _last(records, folder.name)
        dirty = over and _dirty(_sandbox(paths, folder.name, control), commit)
        kept = "" if over else f"the run is {records.run.state.value}"
        kept = kept or ("" if merged else "its last attempt is not merged")
        kept = kept or ("something in it is in no commit" if dirty else "")
        yield Place(records.run.id, folder.name, taken, merged, dirty, kept)


def _last(records: Records, name: str) -> tuple[bool, str]:
    """Whether what was last done in a sandbox is merged, and the commit that should be in it."""
    attempts = [one for one in records.attempts.values() if str(one.worker) == name]
    if not attempts:  # no agent's: the merge queue's own
        return all(ws.state is WorkstreamState.MERGED for ws in records.workstreams.values()), records.run.tip
    last = max(attempts, key=lambda one: one.created_at)
    workstream = records.workstreams[last.workstream]
    merged = workstream.state is WorkstreamState.MERGED and workstream.attempts == last.number
    return merged, last.commit or last.base_commit


def _dirty(sandbox: Sandbox, commit: str) -> bool:
    """Whether it holds what the commit does not; what cannot be looked into is taken to hold something."""
    try:
        return sandbox.holds_unsaved(commit)
    except (UetError, OSError):
        return True


def _sandbox(paths: RunPaths, name: str, control: ControlRepository) -> Sandbox:
    return Sandbox(control, paths.sandbox(name), paths.index(name))
