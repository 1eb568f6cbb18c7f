"""What the store costs beside bare SQLite: the same statements with the same values, straight through `sqlite3`.

    python -m benchmarks.store [--rounds 25] [--json]

The baseline is what the store itself sent, taken down once and sent again on a connection with the same pragmas. What
the ratio shows is the cost of records, columns and views; both wait for the same disk.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from benchmarks._report import Figure, medians, tell
from benchmarks.core import graph
from uet_tui.core.beginning import first_records
from uet_tui.core.changes import Changes, CostEntry, NewEvent
from uet_tui.core.records import AttemptRecord, Records, RunRecord
from uet_tui.plan.graph import build_plan
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.writer import Writer

RUN, TOKEN = "bench", "token"
WORKSTREAMS, EVENTS = 100, 5_000


@dataclass
class Sent:
    """SQL with its values, as one transaction sent it."""

    statements: list[tuple[str, Any, bool]] = field(default_factory=list)
    """Text, values, and whether the values are many rows."""

    def again(self, connection: sqlite3.Connection, begin: str) -> None:
        """Sends all of it once more, and takes every row that comes back."""
        connection.execute(begin)
        for text, values, many in self.statements:
            (connection.executemany if many else connection.execute)(text, values).fetchall()
        connection.execute("COMMIT")


@contextmanager
def taken_down(engine: Engine) -> Iterator[Sent]:
    """Takes down what is sent meanwhile."""
    sent = Sent()

    def note(_connection: object, _cursor: object, text: str, values: Any, _context: object, many: bool) -> None:
        if not text.startswith("BEGIN"):
            sent.statements.append((text, values, many))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def make_run(home: Home) -> Records:
    """A run of 100 workstreams, each with an attempt and its cost, and 5,000 events; claimed, as if under way."""
    plan = build_plan(graph(WORKSTREAMS))
    now = time.time()
    run = RunRecord(RUN, "bench", "eager", 8, "b" * 40, "b" * 40, "main", now)
    records = first_records(run, plan, dict.fromkeys(plan.workstreams, "shell"), {})
    changes = Changes(run, events=happened(EVENTS))
    changes.attempts = {(id, 1): AttemptRecord(id, 1, 1, "shell", "", "b" * 40, now) for id in plan.workstreams}
    changes.costs = [CostEntry(now, id, 1, "shell", "", 0.1, 100, 10) for id in plan.workstreams]
    with closing(Writer(home.database)) as writer:
        writer.create_run(records, plan)
        writer.claim(RUN, TOKEN, 1)
        writer.commit(RUN, TOKEN, changes)
    return records


def happened(count: int) -> list[NewEvent]:
    """So many events."""
    now = time.time()
    return [NewEvent(now, "noted", f"something happened, number {n}", "info", "ws-00001", 1, 1) for n in range(count)]


@contextmanager
def bare(database: Path, begin: str, pragmas: Sequence[str]) -> Iterator[Callable[[Sent], Callable[[], None]]]:
    """A connection of one's own; gives what sends something again on it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        yield lambda sent: lambda: sent.again(connection, begin)


def writing(home: Home, records: Records, rounds: int) -> list[Figure]:
    """Commits, beside the same updates and inserts."""
    first = dict(list(records.workstreams.items())[:5])
    five = Changes(records.run, first, events=happened(5))
    many = Changes(events=happened(1_000))
    with closing(Writer(home.database)) as writer:

        def commit(changes: Changes) -> Sent:
            with taken_down(writer._engine) as sent:
                writer.commit(RUN, TOKEN, changes)
            return sent

        sent_five, sent_many = commit(five), commit(many)
        with bare(home.database, "BEGIN IMMEDIATE", ["synchronous=FULL", "foreign_keys=ON"]) as again:
            took = medians(
                rounds,
                {
                    "five": lambda: writer.commit(RUN, TOKEN, five),
                    "bare five": again(sent_five),
                    "many": lambda: writer.commit(RUN, TOKEN, many),
                    "bare many": again(sent_many),
                },
            )
    return [
        Figure("a commit of 5 workstreams and 5 events", took["five"], "bare sqlite3", took["bare five"]),
        Figure("a commit of 1,000 events", took["many"], "bare sqlite3", took["bare many"]),
    ]


def reading(home: Home, rounds: int) -> list[Figure]:
    """Whole views, beside the same selects."""
    with closing(Reader(home.database)) as reader:
        acts: dict[str, Callable[[], object]] = {
            f"a run of {WORKSTREAMS} workstreams, read": lambda: reader.run(RUN),
            f"its {EVENTS:,} events, read": lambda: reader.events(RUN, limit=EVENTS),
            "its revision, read": lambda: reader.revision(RUN),
        }
        measured: dict[str, Callable[[], object]] = {}
        with bare(home.database, "BEGIN", ["query_only=ON"]) as again:
            for name, act in acts.items():
                with taken_down(reader._engine) as sent:
                    act()
                measured |= {name: act, f"bare {name}": again(sent)}
            took = medians(rounds, measured)
    return [Figure(name, took[name], "bare sqlite3", took[f"bare {name}"]) for name in acts]


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uet-store-") as folder:
        home = Home(Path(folder) / ".uet")
        records = make_run(home)
        figures = reading(home, asked.rounds) + writing(home, records, asked.rounds)
    return tell(f"The store, medians of {asked.rounds}", figures, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
