"""The one writer of the store. Every write carries the orchestrator's token; a stale orchestrator can write nothing."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Delete, Insert, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from uet_tui.core.changes import Changes
from uet_tui.core.commands import Answer, Command
from uet_tui.core.records import Records
from uet_tui.errors import NoRoomError, UetError
from uet_tui.plan.model import Plan
from uet_tui.store import rows
from uet_tui.store.database import open_for_writing
from uet_tui.store.tables import (
    ATTEMPTS,
    CHECKPOINTS,
    COMMANDS,
    CONFLICTS,
    COSTS,
    EVENTS,
    GATES,
    PAIRS,
    PROVIDERS,
    RUNS,
    WORKERS,
    WORKSTREAMS,
)

_NO_ROOM_FOR_THE_LOG = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_FSYNC)
"""What SQLite says where the disk is full and it cannot tell for sure."""
_APART = 0.001
"""Seconds by which a run is newer than the one before, at least."""


class FencedError(UetError):
    """Another orchestrator took the run: this one must stop at once and write nothing."""

    exit_code = 5


class Writer:
    """Writes one store; used by one thread at a time. Making one creates the database or migrates it, under a lock."""

    def __init__(self, database: Path) -> None:
        """Opens the store, and makes it where there is none.

        Raises:
            UetError: what is at `database` is no store, or the place cannot be written.
        """
        self._database = database
        self._engine = open_for_writing(database)
        self._connection = self._engine.connect()

    def create_run(self, records: Records, plan: Plan) -> None:
        """Writes a new run with all its rows; raises `UetError` if the id is taken.

        Runs are told apart by their time, newest last: where the clock was set back, its time is that of the run before
        and a little more.
        """
        run = records.run.id
        declared = {id: plan.workstreams[id].model_dump(mode="json") for id in records.workstreams}
        try:
            with self._writing() as connection:
                newest: datetime | None = connection.execute(select(func.max(RUNS.c.created_at))).scalar()
                if newest is not None:
                    records.run.created_at = max(records.run.created_at, newest.timestamp() + _APART)
                connection.execute(insert(RUNS), rows.RUN.row(records.run, revision=1))
                _many(
                    connection,
                    insert(WORKSTREAMS),
                    [
                        rows.WORKSTREAM.row(record, run=run, declaration=declared[id])
                        for id, record in records.workstreams.items()
                    ],
                )
                _upsert(connection, run, Changes(None, {}, records.attempts, records.workers, records.conflicts))
        except IntegrityError as error:
            raise UetError(f"there is a run {run} already: `uet resume {run}` goes on with it") from error

    def claim(self, run: str, token: str, pid: int) -> datetime | None:
        """Makes `token` the only one whose writes count; call it only while holding the run's lock.

        Gives when the last event was, if who had the run before never let go of it: it crashed.
        """
        with self._writing() as connection:
            before = connection.execute(select(RUNS.c.owner_token).where(RUNS.c.id == run)).scalar()
            last = connection.execute(select(func.max(EVENTS.c.time)).where(EVENTS.c.run == run)).scalar()
            claimed = connection.execute(
                update(RUNS)
                .where(RUNS.c.id == run)
                .values(owner_token=token, owner_pid=pid, revision=RUNS.c.revision + 1)
            )
            if not claimed.rowcount:
                raise UetError(f"there is no run {run}: `uet runs` lists those there are")
        return None if before is None else last

    def release(self, run: str, token: str) -> None:
        """Lets go of the run; does nothing where another has it."""
        with self._writing() as connection:
            connection.execute(
                update(RUNS)
                .where(RUNS.c.id == run, RUNS.c.owner_token == token)
                .values(owner_token=None, owner_pid=None, revision=RUNS.c.revision + 1)
            )

    def load(self, run: str) -> Records:
        """All records of a run, as last committed."""
        with self._writing() as connection:
            return rows.read_records(connection, run)

    def answered(self, run: str, command: str) -> Answer | None:
        """What became of a command, if it was committed: after a crash it may still wait in the inbox."""
        with self._writing() as connection:
            found = connection.execute(
                select(COMMANDS.c.ok, COMMANDS.c.message).where(COMMANDS.c.run == run, COMMANDS.c.id == command)
            ).one_or_none()
        return None if found is None else Answer(id=command, ok=found.ok, message=found.message)

    def commit(self, run: str, token: str, changes: Changes, commands: Iterable[tuple[Command, Answer]] = ()) -> None:
        """Writes the changes, their events and the answered commands in one transaction, and raises the revision.

        Raises:
            FencedError: the token is not the run's; nothing was written.
            NoRoomError: the disk is full; nothing was written, and it may be tried again.
            UetError: the store is broken; nothing was written.
        """
        with self._writing() as connection:
            _fence(connection, run, token, {} if changes.run is None else rows.RUN.row(changes.run))
            _upsert(connection, run, changes)
            _many(connection, _INSERT_EVENT, [rows.EVENT.row(event, run=run) for event in changes.events])
            _many(connection, _INSERT_COST, [rows.COST.row(cost, run=run) for cost in changes.costs])
            _many(connection, _INSERT_GATE, [rows.GATE.row(gate, run=run) for gate in changes.gates])
            _many(connection, _INSERT_COMMAND, [_command(run, command, answer) for command, answer in commands])

    def checkpoint(self, run: str, token: str, state: Mapping[str, object]) -> None:
        """Keeps the compact state of the run, in place of the one before.

        Raises:
            FencedError: the token is not the run's; nothing was written.
        """
        with self._writing() as connection:
            _fence(connection, run, token, {})
            revision = connection.execute(select(RUNS.c.revision).where(RUNS.c.id == run)).scalar_one()
            row = {"run": run, "revision": revision, "created_at": datetime.now(UTC), "state": state}
            connection.execute(_UPSERT_CHECKPOINT, row)

    def close(self) -> None:
        """Closes the store."""
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._connection.begin():
                yield self._connection
        except IntegrityError:
            raise  # a mistake of the caller's, not of the disk
        except DBAPIError as error:
            if _full(error):
                raise NoRoomError(f"there is no room for the store {self._database}: make some") from error
            raise UetError(f"cannot write the store {self._database}: {error.orig}") from error


def _full(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code == sqlite3.SQLITE_FULL or code in _NO_ROOM_FOR_THE_LOG


def _replacing(table: Table) -> Insert:
    """An insert that takes the place of the row with the same key."""
    statement = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    values = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=values)


_UPDATE_RUN = (
    update(RUNS)
    .where(RUNS.c.id == bindparam("of_run"), RUNS.c.owner_token == bindparam("of_token"))
    .values(revision=RUNS.c.revision + 1)
)
_UPDATE_WORKSTREAM = update(WORKSTREAMS).where(
    WORKSTREAMS.c.run == bindparam("of_run"), WORKSTREAMS.c.id == bindparam("of_id")
)
_UPSERT_ATTEMPT = _replacing(ATTEMPTS)
_UPSERT_WORKER = _replacing(WORKERS)
_UPSERT_CONFLICT = _replacing(CONFLICTS)
_UPSERT_PROVIDER = _replacing(PROVIDERS)
_UPSERT_PAIR = _replacing(PAIRS)
_DELETE_PAIR = delete(PAIRS).where(
    PAIRS.c.run == bindparam("of_run"), PAIRS.c.first == bindparam("of_first"), PAIRS.c.second == bindparam("of_second")
)
_UPSERT_CHECKPOINT = _replacing(CHECKPOINTS)
_INSERT_EVENT = insert(EVENTS)
_INSERT_COST = insert(COSTS)
_INSERT_GATE = insert(GATES)
_ABOUT = {"id", "verb", "note", "by", "source", "at"}
"""The fields that every command has; what else was given are its arguments."""
_INSERT_COMMAND = sqlite.insert(COMMANDS).on_conflict_do_nothing()


def _fence(connection: Connection, run: str, token: str, values: dict[str, object]) -> None:
    values.pop("id", None)
    if not connection.execute(_UPDATE_RUN, {**values, "of_run": run, "of_token": token}).rowcount:
        raise FencedError(f"run {run} was taken by another orchestrator: this one stops, and has written nothing")


def _upsert(connection: Connection, run: str, changes: Changes) -> None:
    """Writes the changed rows, those first that others point to."""
    workstreams = [rows.WORKSTREAM.row(record, of_run=run, of_id=id) for id, record in changes.workstreams.items()]
    for row in workstreams:
        del row["id"]  # setting a key, even to what it is, makes SQLite look for all that points to it
    if workstreams and connection.execute(_UPDATE_WORKSTREAM, workstreams).rowcount != len(workstreams):
        raise ValueError(f"run {run} has not all of these workstreams: {', '.join(changes.workstreams)}")
    _many(connection, _UPSERT_ATTEMPT, [rows.ATTEMPT.row(record, run=run) for record in changes.attempts.values()])
    _many(connection, _UPSERT_WORKER, [rows.WORKER.row(record, run=run) for record in changes.workers.values()])
    _many(connection, _UPSERT_PROVIDER, [rows.PROVIDER.row(record, run=run) for record in changes.providers.values()])
    gone = [pair for pair, record in changes.pairs.items() if record is None]
    _many(connection, _DELETE_PAIR, [{"of_run": run, "of_first": a, "of_second": b} for a, b in gone])
    _many(connection, _UPSERT_PAIR, [rows.PAIR.row(record, run=run) for record in changes.pairs.values() if record])
    _many(connection, _UPSERT_CONFLICT, [rows.CONFLICT.row(record, run=run) for record in changes.conflicts.values()])


def _many(connection: Connection, statement: Insert | Delete, values: list[dict[str, object]]) -> None:
    if values:
        connection.execute(statement, values)


def _command(run: str, command: Command, answer: Answer) -> dict[str, object]:
    arguments = command.model_dump(mode="json", exclude=_ABOUT | {"content"}, exclude_defaults=True)
    return {
        **command.model_dump(include=_ABOUT),
        "arguments": arguments,  # without the content of an edit: that is in the conflict, as a blob
        "run": run,
        "ok": answer.ok,
        "message": answer.message,
    }
