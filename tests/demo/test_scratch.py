"""Where the scratch repository may be made, and that nobody's git configuration is in its way."""

import shutil
from pathlib import Path

import pytest

from tests.support.repository import Repository
from uet_tui.demo import scratch
from uet_tui.demo.scratch import make_scratch
from uet_tui.errors import UetError


def test_a_new_folder_gets_a_clean_repository_with_one_commit_on_main(tmp_path: Path) -> None:
    root = make_scratch(tmp_path / "new" / "demo")
    repository = Repository(root)
    assert root == tmp_path / "new" / "demo"
    assert repository.git("status", "--porcelain", "--branch") == "## main"
    assert repository.git("log", "--format=%s") == "Begin"
    tracked = repository.git("ls-files").splitlines()
    assert {"README.md", "ledger/invoice.py", "config/uet.yaml", "workstreams/4-list.jsonc"} <= set(tracked)
    assert not [name for name in tracked if "__pycache__" in name]


def test_an_empty_folder_is_as_good_as_a_new_one(tmp_path: Path) -> None:
    assert (make_scratch(tmp_path) / "ledger").is_dir()


def test_without_a_folder_each_demo_has_a_temporary_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first, second = make_scratch(), make_scratch()
    assert first != second
    assert {first.parent, second.parent} == {tmp_path}


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UetError, match=r"is not empty: name a new folder, or none for a temporary one") as refused:
        make_scratch(tmp_path)
    assert "\n" not in str(refused.value) and str(tmp_path) in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for folder in (file, file / "demo"):
        with pytest.raises(UetError, match=f"cannot make the demo in {folder}: "):
            make_scratch(folder)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("there", [False, True], ids=["new", "empty"])
def test_nothing_half_made_is_left_where_git_would_not(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, message: str) -> None:
        raise UetError("git is too old")

    monkeypatch.setattr(scratch, "found_repository", refuse)
    folder = tmp_path / "a" / "demo"
    if there:
        folder.mkdir(parents=True)
    with pytest.raises(UetError, match="git is too old"):
        make_scratch(folder)
    assert [path.name for path in tmp_path.rglob("*")] == (["a", "demo"] if there else [])


def test_the_operators_git_configuration_is_in_nobodys_way(clean_home: Path, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    for name in ("pre-commit", "commit-msg", "post-checkout"):
        hook = hooks / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    (tmp_path / "ignore").write_text("*.json\n*.yaml\n")
    (clean_home / ".gitconfig").write_text(
        f"""
        [user]
            useConfigOnly = true
        [init]
            defaultBranch = trunk
            templateDir = /nowhere
        [commit]
            gpgSign = true
            template = /nowhere
        [core]
            hooksPath = {hooks}
            excludesFile = {tmp_path / "ignore"}
            autocrlf = input
        """
    )
    root = make_scratch(tmp_path / "demo")
    assert Repository(root).git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert "data/invoices.json" in Repository(root).git("ls-files").splitlines()


def test_gates_use_this_programs_interpreter_where_there_is_no_python3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = shutil.which("git")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(str(git))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("sys.executable", "/opt/my python/bin/python")
    text = (make_scratch(tmp_path / "demo") / "config" / "gates.yaml").read_text()
    assert "\"'/opt/my python/bin/python' -m unittest -q\"" in text
    assert "python3" not in text
