"""Copies of the store, made while it is written: at the start of a run, every few merges, and at its end.

`VACUUM INTO` makes them, over a connection of its own that only reads: it never holds the writer up, and it reads every
row, so that a damaged store gives an error and never a damaged copy in the place of a good one. What it leaves is one
small file without a log. With 11 MB it takes 140 ms; the backup interface takes 240 ms and copies damage as it is.
"""

import logging
import os
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.store.connections import connect, keep_little
from uet_tui.store.files import make_sure

_log = logging.getLogger(__name__)

KEPT: Final = 3
"""How many copies are kept, the newest ones."""
_ENDING: Final = ".db"
_EVERY: Final = 5
"""Merges after which another copy is made."""


def backups_of(database: Path) -> Path:
    """The folder of the copies of a store."""
    return database.parent / "backups"


def newest_first(database: Path) -> list[Path]:
    """The copies that there are. They are numbered: a clock may be set back."""
    found = [path for path in backups_of(database).glob(f"*{_ENDING}") if path.stem.isdecimal()]
    return sorted(found, key=lambda path: int(path.stem), reverse=True)


def back_up(database: Path) -> Path:
    """Copies the store as it is now; who dies meanwhile leaves the copies as they were.

    Raises:
        UetError: it cannot be read, or there is no room.
    """
    folder = backups_of(database)
    part = folder / f"part.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.glob("part.*"):
            left.unlink(missing_ok=True)
        if shutil.disk_usage(folder).free < 2 * database.stat().st_size:
            raise UetError(f"there is no room for a backup of {database}: make some")
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # SQLite would let others read it
        reached("backup.begun")
        with closing(connect(database, "ro")) as connection:
            keep_little(connection)
            connection.execute("VACUUM INTO ?", (str(part),))
        make_sure(part)
        known = newest_first(database)
        number = int(known[0].stem) + 1 if known else 1
        made = part.rename(folder / f"{number:06d}{_ENDING}")
        make_sure(folder)
        reached("backup.made")
        for old in known[KEPT - 1 :]:
            old.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise UetError(f"the store {database} could not be backed up: {error}") from error
    return made


class Backups:
    """Makes copies in a thread of its own; what is asked for while one is made comes to one more."""

    def __init__(self, database: Path) -> None:
        """`database` is the store."""
        self._database = database
        self._merges = 0
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="uet-backups", daemon=True)

    def start(self) -> None:
        """Begins, with a first copy."""
        self._thread.start()
        self._wanted.set()

    def merged(self, count: int) -> None:
        """Says that so many workstreams were merged."""
        self._merges += count
        if self._merges >= _EVERY:
            self._merges = 0
            self._wanted.set()

    def close(self) -> None:
        """Makes a last copy and ends the thread."""
        if self._thread.is_alive():
            self._closing = True
            self._wanted.set()
            self._thread.join()

    def _work(self) -> None:
        closing = False
        while not closing:
            self._wanted.wait()
            self._wanted.clear()
            closing = self._closing  # asked before the copy: what was committed since then is in the next one
            try:
                back_up(self._database)
            except UetError as error:
                _log.warning("%s", error)  # the run goes on without: the next one may be made
