"""Pause, continue, drain, stop, scale, kill: for the run and for a worker, in any order."""

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.events import WorkerBroken, WorkerReady
from uet_tui.core.states import AttemptState


def many(count: int = 6, workers: int = 3, **options: bool) -> Driver:
    return Driver(*(workstream(f"ws-{n}") for n in range(count)), workers=workers, **options)


# The run


def test_a_paused_run_finishes_what_runs_and_starts_nothing():
    run = many().begin()
    run.does(Verb.PAUSE)
    assert run.run.state == "PAUSED"
    run.finishes("ws-0", "ws-1", "ws-2")
    assert run.running == []
    assert run.reason("ws-3") == "the run is paused"
    assert run.let_go == []
    assert run.does(Verb.CONTINUE) == "the run goes on"
    assert run.running == ["ws-3", "ws-4", "ws-5"]


def test_what_becomes_ready_while_the_run_is_paused_says_so():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a")).begin()
    run.does(Verb.PAUSE)
    run.finishes("ws-a")
    assert run.reason("ws-b") == "the run is paused"
    run.does(Verb.SCALE, number=1)
    run.crash()
    assert run.running == ["ws-b"]


def test_a_paused_run_whose_last_work_ends_is_over():
    run = Driver(workstream("ws-a")).begin()
    run.does(Verb.PAUSE)
    run.finishes("ws-a")
    assert run.run.state == "COMPLETED"


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.CONTINUE])
def test_pausing_or_continuing_twice_is_refused(verb):
    run = many().begin()
    if verb is Verb.PAUSE:
        run.does(Verb.PAUSE)
    assert "the run is" in run.is_refused(verb)


def test_draining_all_finishes_what_runs_and_lets_go():
    run = many().begin()
    run.does(Verb.DRAIN)
    assert run.workers == {1: "DRAINING", 2: "DRAINING", 3: "DRAINING"}
    run.finishes("ws-0", "ws-1")
    assert run.run.state == "DRAINING"
    assert run.workers == {3: "DRAINING"}
    run.finishes("ws-2")
    assert (run.run.state, run.run.reason) == ("PAUSED", "drained; resume goes on")
    assert run.let_go == ["drained"]
    assert run.reason("ws-3") == "the run is paused"


def test_draining_all_when_nothing_is_left_to_start_ends_the_run():
    run = many(count=2).begin()
    run.does(Verb.DRAIN)
    run.finishes("ws-0", "ws-1")
    assert run.run.state == "COMPLETED"
    assert run.let_go == ["over"]


def test_a_run_that_drains_can_be_continued():
    run = many().begin()
    run.does(Verb.DRAIN)
    run.finishes("ws-0")
    run.does(Verb.CONTINUE)
    assert run.running == ["ws-1", "ws-2", "ws-3"]
    assert run.workers == {1: "BUSY", 2: "BUSY", 3: "BUSY"}
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_a_drained_run_can_be_continued_where_the_console_stayed():
    run = many().begin(linger=True)
    run.does(Verb.DRAIN)
    run.finishes("ws-0", "ws-1", "ws-2")
    run.does(Verb.CONTINUE)
    assert run.running == ["ws-3", "ws-4", "ws-5"]


def test_pausing_a_draining_run_is_refused_and_draining_goes_on():
    run = many().begin()
    run.does(Verb.DRAIN)
    assert "DRAINING" in run.is_refused(Verb.PAUSE)
    assert "nothing to drain" in run.is_refused(Verb.DRAIN)
    run.finishes("ws-0", "ws-1", "ws-2")
    assert run.run.state == "PAUSED"


def test_a_paused_run_can_be_drained():
    run = many().begin()
    run.does(Verb.PAUSE)
    run.does(Verb.DRAIN)
    run.finishes("ws-0", "ws-1", "ws-2")
    assert run.let_go == ["drained"]


def test_stopping_ends_what_runs_and_resuming_does_it_again():
    run = many(count=3).begin()
    run.comes_to_merge("ws-0")
    run.starts("ws-1")
    assert run.does(Verb.STOP).startswith("stopping 2 running attempts")
    assert run.kills == [("ws-1", 1), ("ws-2", 1)]
    run.ends("ws-1", AttemptState.KILLED, "ended on request")
    run.ends("ws-2", AttemptState.FAILED, "exit 143")
    run.collects("ws-1")
    run.collects("ws-2")
    assert (run.run.state, run.run.reason) == ("PAUSED", "stopped")
    assert run.let_go == ["drained"]
    assert run.states == {"ws-0": "MERGING", "ws-1": "PENDING", "ws-2": "PENDING"}, "gates are not waited for"
    run.crash()
    assert run.merging is not None and [entry.workstream for entry in run.merging.entries] == ["ws-0"]
    run.merges("ws-0")
    assert run.running == ["ws-1", "ws-2"]
    assert run.row("ws-1").attempts == 2
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_what_is_gated_when_the_run_is_stopped_keeps_its_worker_and_is_gated_by_whoever_goes_on():
    run = Driver(workstream("ws-a")).begin()
    run.ends("ws-a")
    assert run.state("ws-a") == "GATING"
    run.does(Verb.STOP)
    assert (run.run.state, run.state("ws-a"), run.let_go) == ("PAUSED", "GATING", ["drained"])
    run.crash()
    run.collects("ws-a")
    run.merges("ws-a")
    assert (run.run.state, run.row("ws-a").attempts) == ("COMPLETED", 1)


def test_stopping_counts_for_nothing():
    run = Driver(workstream("ws-a", circuit_breaker={"max_attempts": 1})).begin(linger=True)
    for _ in range(4):
        run.does(Verb.STOP)
        run.ends("ws-a", AttemptState.KILLED)
        run.collects("ws-a")
        run.does(Verb.CONTINUE)
        assert run.running == ["ws-a"]
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_stopping_twice_asks_twice_and_ends_once():
    run = many().begin()
    run.does(Verb.STOP)
    run.does(Verb.STOP)
    assert len(run.kills) == 6
    for id in ("ws-0", "ws-1", "ws-2"):
        run.ends(id, AttemptState.KILLED)
        run.collects(id)
    assert run.let_go == ["drained"]
    assert "FAILED" not in run.states.values()


def test_continuing_before_the_stopped_agents_are_gone_tries_them_again():
    run = many(count=3).begin()
    run.does(Verb.STOP)
    run.does(Verb.CONTINUE)
    for id in ("ws-0", "ws-1", "ws-2"):
        run.ends(id, AttemptState.KILLED, "ended on request")
        run.collects(id)
    assert run.states == dict.fromkeys(run.states, "RUNNING")


def test_what_was_stopped_is_not_failed_when_the_orchestrator_dies_before_its_agent():
    run = Driver(workstream("ws-a")).begin()
    run.starts("ws-a")
    run.does(Verb.STOP)
    run.crash()
    run.ends("ws-a", AttemptState.KILLED, "ended on request")
    run.collects("ws-a")
    assert run.running == ["ws-a"]


def test_an_agent_that_finishes_although_it_was_to_stop_has_succeeded():
    run = Driver(workstream("ws-a")).begin()
    run.does(Verb.STOP)
    run.finishes("ws-a")
    assert run.run.state == "COMPLETED"


def test_stopping_a_draining_run_ends_the_attempts_at_once():
    run = many().begin()
    run.does(Verb.DRAIN)
    run.does(Verb.STOP)
    assert len(run.kills) == 3


def test_a_run_that_is_over_cannot_be_stopped_or_scaled():
    run = Driver(workstream("ws-a")).begin(linger=True)
    run.finishes("ws-a")
    assert run.is_refused(Verb.STOP) == "the run is COMPLETED: nothing to stop"
    assert run.is_refused(Verb.SCALE, number=2) == "the run is COMPLETED"


def test_a_halted_run_has_nothing_to_stop():
    run = Driver(workstream("ws-a", max_cost_usd=2), budget=1).begin(linger=True)
    assert run.run.state == "HALTED"
    assert "HALTED" in run.is_refused(Verb.STOP)


def test_detaching_leaves_everything_as_it_is():
    run = many().begin()
    run.does(Verb.DETACH)
    assert run.let_go[0] == "left"
    assert run.running == ["ws-0", "ws-1", "ws-2"]
    run.comes_to_merge("ws-0")
    assert run.running == ["ws-1", "ws-2"], "nothing is started that nobody would watch"


# Workers


def test_a_paused_worker_finishes_its_own_and_takes_nothing_new():
    run = many().begin()
    run.does(Verb.PAUSE, worker=2)
    run.finishes("ws-1")
    assert run.workers == {1: "BUSY", 2: "PAUSED", 3: "BUSY"}
    assert run.running == ["ws-0", "ws-2"]
    run.does(Verb.CONTINUE, worker=2)
    assert run.worker(2).workstream == "ws-3"


def test_a_busy_worker_that_is_paused_and_continued_goes_on_with_its_own():
    run = many().begin()
    run.does(Verb.PAUSE, worker=1)
    assert "PAUSED" in run.is_refused(Verb.PAUSE, worker=1)
    run.does(Verb.CONTINUE, worker=1)
    assert run.workers[1] == "BUSY"
    assert "nothing to continue" in run.is_refused(Verb.CONTINUE, worker=1)


def test_a_drained_worker_goes_when_its_work_is_done_and_is_not_replaced():
    run = many().begin()
    run.does(Verb.DRAIN, worker=2)
    assert run.run.parallelism == 2
    assert "draining already" in run.is_refused(Verb.DRAIN, worker=2)
    run.finishes("ws-0")
    run.comes_to_merge("ws-1")
    assert run.workers == {1: "BUSY", 3: "BUSY"}
    assert run.is_refused(Verb.DRAIN, worker=2) == "there is no worker 2; the workers are: 1, 3"


def test_an_idle_or_paused_worker_without_work_is_drained_at_once():
    run = many(count=2, workers=2).begin(linger=True)
    run.does(Verb.PAUSE, worker=1)
    run.comes_to_merge("ws-0")
    assert run.does(Verb.DRAIN, worker=1) == "worker 1 is gone"
    assert run.workers == {2: "BUSY"}


def test_a_paused_worker_with_work_drains_when_that_is_done():
    run = many().begin()
    run.does(Verb.PAUSE, worker=1)
    run.does(Verb.DRAIN, worker=1)
    assert run.workers[1] == "DRAINING"
    run.finishes("ws-0")
    assert 1 not in run.workers


def test_a_draining_worker_that_is_continued_counts_again():
    run = many().begin()
    run.does(Verb.DRAIN, worker=1)
    run.does(Verb.CONTINUE, worker=1)
    assert run.run.parallelism == 3
    assert run.workers[1] == "BUSY"


def test_continuing_a_worker_of_a_draining_run_is_refused():
    run = many().begin()
    run.does(Verb.DRAIN)
    assert "continue the run" in run.is_refused(Verb.CONTINUE, worker=1)
    assert run.run.parallelism == 3


def test_continuing_the_run_does_not_bring_back_a_worker_that_was_drained_by_itself():
    run = many().begin()
    run.does(Verb.DRAIN, worker=1)
    run.does(Verb.PAUSE)
    run.does(Verb.CONTINUE)
    assert run.workers[1] == "DRAINING"
    run.finishes("ws-0")
    assert run.workers == {2: "BUSY", 3: "BUSY"}


def test_a_worker_that_is_not_there_is_named_with_those_that_are():
    assert many().begin().is_refused(Verb.PAUSE, worker=9) == "there is no worker 9; the workers are: 1, 2, 3"


# Scale


def test_scaling_up_starts_more():
    run = many(workers=1).begin()
    assert run.does(Verb.SCALE, number=4) == "parallelism is 4 now (was 1)"
    assert len(run.running) == 4


def test_scaling_down_takes_idle_workers_first_and_lets_the_busy_ones_finish():
    run = many(count=4, workers=4).begin(linger=True)
    run.comes_to_merge("ws-0")
    run.does(Verb.SCALE, number=2)
    assert run.workers == {2: "BUSY", 3: "BUSY", 4: "DRAINING"}
    assert run.running == ["ws-1", "ws-2", "ws-3"]


def test_scaling_below_the_busy_ones_and_up_again_keeps_them():
    run = many(workers=3).begin()
    run.does(Verb.SCALE, number=1)
    assert run.workers == {1: "BUSY", 2: "DRAINING", 3: "DRAINING"}
    run.does(Verb.SCALE, number=3)
    assert run.workers == {1: "BUSY", 2: "BUSY", 3: "BUSY"}
    assert run.kills == []


def test_scaling_up_after_the_drained_ones_are_gone_makes_new_ones():
    run = many(workers=3).begin()
    run.does(Verb.SCALE, number=1)
    run.finishes("ws-1", "ws-2")
    assert run.workers == {1: "BUSY"}
    run.does(Verb.SCALE, number=2)
    assert run.workers == {1: "BUSY", 2: "BUSY"}


def test_scaling_a_paused_run_starts_nothing():
    run = many(workers=1).begin()
    run.does(Verb.PAUSE)
    run.does(Verb.SCALE, number=3)
    assert run.running == ["ws-0"]
    run.does(Verb.CONTINUE)
    assert len(run.running) == 3


def test_a_sandbox_that_is_being_made_is_not_made_a_second_time():
    run = many(workers=2, spawn=False).begin()
    assert run.spawning == [1, 2]
    run.does(Verb.SCALE, number=1)
    run.does(Verb.SCALE, number=2)
    assert run.spawning == [1, 2, 3]
    run.tell(WorkerReady(2))
    assert run.running == [], "worker 2 was drained before its sandbox was there"
    run.tell(WorkerReady(3))
    assert run.running == ["ws-0"]


def test_a_worker_whose_sandbox_cannot_be_made_is_gone_and_scaling_tries_again():
    run = many(workers=2, spawn=False).begin(linger=True)
    run.tell(WorkerReady(1))
    run.tell(WorkerBroken(2, "setup command `make deps` ended with 2"))
    run.spawning.clear()
    assert run.workers == {1: "BUSY"}
    assert run.told("worker_terminated") == ["worker 2 could not be made: setup command `make deps` ended with 2"]
    run.does(Verb.SCALE, number=2)
    assert run.spawning == [2]


def test_a_run_whose_workers_cannot_be_made_lets_go_and_says_so():
    run = many(workers=2, spawn=False).begin()
    for number in (1, 2):
        run.tell(WorkerBroken(number, "disk full"))
    assert run.run.state == "PAUSED"
    assert run.run.reason == "no worker could be made: disk full"
    assert run.let_go == ["operator"]


# Kill


def test_killing_an_attempt_fails_its_workstream_until_it_is_retried():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a")).begin(linger=True)
    run.starts("ws-a")
    assert run.does(Verb.KILL, workstream="ws-a") == "ending attempt 1 of ws-a"
    assert run.kills == [("ws-a", 1)]
    run.ends("ws-a", AttemptState.FAILED, "exit 143")
    assert run.attempts["ws-a", 1].state == "KILLED"
    run.collects("ws-a")
    assert run.reason("ws-a") == "killed by the operator; retry starts it again"
    assert run.state("ws-b") == "SKIPPED"
    run.does(Verb.RETRY, workstream="ws-a")
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_killing_twice_is_the_same_as_once():
    run = Driver(workstream("ws-a")).begin(linger=True)
    run.does(Verb.KILL, workstream="ws-a")
    run.does(Verb.KILL, workstream="ws-a")
    run.ends("ws-a", AttemptState.KILLED)
    assert "no attempt of it runs" in run.is_refused(Verb.KILL, workstream="ws-a")
    run.collects("ws-a")
    assert run.state("ws-a") == "FAILED"


def test_a_kill_that_came_before_the_agent_is_repeated_once_the_agent_runs():
    run = Driver(workstream("ws-a")).begin()
    run.does(Verb.KILL, workstream="ws-a")
    run.starts("ws-a")
    assert run.kills == [("ws-a", 1), ("ws-a", 1)]


def test_a_stop_that_came_before_the_agent_is_repeated_once_the_agent_runs():
    run = Driver(workstream("ws-a")).begin()
    run.does(Verb.STOP)
    run.starts("ws-a")
    assert run.kills == [("ws-a", 1), ("ws-a", 1)]


def test_a_kill_survives_a_crash():
    run = Driver(workstream("ws-a")).begin()
    run.starts("ws-a")
    run.does(Verb.KILL, workstream="ws-a")
    run.kills.clear()
    run.crash(linger=True)
    assert run.kills == [("ws-a", 1)]
    run.ends("ws-a", AttemptState.KILLED)
    run.collects("ws-a")
    assert run.state("ws-a") == "FAILED"


def test_what_does_not_run_cannot_be_killed():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a")).begin()
    assert run.is_refused(Verb.KILL, workstream="ws-b") == "ws-b is PENDING: no attempt of it runs"
    assert run.is_refused(Verb.KILL, workstream="ws-no") == "this run has no workstream ws-no"


@pytest.mark.parametrize("verb", [Verb.KILL, Verb.RETRY, Verb.SKIP])
def test_an_act_on_a_workstream_must_name_it(verb):
    assert many().begin().is_refused(verb) == f"{verb.value} needs a workstream"


def test_every_command_is_told_with_who_asked_for_it_and_what_came_of_it():
    run = many().begin()
    run.does(Verb.PAUSE)
    run.is_refused(Verb.PAUSE)
    first, second = (event for event in run.log if event.type == "operator_command")
    assert (first.severity, second.severity) == ("info", "warning")
    assert first.text == "ann: pause: paused: running attempts finish, no new one starts"
    assert (second.data["ok"], second.data["source"]) == (False, "cli:1")


def test_what_an_agent_asks_for_is_refused_and_on_record_as_its_own():
    run = many().begin()
    told = run.is_refused(Verb.SCALE, number=9, source="agent:r1/ws-0/1")
    assert told == "it comes from r1/ws-0/1: what agents start has no say in a run"
    assert run.run.parallelism != 9
