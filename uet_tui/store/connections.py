"""Opening the SQLite file of a store."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

_BUSY_SECONDS = 10.0
_CACHE_KIBIBYTES = 512
"""A quarter of what SQLite would keep."""


def connect(database: Path, mode: str) -> sqlite3.Connection:
    """A connection: `mode` is SQLite's `ro` or `rw`, perhaps with more of its parameters."""
    return sqlite3.connect(
        f"file:{quote(str(database.absolute()))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions begin where they are said to, not where the driver guesses
        check_same_thread=False,  # one thread at a time, but not always the same
    )


def keep_little(connection: sqlite3.Connection) -> None:
    """Has a connection keep little of the file, which the system has at hand anyway: else it grows while a run does.

    Raises:
        sqlite3.DatabaseError: this is no store, or it is damaged.
    """
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIBIBYTES}")
