"""Freezing and thawing a worker: its agent stands still, and everything else goes on."""

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.freezing import standing_still
from uet_tui.core.states import AttemptState


def many(count: int = 4, workers: int = 2) -> Driver:
    run = Driver(*(workstream(f"ws-{n}") for n in range(count)), workers=workers).begin()
    for id in list(run.running):
        run.starts(id)
    return run


def frozen(run: Driver) -> list[str]:
    return [id for (id, _), attempt in run.attempts.items() if attempt.frozen_at is not None]


def test_a_worker_is_frozen_and_thawed():
    run = many()
    assert run.does(Verb.FREEZE, worker=1) == "worker 1 is frozen: ws-0 stands still, and its time does not count"
    assert (frozen(run), run.still) == (["ws-0"], {("ws-0", 1)})
    assert run.reason("ws-0") == "frozen by ann; thaw worker 1 to go on"
    assert run.workers == {1: "BUSY", 2: "BUSY"}, "taking new work is another matter"
    assert run.does(Verb.THAW, worker=1) == "worker 1 goes on with ws-0"
    assert (frozen(run), run.still, run.reason("ws-0")) == ([], set(), "")
    assert run.told("worker_frozen") == ["worker 1 is frozen: ws-0 stands still, and its time does not count"]
    assert run.told("worker_thawed") == ["worker 1 goes on with ws-0"]
    acts = [event for event in run.log if event.type == "operator_command"]
    assert [(act.data["by"], act.data["source"], act.data["verb"]) for act in acts] == [
        ("ann", "cli:1", "freeze"),
        ("ann", "cli:1", "thaw"),
    ]
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_what_cannot_be_frozen_or_thawed_says_why():
    run = many(count=2)
    assert run.is_refused(Verb.FREEZE) == "freeze needs a worker: the workers are 1, 2"
    assert run.is_refused(Verb.FREEZE, worker=7) == "there is no worker 7; the workers are: 1, 2"
    assert run.is_refused(Verb.THAW, worker=1) == "worker 1 is not frozen"
    run.does(Verb.FREEZE, worker=1)
    assert run.is_refused(Verb.FREEZE, worker=1) == "worker 1 is frozen already"
    run.ends("ws-1")
    assert run.is_refused(Verb.FREEZE, worker=2) == "worker 2 has no agent at work: ws-1 is GATING"
    run.collects("ws-1")
    assert run.is_refused(Verb.FREEZE, worker=2) == "worker 2 has no agent at work"


def test_one_that_is_not_started_yet_can_be_frozen():
    run = Driver(workstream("ws-0")).begin()
    run.does(Verb.FREEZE, worker=1)
    assert run.still == {("ws-0", 1)}
    run.starts("ws-0")
    assert frozen(run) == ["ws-0"]


def test_a_run_that_stands_still_says_so_and_does_not_end():
    run = many(count=2)
    assert "nothing else is at work" not in run.does(Verb.FREEZE, worker=1)
    assert run.does(Verb.FREEZE, worker=2).endswith(
        "; nothing else is at work: the run stands still until a worker is thawed"
    )
    assert [worker.number for worker in standing_still(run.machine.board.records)] == [1, 2]
    run.passes(1e6)
    assert (run.run.state, run.let_go) == ("RUNNING", [])
    run.does(Verb.THAW, worker=2)
    assert standing_still(run.machine.board.records) == ()


def test_a_drain_says_what_it_waits_for():
    run = many()
    run.does(Verb.FREEZE, worker=1)
    assert run.does(Verb.DRAIN, worker=1) == "worker 1 goes when ws-0 is done: it is frozen, thaw it first"
    assert run.does(Verb.DRAIN).endswith("; frozen and to be thawed first: worker 1")
    assert [worker.number for worker in standing_still(run.machine.board.records)] == [1]
    run.finishes("ws-1")
    assert run.run.state == "DRAINING"
    run.does(Verb.THAW, worker=1)
    run.finishes("ws-0")
    assert run.let_go == ["drained"]


def test_frozen_agents_are_ended_by_a_stop_and_by_a_kill():
    for verb, fields in ((Verb.STOP, {}), (Verb.KILL, {"workstream": "ws-0"})):
        run = many()
        run.does(Verb.FREEZE, worker=1)
        run.does(verb, **fields)
        assert (frozen(run), ("ws-0", 1) in run.kills) == ([], True)
        assert "ended" in run.is_refused(Verb.FREEZE, worker=1)
        run.ends("ws-0", AttemptState.KILLED)
        assert run.attempts["ws-0", 1].state == "KILLED"


def test_after_a_crash_it_is_frozen_still():
    run = many()
    run.does(Verb.FREEZE, worker=1)
    run.crash()
    assert (frozen(run), run.reason("ws-0")) == (["ws-0"], "frozen by ann; thaw worker 1 to go on")
    run.does(Verb.THAW, worker=1)
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_one_that_ends_all_the_same_is_frozen_no_more():
    run = many()
    run.does(Verb.FREEZE, worker=1)
    run.ends("ws-0", AttemptState.LOST)
    assert frozen(run) == []
    run.collects("ws-0")
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"
