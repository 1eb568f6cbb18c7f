"""What lands is what the run merged, on a tree that every gate of the run saw; all else is refused with a reason."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scene import Scene, workstream
from tests.support.wait import until
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.engine.dry_landing import Foreseen, foresee
from uet_tui.merge.landing import Way
from uet_tui.plan.model import Workstream
from uet_tui.store.queries import Reader
from uet_tui.workspace.control import ControlRepository

UNIT = {"type": "GATE_UNIT", "required": True, "blocking": True}
LINT = {"type": "GATE_LINT", "required": True, "blocking": True}


def writing(id: str, *needs: str, **fields: Any) -> Workstream:
    """A workstream that makes a file of its own."""
    name = f"{id.removeprefix('ws-')}.txt"
    return workstream(id, f"echo {name} > {name}", scope=[name], depends_on=needs, **fields)


def foreseen(scene: Scene, target: str | None = None) -> Foreseen:
    """What landing would do now."""
    reader = Reader(scene.home.database)
    try:
        return foresee(scene.home, scene.run, reader, target)
    finally:
        reader.close()


def test_a_gate_that_has_not_seen_the_last_tree_of_late_runs_before_the_branch_moves(
    scene: Scene, tmp_path: Path
) -> None:
    red = tmp_path / "red"
    scene.begin(
        writing("ws-a", test_gates=[UNIT]),
        writing("ws-b", "ws-a"),
        sets=(f'gates.GATE_UNIT.commands=["echo checked; test ! -e {red} -o ! -e a.txt"]',),
    )
    assert scene.finish().state is RunState.COMPLETED
    base = scene.repository.head
    shutil.rmtree(scene.home.folder / "gates")  # what was said of trees before is forgotten after a day
    red.touch()
    answer = scene.ask_offline(Verb.LAND)
    assert not answer.ok and "GATE_UNIT failed: checked" in answer.message and "landing" in answer.message
    assert scene.repository.head == base, "red is not landed"
    assert [said.where for said in gates_of(scene) if said.verdict == "failed"] == ["landing"]
    assert scene.events("landing_refused")
    red.unlink()
    assert scene.ask_offline(Verb.LAND).ok
    assert gates_of(scene)[-1].verdict == "passed" and gates_of(scene)[-1].where == "landing"


def test_a_gate_without_a_record_of_the_tree_is_foreseen_to_run(scene: Scene) -> None:
    scene.begin(writing("ws-a", test_gates=[UNIT, LINT]), sets=('gates.GATE_UNIT.commands=["true"]',))
    scene.finish()
    assert {gate for gate, _ in foreseen(scene).gates} == {"GATE_LINT", "GATE_UNIT"}
    scene.rewrite("DELETE FROM gate_results WHERE gate = 'GATE_UNIT'")
    assert [gate for gate, said in foreseen(scene).gates if said is None] == ["GATE_UNIT"]


def test_a_tree_that_all_gates_saw_is_not_gated_again(scene: Scene, tmp_path: Path) -> None:
    told = tmp_path / "told"
    scene.begin(writing("ws-a", test_gates=[UNIT]), sets=(f'gates.GATE_UNIT.commands=["echo unit >> {told}"]',))
    scene.finish()
    before = told.read_text()
    [(_, said)] = foreseen(scene).gates
    assert said is not None and said.verdict == "passed"
    assert scene.ask_offline(Verb.LAND).ok
    assert told.read_text() == before
    assert scene.repository.head == scene.view().tip


def gates_of(scene: Scene) -> list[Any]:
    """What gates said of the tree at the tip."""
    reader = Reader(scene.home.database)
    try:
        tree = scene.repository.git("rev-parse", f"{scene.view().tip}^{{tree}}")
        return list(reader.gates_of(scene.run, tree))
    finally:
        reader.close()


def times(scene: Scene) -> dict[Path, int]:
    """Every file of uet's own with the time of its last change; SQLite's shared memory changes by reading."""
    found = (path for path in scene.home.folder.rglob("*") if path.is_file() and path.suffix != ".db-shm")
    return {path: path.stat().st_mtime_ns for path in found}


def two(scene: Scene) -> None:
    """A run of two workstreams, both merged."""
    scene.begin(writing("ws-a"), writing("ws-b", "ws-a"))
    assert scene.finish().state is RunState.COMPLETED


def test_a_branch_that_somebody_moved_is_not_landed_until_it_is_back(scene: Scene) -> None:
    two(scene)
    control, ref, tip = str(scene.home.control), f"refs/heads/uet/{scene.run}", scene.view().tip
    scene.repository.git("--git-dir", control, "update-ref", ref, f"{tip}~1")
    answer = scene.ask_offline(Verb.LAND)
    assert not answer.ok and "somebody else moved it" in answer.message
    assert foreseen(scene).refusals == (answer.message,)
    command = answer.message.partition("`git ")[2].partition("`")[0]
    scene.repository.git(*command.split())
    assert scene.ask_offline(Verb.LAND).ok


def test_a_commit_that_the_run_did_not_make_is_not_landed(scene: Scene) -> None:
    two(scene)
    base, tip = scene.repository.head, scene.view().tip
    with ControlRepository.open_or_create(scene.home.control, scene.operator) as control:
        trailers = {"UET-Run": scene.run, "UET-Workstream": "ws-b", "UET-Attempt": "9"}
        strange = control.commit_tree(control.tree_of(tip), (tip, base), "Merge ws-b", trailers)
        control.update_refs([(f"refs/heads/uet/{scene.run}", strange, tip)])
    scene.rewrite("UPDATE runs SET tip = ?", strange)
    answer = scene.ask_offline(Verb.LAND)
    assert not answer.ok and strange in answer.message and "no merge that this run has on record" in answer.message
    assert scene.repository.head == base


def test_a_tip_that_does_not_come_from_the_base_is_not_landed(scene: Scene) -> None:
    two(scene)
    base, tip = scene.repository.head, scene.view().tip
    with ControlRepository.open_or_create(scene.home.control, scene.operator) as control:
        strange = control.commit_tree(control.tree_of(tip), (), "Strange")
        control.update_refs([(f"refs/heads/uet/{scene.run}", strange, tip)])
    scene.rewrite("UPDATE runs SET tip = ?", strange)
    answer = scene.ask_offline(Verb.LAND)
    assert not answer.ok and f"does not come from {base}" in answer.message
    assert foreseen(scene).refusals


def test_a_dry_run_tells_all_and_changes_nothing(scene: Scene) -> None:
    scene.begin(writing("ws-a"), writing("ws-b", "ws-a"), workstream("ws-no", "exit 3", scope=["no"]))
    assert scene.finish().state is RunState.FAILED
    before, revision = fingerprint(scene.repository), scene.view().revision
    files = times(scene)
    told = foreseen(scene)
    assert not told.refusals
    assert (told.landing.way, told.landing.branch) == (Way.FAST_FORWARD, "main")
    assert (told.landing.old, told.landing.new) == (scene.repository.head, scene.view().tip)
    assert [step.workstreams for step in told.merges] == [("ws-a",), ("ws-b",)]
    assert [(change.status, change.path) for change in told.changes] == [("A", "a.txt"), ("A", "b.txt")]
    assert [id for id, _ in told.not_merged] == ["ws-no"]
    assert fingerprint(scene.repository) == before and scene.view().revision == revision
    assert times(scene) == files
    scene.repository.git("checkout", "-q", "--detach")
    assert foreseen(scene).landing.way is Way.COMPARE_AND_SWAP


def test_a_dry_run_names_all_that_stands_against_it_with_the_fix(scene: Scene) -> None:
    two(scene)
    scene.repository.write("README.md", "dirty\n")
    assert "commit or stash" in foreseen(scene).refusals[0]
    assert "there is no branch nosuch" in foreseen(scene, "nosuch").refusals[0]
    scene.repository.write("mine.txt", "mine\n")
    scene.repository.commit("Mine")
    assert "git merge" in foreseen(scene).refusals[0]


def test_what_landed_is_brought_to_a_second_branch_by_hand_and_a_rollback_leaves_none_behind(scene: Scene) -> None:
    scene.repository.git("branch", "release")
    two(scene)
    assert scene.ask_offline(Verb.LAND).ok
    answer = scene.ask_offline(Verb.LAND, target="release")
    assert not answer.ok and "landed on main" in answer.message
    assert foreseen(scene, "release").refusals == (answer.message,) and not foreseen(scene, "main").refusals
    assert scene.ask_offline(Verb.ROLLBACK).ok
    base = scene.view().base_commit
    assert [scene.repository.git("diff", base, branch) for branch in ("main", "release")] == ["", ""]


def test_the_command_that_is_told_for_a_second_branch_does_it(scene: Scene) -> None:
    scene.repository.git("branch", "release")
    two(scene)
    assert scene.ask_offline(Verb.LAND).ok
    switch, merge = re.findall("`git (switch [^`]*) && git (merge [^`]*)`", foreseen(scene, "release").refusals[0])[0]
    scene.repository.git(*switch.split())
    scene.repository.git(*merge.split())
    assert scene.repository.git("rev-parse", "release") == scene.view().tip


def test_a_dry_run_works_while_somebody_has_the_run(scene: Scene) -> None:
    go = scene.repository.path.parent / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    scene.begin(writing("ws-a"), workstream("ws-b", wait, "echo b > b.txt", scope=["b.txt"]))
    scene.until_state("ws-a", WorkstreamState.MERGED)
    told = foreseen(scene)
    assert [step.workstreams for step in told.merges] == [("ws-a",)]
    assert ["RUNNING" in why for why in told.refusals] == [True]
    go.touch()
    scene.finish()
    assert not foreseen(scene).refusals


def test_what_landed_already_is_not_counted_again(scene: Scene) -> None:
    two(scene)
    assert scene.ask_offline(Verb.LAND).ok
    told = foreseen(scene)
    assert (told.landing.way, told.merges, told.changes, told.refusals) == (Way.NOTHING, (), (), ())


def test_a_run_that_was_rolled_back_has_nothing_to_land(scene: Scene) -> None:
    two(scene)
    assert scene.ask_offline(Verb.ROLLBACK).ok
    assert "rolled back" in foreseen(scene).refusals[0] and foreseen(scene).merges == ()
    answer = scene.ask_offline(Verb.LAND)
    assert not answer.ok and "rolled back" in answer.message


@pytest.mark.parametrize("again", [("ws-a",), ("ws-a", "ws-b")])
def test_what_is_merged_again_after_a_rollback_lands(scene: Scene, again: tuple[str, ...]) -> None:
    two(scene)
    assert scene.ask_offline(Verb.ROLLBACK).ok
    for id in again:
        assert scene.ask_offline(Verb.RETRY, workstream=id).ok
    scene.resume()
    scene.finish()
    assert [step.workstreams for step in foreseen(scene).merges] == [(id,) for id in again]
    answer = scene.ask_offline(Verb.LAND)
    assert answer.ok, answer.message
    until(lambda: (scene.repository.path / "a.txt").exists(), 5, "the checkout")
    assert (scene.repository.path / "b.txt").exists() == (len(again) == 2)
