"""The tables of transitions, and what a step says it changed."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core import states
from uet_tui.core.beginning import first_records
from uet_tui.core.changes import Changes, NewEvent
from uet_tui.core.events import Noted, Progressed
from uet_tui.core.records import RunRecord, compact
from uet_tui.core.states import (
    AttemptState,
    ConflictState,
    RunState,
    TransitionError,
    WorkerState,
    WorkstreamState,
)

TABLES = [
    (states.RUN_TRANSITIONS, RunState, RunState.PLANNED),
    (states.WORKSTREAM_TRANSITIONS, WorkstreamState, WorkstreamState.PENDING),
    (states.ATTEMPT_TRANSITIONS, AttemptState, AttemptState.CREATED),
    (states.WORKER_TRANSITIONS, WorkerState, WorkerState.SPAWNING),
    (states.CONFLICT_TRANSITIONS, ConflictState, ConflictState.PENDING),
]


@pytest.mark.parametrize(("table", "kind", "first"), TABLES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_state_has_a_row_and_can_be_reached(table: Mapping, kind: type[StrEnum], first: StrEnum):
    assert set(table) == set(kind)
    reached, waiting = {first}, [first]
    while waiting:
        for state in table[waiting.pop()] - reached:
            reached.add(state)
            waiting.append(state)
    assert reached == set(kind)
    assert all(state not in following for state, following in table.items())


def test_what_was_merged_stays_merged_until_it_is_rolled_back_and_an_attempt_ends_once():
    assert states.WORKSTREAM_TRANSITIONS[WorkstreamState.MERGED] == {WorkstreamState.CANCELLED}
    assert all(not states.ATTEMPT_TRANSITIONS[state] for state in states.ATTEMPT_OVER)


def test_a_transition_that_is_not_allowed_tells_the_story_so_far():
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin()
    run.finishes("ws-a")
    board = run.machine.board
    with pytest.raises(TransitionError) as wrong:
        board.move_workstream(run.row("ws-a"), WorkstreamState.PENDING)
    story = "PENDING -> RUNNING -> GATING -> QUEUED -> MERGING -> MERGED"
    assert str(wrong.value) == f"ws-a cannot go from MERGED to PENDING; its story so far: {story}"
    assert run.state("ws-a") == "MERGED"


def test_a_story_names_attempts_workers_conflicts_and_the_run():
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin(linger=True)
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    board = run.machine.board
    with pytest.raises(TransitionError, match="ws-a attempt 1 cannot go from SUCCEEDED to RUNNING"):
        board.move_attempt(run.attempts["ws-a", 1], AttemptState.RUNNING)
    with pytest.raises(TransitionError, match="worker 2 cannot go from BUSY to SPAWNING"):
        board.move_worker(run.worker(2), WorkerState.SPAWNING)
    board.move_conflict(run.conflict(conflict), ConflictState.QUARANTINED)
    with pytest.raises(TransitionError, match=f"conflict {conflict} cannot go from QUARANTINED to PENDING"):
        board.move_conflict(run.conflict(conflict), ConflictState.PENDING)
    with pytest.raises(TransitionError, match="run run cannot go from RUNNING to PLANNED"):
        board.move_run(RunState.PLANNED)


def test_a_step_tells_what_it_changed_and_nothing_else():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a"), workstream("ws-c")).begin()
    run.starts("ws-a")
    changes = run.tell(Progressed(1, "writing the parser")).changes
    assert list(changes.workers) == [1]
    assert changes.workers[1].doing == "writing the parser"
    assert not run.tell(Progressed(1, "writing the parser")).changes
    assert not run.tell(Progressed(9, "nobody")).changes


def test_a_note_is_an_event_and_changes_no_state():
    run = Driver(workstream("ws-a")).begin()
    changes = run.tell(Noted("setup_ran", "make deps", "debug", worker=1, data={"seconds": 3})).changes
    assert changes.events == [NewEvent(1000.0, "setup_ran", "make deps", "debug", None, 1, None, {"seconds": 3})]
    assert (changes.run, changes.workstreams, changes.workers) == (None, {}, {})


def test_the_changes_of_a_later_step_go_before_those_of_an_earlier_one():
    first, second = Changes(), Changes()
    assert not first
    run = RunRecord("r", "r", "eager", 1, "b", "b", None, 0.0)
    first.run = run
    first.events.append(NewEvent(1.0, "a", "a"))
    second.events.append(NewEvent(2.0, "b", "b"))
    first.add(second)
    assert first.run is run
    assert [event.text for event in first.events] == ["a", "b"]
    assert first


def test_a_run_begins_with_nothing_done():
    driver = Driver(workstream("ws-a"), workstream("ws-b", "ws-a"))
    run = RunRecord("r", "r", "eager", 1, "base", "base", None, 0.0)
    records = first_records(run, driver.plan, {"ws-a": "codex", "ws-b": "shell"}, {"codex": "large"})
    assert [(row.wave, row.agent, row.model) for row in records.workstreams.values()] == [
        (1, "codex", "large"),
        (2, "shell", ""),
    ]
    assert compact(records) == {
        "state": "PLANNED",
        "tip": "base",
        "spent_usd": 0.0,
        "workstreams": {"PENDING": ["ws-a", "ws-b"]},
    }
