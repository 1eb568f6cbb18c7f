"""The merge queue on real repositories: nothing red on the integration branch, culprits found, nobody kept waiting."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.queued import bring_to_the_queue
from tests.engine.scene import Scene, attempt_folder, workstream
from tests.support.repository import Repository, make_repository
from uet_tui.core.conflicts import Entry
from uet_tui.core.states import ConflictState, RunState, WorkstreamState
from uet_tui.store.paths import PROMPT

SUITE = """\
import pathlib
import unittest


class Shares(unittest.TestCase):
    def test_all_shares_together_are_no_more_than_the_whole(self):
        shares = {path.name: int(path.read_text()) for path in pathlib.Path("shares").iterdir()}
        self.assertLessEqual(sum(shares.values()), 100, f"{sum(shares.values())} are over 100: {sorted(shares)}")
"""
FILES = {"shares/base": "0\n", "tests/__init__.py": "", "tests/test_shares.py": SUITE, "README.md": "# Shares\n"}
UNIT = {"test_gates": [{"type": "GATE_UNIT"}]}


@pytest.fixture
def shares(repository: Repository) -> Scene:
    """A repository with a test suite: shares must not add up to more than 100."""
    return Scene(make_repository(repository.path.parent / "shares", FILES))


def suite(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Runs the repository's own tests."""
    return subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "-q"], cwd=folder, check=False, capture_output=True, text=True
    )


def gates(log: Path) -> tuple[str, ...]:
    """The gate is the suite; it notes which shares it saw."""
    see = f"(cd shares; echo * >> {log})"
    return (f'gates.GATE_UNIT.commands=["{see}; {sys.executable} -B -m unittest -q"]',)


def commits(scene: Scene) -> list[str]:
    """The commits of the integration branch, oldest first."""
    view = scene.view()
    return scene.repository.git("rev-list", "--first-parent", "--reverse", f"{view.base_commit}..{view.tip}").split()


def each_is_green(scene: Scene, folder: Path) -> None:
    """Checks out every commit of the integration branch and runs the tests there."""
    for commit in commits(scene):
        place = folder / commit
        scene.repository.git("worktree", "add", "-q", "--detach", str(place), commit)
        done = suite(place)
        assert done.returncode == 0, f"{commit} is red: {done.stderr}"


def test_three_that_are_green_alone_and_red_together_never_make_the_branch_red(shares: Scene, tmp_path: Path) -> None:
    log = tmp_path / "gated"
    agent = """["/bin/sh", "-c", "P={prompt_file}; export P; sed -n 's/^.*RUN: //p' $P | sh -e"]"""
    again = "RUN: if grep -q '12[0] are over' $P; then echo 20; else echo 40; fi > shares/c"
    bring_to_the_queue(
        shares,
        workstream("ws-a", "RUN: echo 40 > shares/a", **UNIT),
        workstream("ws-b", "RUN: echo 40 > shares/b", **UNIT),
        workstream("ws-c", again, **UNIT),
        sets=(*gates(log), f"agents.shell.command={agent}", "agents.shell.prompt=text"),
        mark="RUN: ",
    )
    shares.resume()
    view = shares.finish(60)
    assert view.state is RunState.COMPLETED, view.reason
    each_is_green(shares, tmp_path)
    assert shares.events("batch_taken")[:1] == ["merging ws-a, ws-b and ws-c together"]
    (halved,) = shares.events("batch_halved")
    assert halved.startswith("ws-a, ws-b and ws-c do not pass together (GATE_UNIT failed")
    assert [(ws.id, ws.attempts) for ws in view.workstreams] == [("ws-a", 1), ("ws-b", 1), ("ws-c", 2)]
    assert len(commits(shares)) == 2, "the good two are one commit"
    told = [text.partition(", ")[0] for text in shares.events("gate_result") if "(merged" in text]
    assert told[:3] == [
        "ws-a GATE_UNIT passed (merged",
        "ws-b GATE_UNIT passed (merged",
        "ws-c GATE_UNIT failed (merged",
    ], "the verdict that speaks against the culprit is the culprit's, though it was found while all were looked at"
    prompt = (attempt_folder(shares, "ws-c", 2) / PROMPT).read_text()
    assert "120 are over 100: ['a', 'b', 'base', 'c']" in prompt
    seen = log.read_text().splitlines()
    assert sorted(seen) == sorted(
        [
            *("a base", "b base", "base c"),
            *("a b base c", "a b base c"),  # red, and once more to tell red from flaky; the culprit is not gated again
            "base",  # was it red before?
            "a b base",  # the first half
            "a b base c",  # the second attempt in its sandbox; merged, it is the very same tree
        ]
    )


def test_a_batch_that_holds_together_is_one_commit_with_everybody_named(shares: Scene, tmp_path: Path) -> None:
    bring_to_the_queue(
        shares,
        *(workstream(f"ws-{n}", f"echo 10 > shares/{n}", **UNIT) for n in "abcde"),
        sets=gates(tmp_path / "gated"),
    )
    shares.resume()
    view = shares.finish(60)
    assert view.state is RunState.COMPLETED
    first, second = commits(shares)
    git = shares.repository.git
    assert git("log", "-1", "--format=%s", first) == "Merge ws-a, ws-b, ws-c and ws-d"
    trailers = [f"UET-Workstream: ws-{n}\nUET-Attempt: 1" for n in "abcd"]
    body = git("log", "-1", "--format=%(trailers:only)", first).strip()
    assert body == "\n".join([f"UET-Run: {shares.run}", *trailers])
    results = {ws.id: ws.result_commit for ws in view.workstreams}
    parents = git("log", "-1", "--format=%P", first).split()
    assert parents == [view.base_commit, *(results[f"ws-{n}"] for n in "abcd")]
    assert git("log", "-1", "--format=%P", second).split() == [first, results["ws-e"]]
    assert {ws.merge_commit for ws in view.workstreams} == {first, second}
    each_is_green(shares, tmp_path)


def test_where_nothing_is_gated_each_is_merged_by_itself(shares: Scene) -> None:
    bring_to_the_queue(shares, *(workstream(f"ws-{n}", f"echo 50 > shares/{n}") for n in "abc"))
    shares.resume()
    assert shares.finish(60).state is RunState.COMPLETED
    subjects = shares.repository.git("log", "--first-parent", "--format=%s", "-3", shares.view().tip).splitlines()
    assert subjects == ["Merge ws-c", "Merge ws-b", "Merge ws-a"]


def test_what_conflicts_only_with_another_of_its_batch_is_put_off(shares: Scene, tmp_path: Path) -> None:
    bring_to_the_queue(
        shares,
        workstream("ws-a", "echo a > README.md; echo 90 > shares/a", **UNIT),
        workstream("ws-b", "echo 20 > shares/b", **UNIT, circuit_breaker={"max_attempts": 1}),
        workstream("ws-c", "echo c > README.md", **UNIT),
        sets=gates(tmp_path / "gated"),
    )
    shares.resume()
    view = shares.finish(60)
    assert shares.events("merge_deferred") == ["ws-c is back in the queue: conflicts with ws-a of its batch"]
    assert [ws.state for ws in view.workstreams] == ["MERGED", "FAILED", "CONFLICTED"]
    (conflict,) = view.conflicts
    assert conflict.workstream == "ws-c"
    each_is_green(shares, tmp_path)


def test_who_was_put_off_for_the_culprit_is_merged_without_it(shares: Scene, tmp_path: Path) -> None:
    bring_to_the_queue(
        shares,
        workstream("ws-a", "echo 60 > shares/a", **UNIT),
        workstream("ws-b", "echo b > README.md; echo 60 > shares/b", **UNIT, circuit_breaker={"max_attempts": 1}),
        workstream("ws-c", "echo c > README.md", **UNIT),
        sets=gates(tmp_path / "gated"),
    )
    shares.resume()
    view = shares.finish(60)
    assert [ws.state for ws in view.workstreams] == ["MERGED", "FAILED", "MERGED"]
    assert not view.conflicts
    each_is_green(shares, tmp_path)


def test_what_asks_for_no_gate_must_not_break_the_gates_that_the_branch_holds_to(shares: Scene, tmp_path: Path) -> None:
    shares.begin(
        workstream("ws-a", "echo 60 > shares/a", **UNIT),
        workstream("ws-b", "echo 60 > shares/b", depends_on=["ws-a"], circuit_breaker={"max_attempts": 1}),
        sets=gates(tmp_path / "gated"),
    )
    view = shares.finish(60)
    assert [ws.state for ws in view.workstreams] == ["MERGED", "FAILED"]
    assert "as merged: GATE_UNIT failed" in view.workstreams[1].reason
    each_is_green(shares, tmp_path)


@pytest.mark.parametrize("conflicts", [0, 5])
def test_while_conflicts_wait_everything_else_is_merged_just_the_same(scene: Scene, conflicts: int) -> None:
    """Twenty results, taken from the queue in the same batches and the same order, however many conflicts wait."""
    meeting = [workstream(f"ws-x{n}", f"echo {n} > README.md") for n in range(conflicts + bool(conflicts))]
    others = [workstream(f"ws-{n:02}", f"echo {n} > f{n}.txt", priority="background") for n in range(20)]
    bring_to_the_queue(scene, *meeting, *others)
    scene.resume()
    view = scene.finish(60)
    assert sum(c.state is ConflictState.PENDING for c in view.conflicts) == conflicts
    assert view.state is (RunState.PAUSED if conflicts else RunState.COMPLETED)
    merged = [ws for ws in view.workstreams if ws.id not in {ws.id for ws in meeting}]
    assert {ws.state for ws in merged} == {WorkstreamState.MERGED}
    opened = scene.sql("SELECT max(id) FROM uet_events WHERE type = 'conflict_opened'")[0][0] or 0
    later = scene.sql("SELECT count(*) FROM uet_events WHERE type = 'workstream_merged' AND id > ?", opened)[0][0]
    assert later >= 16, "they were merged while the conflicts waited"
    order = [text.split()[0] for text in scene.events("workstream_merged")]
    assert [id for id in order if not id.startswith("ws-x")] == [ws.id for ws in others]
    batches = scene.events("batch_taken")
    assert len(batches) == -(-(20 + len(meeting)) // 4), "no batch was made for nothing"


def test_a_branch_that_somebody_moved_costs_no_further_attempts(scene: Scene) -> None:
    go = scene.repository.path.parent / "go"
    held = workstream("ws-a", f"while [ ! -e {go} ]; do sleep 0.02; done", "echo a > a.txt")
    opened = scene.begin(held, workstream("ws-b", f"while [ ! -e {go} ]; do sleep 0.02; done", "echo b > b.txt"))
    control = opened.place.control
    base = scene.operator.head
    strange = control.commit_tree(control.tree_of(base), (base,), "Somebody else's")
    control.update_refs([(opened.place.integration, strange, base)])
    go.touch()
    view = scene.finish()
    assert [(row.state, row.attempts) for row in view.workstreams] == [(WorkstreamState.FAILED, 1)] * 2
    assert all("not where it was left" in row.reason for row in view.workstreams)


@pytest.mark.parametrize("smuggled", ["bad.txt", ""], ids=["another tree", "the tree that is red"])
def test_a_merge_that_somebody_else_made_in_the_runs_name_is_not_taken_for_one_of_its_own(
    scene: Scene, smuggled: str
) -> None:
    go = scene.repository.path.parent / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    opened = scene.begin(
        workstream("ws-a", "echo a > a.txt", scope=["a.txt"]),
        workstream("ws-b", wait, "echo b > b.txt", scope=["b.txt"], **UNIT),
        sets=('gates.GATE_UNIT.commands=["test ! -e bad.txt -a ! -e a.txt -o ! -e b.txt"]', "forecast_seconds=0"),
    )
    scene.until_state("ws-a", WorkstreamState.MERGED)
    control, branch = opened.place.control, opened.place.integration
    tip = control.head_of(branch)
    assert tip is not None
    edits = {name: Entry("100644", control.write_blob(b"b\n")) for name in ("b.txt", smuggled) if name}
    trailers = {"UET-Run": scene.run, "UET-Workstream": "ws-b", "UET-Attempt": "1"}
    forged = control.commit_tree(control.tree_with(control.tree_of(tip), edits), (tip,), "Merge ws-b", trailers)
    control.update_refs([(branch, forged, tip)])
    go.touch()
    view = scene.finish()
    row = view.workstream("ws-b")
    assert row is not None and row.state is WorkstreamState.FAILED
    assert "not where it was left" in row.reason
    assert view.tip == tip
