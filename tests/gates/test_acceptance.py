"""What of an acceptance test is a command: only what plainly is one."""

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.gates.acceptance import command_in


@pytest.mark.parametrize(
    "entry",
    [
        "pytest",
        "pytest -q tests/test_a.py",
        "pytest -q -k error -q",
        "pytest --collect-only",
        "python -m pytest tests/ -q",
        "python3 -m unittest -q tests.test_money",
        "python scripts/init_db.py",
        "python scripts/paths_index_cli.py scan",
        "python -c 'from core.planning.planner import *'",
        "PYTHONPATH=src python -m pkg",
        "CI=1 npm test",
        "ls pm/",
        "ls .",
        'rg -n "^from src\\/utils|import src\\.utils" -S | wc -l',
        "grep -r 'that is the old path' . --include='*.md' | wc -l",
        "test -f docs/x.md",
        "[ -d src ] && [ -f src/a.py ]",
        "make",
        "make test",
        "make -C sub check",
        "npm run lint",
        "cargo test",
        "go test ./...",
        "git diff --exit-code",
        "markdownlint docs/",
        "pwsh scripts/test.ps1",
        "./check.sh",
        "scripts/check.sh --all",
        "bin/run",
        "mytool --check src",
        "! grep -rn TODO src/",
        "echo a > b && cat b",
        "ruff check .",
        "  pytest -q  ",
    ],
)
def test_a_command_is_told_by_its_program_and_shape(entry: str) -> None:
    assert command_in(entry) == entry.strip()


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "   ",
        "It works",
        "All directories exist and contain .gitkeep files",
        "Verify docs/x.md contains complete mappings",
        "Test workflow locally or in CI with no violations (should pass)",
        "test that the parser works",
        "test",
        "make sure that nothing breaks",
        "make sure everything compiles",
        "make backups optional",
        "find all broken links",
        "go through docs/ once more",
        "python scripts run without errors",
        "pytest passes",
        "pytest -q passes without errors",
        "npm install works without warnings",
        "ls shows the new directory",
        "diff_hash is consistent across runs",
        "router.config.yaml validates against schema/x.json",
        "README.md --help section is complete",
        "scripts/submit_task.py successfully submits task to queue",
        "scripts/task_status.py displays correct task status",
        "docs/",
        "The agent's output is kept",
        "pytest is green, then ruff is too.",
        "run the demo; look at it",
        "coverage stays >80%",
        "Documentation shows old→new",
        "head of sales agrees",
        "cat pictures load quickly",
        "pytest -q\nmake test",
    ],
)
def test_what_is_not_plainly_a_command_is_prose(entry: str) -> None:
    assert command_in(entry) is None


@pytest.mark.parametrize(
    ("entry", "command"),
    [
        ("$ test everything", "test everything"),
        ("$   custom check", "custom check"),
        ("`all good`", "all good"),
        ("$ ", None),
        ("``", None),
        ("`a` and `b`", None),
    ],
)
def test_an_author_can_say_that_something_is_a_command(entry: str, command: str | None) -> None:
    assert command_in(entry) == command


def test_the_founding_plan_is_told_apart(phase_i_plan: Path) -> None:
    bundles = [json.loads(path.read_text()) for path in sorted(phase_i_plan.glob("ws-*.json"))]
    entries = {entry for bundle in bundles for entry in bundle.get("acceptance_tests", ())}
    commands = {entry for entry in entries if command_in(entry)}
    programs = {shlex.split(entry)[0] for entry in commands}
    assert programs == {"pytest", "python", "ls", "grep", "rg", "markdownlint", "pwsh"}
    assert {entry for entry in entries - commands if shlex.split(entry)[0] in programs} == set()
    assert len(commands) > 40
    assert len(entries - commands) > 30


@given(st.text())
def test_whatever_is_written_is_taken_as_it_stands_or_left(entry: str) -> None:
    found = command_in(entry)
    assert found is None or (found and found in entry)


@given(
    st.lists(st.sampled_from(["The", "the", "is", "are", "all", "that", "works", "files", "without", "of"]), min_size=2)
)
def test_words_of_a_sentence_are_no_command(words: list[str]) -> None:
    assert command_in(" ".join(words)) is None
