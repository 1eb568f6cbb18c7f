"""`uet land` and `uet rollback` as they are typed: what they say, in words and as JSON, and what they end with."""

import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from tests.cli.test_main import UET, environment
from tests.engine.scene import Scene, workstream
from tests.support.repository import Repository
from tests.support.wait import until
from uet_tui.core.states import RunState
from uet_tui.store import inbox


@pytest.fixture
def run(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A repository, in which one stands, with a run that has merged two workstreams and failed a third."""
    scene = Scene(repository)
    scene.begin(
        workstream("ws-a", "echo a > a.txt", scope=["a.txt"]),
        workstream("ws-b", "echo b > b.txt; rm README.md", scope=["b.txt", "README.md"], depends_on=["ws-a"]),
        workstream("ws-no", "exit 3", scope=["no.txt"]),
    )
    assert scene.finish().state is RunState.FAILED
    monkeypatch.chdir(repository.path)
    yield scene
    scene.leave()


def test_a_dry_run_says_what_would_happen_line_by_line(run: Scene, uet: Uet) -> None:
    said = uet("land", "--dry-run")
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        f"run {run.run} would land on main",
        f"  from        {run.repository.head}",
        f"  to          {run.view().tip}",
        "  how         fast-forward in checkout",
        "  merges      2: ws-a, ws-b",
        "  not merged  ws-no (FAILED)",
        "  files       3 (2 added, 1 deleted)",
        "              D README.md",
        "              A a.txt",
        "              A b.txt",
        "  gate        none is required",
    ]


def test_a_dry_run_as_json(run: Scene, uet: Uet) -> None:
    told = uet("land", "--dry-run", "--json").document
    ws_a, ws_b = (run.view().workstream(id) for id in ("ws-a", "ws-b"))
    assert ws_a and ws_b
    assert told == {
        "run": run.run,
        "would_land": True,
        "target": "main",
        "from": run.repository.head,
        "to": ws_b.merge_commit,
        "how": "fast-forward in checkout",
        "refusals": [],
        "merges": [
            {"commit": ws_a.merge_commit, "workstreams": ["ws-a"]},
            {"commit": ws_b.merge_commit, "workstreams": ["ws-b"]},
        ],
        "not_merged": [{"id": "ws-no", "state": "FAILED"}],
        "files": [
            {"path": "README.md", "status": "D"},
            {"path": "a.txt", "status": "A"},
            {"path": "b.txt", "status": "A"},
        ],
        "gates": [],
    }


def test_a_dry_run_that_would_be_refused_says_why_and_ends_with_1(run: Scene, uet: Uet) -> None:
    run.repository.write("README.md", "dirty\n")
    said = uet("land", "--dry-run")
    assert said.code == 1
    assert said.out.splitlines()[0] == f"run {run.run} would not land on main"
    assert "  refused     main is checked out here with uncommitted changes (README.md): commit or stash" in said.out
    document = uet("land", "--dry-run", "--json")
    assert (document.code, document.document["would_land"], len(document.document["refusals"])) == (1, False, 1)
    landed = uet("land")
    assert landed.code == 4 and landed.line == document.document["refusals"][0]


def test_many_files_are_counted_and_not_all_listed(
    repository: Repository, uet: Uet, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(repository)
    scene.begin(workstream("ws-many", "for n in $(seq 50); do echo $n > many-$n.txt; done", scope=["*.txt"]))
    scene.finish()
    monkeypatch.chdir(repository.path)
    said = uet("land", "--dry-run").out
    assert "  files       50 (50 added)" in said and "and 30 more" in said
    assert len(uet("land", "--dry-run", "--json").document["files"]) == 50


def test_a_rollback_tells_what_it_did(run: Scene, uet: Uet) -> None:
    said = uet("rollback", "--json")
    assert said.code == 0, said.err
    assert said.document == {
        "run": run.run,
        "ok": True,
        "message": f"run {run.run} rolled back: uet/{run.run} holds nothing of the run any more",
    }
    status = uet("status", "--json").document
    assert (status["state"], status["needs"]) == ("CANCELLED", [])
    again = uet("rollback")
    assert again.code == 4 and "rolled back already" in again.line
    refused = uet("land")
    assert refused.code == 4 and "nothing to land" in refused.line


def test_a_rollback_that_stops_waits_for_the_operator(
    repository: Repository, uet: Uet, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(repository)
    scene.begin(workstream("ws-a", "echo a > a.txt", compensation_actions=["echo too bad; exit 7"]))
    scene.finish()
    monkeypatch.chdir(repository.path)
    said = uet("rollback")
    assert said.code == 4
    assert "the rollback stopped at ws-a: compensation action 1 of ws-a" in said.line
    assert "ended with 7: too bad" in said.line and said.line.endswith("`uet rollback` goes on from there")


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(("typed", "code", "state"), [("n\n", 130, "FAILED"), ("y\n", 0, "CANCELLED")])
def test_on_a_terminal_it_asks_once_whether_it_is_meant(
    run: Scene, uet: Uet, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, state: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    said = uet("rollback")
    assert said.code == code
    assert f"Roll back run {run.run}: undo the work of 2 workstreams (ws-a, ws-b)? [y/N]" in said.err
    assert run.view().state.value == state


def test_with_yes_it_does_not_ask(run: Scene, uet: Uet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    assert uet("rollback", "--yes").code == 0


def test_a_run_that_was_rolled_back_is_not_resumed_but_tells_how_to_go_on(run: Scene, uet: Uet) -> None:
    assert uet("rollback").code == 0
    said = uet("resume", "--headless")
    assert said.code == 2 and "rolled back" in said.line and "uet retry" in said.line
    assert uet("retry", "ws-a").code == 0
    assert uet("resume", "--headless").code == 1, "the others did not merge"
    assert run.file("a.txt") == "a"
    assert uet("land").code == 0
    assert (run.repository.path / "a.txt").exists() and not (run.repository.path / "b.txt").exists()


@pytest.mark.parametrize("verb", ["land", "rollback"])
def test_an_interrupt_ends_a_command_at_its_gates_or_actions_and_takes_it_back(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uet: Uet, verb: str
) -> None:
    scene = Scene(repository)
    slow = f"if [ -e {tmp_path}/slow ]; then touch {tmp_path}/begun; sleep 300; fi"
    scene.begin(
        workstream("ws-a", "echo a > a", test_gates=[{"type": "GATE_UNIT"}], compensation_actions=[slow]),
        sets=(f"gates.GATE_UNIT.commands={[slow]!r}",),
    )
    assert scene.finish().state is RunState.COMPLETED
    monkeypatch.chdir(repository.path)
    before = repository.git("rev-parse", "main")
    shutil.rmtree(scene.home.folder / "gates")  # what they said is not remembered
    (tmp_path / "slow").touch()
    process = subprocess.Popen(
        [*UET, verb, *(["--yes"] if verb == "rollback" else [])], env=environment(), stderr=subprocess.PIPE, text=True
    )
    until((tmp_path / "begun").exists, 60, "the command to be at work")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("\n")) == (130, 1), err
    assert err.startswith(f"uet: interrupted: {verb} was taken back")
    (tmp_path / "slow").unlink()
    assert uet("hold", "ws-a").code != 0, "another command takes the run, and finds nothing left to do"
    assert repository.git("rev-parse", "main") == before
    assert uet("rollback", "--yes").code == 0
    scene.leave()


def land_in_the_background(repository: Repository) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*UET, "land"],
        cwd=repository.path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_interrupts_in_a_row_take_a_command_back_like_one(repository: Repository, tmp_path: Path) -> None:
    scene = Scene(repository)
    slow = f"if [ -e {tmp_path}/slow ]; then trap '' TERM; touch {tmp_path}/begun; while :; do sleep 0.1; done; fi"
    scene.begin(
        workstream("ws-a", "echo a > a", test_gates=[{"type": "GATE_UNIT"}]),
        sets=(f"gates.GATE_UNIT.commands={[slow]!r}",),
    )
    assert scene.finish().state is RunState.COMPLETED
    before = repository.git("rev-parse", "main")
    shutil.rmtree(scene.home.folder / "gates")  # what they said is not remembered
    (tmp_path / "slow").touch()
    process = land_in_the_background(repository)
    until((tmp_path / "begun").exists, 60, "the gate")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "uet: interrupted: land was taken back before it was done\n")
    assert not inbox.waiting(scene.home.run(scene.run))
    assert repository.git("rev-parse", "main") == before


def test_an_interrupt_while_the_branch_moves_says_that_it_has_landed(run: Scene, tmp_path: Path) -> None:
    hook = run.repository.path / ".git/hooks/post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\nwhile [ ! -e {tmp_path}/go ]; do sleep 0.02; done\n")
    hook.chmod(0o755)
    process = land_in_the_background(run.repository)
    until((tmp_path / "begun").exists, 60, "the hook of the operator")
    process.send_signal(signal.SIGINT)
    (tmp_path / "go").touch()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out == f"landed: main is at {(run.view().tip or '')[:7]}\n"
    assert not inbox.waiting(run.home.run(run.run))
