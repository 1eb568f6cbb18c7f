"""One run has one orchestrator; whether it has one is asked without disturbing it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.wait import until
from uet_tui.errors import RunLockedError, UetError
from uet_tui.store import inbox
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import RunPaths

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import subprocess, sys
from pathlib import Path
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import RunPaths
lock = RunLock.acquire(RunPaths(Path(sys.argv[1])))
agent = subprocess.Popen(["sleep", "60"], cwd="/", close_fds=False, stdout=subprocess.DEVNULL)
print(agent.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    (tmp_path / "run-1").mkdir()
    return RunPaths(tmp_path / "run-1")


def test_a_second_orchestrator_is_told_who_has_the_run(paths: RunPaths) -> None:
    with (
        RunLock.acquire(paths),
        pytest.raises(RunLockedError, match=f"run run-1 .* process {os.getpid()}: .*`uet") as raised,
    ):
        RunLock.acquire(paths)
    assert raised.value.exit_code == 5
    RunLock.acquire(paths).release()


def test_letting_go_twice_is_harmless(paths: RunPaths) -> None:
    first = RunLock.acquire(paths)
    first.release()
    second = RunLock.acquire(paths)
    first.release()
    assert inbox.held(paths)
    second.release()
    assert not inbox.held(paths)


def test_asking_makes_no_file(paths: RunPaths) -> None:
    assert not inbox.held(paths)
    assert [*paths.folder.iterdir()] == []


def test_who_dies_lets_go_though_its_agents_live_on(paths: RunPaths) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(paths.folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        agent = int(holder.stdout.readline())
        try:
            assert inbox.held(paths)
            with pytest.raises(RunLockedError, match=f"process {holder.pid}"):
                RunLock.acquire(paths)
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
            until(lambda: not inbox.held(paths), 5, "the lock to be free")
            os.kill(agent, 0)
            with RunLock.acquire(paths):
                assert paths.lock.read_text() == f"{os.getpid()}\n"
        finally:
            os.kill(agent, signal.SIGKILL)


def test_asking_all_the_time_never_keeps_an_orchestrator_from_the_run(paths: RunPaths) -> None:
    RunLock.acquire(paths).release()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            inbox.held(paths)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        for _ in range(50):
            RunLock.acquire(paths).release()
    finally:
        stop.set()
        for thread in asking:
            thread.join()


def test_a_run_without_a_folder_and_a_lock_that_is_a_link_are_refused(tmp_path: Path, paths: RunPaths) -> None:
    with pytest.raises(UetError, match="cannot lock the run"):
        RunLock.acquire(RunPaths(tmp_path / "none"))
    paths.lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UetError, match="cannot lock the run"):
        RunLock.acquire(paths)
    assert not inbox.held(paths)
    assert not (tmp_path / "elsewhere").exists()
