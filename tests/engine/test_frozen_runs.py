"""Runs with frozen agents: they stand still, whoever has the run, and go on or end when the operator wants it."""

import os
import signal
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.engine.test_recovery import Theatre, server, theatre  # noqa: F401 - fixtures
from tests.support.wait import until
from uet_tui.core.commands import Verb
from uet_tui.core.states import AttemptState, RunState, WorkstreamState
from uet_tui.engine import attempts, liveness, processes

LONG = 60.0
BEAT = "while [ ! -e {go} ]; do echo; sleep 0.02; done"


def agents(scene: Scene, id: str) -> list[int]:
    """All processes below the keeper of a workstream's first attempt."""
    found = [liveness.keeper_of(attempt_folder(scene, id))]
    for pid in found:
        found += [other for other in processes.pids() if processes.parent(other) == pid]
    return found[1:]


def still(scene: Scene, id: str) -> bool:
    states = [(processes.stat(pid) or [b"Z"])[0] for pid in agents(scene, id)]
    return bool(states) and set(states) <= {b"T", b"D", b"Z"}


def size(scene: Scene, id: str) -> int:
    return (attempt_folder(scene, id) / "output.log").stat().st_size


def begun(scene: Scene, id: str) -> None:
    until(lambda: agents(scene, id) and size(scene, id), LONG, f"the agent of {id} to run")


@pytest.fixture
def go(scene: Scene) -> Path:
    return scene.repository.path.parent / "go"


def test_a_frozen_agent_stands_still_and_goes_on(scene: Scene, go: Path) -> None:
    scene.begin(workstream("ws-a", BEAT.format(go=go), "echo a > a"), sets=("stall_seconds=1",))
    until(lambda: (attempt_folder(scene, "ws-a") / "output.log").exists(), LONG, "the agent to run")
    begun(scene, "ws-a")
    answer = scene.ask(Verb.FREEZE, worker=1)
    assert answer.ok and "the run stands still" in answer.message
    until(lambda: still(scene, "ws-a"), LONG, "the agent to stand still")
    view = scene.view()
    assert ([worker.frozen for worker in view.workers], view.state) == ([True], RunState.RUNNING)
    assert [(need.kind, need.target) for need in view.needs] == [("frozen", "1")]
    before = size(scene, "ws-a")
    go.touch()
    assert scene.orchestrator is not None and not scene.orchestrator.join(3), "longer than it may stall"
    assert size(scene, "ws-a") == before
    assert not scene.events("attempt_stalled")
    assert scene.ask(Verb.THAW, worker=1).message == "worker 1 goes on with ws-a"
    assert scene.finish(LONG).state is RunState.COMPLETED
    (act, other) = scene.events("operator_command")
    assert act.startswith("ann: freeze worker 1: ") and other.startswith("ann: thaw worker 1: ")


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.KILL])
def test_a_frozen_agent_can_be_ended(scene: Scene, go: Path, verb: Verb) -> None:
    scene.begin(workstream("ws-a", f"trap 'echo heard; exit 3' TERM; {BEAT.format(go=go)}"), sets=("grace_seconds=30",))
    until(lambda: (attempt_folder(scene, "ws-a") / "output.log").exists(), LONG, "the agent to run")
    begun(scene, "ws-a")
    scene.ask(Verb.FREEZE, worker=1)
    until(lambda: still(scene, "ws-a"), LONG, "the agent to stand still")
    assert scene.ask(verb, **({"workstream": "ws-a"} if verb is Verb.KILL else {})).ok
    view = scene.finish(LONG)
    assert view.state is (RunState.FAILED if verb is Verb.KILL else RunState.PAUSED)
    assert "heard" in (attempt_folder(scene, "ws-a") / "output.log").read_text()


def test_a_drain_says_what_it_waits_for(scene: Scene, go: Path) -> None:
    scene.begin(workstream("ws-a", BEAT.format(go=go), "echo a > a"))
    until(lambda: (attempt_folder(scene, "ws-a") / "output.log").exists(), LONG, "the agent to run")
    begun(scene, "ws-a")
    scene.ask(Verb.FREEZE, worker=1)
    assert scene.ask(Verb.DRAIN).message.endswith("; frozen and to be thawed first: worker 1")
    (need,) = scene.view().needs
    assert need.text == "worker 1 is frozen: ws-a cannot finish, nor the run end, before it is thawed"
    go.touch()
    scene.ask(Verb.THAW, worker=1)
    assert scene.finish(LONG).state is RunState.COMPLETED


def test_after_a_kill_it_is_adopted_frozen_and_thawed(theatre: Theatre) -> None:  # noqa: F811 - the fixture
    go = theatre.repository.path.parent / "go"
    theatre.plan(workstream("ws-a", BEAT.format(go=go), "echo a > a"))
    process = theatre.launch()
    until(lambda: theatre.attempts("ws-a") == ["RUNNING"], LONG, "the agent to run")
    begun(theatre, "ws-a")
    theatre.ask(Verb.FREEZE, worker=1)
    until(lambda: still(theatre, "ws-a"), LONG, "the agent to stand still")
    process.kill()
    process.wait(LONG)
    assert [worker.frozen for worker in theatre.view().workers] == [True]
    again = theatre.launch()
    until(lambda: theatre.events("attempt_adopted"), LONG, "adoption")
    assert theatre.events("attempt_adopted") == ["ws-a attempt 1 is frozen still and was adopted"]
    assert still(theatre, "ws-a") and [worker.frozen for worker in theatre.view().workers] == [True]
    go.touch()
    assert theatre.ask(Verb.THAW, worker=1).ok
    assert again.wait(LONG) == 0
    assert theatre.attempts("ws-a") == [AttemptState.SUCCEEDED]
    theatre.check("ws-a")


@pytest.mark.parametrize("frozen", [True, False])
def test_what_was_decided_and_not_yet_done_is_done_by_the_next_one(theatre: Theatre, frozen: bool) -> None:  # noqa: F811
    go = theatre.repository.path.parent / "go"
    theatre.plan(workstream("ws-a", BEAT.format(go=go), "echo a > a"))
    process = theatre.launch()
    until(lambda: theatre.attempts("ws-a") == ["RUNNING"], LONG, "the agent to run")
    begun(theatre, "ws-a")
    process.kill()
    process.wait(LONG)
    if frozen:  # the record is ahead of the world
        theatre.rewrite("UPDATE attempts SET frozen_at = '2030-01-01 00:00:00.000000'")
    else:
        attempts.freeze(attempt_folder(theatre, "ws-a"))
        until(lambda: still(theatre, "ws-a"), LONG, "the agent to stand still")
    again = theatre.launch()
    until(lambda: still(theatre, "ws-a") is frozen, LONG, "the agent to be as the record says")
    if frozen:
        theatre.ask(Verb.THAW, worker=1)
    go.touch()
    assert again.wait(LONG) == 0
    assert theatre.state("ws-a") is WorkstreamState.MERGED


def test_a_frozen_agent_whose_keeper_was_killed_is_lost_and_done_again(scene: Scene, go: Path) -> None:
    scene.begin(workstream("ws-a", BEAT.format(go=go), "echo a > a"))
    until(lambda: (attempt_folder(scene, "ws-a") / "output.log").exists(), LONG, "the agent to run")
    begun(scene, "ws-a")
    pids = agents(scene, "ws-a")
    scene.ask(Verb.FREEZE, worker=1)
    until(lambda: still(scene, "ws-a"), LONG, "the agent to stand still")
    os.kill(liveness.keeper_of(attempt_folder(scene, "ws-a")), signal.SIGKILL)
    until(lambda: not any(processes.start_ticks(pid) for pid in pids), LONG, "the tree to be gone")
    go.touch()
    view = scene.finish(LONG)
    assert (view.state, [ws.attempts for ws in view.workstreams]) == (RunState.COMPLETED, [2])
