"""What was said of a tree before: found again, not for ever, and never half."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from uet_tui.gates.checks import Check, Step
from uet_tui.gates.memory import Memory, mark_of

TREE = "a" * 40


def check(*commands: str, no_tests: str = "no tests", name: str = "GATE_UNIT") -> Check:
    return Check(name, True, True, tuple(Step(command) for command in commands), no_tests=no_tests)


def test_what_was_said_of_a_tree_is_said_of_it_again_by_whoever_asks(tmp_path: Path) -> None:
    Memory(tmp_path).keep(TREE, "m", "red before", "b" * 40)
    found = Memory(tmp_path).recall(TREE, "m")
    assert found is not None
    assert (found.verdict, found.base) == ("red before", "b" * 40)
    assert Memory(tmp_path).recall("c" * 40, "m") is None
    assert Memory(tmp_path).recall(TREE, "n") is None


def test_it_is_forgotten_after_a_day_and_where_the_clock_was_set_back(tmp_path: Path) -> None:
    now = 1_000_000.0
    Memory(tmp_path, lambda: now).keep(TREE, "m", "passed")
    assert Memory(tmp_path, lambda: now + 23 * 3600).recall(TREE, "m")
    assert Memory(tmp_path, lambda: now + 25 * 3600).recall(TREE, "m") is None
    assert Memory(tmp_path, lambda: now - 3600).recall(TREE, "m") is None
    assert Memory(tmp_path, lambda: now + 25 * 3600).recall(TREE, "m", however_old=True)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"verdict": "passed"}', '{"at": "x", "verdict": "", "base": ""}']
)
def test_rubbish_on_disk_is_as_if_nothing_was_said(tmp_path: Path, text: str) -> None:
    kept = Memory(tmp_path)
    kept.keep(TREE, "m", "passed")
    (tmp_path / TREE / "m.json").write_text(text)
    assert kept.recall(TREE, "m") is None
    (tmp_path / TREE / "m.json").unlink()
    os.mkfifo(tmp_path / TREE / "m.json")
    assert kept.recall(TREE, "m") is None


def test_other_commands_or_another_meaning_is_another_mark() -> None:
    marks = [
        mark_of(check("a")),
        mark_of(check("a", "b")),
        mark_of(check("b", "a")),
        mark_of(check("a", no_tests="failed")),
        mark_of(check("a"), 1),
        mark_of(check("a", "b"), 1),
        mark_of(check("a", "b"), 2),
    ]
    assert len(set(marks)) == len(marks) - 1
    assert mark_of(check("a"), 1) == mark_of(check("a", "b"), 1), "the first command by itself"
    assert mark_of(check("a")) == mark_of(check("a", name="GATE_LINT"))


def test_many_that_remember_the_same_do_not_stumble_over_each_other(tmp_path: Path) -> None:
    def keep(_: int) -> None:
        Memory(tmp_path).keep(TREE, "m", "passed")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(200)))
    assert Memory(tmp_path).recall(TREE, "m")
    assert [path.name for path in (tmp_path / TREE).iterdir()] == ["m.json"]


def test_what_cannot_be_remembered_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / TREE).write_text("in the way")
    Memory(tmp_path).keep(TREE, "m", "passed")
    assert Memory(tmp_path).recall(TREE, "m") is None
