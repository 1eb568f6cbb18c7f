"""The fixture that looks for what tests leave behind must itself be right."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support import leftovers
from tests.support.repository import Repository
from tests.support.wait import until

SLEEPER = [sys.executable, "-I", "-c", "import sys; print('up', flush=True); sys.stdin.read()"]


@pytest.mark.parametrize("known_by", ["cookie", "folder"])
def test_a_process_is_found_by_its_cookie_or_its_folder_until_it_ends(tmp_path: Path, known_by: str) -> None:
    environment = {leftovers.COOKIE: "crumb"} if known_by == "cookie" else {}
    place = Path("/") if known_by == "cookie" else tmp_path
    with subprocess.Popen(
        SLEEPER, env=environment, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert leftovers.children()
        assert [*leftovers.processes("crumb", tmp_path)] == [process.pid]
        leftovers.kill({process.pid: ""})
    assert leftovers.processes("crumb", tmp_path) == {}
    leftovers.kill({process.pid: ""})  # gone already: no complaint


def test_only_threads_that_would_hold_the_exit_count() -> None:
    stop = threading.Event()
    before = leftovers.threads()
    held, free = (threading.Thread(target=stop.wait, daemon=daemon) for daemon in (False, True))
    held.start()
    free.start()
    assert leftovers.threads() - before == {held}
    stop.set()
    held.join()
    assert leftovers.threads() == before


def test_a_test_that_leaves_a_process_fails_and_the_process_is_ended(pytester: pytest.Pytester) -> None:
    root = Path(__file__).resolve().parent.parent
    pytester.makeini(f"[pytest]\npythonpath = {root}\n")
    pytester.makeconftest("from tests.conftest import clean_home, nothing_left_behind\n")
    pytester.makepyfile(
        "import subprocess\n"
        "def test_leaves(tmp_path):\n"
        "    subprocess.Popen(['sleep', '86399'], cwd=tmp_path, start_new_session=True)\n"
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*left processes behind: ?'sleep 86399'?*"])


def test_waiting_gives_the_value_or_says_what_it_waited_for() -> None:
    values = iter([None, 0, "found"])
    assert until(lambda: next(values), 5) == "found"
    with pytest.raises(AssertionError, match=r"0\.05 s in vain for the moon; last seen: \[\]"):
        until(list, 0.05, "the moon")


def test_the_sample_repository_is_clean_and_knows_nobody_but_its_own_operator(repository: Repository) -> None:
    assert repository.git("status", "--porcelain") == ""
    assert repository.git("log", "--format=%an %s") == "Operator Begin"
    assert repository.git("config", "--global", "--list", check=False) == ""
    repository.write("src/app.py", "")
    assert repository.commit("Empty it") == repository.head
