"""Setting refs through a lasting process."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.repository import Repository
from tests.support.wait import until
from uet_tui.workspace.git import Git, GitError
from uet_tui.workspace.refs import RefUpdate, RefWriter


@pytest.fixture
def writer(repository: Repository) -> Iterator[RefWriter]:
    """A writer of the repository's refs."""
    writer = RefWriter(Git(repository.path))
    yield writer
    writer.close()


def test_many_transactions_go_through_one_process(repository: Repository, writer: RefWriter) -> None:
    head = repository.head
    writer.update([RefUpdate("refs/uet/a", head), RefUpdate("refs/uet/b", head)])
    first = writer._process
    for number in range(20):
        writer.update([RefUpdate(f"refs/uet/{number}", head, "0" * 40)])
    assert writer._process is first is not None
    assert len(repository.git("for-each-ref", "refs/uet").splitlines()) == 22


def test_it_knows_commits_that_came_after_it_started(repository: Repository, writer: RefWriter) -> None:
    writer.update([RefUpdate("refs/uet/a", repository.head)])
    later = repository.commit("Later")
    repository.git("gc", "-q")
    writer.update([RefUpdate("refs/uet/a", later)])
    assert repository.git("rev-parse", "refs/uet/a") == later


def test_a_refusal_tells_why_and_the_next_one_works(repository: Repository, writer: RefWriter) -> None:
    head = repository.head
    with pytest.raises(GitError, match="refs/uet/a"):
        writer.update([RefUpdate("refs/uet/b", head), RefUpdate("refs/uet/a", head, "1" * 40)])
    assert repository.git("for-each-ref", "refs/uet") == ""
    writer.update([RefUpdate("refs/uet/a", head)])
    assert repository.git("rev-parse", "refs/uet/a") == head


def test_a_process_that_was_killed_is_replaced(repository: Repository, writer: RefWriter) -> None:
    writer.update([RefUpdate("refs/uet/a", repository.head)])
    process = writer._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: process.poll() is not None, 5, "the end of git")
    writer.update([RefUpdate("refs/uet/b", repository.head)])
    assert len(repository.git("for-each-ref", "refs/uet").splitlines()) == 2


def test_the_operators_interrupt_does_not_reach_git(writer: RefWriter, repository: Repository) -> None:
    writer.update([RefUpdate("refs/uet/a", repository.head)])
    assert writer._process is not None
    assert os.getpgid(writer._process.pid) != os.getpgid(0)
