"""The SQLite file of a store: making it, recognising it, and the two ways of opening it.

`synchronous=FULL` makes a commit survive a power loss; writers begin with `BEGIN IMMEDIATE`, because a transaction
that reads first and writes after another's commit fails at once, whatever the timeout.
"""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from uet_tui.errors import UetError
from uet_tui.resources import SCHEMA
from uet_tui.store.lock import one_at_a_time
from uet_tui.store.tables import REVISION

APPLICATION_ID: Final = 0x75657473
"""In the file's header: tells a store from any other SQLite file. It spells `uets`."""
_BUSY_SECONDS = 10.0


def open_for_writing(database: Path) -> Engine:
    """An engine on the store, which is made or migrated first if need be; one process at a time does that.

    Raises:
        UetError: what is at `database` is no store of this or an earlier version, or the place cannot be written.
    """
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with one_at_a_time(_beside(database, ".lock")):
            if not os.path.lexists(database):
                _create(database)
            _refuse_what_is_no_file(database)
            connection = _connect(database, "rw")
            found = _recognise(connection, database)
            connection.execute("PRAGMA synchronous=FULL")
            engine = _engine(connection, "BEGIN IMMEDIATE")
            if found != REVISION:
                _migrate(engine, database, found)
            connection.execute("PRAGMA foreign_keys=ON")  # only now: a migration may make a table anew
    except OSError as error:
        raise UetError(f"cannot open the store {database}: {error.strerror}") from error
    return engine


def open_for_reading(database: Path) -> Engine:
    """An engine that cannot write the store.

    Raises:
        UetError: there is no store, or none that this version can read.
    """
    if not os.path.lexists(database):
        raise UetError(f"there is no run yet: {database} does not exist; `uet run` starts one")
    _refuse_what_is_no_file(database)
    connection = _connect(database, "ro")
    try:
        found = _recognise(connection, database)
    except UetError:
        if _beside(database, "-wal").exists() or os.access(database.parent, os.W_OK):
            raise
        # Readers share files beside the store, and here is no place for them. Nobody writes it: all is in one file.
        connection = _connect(database, "ro&immutable=1")
        found = _recognise(connection, database)
    if found != REVISION:
        connection.close()
        raise UetError(
            f"{database} was written by an older uet (schema {found}): the next `uet run` or `uet resume` renews it"
        )
    return _engine(connection, "BEGIN")


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)


def _create(database: Path) -> None:
    """Makes the whole store beside its place and moves it there: who dies in between leaves nothing half made."""
    new = _beside(database, ".new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # SQLite would let others read it
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        connection.executescript((SCHEMA / "schema.sql").read_text("utf-8"))
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
    new.rename(database)
    folder = os.open(database.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _migrate(engine: Engine, database: Path, found: str) -> None:
    from uet_tui.store.schema import migrate  # Alembic is slow to import and almost never needed

    try:
        migrate(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise UetError(
            f"{database} could not be brought from schema {found} to {REVISION}, and is as it was: {error}"
        ) from error


def _refuse_what_is_no_file(database: Path) -> None:
    """Looks without opening: SQLite's locks on a file go when its process closes any descriptor of it."""
    found = database.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise UetError(f"{database} is not a regular file: move it away, or put the store itself there")
    if found.st_size == 0:
        raise UetError(f"{database} is empty, so it is no store of uet: move it away")


def _connect(database: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(database.absolute()))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions begin where they are said to, not where the driver guesses
        check_same_thread=False,  # one thread at a time, but not always the same
    )


def _recognise(connection: sqlite3.Connection, database: Path) -> str:
    """The schema that the store is at; closes the connection if it is refused."""
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        row = connection.execute("SELECT version_num FROM schema_meta").fetchone() if application else None
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UetError(f"{database} cannot be read as a store of uet ({error}): move it away") from error
    if application != APPLICATION_ID or row is None:
        connection.close()
        raise UetError(f"{database} is no store of uet, but another program's: move it away")
    found = str(row[0])
    if found > REVISION:
        connection.close()
        raise UetError(f"{database} was written by a newer uet (schema {found}; this one knows {REVISION}): upgrade")
    return found


def _engine(connection: sqlite3.Connection, begin: str) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
