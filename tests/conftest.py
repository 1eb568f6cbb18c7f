"""What every test stands on: a clean environment, nothing left behind, and the few shared fixtures."""

import importlib.metadata
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

_STEERING = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "EDITOR", "VISUAL", "COLUMNS", "LINES", "TMUX", "TEXTUAL_THEME")
for _name in [*os.environ]:
    if _name.startswith("TEXTUAL_SNAPSHOT"):  # how the picture plugin talks to its parallel workers
        continue
    if _name in _STEERING or _name.startswith(("GIT_", "UET_", "XDG_")):
        del os.environ[_name]
os.environ.update(
    TEXTUAL_ANIMATIONS="none",  # read when textual is imported
    TZ="UTC",
    GIT_CONFIG_NOSYSTEM="1",
    GIT_TERMINAL_PROMPT="0",
)
time.tzset()
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in the background of a shell: all that tests start inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)

import coverage  # noqa: E402 - the environment comes first
import hypothesis  # noqa: E402
import pytest  # noqa: E402

from tests.support import leftovers  # noqa: E402
from tests.support.repository import Repository, make_repository  # noqa: E402
from tests.support.wait import until  # noqa: E402

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parent.parent
PICTURES_MADE_WITH = {"python": "3.11", "textual": "8.2.8"}
"""Snapshots are only updated with these versions: others draw other pixels."""

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.register_profile("thorough", max_examples=10_000, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Refuses to update snapshots with versions that would change every one of them."""
    if not config.getoption("--snapshot-update", default=False):
        return
    here = {
        "python": "{}.{}".format(*sys.version_info),
        "textual": importlib.metadata.version("textual"),
    }
    if here != PICTURES_MADE_WITH:
        raise pytest.UsageError(f"snapshots are made with {PICTURES_MADE_WITH}, this is {here}")


def pytest_sessionfinish() -> None:
    """Saves what was measured: a worker that a thread keeps from ending is killed after ten seconds, and loses it."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.save()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that drive a terminal, which share one worker, and those that run real agents.

    Terminals would starve each other; real agents are only run where they are asked for.
    """
    for item in items:
        if "real_agents" in item.path.relative_to(ROOT).parts:
            item.add_marker(pytest.mark.real_agents)
        if "e2e" in item.path.relative_to(ROOT).parts:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("terminal"))


@pytest.fixture(autouse=True)
def clean_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the test's own: no operator's configuration, no git identity, no cache."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name, folder in {
        "CONFIG": ".config",
        "CACHE": ".cache",
        "DATA": ".local/share",
        "STATE": ".local/state",
    }.items():
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))
    return home


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that leaves a process or a non-daemon thread; what it left is ended first."""
    cookie = uuid.uuid4().hex
    monkeypatch.setenv(leftovers.COOKIE, cookie)
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    before = leftovers.threads()
    yield
    _gone(lambda: sorted(thread.name for thread in leftovers.threads() - before), "threads")
    if folder is None and not leftovers.children():
        return
    try:
        _gone(lambda: sorted(leftovers.processes(cookie, folder).values()), "processes")
    finally:
        leftovers.kill(leftovers.processes(cookie, folder))


def _gone(remaining: Callable[[], list[str]], what: str) -> None:
    """Gives what is ending a moment to end."""
    try:
        until(lambda: not remaining(), 5, what)
    except AssertionError:
        pytest.fail(f"the test left {what} behind: {remaining()}", pytrace=False)


@pytest.fixture(scope="session")
def _first_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("first") / "repository").path


@pytest.fixture
def repository(_first_repository: Path, tmp_path: Path) -> Repository:
    """A small repository with one commit on `main`, the test's own."""
    copy = Repository(shutil.copytree(_first_repository, tmp_path / "repository", symlinks=True))
    copy.git("update-index", "-q", "--refresh")  # the copied files have other times than the index says
    return copy


@pytest.fixture
def phase_i_plan() -> Path:
    """The folder with the plan of 36 workstreams that the project was founded on; skipped where it is not."""
    folder = ROOT.parent / "shared" / "data" / "phase-i-36"
    if not folder.is_dir():
        pytest.skip("the phase-i-36 plan is not beside this checkout")
    return folder
