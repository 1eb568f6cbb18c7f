"""Finding the operator's repository, and leaving it as it is."""

import subprocess
from pathlib import Path

import pytest

from tests.support.repository import Repository
from uet_tui.errors import UetError
from uet_tui.workspace import operator as module
from uet_tui.workspace.git import check_version
from uet_tui.workspace.operator import OperatorRepository, Worktree


def test_a_repository_is_found_from_any_folder_in_it(repository: Repository) -> None:
    found = OperatorRepository.discover(repository.path / "src")
    assert found == OperatorRepository(
        root=repository.path,
        git_dir=repository.path / ".git",
        common_dir=repository.path / ".git",
        head=repository.head,
        branch="main",
        object_format="sha1",
        shallow=False,
    )
    assert found.name == "repository"


def test_a_detached_head_has_no_branch(repository: Repository) -> None:
    repository.git("checkout", "-q", "--detach")
    found = OperatorRepository.discover(repository.path)
    assert (found.branch, found.head) == (None, repository.head)


def test_a_branch_with_slashes_keeps_its_name(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "feature/heads/x")
    assert OperatorRepository.discover(repository.path).branch == "feature/heads/x"


def test_a_linked_worktree_is_a_repository_like_any(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    found = OperatorRepository.discover(tmp_path / "linked")
    assert found.root == tmp_path / "linked"
    assert found.common_dir == repository.path / ".git"
    assert found.git_dir == repository.path / ".git/worktrees/linked"
    assert found.branch == "side"


def test_a_shallow_clone_is_known_as_such(repository: Repository, tmp_path: Path) -> None:
    repository.write("more.txt", "more\n")
    repository.commit("More")
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", f"file://{repository.path}", str(tmp_path / "clone")], check=True
    )
    assert OperatorRepository.discover(tmp_path / "clone").shallow


def test_outside_of_a_repository_one_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UetError, match=r"is not in a git repository: .*git init"):
        OperatorRepository.discover(tmp_path)


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(UetError, match="gone is not a folder"):
        OperatorRepository.discover(tmp_path / "gone")


def test_a_bare_repository_is_refused(repository: Repository, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--bare", str(repository.path), str(tmp_path / "bare.git")], check=True)
    with pytest.raises(UetError, match=r"bare\.git is a bare repository"):
        OperatorRepository.discover(tmp_path / "bare.git")


def test_the_inside_of_a_git_directory_is_refused(repository: Repository) -> None:
    with pytest.raises(UetError, match="inside a git directory"):
        OperatorRepository.discover(repository.path / ".git" / "refs")


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(UetError, match="has no commit yet"):
        OperatorRepository.discover(tmp_path)


def test_an_old_git_is_refused_before_anything_else(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "check_version", lambda: check_version("git version 2.30.2"))
    with pytest.raises(UetError, match=r"git version 2\.30\.2 is too old"):
        OperatorRepository.discover(repository.path)


@pytest.mark.parametrize("before", [None, b"", b"*.log\n", b"*.log"])
def test_the_folder_of_uet_is_excluded_once_and_what_was_there_stays(
    repository: Repository, before: bytes | None
) -> None:
    exclude = repository.path / ".git/info/exclude"
    if before is None:
        exclude.unlink()
    else:
        exclude.write_bytes(before)
    found = OperatorRepository.discover(repository.path)
    found.exclude_uet()
    found.exclude_uet()
    assert exclude.read_bytes() == (before + b"\n" if before == b"*.log" else before or b"") + b"/.uet/\n"
    repository.write(".uet/uet.db", "x")
    assert repository.git("status", "--porcelain") == ""


def test_a_linked_worktree_excludes_in_the_shared_directory(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    OperatorRepository.discover(tmp_path / "linked").exclude_uet()
    linked = Repository(tmp_path / "linked")
    linked.write(".uet/uet.db", "x")
    assert linked.git("status", "--porcelain") == ""


def test_the_operators_own_ignore_patterns_are_all_found(repository: Repository, clean_home: Path) -> None:
    (repository.path / ".git/info/exclude").write_text("*.mine\n")
    default = clean_home / ".config/git/ignore"
    default.parent.mkdir(parents=True)
    default.write_text("*.global\n")
    found = OperatorRepository.discover(repository.path)
    assert {b"*.mine", b"*.global"} <= set(found.ignored().splitlines())
    (clean_home / "named").write_text("*.named\n")
    repository.git("config", "core.excludesFile", "~/named")
    assert set(found.ignored().splitlines()) - {b""} == {b"*.mine", b"*.named"}


def test_every_checkout_is_listed_with_the_branch_that_is_in_use_there(repository: Repository, tmp_path: Path) -> None:
    base = repository.head
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = Repository(tmp_path / "linked")
    linked.write("README.md", "theirs\n")
    linked.commit("Theirs")
    repository.write("README.md", "ours\n")
    repository.commit("Ours")
    repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "detached"), base)
    linked.git("rebase", "-q", "main", check=False)
    listed = OperatorRepository.discover(repository.path).worktrees()
    assert set(listed) == {
        Worktree(repository.path, "main"),
        Worktree(tmp_path / "linked", "side", busy=True),
        Worktree(tmp_path / "detached", None),
    }


def test_staged_and_unstaged_changes_are_dirt_and_untracked_files_are_not(repository: Repository) -> None:
    found = OperatorRepository.discover(repository.path)
    repository.write("new.txt", "x")
    assert found.dirty() == ()
    repository.write("README.md", "changed\n")
    repository.write("src/app.py", "changed\n")
    repository.git("add", "src/app.py")
    assert set(found.dirty()) == {"README.md", "src/app.py"}
