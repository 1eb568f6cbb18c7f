"""Walking a conflict and marking its sides, without a console."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.console.samples import conflict, hunk
from uet_tui.console.desk.marks import ENOUGH, MarkedLine, compared, folded, side_lines
from uet_tui.console.desk.spots import (
    Spot,
    choice_at,
    next_undecided,
    ordered,
    settle,
    spots,
    step_file,
    step_hunk,
    undecided,
)
from uet_tui.core.states import ConflictState
from uet_tui.store.conflict_views import ConflictFileView

FILES = (
    ConflictFileView("a.py", "content", (hunk(1), hunk(2, choice="ours"), hunk(3)), None),
    ConflictFileView("b.png", "binary", (), None),
    ConflictFileView("c.py", "content", (hunk(1), hunk(2)), "edited"),
)
CONFLICT = conflict(files=FILES)
A1, A2, A3, B = Spot("a.py", 1), Spot("a.py", 2), Spot("a.py", 3), Spot("b.png", None)
C1, C2 = Spot("c.py", 1), Spot("c.py", 2)
CLOSED = ConflictState.HUMAN_RESOLVED
LINES = st.lists(st.sampled_from(["a", "b", "c", "", "  x"]), max_size=8).map(tuple)


def test_every_hunk_and_every_whole_file_is_one_spot() -> None:
    assert spots(CONFLICT) == (A1, A2, A3, B, C1, C2)


def test_a_choice_for_the_whole_file_decides_its_hunks() -> None:
    assert choice_at(CONFLICT, C2) == "edited"
    assert undecided(CONFLICT) == (A1, A3, B)
    assert undecided(CONFLICT, {A3}) == (A1, B)


def test_the_next_undecided_spot_wraps_round_and_ends() -> None:
    assert next_undecided(CONFLICT, A1) == A3
    assert next_undecided(CONFLICT, B) == A1
    assert next_undecided(CONFLICT, A1, {A1, A3}) == B
    assert next_undecided(CONFLICT, A1, {A1, A3, B}) is None


def test_steps_go_over_file_ends_and_stop_at_both_ends() -> None:
    assert step_hunk(CONFLICT, A3, 1) == B
    assert step_hunk(CONFLICT, A1, -1) == A1
    assert step_hunk(CONFLICT, C2, 1) == C2
    assert step_file(CONFLICT, A3, 1) == B
    assert step_file(CONFLICT, C2, 1) == C2
    assert step_file(CONFLICT, C2, -2) == A1


def test_a_spot_that_vanished_gives_way_to_the_first_undecided_one() -> None:
    assert settle(CONFLICT, Spot("gone.py", 1)) == A1
    assert settle(CONFLICT, C2) == C2
    assert settle(replace(CONFLICT, files=()), A1) is None


def test_a_side_is_marked_against_the_base_with_its_own_line_numbers() -> None:
    assert side_lines(hunk(), hunk().theirs) == (
        MarkedLine(41, " ", "def main(argv):"),
        MarkedLine(42, " ", "    args = parse(argv)"),
        MarkedLine(43, "+", "    args.jobs = max(1, args.jobs)"),
        MarkedLine(44, " ", "    return run(args)"),
    )
    assert [(line.number, line.mark) for line in side_lines(hunk(), hunk().ours)] == [
        (41, " "),
        (None, "-"),
        (42, "+"),
        (43, " "),
    ]


@given(LINES, LINES)
def test_marks_give_back_both_texts(base: tuple[str, ...], side: tuple[str, ...]) -> None:
    lines = side_lines(hunk(base=base, before=(), after=()), side)
    assert tuple(line.text for line in lines if line.mark != "-") == side
    assert tuple(line.text for line in lines if line.mark != "+") == base
    numbers = [line.number for line in lines if line.number is not None]
    assert numbers == list(range(42, 42 + len(side)))


@pytest.mark.parametrize(("count", "same"), [(300, 1), (5_000, 0)])
def test_a_hunk_of_thousands_of_lines_is_marked_without_comparing_them(count: int, same: int) -> None:
    ours, base = ([f"{word} {n}" for n in range(count)] for word in ("new", "old"))
    ours[count // 2] = base[count // 3] = "in both"
    assert (count * count <= ENOUGH) == bool(same)
    marks = Counter(line.mark for line in side_lines(hunk(ours=tuple(ours), base=tuple(base)), tuple(ours)))
    around = 2
    assert marks == {"-": count - same, "+": count - same, " ": around + same}


def test_lines_far_from_any_change_are_counted_and_left_out() -> None:
    base = tuple(f"line {n}" for n in range(1, 21))
    shown = folded(compared(base, (*base[:9], "new", *base[10:])))
    assert [line.text for line in shown if line.mark == "~"] == ["6 lines alike", "7 lines alike"]
    assert [line.number for line in shown if line.mark == " "] == [7, 8, 9, 11, 12, 13]
    assert [(line.mark, line.text) for line in shown if line.mark in "+-"] == [("-", "line 10"), ("+", "new")]


def test_conflicts_that_were_put_off_come_behind_the_open_ones_and_before_the_closed() -> None:
    put_off, done = replace(CONFLICT, id="c1", deferred=True), replace(CONFLICT, id="c2", state=CLOSED)
    assert [one.id for one in ordered((put_off, done, replace(CONFLICT, id="c3")))] == ["c3", "c1", "c2"]
