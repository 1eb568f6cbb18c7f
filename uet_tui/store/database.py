"""The SQLite file of a store: making it, recognising it, and the two ways of opening it.

`synchronous=FULL` makes a commit survive a power loss; writers begin with `BEGIN IMMEDIATE`, because a transaction
that reads first and writes after another's commit fails at once, whatever the timeout.
"""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.resources import SCHEMA
from uet_tui.store.connections import connect, keep_little
from uet_tui.store.files import make_sure
from uet_tui.store.lock import one_at_a_time
from uet_tui.store.tables import REVISION
from uet_tui.text import one_line

APPLICATION_ID: Final = 0x75657473
"""In the file's header: tells a store from any other SQLite file. It spells `uets`."""
_FIRST_TABLES: Final = frozenset({"runs", "workstreams", "attempts", "workers", "uet_events", "cost_tracking"})
"""Tables that every schema has had."""


class DamagedStoreError(UetError):
    """A store that cannot be relied on: it is to be set aside, and what it held restored."""

    def __init__(self, database: Path, why: str) -> None:
        self.why = one_line(why.removeprefix("*** in database main ***").strip())
        super().__init__(
            f"{database} is damaged ({self.why}): `uet resume` sets it aside and restores it from its last backup"
        )


def open_for_writing(database: Path) -> Engine:
    """An engine on the store, which is made or migrated first if need be; one process at a time does that.

    Raises:
        DamagedStoreError: it is one, but cannot be relied on.
        UetError: what is at `database` is no store of this or an earlier version, or the place cannot be written.
    """
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_what_is_read_only(database)
        with one_at_a_time(_beside(database, ".lock")):
            if not os.path.lexists(database):
                create_empty(database)
            _refuse_what_is_no_file(database)
            found = _look_through(database)
            connection = connect(database, "rw")
            connection.execute("PRAGMA journal_mode=WAL")  # a backup that took the store's place has none
            connection.execute("PRAGMA synchronous=FULL")
            engine = _engine(connection, "BEGIN IMMEDIATE")
            if found != REVISION:
                _migrate(engine, database, found)
            connection.execute("PRAGMA foreign_keys=ON")  # only now: a migration may make a table anew
    except OSError as error:
        raise UetError(f"cannot open the store {database}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise _cannot_be_opened(database, error) from error
    return engine


def check(database: Path) -> None:
    """Opens the store as a writer would, migrates it if need be, and closes it; raises what `open_for_writing` does."""
    engine = open_for_writing(database)
    engine.connect().close()
    engine.dispose()


def open_for_reading(database: Path) -> Engine:
    """An engine that cannot write the store.

    Raises:
        UetError: there is no store, or none that this version can read.
    """
    if not os.path.lexists(database):
        raise UetError(f"there is no run yet: {database} does not exist; `uet run` starts one")
    _refuse_what_is_no_file(database)
    connection = connect(database, "ro")
    try:
        found = _recognise(connection, database)
    except UetError:
        if _beside(database, "-wal").exists() or os.access(database.parent, os.W_OK):
            raise
        # Readers share files beside the store, and here is no place for them. Nobody writes it: all is in one file.
        connection = connect(database, "ro&immutable=1")
        found = _recognise(connection, database)
    if found != REVISION:
        connection.close()
        raise UetError(
            f"{database} was written by an older uet (schema {found}): the next `uet run` or `uet resume` renews it"
        )
    return _engine(connection, "BEGIN")


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)


def create_empty(database: Path) -> None:
    """Makes the whole store beside its place and moves it there: who dies in between leaves nothing half made.

    Raises:
        UetError: there is no room.
    """
    new = _beside(database, ".new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # SQLite would let others read it
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        connection.executescript((SCHEMA / "schema.sql").read_text("utf-8"))
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        new.unlink(missing_ok=True)
        raise _cannot_be_opened(database, error) from error
    finally:
        connection.close()
    reached("store.before-made")
    new.rename(database)
    make_sure(database.parent)
    reached("store.made")


def _migrate(engine: Engine, database: Path, found: str) -> None:
    from uet_tui.store.schema import migrate  # Alembic is slow to import and almost never needed

    reached("store.before-migration")
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise UetError(
            f"{database} could not be brought from schema {found} to {REVISION}, and is as it was: {error}"
        ) from error
    reached("store.migrated")


def _refuse_what_is_read_only(database: Path) -> None:
    there = [path for path in (database.parent, database) if path.exists()]
    if not all(os.access(path, os.W_OK) for path in there):
        raise UetError(f"{database} is read-only: make it and its folder writable (chmod u+w), or work on a copy")


def _refuse_what_is_no_file(database: Path) -> None:
    """Looks without opening: SQLite's locks on a file go when its process closes any descriptor of it."""
    found = database.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise UetError(f"{database} is not a regular file: move it away, or put the store itself there")
    if found.st_size == 0:
        raise DamagedStoreError(database, "it is empty")


def _recognise(connection: sqlite3.Connection, database: Path) -> str:
    """The schema that the store is at; closes the connection if it is refused."""
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        ours = application == APPLICATION_ID
        row = connection.execute("SELECT version_num FROM schema_meta").fetchone() if ours else None
    except sqlite3.DatabaseError as error:
        connection.close()
        if _not_its_fault(error):
            raise _cannot_be_opened(database, error) from error
        raise DamagedStoreError(database, str(error)) from error
    if ours and row is None:
        connection.close()
        raise DamagedStoreError(database, "it does not say of which schema it is")
    if row is None:
        connection.close()
        raise UetError(f"{database} is no store of uet, but another program's: move it away")
    found = str(row[0])
    if found > REVISION:
        connection.close()
        raise UetError(f"{database} was written by a newer uet (schema {found}; this one knows {REVISION}): upgrade")
    return found


def _look_through(database: Path) -> str:
    """Looks through the whole store, 6 ms a megabyte, and gives the schema that it is at.

    A connection that cannot write does it: closing one that can would take the log of a damaged store into it.
    """
    connection = connect(database, "ro")
    found = _recognise(connection, database)
    try:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        if _not_its_fault(error):
            raise _cannot_be_opened(database, error) from error
        said, there = str(error), set(_FIRST_TABLES)
    finally:
        connection.close()
    missing = sorted(_FIRST_TABLES - there)
    if said != "ok" or missing:
        raise DamagedStoreError(database, said if said != "ok" else f"it has no table {missing[0]}")
    return found


def _cannot_be_opened(database: Path, error: sqlite3.Error) -> UetError:
    return UetError(f"{database} cannot be opened ({error}): is its folder writable, and is there room?")


def _not_its_fault(error: sqlite3.DatabaseError) -> bool:
    """Whether an error says nothing of the file itself: a lock, a full disk, a place that cannot be written."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
    )


def _engine(connection: sqlite3.Connection, begin: str) -> Engine:
    keep_little(connection)
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
