"""The migrations, the tables that the code writes, and the script that new stores are made from are one schema."""

import shutil
import sqlite3
from inspect import signature
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, insert

from tests.store import samples
from uet_tui.core import changes, records
from uet_tui.errors import UetError
from uet_tui.resources import SCHEMA
from uet_tui.store import database, rows, schema, tables
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.tables import METADATA
from uet_tui.store.writer import Writer

NAMES = (
    "runs workstreams attempts workers providers uet_events cost_tracking merge_conflicts merge_forecast gate_results "
    "execution_checkpoints operator_commands schema_meta"
)


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(SCHEMA / "migrations"))
    return ScriptDirectory.from_config(config)


def test_the_script_for_new_stores_is_what_the_migrations_amount_to() -> None:
    assert schema.dump() == (SCHEMA / "schema.sql").read_text(), "python -m uet_tui.store.schema > schema/schema.sql"


def test_the_tables_that_the_code_knows_are_those_of_the_migrations() -> None:
    assert sorted(METADATA.tables) == sorted(NAMES.split())
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.connection.executescript((SCHEMA / "schema.sql").read_text())
        # not defaults: columns that came later have one for the rows before them; the code writes every column
        options = {"version_table": "schema_meta", "compare_type": True, "compare_server_default": False}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
    engine.dispose()


def test_the_revision_that_the_code_expects_is_the_newest_and_they_sort_as_they_follow() -> None:
    revisions = [script.revision for script in scripts().walk_revisions()][::-1]
    assert revisions[-1] == tables.REVISION
    assert revisions == sorted(revisions)


@pytest.mark.parametrize(
    ("record", "table", "more"),
    [
        (records.RunRecord, tables.RUNS, {"owner_token", "owner_pid", "revision"}),
        (records.WorkstreamRecord, tables.WORKSTREAMS, {"run", "declaration"}),
        (records.AttemptRecord, tables.ATTEMPTS, {"run"}),
        (records.WorkerRecord, tables.WORKERS, {"run"}),
        (records.ConflictRecord, tables.CONFLICTS, {"run"}),
        (records.PairRecord, tables.PAIRS, {"run"}),
        (records.ProviderRecord, tables.PROVIDERS, {"run"}),
        (changes.NewEvent, tables.EVENTS, {"run", "id"}),
        (changes.CostEntry, tables.COSTS, {"run", "id"}),
        (records.GateEntry, tables.GATES, {"run", "id"}),
    ],
)
def test_a_table_has_a_column_for_every_field_of_its_record(record: type, table: Table, more: set[str]) -> None:
    assert set(table.c.keys()) == set(signature(record).parameters) | more


NEXT = """
from alembic import op
import sqlalchemy as sa
revision = "next"
down_revision = "{newest}"
def upgrade():
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("colour", sa.String(), nullable=False, server_default="blue"))
        table.alter_column("schedule", new_column_name="order")
    op.execute("INSERT INTO schema_meta SELECT 'x' WHERE {fails}")
"""


@pytest.fixture
def with_next(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in a version of the program that has one migration more; returns where to write that."""
    writer = Writer(home.database)
    writer.create_run(samples.records(), samples.plan())
    writer.close()
    copied = tmp_path / "scripts with 100% odd name"
    shutil.copytree(SCHEMA / "migrations", copied)
    monkeypatch.setattr(schema.migrate, "__defaults__", (copied,))
    monkeypatch.setattr(database, "REVISION", "next")
    return copied / "versions" / "next.py"


def read(home: Home, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(home.database)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def test_an_older_store_is_migrated_and_keeps_every_row_that_points_to_a_changed_one(
    home: Home, with_next: Path
) -> None:
    with_next.write_text(NEXT.format(newest=tables.REVISION, fails="0"))
    Writer(home.database).close()
    assert read(home, "SELECT version_num FROM schema_meta") == [("next",)]
    assert read(home, 'SELECT id, colour, "order" FROM runs') == [("run-1", "blue", "eager")]
    assert read(home, "SELECT count(*) FROM workstreams") == [(4,)]
    assert read(home, "PRAGMA foreign_key_check") == []


def test_a_migration_that_fails_leaves_the_store_as_it_was(home: Home, with_next: Path) -> None:
    with_next.write_text(NEXT.format(newest=tables.REVISION, fails="no_such_column"))
    with pytest.raises(UetError, match=f"could not be brought from schema {tables.REVISION} to next"):
        Writer(home.database)
    assert read(home, "SELECT version_num FROM schema_meta") == [(tables.REVISION,)]
    assert read(home, "SELECT count(*) FROM workstreams") == [(4,)]
    with pytest.raises(sqlite3.OperationalError, match="colour"):
        read(home, "SELECT colour FROM runs")


def older(home: Home, scripts: Path, revision: str) -> Engine:
    """An empty store as an older version of the program made it."""
    shutil.copytree(SCHEMA / "migrations", scripts)
    for script in scripts.glob("versions/*.py"):
        if script.name[:4] > revision:
            script.unlink()
    home.folder.mkdir()
    engine = create_engine(f"sqlite:///{home.database}")
    schema.migrate(engine, scripts)
    return engine


def insert_what_fits(connection: Connection, *rows: tuple[Table, dict[str, object]]) -> None:
    """Inserts rows without the columns that an older store does not have."""
    for table, row in rows:
        there = {found[1] for found in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}
        connection.execute(insert(table), {name: value for name, value in row.items() if name in there})


def test_a_store_of_the_first_schema_is_brought_up_to_date_with_all_that_is_in_it(home: Home, tmp_path: Path) -> None:
    engine = older(home, tmp_path / "first", "0001")
    a = samples.records().workstreams["ws-a"]
    declaration = samples.plan().workstreams["ws-a"].model_dump(mode="json")
    gate = records.GateEntry(samples.BEGIN, "ws-a", 1, "GATE_UNIT", "sandbox", "passed", 1.5, "fine")
    conflict = samples.conflict("c1", "ws-a")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {database.APPLICATION_ID}")
        insert_what_fits(
            connection,
            (tables.RUNS, rows.RUN.row(samples.run_record(), revision=1)),
            (tables.WORKSTREAMS, rows.WORKSTREAM.row(a, run="run-1", declaration=declaration)),
            (tables.ATTEMPTS, rows.ATTEMPT.row(samples.attempt(), run="run-1")),
            (tables.CONFLICTS, rows.CONFLICT.row(conflict, run="run-1")),
            (tables.GATES, rows.GATE.row(gate, run="run-1")),
        )
    engine.dispose()

    writer = Writer(home.database)
    loaded = writer.load("run-1")
    writer.close()
    assert loaded.workstreams == {"ws-a": a}
    assert loaded.conflicts == {"c1": conflict}
    assert loaded.pairs == {}
    reader = Reader(home.database)
    assert [(gate.gate, gate.verdict, gate.output) for gate in reader.gates("run-1", "ws-a")] == [
        ("GATE_UNIT", "passed", "fine")
    ]
    reader.close()


def test_costs_of_a_store_without_reports_one_by_one_are_numbered_and_count_as_counted(
    home: Home, tmp_path: Path
) -> None:
    engine = older(home, tmp_path / "second", "0002")
    a = samples.records().workstreams["ws-a"]
    declaration = samples.plan().workstreams["ws-a"].model_dump(mode="json")
    told = [changes.CostEntry(samples.BEGIN, "ws-a", number, "shell", "", 0.5, 10, 1) for number in (1, 1, 2)]
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {database.APPLICATION_ID}")
        insert_what_fits(
            connection,
            (tables.RUNS, rows.RUN.row(samples.run_record(), revision=1)),
            (tables.WORKSTREAMS, rows.WORKSTREAM.row(a, run="run-1", declaration=declaration)),
            *((tables.ATTEMPTS, rows.ATTEMPT.row(samples.attempt(number=n), run="run-1")) for n in (1, 2, 3)),
            *((tables.COSTS, rows.COST.row(entry, run="run-1")) for entry in told),
        )
    engine.dispose()

    writer = Writer(home.database)
    loaded = writer.load("run-1")
    writer.close()
    assert read(home, "SELECT attempt, conflict, ask, number, priced, estimated FROM cost_tracking ORDER BY id") == [
        (1, "", 0, 1, 1, 0),
        (1, "", 0, 2, 1, 0),
        (2, "", 0, 1, 1, 0),
    ]
    assert [loaded.attempts["ws-a", number].reports for number in (1, 2, 3)] == [2, 1, 0]
    assert (loaded.run.budget_stage, loaded.run.overrides, loaded.providers) == ("ok", (), {})
    assert loaded.workstreams["ws-a"].context_share == 1.0
    reader = Reader(home.database)
    assert [(row.label, row.usd) for row in reader.costs("run-1").by_attempt] == [("ws-a #1", 1.0), ("ws-a #2", 0.5)]
    reader.close()


def test_asks_of_a_store_that_did_not_say_who_was_asked_keep_what_was_counted(home: Home, tmp_path: Path) -> None:
    engine = older(home, tmp_path / "third", "0003")
    a = samples.records().workstreams["ws-a"]
    declaration = samples.plan().workstreams["ws-a"].model_dump(mode="json")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {database.APPLICATION_ID}")
        insert_what_fits(
            connection,
            (tables.RUNS, rows.RUN.row(samples.run_record(), revision=1)),
            (tables.WORKSTREAMS, rows.WORKSTREAM.row(a, run="run-1", declaration=declaration)),
            *(
                (
                    tables.CONFLICTS,
                    rows.CONFLICT.row(samples.conflict(id, "ws-a", asks=asks, asking=asking), run="run-1"),
                )
                for id, asks, asking in (("c1", 3, True), ("c2", 2, False), ("c3", 0, False))
            ),
        )
        connection.exec_driver_sql("UPDATE merge_conflicts SET provider = 'acme', reports = '[2, 0]' WHERE id != 'c3'")
    engine.dispose()

    writer = Writer(home.database)
    loaded = writer.load("run-1")
    writer.close()
    first = records.AskRecord(1, reports=2)
    assert {id: conflict.asked for id, conflict in loaded.conflicts.items()} == {
        "c1": (first, records.AskRecord(3, provider="acme")),
        "c2": (first,),
        "c3": (),
    }
