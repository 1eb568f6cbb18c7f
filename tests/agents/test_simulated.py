"""The rehearsal agent, started as it is in a run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from uet_tui.agents import simulated


def rehearse(
    folder: Path, *, attempt: int = 1, simulate: dict[str, Any] | None = None, **fields: Any
) -> tuple[int, list[str]]:
    spec = {
        "id": "ws-a",
        "tasks": ["Write it", "Test it"],
        "files_scope": [],
        "files_create": [],
        "metadata": {"simulate": simulate} if simulate else {},
        "simulated": {"seconds": 0.1, "speed": 10, "cost_usd": 0.05, "attempt": attempt},
        **fields,
    }
    file = folder.parent / "spec.json"
    file.write_text(json.dumps(spec))
    done = subprocess.run(
        [sys.executable, "-I", "-S", simulated.__file__, str(file)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "known.txt").write_text("known\n")
    return folder


def test_it_adds_a_line_to_what_is_in_its_scope_and_reports_its_cost(folder: Path) -> None:
    code, lines = rehearse(folder, files_scope=["known.txt", "src/*.py"])
    assert code == 0
    assert (folder / "known.txt").read_text() == "known\nrehearsed by ws-a\n"
    assert json.loads(lines[-1]) == {"uet": {"cost_usd": 0.05, "tokens_in": 10_000, "tokens_out": 1_000}}
    assert sum(line.startswith("[") for line in lines) == 8


@pytest.mark.parametrize(
    ("scope", "made"),
    [("src/new.py", "src/new.py"), ("src/", "src/ws-a.txt"), ("lib", "lib/ws-a.txt"), ("a b/c.txt", "a b/c.txt")],
)
def test_where_there_is_nothing_yet_it_makes_the_first_file(folder: Path, scope: str, made: str) -> None:
    assert rehearse(folder, files_create=[scope])[0] == 0
    assert (folder / made).read_text() == "rehearsed by ws-a\n"


def test_it_makes_the_edits_that_it_is_told(folder: Path) -> None:
    edits = [
        {"path": "deep/er/new.txt", "content": "whole\n"},
        {"path": "known.txt", "replace": "known", "with": "changed"},
        {"path": "known.txt", "append": "more\n"},
        {"path": "known.txt", "replace": "absent", "with": "x"},
    ]
    code, lines = rehearse(folder, simulate={"edits": edits, "cost_usd": 1.5, "seconds": 0})
    assert code == 0
    assert (folder / "deep/er/new.txt").read_text() == "whole\n"
    assert (folder / "known.txt").read_text() == "changed\nmore\n"
    assert "warning: known.txt does not hold the text to replace" in lines
    assert json.loads(lines[-1])["uet"]["cost_usd"] == 1.5


def test_it_fails_as_often_as_it_is_told_and_changes_nothing_then(folder: Path) -> None:
    told = {"simulate": {"fail_attempts": 2}, "files_scope": ["known.txt"]}
    for attempt, code in ((1, 1), (2, 1), (3, 0)):
        assert rehearse(folder, attempt=attempt, **told)[0] == code
        assert (folder / "known.txt").read_text().count("rehearsed") == (attempt == 3)


def test_it_can_state_that_nothing_needs_changing(folder: Path) -> None:
    code, lines = rehearse(folder, simulate={"no_change": True}, files_scope=["known.txt"])
    assert code == 0
    assert json.dumps({"uet": {"no_change": True}}) in lines
    assert (folder / "known.txt").read_text() == "known\n"


def test_asked_to_resolve_it_writes_both_sides_without_the_base(folder: Path) -> None:
    marked = "a\n<<<<<<< ours\nx\n||||||| base\n=======\ny\n=======\n>>>>>>> theirs\nb\n=======\n"
    (folder / "list.txt").write_text(marked)
    (folder / "other.txt").write_text("as it was\n")
    code, said = rehearse(folder, resolve=["list.txt", "other.txt", "gone.txt"])
    assert code == 0
    assert (folder / "list.txt").read_text() == "a\nx\ny\n=======\nb\n=======\n"
    assert (folder / "other.txt").read_text() == "as it was\n"
    assert not (folder / "gone.txt").exists()
    assert "resolved list.txt: both sides, ours first" in said
    assert json.loads(said[-1])["uet"]["cost_usd"] == 0.05
