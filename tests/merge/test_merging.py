"""Merging in memory: what is clean, and every kind of conflict."""

from collections.abc import Mapping

import pytest

from tests.workspace.bench import Bench
from uet_tui.core.conflicts import ConflictFile, Entry
from uet_tui.merge.merging import Clean, Conflicted, merge
from uet_tui.workspace.git import GitError
from uet_tui.workspace.mergetree import merge_tree

LINES = b"".join(b"line %d\n" % number for number in range(1, 13))
Edits = Mapping[str, bytes | Entry | None]


def clash(bench: Bench, base: Mapping[str, bytes], ours: Edits, theirs: Edits) -> Conflicted:
    first = bench.first(base)
    found = merge(bench.control, bench.commit(first, ours), bench.commit(first, theirs))
    assert isinstance(found, Conflicted)
    return found


def only(found: Conflicted) -> ConflictFile:
    assert len(found.files) == 1
    return found.files[0]


def test_different_files_merge_clean_and_git_agrees(bench: Bench) -> None:
    ours, theirs = bench.commit(bench.base, {"a/x": b"1"}), bench.commit(bench.base, {"a/y": b"1"})
    assert merge(bench.control, ours, theirs) == Clean(merge_tree(bench.control, ours, theirs).tree)


def test_different_lines_of_a_file_merge_clean(bench: Bench) -> None:
    first = bench.first({"f": LINES})
    ours = bench.commit(first, {"f": LINES.replace(b"line 1\n", b"ours\n")})
    theirs = bench.commit(first, {"f": LINES.replace(b"line 12\n", b"theirs\n")})
    merged = merge(bench.control, ours, theirs)
    assert isinstance(merged, Clean)
    wanted = LINES.replace(b"line 1\n", b"ours\n").replace(b"line 12\n", b"theirs\n")
    assert bench.text(merged.tree, "f") == wanted


def test_a_renamed_file_takes_the_other_sides_edit_along(bench: Bench) -> None:
    first = bench.first({"old": LINES, "other": b"o"})
    ours = bench.commit(first, {"old": None, "new": LINES})
    theirs = bench.commit(first, {"old": LINES + b"more\n"})
    merged = merge(bench.control, ours, theirs)
    assert isinstance(merged, Clean)
    assert (bench.text(merged.tree, "old"), bench.text(merged.tree, "new")) == (None, LINES + b"more\n")


def test_what_is_merged_already_changes_nothing(bench: Bench) -> None:
    control = bench.control
    work = bench.commit(bench.base, {"a": b"a"})
    tip = control.commit_tree(control.tree_of(work), (bench.base, work), "Merge")
    reverted = bench.commit(tip, {"a": None})
    assert merge(control, tip, work) == Clean(control.tree_of(tip))
    assert merge(control, reverted, work) == Clean(control.tree_of(bench.base))
    assert merge(control, tip, bench.base) == Clean(control.tree_of(tip))


def test_a_merge_base_that_is_not_plain_to_see_is_found_by_git(bench: Bench) -> None:
    control = bench.control
    side = bench.commit(bench.commit(bench.base, {"a": b"1"}), {"a": b"2"})
    tip = control.commit_tree(control.tree_of(side), (bench.base, side), "Merge")
    work = bench.commit(side, {"b": b"b"})
    assert control.merge_base(tip, bench.commit(bench.commit(bench.base, {"c": b"c"}), {"d": b"d"})) is None
    merged = merge(control, tip, work)
    assert isinstance(merged, Clean)
    assert bench.text(merged.tree, "b") == b"b"


def test_commits_without_a_common_history_are_an_error(bench: Bench) -> None:
    with pytest.raises(GitError, match="unrelated"):
        merge(bench.control, bench.base, bench.first({"a": b"a"}))


def test_the_same_lines_conflict_with_hunks_of_what_each_side_did(bench: Bench) -> None:
    ours = LINES.replace(b"line 2\n", b"ours 2\n").replace(b"line 10\n", b"ours 10\nand more\n")
    theirs = LINES.replace(b"line 2\n", b"theirs 2\n").replace(b"line 6\n", b"six\n").replace(b"line 10\n", b"")
    file = only(clash(bench, {"dir/f": LINES}, {"dir/f": b"new first\n" + ours}, {"dir/f": theirs}))
    assert (file.path, file.kind, file.choice) == ("dir/f", "content", None)
    assert file.base and file.ours and file.theirs and file.merged
    assert bench.control.read_blob(file.merged.oid).count(b"<<<<<<<") == 2
    one, two = file.hunks
    assert (one.number, one.line, one.before, one.after) == (
        1,
        3,
        ("new first", "line 1"),
        ("line 3", "line 4", "line 5"),
    )
    assert (one.ours, one.base, one.theirs, one.choice) == (("ours 2",), ("line 2",), ("theirs 2",), None)
    assert (two.number, two.line, two.before) == (2, 11, ("line 7", "line 8", "line 9"))
    assert (two.ours, two.base, two.theirs) == (("ours 10", "and more"), ("line 10",), ())


def test_what_hunks_show_is_harmless_and_hides_nothing(bench: Bench) -> None:
    file = only(clash(bench, {"f": b"a\n"}, {"f": b"\x1b]52;c;eA==\x07\xff\r\n"}, {"f": b"[/x]\xe2\x80\xae\n"}))
    assert (file.hunks[0].ours, file.hunks[0].theirs) == (("‹U+001B›]52;c;eA==‹U+0007›\ufffd",), ("[/x]‹U+202E›",))


def test_conflict_markers_in_the_files_themselves_confuse_nothing(bench: Bench) -> None:
    doc = b"Title\n=======\n<<<<<<< ours\n||||||||||| x\n=======\n>>>>>>> theirs\nend\n"
    ours, theirs = doc.replace(b"=======\n<", b"=======\no\n<"), doc.replace(b"=======\n<", b"=======\nt\n<")
    file = only(clash(bench, {"f": doc}, {"f": ours}, {"f": theirs}))
    assert [(hunk.ours, hunk.theirs) for hunk in file.hunks] == [(("o",), ("t",))]


KINDS: list[tuple[str, Mapping[str, bytes], Edits, Edits, dict[str, tuple[str, bool]]]] = [
    ("add/add", {"x": b"x"}, {"f": b"1\n"}, {"f": b"2\n"}, {"f": ("add/add", True)}),
    ("modify/delete", {"f": LINES}, {"f": LINES + b"m\n"}, {"f": None}, {"f": ("modify/delete", False)}),
    ("delete/modify", {"f": LINES}, {"f": None}, {"f": LINES + b"m\n"}, {"f": ("delete/modify", False)}),
    ("binary", {"f": b"\0"}, {"f": b"\0" + b"1"}, {"f": b"\0" + b"2"}, {"f": ("binary", False)}),
    (
        "renamed to two names",
        {"f": LINES},
        {"f": None, "a": LINES},
        {"f": None, "b": LINES},
        {"a": ("rename", False), "b": ("rename", False), "f": ("rename", False)},
    ),
    ("renamed and deleted", {"f": LINES}, {"f": None, "a": LINES}, {"f": None}, {"a": ("rename", False)}),
    (
        "renamed and edited alike",
        {"f": LINES},
        {"f": None, "a": LINES + b"o\n"},
        {"f": LINES + b"t\n"},
        {"a": ("content", True)},
    ),
    (
        "added into a renamed folder",
        {"old/a": LINES, "old/b": LINES * 2},
        {"old/a": None, "old/b": None, "new/a": LINES, "new/b": LINES * 2},
        {"old/c": b"c"},
        {"new/c": ("rename", False)},
    ),
]


@pytest.mark.parametrize(("base", "ours", "theirs", "wanted"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS])
def test_every_kind_of_conflict_is_told_apart(
    bench: Bench, base: Mapping[str, bytes], ours: Edits, theirs: Edits, wanted: dict[str, tuple[str, bool]]
) -> None:
    found = clash(bench, base, ours, theirs)
    assert {file.path: (file.kind, bool(file.hunks)) for file in found.files} == wanted


def test_links_modes_submodules_and_folders_are_kinds_of_their_own(bench: Bench) -> None:
    one, two = (Entry("120000", bench.control.write_blob(data)) for data in (b"one", b"two"))
    assert only(clash(bench, {"x": b"x"}, {"f": one}, {"f": two})).kind == "symlink"
    text = bench.control.write_blob(LINES)
    mode = only(clash(bench, {"x": b"x"}, {"f": Entry("100644", text)}, {"f": Entry("100755", text)}))
    assert (mode.kind, mode.hunks) == ("mode", ())
    subs = (Entry("160000", bench.base), Entry("160000", bench.first({"y": b"y"})))
    assert only(clash(bench, {"x": b"x"}, {"f": subs[0]}, {"f": subs[1]})).kind == "submodule"
    folder = clash(bench, {"x": b"x"}, {"f": b"file\n"}, {"f/inside": b"folder\n"})
    assert only(folder).kind == "file/directory"
    mixed = clash(bench, {"f": LINES}, {"f": one}, {"f": LINES + b"t\n"})
    assert {file.kind for file in mixed.files} == {"symlink"}


def test_a_file_too_large_to_decide_by_lines_is_taken_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uet_tui.merge.texts.LARGEST", 10)
    file = only(clash(bench, {"f": LINES}, {"f": LINES + b"o\n"}, {"f": LINES + b"t\n"}))
    assert file.hunks == ()
    assert not file.decided


def test_odd_names_are_conflicts_like_any(bench: Bench) -> None:
    name = "a\nb\udcff\t'"
    assert only(clash(bench, {name: b"1\n"}, {name: b"2\n"}, {name: b"3\n"})).path == name
