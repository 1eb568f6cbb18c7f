"""Read-only queries; the only way that the console, the command line and the reports see a run."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, func, select
from sqlalchemy.exc import DBAPIError

from uet_tui.core import vocabulary
from uet_tui.core.estimates import Estimated
from uet_tui.core.records import Records
from uet_tui.core.states import CONFLICT_OPEN, AttemptState, WorkstreamState
from uet_tui.errors import UetError
from uet_tui.plan.model import Workstream
from uet_tui.store import inbox, lock, rows
from uet_tui.store.assembly import Facts, attempt_view, gate_view, run_view
from uet_tui.store.breakdown import breakdown
from uet_tui.store.conflict_views import GateView
from uet_tui.store.cost_views import CostBreakdown
from uet_tui.store.database import open_for_reading
from uet_tui.store.money import SERIES_MINUTES, Used
from uet_tui.store.paths import Home
from uet_tui.store.tables import ATTEMPTS, CONFLICTS, COSTS, EVENTS, GATES, RUNS, WORKSTREAMS
from uet_tui.store.views import AttemptView, EventView, RunSummary, RunView

_REVISION = select(RUNS.c.revision).where(RUNS.c.id == bindparam("of_run"))


class Reader:
    """A read-only view of a store; cheap to make, safe to use from one thread at a time.

    The database is opened with `mode=ro`: whatever a reader does, it cannot write. Raises `UetError` when there is
    no store or it cannot be read.
    """

    def __init__(self, database: Path, clock: Callable[[], float] = time.time) -> None:
        """Opens the store.

        Args:
            database: `Home.database`; the runs' folders are beside it.
            clock: seconds since the epoch, for what is told per minute and for the forecast.
        """
        self._home = Home(database.parent)
        self._database = database
        self._clock = clock
        self._engine = open_for_reading(database)
        self._connection = self._engine.connect()
        self._known: Facts | None = None

    def close(self) -> None:
        """Closes the store."""
        self._connection.close()
        self._engine.dispose()

    def runs(self) -> tuple[RunSummary, ...]:
        """All runs, newest first."""
        total = func.count().label("total")
        merged = func.sum(case((WORKSTREAMS.c.state == WorkstreamState.MERGED, 1), else_=0)).label("merged")
        counted = select(WORKSTREAMS.c.run, total, merged).group_by(WORKSTREAMS.c.run).subquery()
        conflicts = (
            select(func.count())
            .where(CONFLICTS.c.run == RUNS.c.id, CONFLICTS.c.state.in_([*CONFLICT_OPEN]))
            .scalar_subquery()
            .label("conflicts")
        )
        with self._reading() as connection:
            found = connection.execute(
                select(RUNS, counted.c.total, counted.c.merged, conflicts)
                .outerjoin(counted, counted.c.run == RUNS.c.id)
                .order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc())
            ).all()
        return tuple(
            RunSummary(
                id=row.id,
                state=row.state,
                alive=inbox.held(self._home.run(row.id)),
                total=row.total or 0,
                merged=row.merged or 0,
                spent_usd=row.spent_usd,
                conflicts=row.conflicts,
                created_at=row.created_at,
                ended_at=row.ended_at,
            )
            for row in found
        )

    def damage(self) -> str:
        """What is wrong with the store's pages, rows and references; empty if nothing is. Reads all of it."""
        with self._reading() as connection:
            found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
            stray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if found != "ok":
            return found
        return "" if stray is None else f"a row of {stray[0]} belongs to no {stray[2]}"

    def newest(self) -> str:
        """The id of the newest run; raises `UetError` if there is none."""
        return self._ids()[0]

    def resolve(self, run: str | None) -> str:
        """A full run id from None (newest), an id, or an unambiguous prefix of one."""
        ids = self._ids()
        if run is None:
            return ids[0]
        found = [run] if run in ids else [id for id in ids if run and id.startswith(run)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UetError(f"{run} could be any of the runs {', '.join(found)}: write more of its id")
        raise UetError(f"there is no run {run}: `uet runs` lists those there are; the newest is {ids[0]}")

    def revision(self, run: str) -> int:
        """A number that grows with every write to the run: one indexed read, fit for polling at 10 Hz."""
        with self._reading() as connection:
            found = connection.execute(_REVISION, {"of_run": run}).scalar()
        if found is None:
            raise UetError(f"there is no run {run}: `uet runs` lists those there are")
        return int(found)

    def run(self, run: str) -> RunView:
        """The whole run in one transaction."""
        facts = self._facts(run)
        now = facts.records.run.ended_at or self._clock()
        paths = self._home.run(run)
        if inbox.held(paths):
            return run_view(facts, alive=True, now=now, told=lock.told(paths.lock))
        return run_view(facts, alive=False, now=now, crashed_at=self._crashed_at(run))

    def _facts(self, run: str) -> Facts:
        """What the store knows of a run; read again only once something was written, since a console looks often."""
        with self._reading() as connection:
            revision = connection.execute(_REVISION, {"of_run": run}).scalar()
            known = self._known
            if known is None or (known.records.run.id, known.revision) != (run, revision):
                records = rows.read_records(connection, run)
                now = records.run.ended_at or self._clock()
                known = self._known = _facts(connection, records, now)
        return known

    def _crashed_at(self, run: str) -> datetime | None:
        """When the orchestrator of a run that nobody has told something last, if it never let go of the run."""
        last = select(EVENTS.c.time).where(EVENTS.c.run == run).order_by(EVENTS.c.id.desc()).limit(1)
        with self._reading() as connection:
            owner = connection.execute(select(RUNS.c.owner_token).where(RUNS.c.id == run)).scalar()
            return None if owner is None else connection.execute(last).scalar()

    def costs(self, run: str) -> CostBreakdown:
        """Where the money of a run went, in every way of looking at it."""
        with self._reading() as connection:
            records = rows.read_records(connection, run)
            return breakdown(records, _used(connection, run), _declared(connection, run))

    def events(self, run: str, *, after: int = 0, limit: int = 1000, type: str | None = None) -> tuple[EventView, ...]:
        """Events with an id greater than `after`, oldest first; only those of a type, if one is named."""
        chosen = select(EVENTS).where(EVENTS.c.run == run, EVENTS.c.id > after)
        if type is not None:
            chosen = chosen.where(EVENTS.c.type == type)
        return self._events(chosen.order_by(EVENTS.c.id).limit(limit))

    def last_events(
        self, run: str, count: int, *, workstream: str | None = None, type: str | None = None
    ) -> tuple[EventView, ...]:
        """The newest `count` events, oldest first; only those of a workstream or a type, if one is named."""
        chosen = select(EVENTS).where(EVENTS.c.run == run)
        if type is not None:
            chosen = chosen.where(EVENTS.c.type == type)
        if workstream is not None:
            chosen = chosen.where(EVENTS.c.workstream == workstream)
        return self._events(chosen.order_by(EVENTS.c.id.desc()).limit(count))[::-1]

    def attempts(self, run: str, workstream: str) -> tuple[AttemptView, ...]:
        """The attempts of a workstream, first to last."""
        chosen = select(ATTEMPTS).where(ATTEMPTS.c.run == run, ATTEMPTS.c.workstream == workstream)
        of_attempts = (COSTS.c.run == run, COSTS.c.workstream == workstream, COSTS.c.conflict == "", COSTS.c.estimated)
        listed = (
            select(COSTS.c.attempt, func.sum(COSTS.c.usd).label("usd")).where(*of_attempts).group_by(COSTS.c.attempt)
        )
        with self._reading() as connection:
            found = connection.execute(chosen.order_by(ATTEMPTS.c.number)).all()
            listed_usd = {row.attempt: row.usd for row in connection.execute(listed)}
        paths = self._home.run(run)
        return tuple(
            attempt_view(
                rows.ATTEMPT.record(row),
                str(paths.attempt(workstream, row.number).relative_to(paths.folder)),
                listed_usd.get(row.number, 0.0),
            )
            for row in found
        )

    def estimated(self, *, agent: str | None = None, model: str | None = None, limit: int = 1000) -> list[Estimated]:
        """The newest attempts of all runs that were estimated and went well, oldest first.

        Args:
            agent: only by this one; None: by any.
            model: only with this one; None: with any.
            limit: how many at most.
        """
        told = EVENTS.c.data
        chosen = (
            select(ATTEMPTS.c.agent, ATTEMPTS.c.model, told, ATTEMPTS.c.tokens_in)
            .join(
                EVENTS,
                (EVENTS.c.run == ATTEMPTS.c.run)
                & (EVENTS.c.workstream == ATTEMPTS.c.workstream)
                & (EVENTS.c.attempt == ATTEMPTS.c.number),
            )
            .where(EVENTS.c.type == vocabulary.CONTEXT_CHOSEN, ATTEMPTS.c.tokens_in > 0)
            .where(ATTEMPTS.c.state == AttemptState.SUCCEEDED)
            .order_by(ATTEMPTS.c.ended_at.desc(), EVENTS.c.id.desc())
            .limit(limit)
        )
        if agent is not None:
            chosen = chosen.where(ATTEMPTS.c.agent == agent)
        if model is not None:
            chosen = chosen.where(ATTEMPTS.c.model == model)
        with self._reading() as connection:
            found = connection.execute(chosen).all()
        return [
            Estimated(agent, model, int(data["counted"]), int(data["estimated"]), used)
            for agent, model, data, used in reversed(found)
        ]

    def gates(self, run: str, workstream: str) -> tuple[GateView, ...]:
        """What gates said of a workstream, in the order in which they spoke."""
        chosen = select(GATES).where(GATES.c.run == run, GATES.c.workstream == workstream)
        with self._reading() as connection:
            found = connection.execute(chosen.order_by(GATES.c.id)).all()
        return tuple(gate_view(rows.GATE.record(row)) for row in found)

    def gates_of(self, run: str, tree: str) -> tuple[GateView, ...]:
        """What gates said of a tree, whoever's work it is, in the order in which they spoke."""
        chosen = select(GATES).where(GATES.c.run == run, GATES.c.tree == tree)
        with self._reading() as connection:
            found = connection.execute(chosen.order_by(GATES.c.id)).all()
        return tuple(gate_view(rows.GATE.record(row)) for row in found)

    def _ids(self) -> list[str]:
        with self._reading() as connection:
            found = connection.execute(select(RUNS.c.id).order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc()))
            ids = [*found.scalars()]
        if not ids:
            raise UetError(f"there is no run yet in {self._home.folder}: `uet run` starts one")
        return ids

    def _events(self, chosen: Select[Any]) -> tuple[EventView, ...]:  # Any: the types of whole rows
        with self._reading() as connection:
            return tuple(_event(row) for row in connection.execute(chosen))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._connection.begin():
                yield self._connection
        except DBAPIError as error:
            raise UetError(f"cannot read the store {self._database}: {error.orig}") from error


def _facts(connection: Connection, records: Records, now: float) -> Facts:
    run = records.run.id
    since = rows.moment(now - 60 * SERIES_MINUTES)
    recent = connection.execute(select(COSTS.c.time, COSTS.c.usd).where(COSTS.c.run == run, COSTS.c.time >= since))
    return Facts(
        records=records,
        revision=connection.execute(_REVISION, {"of_run": run}).scalar_one(),
        declared=_declared(connection, run),
        used=_used(connection, run),
        recent=[(time.timestamp(), usd) for time, usd in recent],
    )


_WORK = (COSTS.c.workstream, COSTS.c.attempt, COSTS.c.conflict, COSTS.c.ask, COSTS.c.agent, COSTS.c.model)
_TOKENS = (COSTS.c.tokens_in, COSTS.c.tokens_out, COSTS.c.tokens_cached, COSTS.c.tokens_reasoning)
_USED = (
    select(
        *_WORK,
        func.sum(COSTS.c.usd),
        func.sum(case((COSTS.c.estimated, COSTS.c.usd), else_=0.0)),
        func.sum(case((COSTS.c.priced, 0), else_=1)),
        *(func.sum(column) for column in _TOKENS),
    )
    .where(COSTS.c.run == bindparam("of_run"))
    .group_by(*_WORK)
)


def _used(connection: Connection, run: str) -> list[Used]:
    return [Used(*found) for found in connection.execute(_USED, {"of_run": run})]


def _declared(connection: Connection, run: str) -> dict[str, Workstream]:
    found = connection.execute(select(WORKSTREAMS.c.id, WORKSTREAMS.c.declaration).where(WORKSTREAMS.c.run == run))
    return {id: Workstream.model_validate(declaration) for id, declaration in found}


def _event(row: Row[Any]) -> EventView:  # Any: the types of a whole row
    return EventView(
        row.id, row.time, row.type, row.severity, row.workstream, row.worker, row.attempt, row.text, row.data
    )
