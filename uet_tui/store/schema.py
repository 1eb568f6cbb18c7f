"""The schema as the migrations make it. `python -m uet_tui.store.schema` prints what `schema/schema.sql` must hold."""

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, StaticPool, create_engine

from uet_tui.resources import SCHEMA
from uet_tui.store.database import APPLICATION_ID
from uet_tui.store.tables import SCHEMA_META


def migrate(engine: Engine, scripts: Path = SCHEMA / "migrations") -> None:
    """Brings the store to the newest schema, in one transaction. Foreign keys must be off meanwhile."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def dump() -> str:
    """All migrations from nothing, as one SQL script that makes a store."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool))
    made = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name"
    ).fetchall()
    revisions = connection.execute("SELECT version_num FROM schema_meta").fetchall()
    connection.close()
    parts = [
        "-- What schema/migrations amount to; `python -m uet_tui.store.schema` prints it. A new store is made from it."
    ]
    parts += [f"PRAGMA application_id = {APPLICATION_ID};", "BEGIN;"]
    parts += ["\n".join(line.rstrip() for line in sql.splitlines()) + ";" for (sql,) in made]
    parts += [f"INSERT INTO {SCHEMA_META.name} VALUES ('{revision}');" for (revision,) in revisions]  # noqa: S608 - both are ours
    return "\n\n".join([*parts, "COMMIT;"]) + "\n"


if __name__ == "__main__":
    print(dump(), end="")  # noqa: T201 - a generator for `schema/schema.sql`, not part of the command line
