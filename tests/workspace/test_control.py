"""The control repository: commits, refs by compare-and-swap, trees, and what recovery asks of it."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.repository import Repository
from tests.workspace.bench import Bench
from uet_tui.core.conflicts import Entry
from uet_tui.errors import UetError
from uet_tui.workspace.control import ABSENT, ControlRepository, StaleRefError
from uet_tui.workspace.history import RUN, merge_trailers, merges_touching, steps
from uet_tui.workspace.objects import MissingObjectError
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.refs import RefWriter

REF = "refs/heads/uet/r1"


def test_it_borrows_the_operators_objects_and_git_agrees_that_it_is_sound(bench: Bench) -> None:
    commit = bench.commit(bench.base, {"new/deep/file.txt": b"new\n"})
    bench.control.update_refs([(REF, commit, ABSENT)])
    assert bench.control.git.run("fsck", "--strict", "--full").code == 0
    assert bench.control.git.run("log", "--format=%s", REF).out == b"work\nBegin\n"


def test_opening_it_again_changes_nothing_and_finds_everything(bench: Bench) -> None:
    commit = bench.commit(bench.base, {"a": b"a"})
    bench.control.update_refs([(REF, commit, ABSENT)])
    before = {p: p.stat().st_mtime_ns for p in bench.control.path.rglob("*") if p.is_file()}
    with ControlRepository.open_or_create(bench.control.path, bench.operator) as again:
        assert again.head_of(REF) == commit
        assert {p: p.stat().st_mtime_ns for p in again.path.rglob("*") if p.is_file()} == before


def test_a_half_made_one_of_a_killed_process_is_not_in_the_way(repository: Repository) -> None:
    home = repository.path / ".uet"
    (home / "control.git.new-killed" / "objects").mkdir(parents=True)
    with ControlRepository.open_or_create(
        home / "control.git", OperatorRepository.discover(repository.path)
    ) as control:
        assert control.tree_of(repository.head)


def test_it_follows_an_operators_repository_that_was_moved(bench: Bench) -> None:
    moved = bench.repository.path.with_name("moved")
    shutil.move(bench.repository.path, moved)
    operator = OperatorRepository.discover(moved)
    with ControlRepository.open_or_create(moved / ".uet/control.git", operator) as control:
        assert control.tree_of(operator.head)


def test_only_abandoned_locks_are_removed(bench: Bench) -> None:
    refs = bench.control.path / "refs/heads"
    old, fresh = refs / "old.lock", refs / "fresh.lock"
    for lock in (old, fresh):
        lock.touch()
    os.utime(old, (time.time() - 3600,) * 2)
    ControlRepository.open_or_create(bench.control.path, bench.operator).close()
    assert (old.exists(), fresh.exists()) == (False, True)


def test_it_works_in_a_sha256_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--object-format=sha256", "-b", "main", str(tmp_path)], check=True)
    repository = Repository(tmp_path)
    repository.git("config", "user.name", "o")
    repository.git("config", "user.email", "o@example.invalid")
    repository.write("a.txt", "a\n")
    repository.commit("Begin")
    bench = Bench.over(repository)
    with bench.control:
        sandbox = bench.sandbox()
        sandbox.reset(bench.base)
        (sandbox.folder / "b.txt").write_text("b\n")
        snapshot = sandbox.snapshot(bench.base, "work")
        assert snapshot.commit is not None and len(snapshot.commit) == 64
        assert Repository(sandbox.folder).git("status", "--porcelain") == "?? b.txt"
        bench.control.publish({REF: snapshot.commit})
    assert repository.git("show", "uet/r1:b.txt") == "b"
    repository.git("fsck", "--strict")


def test_a_shallow_clone_can_be_worked_in(repository: Repository, tmp_path: Path) -> None:
    repository.write("more.txt", "more\n")
    repository.commit("More")
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", f"file://{repository.path}", str(tmp_path / "clone")], check=True
    )
    bench = Bench.over(Repository(tmp_path / "clone"))
    with bench.control:
        commit = bench.commit(bench.base, {"a": b"a"})
        assert bench.control.is_ancestor(bench.base, commit)
        bench.control.publish({REF: commit})
    assert bench.repository.git("log", "--format=%s", "uet/r1") == "work\nMore"


def test_refs_move_only_from_where_they_are_expected(bench: Bench) -> None:
    control = bench.control
    one, two = bench.commit(bench.base, {"a": b"1"}), bench.commit(bench.base, {"a": b"2"})
    control.update_refs([(REF, one, ABSENT)])
    with pytest.raises(StaleRefError, match=f"{REF} is at {one}, not at {two}"):
        control.update_refs([(REF, bench.base, two)])
    with pytest.raises(StaleRefError):
        control.update_refs([(REF, two, ABSENT)])
    control.update_refs([(REF, two, one)])
    control.update_refs([(REF, one, None)])
    assert control.head_of(REF) == one


def test_refs_that_git_moved_before_it_ended_without_a_word_are_moved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = RefWriter._told
    later = bench.commit(bench.base, {"a.txt": b"a"})
    bench.control.update_refs([(REF, bench.base, ABSENT)])

    def dying(writer: RefWriter) -> bytes:
        line = told(writer)
        return b"" if line == b"commit: ok\n" else line

    monkeypatch.setattr(RefWriter, "_told", dying)
    bench.control.update_refs([(REF, later, bench.base)])
    assert bench.control.head_of(REF) == later


def test_refs_move_all_or_none(bench: Bench) -> None:
    control = bench.control
    one = bench.commit(bench.base, {"a": b"1"})
    with pytest.raises(StaleRefError):
        control.update_refs([("refs/uet/r1/ws-a", one, ABSENT), (REF, one, bench.base)])
    assert control.head_of("refs/uet/r1/ws-a") is None
    assert control.head_of(REF) is None


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/main",
        "refs/heads/uet",
        "HEAD",
        "refs/heads/uet/../main",
        "refs/heads/uet/-x",
        "refs/heads/uet/a\nupdate refs/heads/main",
        "refs/heads/uet/a.lock",
        "refs/tags/uet/x",
        "refs/uet/a b",
    ],
)
def test_no_ref_of_the_operators_can_be_named(bench: Bench, ref: str) -> None:
    with pytest.raises(UetError, match="not a ref that uet may set"):
        bench.control.update_refs([(ref, bench.base, None)])
    with pytest.raises(UetError, match="not a ref that uet may set"):
        bench.control.publish({"refs/heads/uet/good": bench.base, ref: bench.base})
    assert bench.control.head_of(ref) is None
    assert bench.repository.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_changes_say_what_happened_to_each_path(bench: Bench) -> None:
    control = bench.control
    old = bench.first({"keep": b"k", "edit": b"1", "gone/deep": b"g", "exe": b"x", "link": b"l", "file": b"f"})
    exe, link, file = (control.entry(control.tree_of(old), path) for path in ("exe", "link", "file"))
    assert exe and link and file
    new = bench.commit(
        old,
        {
            "edit": b"2",
            "gone/deep": None,
            "exe": Entry("100755", exe.oid),
            "link": Entry("120000", link.oid),
            "file": None,
            "file/inside": b"now a folder",
            "new\nname\udcff": b"n",
        },
    )
    found = {
        change.path: (change.status, change.old and change.old.mode, change.new and change.new.mode)
        for change in control.changes(old, new)
    }
    assert found == {
        "edit": ("M", "100644", "100644"),
        "exe": ("M", "100644", "100755"),
        "file": ("D", "100644", None),
        "file/inside": ("A", None, "100644"),
        "gone/deep": ("D", "100644", None),
        "link": ("T", "100644", "120000"),
        "new\nname\udcff": ("A", None, "100644"),
    }
    assert list(found) == sorted(found, key=lambda path: path.encode("utf-8", "surrogateescape"))
    listed = control.git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new).out
    assert {path.encode("utf-8", "surrogateescape") for path in found} == set(listed.split(b"\0")) - {b""}


def test_the_diff_is_unified_and_is_cut_where_it_is_too_long(bench: Bench) -> None:
    new = bench.commit(bench.base, {"README.md": b"# Other\n", "long.txt": b"line\n" * 1_000})
    whole = bench.control.diff(bench.base, new)
    assert "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-# Sample\n+# Other\n" in whole
    cut = bench.control.diff(bench.base, new, limit=500)
    assert cut == whole[:500] + "\n(cut at 500 bytes)\n"


def test_a_tree_is_edited_and_empty_folders_go(bench: Bench) -> None:
    control = bench.control
    blob = Entry("100644", control.write_blob(b"x"))
    tree = control.tree_with(control.objects.empty_tree, {"a/b/c": blob, "d": blob})
    assert control.tree_with(tree, {"a/b/c": None}) == control.tree_with(control.objects.empty_tree, {"d": blob})
    assert control.tree_with(tree, {"a/b/c": None, "d": None}) == control.objects.empty_tree
    assert control.tree_with(tree, {"d/below/a/file": None}) == tree
    replaced = control.tree_with(tree, {"a": blob})
    assert (control.entry(replaced, "a"), control.entry(replaced, "a/b/c")) == (blob, None)


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../a", "a/./b", ".git/config", "a/.GIT/hooks/x", "a\0b"])
def test_a_path_that_no_repository_may_hold_is_refused(bench: Bench, path: str) -> None:
    with pytest.raises(UetError, match="cannot be a path"):
        bench.control.tree_with(
            bench.control.tree_of(bench.base), {path: Entry("100644", bench.control.write_blob(b""))}
        )


def test_objects_are_the_same_as_git_makes_them(bench: Bench) -> None:
    git = bench.control.git
    for data in (b"", b"text\n", b"\0\xff" * 5_000):
        assert bench.control.write_blob(data) == git.run("hash-object", "--stdin", input=data).out.decode().strip()
        assert bench.control.read_blob(bench.control.write_blob(data)) == data


def test_a_missing_object_is_named(bench: Bench) -> None:
    with pytest.raises(MissingObjectError, match="1" * 40):
        bench.control.read_blob("1" * 40)
    with pytest.raises(MissingObjectError):
        bench.control.read_blob(bench.base)


@pytest.mark.parametrize("name", ["nothing\ncontents {0}", "{0}\n", "x y", "", "x\0y", "\ud800"])
def test_a_name_that_is_none_shifts_no_answers(bench: Bench, name: str) -> None:
    objects = bench.control.objects
    good, other = objects.write("blob", b"good"), objects.write("blob", b"other")
    assert objects.find(name.format(other)) is None
    assert objects.read(good, "blob") == b"good"


@pytest.mark.parametrize("answer", ["{0} blob 4\\ngo", "{0} blob 4", "{0} blob 4\\n", "{0}"])
def test_of_a_process_that_ends_in_the_middle_of_an_object_no_half_is_taken(bench: Bench, answer: str) -> None:
    objects = bench.control.objects
    good = objects.write("blob", b"good")
    objects.close()
    command = ["sh", "-c", f"read x; printf '{answer.format(good)}'"]
    objects._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert objects.read(good, "blob") == b"good"


def test_reading_survives_the_end_of_the_lasting_process(bench: Bench) -> None:
    assert bench.control.objects.find(bench.base)
    bench.control.close()
    assert bench.control.objects.size(bench.base) > 0


def test_a_message_cannot_forge_trailers(bench: Bench) -> None:
    control = bench.control
    one = bench.commit(bench.base, {"a": b"1"}, "mine\n\nUET-Run: r1\nUET-Workstream: ws-x\nUET-Attempt: 1")
    trailers = {"UET-Run": "r1", "UET-Workstream": "ws-a\nUET-Workstream: ws-x", "UET-Attempt": "1"}
    merge = control.commit_tree(control.tree_of(one), (bench.base, one), "Merge\n\nUET-Workstream: ws-x", trailers)
    control.update_refs([(REF, merge, ABSENT)])
    (step,) = steps(control, merge, bench.base)
    assert step.merged == (("ws-a UET-Workstream: ws-x", 1),)


def test_recovery_finds_what_was_merged_and_nothing_that_an_agent_wrote(bench: Bench) -> None:
    control, tip, found = bench.control, bench.base, []
    for number, names in enumerate((("ws-a",), ("ws-b", "ws-c"), ("ws-d",)), start=1):
        forged = f"forged\n\nUET-Run: r1\nUET-Workstream: ws-z\nUET-Attempt: {number}"
        results = [bench.commit(bench.base, {name: b"x"}, forged) for name in names]
        merged = tuple((name, number) for name in names)
        trailers = [(RUN, "r1"), *merge_trailers(merged)]
        tip = control.commit_tree(control.tree_of(results[0]), (tip, *results), "Merge", trailers)
        found.append((tip, "r1", merged))
    assert [(step.commit, step.run, step.merged) for step in reversed(steps(control, tip, bench.base))] == found
    assert [step.merged for step in steps(control, tip, found[0][0])] == [(("ws-d", 3),), (("ws-b", 2), ("ws-c", 2))]
    with pytest.raises(UetError, match="does not come from"):
        steps(control, found[0][0], tip)


def test_of_a_batch_only_those_who_changed_a_file_are_named(bench: Bench) -> None:
    control = bench.control
    results = [bench.commit(bench.base, {name: b"x"}) for name in ("one", "two")]
    tree = control.tree_with(control.tree_of(results[0]), {"two": control.entry(control.tree_of(results[1]), "two")})
    trailers = [(RUN, "r1"), *merge_trailers([("ws-a", 1), ("ws-b", 1)])]
    tip = control.commit_tree(tree, (bench.base, *results), "Merge", trailers)
    assert merges_touching(control, bench.base, tip, ["two"]) == ("ws-b",)
    assert merges_touching(control, bench.base, tip, ["one", "two"]) == ("ws-a", "ws-b")
    assert merges_touching(control, bench.base, tip, ["three"]) == ()


def test_who_changed_what_lies_below_a_path_is_named_for_it(bench: Bench) -> None:
    control = bench.control
    result = bench.commit(bench.base, {"folder/below": b"x", "folderly": b"x"})
    trailers = [(RUN, "r1"), *merge_trailers([("ws-a", 1)])]
    tip = control.commit_tree(control.tree_of(result), (bench.base, result), "Merge", trailers)
    assert merges_touching(control, bench.base, tip, ["folder"]) == ("ws-a",)
    assert merges_touching(control, bench.base, tip, ["fold"]) == ()
