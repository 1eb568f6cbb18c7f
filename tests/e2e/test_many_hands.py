"""Many hands on one run: two orchestrators, two consoles and a script of two hundred commands, and `kill -9` between.

No command is lost: each gets an answer, and is on record with that answer once, whoever had the run then. None is done
twice: what they changed adds up, and no attempt ran a second time.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import TMUX, Terminal
from tests.e2e.uet import ENVIRONMENT, UET, events, start, states, status, uet
from tests.support.repository import Repository
from tests.support.wait import until
from uet_tui.console.bridge import AGAIN_SECONDS

SCRIPTS = 4
EACH = 50
LETTERS = "abcdefgh"
PRESSED = "SELECT source, ok FROM operator_commands WHERE source LIKE 'console:%'"


class Scene:
    """One run of agents that wait for the test's word, and each write down that they began."""

    def __init__(self, folder: Path, repository: Repository) -> None:
        self.folder = repository.path
        self.began = folder / "began"
        self.word = folder / "word"
        self._plan = folder / "plan.json"
        self._plan.write_text(json.dumps([self._bundle(letter) for letter in LETTERS]))
        self.started: list[subprocess.Popen[str]] = []

    def _bundle(self, letter: str) -> dict[str, Any]:
        wait = f"until [ -e {self.word} ]; do sleep 0.1; done"
        tasks = [f"echo {letter} >>{self.began}", wait, f"echo {letter} >{letter}.txt"]
        required = {"openspec_change": "OS-1", "ccpm_issue": 1, "gate": 1, "tool": "shell"}
        return {"id": f"ws-{letter}", "files_scope": [f"{letter}.txt"], "tasks": tasks, **required}

    def process(self, command: Sequence[str], **streams: Any) -> "subprocess.Popen[str]":
        """A process that knows where `uet` is."""
        process = subprocess.Popen(
            command, cwd=self.folder, env={**os.environ, **ENVIRONMENT}, text=True, stderr=subprocess.PIPE, **streams
        )
        self.started.append(process)
        return process

    def orchestrator(self, *arguments: str) -> "subprocess.Popen[str]":
        """`uet` without a console."""
        return self.process([*UET, *arguments, "--headless"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def begin(self) -> "subprocess.Popen[str]":
        """Begins the run."""
        first = self.orchestrator("run", str(self._plan), "--workers", "3")
        until(lambda: self.began.exists() and len(self.began.read_text().split()) == 3, 30, "three agents")
        return first

    def take_over(self) -> "subprocess.Popen[str]":
        """Two orchestrators go for the run at once; gives the one that got it.

        Again where a command that was just being carried out kept both from it.
        """
        for _ in range(20):
            both = [self.orchestrator("resume"), self.orchestrator("resume")]
            until(lambda: self._refused(both) and (len(self._refused(both)) == 2 or self._owned(both)), 40, "one")  # noqa: B023
            assert {one.returncode for one in self._refused(both)} == {5}
            if owner := self._owned(both):
                return owner
        raise AssertionError("no orchestrator got the run")

    def _refused(self, all: "Sequence[subprocess.Popen[str]]") -> "list[subprocess.Popen[str]]":
        return [one for one in all if one.poll() is not None]

    def _owned(self, all: "Sequence[subprocess.Popen[str]]") -> "subprocess.Popen[str] | None":
        (lock,) = (self.folder / ".uet/runs").glob("*/lock")
        return next((one for one in all if one.poll() is None and lock.read_text().strip() == str(one.pid)), None)

    def sql(self, text: str) -> Sequence[Any]:
        """What the store says."""
        with closing(sqlite3.connect(self.folder / ".uet/uet.db")) as store:
            return store.execute(text).fetchall()

    def run(self) -> str:
        """The id of the run."""
        return str(self.sql("SELECT id FROM runs")[0][0])

    def state(self) -> str:
        """The state of the run."""
        return str(self.sql("SELECT state FROM runs")[0][0])

    def waiting(self) -> Sequence[str]:
        """What is in the inbox; who is killed while it writes leaves a file that is never looked at."""
        found = (path.name for path in (self.folder / ".uet/runs").glob("*/inbox/*"))
        return [name for name in found if not name.startswith(".")]


@pytest.fixture
def scene(tmp_path: Path, repository: Repository) -> Iterator[Scene]:
    made = Scene(tmp_path, repository)
    yield made
    made.word.touch()
    for process in made.started:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def commands(script: int) -> list[list[str]]:
    """What one script types: all of it can be told apart afterwards, and each is refused if it is done twice."""
    mine = f"ws-{LETTERS[-1 - script]}"  # none of which runs: three workers are at the first three
    typed: list[list[str]] = []
    for number in range(EACH):
        match number % 5:
            case 0:
                typed.append(["hold", mine])
            case 1:
                typed.append(
                    ["budget", "--total", f"{1000 + script * EACH + number}", "--reason", f"{script}.{number}"]
                )
            case 2:
                typed.append(["release", mine])
            case 3:
                typed.append(["retry", mine, "--note", f"{script}.{number}"])  # refused: nothing failed
            case _:
                typed.append(["budget", "--per-task", "9", "--reason", f"{script}.{number}"])
    return typed


def begin_script(scene: Scene, number: int, typed: Sequence[Sequence[str]]) -> "subprocess.Popen[str]":
    """A script that types away."""
    file = scene.folder.parent / f"script-{number}"
    file.write_text("".join(json.dumps([*line, "--json"]) + "\n" for line in typed))
    with file.open() as lines, file.with_suffix(".out").open("w") as said:
        return scene.process([sys.executable, "-m", "tests.e2e.script"], stdin=lines, stdout=said)


def answers(scene: Scene, number: int) -> Sequence[Any]:
    """How the commands of a script have ended so far."""
    file = (scene.folder.parent / f"script-{number}").with_suffix(".out")
    return [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


def total(scene: Scene) -> int:
    """How many commands of all scripts were answered."""
    return sum(len(answers(scene, number)) for number in range(SCRIPTS))


def press(scene: Scene, console: Terminal, wanted: str) -> None:
    """Pauses the run or lets it go on, by one press of a key in a console that shows that this can be done now.

    And has shown it for longer than it takes to look again: a command that needs no orchestrator has the run for an
    instant, and where nobody has it the key does nothing.
    """
    since: list[float] = []

    def steady() -> bool:
        since.append(time.monotonic())
        if ("pause run" if wanted == "PAUSED" else "continue run") not in console.screen():
            since.clear()
        return bool(since) and since[-1] - since[0] > 1.5 * AGAIN_SECONDS

    until(steady, 60, f"a console in which the run can be {wanted}")
    console.press("Space")
    until(lambda: scene.state() == wanted, 60, f"the run to be {wanted}")


def refused(scene: Scene, owner: "subprocess.Popen[str]") -> None:
    """A second orchestrator is told who has the run, and has written nothing: no event, no lock, no claim, no ref."""

    def written() -> Sequence[object]:
        (lock,) = (scene.folder / ".uet/runs").glob("*/lock")
        refs = subprocess.run(["git", "for-each-ref"], cwd=scene.folder, check=True, capture_output=True).stdout
        claim = scene.sql("SELECT owner_token, owner_pid FROM runs")
        return lock.read_text(), claim, refs, scene.sql("SELECT count(*) FROM uet_events WHERE type LIKE 'run_%'")

    before = written()
    for arguments in (["resume"], ["resume", scene.run()]):
        second = scene.orchestrator(*arguments)
        _, err = second.communicate(timeout=60)
        assert second.returncode == 5
        (line,) = err.splitlines()
        assert line.startswith(f"uet: run {scene.run()} ") and f"process {owner.pid}" in line
    assert written() == before


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_no_command_is_lost_and_none_is_done_twice(scene: Scene) -> None:
    orchestrator = scene.begin()
    refused(scene, orchestrator)
    with ExitStack() as opened:
        consoles = [opened.enter_context(Terminal()) for _ in range(2)]
        for console in consoles:
            start(console, scene.folder, "console")
            console.wait_for("RUNNING", 60)
        scripts = [begin_script(scene, number, commands(number)) for number in range(SCRIPTS)]
        for share in (40, 80, 120):
            for console, wanted in zip(consoles, ("PAUSED", "RUNNING"), strict=True):
                press(scene, console, wanted)
            until(lambda: total(scene) >= share, 120, f"{share} commands")  # noqa: B023 - called before it changes
            orchestrator.send_signal(signal.SIGKILL)
            orchestrator.communicate()
            until(lambda: total(scene) >= share + 20, 120, "commands that nobody but themselves carries out")  # noqa: B023
            orchestrator = scene.take_over()
        for script in scripts:
            assert script.wait(120) == 0, script.communicate()[1]
        for console in consoles:
            console.press("q")
            assert console.wait_for_end() == 0
    scene.word.touch()
    _, err = orchestrator.communicate(timeout=120)
    assert orchestrator.returncode == 0, err

    said = [one for number in range(SCRIPTS) for one in answers(scene, number)]
    assert len(said) == SCRIPTS * EACH
    retries = [one for one in said if one["arguments"][0] == "retry"]
    others = [one for one in said if one["arguments"][0] != "retry"]
    assert [one for one in others if one["code"] != 0] == []  # done, each of them, and done once: or it would refuse
    assert {(one["code"], one["err"].partition(": ")[0]) for one in retries} == {(2, "uet")}
    assert [one for one in retries if "only what did not merge can be retried" not in one["err"]] == []

    recorded = scene.sql("SELECT id, verb, source, ok, note FROM operator_commands WHERE source LIKE 'cli:%'")
    assert Counter(source for _, _, source, _, _ in recorded) == Counter(f"cli:{one['pid']}" for one in said)
    assert Counter(verb for _, verb, *_ in recorded) == Counter(one["arguments"][0] for one in said)
    notes = [note for *_, note in recorded if note]
    assert (
        len(notes)
        == len(set(notes))
        == sum("--reason" in c or "--note" in c for n in range(SCRIPTS) for c in commands(n))
    )
    pressed = Counter(scene.sql(PRESSED))
    assert sorted(pressed.values()) == [3, 3], "three presses in each console, each carried out, and once"
    assert all(ok for _, ok in pressed)
    acts = [one["data"] for one in events(scene.folder) if one["type"] == "operator_command"]
    told = Counter(data["command"] for data in acts if data["verb"] not in ("run", "resume"))
    assert set(told.values()) == {1}
    assert set(told) == {id for (id,) in scene.sql("SELECT id FROM operator_commands")}
    assert scene.waiting() == []

    assert sorted(scene.began.read_text().split()) == sorted(LETTERS)
    document = status(scene.folder)
    assert states(document) == ["MERGED"]
    assert [one["attempts"] for one in document["workstreams"]] == [1] * len(LETTERS)
    log = subprocess.run(
        ["git", "log", "--format=%(trailers:key=UET-Workstream,valueonly)", f"uet/{document['run']}"],
        cwd=scene.folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert sorted(log.stdout.split()) == [f"ws-{letter}" for letter in LETTERS]


@pytest.mark.slow
def test_commands_of_many_terminals_on_a_run_that_nobody_has_are_all_done(scene: Scene) -> None:
    orchestrator = scene.begin()
    orchestrator.kill()
    orchestrator.communicate()
    scripts = [begin_script(scene, number, commands(number)[:10]) for number in range(SCRIPTS)]
    for script in scripts:
        assert script.wait(120) == 0
    said = [one for number in range(SCRIPTS) for one in answers(scene, number)]
    assert len(said) == SCRIPTS * 10
    assert [one for one in said if one["code"] != 0 and one["arguments"][0] != "retry"] == []
    assert len(scene.sql("SELECT id FROM operator_commands")) == SCRIPTS * 10
    assert scene.waiting() == []
    scene.word.touch()
    uet(scene.folder, "resume", "--headless")
