"""Nothing is lost and nothing runs twice, wherever an orchestrator dies; and what can be done without one."""

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.events import AttemptEnded, Began, Collected, Landed, LandingRefused, Merged
from uet_tui.core.states import AttemptState


def two(**fields: object) -> Driver:
    return Driver(workstream("ws-a", **fields), workstream("ws-b", "ws-a"), workstream("ws-c"))


def test_an_agent_that_went_on_meanwhile_is_adopted():
    run = two().begin()
    run.starts("ws-a")
    run.crash(began=["ws-c"])
    assert run.running == ["ws-a", "ws-c"]
    assert run.starting == {}
    assert run.workers == {1: "BUSY", 2: "BUSY"}
    assert run.told("run_resumed") == ["run run resumed: 3 workstreams, 2 workers"]
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"
    assert run.row("ws-a").attempts == run.row("ws-c").attempts == 1


def test_an_attempt_that_was_never_started_is_lost_and_made_again_under_a_new_number():
    run = two().begin()
    run.crash()
    assert run.attempts["ws-a", 1].state == "LOST"
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"
    assert run.row("ws-a").attempts == 2


def test_an_agent_that_ended_meanwhile_is_collected_once():
    run = two().begin()
    run.starts("ws-a")
    run.starts("ws-c")
    run.crash(ended=dict.fromkeys(("ws-a", "ws-c"), AttemptState.SUCCEEDED))
    assert sorted(run.collecting) == [("ws-a", 1), ("ws-c", 1)]
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_a_collection_under_way_is_asked_for_again():
    run = two().begin()
    run.ends("ws-a")
    before = run.collecting["ws-a", 1]
    run.crash(began=["ws-c"])
    assert run.collecting["ws-a", 1] == before
    run.collects("ws-a")
    assert run.state("ws-a") == "MERGING"


def test_a_merge_under_way_is_asked_for_again_on_the_same_tip():
    run = two().begin()
    run.comes_to_merge("ws-a", "ws-c")
    before = run.merging
    run.crash()
    assert run.merging == before
    run.merges("ws-a")
    assert run.merging is not None and run.merging.tip == "tip-1"


def test_a_merge_is_asked_for_once_although_an_agent_ended_meanwhile():
    run = two().begin()
    run.starts("ws-c")
    run.comes_to_merge("ws-a")
    run.crash(ended={"ws-c": AttemptState.SUCCEEDED})
    assert run.merging is not None
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_nothing_starts_in_a_sandbox_of_the_orchestrator_that_is_gone():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workstream("ws-c", "ws-a", "ws-b"), spawn=False)
    run.begin()
    run.spawning.clear()
    run.spawn = True
    run.passes(1)
    run.crash()
    run.spawn = False
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_what_is_recovered_starts_nothing_before_the_run_has_begun_again():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workstream("ws-d", max_cost_usd=5), budget=5, workers=3)
    run.begin()
    run.starts("ws-a")
    run.starts("ws-b")
    run.does(Verb.PAUSE)
    run.finishes("ws-a")
    run.does(Verb.CONTINUE)
    run.crash(ended={"ws-b": AttemptState.SUCCEEDED}, dispatch=False)
    assert run.starting == {}
    assert run.running == []


def test_a_retry_delay_goes_on_where_it_was():
    run = Driver(workstream("ws-a")).begin()
    run.fails("ws-a")
    before = run.machine.next_wakeup()
    run.crash()
    assert run.machine.next_wakeup() == before
    assert run.running == []


def test_an_open_conflict_is_still_open_and_laid_out_again():
    run = two().begin(linger=True)
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    run.does(Verb.TAKE, conflict=conflict, side="ours", hunk=1)
    run.laid_out.clear()
    run.crash(linger=True, began=["ws-c"])
    assert run.laid_out == [conflict]
    run.does(Verb.TAKE, conflict=conflict, side="theirs", hunk=2, settle=True)
    run.merges("ws-a")
    assert run.state("ws-a") == "MERGED"


def test_a_parallelism_that_was_lowered_stays_low():
    run = Driver(*(workstream(f"ws-{n}") for n in range(6)), workers=4).begin()
    for n in range(4):
        run.starts(f"ws-{n}")
    run.does(Verb.SCALE, number=2)
    run.crash()
    assert list(run.workers.values()) == ["BUSY", "BUSY", "DRAINING", "DRAINING"]
    run.finishes("ws-2", "ws-3")
    assert len(run.running) == 2


def test_workers_that_drained_with_the_run_go_on_when_it_is_resumed():
    run = Driver(*(workstream(f"ws-{n}") for n in range(6)), workers=2).begin()
    run.starts("ws-0")
    run.starts("ws-1")
    run.does(Verb.DRAIN)
    run.crash()
    assert run.run.state == "RUNNING"
    assert run.workers == {1: "BUSY", 2: "BUSY"}


def test_a_paused_run_goes_on_when_it_is_resumed():
    run = two().begin()
    run.starts("ws-a")
    run.starts("ws-c")
    run.does(Verb.PAUSE)
    run.crash()
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_resuming_a_run_that_is_over_says_so_and_changes_nothing():
    run = Driver(workstream("ws-a")).begin()
    run.finishes("ws-a")
    ended = run.run.ended_at
    run.clock += 50
    run.crash()
    assert (run.run.state, run.run.ended_at) == ("COMPLETED", ended)
    assert run.let_go == ["over", "over"]


@pytest.mark.parametrize("moment", range(20))
def test_a_crash_at_any_moment_loses_nothing(moment):
    run = two().begin()
    for _ in range(moment):
        run.goes_well()
    run.crash()
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"
    merged = [event.workstream for event in run.log if event.type == "workstream_merged"]
    assert sorted(id for id in merged if id) == ["ws-a", "ws-b", "ws-c"]


def test_what_is_told_twice_is_ignored():
    run = two().begin()
    run.ends("ws-a")
    run.tell(AttemptEnded("ws-a", 1, AttemptState.FAILED, 1, "late"))
    assert run.state("ws-a") == "GATING"
    run.collects("ws-a")
    run.tell(Collected("ws-a", 1, None, "", "late"))
    assert run.state("ws-a") == "MERGING"
    run.merges("ws-a")
    run.tell(Merged("ws-a", "late"))
    assert (run.run.tip, run.row("ws-a").merge_commit) == ("tip-1", "tip-1")


def test_a_collection_of_an_older_attempt_is_ignored():
    run = two().begin()
    run.fails("ws-a")
    run.does(Verb.RETRY, workstream="ws-a")
    run.tell(Collected("ws-a", 1, "old", "old"))
    assert run.running == ["ws-c", "ws-a"]


# Where no orchestrator has the run


def waiting() -> tuple[Driver, str]:
    run = two().begin()
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    run.finishes("ws-c")
    assert run.run.state == "PAUSED"
    return run, conflict


def test_a_run_that_nobody_has_waits_for_the_command_it_was_taken_for():
    run, _ = waiting()
    run.let_go.clear()
    run.crash(dispatch=False)
    assert run.let_go == []
    assert run.run.state == "PAUSED"


def test_a_conflict_is_settled_and_merged_without_an_orchestrator():
    run, conflict = waiting()
    run.let_go.clear()
    run.crash(dispatch=False)
    run.does(Verb.TAKE, conflict=conflict, side="ours", settle=True)
    assert run.let_go == []
    run.merges("ws-a")
    assert run.let_go == ["done"]
    assert run.starting == {}
    assert run.run.state == "PAUSED"
    run.crash()
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_what_a_run_that_nobody_has_waits_for_is_as_the_operator_left_it():
    run, conflict = waiting()
    assert run.run.reason == f"waits for the operator: conflict {conflict}"
    run.crash(dispatch=False)
    run.does(Verb.DEFER, conflict=conflict)
    assert run.run.reason == f"waits for the operator: conflict {conflict}"
    run.crash(dispatch=False)
    run.does(Verb.REDO, conflict=conflict)
    assert (run.run.state, run.run.reason) == ("PAUSED", "decided; resume goes on")


def test_the_last_resolution_without_an_orchestrator_ends_the_run():
    run = Driver(workstream("ws-a")).begin()
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    run.crash(dispatch=False)
    run.does(Verb.TAKE, conflict=conflict, side="ours", settle=True)
    run.merges("ws-a")
    assert run.run.state == "COMPLETED"


def test_a_command_without_an_orchestrator_does_not_wait_for_agents():
    run = two().begin()
    run.starts("ws-a")
    run.crash(dispatch=False)
    run.does(Verb.SKIP, workstream="ws-b")
    assert run.let_go == ["done"]
    assert run.running == ["ws-a"]


def test_a_retry_without_an_orchestrator_leaves_the_run_to_be_resumed():
    run = Driver(workstream("ws-a")).begin()
    run.fails_for_good("ws-a")
    run.crash(dispatch=False)
    run.does(Verb.RETRY, workstream="ws-a")
    assert run.run.state == "PAUSED"
    assert run.running == []
    run.crash()
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_continuing_needs_an_orchestrator():
    run, _ = waiting()
    run.crash(dispatch=False)
    assert run.is_refused(Verb.CONTINUE) == "nobody runs this run now; `uet resume` goes on with it"


def test_a_run_can_be_skipped_whole_before_it_ever_began():
    run = Driver(workstream("ws-a"))
    run.tell(Began(dispatch=False))
    run.does(Verb.SKIP, workstream="ws-a")
    assert run.run.state == "FAILED"


# Landing


def test_landing_moves_the_target_and_answers_when_it_is_done():
    run = Driver(workstream("ws-a")).begin(linger=True)
    run.finishes("ws-a")
    assert run.ask(Verb.LAND) is None
    assert run.landing is not None and run.landing.target == "main"
    assert run.is_refused(Verb.LAND, target="release") == (
        "a landing on main is in progress: land on release when it is done"
    )
    run.tell(Landed("main", "tip-1"))
    assert run.run.landed_commit == "tip-1"
    assert [answer.message for answer in run.answers.values() if answer.ok] == ["landed: main is at tip-1"]


def test_whoever_asks_again_for_a_landing_waits_for_the_same_one():
    run = Driver(workstream("ws-a")).begin(linger=True)
    run.finishes("ws-a")
    assert run.ask(Verb.LAND) is None
    assert run.ask(Verb.LAND, target="main") is None
    run.tell(Landed("main", "tip-1"))
    assert [answer.message for answer in run.answers.values() if answer.ok] == 2 * ["landed: main is at tip-1"]


def test_a_landing_that_is_refused_says_why_and_can_be_asked_for_again():
    run = Driver(workstream("ws-a")).begin(linger=True)
    run.finishes("ws-a")
    run.ask(Verb.LAND, target="release")
    assert run.landing is not None and run.landing.target == "release"
    run.landing = None
    run.tell(LandingRefused("release has moved on: merge it first"))
    assert run.run.landed_at is None
    assert [a.message for a in run.answers.values() if not a.ok] == ["release has moved on: merge it first"]
    assert run.ask(Verb.LAND) is None


def test_landing_without_an_orchestrator_lets_go_when_it_is_done():
    run = Driver(workstream("ws-a")).begin()
    run.finishes("ws-a")
    run.crash(dispatch=False)
    run.let_go.clear()
    run.ask(Verb.LAND)
    assert run.let_go == []
    run.tell(Landed("main", "tip-1"))
    assert run.let_go == ["done"]


def test_landing_is_refused_while_the_run_goes_on_or_when_nothing_was_merged():
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin()
    assert run.is_refused(Verb.LAND) == "the run is RUNNING: land when it is over, or pause it first"
    run.does(Verb.PAUSE)
    assert run.is_refused(Verb.LAND) == "nothing was merged, so there is nothing to land"
    run.finishes("ws-a")
    assert run.ask(Verb.LAND) is None


def test_landing_after_a_detached_head_needs_a_target():
    run = Driver(workstream("ws-a"))
    run.run.target_branch = None
    run.begin(linger=True)
    run.finishes("ws-a")
    assert "say where to land" in run.is_refused(Verb.LAND)


def test_nothing_is_merged_into_what_is_being_landed():
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin()
    run.finishes("ws-a")
    run.does(Verb.PAUSE)
    run.ask(Verb.LAND)
    run.comes_to_merge("ws-b")
    assert run.merging is None
    run.tell(Landed("main", "tip-1"))
    assert run.merging is not None
