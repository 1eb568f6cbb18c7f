"""What a ref or a record names is on disk before it is named, so that after a power loss the store is never ahead."""

import os
from pathlib import Path

import pytest

from tests.support.repository import Repository
from uet_tui.core.conflicts import Entry
from uet_tui.workspace.control import ABSENT, ControlRepository
from uet_tui.workspace.git import Git, Trust
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.refs import RefWriter


def test_objects_are_synced_before_the_ref_that_names_them_moves(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    asked: list[set[str]] = []
    fsync, update = os.fsync, RefWriter.update

    def watched(descriptor: int) -> None:
        synced.add(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    def updating(self: RefWriter, *args: object) -> None:
        asked.append(set(synced))
        update(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", watched)
    monkeypatch.setattr(RefWriter, "update", updating)
    operator = OperatorRepository.discover(repository.path)
    with ControlRepository.open_or_create(tmp_path / "control.git", operator) as control:
        blob = control.write_blob(b"new\n")
        tree = control.tree_with(control.tree_of(operator.head), {"deep/new": Entry("100644", blob)})
        commit = control.commit_tree(tree, (operator.head,), "new")
        control.update_refs([("refs/heads/uet/run", commit, ABSENT)])
        ours = {str(path) for path in (control.path / "objects").rglob("*") if len(path.name) == 38}
    assert len(ours) == 4
    assert ours <= asked[0]
    assert {str(Path(path).parent) for path in ours} <= asked[0], "their names, too"


def test_git_itself_syncs_what_it_writes_for_us_and_nothing_else_of_the_operators(repository: Repository) -> None:
    ours = Git(repository.path, trust=Trust.OURS).run("config", "core.fsync")
    assert ours.out == b"committed,reference\n"
    for trust in (Trust.READ, Trust.OPERATOR):
        assert Git(repository.path, trust=trust).run("config", "core.fsync", ok=(1,)).out == b""
