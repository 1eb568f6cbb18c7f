"""What was asked of an orchestrator that is gone: what would end the run is not obeyed by the next one."""

import pytest

from tests.engine.scene import Scene, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState
from uet_tui.store import inbox


def leave_at_once(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a"), linger=True)
    scene.ask(Verb.DETACH)
    scene.finish(60)


@pytest.mark.parametrize("verb", [Verb.DRAIN, Verb.STOP, Verb.DETACH])
def test_what_would_end_the_run_is_not_obeyed_by_the_next_orchestrator(scene: Scene, verb: Verb) -> None:
    leave_at_once(scene)
    paths = scene.home.run(scene.run)
    command = scene.command(verb)
    inbox.submit(paths, command)  # by one that was killed before it could take it
    scene.resume()
    assert scene.finish(60).state is RunState.COMPLETED
    answer = inbox.wait(paths, command.id, 0)
    assert answer is not None and not answer.ok
    assert answer.message == "it was meant for an orchestrator that is gone: ask again, if you still want it"
    assert scene.events("operator_command")[-1] == f"ann: {verb}: {answer.message}"


def test_the_same_asked_of_the_new_orchestrator_is_obeyed(scene: Scene) -> None:
    leave_at_once(scene)
    opened_by = scene.resume(linger=True)
    assert opened_by.hold.left_over == frozenset()
    assert scene.ask(Verb.DETACH).ok
    scene.finish(60)


def test_what_is_to_happen_to_a_workstream_still_happens(scene: Scene) -> None:
    leave_at_once(scene)
    paths = scene.home.run(scene.run)
    held, scaled = scene.command(Verb.HOLD, workstream="ws-a"), scene.command(Verb.SCALE, number=3)
    for command in (held, scaled):
        inbox.submit(paths, command)
    scene.resume(linger=True)
    for command in (held, scaled):
        answer = inbox.wait(paths, command.id, 60)
        assert answer is not None and (answer.ok or "merged" in answer.message.lower() or "COMPLETED" in answer.message)
    scene.ask(Verb.DETACH)
    scene.finish(60)
