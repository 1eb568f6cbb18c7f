"""Merging trees without git gives what git gives, or gives up."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.repository import make_repository
from tests.workspace.bench import Bench
from uet_tui.workspace.mergetree import merge_tree
from uet_tui.workspace.trees import merge_disjoint

PATHS = ["a", "a/x", "a/y", "a/s/x", "a/s/y", "b", "b/x", "b/y", "c", "d/e/f", "d/e/g", "d/x"]
TEXTS = [b"".join(b"%d%d\n" % (number, line) for line in range(12)) for number in range(3)]
Files = Mapping[str, bytes]


def fits(files: Files) -> bool:
    """Whether no file is where another one needs a folder."""
    return not any(other.startswith(path + "/") for path in files for other in files)


trees = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(TEXTS), min_size=1, max_size=6).filter(fits)


@st.composite
def sides(draw: st.DrawFn) -> tuple[Files, Files, Files]:
    """A base and two versions of it that delete, rename, change and add files."""
    base = draw(trees)

    def version() -> Files:
        files = dict(base)
        for path in draw(st.lists(st.sampled_from(sorted(base)), max_size=2, unique=True)):
            text = files.pop(path)
            what = draw(st.sampled_from(["delete", "rename", "change"]))
            if what == "rename":
                files[draw(st.sampled_from(PATHS))] = text
            elif what == "change":
                files[path] = text + b"more\n"
        files |= draw(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(TEXTS), max_size=2))
        return files if fits(files) else base

    return base, version(), version()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One repository for all the examples: objects do not disturb each other."""
    bench = Bench.over(make_repository(tmp_path_factory.mktemp("trees") / "repository"))
    yield bench
    bench.control.close()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(sides())
def test_a_merge_without_git_is_the_merge_that_git_makes(lasting: Bench, versions: tuple[Files, Files, Files]) -> None:
    control = lasting.control
    base, ours, theirs = (lasting.first(files) for files in versions)
    ours, theirs = (control.commit_tree(control.tree_of(side), (base,), "side") for side in (ours, theirs))
    quick = merge_disjoint(control.objects, *(control.tree_of(commit) for commit in (base, ours, theirs)))
    slow = merge_tree(control, ours, theirs)
    control.close()  # the process is started anew, so that none outlives an example
    if quick is not None:
        assert not slow.stages
        assert quick == slow.tree


def test_files_beside_each_other_are_merged_without_git(lasting: Bench) -> None:
    control = lasting.control
    base = lasting.first({"a/x": b"1", "a/y": b"1", "b/z": b"1", "b/gone": b"1"})
    ours = lasting.commit(base, {"a/x": b"2", "new/ours": b"o", "both/ours": b"o"})
    theirs = lasting.commit(base, {"a/y": b"2", "b/gone": None, "new2": b"t", "both/theirs": b"t"})
    merged = merge_disjoint(control.objects, *(control.tree_of(commit) for commit in (base, ours, theirs)))
    control.close()
    wanted = {
        "a/x": b"2",
        "a/y": b"2",
        "b/z": b"1",
        "new/ours": b"o",
        "both/ours": b"o",
        "both/theirs": b"t",
        "new2": b"t",
    }
    assert merged == control.tree_of(lasting.first(wanted))
    control.close()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"a/x": b"2"}, {"a/x": b"3"}),
        ({"a/x": b"2"}, {"a/x": b"2", "b": b"2"}),
        ({"a/x": None}, {"a/x": None, "c": b"1"}),
        ({"a/x": None}, {"a/x": b"3"}),
        ({"n": b"1"}, {"n": b"2"}),
        ({"n": b"1"}, {"n/below": b"2"}),
        ({"a/x": None, "a/y": None, "z/x": b"1", "z/y": b"1"}, {"a/new": b"t"}),
    ],
    ids=["edits", "same edit", "deletions", "edit and deletion", "additions", "file and folder", "renamed folder"],
)
def test_names_that_both_sides_changed_are_left_to_git(
    lasting: Bench, ours: Mapping[str, bytes | None], theirs: Mapping[str, bytes | None]
) -> None:
    base = lasting.first({"a/x": b"1", "a/y": b"1", "b": b"1"})
    control = lasting.control
    tips = (base, lasting.commit(base, ours), lasting.commit(base, theirs))
    assert merge_disjoint(control.objects, *(control.tree_of(commit) for commit in tips)) is None
    control.close()
