"""A run outlives its console: killed, left behind, attached to again, steered from elsewhere, in any size."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.terminal import TMUX, Seen, Terminal
from tests.e2e.uet import ENVIRONMENT, UET, events, start, states, status, uet
from tests.support.repository import Repository
from tests.support.wait import until

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


class Plan:
    """A plan whose agents wait for the test's word, so that nothing depends on how fast this machine is."""

    def __init__(self, folder: Path, **depends_on: Sequence[str]) -> None:
        self._word = folder / "word"
        self.path = folder / "plan.json"
        self.path.write_text(json.dumps([self._held(id, above) for id, above in depends_on.items()]))

    def _held(self, id: str, depends_on: Sequence[str]) -> dict[str, Any]:
        script = f"echo {id} begins; until [ -e {self._word} ]; do sleep 0.05; done; echo {id} >{id}.txt"
        required = {"openspec_change": "OS-1", "ccpm_issue": 1, "gate": 1, "tool": "shell"}
        above = [f"ws-{name}" for name in depends_on]
        return {"id": f"ws-{id}", "files_scope": [f"{id}.txt"], "tasks": [script], "depends_on": above, **required}

    def let_go(self) -> None:
        """Lets the agents finish."""
        self._word.touch()


def test_a_run_whose_console_was_killed_goes_on_in_another_terminal_without_a_second_attempt(
    tmp_path: Path, repository: Repository
) -> None:
    plan = Plan(tmp_path, a=(), b=(), c=("a", "b"))
    with Terminal(100, 30) as terminal:
        start(terminal, repository.path, "run", str(plan.path))
        until(lambda: len(agents(repository.path)) == 2, 20, "two agents")
        survivors = agents(repository.path)
        terminal.program().kill()
        until(lambda: terminal.exit_code() is not None, 5, "the console to be gone")
    with Terminal(80, 24) as terminal:
        start(terminal, repository.path, "resume")
        terminal.wait_for("0/3")
        until(lambda: "attempt_adopted" in types(repository.path), 20, "the agents to be adopted", every=0.2)
        assert agents(repository.path) == survivors
        plan.let_go()
        terminal.wait_for("COMPLETED", 30)
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    document = status(repository.path)
    assert states(document) == ["MERGED"]
    assert [one["attempts"] for one in document["workstreams"]] == [1, 1, 1]
    told_of = types(repository.path)
    assert (told_of.count("attempt_started"), told_of.count("attempt_adopted")) == (3, 2)
    output = repository.path / ".uet/runs" / document["run"] / "attempts/ws-a/1/output.log"
    assert output.read_text() == "a begins\n"


def test_a_run_left_in_the_background_is_attached_to_and_steered_from_two_terminals(
    tmp_path: Path, repository: Repository
) -> None:
    plan = Plan(tmp_path, a=(), b=(), c=(), d=())
    folder = repository.path
    with Terminal() as terminal:
        start(terminal, folder, "run", str(plan.path), "--workers", "2")
        terminal.wait_for("workers 2 of 2", 20)
        terminal.press("q")
        terminal.wait_for("leave it running in the background")
        terminal.press("b")
        assert terminal.wait_for_end(30) == 0
    assert status(folder)["state"] == "RUNNING"
    with Terminal() as terminal:
        start(terminal, folder, "console")
        terminal.wait_for("workers 2 of 2", 20)
        took = [terminal.wait_for_effect("+", "workers 3 of 3 (")]
        took.append(other_terminal(terminal, folder, ["scale", "1"], "workers 1 of 1"))
        took.append(other_terminal(terminal, folder, ["pause"], "⏸ PAUSED"))
        took.append(terminal.wait_for_effect("Space", "▶ RUNNING"))
        took.append(other_terminal(terminal, folder, ["scale", "4"], "workers 4 of 4 ("))
        plan.let_go()
        terminal.wait_for("4 of 4 merged", 30)
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    effect = commanded(folder)
    told("key or answer to console", took)
    told("command to effect in the store", effect)
    assert max(took) < 1.0
    assert len(effect) == 5 and max(effect) < 0.5
    assert states(status(folder)) == ["MERGED"]


def test_the_console_takes_every_size_while_agents_run(tmp_path: Path, repository: Repository) -> None:
    plan = Plan(tmp_path, a=())
    with Terminal(120, 40) as terminal:
        start(terminal, repository.path, "run", str(plan.path))
        terminal.wait_for("╭─ 5 Conflicts")
        terminal.press("3")
        terminal.resize(80, 24)
        terminal.wait_for(lambda screen: "1 Waves   2 Workers   3 Events" in screen and "╭─ 1 Waves" not in screen)
        terminal.resize(60, 20)
        terminal.wait_for(lambda screen: fills(60, screen) and "workers 1/4" in screen)
        terminal.resize(200, 50)
        terminal.wait_for(lambda screen: fills(200, screen) and "╭─ 5 Conflicts" in screen)
        terminal.press("1")
        terminal.wait_for("│▌▾ wave 1")
        terminal.resize(30, 8)
        terminal.wait_for("Too small")
        terminal.resize(120, 40)
        terminal.wait_for("│▌▾ wave 1")  # the bar is broader where the focus is: it came back
        terminal.press("Down", "Enter")
        terminal.wait_for(lambda screen: "esc back" in screen and "a begins" in screen)
        for columns, rows in ((80, 24), (60, 20), (200, 50), (120, 40)):
            terminal.resize(columns, rows)
            terminal.wait_for(partial(fills, columns))
            terminal.wait_for("a begins")
        terminal.press("Escape")
        terminal.wait_for("╭─ 5 Conflicts")
        terminal.press("q")
        terminal.wait_for("stop now")
        terminal.press("s")
        assert terminal.wait_for_end(30) == 0
    assert agents(repository.path) == []


def told(what: str, figures: Sequence[float]) -> None:
    """Prints figures, for `pytest -s` and for a test that fails."""
    print(f"\n{what}:", ", ".join(f"{seconds:.3f} s" for seconds in figures))  # noqa: T201 - said, too, not only held


def fills(columns: int, screen: str) -> bool:
    """Whether what is on the screen was drawn for so many columns."""
    return columns - 3 <= max(map(len, screen.splitlines())) <= columns


def agents(folder: Path) -> Sequence[psutil.Process]:
    """The shell agents that work in a repository, without what they start."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            leads = os.getsid(process.pid) == process.pid and process.name() == "sh"
            if leads and process.cwd().startswith(str(folder / ".uet")):
                found.append(process)
    return sorted(found, key=lambda process: process.pid)


def other_terminal(terminal: Terminal, folder: Path, arguments: Sequence[str], what: Seen) -> float:
    """Seconds from a command's answer, given elsewhere, to its effect in the console; 0 where that came before."""
    command = subprocess.Popen(
        [*UET, *arguments], cwd=folder, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE, text=True
    )
    with command:
        assert command.stdout is not None
        assert command.stdout.readline()
        answered = time.monotonic()
    assert command.returncode == 0
    terminal.wait_for(what)
    return time.monotonic() - answered


def test_a_run_whose_disk_fails_says_so_on_the_screen_and_as_it_is_left(tmp_path: Path, repository: Repository) -> None:
    plan = Plan(tmp_path, a=(), b=("a",))
    plan.let_go()
    fails = {**ENVIRONMENT, "UET_FAILPOINT": "orchestrator.before-commit:8:raise"}
    with Terminal(120, 40) as terminal:
        terminal.start([*UET, "run", str(plan.path)], folder=repository.path, environment=fails)
        terminal.wait_for("no orchestrator has this run")
        terminal.press("q")
        assert terminal.wait_for_end() == 4
        assert "stops: [Errno 5] Input/output error" in terminal.screen()
    uet(repository.path, "resume", "--headless")
    assert states(status(repository.path)) == ["MERGED"]


def types(folder: Path) -> Sequence[str]:
    """The types of the events so far."""
    return [event["type"] for event in events(folder)]


def commanded(folder: Path) -> Sequence[float]:
    """Seconds from each of the operator's commands to the event of its effect, but those that leave the run.

    To begin and to resume one are on record, too, but no commands to an orchestrator.
    """
    with closing(sqlite3.connect(folder / ".uet/uet.db")) as store:
        rows = store.execute("select at, verb from operator_commands where verb != 'detach' order by at").fetchall()
        done = store.execute(
            "select time, data from uet_events where type = 'operator_command' and data ->> 'command' is not null "
            "and text not like '%detach%' order by id"
        ).fetchall()
    assert [json.loads(data)["verb"] for _, data in done] == [verb for _, verb in rows]
    return [
        (datetime.fromisoformat(time) - datetime.fromisoformat(at)).total_seconds()
        for (time, _), (at, _) in zip(done, rows, strict=True)
    ]


def test_a_terminal_that_closes_leaves_the_run_going_in_the_background(tmp_path: Path, repository: Repository) -> None:
    plan = Plan(tmp_path, a=(), b=("a",))
    with Terminal(100, 30) as terminal:
        start(terminal, repository.path, "run", str(plan.path))
        until(lambda: len(agents(repository.path)) == 1, 20, "an agent")
        survivors, console = agents(repository.path), terminal.program()
        terminal.lose()
        until(lambda: not console.is_running() or console.status() == psutil.STATUS_ZOMBIE, 15, "the console to go")
    until(lambda: "attempt_adopted" in types(repository.path), 20, "the agent to be adopted", every=0.2)
    assert agents(repository.path) == survivors
    plan.let_go()
    until(lambda: status(repository.path)["state"] == "COMPLETED", 30, "the run to end", every=0.2)
    assert [one["attempts"] for one in status(repository.path)["workstreams"]] == [1, 1]


def test_a_console_that_is_asked_to_end_drains_with_a_countdown_and_stops_when_asked_again(
    tmp_path: Path, repository: Repository
) -> None:
    plan = Plan(tmp_path, a=(), b=("a",))
    with Terminal(120, 40) as terminal:
        start(terminal, repository.path, "run", str(plan.path))
        until(lambda: len(agents(repository.path)) == 1, 20, "an agent")
        terminal.wait_for("workers 1 of")
        terminal.program().terminate()
        terminal.wait_for(re.compile(r"draining, \d+ s left"))
        assert any("draining, " in notice for notice in status(repository.path)["notices"])
        terminal.program().terminate()
        assert terminal.wait_for_end(30) == 0
    assert agents(repository.path) == []
    document = status(repository.path)
    assert (document["state"], states(document)) == ("PAUSED", ["PENDING"])


def test_an_interrupted_run_in_a_terminal_counts_down_and_goes_on_when_continued(
    tmp_path: Path, repository: Repository
) -> None:
    plan = Plan(tmp_path, a=(), b=("a",))
    with Terminal(120, 40) as terminal:
        start(terminal, repository.path, "run", str(plan.path), "--headless")
        until(lambda: len(agents(repository.path)) == 1, 20, "an agent")
        terminal.program().send_signal(signal.SIGINT)
        left = re.compile(r"draining, (\d+) s left")
        first = left.search(terminal.wait_for(left))
        assert first is not None
        terminal.wait_for(lambda screen: (now := left.search(screen)) and int(now[1]) < int(first[1]))
        uet(repository.path, "continue")
        terminal.wait_for(lambda screen: not left.search(screen))
        plan.let_go()
        assert terminal.wait_for_end(30) == 0
    assert status(repository.path)["state"] == "COMPLETED"
