"""What is committed stays, comes back exactly, and only the run's own orchestrator can write it."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from tests.store import samples
from tests.store.counting import statements
from tests.store.samples import TOKEN
from tests.support.wait import until
from uet_tui.core.changes import Changes, CostEntry, NewEvent
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.core.records import GateEntry, PairRecord, Records, WorkerRecord
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.errors import NoRoomError, UetError
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.writer import FencedError, Writer

ROOT = Path(__file__).resolve().parents[2]


def rows(home: Home, query: str) -> list[tuple[object, ...]]:
    """What is in the file, past everything that might make it look better."""
    connection = sqlite3.connect(home.database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def event(text: str, **more: object) -> NewEvent:
    return NewEvent(samples.BEGIN, "attempt_started", text, **more)


def command(id: str = "k1", **more: object) -> Command:
    about = {"id": id, "verb": Verb.SCALE, "by": "ada", "source": "cli:1", "at": datetime.now(UTC)}
    return Command.model_validate({**about, **more})


def test_a_new_run_comes_back_as_it_was_made(writer: Writer) -> None:
    assert writer.load("run-1") == samples.records()


def test_a_run_id_is_taken_once(writer: Writer) -> None:
    with pytest.raises(UetError, match="run run-1 already: `uet resume run-1`"):
        writer.create_run(samples.records(), samples.plan())
    assert writer.load("run-1") == samples.records()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    run=samples.run_records,
    workstreams=st.lists(samples.workstream_records, max_size=4, unique_by=lambda record: record.id),
    attempts=st.lists(samples.attempt_records, max_size=3, unique_by=lambda a: (a.workstream, a.number)),
    workers=st.lists(samples.worker_records, max_size=3, unique_by=lambda record: record.number),
    conflicts=st.lists(samples.conflict_records, max_size=2, unique_by=lambda record: record.id),
    pairs=st.lists(samples.pair_records, max_size=2, unique_by=lambda pair: (pair.first, pair.second)),
    providers=st.lists(samples.provider_records, max_size=2, unique_by=lambda provider: provider.name),
)
def test_whatever_is_committed_is_loaded_exactly(
    writer: Writer, run, workstreams, attempts, workers, conflicts, pairs, providers
) -> None:
    before = writer.load("run-1")
    changes = Changes(
        run,
        {record.id: record for record in workstreams},
        {(record.workstream, record.number): record for record in attempts},
        {record.number: record for record in workers},
        {record.id: record for record in conflicts},
        pairs={(pair.first, pair.second): pair for pair in pairs},
        providers={provider.name: provider for provider in providers},
    )
    writer.commit("run-1", TOKEN, changes)
    assert writer.load("run-1") == Records(
        run,
        before.workstreams | changes.workstreams,
        before.attempts | changes.attempts,
        before.workers | changes.workers,
        before.conflicts | changes.conflicts,
        before.pairs | changes.pairs,
        before.providers | changes.providers,
    )


def test_a_pair_that_became_clean_is_gone_and_the_others_stay(writer: Writer) -> None:
    two = [PairRecord("ws-a", "ws-b", "conflict", ("x",), 1.0), PairRecord("ws-a", "ws-c", "same file", ("y",), 2.0)]
    writer.commit("run-1", TOKEN, Changes(pairs={(pair.first, pair.second): pair for pair in two}))
    turned = PairRecord("ws-a", "ws-c", "conflict", ("y", "z"), 3.0)
    writer.commit("run-1", TOKEN, Changes(pairs={("ws-a", "ws-b"): None, ("ws-a", "ws-c"): turned}))
    assert writer.load("run-1").pairs == {("ws-a", "ws-c"): turned}
    writer.commit("run-1", TOKEN, Changes(pairs={("ws-a", "ws-b"): None}))  # gone already
    assert writer.load("run-1").pairs == {("ws-a", "ws-c"): turned}


def test_two_runs_in_one_store_do_not_touch_each_other(writer: Writer) -> None:
    writer.create_run(samples.records("run-2"), samples.plan())
    writer.claim("run-2", "token-2", 1)
    changed = samples.records("run-2").workstreams["ws-a"]
    changed.state = WorkstreamState.RUNNING
    writer.commit("run-2", "token-2", samples.changes(workstreams=(changed,), attempts=(samples.attempt(),)))
    assert writer.load("run-1") == samples.records()
    assert writer.load("run-2").workstreams["ws-a"] == changed


def test_a_row_written_again_takes_the_place_of_the_old_one(writer: Writer, home: Home) -> None:
    for error in ("first", "second"):
        writer.commit("run-1", TOKEN, samples.changes(attempts=(samples.attempt(error=error),)))
    assert [a.error for a in writer.load("run-1").attempts.values()] == ["second"]


def test_every_write_raises_the_revision(writer: Writer, reader: Reader) -> None:
    seen = [reader.revision("run-1")]
    writer.commit("run-1", TOKEN, Changes(events=[event("one")]))
    seen.append(reader.revision("run-1"))
    writer.commit("run-1", TOKEN, Changes(run=samples.run_record()))
    seen.append(reader.revision("run-1"))
    writer.release("run-1", TOKEN)
    seen.append(reader.revision("run-1"))
    assert seen == sorted(set(seen))


def test_an_orchestrator_that_lost_the_run_writes_nothing(writer: Writer, home: Home) -> None:
    other = Writer(home.database)
    other.claim("run-1", "token-2", 4343)
    stale = Changes(samples.run_record(), attempts={("ws-a", 1): samples.attempt()}, events=[event("from the past")])
    with pytest.raises(FencedError, match="taken by another orchestrator") as raised:
        writer.commit("run-1", TOKEN, stale, [(command(), Answer(id="k1", ok=True, message=""))])
    assert raised.value.exit_code == 5
    with pytest.raises(FencedError):
        writer.checkpoint("run-1", TOKEN, {"state": "old"})
    assert rows(home, "SELECT * FROM uet_events") == rows(home, "SELECT * FROM operator_commands") == []
    assert rows(home, "SELECT * FROM attempts") == rows(home, "SELECT * FROM execution_checkpoints") == []
    writer.release("run-1", TOKEN)  # not its own to release
    other.commit("run-1", "token-2", Changes(events=[event("from now")]))
    assert rows(home, "SELECT text FROM uet_events") == [("from now",)]
    other.close()


def test_a_released_run_cannot_be_written_until_it_is_claimed(writer: Writer) -> None:
    writer.release("run-1", TOKEN)
    with pytest.raises(FencedError):
        writer.commit("run-1", TOKEN, Changes(events=[event("x")]))
    writer.claim("run-1", "token-3", 1)
    writer.commit("run-1", "token-3", Changes(events=[event("x")]))


def test_what_is_not_there_is_named(writer: Writer) -> None:
    for act in (lambda: writer.load("run-9"), lambda: writer.claim("run-9", "t", 1)):
        with pytest.raises(UetError, match="no run run-9"):
            act()
    stranger = samples.records().workstreams["ws-a"]
    stranger.id = "ws-z"
    with pytest.raises(ValueError, match="ws-z"):
        writer.commit("run-1", TOKEN, samples.changes(workstreams=(stranger,)))


def test_all_of_a_commit_is_written_or_nothing(writer: Writer, home: Home) -> None:
    cost = CostEntry(samples.BEGIN, "ws-a", 1, "shell", "", -1.0, 0, 0)
    changes = samples.changes(attempts=(samples.attempt(),))
    changes.events.append(event("before the bad cost"))
    for usd in (-1.0, float("nan")):
        changes.costs = [CostEntry(cost.time, "ws-a", 1, "shell", "", usd, 0, 0)]
        with pytest.raises(IntegrityError):
            writer.commit("run-1", TOKEN, changes)
    assert rows(home, "SELECT * FROM uet_events") == rows(home, "SELECT * FROM attempts") == []
    assert writer.load("run-1") == samples.records()  # and it can be used on


def test_a_cost_or_gate_without_its_attempt_is_refused(writer: Writer) -> None:
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        writer.commit("run-1", TOKEN, Changes(costs=[CostEntry(1.0, "ws-a", 9, "shell", "", 1.0, 0, 0)]))


def test_foreign_text_is_made_harmless_on_its_way_in(writer: Writer, home: Home) -> None:
    bad = "a\x1b]52;c;eA==\x07\u202eb\x00\ud800\nc [/x]"
    record = samples.records().workstreams["ws-a"]
    record.reason = record.note = bad
    run = samples.run_record()
    run.reason = bad
    gate = GateEntry(samples.BEGIN, "ws-a", 1, "GATE_UNIT", "sandbox", "passed", 1.0, bad)
    writer.commit(
        "run-1",
        TOKEN,
        Changes(
            run,
            {"ws-a": record},
            {("ws-a", 1): samples.attempt(error=bad)},
            {1: WorkerRecord(1, samples.BEGIN, doing=bad)},
            {},
            [event(bad, data={bad: [bad, {"x": bad}], "path": Path("/x"), "nan": float("nan"), "n": 1})],
            [],
            [gate],
        ),
        [(command(note=bad.replace("\ud800", "")), Answer(id="k1", ok=False, message=bad.replace("\ud800", "")))],
    )
    flat, whole = "a␛b? c [/x]", "a␛b?\nc [/x]"
    loaded = writer.load("run-1")
    assert (loaded.run.reason, loaded.workers[1].doing, loaded.workstreams["ws-a"].reason) == (flat, flat, flat)
    assert loaded.workstreams["ws-a"].note == loaded.attempts["ws-a", 1].error == whole
    assert rows(home, "SELECT output FROM gate_results") == [(whole,)]
    assert rows(home, "SELECT note, message FROM operator_commands") == [
        (whole.replace("?", ""), flat.replace("?", ""))
    ]
    reader = Reader(home.database)
    (told,) = reader.events("run-1")
    reader.close()
    assert told.text == flat
    assert told.data == {whole: [whole, {"x": whole}], "path": "/x", "nan": "nan", "n": 1}


def test_an_answered_command_is_remembered_once_without_what_an_edit_wrote(writer: Writer, home: Home) -> None:
    edit = command(verb=Verb.EDIT, conflict="c1", file="src/app.py", content="secret " * 1000)
    said = Answer(id="k1", ok=True, message="done")
    writer.commit("run-1", TOKEN, Changes(), [(edit, said)])
    writer.commit("run-1", TOKEN, Changes(), [(edit, Answer(id="k1", ok=False, message="again"))])
    assert writer.answered("run-1", "k1") == said
    assert writer.answered("run-1", "k2") is None
    assert rows(home, "SELECT verb, arguments, by, ok, message FROM operator_commands") == [
        ("edit", '{"conflict": "c1", "file": "src/app.py"}', "ada", 1, "done")
    ]


def test_the_newest_checkpoint_takes_the_place_of_the_older(writer: Writer, home: Home) -> None:
    for number in (1, 2):
        writer.checkpoint("run-1", TOKEN, {"number": number, "states": ("RUNNING",)})
    (state,) = rows(home, "SELECT state FROM execution_checkpoints")
    assert state == ('{"number": 2, "states": ["RUNNING"]}',)


def test_a_full_disk_is_told_and_leaves_the_store_as_it_was(writer: Writer, home: Home) -> None:
    pages = writer._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    writer._connection.commit()
    writer._connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # SQLite's own way to be full
    writer._connection.commit()
    flood = Changes(run=samples.run_record(), events=[event("x" * 300) for _ in range(2000)])
    assert flood.run is not None
    flood.run.state = RunState.RUNNING
    with pytest.raises(NoRoomError, match=f"there is no room for the store {home.database}"):
        writer.commit("run-1", TOKEN, flood)
    assert writer.load("run-1").run.state is RunState.PLANNED
    writer.commit("run-1", TOKEN, Changes(run=samples.run_record()))


def test_commits_are_safe_from_a_power_loss_and_references_hold(writer: Writer) -> None:
    pragmas = {
        name: writer._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
        for name in ("synchronous", "foreign_keys", "journal_mode")
    }
    writer._connection.commit()
    assert pragmas == {"synchronous": 2, "foreign_keys": 1, "journal_mode": "wal"}


COMMITTER = """
import sys
from pathlib import Path
from tests.store import samples
from uet_tui.core.changes import Changes, NewEvent
from uet_tui.store.writer import Writer
writer = Writer(Path(sys.argv[1]))
writer.claim("run-1", "child", 1)
number = 0
while True:
    number += 1
    run = samples.run_record()
    run.spent_usd = float(number)
    writer.commit("run-1", "child", Changes(run, events=[NewEvent(1.0, "n", str(number))]))
    print(number, flush=True)
"""


def test_what_was_committed_before_a_kill_is_all_there_and_nothing_else(writer: Writer, home: Home) -> None:
    writer.release("run-1", TOKEN)
    writer.close()
    with subprocess.Popen(
        [sys.executable, "-c", COMMITTER, str(home.database)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(20)]
        os.kill(child.pid, signal.SIGKILL)
        said += [int(line) for line in child.stdout.read().split("\n") if line.isdigit()]
    again = Writer(home.database)
    spent = again.load("run-1").run.spent_usd
    again.close()
    events = [int(str(text)) for (text,) in rows(home, "SELECT text FROM uet_events ORDER BY id")]
    assert events == list(range(1, len(events) + 1))  # none lost, none twice
    assert spent == events[-1]  # state and event commit together
    assert said[-1] <= events[-1] <= said[-1] + 1  # all that was reported, and at most the one in flight


def test_readers_see_whole_commits_while_they_are_made(writer: Writer, home: Home) -> None:
    writer.release("run-1", TOKEN)
    with subprocess.Popen(
        [sys.executable, "-c", COMMITTER, str(home.database)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        reader = Reader(home.database)
        seen: list[tuple[int, float]] = []

        def look() -> bool:
            view = reader.run("run-1")
            last = reader.last_events("run-1", 1)[0]
            assert view.costs.spent_usd <= float(last.text)
            seen.append((view.revision, view.costs.spent_usd))
            return len(set(seen)) > 50

        until(look, 30, "50 commits", every=0)
        reader.close()
        child.kill()
    assert seen == sorted(seen)
    assert len({revision - spent for revision, spent in seen}) == 1  # one transaction: both from the same commit


def test_a_store_written_by_two_processes_in_turn_stays_in_order(writer: Writer, home: Home) -> None:
    other = Writer(home.database)
    for number in range(10):
        turn = (writer, other)[number % 2]
        turn.claim("run-1", f"t{number}", number)
        turn.commit("run-1", f"t{number}", Changes(events=[event(str(number))]))
    other.close()
    until(
        lambda: [text for (text,) in rows(home, "SELECT text FROM uet_events ORDER BY id")] == [*map(str, range(10))], 5
    )


def test_a_flood_of_events_is_committed_with_no_more_statements_than_one(writer: Writer) -> None:
    records = writer.load("run-1")
    sent = []
    for workstreams, count in ((1, 1), (4, 1_000)):
        some = dict(list(records.workstreams.items())[:workstreams])
        happened = [event(f"event {n}", data={"n": n}) for n in range(count)]
        with statements(writer._engine) as sent_now:
            writer.commit("run-1", TOKEN, Changes(records.run, some, events=happened))
        sent.append(sent_now)
    assert sent[0] == sent[1]
    assert len(sent[0]) == len(set(sent[0]))  # one each for the run, its workstreams, its events


def test_a_commit_like_one_before_compiles_nothing(writer: Writer) -> None:
    records = writer.load("run-1")
    changes = Changes(records.run, records.workstreams, events=[event("something happened")])
    compiled = []
    for _ in range(2):
        with statements(writer._engine, only_compiled=True) as found:
            writer.commit("run-1", TOKEN, changes)
        compiled.append(len(found))
    assert compiled == [3, 0]
