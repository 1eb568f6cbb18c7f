"""A disk that is full, or nearly: the run pauses, says so, keeps what it knows, and goes on when there is room."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.cli.test_main import UET, environment
from tests.engine.scene import Scene, attempt_folder, settings, workstream
from tests.support.repository import Repository
from tests.support.wait import until
from uet_tui.core.commands import Verb
from uet_tui.core.states import AttemptState, RunState, WorkstreamState
from uet_tui.engine import runner
from uet_tui.engine.embedded import EmbeddedEngine
from uet_tui.engine.finding import keep_facts
from uet_tui.engine.start import new_run, repository_at
from uet_tui.errors import NoRoomError, UetError, out_of_room
from uet_tui.plan.graph import build_plan
from uet_tui.store import inbox
from uet_tui.workspace.git import GitError

COST = """printf '{"uet": {"cost_usd": 0.5}}\\n'"""
MEGABYTES = 24
PLAN = {"openspec_change": "OS-1", "ccpm_issue": 1, "gate": 1, "tool": "shell", "files_scope": ["a"]}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode(errors='replace').strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def stage(small_disk: Path, repository: Repository) -> Iterator[Scene]:
    """A stage whose repository is on the small disk."""
    scene = Scene(Repository(shutil.copytree(repository.path, small_disk / "repository", symlinks=True)))
    yield scene
    (small_disk / "ballast").unlink(missing_ok=True)
    scene.leave()


def fill(folder: Path, leave: int = 0) -> None:
    """Fills a file system but for some bytes."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while size <= os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize - leave:
                    file.write(b"x" * size)
            except OSError:
                continue


def test_what_cannot_be_written_is_kept_until_there_is_room(stage: Scene, small_disk: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    ran = f"echo $UET_ATTEMPT >> {tmp_path}/ran"
    stage.begin(
        workstream("ws-a", ran, "echo a > a", COST, wait, scope=["a"]),
        workstream("ws-b", ran, "cp a b", COST, scope=["b"], depends_on=["ws-a"]),
        sets=("agents.shell.usage=json-lines", "low_disk_mb=0", "forecast_seconds=0"),
    )
    stage.until_state("ws-a", WorkstreamState.RUNNING)
    until((attempt_folder(stage, "ws-a") / "keeper.json").exists, 10, "the agent to run")
    until(lambda: (tmp_path / "ran").exists(), 10, "the agent to have begun")
    fill(small_disk)
    go.touch()
    until(lambda: any("there is no room" in notice for notice in stage.view().notices), 15, "the banner")
    assert stage.orchestrator is not None and stage.orchestrator.alive
    assert stage.view().alive
    (small_disk / "ballast").unlink()
    view = stage.finish()
    assert view.state is RunState.COMPLETED, view.reason
    assert [ws.attempts for ws in view.workstreams] == [1, 1]
    assert len((tmp_path / "ran").read_text().split()) == 2, "no attempt ran twice"
    assert view.costs.spent_usd == pytest.approx(1.0)
    assert len(stage.events("disk_full")) == 1
    assert not any("no room" in notice for notice in view.notices)
    assert stage.sql("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize(("spends", "code"), [(True, 4), (False, 130)])
def test_two_interrupts_leave_a_run_for_which_there_is_no_room(
    stage: Scene, small_disk: Path, tmp_path: Path, spends: bool, code: int
) -> None:
    """Whether or not there was something to put on record meanwhile."""
    go = tmp_path / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    plan = [{**PLAN, "id": "ws-a", "tasks": ["echo a > a", COST if spends else "true", wait, f"touch {tmp_path}/over"]}]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    sets = ("low_disk_mb=0", "forecast_seconds=0", "agents.shell.usage=json-lines")
    process = subprocess.Popen(
        [*UET, "run", str(tmp_path / "plan.json"), "--headless", *(word for one in sets for word in ("--set", one))],
        cwd=stage.repository.path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    runs = small_disk / "repository/.uet/runs"
    until(lambda: [*runs.glob("*/sandboxes/1/a")], 30, "the agent to run")
    [folder] = runs.iterdir()
    stage.run = folder.name
    fill(small_disk)
    go.touch()
    until((tmp_path / "over").exists, 30, "the agent to end")
    if spends:
        until(lambda: any("there is no room" in notice for notice in stage.view().notices), 30, "the banner")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "No space left" in first and first.endswith("interrupt again to leave the run as it is\n")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert err.startswith(f"uet: run {stage.run} stops: there is no room" if spends else ""), err
    (small_disk / "ballast").unlink()
    stage.resume()
    view = stage.finish()
    assert view.state is RunState.COMPLETED
    assert [ws.attempts for ws in view.workstreams] == [1]


def test_a_command_that_waits_for_room_says_so_and_is_taken_back_by_an_interrupt(
    stage: Scene, small_disk: Path, tmp_path: Path
) -> None:
    wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    gate = f"if [ -e {tmp_path}/slow ]; then touch {tmp_path}/begun; {wait}; fi"
    stage.begin(
        workstream("ws-a", "echo a > a", test_gates=[{"type": "GATE_UNIT"}]),
        sets=(f"gates.GATE_UNIT.commands={[gate]!r}", "low_disk_mb=0", "forecast_seconds=0"),
    )
    assert stage.finish().state is RunState.COMPLETED
    shutil.rmtree(stage.home.folder / "gates")  # what they said is not remembered
    (tmp_path / "slow").touch()
    process = subprocess.Popen(
        [*UET, "land"], cwd=stage.repository.path, env=environment(), stderr=subprocess.PIPE, text=True
    )
    until((tmp_path / "begun").exists, 60, "the gate")
    fill(small_disk)
    (tmp_path / "go").touch()
    assert process.stderr is not None
    waits = process.stderr.readline()
    assert waits.startswith("uet: there is no room") and "an interrupt takes the command back" in waits
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith(
        "uet: interrupted: land was taken back, and what of it was done is not on record: there is no"
    )
    assert err.count("\n") == 1
    assert not inbox.waiting(stage.home.run(stage.run))
    (small_disk / "ballast").unlink()
    answer = stage.ask_offline(Verb.LAND)
    if not answer.ok:  # git had begun, and there was room for the file: it is told, and the operator removes it
        assert "untracked working tree files would be overwritten by merge:; a;" in answer.message
        (stage.repository.path / "a").unlink()
        answer = stage.ask_offline(Verb.LAND)
    assert answer.ok


def test_what_was_done_is_answered_from_the_record_where_there_is_no_room_for_an_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.begin(workstream("ws-a", "echo a > a", scope=["a"]))
    scene.finish()

    def full(*_: object) -> None:
        raise UetError("cannot answer: No space left on device")

    monkeypatch.setattr(inbox, "answer", full)
    assert scene.ask_offline(Verb.BUDGET, amount=5).ok
    assert not inbox.waiting(scene.home.run(scene.run))


@pytest.mark.parametrize("how", ["background", "drain", "stop"])
def test_a_console_is_left_though_there_is_no_room_for_a_command(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, how: Literal["background", "drain", "stop"]
) -> None:
    opened = new_run(scene.operator, build_plan([workstream("ws-a", "sleep 300")]), settings())
    scene.run = opened.place.run
    host = EmbeddedEngine(opened)
    host.start()
    until((attempt_folder(scene, "ws-a") / "keeper.json").exists, 30, "the agent")

    def full(*_: object) -> None:
        raise NoRoomError("there is no room")

    monkeypatch.setattr(EmbeddedEngine, "_resume_detached", lambda _: None)
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "submit", full)
        host.stop(how)
    assert not host.alive
    scene.resume()
    scene.ask(Verb.STOP)


def test_with_little_room_nothing_is_begun_and_the_run_goes_on_by_itself(stage: Scene, small_disk: Path) -> None:
    fill(small_disk, leave=9_000_000)
    stage.begin(workstream("ws-a", "echo a > a", scope=["a"]), sets=("low_disk_mb=12", "forecast_seconds=0"))
    until(lambda: stage.view().state is RunState.PAUSED, 10, "the run to pause")
    view = stage.view()
    assert view.reason.startswith("the disk is nearly full: ")
    assert view.reason in view.notices
    assert view.workstreams[0].attempts == 0
    (small_disk / "ballast").unlink()
    view = stage.finish()
    assert view.state is RunState.COMPLETED
    assert len(stage.events("disk_full")) == len(stage.events("disk_has_room")) == 1


def test_a_sandbox_for_which_there_is_no_room_is_made_once_there_is(stage: Scene, small_disk: Path) -> None:
    stage.repository.write("large.bin", "".join(f"{number:x}" for number in range(1_000_000)))  # twice: object and file
    stage.repository.commit("A large file")
    stage.operator = repository_at(stage.repository.path)
    fill(small_disk, leave=3_000_000)
    stage.begin(
        workstream("ws-a", "echo a > a", scope=["a"], circuit_breaker={"max_attempts": 1}),
        sets=("low_disk_mb=0", "forecast_seconds=0", "workers=1"),
    )
    until(lambda: stage.events("orchestrator_error"), 60, "a try that fails, and is told")
    assert stage.orchestrator is not None and stage.orchestrator.alive
    assert stage.view().workstreams[0].attempts == 0
    (small_disk / "ballast").unlink()
    view = stage.finish(60)
    assert view.state is RunState.COMPLETED, view.reason
    assert view.workstreams[0].attempts == 1
    assert stage.repository.git("status", "--porcelain") == ""
    (told,) = stage.events("orchestrator_error")
    assert told.startswith("no room on the disk, it is tried again once there is: git ")


def test_an_attempt_that_finds_no_room_does_not_count(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[object] = []

    def full(*args: object) -> None:
        if len(failed) < 3:
            failed.append(args)
            raise OSError(28, "No space left on device")
        keep_facts(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("uet_tui.engine.attempting.keep_facts", full)
    breaker = {"max_attempts": 1}
    scene.begin(workstream("ws-a", "echo a > a", scope=["a"], circuit_breaker=breaker))
    view = scene.finish()
    assert view.state is RunState.COMPLETED, view.reason
    states = [state for (state,) in scene.sql("SELECT state FROM attempts ORDER BY number")]
    assert states == [AttemptState.LOST] * 3 + [AttemptState.SUCCEEDED]


@pytest.mark.parametrize("what", ["collect", "carry_out_batch"])
def test_an_effect_for_which_there_was_no_room_is_done_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    real = getattr(runner, what)
    failed: list[object] = []

    def full(*args: object) -> object:
        if not failed:
            failed.append(args)
            raise GitError(("add",), 128, "fatal: write error: No space left on device\n")
        return real(*args)

    monkeypatch.setattr(runner, what, full)
    scene.begin(workstream("ws-a", "echo a > a", scope=["a"]))
    view = scene.finish()
    assert failed
    assert view.state is RunState.COMPLETED, view.reason
    assert view.workstreams[0].attempts == 1


def test_what_is_out_of_room_is_told_by_its_cause() -> None:
    assert out_of_room(OSError(28, "No space left on device"))
    assert out_of_room(OSError(122, "Disk quota exceeded"))
    outer = UetError("it could not be")
    outer.__cause__ = OSError(28, "No space left on device")
    assert out_of_room(outer)
    assert not out_of_room(UetError("it could not be"))
    assert not out_of_room(UetError("a file has the name: No space left on device"))
    assert not out_of_room(None)


@pytest.mark.parametrize(
    ("said", "full"),
    [
        (
            "error: file write error: No space left on device\nerror: x: failed to insert\nfatal: adding files failed",
            True,
        ),
        ("fatal: cannot create directory at 'a: b': Disk quota exceeded\n", True),
        ("error: unable to write file a b.bin\n", True),
        ("error: unable to write file .git/x: Permission denied\n", False),
        ("warning: failed to remove h/No space left on device: File name too long\n", False),
        ("error: unable to create file h/x: No space left on device; y: File name too long\n", False),
        ("error: unable to create file h/unable to write file x; y: File name too long\n", False),
        ("error: unable to create file h\nerror: x: No space left on device\nz: File name too long\n", False),
        ("error: unable to create file h\nerror: unable to write file x\nz: File name too long\n", False),
    ],
)
def test_what_git_says_of_a_file_with_such_a_name_is_not_that_the_disk_is_full(said: str, full: bool) -> None:
    assert out_of_room(GitError(("add",), 128, said)) == full
