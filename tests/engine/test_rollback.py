"""A run that is rolled back is gone from its branches, each merge by a commit of its own, and so is what it set off."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.engine.scene import Scene, workstream
from tests.engine.test_restored import garbage
from tests.support.wait import until
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.commands import Verb
from uet_tui.core.effects import Revert
from uet_tui.core.events import RevertFailed
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.engine.mending import mend
from uet_tui.engine.reverting import revert
from uet_tui.engine.start import open_run
from uet_tui.plan.model import Workstream
from uet_tui.store.backups import back_up, backups_of
from uet_tui.workspace.control import ControlRepository

FORMAT = "%s|%(trailers:key=UET-Reverts,valueonly,separator=%x2C)"


def writing(id: str, *needs: str, undo: tuple[str, ...] = ()) -> Workstream:
    """A workstream that adds a line to a file that all share, and a file of its own."""
    name = id.removeprefix("ws-")
    script = (f"echo {name} >> shared.txt", f"echo {name} > {name}.txt")
    return workstream(id, *script, depends_on=needs, compensation_actions=undo)


def three(scene: Scene, undo: tuple[str, ...] = (), land: bool = False) -> None:
    """A run of three workstreams, each on top of the one before; all of them merged."""
    plan = (writing("ws-a"), writing("ws-b", "ws-a", undo=undo), writing("ws-c", "ws-b"))
    scene.begin(*plan)
    assert scene.finish().state is RunState.COMPLETED
    if land:
        assert scene.ask_offline(Verb.LAND).ok


def reverts(scene: Scene, ref: str = "") -> list[tuple[str, str]]:
    """What undoes merges on a branch, newest first: the message and the merge."""
    told = scene.repository.git("log", "--first-parent", f"--format={FORMAT}", ref or f"refs/heads/uet/{scene.run}")
    pairs = (line.split("|") for line in told.splitlines())
    return [(subject, merge) for subject, merge in pairs if merge]


def holds_nothing(scene: Scene, ref: str = "") -> bool:
    """Whether a branch has the very files that the run began with."""
    base = scene.view().base_commit
    return scene.repository.git("diff", base, ref or f"refs/heads/uet/{scene.run}") == ""


def test_each_merge_is_undone_by_a_commit_of_its_own_newest_first(scene: Scene) -> None:
    three(scene)
    before = fingerprint(scene.repository)
    merges = [scene.view().workstream(id).merge_commit for id in ("ws-a", "ws-b", "ws-c")]  # type: ignore[union-attr]
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert answer.ok and "rolled back" in answer.message
    assert reverts(scene) == [(f"Revert ws-{x}", merge) for x, merge in zip("abc", merges, strict=True)]
    assert holds_nothing(scene)
    view = scene.view()
    assert view.tip == scene.repository.git("rev-parse", f"refs/heads/uet/{scene.run}")
    assert (view.state, view.reason) == (RunState.CANCELLED, "rolled back")
    assert {ws.state for ws in view.workstreams} == {WorkstreamState.CANCELLED}
    assert {ws.merge_commit for ws in view.workstreams} == {None}
    for ws in view.workstreams:
        assert scene.repository.git("rev-parse", f"refs/uet/{scene.run}/{ws.id}") == ws.result_commit, "work is kept"
    assert fingerprint(scene.repository) == before, "the operator's checkout is not touched"
    assert scene.repository.git("fsck", "--no-dangling", "--no-progress") == ""


def test_a_landed_run_is_undone_on_the_target_branch_and_in_its_checkout(scene: Scene) -> None:
    three(scene, land=True)
    assert (scene.repository.path / "c.txt").exists()
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert answer.ok and "main" in answer.message
    assert holds_nothing(scene, "main") and not (scene.repository.path / "c.txt").exists()
    assert len(reverts(scene, "main")) == 3, "nothing is rewritten"
    assert scene.repository.git("status", "--porcelain") == ""
    assert scene.view().landed_at is None


def test_a_target_that_moved_on_is_left_alone_and_the_one_command_is_told(scene: Scene) -> None:
    three(scene, land=True)
    scene.repository.write("mine.txt", "mine\n")
    mine = scene.repository.commit("Mine")
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert not answer.ok and "main still holds the run" in answer.message
    assert scene.repository.head == mine and holds_nothing(scene)
    command = answer.message.partition("`git switch main && git ")[2].partition("`")[0]
    scene.repository.git(*command.split(), "--no-edit")
    assert sorted(p.name for p in scene.repository.path.glob("*.txt")) == ["mine.txt"]
    again = scene.ask_offline(Verb.ROLLBACK)
    assert again.ok, again.message
    assert scene.view().reason == "rolled back"


def test_a_dirty_checkout_holds_the_target_back_until_it_is_clean(scene: Scene) -> None:
    three(scene, land=True)
    scene.repository.write("README.md", "dirty\n")
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert not answer.ok and "commit or stash" in answer.message
    scene.repository.git("checkout", "-q", "README.md")
    assert scene.ask_offline(Verb.ROLLBACK).ok
    assert holds_nothing(scene, "main")


def test_actions_run_as_the_operator_would_on_the_tip_that_is_left(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPERATOR_SECRET", "s3cret")
    seen = tmp_path / "seen"
    three(scene, (f'echo "$OPERATOR_SECRET $(ls *.txt | xargs)" > {seen}; echo said; sleep 600 & ',))
    assert scene.ask_offline(Verb.ROLLBACK).ok
    assert seen.read_text() == "s3cret a.txt shared.txt\n", "ws-b and ws-c are gone, ws-a is not"
    [log] = (scene.home.run(scene.run).folder / "rollback").glob("*/ws-b.1.log")
    assert log.read_text() == "said\n"
    scene.ask_offline(Verb.ROLLBACK)
    assert seen.read_text() == "s3cret a.txt shared.txt\n"


def test_an_action_that_fails_stops_it_there_and_what_has_run_is_not_run_again(scene: Scene, tmp_path: Path) -> None:
    told, ready = tmp_path / "told", tmp_path / "ready"
    undo = (f"echo one >> {told}", f"echo not yet >&2; test -e {ready} && echo two >> {told}", f"echo three >> {told}")
    three(scene, undo)
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert not answer.ok
    for word in ("ws-b", "action 2", "ended with 1: not yet", ".log", "`uet rollback` goes on"):
        assert word in answer.message
    assert told.read_text() == "one\n"
    states = {ws.id: ws.state.value for ws in scene.view().workstreams}
    assert states == {"ws-a": "MERGED", "ws-b": "MERGED", "ws-c": "CANCELLED"}
    assert len(reverts(scene)) == 2, "its revert was made before"
    assert scene.events("rollback_stopped") and not scene.events("rollback_done")
    ready.touch()
    assert scene.ask_offline(Verb.ROLLBACK).ok
    assert told.read_text() == "one\ntwo\nthree\n"
    assert [subject for subject, _ in reverts(scene)] == ["Revert ws-a", "Revert ws-b", "Revert ws-c"]
    assert holds_nothing(scene) and scene.events("rollback_done")


def test_an_action_that_hangs_is_ended(scene: Scene) -> None:
    scene.begin(writing("ws-a", undo=("sleep 600",)), sets=("timeout_seconds=1",))
    scene.finish()
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert not answer.ok and "did not end within 1 s" in answer.message


def test_what_needed_no_change_has_its_actions_run(scene: Scene, tmp_path: Path) -> None:
    told = tmp_path / "told"
    nothing = """printf '{"uet": {"no_change": true}}\\n'"""
    scene.begin(workstream("ws-none", nothing, compensation_actions=(f"echo ran >> {told}",)))
    assert scene.finish().state is RunState.COMPLETED
    assert scene.ask_offline(Verb.ROLLBACK).ok
    assert told.read_text() == "ran\n" and reverts(scene) == []
    assert scene.state("ws-none") is WorkstreamState.CANCELLED


def test_a_run_that_goes_on_is_not_rolled_back_and_one_that_is_over_is_by_whoever_has_it(scene: Scene) -> None:
    go = scene.repository.path.parent / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    scene.begin(writing("ws-a"), workstream("ws-b", wait, "echo b > b.txt", scope=["b.txt"]), linger=True)
    until(lambda: scene.state("ws-b") is WorkstreamState.RUNNING, 10, "ws-b to run")
    refused = scene.ask(Verb.ROLLBACK)
    assert not refused.ok and "RUNNING" in refused.message
    go.touch()
    until(lambda: scene.view().state is RunState.COMPLETED, 15, "the run to end")
    assert scene.ask(Verb.ROLLBACK).ok
    scene.until_published(f"refs/heads/uet/{scene.run}")
    until(lambda: holds_nothing(scene), 10, "the reverts to be published")
    assert scene.ask(Verb.RETRY, workstream="ws-a").ok
    scene.until_state("ws-a", WorkstreamState.MERGED)
    assert scene.ask(Verb.DETACH).ok
    scene.finish()
    assert scene.file("a.txt") == "a"


def test_a_branch_that_somebody_moved_is_not_touched(scene: Scene) -> None:
    three(scene)
    control, ref = str(scene.home.control), f"refs/heads/uet/{scene.run}"
    tip = scene.view().tip
    scene.repository.git("--git-dir", control, "update-ref", ref, f"{tip}~1")
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert not answer.ok and tip in answer.message and "somebody else moved it" in answer.message
    assert {ws.state for ws in scene.view().workstreams} == {WorkstreamState.MERGED}
    scene.repository.git("--git-dir", control, "update-ref", ref, tip)
    assert scene.ask_offline(Verb.ROLLBACK).ok and holds_nothing(scene)


def test_a_branch_that_is_not_what_the_merge_left_is_not_touched(scene: Scene) -> None:
    three(scene)
    tip = scene.view().tip
    opened = open_run(scene.home, scene.run)
    with opened.place.control as control:
        tree = control.tree_of(scene.view().base_commit)
        strange = control.commit_tree(tree, (tip,), "Strange")
        control.update_refs([(opened.place.integration, strange, tip)])
        said = revert(opened.place, Revert(tip, ("ws-c",), strange, tip), threading.Event())
        assert isinstance(said, RevertFailed) and said.tip is None
        assert f"git revert -m 1 {tip}" in said.problem
        assert control.head_of(opened.place.integration) == strange
        opened.hold.release(scene.run)


def forget(scene: Scene, kept: Path) -> None:
    """Damages the store, log included; all that is left to restore it from is a copy of before."""
    for copy in backups_of(scene.home.database).iterdir():
        copy.unlink()
    shutil.copyfile(kept, backups_of(scene.home.database) / "000001.db")
    garbage(scene.home.database)
    (scene.home.folder / "uet.db-wal").unlink(missing_ok=True)
    mend(scene.home)


@pytest.mark.parametrize("land", [False, True], ids=["not landed", "landed"])
def test_a_rollback_that_a_restored_store_has_forgotten_is_gone_on_with(
    scene: Scene, tmp_path: Path, land: bool
) -> None:
    told = tmp_path / "told"
    three(scene, (f"echo ran >> {told}",), land=land)
    kept = shutil.copyfile(back_up(scene.home.database), tmp_path / "kept.db")
    assert scene.ask_offline(Verb.ROLLBACK).ok
    undone = reverts(scene)
    forget(scene, kept)
    refused = scene.ask_offline(Verb.LAND)
    assert not refused.ok and f"go on with `uet rollback {scene.run}`" in refused.message
    assert "update-ref" not in refused.message, "that would bring back what was undone"
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert answer.ok, answer.message
    assert reverts(scene) == undone and holds_nothing(scene) and holds_nothing(scene, "main")
    assert scene.view().tip == scene.repository.git("rev-parse", f"refs/heads/uet/{scene.run}")
    assert {ws.state for ws in scene.view().workstreams} == {WorkstreamState.CANCELLED}
    assert told.read_text() == "ran\n"


def test_what_needed_no_change_does_not_hold_up_a_rollback_that_was_forgotten(scene: Scene, tmp_path: Path) -> None:
    nothing = """printf '{"uet": {"no_change": true}}\\n'"""
    scene.begin(writing("ws-a"), workstream("ws-none", nothing, depends_on=["ws-a"], compensation_actions=("true",)))
    assert scene.finish().state is RunState.COMPLETED
    kept = shutil.copyfile(back_up(scene.home.database), tmp_path / "kept.db")
    assert scene.ask_offline(Verb.ROLLBACK).ok
    forget(scene, kept)
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert answer.ok, answer.message
    assert len(reverts(scene)) == 1 and holds_nothing(scene)


def test_what_somebody_put_on_top_of_a_forgotten_rollback_is_not_touched(scene: Scene, tmp_path: Path) -> None:
    three(scene)
    kept = shutil.copyfile(back_up(scene.home.database), tmp_path / "kept.db")
    assert scene.ask_offline(Verb.ROLLBACK).ok
    with ControlRepository.open_or_create(scene.home.control, scene.operator) as control:
        tip = scene.view().tip
        strange = control.commit_tree(control.tree_of(tip), (tip,), "Strange")
        control.update_refs([(f"refs/heads/uet/{scene.run}", strange, tip)])
    forget(scene, kept)
    for verb in (Verb.LAND, Verb.ROLLBACK):
        answer = scene.ask_offline(verb)
        assert not answer.ok and "somebody else moved it" in answer.message


KILLED = """
import sys, json
from tests.engine.driver import killing
from uet_tui.core.commands import Command
from uet_tui.engine import offline, reverting
from uet_tui.store.paths import Home
from uet_tui.store.writer import Writer
from uet_tui.workspace.control import ControlRepository
from pathlib import Path

home, run, point, nth, command = sys.argv[1:]
owner, name, before = {
    "before the branch moves": (ControlRepository, "update_refs", True),
    "once the branch has moved": (ControlRepository, "update_refs", False),
    "after a commit": (Writer, "commit", False),
    "before an action": (reverting, "_act", True),
    "once an action is marked": (reverting, "write_whole", False),
}[point]
setattr(owner, name, killing(getattr(owner, name), before=before, nth=int(nth)))
offline.carry_out(Home(Path(home)), run, Command.model_validate_json(command), print)
"""


def killed(scene: Scene, point: str, nth: int) -> None:
    """Rolls back in a process of its own, which kills itself at a point."""
    command = scene.command(Verb.ROLLBACK).model_dump_json()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(scene.home.folder), scene.run, point, str(nth), command],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("before the branch moves", 1),
        ("once the branch has moved", 1),
        ("once the branch has moved", 2),
        ("once the branch has moved", 3),
        ("after a commit", 2),
        ("after a commit", 3),
        ("before an action", 1),
        ("once an action is marked", 1),
    ],
)
def test_killed_at_any_instant_it_goes_on_and_undoes_nothing_twice(
    scene: Scene, tmp_path: Path, point: str, nth: int
) -> None:
    told = tmp_path / "told"
    three(scene, (f"echo one >> {told}", f"echo two >> {told}"), land=True)
    killed(scene, point, nth)
    assert scene.repository.head != scene.view().base_commit, "the target moves last"
    answer = scene.ask_offline(Verb.ROLLBACK)
    assert answer.ok, answer.message
    assert [subject for subject, _ in reverts(scene)] == ["Revert ws-a", "Revert ws-b", "Revert ws-c"]
    assert told.read_text() == "one\ntwo\n"
    assert holds_nothing(scene, "main")
    assert json.dumps(scene.events("merge_reverted")).count("undoes") == 3


def test_what_is_done_again_after_a_rollback_merges_and_can_be_rolled_back_again(scene: Scene, tmp_path: Path) -> None:
    told = tmp_path / "told"
    three(scene, (f"echo again >> {told}",))
    assert scene.ask_offline(Verb.ROLLBACK).ok
    for id in ("ws-a", "ws-b"):
        assert scene.ask_offline(Verb.RETRY, workstream=id).ok
    scene.resume()
    scene.finish()
    assert scene.state("ws-b") is WorkstreamState.MERGED and scene.file("shared.txt") == "a\nb"
    assert scene.ask_offline(Verb.ROLLBACK).ok
    assert holds_nothing(scene) and len(reverts(scene)) == 5
    assert told.read_text() == "again\nagain\n", "once for each time it was merged"


def test_results_that_were_merged_by_one_commit_are_undone_by_one(scene: Scene, tmp_path: Path) -> None:
    told = tmp_path / "told"
    go = tmp_path / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    unit = [{"type": "GATE_UNIT", "required": True, "blocking": True}]
    plan = [
        workstream(
            f"ws-{x}", f"{wait}; echo {x} > {x}.txt", scope=[f"{x}.txt"], test_gates=unit, compensation_actions=[undo]
        )
        for x, undo in (("a", f"echo a >> {told}"), ("b", f"echo b >> {told}"))
    ]
    scene.begin(*plan, sets=('gates.GATE_UNIT.commands=["true"]',), linger=True)
    for ws in plan:
        scene.until_state(ws.id, WorkstreamState.RUNNING)
        assert scene.ask(Verb.HOLD, workstream=ws.id).ok
    go.touch()
    for ws in plan:
        scene.until_state(ws.id, WorkstreamState.QUEUED)
    assert scene.ask(Verb.DETACH).ok
    scene.finish()
    scene.rewrite("UPDATE workstreams SET held = 0")
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED
    assert len({ws.merge_commit for ws in scene.view().workstreams}) == 1
    assert scene.ask_offline(Verb.ROLLBACK).ok
    [(subject, _)] = reverts(scene)
    ids = subject.removeprefix("Revert ").split(", ")
    assert sorted(ids) == ["ws-a", "ws-b"] and holds_nothing(scene)
    assert [f"ws-{x}" for x in told.read_text().split()] == ids[::-1], "last merged, first undone"
