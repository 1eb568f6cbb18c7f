"""A store that was damaged while a run was under way: restored, it comes to what the run would have come to."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.engine.test_resolving import USE as TOLD
from tests.engine.test_resolving import agent, begin, held
from tests.support.wait import until
from uet_tui.core.commands import Verb
from uet_tui.core.states import AttemptState, ConflictState, RunState, WorkstreamState
from uet_tui.engine.mending import mend
from uet_tui.errors import UetError
from uet_tui.store.backups import back_up, backups_of

COST = """printf '{"uet": {"cost_usd": 0.5}}\\n'"""
USE = ("agents.shell.usage=json-lines", "workers=2")


def garbage(database: Path) -> None:
    database.write_bytes(os.urandom(9000))


def cut(database: Path) -> None:
    os.truncate(database, 5000)


def empty(database: Path) -> None:
    os.truncate(database, 0)


def without_backups(database: Path) -> None:
    for copy in backups_of(database).iterdir():
        copy.unlink()
    garbage(database)


DAMAGE = [garbage, cut, empty, without_backups]


def lose_the_store(scene: Scene, damage: Callable[[Path], None]) -> None:
    """Damages the store of a run that nobody has, log included, and only the first backup is there."""
    for copy in sorted(backups_of(scene.home.database).iterdir())[1:]:
        copy.unlink()
    damage(scene.home.database)
    (scene.home.folder / "uet.db-wal").unlink(missing_ok=True)


def names(scene: Scene) -> list[str]:
    return scene.repository.git("ls-tree", "--name-only", f"refs/heads/uet/{scene.run}").split()


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__name__)
def test_what_was_merged_what_runs_and_what_it_cost_is_not_forgotten(
    scene: Scene, damage: Callable[[Path], None]
) -> None:
    outside = scene.repository.path.parent
    ran = f"echo $UET_ATTEMPT >> {outside}/ran"
    wait = f"while [ ! -e {outside}/go ]; do sleep 0.02; done"
    failing = f"test -e {outside}/tried || {{ touch {outside}/tried; exit 1; }}"
    scene.begin(
        workstream("ws-a", ran, COST, failing, "echo a > a", scope=["a"]),
        workstream("ws-b", ran, COST, "cp a b", wait, scope=["b"], depends_on=["ws-a"]),
        workstream("ws-c", ran, COST, "cp b c", scope=["c"], depends_on=["ws-b"]),
        sets=USE,
    )
    scene.until_state("ws-b", WorkstreamState.RUNNING)
    until((attempt_folder(scene, "ws-b") / "keeper.json").exists, 10, "the agent to run")
    until(lambda: "a" in names(scene), 10, "ws-a to be published")
    assert scene.ask(Verb.DETACH).ok
    scene.finish()
    lose_the_store(scene, damage)
    with pytest.raises(UetError, match="`uet resume`"):
        scene.view()
    told = mend(scene.home)
    assert "the store was damaged" in told[0]
    assert ("without a backup" in told[0]) == (damage is without_backups)
    assert mend(scene.home) == []
    scene.resume()
    until(lambda: scene.events("attempt_adopted"), 10, "the agent to be adopted")
    (outside / "go").touch()
    view = scene.finish()
    assert view.state is RunState.COMPLETED, view.reason
    assert [ws.attempts for ws in view.workstreams] == [2, 1, 1]
    assert len((outside / "ran").read_text().split()) == 4, "no attempt ran twice"
    assert {"a", "b", "c"} <= {*names(scene)}
    assert view.costs.spent_usd == pytest.approx(2.0)
    assert view.costs.reserved_usd == pytest.approx(0.0)
    if damage is not without_backups:
        assert scene.events("store_restored") == [told[0]]
    (caught_up,) = scene.events("store_caught_up")
    assert caught_up.startswith("the store was behind: 3 attempts and 1 merge after its last record")


def test_a_resolution_that_only_the_branch_remembers_is_kept(scene: Scene) -> None:
    outside = scene.repository.path.parent

    def meet(id: str, other: str) -> list[str]:
        return [f"touch {outside}/{id}", f"while [ ! -e {outside}/{other} ]; do sleep 0.02; done", f"echo {id} > both"]

    scene.begin(
        workstream("ws-a", *meet("a", "b")),
        workstream("ws-b", *meet("b", "a")),
        workstream("ws-c", "cp both c", depends_on=["ws-a", "ws-b"]),
        sets=("workers=2", "overlap=allow", "resolve=never"),
    )
    view = scene.finish()
    (conflict,) = (c for c in view.conflicts if c.state is ConflictState.PENDING)
    answer = scene.ask_offline(Verb.EDIT, conflict=conflict.id, file="both", content="a and b\n", settle=True)
    assert answer.ok, answer.message
    before = scene.view()
    lose_the_store(scene, garbage)
    mend(scene.home)
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED, view.reason
    assert scene.file("c") == "a and b"
    assert [ws.attempts for ws in view.workstreams] == [1, 1, 1]
    assert [ws.merge_commit for ws in view.workstreams[:2]] == [ws.merge_commit for ws in before.workstreams[:2]]


def test_a_merge_that_this_run_did_not_make_is_not_taken_for_one(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a", scope=["a"]), workstream("ws-b", "exit 1", scope=["b"]))
    view = scene.finish()
    assert view.state is RunState.FAILED
    control = scene.home.control
    git = ("--git-dir", str(control))
    tip = view.tip
    tree = scene.repository.git(*git, "rev-parse", f"{tip}^{{tree}}")
    base = scene.repository.git(*git, "rev-parse", f"{tip}^2^{{tree}}")
    assert tree == base
    message = f"Merge ws-b\n\nUET-Run: {scene.run}\nUET-Workstream: ws-b\nUET-Attempt: 1"
    forged = scene.repository.git(
        *git, "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", tree, "-p", tip, "-p", tip, "-m", message
    )
    scene.repository.git(*git, "update-ref", f"refs/heads/uet/{scene.run}", forged, tip)
    lose_the_store(scene, garbage)
    mend(scene.home)
    scene.resume()
    view = scene.finish()
    merged = {ws.id: ws.state for ws in view.workstreams}
    assert merged["ws-b"] is not WorkstreamState.MERGED
    assert AttemptState.SUCCEEDED not in [
        AttemptState(state) for (state,) in scene.sql("SELECT state FROM attempts WHERE workstream = 'ws-b'")
    ]


def test_an_agent_that_was_asked_is_counted_and_its_answer_is_nobody_elses(scene: Scene) -> None:
    """What a forgotten ask made must not be taken for the answer to the conflict that has its number next."""
    outside = scene.repository.path.parent
    waits = held(outside / "asked", outside / "go")
    begin(scene, *agent(outside, f"{TOLD}\nsys.stdout.flush()\n{waits}"), "resolve=auto", "grace_seconds=0.2")
    until((outside / "asked").exists, 20, "the agent to be asked")
    assert scene.ask(Verb.DETACH).ok
    scene.finish()
    lose_the_store(scene, garbage)
    mend(scene.home)
    scene.resume()
    (outside / "go").touch()
    view = scene.finish()
    assert view.state is RunState.COMPLETED, view.reason
    assert (outside / "asked").read_text().split() == ["asked"] * 2
    assert scene.file("list.txt").splitlines() == ["top", "from ws-a", "from ws-b", "bottom"]
    assert [c.id for c in view.conflicts] == ["c1", "c2"]
    assert view.costs.spent_usd == pytest.approx(2 * 0.125)
    (caught_up,) = scene.events("store_caught_up")
    assert "1 question to an agent" in caught_up


def test_what_was_redone_and_merged_since_is_found_though_its_earlier_attempt_was_merging(scene: Scene) -> None:
    """The backup is of an instant in which the first attempt was being merged; it was refused, and redone."""
    outside = scene.repository.path.parent
    at_gate = f"touch {outside}/merging; while [ ! -e {outside}/go ]; do sleep 0.02; done"
    gate = f"case $PWD in */queue) {at_gate}; ! grep -q ws-a/1 a;; esac"  # red as merged, for what attempt 1 made
    late = f"while [ ! -e {outside}/c-merged ]; do sleep 0.02; done"
    scene.begin(
        workstream("ws-a", late, "echo a$UET_ATTEMPT > a", scope=["a"], test_gates=[{"type": "GATE_UNIT"}]),
        workstream("ws-b", "cp a b", scope=["b"], depends_on=["ws-a"]),
        workstream("ws-c", "echo c > c", scope=["c"]),
        sets=(f"gates.GATE_UNIT.commands={[gate]!r}", "workers=2"),
    )
    scene.until_state("ws-c", WorkstreamState.MERGED)
    (outside / "c-merged").touch()
    until((outside / "merging").exists, 60, "ws-a to be gated as merged")
    assert scene.state("ws-a") is WorkstreamState.MERGING
    kept = shutil.copyfile(back_up(scene.home.database), outside / "kept.db")
    (outside / "go").touch()
    assert next(ws.attempts for ws in scene.finish().workstreams if ws.id == "ws-a") == 2
    lose_the_store(scene, garbage)
    [first] = backups_of(scene.home.database).iterdir()
    shutil.copyfile(kept, first)
    mend(scene.home)
    assert scene.state("ws-a") is WorkstreamState.MERGING
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED, view.reason
    assert {ws.id: ws.attempts for ws in view.workstreams} == {"ws-a": 2, "ws-b": 1, "ws-c": 1}
    assert "ws-a/2" in scene.file("b")
