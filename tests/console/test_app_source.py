"""The source that the console really has: a run in its store, steered through its inbox."""

import fcntl
import threading
from pathlib import Path

import pytest

from tests.support.wait import until
from uet_tui.console.source import StoreSource
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.errors import UetError
from uet_tui.store import inbox
from uet_tui.store.paths import Home


class NoReader:
    """Stands where the store's reader would be: commands do not read."""

    def __init__(self, _database: Path) -> None: ...


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("uet_tui.console.source.Reader", NoReader)
    home = Home(tmp_path / ".uet")
    home.run("7f3a").inbox.mkdir(parents=True)
    return home


def test_without_an_orchestrator_a_command_is_refused_with_what_to_do(home: Home) -> None:
    answer = StoreSource(home, "7f3a", "ada").send(Verb.PAUSE)
    assert not answer.ok
    assert "`uet resume 7f3a`" in answer.message


def test_without_an_orchestrator_a_command_is_carried_out_at_once_if_it_can_be(home: Home) -> None:
    done: list[Command] = []

    def carry_out(command: Command) -> Answer:
        done.append(command)
        return Answer(id=command.id, ok=True, message="landed")

    answer = StoreSource(home, "7f3a", "ada", carry_out).send(Verb.LAND)
    assert (answer.ok, answer.message) == (True, "landed")
    assert [(c.verb, c.by, c.source.split(":")[0]) for c in done] == [(Verb.LAND, "ada", "console")]


def test_what_cannot_be_carried_out_is_a_refusal_not_an_error(home: Home) -> None:
    def carry_out(command: Command) -> Answer:
        raise UetError("main is checked out and not clean")

    answer = StoreSource(home, "7f3a", "ada", carry_out).send(Verb.LAND)
    assert (answer.ok, answer.message) == (False, "main is checked out and not clean")


def test_a_command_that_makes_no_sense_is_refused_before_it_is_sent(home: Home) -> None:
    answer = StoreSource(home, "7f3a", "ada").send(Verb.SCALE, number=0)
    assert not answer.ok
    assert "greater than or equal to 1" in answer.message


def test_an_orchestrator_gets_the_command_and_its_answer_comes_back(home: Home) -> None:
    paths = home.run("7f3a")
    answers: list[Answer] = []
    with paths.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source = StoreSource(home, "7f3a", "ada")
        sending = threading.Thread(target=lambda: answers.append(source.send(Verb.DRAIN, worker=3)))
        sending.start()
        command = until(lambda: inbox.take(paths), 5, "the command")[0]
        assert isinstance(command, Command)
        assert (command.verb, command.worker) == (Verb.DRAIN, 3)
        inbox.answer(paths, Answer(id=command.id, ok=True, message="worker 3 drains"))
        sending.join(5)
    assert [answer.message for answer in answers] == ["worker 3 drains"]
