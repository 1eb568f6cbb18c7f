"""A run whose workstreams all wait in the merge queue, so that the next orchestrator takes them in one go."""

from collections.abc import Sequence

from tests.engine.scene import Scene
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.plan.model import Workstream


def bring_to_the_queue(scene: Scene, *workstreams: Workstream, sets: Sequence[str] = (), mark: str = "") -> None:
    """Runs workstreams up to the merge queue, where the operator holds them; the run rests then, and all are let go.

    They are of one age then. `mark` is what a line begins with that the agent is to run.
    """
    go = scene.repository.path.parent / "go"
    wait = f"{mark}while [ ! -e {go} ]; do sleep 0.02; done"
    waiting = [ws.model_copy(update={"tasks": (wait, *ws.tasks)}) for ws in workstreams]
    scene.begin(*waiting, sets=(f"workers={len(waiting)}", "overlap=allow", "forecast_seconds=0", *sets))
    for ws in waiting:
        scene.until_state(ws.id, WorkstreamState.RUNNING, 30)
        assert scene.ask(Verb.HOLD, workstream=ws.id).ok
    go.touch()
    view = scene.finish(60)
    assert view.state is RunState.PAUSED
    assert {ws.state for ws in view.workstreams} == {WorkstreamState.QUEUED}
    assert {ws.reason for ws in view.workstreams} == {"held by the operator"}
    scene.rewrite("UPDATE workstreams SET held = 0, queued_at = created_at FROM runs WHERE run = runs.id")
