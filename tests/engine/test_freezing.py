"""Frozen agents: nothing of their tree runs, their time does not count, and they can still be ended."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.engine.stage import Stage
from tests.support.wait import until
from uet_tui.engine import attempts, liveness, processes
from uet_tui.engine.attempts import Ended

LONG = 60.0
"""Seconds within which a busy machine does anything."""

TREE = """
import os, sys, time
for _ in range(2):
    os.fork()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
open(f"pid-{os.getpid()}", "w").close()
while True:
    time.sleep(0.01)
    with open(f"beat-{os.getpid()}", "a") as file:
        file.write(".")
"""
"""Eight processes at least that do something all the time; half of them left the session, and their parents ended."""


def states(stage: Stage) -> dict[str, str]:
    """The state of each process of a tree that wrote its pid into the sandbox."""
    pids = [path.name.removeprefix("pid-") for path in stage.cwd.glob("pid-*")]
    found = {pid: (processes.stat(int(pid)) or [b"Z"])[0].decode() for pid in pids}
    return {pid: "gone" if state == "Z" else state for pid, state in found.items()}


def beats(stage: Stage) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in stage.cwd.glob("beat-*")}


def all_still(stage: Stage) -> bool:
    return set(states(stage).values()) <= {"T", "D"}  # D: it waits for a child that was stopped between fork and exec


def freeze(stage: Stage) -> None:
    attempts.freeze(stage.folder)
    until(lambda: all_still(stage), LONG, "all processes to stand still")


def test_the_whole_tree_stands_still_and_goes_on(stage: Stage) -> None:
    stage.begin(sys.executable, "-c", TREE)
    until(lambda: len(beats(stage)) == 8, LONG, "the tree to grow")
    freeze(stage)
    before = beats(stage)
    attempts.freeze(stage.folder)  # twice is once
    time.sleep(0.3)  # what does not happen cannot be waited for
    assert (beats(stage), all_still(stage)) == (before, True)
    attempts.thaw(stage.folder)
    until(lambda: all(size > before[name] for name, size in beats(stage).items()), LONG, "all of it to go on")
    attempts.thaw(stage.folder)
    freeze(stage)
    attempts.kill(stage.folder)
    assert stage.end().why == "killed"
    assert set(states(stage).values()) == {"gone"}


def test_what_forks_all_the_time_stands_still(stage: Stage) -> None:
    script = "while :; do sh -c 'touch pid-$$; sleep 0.01; rm pid-$$' & sleep 0.005; done"
    stage.sh(f"touch pid-$$; {script}")
    until(lambda: len(states(stage)) > 2, LONG, "it to fork")
    freeze(stage)
    before = sorted(states(stage))
    time.sleep(0.3)  # as above
    assert sorted(states(stage)) == before


def test_neither_the_time_limit_nor_the_stall_limit_counts_what_stands_still(stage: Stage) -> None:
    stage.sh("touch pid-$$; while [ ! -e go ]; do sleep 0.05; echo; done; exit 4", timeout=LONG, stall=2.0)
    until(lambda: states(stage), LONG, "it to begin")
    freeze(stage)
    time.sleep(4)  # what is shown is that time passes: longer than it may show no sign of life
    assert all_still(stage)
    assert attempts.ended(stage.folder) is None
    attempts.thaw(stage.folder)
    (stage.cwd / "go").touch()
    ended = stage.end()
    assert (ended.code, ended.why) == (4, "exit")


def test_the_time_limit_goes_on_where_it_was(stage: Stage) -> None:
    began = time.monotonic()
    stage.sh("touch pid-$$; while :; do sleep 0.05; done", timeout=5.0)
    until(lambda: states(stage), LONG, "it to begin")
    freeze(stage)
    time.sleep(max(0.0, began + 7.0 - time.monotonic()))  # what is shown is that time passes: its limit is over
    assert attempts.ended(stage.folder) is None
    attempts.thaw(stage.folder)
    ended = stage.end()
    assert ended.why == "timeout"
    assert 5.0 <= ended.seconds < time.monotonic() - began - 1.0, "the time in which it stood still is not counted"


def test_a_frozen_agent_is_asked_to_end_and_hears_it(stage: Stage) -> None:
    stage.sh("trap 'echo asked; exit 6' TERM; touch pid-$$; while :; do sleep 0.02; done", grace=LONG)
    until(lambda: states(stage), LONG, "it to begin")
    freeze(stage)
    attempts.kill(stage.folder)
    assert stage.end() == Ended(6, "killed", pytest.approx(0, abs=LONG))
    assert stage.output.endswith("asked\n")


def test_one_that_is_frozen_before_it_begins_does_nothing(stage: Stage) -> None:
    attempts.freeze(stage.folder)
    stage.sh("touch pid-$$; while :; do sleep 0.02; echo >> beat-$$; done")
    until(lambda: liveness.begun(stage.folder), LONG, "the keeper to begin")
    below = until(lambda: _below(stage), LONG, "the agent to be there")
    until(lambda: all((processes.stat(pid) or [b""])[0] in (b"T", b"D") for pid in below), LONG, "it to stand still")
    attempts.thaw(stage.folder)
    until(lambda: beats(stage), LONG, "it to go on")


def _below(stage: Stage) -> list[int]:
    of = liveness.keeper_of(stage.folder)
    return [pid for pid in processes.pids() if processes.parent(pid) == of]


def test_what_is_woken_by_somebody_else_is_put_to_rest_again(stage: Stage) -> None:
    stage.sh("touch pid-$$; while :; do sleep 0.02; echo >> beat-$$; done")
    until(lambda: beats(stage), LONG, "it to begin")
    freeze(stage)
    (pid,) = states(stage)
    before = beats(stage)
    until(lambda: os.killpg(int(pid), signal.SIGCONT) or beats(stage) != before, LONG, "it to go on")
    until(lambda: all_still(stage), LONG, "it to stand still again")


def test_a_frozen_tree_whose_keeper_was_killed_is_ended(stage: Stage) -> None:
    process = stage.begin(sys.executable, "-c", TREE)
    until(lambda: len(beats(stage)) == 8, LONG, "the tree to grow")
    freeze(stage)
    process.kill()
    process.wait(LONG)
    attempts.end_now(stage.folder)
    assert set(states(stage).values()) == {"gone"}
    assert liveness.prove_dead(stage.folder)


@pytest.mark.parametrize("trap", ["mkdir {0} {0}/in", "ln -s /nowhere {0}", "mkfifo {0}"])
def test_what_an_agent_puts_in_the_way_holds_nobody_up(stage: Stage, trap: str) -> None:
    file = stage.folder / "freeze"
    stage.sh(f"{trap.format(file)}; touch pid-$$; while :; do sleep 0.02; echo >> beat-$$; done")
    until(lambda: beats(stage), LONG, "it to begin")
    freeze(stage)
    before = beats(stage)
    attempts.thaw(stage.folder)
    until(lambda: beats(stage) != before, LONG, "it to go on")


@pytest.mark.parametrize("env", [{}, {"UET_FAILPOINT": "keeper.agent-started:stall"}], ids=["", "a slow keeper"])
def test_a_file_alone_freezes_nobody(stage: Stage, env: dict[str, str]) -> None:
    """Or an agent could stop its time limit with it, and nobody would know."""
    stage.sh(f"touch {stage.folder / 'freeze'}; sleep 100", timeout=1.0, env=env)
    assert stage.end().why == "timeout"
    assert json.loads((Path(stage.folder) / "exit.json").read_text())["seconds"] >= 1.0
