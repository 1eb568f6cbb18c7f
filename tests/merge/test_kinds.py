"""Conflicts that are not about lines: each is shown as what it is, and every way out is a right tree."""

from collections.abc import Mapping

import pytest

from tests.workspace.bench import Bench
from uet_tui.core.commands import Side
from uet_tui.core.conflicts import ChoiceError, Entry, edit, take
from uet_tui.merge.merging import Conflicted, merge
from uet_tui.merge.resolution import resolve
from uet_tui.merge.texts import LARGEST
from uet_tui.workspace.trees import compare

LINES = b"".join(b"line %d\n" % n for n in range(1, 21))
OTHER = b"".join(b"other %d\n" % n for n in range(1, 21))
OURS, THEIRS = LINES.replace(b"line 2\n", b"ours 2\n"), LINES.replace(b"line 19\n", b"theirs 19\n")
BOTH = OURS.replace(b"line 19\n", b"theirs 19\n")
CLASH = LINES.replace(b"line 2\n", b"theirs 2\n")
Edits = Mapping[str, bytes | Entry | None]


def link(bench: Bench, target: bytes) -> Entry:
    return Entry("120000", bench.control.write_blob(target))


def submodule(digit: str) -> Entry:
    return Entry("160000", digit * 40)


def clash(bench: Bench, base: Edits, ours: Edits, theirs: Edits) -> Conflicted:
    first = bench.commit(bench.first({"stays": b"stays\n"}), base)
    found = merge(bench.control, bench.commit(first, ours), bench.commit(first, theirs))
    assert isinstance(found, Conflicted)
    return found


def files(bench: Bench, tree: str) -> dict[str, bytes | str]:
    """All that a tree holds but what no side touched: content, or mode and content for what is no plain file."""
    changes = compare(bench.control.objects, bench.control.objects.empty_tree, tree)
    entries = {change.path: change.new for change in changes if change.new}
    assert bench.control.read_blob(entries.pop("stays").oid) == b"stays\n"
    return {
        path: entry.oid
        if entry.mode == "160000"
        else ("link " if entry.mode == "120000" else "x ") + bench.control.read_blob(entry.oid).decode()
        if entry.mode != "100644"
        else bench.control.read_blob(entry.oid)
        for path, entry in entries.items()
    }


def both_ways(bench: Bench, found: Conflicted) -> tuple[dict[str, bytes | str], dict[str, bytes | str]]:
    """What all of ours comes to, and all of theirs."""
    ours, theirs = (resolve(bench.control, found.tree, take(found.files, side)) for side in (Side.OURS, Side.THEIRS))
    return files(bench, ours), files(bench, theirs)


def kinds(found: Conflicted) -> dict[str, str]:
    return {file.path: file.kind for file in found.files}


def test_a_file_that_both_sides_renamed_keeps_the_name_that_is_taken_and_both_edits(bench: Bench) -> None:
    found = clash(bench, {"f": LINES}, {"f": None, "a": OURS}, {"f": None, "b": THEIRS})
    assert kinds(found) == {"a": "rename", "b": "rename", "f": "rename"}
    assert {file.path: set(file.beside) for file in found.files} == {"a": {"b", "f"}, "b": {"a", "f"}, "f": {"a", "b"}}
    a, b, f = found.files
    assert (
        a.note
        == f"ours renamed f to this; theirs renamed f to b; ours: a file of {len(BOTH)} bytes; theirs: no file here"
    )
    assert (
        b.note
        == f"ours renamed f to a; theirs renamed f to this; ours: no file here; theirs: a file of {len(BOTH)} bytes"
    )
    assert f.note == "ours renamed f to a; theirs renamed f to b; ours: no file here; theirs: no file here"
    assert both_ways(bench, found) == ({"a": BOTH}, {"b": BOTH})


def test_a_file_that_both_sides_renamed_cannot_lose_both_names_unnoticed(bench: Bench) -> None:
    found = clash(bench, {"f": LINES}, {"f": None, "a": OURS}, {"f": None, "b": THEIRS})
    chosen = take(take(take(found.files, Side.OURS, "f"), Side.THEIRS, "a"), Side.OURS, "b")
    with pytest.raises(ChoiceError, match="a and b are one file, renamed by both sides, and no name of it is kept"):
        resolve(bench.control, found.tree, chosen)
    chosen = take(take(chosen, Side.OURS, "a"), Side.THEIRS, "b")
    assert files(bench, resolve(bench.control, found.tree, chosen)) == {"a": BOTH, "b": BOTH}


def test_a_file_that_both_sides_renamed_and_changed_alike_is_offered_without_markers(bench: Bench) -> None:
    found = clash(bench, {"f": LINES}, {"f": None, "a": OURS}, {"f": None, "b": CLASH})
    assert both_ways(bench, found) == ({"a": OURS}, {"b": CLASH})
    assert "each name has only its own side's text" in found.files[0].note


@pytest.mark.parametrize("ours_renamed", [True, False])
def test_a_file_that_one_side_renamed_and_the_other_deleted(bench: Bench, ours_renamed: bool) -> None:
    renamed: Edits = {"f": None, "a": LINES}
    sides = (renamed, {"f": None}) if ours_renamed else ({"f": None}, renamed)
    found = clash(bench, {"f": LINES}, *sides)
    assert kinds(found) == {"a": "rename"}
    one, other = ("ours", "theirs") if ours_renamed else ("theirs", "ours")
    assert f"{one} renamed f to this" in found.files[0].note and f"{other} deleted f" in found.files[0].note
    kept, gone = both_ways(bench, found)[:: 1 if ours_renamed else -1]
    assert (kept, gone) == ({"a": LINES}, {})


@pytest.mark.parametrize("name", ["ours", "theirs"])
def test_a_file_that_one_side_renamed_and_both_changed_tells_its_old_name(bench: Bench, name: str) -> None:
    renamed: Edits = {"f": None, "a": OURS}
    sides = (renamed, {"f": CLASH}) if name == "ours" else ({"f": CLASH}, renamed)
    (file,) = clash(bench, {"f": LINES}, *sides).files
    assert (file.path, file.kind, file.beside, len(file.hunks)) == ("a", "content", ("f",), 1)
    assert file.note == f"{name} renamed f to it"


@pytest.mark.parametrize(
    ("ours", "theirs", "note"),
    [
        (b"1\n3\n", b"1\n3", "ours: line ends LF; theirs: line ends LF, none after the last line"),
        (b"1\r\nA\r\n", b"1\nB\n", "ours: line ends CRLF; theirs: line ends LF"),
        (b"1\r\nA\n", b"B", "ours: line ends CRLF and LF; theirs: no line end"),
        (b"1\r\nA\r\n", b"1\r\nB\r\n", ""),
        (b"", b"1\nB\n", ""),
    ],
)
def test_line_ends_are_told_where_the_sides_differ_in_them(bench: Bench, ours: bytes, theirs: bytes, note: str) -> None:
    (file,) = clash(bench, {"f": b"1\n2\n"}, {"f": ours}, {"f": theirs}).files
    assert (file.kind, file.note) == ("content", note)


def test_two_files_that_were_renamed_to_one_name_are_told_and_can_be_kept_together(bench: Bench) -> None:
    found = clash(bench, {"f": LINES, "g": OTHER}, {"f": None, "c": LINES}, {"g": None, "c": OTHER})
    (file,) = found.files
    assert (file.kind, set(file.beside), len(file.hunks)) == ("add/add", {"f", "g"}, 1)
    assert file.note == (
        "two files met here: ours renamed f to it and theirs renamed g to it; what you do not take is in no other file"
    )
    assert both_ways(bench, found) == ({"c": LINES}, {"c": OTHER})
    assert files(bench, resolve(bench.control, found.tree, take(found.files, Side.BOTH))) == {"c": LINES + OTHER}


def test_two_files_under_one_name_show_no_markers_of_a_merge_within(bench: Bench) -> None:
    found = clash(bench, {"f": LINES, "g": OTHER}, {"f": None, "c": OURS}, {"f": CLASH, "g": None, "c": OTHER})
    (file,) = found.files
    assert "what the other side changed under the old name is not in it" in file.note
    assert both_ways(bench, found) == ({"c": OURS}, {"c": OTHER})


def test_a_file_added_to_a_folder_that_the_other_side_renamed(bench: Bench) -> None:
    found = clash(
        bench,
        {"old/a": LINES, "old/b": OTHER},
        {"old/a": None, "old/b": None, "new/a": LINES, "new/b": OTHER},
        {"old/c": b"c\n"},
    )
    assert kinds(found) == {"new/c": "rename"}
    assert "theirs added it as old/c, and the other side renamed that folder" in found.files[0].note
    kept: dict[str, bytes | str] = {"new/a": LINES, "new/b": OTHER}
    assert both_ways(bench, found) == (kept, kept | {"new/c": b"c\n"})


def test_a_file_added_to_a_folder_that_the_other_side_split_is_not_merged_in_silence(bench: Bench) -> None:
    found = clash(
        bench,
        {"old/a": LINES, "old/b": OTHER},
        {"old/a": None, "old/b": None, "one/a": LINES, "two/b": OTHER},
        {"old/c": b"c\n"},
    )
    assert kinds(found) == {"old/c": "rename"}
    kept: dict[str, bytes | str] = {"one/a": LINES, "two/b": OTHER}
    assert both_ways(bench, found) == (kept, kept | {"old/c": b"c\n"})


@pytest.mark.parametrize("ours_deleted", [True, False])
def test_a_deletion_against_an_edit(bench: Bench, ours_deleted: bool) -> None:
    sides: tuple[Edits, Edits] = ({"f": None}, {"f": OURS}) if ours_deleted else ({"f": OURS}, {"f": None})
    found = clash(bench, {"f": LINES}, *sides)
    assert kinds(found) == {"f": "delete/modify" if ours_deleted else "modify/delete"}
    gone, kept = both_ways(bench, found)[:: 1 if ours_deleted else -1]
    assert (gone, kept) == ({}, {"f": OURS})
    assert ("ours: no file here" if ours_deleted else "theirs: no file here") in found.files[0].note


def test_binary_files_are_taken_whole_and_their_sizes_told(bench: Bench) -> None:
    found = clash(bench, {"f": b"\0"}, {"f": b"\x001"}, {"f": b"\x0022"})
    assert (kinds(found), found.files[0].note) == (
        {"f": "binary"},
        "ours: a file of 2 bytes; theirs: a file of 3 bytes",
    )
    assert both_ways(bench, found) == ({"f": b"\x001"}, {"f": b"\x0022"})


def test_a_text_that_is_too_large_for_its_hunks_says_so(bench: Bench) -> None:
    long = b"line\n" * (LARGEST // 5)
    (file,) = clash(bench, {"f": b"base\n" + long}, {"f": b"ours\n" + long}, {"f": b"theirs\n" + long}).files
    assert (file.kind, file.hunks) == ("binary", ())
    assert file.note.endswith("; over 4 MB: too large to be merged by lines")


def test_a_mode_is_decided_without_the_content(bench: Bench) -> None:
    text = bench.control.write_blob(LINES)
    found = clash(bench, {}, {"f": Entry("100755", text)}, {"f": Entry("100644", text)})
    assert kinds(found) == {"f": "mode"}
    assert found.files[0].note.startswith("ours: an executable file of")
    assert both_ways(bench, found) == ({"f": "x " + LINES.decode()}, {"f": LINES})


def test_a_mode_that_one_side_changed_stays_with_lines_that_both_changed(bench: Bench) -> None:
    executable = Entry("100755", bench.control.write_blob(OURS))
    found = clash(bench, {"f": LINES}, {"f": executable}, {"f": CLASH})
    assert kinds(found) == {"f": "content"}
    assert both_ways(bench, found) == ({"f": "x " + OURS.decode()}, {"f": "x " + CLASH.decode()})


def test_two_links_are_taken_whole_and_their_targets_told(bench: Bench) -> None:
    found = clash(bench, {"f": link(bench, b"0")}, {"f": link(bench, b"one")}, {"f": link(bench, b"two\x1b[1m")})
    assert (kinds(found), found.files[0].note) == ({"f": "symlink"}, "ours: a link to one; theirs: a link to two")
    assert both_ways(bench, found) == ({"f": "link one"}, {"f": "link two\x1b[1m"})


@pytest.mark.parametrize("base", [{}, {"f": LINES}])
def test_a_link_against_a_file_is_one_path_with_two_sides(bench: Bench, base: Edits) -> None:
    for ours, theirs in ((link(bench, b"x"), OURS), (OURS, link(bench, b"x"))):
        found = clash(bench, base, {"f": ours}, {"f": theirs})
        assert kinds(found) == {"f": "symlink"}
        wanted: list[dict[str, bytes | str]] = [{"f": "link x"}, {"f": OURS}]
        assert both_ways(bench, found) == tuple(wanted if isinstance(ours, Entry) else wanted[::-1])


def test_submodules_are_decided_by_their_commit(bench: Bench) -> None:
    found = clash(bench, {"s": submodule("1")}, {"s": submodule("2")}, {"s": submodule("3")})
    assert (kinds(found), found.files[0].note) == (
        {"s": "submodule"},
        "ours: a submodule at 2222222222; theirs: a submodule at 3333333333",
    )
    assert both_ways(bench, found) == ({"s": "2" * 40}, {"s": "3" * 40})
    gone = clash(bench, {"s": submodule("1")}, {"s": submodule("2")}, {"s": None})
    assert (kinds(gone), both_ways(bench, gone)) == ({"s": "submodule"}, ({"s": "2" * 40}, {}))
    mixed = clash(bench, {}, {"s": submodule("2")}, {"s": b"file\n"})
    assert (kinds(mixed), both_ways(bench, mixed)) == ({"s": "submodule"}, ({"s": "2" * 40}, {"s": b"file\n"}))


@pytest.mark.parametrize("base", [{}, {"f": LINES}])
@pytest.mark.parametrize("ours_is_file", [True, False])
def test_a_file_against_a_folder_is_one_path_with_two_sides(bench: Bench, base: Edits, ours_is_file: bool) -> None:
    file: Edits = {"f": OURS}
    folder: Edits = {"f": None, "f/in": b"in\n", "f/deep/er": b"er\n"}
    found = clash(bench, base, *((file, folder) if ours_is_file else (folder, file)))
    assert kinds(found) == {"f": "file/directory"}
    assert "a folder of 2 files" in found.files[0].note and f"a file of {len(OURS)} bytes" in found.files[0].note
    taken_file, taken_folder = both_ways(bench, found)[:: 1 if ours_is_file else -1]
    assert (taken_file, taken_folder) == ({"f": OURS}, {"f/in": b"in\n", "f/deep/er": b"er\n"})


def test_a_file_taken_against_a_folder_takes_what_was_decided_in_the_folder_with_it(bench: Bench) -> None:
    found = clash(
        bench,
        {"g/in": LINES},
        {"g/in": OURS, "f": b"file\n"},
        {"g/in": CLASH, "f/in": b"theirs\n"},
    )
    assert kinds(found) == {"f": "file/directory", "g/in": "content"}
    chosen = take(take(found.files, Side.OURS, "f"), Side.THEIRS, "g/in")
    assert files(bench, resolve(bench.control, found.tree, chosen)) == {"f": b"file\n", "g/in": CLASH}
    submodules = clash(bench, {}, {"f": submodule("2")}, {"f/in": b"in\n"})
    assert both_ways(bench, submodules) == ({"f": "2" * 40}, {"f/in": b"in\n"})


def test_whatever_the_kind_a_file_can_be_written_anew(bench: Bench) -> None:
    found = clash(bench, {"f": b"\0"}, {"f": b"\x001"}, {"f": b"\x0022"})
    new = Entry("100644", bench.control.write_blob(b"new\n"))
    tree = resolve(bench.control, found.tree, edit(found.files, "f", new))
    assert files(bench, tree) == {"f": b"new\n"}


def test_a_file_that_is_named_like_what_git_invents_is_left_alone(bench: Bench) -> None:
    first = bench.first({"stays": b"stays\n"})
    ours = bench.commit(first, {"f": b"file\n"})
    theirs = bench.commit(first, {"f/in": b"in\n", f"f~{ours}": b"mine\n"})
    found = merge(bench.control, ours, theirs)
    assert isinstance(found, Conflicted)
    assert kinds(found) == {"f": "file/directory"}
    assert both_ways(bench, found) == (
        {"f": b"file\n", f"f~{ours}": b"mine\n"},
        {"f/in": b"in\n", f"f~{ours}": b"mine\n"},
    )
