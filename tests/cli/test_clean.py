"""`uet clean` removes what is merged and nothing else."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from tests.engine.scene import QUICK
from tests.support.repository import Repository

REQUIRED = {
    "openspec_change": "OS-1",
    "ccpm_issue": 1,
    "gate": 1,
    "tool": "shell",
    "circuit_breaker": {"max_attempts": 1},
}


def run_of(uet: Uet, repository: Repository, **scripts: str) -> Path:
    """A run that is over, a worker for each workstream; gives the folder of its sandboxes."""
    plan = [
        {"id": f"ws-{name}", "files_scope": [f"{name}.txt"], "tasks": [script], **REQUIRED}
        for name, script in scripts.items()
    ]
    (repository.path.parent / "plan.json").write_text(json.dumps(plan))
    sets = [word for one in (*QUICK, f"workers={len(plan)}") for word in ("--set", one)]
    uet("run", "../plan.json", "--headless", *sets)
    (folder,) = (repository.path / ".uet/runs").glob("*/sandboxes")
    return folder


def both(repository: Repository) -> str:
    """A script that waits for another workstream, so that each has a worker of its own."""
    there = repository.path.parent / "there"
    return f"echo >>{there}; until [ $(wc -l <{there}) -ge 2 ]; do sleep 0.02; done"


def test_what_is_merged_goes_and_what_is_not_stays(
    uet: Uet, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.path)
    wait = both(repository)
    folder = run_of(uet, repository, a=f"{wait}; echo a >a.txt", b=f"{wait}; echo b >b.txt; exit 1")
    before = sorted(path for path in folder.rglob("*"))
    listed = uet("clean", "--dry-run", "--json").document
    assert sorted(folder.rglob("*")) == before
    workers = {one["name"]: one for one in listed["sandboxes"] if one["name"].isdigit()}
    assert sorted((one["merged"], one["kept"], one["removed"]) for one in workers.values()) == [
        (False, "its last attempt is not merged", False),
        (True, "", False),
    ]
    (merged,) = [name for name, one in workers.items() if one["merged"]]
    assert workers[merged]["bytes"] > 0

    assert "--yes" in uet("clean").line  # nobody to ask
    assert sorted(folder.rglob("*")) == before
    said = uet("clean", "--yes", "--json").document
    assert [one["name"] for one in said["sandboxes"] if one["removed"]] == [merged]
    assert [path.name for path in folder.iterdir() if path.name.isdigit()] == [
        name for name in workers if name != merged
    ]
    *_, act = [json.loads(line) for line in uet("events", "--operator", "--json").out.splitlines()]
    assert (act["data"]["verb"], act["data"]["bytes"]) == ("clean", said["bytes"])
    assert [one for one in uet("clean", "--yes", "--json").document["sandboxes"] if one["removed"]] == []


def test_what_is_in_no_commit_stays(uet: Uet, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository.path)
    folder = run_of(uet, repository, a="echo a >a.txt")
    for name, text in (("new.txt", "new"), ("README.md", "changed")):
        file = folder / "1" / name
        was = file.read_text() if file.exists() else None
        file.write_text(text)
        (one,) = [one for one in uet("clean", "--yes", "--json").document["sandboxes"] if one["name"] == "1"]
        assert (one["merged"], one["dirty"], one["removed"]) == (True, True, False)
        assert file.read_text() == text
        file.unlink() if was is None else file.write_text(was)
    (one,) = [one for one in uet("clean", "--yes", "--json").document["sandboxes"] if one["name"] == "1"]
    assert one["removed"]
    assert not (folder / "1").exists()
