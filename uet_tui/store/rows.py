"""Records as rows and back. Records count seconds since the epoch, rows hold times: exact to the microsecond."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from inspect import signature
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Row, Table, select
from sqlmodel.sql.sqltypes import UTCDateTime

from uet_tui.core.changes import CostEntry, NewEvent
from uet_tui.core.conflicts import ConflictFile, Entry, Hunk, Rung
from uet_tui.core.records import (
    AskRecord,
    AttemptRecord,
    ConflictRecord,
    GateEntry,
    Override,
    PairRecord,
    ProviderRecord,
    Records,
    RunRecord,
    WorkerRecord,
    WorkstreamRecord,
)
from uet_tui.errors import UetError
from uet_tui.store import tables

R = TypeVar("R")
Convert = Callable[[Any], object]  # Any: one column's type, which the table knows


@dataclass(frozen=True)
class Rows(Generic[R]):
    """How one kind of record is kept in its table: a column a field, and the keys that the record does not carry."""

    table: Table
    make: Callable[..., R]
    names: tuple[str, ...]
    write: Mapping[str, Convert]
    read: Mapping[str, Convert]

    def row(self, record: R, **keys: object) -> dict[str, object]:
        """The record as the parameters of a statement."""
        values = {name: getattr(record, name) for name in self.names}
        for name, convert in self.write.items():
            if values[name] is not None:
                values[name] = convert(values[name])
        return values | keys

    def record(self, row: Row[Any]) -> R:  # Any: rows of a table come untyped
        """The record that a row holds."""
        found = row._mapping
        values = {name: found[name] for name in self.names}
        for name, convert in self.read.items():
            if values[name] is not None:
                values[name] = convert(values[name])
        return self.make(**values)

    def of(self, connection: Connection, run: str) -> list[R]:
        """All records of a run."""
        rows = connection.execute(select(self.table).where(self.table.c.run == run))
        return [self.record(row) for row in rows]


def _rows(table: Table, record: type[R], **special: tuple[Convert, Convert]) -> Rows[R]:
    names = tuple(signature(record).parameters)  # a record is made of its fields, in order
    times = {name: (moment, datetime.timestamp) for name in names if isinstance(table.c[name].type, UTCDateTime)}
    both: dict[str, tuple[Convert, Convert]] = {**times, **special}
    write = {name: convert for name, (convert, _) in both.items()}
    return Rows(table, record, names, write, {name: convert for name, (_, convert) in both.items()})


def moment(seconds: float) -> datetime:
    """The time that is so many seconds after the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _entry(data: Mapping[str, Any] | None) -> Entry | None:  # Any: parsed JSON that this module wrote
    return None if data is None else Entry(**data)


def _hunk(data: Mapping[str, Any]) -> Hunk:  # Any: as above
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return Hunk(**values)


def _file(data: Mapping[str, Any]) -> ConflictFile:  # Any: as above
    entries = {name: _entry(data.get(name)) for name in ("base", "ours", "theirs", "merged", "edited", "proposed")}
    lists = {name: tuple(data.get(name, ())) for name in ("lost", "beside")}
    hunks = tuple(_hunk(hunk) for hunk in data["hunks"])
    return ConflictFile(**{**data, **entries, **lists, "hunks": hunks})


RUN = _rows(
    tables.RUNS,
    RunRecord,
    overrides=(
        lambda overrides: [asdict(override) for override in overrides],
        lambda overrides: tuple(Override(**override) for override in overrides),
    ),
)
WORKSTREAM = _rows(tables.WORKSTREAMS, WorkstreamRecord)
ATTEMPT = _rows(tables.ATTEMPTS, AttemptRecord)
WORKER = _rows(tables.WORKERS, WorkerRecord)
CONFLICT = _rows(
    tables.CONFLICTS,
    ConflictRecord,
    files=(lambda files: [asdict(file) for file in files], lambda files: tuple(_file(file) for file in files)),
    against=(list, tuple),
    tried=(lambda tried: [asdict(rung) for rung in tried], lambda tried: tuple(Rung(**rung) for rung in tried)),
    gates=(lambda gates: [asdict(gate) for gate in gates], lambda gates: tuple(GateEntry(**gate) for gate in gates)),
    asked=(lambda asked: [asdict(ask) for ask in asked], lambda asked: tuple(AskRecord(**ask) for ask in asked)),
)
PROVIDER = _rows(tables.PROVIDERS, ProviderRecord)
PAIR = _rows(tables.PAIRS, PairRecord, files=(list, tuple))
EVENT = _rows(tables.EVENTS, NewEvent)
COST = _rows(tables.COSTS, CostEntry)
GATE = _rows(tables.GATES, GateEntry)


def read_records(connection: Connection, run: str) -> Records:
    """All records of a run, in the order of their keys.

    Raises:
        UetError: there is no such run.
    """
    row = connection.execute(select(tables.RUNS).where(tables.RUNS.c.id == run)).one_or_none()
    if row is None:
        raise UetError(f"there is no run {run}: `uet runs` lists those there are")
    return Records(
        RUN.record(row),
        {record.id: record for record in _by(WORKSTREAM.of(connection, run), lambda record: record.id)},
        {
            (record.workstream, record.number): record
            for record in _by(ATTEMPT.of(connection, run), lambda record: (record.workstream, record.number))
        },
        {record.number: record for record in _by(WORKER.of(connection, run), lambda record: record.number)},
        {record.id: record for record in _by(CONFLICT.of(connection, run), lambda record: record.opened_at)},
        {(record.first, record.second): record for record in PAIR.of(connection, run)},
        {record.name: record for record in _by(PROVIDER.of(connection, run), lambda record: record.name)},
    )


def _by(records: Sequence[R], key: Callable[[R], Any]) -> list[R]:  # Any: whatever can be sorted
    return sorted(records, key=key)
