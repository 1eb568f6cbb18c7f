"""The wrapper around git."""

import os
from pathlib import Path

import pytest

from tests.support.repository import Repository
from uet_tui.errors import UetError
from uet_tui.workspace.git import Git, GitError, Trust, check_version, find_git


@pytest.mark.parametrize(
    "text", ["git version 2.38.0", "git version 2.39.5 (Apple Git-154)", "git version 3.0.1.windows.1"]
)
def test_a_git_that_can_merge_in_memory_is_accepted(text: str) -> None:
    check_version(text)


@pytest.mark.parametrize("text", ["git version 2.37.9", "git version 1.9", "hub version", ""])
def test_an_older_git_is_refused_with_the_version_that_is_needed(text: str) -> None:
    with pytest.raises(UetError, match=r"needs git 2\.38"):
        check_version(text)


def test_the_installed_git_is_new_enough() -> None:
    check_version()


def test_a_missing_git_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find_git.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    try:
        with pytest.raises(UetError, match="install git"):
            find_git()
    finally:
        find_git.cache_clear()


def test_a_failure_names_the_command_the_code_and_harmless_words(repository: Repository) -> None:
    with pytest.raises(GitError) as caught:
        Git(repository.path).run("rev-parse", "--verify", "no\x1b]52;c;eA==\x07such")
    assert "git rev-parse" in str(caught.value)
    assert "ended with 128" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert caught.value.code == 128


def test_git_variables_of_the_operator_do_not_reach_git(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.head
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.bare")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    said = Git(repository.path).run("rev-parse", "--is-bare-repository", "HEAD").out.split()
    assert said == [b"false", head.encode()]


def test_the_operators_own_configuration_is_read_only_where_it_is_theirs(repository: Repository) -> None:
    Path(os.environ["HOME"], ".gitconfig").write_text("[uet]\n\tseen = yes\n")
    asked = ("config", "--get", "uet.seen")
    assert Git(repository.path).run(*asked, ok=(0, 1)).code == 1
    assert Git(repository.path, trust=Trust.READ).run(*asked).out == b"yes\n"


def test_output_is_cut_and_the_rest_is_never_made(repository: Repository) -> None:
    repository.write("big.txt", "line\n" * 200_000)
    repository.commit("Add much")
    out, more = Git(repository.path).first(1_000, "cat-file", "blob", "HEAD:big.txt")
    assert (len(out), more) == (1_000, True)
    assert Git(repository.path).first(1_000, "cat-file", "blob", "HEAD:README.md") == (b"# Sample\n", False)


def test_a_failing_command_fails_when_its_output_is_cut_too(repository: Repository) -> None:
    with pytest.raises(GitError):
        Git(repository.path).first(1_000, "cat-file", "blob", "HEAD:nothing")
