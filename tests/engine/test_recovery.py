"""Killed at any instant, a run goes on and comes to what it would have come to undisturbed."""

import json
import os
import random
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine import driver
from tests.engine.driver import Orchestrating, start_server
from tests.engine.scene import Scene, attempt_folder, settings, workstream
from tests.support.repository import Repository
from tests.support.wait import until
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.commands import Verb
from uet_tui.core.states import AttemptState, ConflictState, RunState, WorkstreamState
from uet_tui.engine.processes import start_ticks
from uet_tui.engine.start import new_run, open_run
from uet_tui.errors import RunLockedError
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Workstream
from uet_tui.store import inbox
from uet_tui.store.writer import FencedError, Writer

WAIT = "while [ ! -e {} ]; do sleep 0.02; done"
COST = """printf '{"uet": {"cost_usd": 0.5}}\\n'"""


class Theatre(Scene):
    """A scene whose orchestrators are processes that can be killed."""

    def __init__(self, repository: Repository, server: "subprocess.Popen[str]") -> None:
        super().__init__(repository)
        self.server = server
        self.processes: list[Orchestrating] = []

    def plan(self, *workstreams: Workstream, sets: tuple[str, ...] = ()) -> None:
        """Makes a run that nobody has."""
        opened = new_run(self.operator, build_plan(workstreams), settings(*sets))
        self.run = opened.place.run
        opened.hold.release(self.run)
        opened.place.control.close()

    def launch(self, point: str = "") -> Orchestrating:
        """Starts an orchestrator; gives it once it has the run, or is gone already."""
        process = Orchestrating(self.server, self.repository.path, self.run, point)
        self.processes.append(process)
        until(lambda: inbox.held(self.home.run(self.run)) or process.poll() is not None, 20, "the run to be taken")
        return process

    def killed_at(self, point: str) -> None:
        """Runs until the orchestrator has killed itself at a point."""
        assert self.launch(point).wait(30) == -signal.SIGKILL, "it must get as far as that"

    def to_the_end(self) -> None:
        """Takes the run up and drives it to where it rests."""
        assert self.launch().wait(60) == 0

    def attempts(self, id: str) -> list[str]:
        """How each attempt of a workstream ended."""
        return [state for (state,) in self.sql("SELECT state FROM attempts WHERE workstream = ? ORDER BY number", id)]

    def merges(self) -> list[str]:
        """Whose merges are on the integration branch, newest first."""
        run, base = self.run, self.view().base_commit
        format = "%(trailers:key=UET-Workstream,valueonly,separator=%x2C)"
        return self.repository.git(
            "log", "--first-parent", f"--format={format}", f"{base}..refs/heads/uet/{run}"
        ).splitlines()

    def check(self, *merged: str) -> None:
        """What must hold of any run that came to its end, however often it was disturbed."""
        view = self.view()
        assert sorted(self.merges()) == sorted(merged), "each is merged exactly once"
        assert self.repository.git("rev-parse", f"refs/heads/uet/{self.run}") == view.tip
        for ws in view.workstreams:
            if ws.state is WorkstreamState.MERGED:
                assert self.repository.git("rev-parse", f"refs/uet/{self.run}/{ws.id}") == ws.result_commit
        ids = [id for (id,) in self.sql("SELECT id FROM uet_events ORDER BY id")]
        assert ids == list(range(1, len(ids) + 1)), "no event is missing"
        (spent,) = self.sql("SELECT sum(usd) FROM cost_tracking WHERE run = ?", self.run)[0]
        assert view.costs.spent_usd == pytest.approx(spent or 0.0)
        assert view.costs.reserved_usd == pytest.approx(0.0)
        assert self.sql("PRAGMA integrity_check") == [("ok",)]
        assert self.repository.git("fsck", "--no-dangling", "--no-progress") == ""


@pytest.fixture(scope="module")
def server() -> Iterator["subprocess.Popen[str]"]:
    server = start_server()
    yield server
    server.communicate("")


@pytest.fixture
def theatre(repository: Repository, server: "subprocess.Popen[str]") -> Iterator[Theatre]:
    theatre = Theatre(repository, server)
    yield theatre
    for process in theatre.processes:
        process.kill()
        process.wait(10)


def test_agents_go_on_without_an_orchestrator_and_are_adopted(theatre: Theatre) -> None:
    go = theatre.repository.path.parent / "go"
    theatre.plan(*(workstream(f"ws-{n}", WAIT.format(go), f"echo {n} > {n}", scope=[n]) for n in "ab"))
    process = theatre.launch()
    for id in ("ws-a", "ws-b"):
        until(lambda id=id: theatre.attempts(id) == ["RUNNING"], 10, "agents to run")
    process.kill()
    process.wait(10)
    view = theatre.view()
    assert (view.alive, view.crashed_at is not None) == (False, True)
    assert view.notices == (f"its orchestrator died: `uet resume {view.id}` goes on",)
    again = theatre.launch()
    until(lambda: len(theatre.events("attempt_adopted")) == 2, 10, "adoption")
    assert theatre.view().crashed_at is None
    (told,) = theatre.events("run_recovered")
    assert re.fullmatch(r"went on after a crash at [-\d]+ [:\d]+Z: 2 attempts adopted, 0 collected, 0 lost", told)
    go.touch()
    assert again.wait(30) == 0
    assert theatre.attempts("ws-a") == theatre.attempts("ws-b") == ["SUCCEEDED"]
    theatre.check("ws-a", "ws-b")


def test_what_ended_while_nobody_watched_counts(theatre: Theatre) -> None:
    go = theatre.repository.path.parent / "go"
    theatre.plan(workstream("ws-a", WAIT.format(go), "echo a > a", COST), sets=USE)
    process = theatre.launch()
    until(lambda: theatre.attempts("ws-a") == ["RUNNING"], 10, "the agent to run")
    process.kill()
    process.wait(10)
    go.touch()
    until(lambda: (attempt_folder(theatre, "ws-a") / "exit.json").exists(), 10, "the agent to end")
    theatre.to_the_end()
    assert theatre.attempts("ws-a") == ["SUCCEEDED"]
    assert theatre.view().costs.spent_usd == 0.5
    assert not theatre.events("attempt_adopted")
    assert theatre.events("run_recovered")[0].endswith(": 0 attempts adopted, 1 collected, 0 lost")
    theatre.check("ws-a")


USE = ("agents.shell.usage=json-lines",)
ONCE = {
    "once the keeper is started": ["SUCCEEDED"],
    "before the keeper is started": ["LOST", "SUCCEEDED"],
}


@pytest.mark.parametrize("point", driver.POINTS)
def test_killed_at_a_point_a_run_comes_to_the_same_end(theatre: Theatre, point: str) -> None:
    before = fingerprint(theatre.repository)
    ran = theatre.repository.path.parent / "ran"
    gate = "gates.GATE_UNIT.commands=['echo gated > droppings']"
    theatre.plan(
        workstream("ws-a", f"echo $UET_ATTEMPT >> {ran}", "echo a > a", COST, test_gates=[{"type": "GATE_UNIT"}]),
        workstream("ws-b", f"echo $UET_ATTEMPT >> {ran}", "cp a b", COST, depends_on=["ws-a"]),
        sets=(*USE, gate),
    )
    theatre.killed_at(point)
    theatre.to_the_end()
    view = theatre.view()
    assert view.state is RunState.COMPLETED, view.reason
    assert theatre.attempts("ws-a") == ONCE.get(point, ["SUCCEEDED"])
    *before_it, last = theatre.attempts("ws-b")  # publishing goes on beside: it may have been about to start
    assert set(before_it) <= {"LOST"}
    assert last == "SUCCEEDED"
    names = theatre.repository.git("ls-tree", "--name-only", view.tip, "a", "b", "droppings").split()
    assert names == ["a", "b"]
    runs = ran.read_text().split()
    assert len(runs) == len(set(runs)) == 2, "no attempt ran twice"
    assert view.costs.spent_usd == 1.0
    theatre.check("ws-a", "ws-b")
    after = fingerprint(theatre.repository)
    assert after == before


def test_killed_after_every_commit_in_turn_a_run_comes_to_the_same_end(theatre: Theatre) -> None:
    theatre.plan(
        workstream("ws-a", "echo a > a", COST),
        workstream("ws-b", "cp a b", COST, depends_on=["ws-a"]),
        sets=USE,
    )
    kills = 1
    while theatre.launch(f"commit {kills}").wait(30) != 0:
        kills += 1
    assert kills >= 4
    assert theatre.view().state is RunState.COMPLETED
    for id in ("ws-a", "ws-b"):
        assert theatre.attempts(id)[-1] == "SUCCEEDED"
        assert set(theatre.attempts(id)[:-1]) <= {"LOST"}
    theatre.check("ws-a", "ws-b")


def test_gates_that_an_orchestrator_left_running_are_ended_and_run_again(theatre: Theatre) -> None:
    outside = theatre.repository.path.parent
    script = f"echo $$ >> {outside}/gates; echo x > droppings; while [ ! -e {outside}/go ]; do sleep 0.02; done"
    theatre.plan(
        workstream("ws-a", "echo a > a", test_gates=[{"type": "GATE_UNIT"}]),
        sets=(f"gates.GATE_UNIT.commands=['{script}']",),
    )
    process = theatre.launch()
    gates = outside / "gates"
    until(lambda: gates.exists() and gates.read_text(), 10, "the gate to run")
    process.kill()
    process.wait(10)
    again = theatre.launch()
    until(lambda: len(gates.read_text().split()) == 2, 10, "the gate to run again")
    first = gates.read_text().split()[0]
    assert not start_ticks(int(first)), "two gates at once in one sandbox"
    (outside / "go").touch()
    assert again.wait(30) == 0
    view = theatre.view()
    assert view.state is RunState.COMPLETED
    assert theatre.attempts("ws-a") == ["SUCCEEDED"]
    assert theatre.repository.git("ls-tree", "--name-only", view.tip, "a", "droppings") == "a"
    theatre.check("ws-a")


TWELVE = ("workers=3", "overlap=allow", *USE)


def twelve(outside: Path) -> list[Workstream]:
    """Twelve workstreams in four layers; one fails at first, two conflict however they are disturbed."""

    def meet(id: str, other: str) -> list[str]:
        return [
            f"touch {outside}/{id}.met",
            f"while [ ! -e {outside}/{other}.met ]; do sleep 0.02; done",
            f"echo {id} > README.md",
        ]

    scripts = {f"ws-{n:02}": [f"sleep 0.{n % 4 + 4}", f"echo {n} > f{n}.txt"] for n in range(10)}
    scripts["ws-03"] = [
        f"test -e {outside}/tried || {{ touch {outside}/tried; {COST}; exit 1; }}",
        "echo 3 > f3.txt",
    ]
    scripts |= {"ws-one": meet("one", "two"), "ws-two": meet("two", "one")}
    scripts["ws-09"].insert(0, WAIT.format(outside / "enough"))  # so that the run does not end while it is disturbed
    needs = {f"ws-{n:02}": [f"ws-{n - 3:02}"] for n in range(3, 10)}
    return [
        workstream(
            id,
            f"echo $UET_ATTEMPT >> {outside}/ran",
            *script,
            COST,
            depends_on=needs.get(id, ()),
            priority="background" if id[3:] in ("one", "two") else "foreground",
        )
        for id, script in scripts.items()
    ]


def settle(theatre: Theatre) -> None:
    """Resolves the conflict as the operator would, and goes on."""
    view = theatre.view()
    assert view.state is RunState.PAUSED, view.reason
    (conflict,) = (c for c in view.conflicts if c.state is ConflictState.PENDING)
    answer = theatre.ask_offline(Verb.EDIT, conflict=conflict.id, file="README.md", content="both\n", settle=True)
    assert answer.ok, answer.message
    if theatre.view().state is not RunState.COMPLETED:
        theatre.to_the_end()


def test_killed_fifteen_times_a_run_comes_to_the_tree_of_an_undisturbed_one(theatre: Theatre, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    trees = []
    before = fingerprint(theatre.repository)
    for kills in (0, 15):
        outside = tmp_path / f"kills-{kills}"
        outside.mkdir()
        plan = twelve(outside)
        theatre.plan(*plan, sets=TWELVE)
        for _ in range(kills):
            process = theatre.launch()
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.02, 0.2))
            process.kill()
            assert process.wait(10) == -signal.SIGKILL
        (outside / "enough").touch()
        theatre.to_the_end()
        settle(theatre)
        view = theatre.view()
        assert view.state is RunState.COMPLETED, view.reason
        trees.append(theatre.repository.git("rev-parse", f"{view.tip}^{{tree}}"))
        ran = (outside / "ran").read_text().split()
        assert len(ran) == len(set(ran)), "no attempt ran twice"
        assert view.costs.spent_usd == pytest.approx(0.5 * len(ran)), "no cost is lost or counted twice"
        states = theatre.sql("SELECT state, count(*) FROM attempts WHERE run = ? GROUP BY state", theatre.run)
        assert dict(states)[AttemptState.SUCCEEDED] == 12
        assert dict(states)[AttemptState.FAILED] == 1
        theatre.check(*(ws.id for ws in plan))
    assert trees[0] == trees[1], f"seed {seed}"
    assert fingerprint(theatre.repository) == before


def test_of_two_orchestrators_one_has_the_run(theatre: Theatre) -> None:
    theatre.plan(workstream("ws-a", "sleep 0.3; echo a > a"))
    process = theatre.launch()
    with pytest.raises(RunLockedError) as refused:
        open_run(theatre.home, theatre.run)
    assert str(process.pid) in str(refused.value)
    assert process.wait(30) == 0
    assert theatre.attempts("ws-a") == ["SUCCEEDED"]
    theatre.check("ws-a")


def test_an_orchestrator_whose_run_was_taken_stops_and_writes_nothing(scene: Scene) -> None:
    hold = scene.repository.path.parent / "go"
    opened = scene.begin(workstream("ws-a", WAIT.format(hold), "echo a > a"))
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    thief = Writer(scene.home.database)
    thief.claim(scene.run, "another", 1)
    thief.close()
    events = scene.events()
    hold.touch()
    assert scene.orchestrator is not None
    assert scene.orchestrator.join(15)
    assert isinstance(scene.orchestrator.failure, FencedError)
    assert scene.events() == events
    control = ("--git-dir", str(scene.home.control), "rev-parse", opened.place.integration)
    assert scene.repository.git(*control) == scene.view().base_commit
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED


def test_an_orchestrator_that_could_not_commit_says_nothing_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows from a change that is not in the store must not be in it either: its costs would be lost."""
    hold = scene.repository.path.parent / "go"
    opened = scene.begin(
        *(workstream(f"ws-{n}", WAIT.format(hold), f"echo {n} > {n}", COST, scope=[n]) for n in "ab"), sets=USE
    )
    for id in ("ws-a", "ws-b"):
        scene.until_state(id, WorkstreamState.RUNNING)
    until(lambda: all(a.state is AttemptState.RUNNING for a in opened.hold.records.attempts.values()), 10, "agents")
    commit = opened.hold.writer.commit
    failed: list[object] = []

    def full(run, token, changes, *rest):
        if changes.costs and not failed:
            failed.append(changes)
            raise OSError(28, "No space left on device")
        commit(run, token, changes, *rest)

    monkeypatch.setattr(opened.hold.writer, "commit", full)
    hold.touch()
    assert scene.orchestrator is not None
    assert scene.orchestrator.join(15)
    assert failed
    assert isinstance(scene.orchestrator.failure, OSError)
    scene.resume()
    view = scene.finish()
    assert view.costs.spent_usd == 1.0
    assert [ws.attempts for ws in view.workstreams] == [1, 1]


@pytest.mark.parametrize("what", ["a gate", "setting up"])
def test_leaving_does_not_wait_for_what_can_be_done_again(scene: Scene, what: str) -> None:
    outside = scene.repository.path.parent
    script = f"echo $$ >> {outside}/pids; while [ ! -e {outside}/go ]; do sleep 0.02; done"
    key = "gates.GATE_UNIT.commands" if what == "a gate" else "sandbox.setup"
    scene.begin(workstream("ws-a", "echo a > a", test_gates=[{"type": "GATE_UNIT"}]), sets=(f"{key}=['{script}']",))
    pids = outside / "pids"
    until(lambda: pids.exists() and pids.read_text(), 10, what)
    assert scene.ask(Verb.DETACH).ok
    scene.finish(5)
    assert not start_ticks(int(pids.read_text()))
    (outside / "go").touch()
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.workstreams[0].attempts == 1
    assert len(pids.read_text().split()) == 2


def test_a_keeper_that_is_killed_costs_its_attempt_but_never_makes_two_run_at_once(scene: Scene) -> None:
    outside = scene.repository.path.parent
    scene.begin(
        workstream(
            "ws-a",
            f"test ! -e {outside}/pids || ! kill -0 $(cat {outside}/pids)",
            f"echo $$ >> {outside}/pids",
            f"test -e {outside}/second || while :; do sleep 0.02; done",
            "echo a > a",
        )
    )
    pids = outside / "pids"
    until(lambda: pids.exists() and pids.read_text(), 10, "the agent to run")
    (outside / "second").touch()
    os.kill(json.loads((attempt_folder(scene, "ws-a") / "keeper.json").read_text())["pid"], signal.SIGKILL)
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.workstreams[0].attempts == 2
    assert len(pids.read_text().split()) == 2
    assert any("attempt 1 lost" in text for text in scene.events())
