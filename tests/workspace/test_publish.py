"""Publishing: objects and refs in the operator's repository, and nothing else of it."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.repository import Repository
from tests.workspace.bench import Bench
from uet_tui.workspace import publish

REF = "refs/heads/uet/r1"


def test_what_is_published_is_whole_and_readable_without_the_control_repository(bench: Bench) -> None:
    work = bench.commit(bench.base, {"deep/er/a.txt": b"a\n"})
    tip = bench.control.commit_tree(bench.control.tree_of(work), (bench.base, work), "Merge")
    assert bench.control.publish({REF: tip, "refs/uet/r1/ws-a": work}) == ()
    shutil.rmtree(bench.control.path)
    assert bench.repository.git("show", "uet/r1:deep/er/a.txt") == "a"
    assert bench.repository.git("rev-parse", "refs/uet/r1/ws-a") == work
    bench.repository.git("fsck", "--strict", "--full")


def test_publishing_again_and_backwards_just_sets_the_refs(bench: Bench) -> None:
    one = bench.commit(bench.base, {"a": b"1"})
    two = bench.commit(one, {"a": b"2"})
    for commit in (two, two, one):
        bench.control.publish({REF: commit})
        assert bench.repository.git("rev-parse", REF) == commit


def test_it_goes_on_after_the_operators_gc_packed_everything(bench: Bench) -> None:
    one = bench.commit(bench.base, {"a": b"1"})
    bench.control.publish({REF: one})
    bench.repository.git("gc", "-q", "--prune=now")
    two = bench.commit(one, {"b": b"2"})
    bench.control.publish({REF: two})
    shutil.rmtree(bench.control.path)
    bench.repository.git("fsck", "--strict", "--full")
    assert bench.repository.git("show", "uet/r1:b") == "2"


@pytest.mark.parametrize("survivors", range(6))
def test_killed_at_any_instant_it_leaves_nothing_half(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, survivors: int
) -> None:
    work = bench.commit(bench.base, {"x/y/a": b"a", "x/b": b"b"})
    real, left = publish._link, survivors

    def link(here: Path, there: Path) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        real(here, there)

    monkeypatch.setattr(publish, "_link", link)
    with pytest.raises(KeyboardInterrupt):
        bench.control.publish({REF: work})
    said = bench.repository.git("fsck", "--strict", "--full", "--unreachable")
    assert "missing" not in said and "broken" not in said
    monkeypatch.setattr(publish, "_link", real)
    bench.control.publish({REF: work})
    shutil.rmtree(bench.control.path)
    bench.repository.git("fsck", "--strict", "--full")


def test_without_hard_links_the_objects_are_copied(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    work = bench.commit(bench.base, {"a": b"a"})
    bench.control.publish({REF: work})
    shutil.rmtree(bench.control.path)
    bench.repository.git("fsck", "--strict", "--full")
    assert not list((bench.repository.path / ".git/objects").rglob("tmp_obj_*"))


def test_files_so_large_that_git_packs_them_arrive_too(bench: Bench) -> None:
    bench.control.git.run("config", "core.bigFileThreshold", "1k")
    sandbox = bench.sandbox()
    sandbox.reset(bench.base)
    content = os.urandom(20_000)
    (sandbox.folder / "big.bin").write_bytes(content)
    commit = sandbox.snapshot(bench.base, "big").commit
    assert commit and list(bench.control.path.glob("objects/pack/*.pack"))
    bench.control.publish({REF: commit})
    shutil.rmtree(bench.control.path)
    bench.repository.git("fsck", "--strict", "--full")


def test_a_branch_that_the_operator_looks_at_is_not_moved_under_them(bench: Bench, tmp_path: Path) -> None:
    one = bench.commit(bench.base, {"a": b"1"})
    two = bench.commit(one, {"a": b"2"})
    bench.control.publish({REF: one})
    bench.repository.git("worktree", "add", "-q", str(tmp_path / "look"), "uet/r1")
    assert bench.control.publish({REF: two, "refs/uet/r1/ws-a": two}) == (REF,)
    assert bench.repository.git("rev-parse", REF, "refs/uet/r1/ws-a").split() == [one, two]
    assert Repository(tmp_path / "look").git("status", "--porcelain") == ""
    assert bench.control.publish({REF: one}) == ()


def test_a_linked_worktree_publishes_to_the_shared_repository(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    bench = Bench.over(Repository(tmp_path / "linked"))
    with bench.control:
        work = bench.commit(bench.base, {"a": b"a"})
        bench.control.publish({REF: work})
    assert repository.git("rev-parse", REF) == work
