"""Looking ahead while a run goes on: a conflict is named before either side has ended, and nothing pays for it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.engine.scene import Scene, workstream
from tests.support.wait import until
from uet_tui.core import vocabulary
from uet_tui.core.events import Event, Forecast
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.forecasting import Forecaster
from uet_tui.store.conflict_views import PairView

QUICK = ("overlap=allow", "forecast_seconds=0.05", "workers=4")


@dataclass
class Gate:
    """What agents of a test wait for: files that the test makes."""

    folder: Path
    names: set[str] = field(default_factory=set)

    def wait(self, name: str) -> str:
        """A line of an agent's script."""
        self.names.add(name)
        return f"until [ -e '{self.folder / name}' ]; do sleep 0.02; done"

    def open(self, *names: str) -> None:
        """Lets those go on that wait for it."""
        for name in names or self.names:
            (self.folder / name).touch()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    folder = tmp_path / "gates"
    folder.mkdir()
    gate = Gate(folder)
    yield gate
    gate.open()


def pairs(scene: Scene) -> dict[tuple[str, str], PairView]:
    return {(pair.first, pair.second): pair for pair in scene.view().pairs}


def verdicts(scene: Scene) -> dict[tuple[str, str], tuple[str, tuple[str, ...]]]:
    return {ids: (pair.verdict, pair.files) for ids, pair in pairs(scene).items()}


def eventually(scene: Scene, wanted: dict[tuple[str, str], tuple[str, tuple[str, ...]]]) -> None:
    until(lambda: verdicts(scene) == wanted, 15, f"the pairs to be {wanted}")


def test_a_conflict_of_two_running_workstreams_is_named_before_either_ends(scene: Scene, gate: Gate) -> None:
    scene.begin(
        workstream("ws-a", gate.wait("begin"), "sed -i s/hello/bonjour/ src/app.py", gate.wait("end")),
        workstream("ws-b", gate.wait("begin"), "sed -i s/hello/ciao/ src/app.py", gate.wait("undo"),
                   "git checkout -q src/app.py", gate.wait("end")),
        workstream("ws-c", "echo new > new.txt", gate.wait("end")),
        sets=QUICK,
    )  # fmt: skip
    for id in ("ws-a", "ws-b", "ws-c"):
        scene.until_state(id, WorkstreamState.RUNNING)
    assert pairs(scene) == {}
    gate.open("begin")
    eventually(scene, {("ws-a", "ws-b"): ("conflict", ("src/app.py",))})
    assert [scene.state(id) for id in ("ws-a", "ws-b")] == [WorkstreamState.RUNNING] * 2
    assert scene.events(vocabulary.PAIR_TURNED) == ["ws-a and ws-b would conflict in src/app.py"]
    gate.open("undo")
    eventually(scene, {})
    assert scene.events(vocabulary.PAIR_TURNED)[1:] == ["ws-a and ws-b are clean together again"]
    assert scene.state("ws-b") is WorkstreamState.RUNNING
    gate.open()
    view = scene.finish()
    assert view.merged == 2  # ws-b changed nothing in the end
    assert view.pairs == ()


def test_the_forecast_comes_true_and_is_off_the_record_once_the_run_rests(scene: Scene, gate: Gate) -> None:
    scene.begin(
        workstream("ws-a", "sed -i s/hello/bonjour/ src/app.py", gate.wait("end-a")),
        workstream("ws-b", "sed -i s/hello/ciao/ src/app.py", gate.wait("end-b")),
        workstream("ws-d", "echo d > d.txt", gate.wait("end-d")),
        sets=QUICK,
    )
    eventually(scene, {("ws-a", "ws-b"): ("conflict", ("src/app.py",))})
    gate.open("end-a")
    scene.until_state("ws-a", WorkstreamState.MERGED)
    until(lambda: not pairs(scene), 15, "what is merged to be compared no more")
    gate.open("end-b")
    scene.until_state("ws-b", WorkstreamState.CONFLICTED)
    gate.open()
    assert scene.finish().pairs == ()
    assert not scene.home.run(scene.run).forecast.exists()


def test_a_run_that_does_not_want_it_is_not_looked_at(
    scene: Scene, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(Forecaster, "look", lambda self: looked.append(1))
    scene.begin(workstream("ws-a", gate.wait("end")), sets=("forecast_seconds=0",))
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    gate.open()
    scene.finish()
    assert looked == []


def forecaster(scene: Scene, gate: Gate, *scripts: str) -> tuple[Forecaster, list[Event]]:
    """A run of workstreams that wait at their end, with a forecaster of the test's own beside it."""
    opened = scene.begin(
        *(workstream(f"ws-{n}", script, gate.wait("end")) for n, script in enumerate(scripts)),
        sets=(*QUICK, "forecast_seconds=0"),
    )
    told: list[Event] = []
    found = Forecaster(opened.place, opened.hold.records, told.append)
    return found, told


def agents_begun(scene: Scene, count: int, name: str) -> Callable[[], bool]:
    folder = scene.home.run(scene.run).folder / "sandboxes"
    return lambda: len([*folder.glob(f"*/{name}")]) == count


def test_nothing_is_told_while_nothing_changes(scene: Scene, gate: Gate) -> None:
    found, told = forecaster(scene, gate, "echo 1 > same; touch done", "echo 2 > same; touch done")
    until(agents_begun(scene, 2, "done"), 15, "both agents to have written")
    until(lambda: bool(found.look()) or told, 15, "a forecast")
    for _ in range(20):
        found.look()
    assert told == [Forecast((("ws-0", "ws-1", "conflict", ("same",)),))]
    found.close()
    gate.open()
    scene.finish()


def test_a_look_that_fails_is_logged_once_and_ends_nothing(
    scene: Scene, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uet_tui.merge.pairs import Pairs

    calls: list[int] = []

    def broken(self: Pairs, branches: object) -> object:
        calls.append(1)
        raise RuntimeError("the moon is full")

    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]  # one handler, one use
    log = logging.getLogger("uet_tui.engine.forecasting")
    monkeypatch.setattr(log, "handlers", [handler])
    monkeypatch.setattr(Pairs, "look", broken)
    scene.begin(workstream("ws-a", gate.wait("end")), workstream("ws-b", gate.wait("end")), sets=QUICK)
    until(lambda: len(calls) > 2, 15, "a third look")
    gate.open()
    assert scene.finish().state.value in ("COMPLETED", "FAILED")
    assert [line for line in logged if "cannot look ahead" in line] == ["cannot look ahead: the moon is full"]


def test_a_sandbox_that_cannot_be_read_keeps_no_other_pair_from_being_looked_at(scene: Scene, gate: Gate) -> None:
    found, told = forecaster(scene, gate, "echo 1 > same; touch done", "echo 2 > same; touch done", "touch done")
    until(agents_begun(scene, 3, "done"), 15, "all agents to have written")
    row = scene.view().workstream("ws-2")
    assert row is not None and row.worker is not None
    folder = scene.home.run(scene.run).sandbox(row.worker)
    hidden = folder.with_name("hidden")
    folder.rename(hidden)
    until(lambda: bool(found.look()) or told, 15, "a forecast")
    assert told == [Forecast((("ws-0", "ws-1", "conflict", ("same",)),))]
    hidden.rename(folder)
    found.close()
    gate.open()
    scene.finish()
