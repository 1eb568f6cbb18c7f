import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Uet
from tests.cli.test_main import ROOT, UET
from tests.support.repository import make_repository


def bundle(id: str, **more: Any) -> dict[str, Any]:
    required = {"openspec_change": "x", "ccpm_issue": 1, "gate": 1, "tasks": ["true"], "tool": "shell"}
    return {"id": id, "files_scope": [f"src/{id}/"], **required, **more}


def write(folder: Path, *bundles: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for one in bundles:
        (folder / f"{one['id']}.json").write_text(json.dumps(one, indent=1))
    return folder


def test_the_document_has_the_profile_and_the_forecast_in_units(uet: Uet, here: Path) -> None:
    write(here / "workstreams", bundle("ws-a"), bundle("ws-b", depends_on=["ws-a"]), bundle("ws-c"))
    document = uet("validate", "--json").document
    assert document["valid"] is True
    assert (document["errors"], document["warnings"]) == ([], [])
    assert document["workstreams"] == 3
    assert document["waves"] == [["ws-a", "ws-c"], ["ws-b"]]
    assert document["critical_path"] == ["ws-a", "ws-b"]
    assert document["speedup"] == 1.5
    assert document["forecast"][:2] == [
        {"workers": 1, "seconds": 3.0, "speedup": 1.0},
        {"workers": 2, "seconds": 2.0, "speedup": 1.5},
    ]
    assert [row["workers"] for row in document["forecast"]] == [1, 2, 4, 8]


def test_the_workers_asked_for_are_forecast_too(uet: Uet, here: Path) -> None:
    write(here / "plan", bundle("ws-a"), bundle("ws-b"), bundle("ws-c"))
    document = uet("validate", "plan", "--workers", "3", "--json").document
    assert [row["workers"] for row in document["forecast"]] == [1, 2, 3, 4, 8]
    assert (document["workers"], document["speedup"]) == (3, 3.0)


def test_people_get_waves_path_and_forecast_without_escapes_or_padding(uet: Uet, here: Path) -> None:
    write(here / "plan", bundle("ws-a", estimated_seconds=90), bundle("ws-b", depends_on=["ws-a"]))
    said = uet("validate", "plan")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "2 workstreams in 2 waves, critical path of 2"
    assert "critical path  ws-a → ws-b" in lines
    assert "      1  1:31  1.00" in lines
    assert "\x1b" not in said.out
    assert all(line == line.rstrip() for line in lines)


def test_warnings_and_errors_name_file_and_line(uet: Uet, here: Path) -> None:
    write(here / "plan", bundle("ws-a", colour="red"), bundle("ws-b", depends_on=["ws-x"]))
    document = uet("validate", "plan", "--json").document
    assert document["valid"] is False
    assert [(one["file"], one["line"] > 0) for one in document["errors"]] == [("plan/ws-b.json", True)]
    assert [one["file"] for one in document["warnings"]] == ["plan/ws-a.json"]
    said = uet("validate", "plan")
    assert said.code == 2
    assert f"error  plan/ws-b.json:{document['errors'][0]['line']}: " in said.out


@pytest.mark.parametrize(
    ("bundles", "told"),
    [
        ([bundle("ws-a", depends_on=["ws-b"]), bundle("ws-b", depends_on=["ws-a"])], "ws-a"),
        ([bundle("ws-a", depends_on=["ws-zz"])], "ws-zz"),
        ([bundle("ws-a", files_scope=["../outside"])], "../outside"),
        ([bundle("ws-a", files_scope=["/etc/passwd"])], "/etc/passwd"),
        ([bundle("ws-a", files_scope=[".git/hooks"])], ".git"),
        ([bundle("ws-a", tool="shel")], "shell"),
        ([bundle("ws-a", max_cost_usd=float("nan"))], "NaN"),
        ([], "plan"),
    ],
    ids=["cycle", "unknown dependency", "../", "absolute", ".git", "unknown tool", "NaN", "no bundles"],
)
@pytest.mark.parametrize("command", [("validate",), ("run", "--headless"), ("run", "--dry-run")])
def test_a_bad_plan_ends_with_2_and_leaves_nothing(
    uet: Uet, repository: Any, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], bundles: list[Any], told: str
) -> None:
    monkeypatch.chdir(repository.path)
    write(repository.path / "plan", *bundles)
    said = uet(*command, "plan")
    assert said.code == 2
    assert told in said.out + said.err
    if command == ("run", "--headless"):
        assert told in said.line
        assert said.out == ""
    assert not (repository.path / ".uet").exists()


def test_without_a_plan_one_line_says_what_to_write(uet: Uet, here: Path) -> None:
    assert "uet init" in uet("validate").line
    assert "nowhere" in uet("validate", "nowhere").out


def test_a_rehearsal_is_forecast_in_seconds_whatever_tools_the_plan_wants(uet: Uet, here: Path) -> None:
    write(here / "plan", bundle("ws-a", tool="nobody", estimated_seconds=10), bundle("ws-b", tool="nobody"))
    dry = ("run", "plan", "--dry-run", "--json", "--agent")
    said = uet(*dry, "simulated", "--set", "simulated.speed=2", "--set", "simulated.unit_seconds=4")
    assert said.document["forecast"][0] == {"workers": 1, "seconds": 7.0, "speedup": 1.0}
    assert "did you mean simulated?" in uet(*dry, "simulatd").line


@pytest.mark.parametrize("seed", ["0", "1", "77"])
def test_the_founding_plan_has_the_same_profile_for_every_hash_seed(phase_i_plan: Path, here: Path, seed: str) -> None:
    done = subprocess.run(
        [*UET, "validate", str(phase_i_plan), "--json"],
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(done.stdout)
    assert [len(wave) for wave in document["waves"]] == [12, 8, 4, 3, 2, 2, 3, 2]
    assert len(document["critical_path"]) == 8
    assert document["critical_path"][-1].startswith("ws-21-")
    assert [(row["seconds"], row["speedup"]) for row in document["forecast"]] == [(36, 1), (18, 2), (9, 4), (8, 4.5)]


def test_validate_works_outside_a_repository_and_writes_nothing(uet: Uet, here: Path) -> None:
    write(here / "plan", bundle("ws-a"))
    assert uet("validate", "plan").code == 0
    assert [path.name for path in here.iterdir()] == ["plan"]


@pytest.mark.parametrize("arguments", [("validate",), ("run", "--dry-run"), ("run", "--headless")])
def test_a_template_that_is_wrong_is_found_with_file_and_line(
    uet: Uet, here: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    repository = make_repository(here / "repository")
    write(repository.path / "workstreams", bundle("ws-a"))
    repository.write("config/prompts/task.md.j2", "{{ tasks }}\n{{ scopes }}\n")
    monkeypatch.chdir(repository.path)
    done = uet(*arguments)
    assert done.code == 2
    assert "config/prompts/task.md.j2:2: there is no `scopes` here; did you mean `scope`?" in done.err
    assert not (repository.path / ".uet").exists()
