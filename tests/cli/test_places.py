"""Where `uet` is run: repositories in every condition, environments without this or that, a clock in any zone.

What can be worked in is worked in, to the end; what cannot is refused in one line, and stays as it was.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.test_bad_input import everything, refused, typed
from tests.cli.test_main import ROOT, UET
from tests.cli.test_validate import bundle
from tests.support.repository import Repository
from tests.support.wait import until

CONFLICT = (
    "git checkout -qb side; echo side >README.md; git commit -qam side; git checkout -q main; echo main >README.md"
)
CONFLICT += "; git commit -qam main; git checkout -q side; "
SHA256 = "mv .git old; git init -q -b main --object-format=sha256; cp old/config cfg; git config user.name O"
SHA256 += "; git config user.email o@example.invalid; rm -rf old cfg; git add -A; git commit -qm Begin"


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """A plan with letters that not every encoding has."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps([bundle("ws-a", files_scope=["ä.txt"], tasks=["echo Grüße; echo ä > ä.txt"])]))
    return str(path)


def in_repository(repository: Repository, script: str) -> None:
    """Brings a repository into a condition."""
    subprocess.run(["/bin/sh", "-ec", script], cwd=repository.path, check=True, capture_output=True)


def merged(repository: Repository) -> str:
    """What the newest integration branch has in the file of the plan."""
    branch = repository.git("for-each-ref", "--sort=-creatordate", "--format=%(refname)", "refs/heads/uet/")
    return repository.git("show", f"{branch.splitlines()[0]}:ä.txt")


WORKABLE: Mapping[str, tuple[str, str]] = {
    "an ordinary one": ("true", "main"),
    "detached": ("git checkout -q --detach", ""),
    "in the middle of a rebase": (CONFLICT + "git rebase main || true", ""),
    "in the middle of a merge": (CONFLICT + "git merge main || true", "side"),
    "SHA-256": (SHA256, "main"),
}


@pytest.mark.parametrize("condition", WORKABLE)
def test_a_repository_in_any_condition_is_worked_in_and_left_in_it(
    repository: Repository, plan: str, condition: str
) -> None:
    script, lands_on = WORKABLE[condition]
    in_repository(repository, script)
    before = {name: data for name, data in everything(repository.path / ".git").items() if condition_of_work(name)}
    status = repository.git("status", "--porcelain=v2", "--branch")
    said = typed("run", plan, "--headless", cwd=repository.path)
    assert said.code == 0, said.err
    assert merged(repository) == "ä"
    after = {name: data for name, data in everything(repository.path / ".git").items() if condition_of_work(name)}
    assert after == before
    assert repository.git("status", "--porcelain=v2", "--branch") == status
    if not lands_on:
        refused(typed("land", cwd=repository.path), "HEAD was detached", "--target BRANCH", code=4)
        assert repository.git("status", "--porcelain=v2", "--branch") == status


def condition_of_work(name: str) -> bool:
    """Whether a file of `.git` tells what the operator is in the middle of."""
    return "/" not in name or name.startswith(("rebase-", "refs/heads/main", "refs/heads/side", "hooks/"))


def test_a_shallow_clone_is_worked_in_and_landed_on(repository: Repository, tmp_path: Path, plan: str) -> None:
    repository.commit("Second")
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.path}", str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")
    said = typed("run", plan, "--headless", "--land", "auto", cwd=shallow.path)
    assert said.code == 0, said.err
    assert (shallow.path / "ä.txt").read_text() == "ä\n"
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("git checkout -q --orphan new", ("has no commit yet", "first one")),
        ("echo 'ref: refs/heads/none' >.git/HEAD", ("has no commit yet", "first one")),
        ("git branch uet", ("the branch uet is in the way", "git branch -m uet")),
        ("git update-ref refs/uet HEAD", ("refs/uet is in the way", "git update-ref -d refs/uet")),
    ],
)
def test_a_repository_that_cannot_be_worked_in_is_refused_and_stays_as_it_was(
    repository: Repository, plan: str, script: str, told: tuple[str, ...]
) -> None:
    in_repository(repository, script)
    before = everything(repository.path)
    refused(typed("run", plan, "--headless", cwd=repository.path), *told)
    assert everything(repository.path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_repository_of_somebody_else_is_refused_until_it_is_trusted(
    repository: Repository, plan: str, clean_home: Path
) -> None:
    for path in (repository.path, *repository.path.rglob("*")):
        os.lchown(path, 65534, 65534)
    before = everything(repository.path)
    told = ("belongs to another user", "safe.directory", str(repository.path))
    refused(typed("run", plan, "--headless", cwd=repository.path), *told)
    assert everything(repository.path) == before
    (clean_home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repository.path}\n")
    assert typed("run", plan, "--headless", cwd=repository.path).code == 0


ENVIRONMENTS: Mapping[str, Mapping[str, str | None]] = {
    "no home": {"HOME": None, "USER": None, "LOGNAME": None, "XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None},
    "no terminal": {"TERM": None},
    "a dumb terminal": {"TERM": "dumb"},
    "no locale": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "a locale that is not there": {"LANG": "xx_YY.UTF-8", "LC_ALL": "xx_YY.UTF-8"},
    "a zone with summer time": {"TZ": "America/New_York"},
}


@pytest.mark.slow
@pytest.mark.parametrize("lacks", ENVIRONMENTS)
def test_a_run_needs_nothing_of_its_environment(repository: Repository, plan: str, lacks: str) -> None:
    environment = ENVIRONMENTS[lacks]
    said = typed("run", plan, "--headless", cwd=repository.path, environment=environment)
    assert (said.code, "Traceback" in said.err) == (0, False), said.err
    assert merged(repository) == "ä"
    shown = typed("show", "ws-a", cwd=repository.path, environment=environment)
    assert (shown.code, shown.err) == (0, "")
    documents = [typed("show", "ws-a", "--json", cwd=repository.path, environment=e).out for e in (environment, {})]
    assert json.loads(documents[0]) == json.loads(documents[1])


def test_times_are_utc_whatever_the_zone_and_its_summer_time(repository: Repository, plan: str) -> None:
    zones = ["UTC", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]
    assert typed("run", plan, "--headless", cwd=repository.path, environment={"TZ": zones[1]}).code == 0
    told = [typed("status", "--json", cwd=repository.path, environment={"TZ": zone}).document for zone in zones]
    assert all(document == told[0] for document in told)
    (row,) = told[0]["workstreams"]
    assert row["started_at"].endswith("Z")
    assert row["started_at"] <= row["ended_at"]


def test_two_runs_of_one_repository_at_a_time_do_not_meet(repository: Repository, tmp_path: Path, plan: str) -> None:
    go = tmp_path / "go"
    slow = tmp_path / "slow.json"
    wait = f"touch {tmp_path}/begun; until [ -e {go} ]; do sleep 0.05; done; echo b > b.txt"
    slow.write_text(json.dumps([bundle("ws-a", files_scope=["b.txt"], tasks=[wait])]))
    first = subprocess.Popen(
        [*UET, "run", str(slow), "--headless"], cwd=repository.path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until((tmp_path / "begun").exists, 60, "the first run to be at work")
        assert typed("run", plan, "--headless", "--land", "auto", cwd=repository.path).code == 0
        assert (repository.path / "ä.txt").read_text() == "ä\n"
        go.touch()
        assert first.wait(60) == 0
    finally:
        go.touch()
        first.kill()
        first.wait()
    branches = repository.git("for-each-ref", "--format=%(refname)", "refs/heads/uet/").splitlines()
    assert len(branches) == 2
    files = [repository.git("ls-tree", "-z", "--name-only", branch).split("\0") for branch in branches]
    assert sorted(("b.txt" in names, "ä.txt" in names) for names in files) == [(False, True), (True, False)]
