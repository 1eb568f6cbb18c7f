"""From choices to a tree, to the byte."""

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.repository import make_repository
from tests.workspace.bench import Bench
from uet_tui.core.commands import Side
from uet_tui.core.conflicts import Choice, ChoiceError, ConflictFile, Entry, edit, take
from uet_tui.merge.hunks import Clash, marker_size, pieces
from uet_tui.merge.merging import Conflicted, merge
from uet_tui.merge.proposing import propose
from uet_tui.merge.resolution import accept_edit, marked_text, resolve
from uet_tui.workspace.mergetree import merge_file

LINES = [b"a", b"b", b"", b"  c", b"=======", b"<<<<<<< x", b"\xff\xfe", b"d\r", b"e"]
texts = st.builds(
    lambda lines, last: b"\n".join(lines) + last,
    st.lists(st.sampled_from(LINES), max_size=8),
    st.sampled_from([b"", b"\n"]),
)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench.over(make_repository(tmp_path_factory.mktemp("merge") / "repository"))
    yield bench
    bench.control.close()


def clash(bench: Bench, base: bytes | None, ours: bytes | None, theirs: bytes | None) -> Conflicted:
    first = bench.first({"other": b"other\n"} | ({} if base is None else {"f": base}))
    sides = [bench.commit(first, {"f": text}) for text in (ours, theirs)]
    found = merge(bench.control, *sides)
    assert isinstance(found, Conflicted)
    return found


def favoured(bench: Bench, base: bytes, ours: bytes, theirs: bytes, side: str) -> bytes:
    """What git makes of a text where one side wins every conflict."""
    folder = bench.repository.path
    for name, text in {"b": base, "o": ours, "t": theirs}.items():
        (folder / name).write_bytes(text)
    return bench.control.git.run("merge-file", "-p", f"--{side}", *(str(folder / n) for n in "obt"), ok=range(128)).out


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(texts, texts, texts)
def test_pieces_hold_every_byte_of_both_sides(lasting: Bench, base: bytes, ours: bytes, theirs: bytes) -> None:
    size = marker_size(base, ours, theirs)
    found = pieces(merge_file(lasting.control, ours, base, theirs, size), size, ours, base, theirs)

    def taken(side: str) -> bytes:
        return b"".join(b"".join(getattr(p, side) if isinstance(p, Clash) else p) for p in found)

    assert taken("ours") == favoured(lasting, base, ours, theirs, "ours")
    assert taken("theirs") == favoured(lasting, base, ours, theirs, "theirs")


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(texts, texts)
def test_all_ours_is_our_file_and_all_theirs_is_their_file(lasting: Bench, ours: bytes, theirs: bytes) -> None:
    ours, theirs = b"o" + ours, b"t" + theirs
    found = clash(lasting, None, ours, theirs)
    for side, wanted in ((Side.OURS, ours), (Side.THEIRS, theirs)):
        tree = resolve(lasting.control, found.tree, take(found.files, side))
        assert lasting.text(tree, "f") == wanted
        assert lasting.text(tree, "other") == b"other\n"
    lasting.control.close()


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        (b"o\n", b"t\n", b"o\nt\n"),
        (b"o", b"t", b"o\nt"),
        (b"1\r\no", b"1\r\nt", b"1\r\no\r\nt"),
        (b"o\n", b"", b"o\n"),
        (b"", b"t", b"t"),
    ],
)
def test_both_is_ours_and_then_theirs_on_lines_of_their_own(
    bench: Bench, ours: bytes, theirs: bytes, both: bytes
) -> None:
    found = clash(bench, b"base\n", ours, theirs)
    tree = resolve(bench.control, found.tree, take(found.files, Side.BOTH))
    assert bench.text(tree, "f") == both


@pytest.mark.parametrize(
    ("ours", "theirs", "both"), [(b"o\n", b"t\n", b"t\no\n"), (b"1\r\no", b"1\r\nt", b"1\r\nt\r\no")]
)
def test_both_the_other_way_round_is_theirs_and_then_ours(
    bench: Bench, ours: bytes, theirs: bytes, both: bytes
) -> None:
    found = clash(bench, b"base\n", ours, theirs)
    tree = resolve(bench.control, found.tree, take(found.files, Side.BOTH_THEIRS_FIRST))
    assert bench.text(tree, "f") == both


@pytest.mark.parametrize("base", [b"b\n", b"\0b"])
def test_a_proposal_that_falls_into_no_hunks_is_taken_and_edited_whole(bench: Bench, base: bytes) -> None:
    found = clash(bench, base, b"o\n" + base, b"t\n" + base)
    entry = Entry("100755", bench.control.write_blob(b"neither\n"))
    files = (propose(bench.control, found.files[0], entry, "agent", ("it drops lines",)),)
    taken = take(files, Side.PROPOSAL)
    assert bench.control.entry(resolve(bench.control, found.tree, taken), "f") == entry
    assert marked_text(bench.control, taken[0]) == b"neither\n"
    if found.files[0].hunks:
        with pytest.raises(ChoiceError, match="does not fall into hunks"):
            take(files, Side.PROPOSAL, "f", 1)


def test_a_clash_gets_its_own_lines_of_a_proposal_where_what_is_between_stands_more_than_once(bench: Bench) -> None:
    """Lines of code are full of lone brackets: the first one that fits is not the one that is meant."""
    base = b"a1\na2\n}\nb1\nb2\n"
    ours, theirs = base.replace(b"1", b"1o"), base.replace(b"1", b"1t")
    found = clash(bench, base.replace(b"2", b"1"), ours.replace(b"2", b"2o"), theirs.replace(b"2", b"2t"))
    whole = b"a1o\n}\na2t\n}\nb1o\nb2t\n"
    file = propose(bench.control, found.files[0], Entry("100644", bench.control.write_blob(whole)), "agent", ())
    assert [hunk.proposal for hunk in file.hunks] == [("a1o", "}", "a2t"), ("b1o", "b2t")]


def test_each_hunk_is_decided_for_itself_and_what_git_merged_stays(bench: Bench) -> None:
    lines = [b"%d\n" % n for n in range(30)]
    ours, theirs = lines.copy(), lines.copy()
    ours[2], theirs[2] = b"o2\n", b"t2\n"
    ours[12], theirs[12] = b"o12\n", b"t12\n"
    ours[22], theirs[22] = b"o22\n", b"t22\n"
    ours[7], theirs[17] = b"o7\n", b"t17\n"
    found = clash(bench, *(b"".join(side) for side in (lines, ours, theirs)))
    files = take(found.files, Side.THEIRS, "f", 1)
    files = take(files, Side.BOTH, "f", 2)
    with pytest.raises(ChoiceError, match="still to be decided: f"):
        resolve(bench.control, found.tree, files)
    files = take(files, Side.OURS, "f", 3)
    wanted = lines.copy()
    wanted[2], wanted[7], wanted[12], wanted[17], wanted[22] = b"t2\n", b"o7\n", b"o12\nt12\n", b"t17\n", b"o22\n"
    assert bench.text(resolve(bench.control, found.tree, files), "f") == b"".join(wanted)


@pytest.mark.parametrize(("side", "wanted"), [(Side.OURS, b"changed\n"), (Side.THEIRS, None)])
def test_a_deletion_can_be_taken_or_refused(bench: Bench, side: Side, wanted: bytes | None) -> None:
    found = clash(bench, b"base\n", b"changed\n", None)
    assert bench.text(resolve(bench.control, found.tree, take(found.files, side)), "f") == wanted


def test_a_resolution_touches_only_files_in_conflict(bench: Bench) -> None:
    found = clash(bench, b"base\n", b"o\n", b"t\n")
    tree = resolve(bench.control, found.tree, take(found.files, Side.THEIRS))
    commits = [bench.control.commit_tree(t, (), "x") for t in (found.tree, tree)]
    assert [change.path for change in bench.control.changes(*commits)] == ["f"]


@pytest.mark.parametrize("result", [b"one\r\ntwo\r\n", b"one\r\ntwo", b"\xff\x1b[1m\n", b""])
def test_a_proposal_taken_hunk_by_hunk_is_the_proposal_to_the_byte(bench: Bench, result: bytes) -> None:
    lines = [b"%d\r\n" % n for n in range(12)]
    ours, theirs = ([*lines[:2], side, *lines[3:-1], side.strip()] for side in (b"o\r\n", b"t\r\n"))
    found = clash(bench, *(b"".join(side) for side in (lines, ours, theirs)))
    whole = b"".join([*lines[:2], b"x\r\n", *lines[3:-1], result])
    (file,) = found.files
    proposed = propose(bench.control, file, Entry("100644", bench.control.write_blob(whole)), "agent", ())
    assert [hunk.proposal is not None for hunk in proposed.hunks] == [True, True]
    for taken in ((None,), (1, 2)):
        files: tuple[ConflictFile, ...] = (proposed,)
        for hunk in taken:
            files = take(files, Side.PROPOSAL, "f", hunk)
        assert bench.text(resolve(bench.control, found.tree, files), "f") == whole
    mixed = take(take((proposed,), Side.PROPOSAL, "f", 2), Side.THEIRS, "f", 1)
    wanted = b"".join([*lines[:2], b"t\r\n", *lines[3:-1], result])
    assert bench.text(resolve(bench.control, found.tree, mixed), "f") == wanted


def test_the_mode_of_the_taken_side_is_kept(bench: Bench) -> None:
    first = bench.first({"other": b"x"})
    sides = [
        bench.commit(first, {"f": Entry(mode, bench.control.write_blob(text))})
        for mode, text in (("100644", b"o\n"), ("100755", b"t\n"))
    ]
    found = merge(bench.control, *sides)
    assert isinstance(found, Conflicted)
    for side, mode in ((Side.OURS, "100644"), (Side.THEIRS, "100755")):
        entry = bench.control.entry(resolve(bench.control, found.tree, take(found.files, side)), "f")
        assert entry and entry.mode == mode


def test_an_edited_file_is_taken_as_it_was_written(bench: Bench) -> None:
    found = clash(bench, b"b\n", b"o\n", b"t\n")
    entry = accept_edit(bench.control, "f", b"mine\r\nno newline\xff")
    assert (
        bench.text(resolve(bench.control, found.tree, edit(found.files, "f", entry)), "f") == b"mine\r\nno newline\xff"
    )


def test_the_editor_gets_markers_where_something_is_to_be_decided(bench: Bench) -> None:
    found = clash(bench, b"1\nb\n" + b"-\n" * 9 + b"b2", b"1\no\n" + b"-\n" * 9 + b"o2", b"1\nt\n" + b"-\n" * 9 + b"t2")
    file = take(found.files, Side.THEIRS, "f", 1)[0]
    wanted = b"1\nt\n" + b"-\n" * 9 + b"<<<<<<< ours\no2\n||||||| base\nb2\n=======\nt2\n>>>>>>> theirs\n"
    assert marked_text(bench.control, file) == wanted
    with pytest.raises(ChoiceError, match="f:12: a conflict marker is left"):
        accept_edit(bench.control, "f", wanted)
    entry = accept_edit(bench.control, "f", b"done\n")
    assert marked_text(bench.control, edit((file,), "f", entry)[0]) == b"done\n"


@pytest.mark.parametrize("line", [b"<<<<<<< ours", b"||||||| base", b">>>>>>> theirs", b">>>>>>> theirs\r"])
def test_every_marker_that_can_be_left_is_found(bench: Bench, line: bytes) -> None:
    with pytest.raises(ChoiceError, match="f:2:"):
        accept_edit(bench.control, "f", b"x\n" + line + b"\n")


@pytest.mark.parametrize("text", [b"Title\n=======\n", b"x <<<<<<< ours\n", b"", b"<<<<<<< HEAD in a document\n"])
def test_what_only_looks_like_a_marker_is_accepted(bench: Bench, text: bytes) -> None:
    assert bench.control.read_blob(accept_edit(bench.control, "f", text).oid) == text


def test_the_side_that_is_left_of_a_deletion_can_be_edited(bench: Bench) -> None:
    assert marked_text(bench.control, clash(bench, b"b\n", None, b"t\n").files[0]) == b"t\n"


def test_what_is_not_text_cannot_be_edited(bench: Bench) -> None:
    with pytest.raises(ChoiceError, match=r"f \(binary\) is not text"):
        marked_text(bench.control, clash(bench, b"\0", b"\x001", b"\x002").files[0])


@pytest.mark.parametrize("choice", [c for c in get_args(Choice) if c not in ("ours", "theirs")])
def test_a_choice_that_does_not_fit_its_file_is_refused(bench: Bench, choice: Choice) -> None:
    found = clash(bench, b"b\n", b"o\n", None)
    odd: ConflictFile = replace(found.files[0], choice=choice)
    with pytest.raises(ChoiceError, match=r"^f "):
        resolve(bench.control, found.tree, (odd,))


def test_hunks_that_no_longer_fit_are_refused(bench: Bench) -> None:
    found = clash(bench, b"b\n", b"o\n", b"t\n")
    file = take(found.files, Side.OURS)[0]
    with pytest.raises(ChoiceError, match="redo the merge"):
        resolve(bench.control, found.tree, (replace(file, hunks=file.hunks * 2),))
