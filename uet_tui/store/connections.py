"""Opening the SQLite file of a store."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

_BUSY_SECONDS = 10.0


def connect(database: Path, mode: str) -> sqlite3.Connection:
    """A connection: `mode` is SQLite's `ro` or `rw`, perhaps with more of its parameters."""
    return sqlite3.connect(
        f"file:{quote(str(database.absolute()))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions begin where they are said to, not where the driver guesses
        check_same_thread=False,  # one thread at a time, but not always the same
    )
