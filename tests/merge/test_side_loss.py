"""The side-loss check: what counts as lost, and what does not."""

import pytest

from tests.workspace.bench import Bench
from uet_tui.core.conflicts import ConflictFile, Entry
from uet_tui.merge.merging import Clean, Conflicted, merge
from uet_tui.merge.side_loss import file_losses, lost_lines, side_losses

SEVEN = b"".join(b"%d\n" % n for n in range(1, 8))


def test_a_line_that_a_side_added_is_told_with_its_place() -> None:
    lost = lost_lines(b"a\nb\n", b"a\nnew\nb\n", b"a\nb\nt\n", b"a\nb\nt\n", "src/f.py")
    assert lost == ("ours added 'new' (src/f.py:2), the result lacks it",)


def test_nothing_is_lost_where_both_sides_are_in_the_result() -> None:
    assert lost_lines(SEVEN, b"o\n" + SEVEN, SEVEN + b"t\n", b"o\n" + SEVEN + b"t\n") == ()


def test_a_line_that_both_added_is_needed_once_and_one_that_a_side_added_twice_is_needed_twice() -> None:
    assert lost_lines(b"a\n", b"a\nx\n", b"a\nx\n", b"a\nx\n") == ()
    lost = lost_lines(b"a\n", b"a\nx\nx\n", b"a\nt\n", b"a\nx\nt\n", "f")
    assert lost == ("ours added 'x' (f:2), the result has 1 of 2",)


def test_what_the_other_side_took_out_is_not_held_against_the_result() -> None:
    assert lost_lines(b"x\na\n", b"x\na\nx\n", b"a\n", b"a\nx\n") == ()
    assert lost_lines(b"a\nb\nc\n", b"a\nb\nc\no\n", b"a\nc\n", b"a\nc\no\n") == ()


def test_a_line_that_a_side_moved_must_be_somewhere() -> None:
    base, ours, theirs = SEVEN, b"2\n3\n4\n5\n6\n7\n1\n", SEVEN.replace(b"1\n", b"")
    assert lost_lines(base, ours, theirs, b"2\n3\n4\n5\n6\n7\n", "f") == ("ours added '1' (f:7), the result lacks it",)
    assert lost_lines(base, ours, theirs, ours) == ()


def test_a_line_that_only_stands_next_to_a_moved_one_may_go() -> None:
    ours, theirs = b"2\n3\n4\n5\n6\n7\n1\n", SEVEN.replace(b"4\n", b"")
    assert lost_lines(SEVEN, ours, theirs, b"2\n3\n5\n6\n7\n1\n") == ()


def test_blank_lines_are_not_counted_but_one_must_be_there() -> None:
    assert lost_lines(b"a\n", b"a\n\n\n\n", b"t\na\n", b"t\na\n\n") == ()
    assert lost_lines(b"a\n", b"a\n\n", b"t\na\n", b"t\na\n", "f") == ("ours added '' (f:2), the result lacks it",)


@pytest.mark.parametrize("result", [b"a\r\no\r\nt\r\n", b"a\no\nt", b"a\r\no\nt\n"])
def test_line_ends_neither_make_a_loss_nor_hide_one(result: bytes) -> None:
    assert lost_lines(b"a\n", b"a\r\no\r\n", b"a\nt\n", result) == ()
    (lost,) = lost_lines(b"a\n", b"a\r\no\r\n", b"a\nt\n", result.replace(b"o", b"x"), "f")
    assert lost == "ours added 'o' (f:2), the result lacks it"


def test_evidence_is_harmless_short_and_not_endless() -> None:
    lost = lost_lines(b"", b"\x1b]52;c;eA==\x07" + b"y" * 500 + b"\n", b"t\n", b"t\n", "a\nb")
    assert len(lost) == 1 and len(lost[0]) < 140 and "\x1b" not in lost[0] and "\n" not in lost[0]
    many = lost_lines(b"", b"".join(b"%d\n" % n for n in range(100)), b"t\n", b"t\n", "f")
    assert (len(many), many[-1]) == (21, "and 80 more lines of f")


def test_a_large_file_of_lines_that_are_all_alike_is_checked_quickly() -> None:
    base = b"".join(b"{\n  %d\n}\n\n" % n for n in range(40_000))
    ours = base.replace(b"  7\n", b"  seven\n").replace(b"  39000\n", b"")
    theirs = base.replace(b"  20000\n", b"")
    result = ours.replace(b"  20000\n", b"")
    assert lost_lines(base, ours, theirs, result) == ()
    assert len(lost_lines(base, ours, theirs, result.replace(b"  seven\n", b""))) == 1


def entry(bench: Bench, data: bytes, mode: str = "100644") -> Entry:
    return Entry(mode, bench.control.write_blob(data))


def of(base: Entry | None, ours: Entry | None, theirs: Entry | None) -> ConflictFile:
    return ConflictFile("f", "binary", base, ours, theirs, None)


def test_what_has_no_lines_can_only_be_taken_from_the_side_that_changed_it(bench: Bench) -> None:
    base, one, two = (entry(bench, b"\0" + data) for data in (b"b", b"1", b"2"))
    told = file_losses(bench.control, (of(base, one, two),), {"f": entry(bench, b"\x003")})["f"]
    assert told == ("f is binary or too large: a result that equals neither side cannot be checked",)
    assert file_losses(bench.control, (of(base, one, two),), {"f": one})["f"] == (
        "theirs changed f (binary), the result takes ours",
    )
    assert file_losses(bench.control, (of(base, base, two),), {"f": two}) == {}


def test_a_file_that_is_too_large_is_not_accepted_unseen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uet_tui.merge.side_loss.LARGEST", 10)
    sides = of(entry(bench, SEVEN), entry(bench, SEVEN + b"o\n"), entry(bench, b"t\n" + SEVEN))
    (told,) = file_losses(bench.control, (sides,), {"f": entry(bench, b"t\n" + SEVEN + b"o\n")})["f"]
    assert "cannot be checked" in told


def test_deleting_what_a_side_added_to_is_a_loss(bench: Bench) -> None:
    file = of(entry(bench, SEVEN), entry(bench, SEVEN + b"o\n"), None)
    assert file_losses(bench.control, (file,), {"f": None})["f"] == ("ours added 'o' (f:8), the result lacks it",)
    shorter = of(entry(bench, SEVEN), entry(bench, b"1\n"), None)
    assert file_losses(bench.control, (shorter,), {"f": None}) == {}


def test_a_tree_that_touches_another_file_is_told(bench: Bench) -> None:
    first = bench.first({"f": SEVEN, "other": b"other\n"})
    found = merge(bench.control, bench.commit(first, {"f": b"o\n"}), bench.commit(first, {"f": b"t\n"}))
    assert isinstance(found, Conflicted)
    good = bench.control.tree_with(found.tree, {"f": entry(bench, b"o\nt\n")})
    assert side_losses(bench.control, found.tree, found.files, good) == ()
    for edits in ({"other": None}, {"other": entry(bench, b"x")}, {"new": entry(bench, b"x")}):
        (told,) = side_losses(bench.control, found.tree, found.files, bench.control.tree_with(good, edits))
        assert told == f"touched {next(iter(edits))}, which was not in conflict"


MOVED = b"".join(b"%s%d\n" % (block, n) for block in (b"a", b"b") for n in range(1, 5))


def test_a_clean_merge_that_drops_a_line_is_a_conflict_with_the_merge_proposed(bench: Bench) -> None:
    """Both blocks are as long, so whether the one moved down or the other up is a matter of taste: of git's."""
    moved = MOVED[12:] + MOVED[:12]
    lossy = []
    for line in (b"a2\n", b"b2\n"):
        first = bench.first({"f": MOVED})
        found = merge(
            bench.control, bench.commit(first, {"f": moved}), bench.commit(first, {"f": MOVED.replace(line, b"")})
        )
        if isinstance(found, Conflicted) and found.files[0].kind == "lossy":
            lossy.append(found)
    (found,) = lossy
    (file,) = found.files
    assert file.proposed is not None and file.proposed == found.files[0].merged
    assert (file.proposed_by, file.decided, bench.text(found.tree, "f")) == (
        "git",
        False,
        bench.control.read_blob(file.proposed.oid),
    )
    assert any("the result lacks it" in line for line in file.lost)


def test_a_clean_merge_of_a_renamed_file_is_not_doubted(bench: Bench) -> None:
    lines = b"".join(b"line %d\n" % n for n in range(30))
    first = bench.first({"old": lines, "x": b"x"})
    ours = {"old": None, "new": lines.replace(b"line 3\n", b"three\n")}
    theirs = {"old": lines.replace(b"line 20\n", b"twenty\n").replace(b"line 25\n", b"")}
    merged = merge(bench.control, bench.commit(first, ours), bench.commit(first, theirs))
    assert isinstance(merged, Clean)
    both = {"old": None, "new": lines.replace(b"line 20\n", b"twenty\n").replace(b"line 25\n", b"")}
    merged = merge(bench.control, bench.commit(first, ours), bench.commit(first, both))
    assert isinstance(merged, Clean)
    assert bench.text(merged.tree, "new") == lines.replace(b"line 3\n", b"three\n").replace(
        b"line 20\n", b"twenty\n"
    ).replace(b"line 25\n", b"")


def test_where_histories_cross_only_what_is_new_to_every_base_counts_as_added(bench: Bench) -> None:
    control = bench.control
    lines = [b"line %d\n" % n for n in range(20)]
    first = bench.first({"f": b"".join(lines)})
    one = bench.commit(first, {"f": b"".join([*lines[:2], b"one\n", *lines[2:]])})
    two = bench.commit(first, {"f": b"".join([*lines[:15], b"two\n", *lines[15:]])})
    both = b"".join([*lines[:2], b"one\n", *lines[2:15], b"two\n", *lines[15:]])
    tree = control.tree_with(control.tree_of(one), {"f": entry(bench, both)})
    left = control.commit_tree(tree, (one, two), "left")
    right = control.commit_tree(tree, (two, one), "right")
    ours = bench.commit(left, {"f": both.replace(b"two\n", b"")})
    theirs = bench.commit(right, {"f": both.replace(b"line 8\n", b"eight\n")})
    merged = merge(control, ours, theirs)
    assert isinstance(merged, Clean)
    assert bench.text(merged.tree, "f") == both.replace(b"two\n", b"").replace(b"line 8\n", b"eight\n")
