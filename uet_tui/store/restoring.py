"""Setting a damaged store aside and restoring it from its last backup. Nothing is deleted, and nothing is silent.

The restored store is made whole beside its place, with an event in it for each run that tells of it, and takes the
place in one step: whoever dies in between leaves a store that is still damaged, and the next try begins anew.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, insert, select, update

from uet_tui.core import vocabulary
from uet_tui.core.states import RUN_OVER
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.store.backups import newest_first
from uet_tui.store.database import DamagedStoreError, check, create_empty, open_for_writing
from uet_tui.store.files import make_sure
from uet_tui.store.lock import held, one_at_a_time
from uet_tui.store.paths import Home
from uet_tui.store.tables import EVENTS, RUNS

_LOGS = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """A store that was restored."""

    text: str
    """What happened, in one line for the operator."""
    aside: Path
    """Where the damaged one is."""
    backup: Path | None
    """What it was restored from; None: there was no backup, and it is empty."""


def restore_if_damaged(home: Home) -> Restored | None:
    """Makes sure that the store can be relied on: restores it where it is damaged, and says so.

    Raises:
        UetError: it is none of uet's, of a newer schema or read-only, or an orchestrator has a run of it.
    """
    try:
        check(home.database)
    except DamagedStoreError as damage:
        with one_at_a_time(home.database.with_name("restoring.lock")):
            try:  # another may have restored it while this one waited
                check(home.database)
            except DamagedStoreError:
                return _restore(home, damage.why)
    return None


def _restore(home: Home, why: str) -> Restored:
    database = home.database
    for lock in home.folder.glob("runs/*/lock"):
        if held(lock):
            raise UetError(f"{database} is damaged ({why}), and run {lock.parent.name} goes on in it: end that first")
    new = database.with_name("restoring.db")
    backup = _newest_sound(database, new)
    aside = _free_name(database)
    told = f"the store was damaged ({why}): it is set aside as {aside.name} and restored "
    if backup is None:
        told += "without a backup, since there is none that is sound"
    else:
        told += f"from its backup of {datetime.fromtimestamp(backup.stat().st_mtime, UTC):%Y-%m-%d %H:%M:%S} UTC"
    told += "; what came after that is read from the folders of attempts and the integration branch"
    _put_on_record(open_for_writing(new), told)
    new.with_name(f"{new.name}.lock").unlink(missing_ok=True)
    make_sure(new)
    reached("restore.copied")
    os.link(database, aside)
    for ending in _LOGS:  # a log that is left would be taken for the new store's
        log = database.with_name(database.name + ending)
        if log.exists():
            log.rename(aside.with_name(aside.name + ending))
    reached("restore.set-aside")
    new.rename(database)
    make_sure(database.parent)
    reached("restore.done")
    return Restored(told, aside, backup)


def _newest_sound(database: Path, new: Path) -> Path | None:
    """Copies the newest backup that can be relied on to `new`, or makes an empty store there."""
    for backup in newest_first(database):
        _clear(new)
        shutil.copyfile(backup, new)
        new.chmod(0o600)
        try:
            check(new)
        except UetError:
            continue
        return backup
    _clear(new)
    create_empty(new)
    return None


def _clear(new: Path) -> None:
    for ending in ("", *_LOGS):
        new.with_name(new.name + ending).unlink(missing_ok=True)


def _free_name(database: Path) -> Path:
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = (f"{database.name}.corrupt-{stamp}{more}" for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(path for path in map(database.with_name, names) if not os.path.lexists(path))


def _put_on_record(engine: Engine, told: str) -> None:
    """Tells every run that goes on."""
    with engine.begin() as connection:
        for run in connection.execute(select(RUNS.c.id).where(RUNS.c.state.not_in([*RUN_OVER]))).scalars().all():
            connection.execute(update(RUNS).where(RUNS.c.id == run).values(revision=RUNS.c.revision + 1))
            connection.execute(
                insert(EVENTS).values(
                    run=run,
                    time=datetime.now(UTC),
                    type=vocabulary.STORE_RESTORED,
                    severity="warning",
                    text=told,
                    data={},
                )
            )
    engine.dispose()
