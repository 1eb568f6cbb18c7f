"""What readers get: the run as it was committed, as plain views."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.store import samples
from tests.store.counting import statements
from tests.store.samples import BEGIN, TOKEN
from uet_tui.core.beginning import first_records
from uet_tui.core.changes import Changes, CostEntry, NewEvent
from uet_tui.core.conflicts import Rung
from uet_tui.core.records import GateEntry, PairRecord, WorkerRecord
from uet_tui.core.states import AttemptState, ConflictState, RunState, WorkerState, WorkstreamState
from uet_tui.errors import UetError
from uet_tui.store.conflict_views import GateView, PairView, RungView
from uet_tui.store.cost_views import CostRow
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import AttemptView, EventView, NeedView, WorkerView
from uet_tui.store.writer import Writer

W = WorkstreamState


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(BEGIN + seconds, UTC)


def events(texts: list[str], **more: object) -> Changes:
    return Changes(events=[NewEvent(BEGIN, "noted", text, **more) for text in texts])


@pytest.fixture
def under_way(writer: Writer) -> Writer:
    """ws-a merged after a failed attempt, ws-b in conflict with it, ws-c waits."""
    records = writer.load("run-1")
    run = replace(records.run, state=RunState.RUNNING, started_at=BEGIN + 1, spent_usd=1.75, budget_usd=10.0)
    a, b, c = (records.workstreams[id] for id in ("ws-a", "ws-b", "ws-c"))
    a = replace(a, state=W.MERGED, attempts=2, cost_usd=1.25, started_at=BEGIN + 1, ended_at=BEGIN + 21)
    a = replace(a, merge_commit="m" * 40, result_commit="r" * 40)
    b = replace(b, state=W.CONFLICTED, attempts=1, cost_usd=0.5, started_at=BEGIN + 1, conflict="c1")
    b = replace(b, reason="conflict c1 with ws-a in src/app.py: needs you")
    c = replace(c, reason="waits for ws-b")
    attempts = (
        samples.attempt(
            "ws-a",
            1,
            state=AttemptState.FAILED,
            cost_usd=0.25,
            started_at=BEGIN + 1,
            ended_at=BEGIN + 4,
            exit_code=3,
            error="it broke",
        ),
        samples.attempt("ws-a", 2, state=AttemptState.SUCCEEDED, cost_usd=1.0),
        samples.attempt("ws-b", 1, state=AttemptState.SUCCEEDED, cost_usd=0.5),
    )
    changes = samples.changes(workstreams=(a, b, c), attempts=attempts)
    changes.run = run
    changes.workers = {
        1: WorkerRecord(1, BEGIN + 2, WorkerState.IDLE),
        2: WorkerRecord(2, BEGIN + 3, WorkerState.BUSY, "ws-b", "shell", "gates"),
        3: WorkerRecord(3, BEGIN + 4, WorkerState.TERMINATED),
    }
    changes.conflicts = {
        "c1": samples.conflict("c1", state=ConflictState.PENDING),
        "c0": samples.conflict("c0", "ws-a", state=ConflictState.HUMAN_RESOLVED, closed_at=BEGIN + 9),
    }
    changes.costs = [
        CostEntry(BEGIN + 4, "ws-a", 1, "shell", "sh", 0.25, 10, 20),
        CostEntry(BEGIN + 21, "ws-a", 2, "shell", "sh", 1.0, 100, 200),
        CostEntry(BEGIN + 22, "ws-b", 1, "shell", "sh", 0.5, 1, 2),
    ]
    writer.commit("run-1", TOKEN, changes)
    return writer


def test_a_run_is_shown_as_it_was_committed(under_way: Writer, reader: Reader) -> None:
    view = reader.run("run-1")
    assert (view.id, view.name, view.state, view.schedule, view.parallelism) == (
        "run-1",
        "payments",
        RunState.RUNNING,
        "eager",
        2,
    )
    assert (view.created_at, view.started_at, view.ended_at) == (at(0), at(1), None)
    assert (view.target_branch, view.base_commit, view.tip, view.landed_at) == ("main", "b" * 40, "b" * 40, None)
    assert view.revision == reader.revision("run-1")
    assert view.counts == {"MERGED": 1, "CONFLICTED": 1, "PENDING": 2}
    assert [ws.id for ws in view.workstreams] == ["ws-a", "ws-b", "ws-c", "ws-d"]
    a, _, c = view.workstreams[:3]
    assert (a.state, a.wave, a.agent, a.model, a.attempts, a.cost_usd) == (W.MERGED, 1, "shell", "sh", 2, 1.25)
    assert (a.started_at, a.ended_at, a.merge_commit, a.result_commit) == (at(1), at(21), "m" * 40, "r" * 40)
    assert (c.depends_on, c.waited_for_by, c.reason, c.wave) == (("ws-a", "ws-b"), ("ws-d",), "waits for ws-b", 2)
    assert (a.priority, a.kind, a.tasks, a.test_gates) == ("foreground", "impl", ("Do ws-a",), ("GATE_UNIT",))
    assert (a.files_scope, a.files_create, a.acceptance_tests) == (("src/ws-a/",), ("docs/ws-a.md",), ("true",))
    assert a.waited_for_by == ("ws-c",)
    assert view.workers == (
        WorkerView(1, WorkerState.IDLE, None, "", at(2), ""),
        WorkerView(2, WorkerState.BUSY, "ws-b", "shell", at(3), "gates"),
    )


def test_conflicts_come_open_ones_first_with_what_waits_behind_them(under_way: Writer, reader: Reader) -> None:
    first, second = reader.run("run-1").conflicts
    assert (first.id, first.open, second.id, second.open) == ("c1", True, "c0", False)
    assert (first.workstream, first.against, first.waiting) == ("ws-b", ("ws-a",), ("ws-c", "ws-d"))
    assert (first.ours_tasks, first.theirs_tasks) == (("Do ws-a",), ("Do ws-b",))
    assert (first.ours_commit, first.theirs_commit, first.opened_at) == ("1" * 40, "2" * 40, at(5))
    (file,) = first.files
    assert (file.path, file.kind, file.decided) == ("src/app.py", "content", False)
    (hunk,) = file.hunks
    assert (hunk.number, hunk.line, hunk.ours, hunk.theirs) == (1, 3, ("ours",), ("theirs", "‹U+001B›[2Jtheirs"))
    assert second.closed_at == at(9)


def test_the_lines_that_a_resolution_is_made_of_stay_exact(under_way: Writer) -> None:
    (hunk,) = under_way.load("run-1").conflicts["c1"].files[0].hunks
    assert (hunk.ours, hunk.theirs) == (("ours\r",), ("theirs", "\x1b[2Jtheirs"))


def test_the_costs_are_those_reported(under_way: Writer, reader: Reader) -> None:
    costs = reader.run("run-1").costs
    assert (costs.spent_usd, costs.reserved_usd, costs.budget_usd) == (1.75, 0.0, 10.0)
    assert costs.rows == (CostRow("ws-a", "shell", 1.25, 2, 110, 220), CostRow("ws-b", "shell", 0.5, 1, 1, 2))
    assert costs.wasted_usd == 0.25
    assert costs.retries == 1
    assert costs.series == (0.0,) * 9 + (1.75,)
    assert costs.per_minute_usd == 0.35


def test_what_needs_the_operator_is_listed(under_way: Writer, reader: Reader) -> None:
    need = NeedView("conflict", "c1", "ws-b: conflict c1 with ws-a in src/app.py: needs you")
    assert reader.run("run-1").needs == (need,)


def test_what_is_worked_on_or_deferred_is_shown_but_does_not_need_the_operator(
    under_way: Writer, reader: Reader
) -> None:
    records = under_way.load("run-1")
    conflict, b = records.conflicts["c1"], records.workstreams["ws-b"]

    def as_it_is(**more: object) -> tuple[str, int]:
        under_way.commit("run-1", TOKEN, Changes(conflicts={"c1": replace(conflict, **more)}))
        view = reader.run("run-1")
        return view.conflicts[0].busy, len(view.needs)

    assert as_it_is(climbing=True) == ("ladder", 0)
    assert as_it_is(asking=True) == ("agent", 0)
    assert as_it_is(deferred=True) == ("", 0)
    assert as_it_is() == ("", 1)
    under_way.commit("run-1", TOKEN, samples.changes(workstreams=(replace(b, state=W.QUEUED),)))
    assert as_it_is() == ("merging", 0)


def test_deferred_conflicts_come_after_the_other_open_ones(under_way: Writer, reader: Reader) -> None:
    more = {
        "c1": samples.conflict("c1", deferred=True),
        "c2": replace(samples.conflict("c2", "ws-c"), opened_at=BEGIN + 30),
    }
    under_way.commit("run-1", TOKEN, Changes(conflicts=more))
    assert [conflict.id for conflict in reader.run("run-1").conflicts] == ["c2", "c1", "c0"]


def test_a_conflict_tells_what_was_tried_what_the_gates_said_and_what_a_proposal_loses(
    under_way: Writer, reader: Reader
) -> None:
    record = samples.conflict()
    file = replace(record.files[0], proposed_by="union", lost=("-gone\x1b[2J",))
    gate = GateEntry(BEGIN + 7, "ws-b", 1, "GATE_UNIT", "proposal", "failed", 1.5, "1 failed\x1b[2J")
    tried = (Rung("union", "refused", 0.2, 0.0, "loses 1 line"), Rung("agent", "settled", 40.0, 0.06, "it said"))
    changed = replace(
        record, files=(file,), proposal="claude", state=ConflictState.PROPOSED, tried=tried, gates=(gate,), note="both"
    )
    under_way.commit("run-1", TOKEN, Changes(conflicts={"c1": changed}))
    view = reader.run("run-1").conflicts[0]
    assert (view.proposal, view.note, view.deferred) == ("claude", "both", False)
    assert view.tried == (
        RungView("union", "refused", 0.2, 0.0, "loses 1 line"),
        RungView("agent", "settled", 40.0, 0.06, "it said"),
    )
    assert view.gates == (GateView("GATE_UNIT", 1, "proposal", "failed", 1.5, "1 failed␛", at(7)),)
    assert (view.files[0].proposed_by, view.files[0].lost) == ("union", ("-gone‹U+001B›[2J",))


def test_the_forecast_comes_conflicts_first(writer: Writer, reader: Reader) -> None:
    pairs = [
        PairRecord("ws-a", "ws-b", "same file", ("x.py",), BEGIN + 1),
        PairRecord("ws-b", "ws-c", "conflict", ("y\x1b[2J.py", "z.py"), BEGIN + 2),
    ]
    writer.commit("run-1", TOKEN, Changes(pairs={(pair.first, pair.second): pair for pair in pairs}))
    assert reader.run("run-1").pairs == (
        PairView("ws-b", "ws-c", "conflict", ("y␛.py", "z.py"), at(2)),
        PairView("ws-a", "ws-b", "same file", ("x.py",), at(1)),
    )


def test_the_place_in_the_merge_queue_is_told(writer: Writer, reader: Reader) -> None:
    a = replace(writer.load("run-1").workstreams["ws-a"], state=W.QUEUED, queued_at=BEGIN + 9, held=True, first=True)
    writer.commit("run-1", TOKEN, samples.changes(workstreams=(a,)))
    a_view, b_view = reader.run("run-1").workstreams[:2]
    assert (a_view.queued_at, a_view.held, a_view.first) == (at(9), True, True)
    assert (b_view.queued_at, b_view.held, b_view.first) == (None, False, False)


def test_gates_are_told_in_the_order_in_which_they_spoke(under_way: Writer, reader: Reader) -> None:
    said = [
        GateEntry(BEGIN + 5, "ws-b", 1, "GATE_UNIT", "sandbox", "passed", 2.5, "3 passed", "t" * 40),
        GateEntry(BEGIN + 4, "ws-a", 2, "GATE_LINT", "merged", "failed", 0.5, "E501"),
        GateEntry(BEGIN + 3, "ws-b", 1, "GATE_UNIT", "merged", "failed", 2.0, "1 failed"),
    ]
    under_way.commit("run-1", TOKEN, Changes(gates=said))
    assert reader.gates("run-1", "ws-b") == (
        GateView("GATE_UNIT", 1, "sandbox", "passed", 2.5, "3 passed", at(5)),
        GateView("GATE_UNIT", 1, "merged", "failed", 2.0, "1 failed", at(3)),
    )
    assert reader.gates("run-1", "ws-z") == ()


def test_a_run_is_alive_while_its_lock_is_held(under_way: Writer, reader: Reader, home: Home) -> None:
    home.run("run-1").folder.mkdir(parents=True)
    left = reader.run("run-1")
    assert (left.alive, left.forecast_end_at) == (False, None)
    assert left.notices == ("no orchestrator has it: `uet resume run-1` goes on",)
    with RunLock.acquire(home.run("run-1")):
        view = reader.run("run-1")
        assert reader.runs()[0].alive
    assert view.alive and view.notices == ()
    assert view.forecast_end_at == at(60 + 40)  # ws-c and ws-d one after the other, as long as ws-a took
    assert not reader.runs()[0].alive


def test_what_holds_the_run_as_a_whole_is_noticed(writer: Writer, reader: Reader) -> None:
    run = samples.run_record()
    run.state, run.reason = RunState.HALTED, "the budget of $10.00 is spent: raise it and resume"
    writer.commit("run-1", TOKEN, Changes(run))
    assert reader.run("run-1").notices == (run.reason,)
    assert reader.run("run-1").needs == (NeedView("halted", "", run.reason),)


def test_what_is_held_needs_the_operator_once_nothing_else_goes_on(writer: Writer, reader: Reader) -> None:
    run = samples.run_record()
    run.state = RunState.RUNNING
    held = replace(writer.load("run-1").workstreams["ws-c"], held=True)
    writer.commit("run-1", TOKEN, Changes(run, {"ws-c": held}))
    assert reader.run("run-1").needs == ()
    run.state = RunState.PAUSED
    writer.commit("run-1", TOKEN, Changes(run))
    (need,) = reader.run("run-1").needs
    assert need == NeedView("held", "ws-c", "ws-c is held: nothing of it goes on until you let it go")


def test_a_rollback_that_is_not_done_needs_the_operator(under_way: Writer, reader: Reader) -> None:
    run = samples.run_record()
    run.state = RunState.CANCELLED
    under_way.commit("run-1", TOKEN, Changes(run))
    assert NeedView("rollback", "", "the rollback is not done: 1 still merged") in reader.run("run-1").needs


def test_runs_are_listed_newest_first(under_way: Writer, reader: Reader) -> None:
    under_way.create_run(samples.records("run-2", BEGIN + 100), samples.plan())
    newest, oldest = reader.runs()
    assert (newest.id, newest.total, newest.merged, newest.conflicts) == ("run-2", 4, 0, 0)
    assert (oldest.id, oldest.total, oldest.merged, oldest.conflicts) == ("run-1", 4, 1, 1)
    assert (oldest.state, oldest.spent_usd, oldest.created_at) == (RunState.RUNNING, 1.75, at(0))
    assert reader.newest() == reader.resolve(None) == "run-2"


def test_a_run_is_found_by_enough_of_its_id(writer: Writer, reader: Reader) -> None:
    for id in ("run-10", "7f3a", "7f_%"):
        writer.create_run(samples.records(id, BEGIN - 1), samples.plan())
    assert reader.resolve("7f3") == "7f3a"
    assert reader.resolve("run-1") == "run-1"  # all of one, though another begins so
    with pytest.raises(UetError, match=r"run- could be any of the runs run-10, run-1"):
        reader.resolve("run-")
    for unknown in ("8", "", "7f%"):
        with pytest.raises(UetError, match=r"there is no run .*the newest is 7f_%"):
            reader.resolve(unknown)


def test_a_store_without_runs_says_how_to_begin(home: Home) -> None:
    Writer(home.database).close()
    reader = Reader(home.database)
    assert reader.runs() == ()
    for ask in (reader.newest, lambda: reader.resolve(None), lambda: reader.resolve("x")):
        with pytest.raises(UetError, match=f"there is no run yet in {home.folder}: `uet run`"):
            ask()
    reader.close()


def test_an_unknown_run_is_named(reader: Reader) -> None:
    for ask in (reader.run, reader.revision):
        with pytest.raises(UetError, match="no run run-9"):
            ask("run-9")
    assert reader.events("run-9") == reader.attempts("run-1", "ws-9") == ()


def test_events_come_in_order_from_where_one_was(writer: Writer, reader: Reader) -> None:
    writer.create_run(samples.records("run-2"), samples.plan())
    writer.claim("run-2", "t", 1)
    writer.commit("run-1", TOKEN, events(["one", "two"]))
    writer.commit("run-2", "t", events(["other"]))
    writer.commit(
        "run-1", TOKEN, events(["three"], workstream="ws-a", worker=2, attempt=3, severity="error", data={"x": [1]})
    )
    seen = reader.events("run-1")
    assert [event.text for event in seen] == ["one", "two", "three"]
    assert reader.events("run-1", after=seen[0].id, limit=1) == (seen[1],)
    assert reader.events("run-1", after=seen[-1].id) == ()
    assert seen[-1] == EventView(seen[-1].id, at(0), "noted", "error", "ws-a", 2, 3, "three", {"x": [1]})
    assert [event.text for event in reader.last_events("run-1", 2)] == ["two", "three"]
    assert [event.text for event in reader.last_events("run-1", 9, workstream="ws-a")] == ["three"]


def test_attempts_come_first_to_last_with_their_folder(under_way: Writer, reader: Reader) -> None:
    first, second = reader.attempts("run-1", "ws-a")
    assert first == AttemptView(
        "ws-a",
        1,
        AttemptState.FAILED,
        1,
        "shell",
        "sh",
        at(1),
        at(4),
        3,
        "it broke",
        None,
        0.25,
        0,
        0,
        "attempts/ws-a/1",
    )
    assert (second.number, second.folder) == (2, "attempts/ws-a/2")


def test_equal_revisions_are_equal_views_once_a_run_is_over(writer: Writer, home: Home) -> None:
    run = replace(samples.run_record(), state=RunState.COMPLETED, started_at=BEGIN, ended_at=BEGIN + 30)
    changes = samples.changes(attempts=(samples.attempt(),))
    changes.run, changes.costs = run, [CostEntry(BEGIN + 10, "ws-a", 1, "shell", "", 2.0, 0, 0)]
    writer.commit("run-1", TOKEN, changes)
    clock = iter([BEGIN + 31, BEGIN + 100_000])
    reader = Reader(home.database, lambda: next(clock, BEGIN + 1e9))
    first, later = reader.run("run-1"), reader.run("run-1")
    reader.close()
    assert first == later
    assert first.costs.series[-1] == 2.0


def test_a_store_that_breaks_under_a_reader_is_told(writer: Writer, home: Home) -> None:
    writer.commit("run-1", TOKEN, events(["x" * 200] * 500))
    writer.close()
    copy = home.folder.parent / "copy.db"
    shutil.copy(home.database, copy)
    with copy.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (copy.stat().st_size - 4096))
    with pytest.raises(UetError, match=f"{copy}.*malformed"):
        Reader(copy).runs()


def test_what_was_read_is_read_again_only_once_something_was_written(under_way: Writer, home: Home) -> None:
    now = BEGIN + 60
    reader = Reader(home.database, lambda: now)
    before = reader.run("run-1")
    with statements(reader._engine) as sent:
        assert reader.run("run-1") == before
    assert "workstreams" not in "".join(sent), "the revision, and who has the run, is all that is asked"
    now += 300
    assert reader.run("run-1").costs.series == (*[0.0] * 4, 1.75, *[0.0] * 5), "what is told per minute grows old"
    under_way.commit("run-1", TOKEN, events(["something"]))
    assert reader.run("run-1").revision == before.revision + 1
    reader.close()


def test_a_large_run_is_read_with_no_more_statements_than_a_small_one(home: Home, writer: Writer) -> None:
    plan = samples.plan()
    many = {f"ws-{n:03}": samples.workstream(f"ws-{n:03}", *([f"ws-{n - 10:03}"] if n > 9 else [])) for n in range(100)}
    plan = replace(plan, workstreams=many, waves=tuple(tuple(sorted(many))[n : n + 10] for n in range(0, 100, 10)))
    records = first_records(samples.run_record("large"), plan, dict.fromkeys(many, "shell"), {})
    writer.create_run(records, plan)
    writer.claim("large", "t", 1)
    attempts = tuple(samples.attempt(id) for id in many)
    changes = samples.changes(attempts=attempts)
    changes.events = events([f"event {n}" for n in range(5000)]).events
    changes.costs = [CostEntry(BEGIN, id, 1, "shell", "", 0.1, 1, 1) for id in many]
    writer.commit("large", "t", changes)
    reader = Reader(home.database, lambda: BEGIN + 60)
    with statements(reader._engine) as small:
        reader.run("run-1")
    with statements(reader._engine) as large:
        assert len(reader.run("large").workstreams) == 100
    with statements(reader._engine) as polled:
        reader.revision("large")
    reader.close()
    assert large == small
    of_events = [statement for statement in large if "uet_events" in statement]
    assert all("LIMIT" in statement for statement in of_events), "however many there are, the newest one is enough"
    assert len([statement for statement in polled if statement.startswith("SELECT")]) == 1
