"""Commands reach the orchestrator whole, in order and at once; rubbish in the inbox stops nothing."""

import os
import select
import stat
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import few
from tests.support.wait import until
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.errors import RunLockedError, UetError
from uet_tui.store import inbox
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import RunPaths


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    (tmp_path / "run-1").mkdir()
    return RunPaths(tmp_path / "run-1")


def command(id: str = "k1", **more: object) -> Command:
    about = {"id": id, "verb": Verb.SCALE, "number": 2, "by": "ada", "source": "cli:1", "at": datetime.now(UTC)}
    return Command.model_validate({**about, **more})


def named(id: str, nanoseconds: int = 5) -> str:
    return f"{nanoseconds:020d}-{id}.json"


def listing(paths: RunPaths) -> list[str]:
    return sorted(path.name for path in paths.inbox.iterdir() if not path.is_dir())


def test_commands_come_oldest_first_and_stay_until_they_are_answered(paths: RunPaths) -> None:
    assert inbox.take(paths) == ()
    sent = [command("z"), command("a", verb=Verb.EDIT, content="naïve\n\x1b\u202e"), command("m")]
    for each in sent:
        inbox.submit(paths, each)
    assert inbox.take(paths) == inbox.take(paths) == tuple(sent)
    inbox.answer(paths, Answer(id="a", ok=True, message="done"))
    assert inbox.take(paths) == (sent[0], sent[2])


def test_the_answer_reaches_who_asked_and_is_gone_from_the_inbox(paths: RunPaths) -> None:
    inbox.submit(paths, command("k1"))
    inbox.submit(paths, command("k2"))
    for id in ("k2", "k1"):
        inbox.answer(paths, Answer(id=id, ok=id == "k1", message=f"this is {id}"))
    assert inbox.wait(paths, "k1", 5) == Answer(id="k1", ok=True, message="this is k1")
    assert inbox.wait(paths, "k2", 5) == Answer(id="k2", ok=False, message="this is k2")
    assert listing(paths) == []


def test_waiting_ends_in_time_and_leaves_the_command(paths: RunPaths) -> None:
    inbox.submit(paths, command())
    begin = time.monotonic()
    assert inbox.wait(paths, "k1", 0.1) is None
    assert time.monotonic() - begin >= 0.1
    assert inbox.take(paths)


def test_an_answer_that_comes_while_one_waits_ends_the_waiting(paths: RunPaths) -> None:
    inbox.submit(paths, command())
    got: list[Answer | None] = []
    waiting = threading.Thread(target=lambda: got.append(inbox.wait(paths, "k1", 3_600)), daemon=True)
    waiting.start()
    inbox.answer(paths, Answer(id="k1", ok=True, message="done"))
    waiting.join(10)
    assert got == [Answer(id="k1", ok=True, message="done")]


def test_what_is_in_the_inbox_is_private(paths: RunPaths) -> None:
    before = os.umask(0)
    try:
        inbox.submit(paths, command())
        inbox.answer(paths, Answer(id="k2", ok=True, message=""))
        os.close(inbox.open_wake(paths))
    finally:
        os.umask(before)
    assert stat.S_IMODE(paths.inbox.stat().st_mode) == 0o700
    files = [*paths.inbox.iterdir(), paths.wake]
    assert len(files) == 3
    assert {stat.S_IMODE(path.lstat().st_mode) for path in files} == {0o600}


def test_nothing_is_sent_to_a_run_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UetError, match="cannot reach the run"):
        inbox.submit(RunPaths(tmp_path / "none"), command())
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("id", ["", "../../x", "a/b", "a b", "x" * 65, ".x", "a.answer", "\x1b[2J"])
def test_an_id_that_is_no_file_name_is_refused(paths: RunPaths, id: str) -> None:
    with pytest.raises(UetError, match="letters, digits"):
        inbox.submit(paths, command(id))
    assert not paths.inbox.exists()


def test_a_command_that_is_too_large_is_refused_where_it_is_made(paths: RunPaths) -> None:
    with pytest.raises(UetError, match="too large"):
        inbox.submit(paths, command(content="x" * 9_000_000))


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(9_000_000_000)


def other_command(path: Path) -> None:
    path.write_text(command("somebody-else").model_dump_json())


def link_to_a_command(path: Path) -> None:
    target = path.parent.parent / "outside.json"
    target.write_text(command("k1").model_dump_json())
    path.symlink_to(target)


RUBBISH = {
    "no JSON": lambda path: path.write_bytes(b"{"),
    "nothing": Path.touch,
    "half a command": lambda path: path.write_text(command("k1").model_dump_json()[:40]),
    "other JSON": lambda path: path.write_text("[1, 2]"),
    "an unknown act": lambda path: path.write_text(command("k1").model_dump_json().replace("scale", "explode")),
    "unknown fields": lambda path: path.write_text(command("k1").model_dump_json()[:-1] + ', "x": 1}'),
    "money that is not a number": lambda path: path.write_text(
        command("k1").model_dump_json().replace('"amount":null', '"amount":NaN')
    ),
    "deep nesting": lambda path: path.write_text("[" * 100_000),
    "a huge number": lambda path: path.write_text('{"number": ' + "9" * 10_000 + "}"),
    "broken UTF-8": lambda path: path.write_bytes(b'{"id": "\xff"}'),
    "a lone surrogate": lambda path: path.write_text(
        command("k1").model_dump_json().replace('"note":""', '"note":"\\ud800"')
    ),
    "another's id": other_command,
    "more than memory": huge,
    "a link": link_to_a_command,
    "a FIFO": os.mkfifo,
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("make", RUBBISH.values(), ids=[*RUBBISH])
def test_rubbish_is_refused_once_moved_aside_and_stops_nothing(paths: RunPaths, make) -> None:
    paths.inbox.mkdir()
    make(paths.inbox / named("k1"))
    good = command("good")
    inbox.submit(paths, good)
    refusal, other = inbox.take(paths)
    assert isinstance(refusal, Answer) and (refusal.id, refusal.ok) == ("k1", False)
    assert refusal.message.startswith(f"refused {named('k1')} in the inbox: ")
    assert other == good
    assert inbox.wait(paths, "k1", 1) == refusal  # whoever sent it is told
    assert inbox.take(paths) == (good,)
    assert [path.name[9:] for path in (paths.inbox / "rejected").iterdir()] == [named("k1")]


@pytest.mark.parametrize(
    "name", ["x", "k1.json", "5-k1.json", f"{'x' * 240}.json", "a\nb\x1b[2J", b"\xff\xfe", "core", "..json"]
)
def test_files_that_are_no_commands_are_moved_aside(paths: RunPaths, name: str | bytes) -> None:
    paths.inbox.mkdir()
    with open(os.path.join(os.fsencode(paths.inbox), os.fsencode(name)), "wb"):  # noqa: PTH118, PTH123 - names in bytes
        pass
    taken = inbox.take(paths)
    if os.fsencode(name).startswith(b"."):
        assert taken == ()  # hidden files are those being written
        return
    (refusal,) = taken
    assert isinstance(refusal, Answer) and refusal.id == "" and "\x1b" not in refusal.message
    inbox.answer(paths, refusal)  # nobody to tell
    assert inbox.take(paths) == ()
    assert listing(paths) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_another_users_file_is_refused(paths: RunPaths) -> None:
    paths.inbox.mkdir()
    file = paths.inbox / named("k1")
    file.write_text(command("k1").model_dump_json())
    os.chown(file, 65534, 65534)
    (refusal,) = inbox.take(paths)
    assert isinstance(refusal, Answer) and "another user" in refusal.message


def test_what_cannot_be_moved_aside_is_no_reason_to_stop(paths: RunPaths) -> None:
    paths.inbox.mkdir()
    (paths.inbox / "rejected").touch()
    (paths.inbox / named("k1")).write_text("{")
    inbox.submit(paths, command("good"))
    for _ in range(2):
        refusal, good = inbox.take(paths)
        assert isinstance(refusal, Answer) and isinstance(good, Command)


@pytest.mark.fuzz
@settings(max_examples=few(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.lists(
        st.tuples(
            st.sampled_from([named("k1"), named("k2", 9), "k1.answer.json", "rubbish", "rejected", ".hidden", ".json"])
            | st.binary(min_size=1, max_size=50).filter(
                lambda name: not set(name) & {0, 47} and name not in (b".", b"..")
            ),
            st.binary(max_size=200)
            | st.recursive(
                st.none() | st.text(max_size=5) | st.floats(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
            ).map(lambda value: str(value).encode("utf-8", "replace"))
            | st.just(command("k1").model_dump_json().encode()),
        ),
        max_size=6,
    )
)
def test_nothing_that_lies_in_the_inbox_makes_taking_fail(
    paths: RunPaths, files: list[tuple[str | bytes, bytes]]
) -> None:
    paths.inbox.mkdir(exist_ok=True)
    for name, data in files:
        place = os.path.join(os.fsencode(paths.inbox), os.fsencode(name))  # noqa: PTH118 - names in bytes
        if not os.path.isdir(place):  # noqa: PTH112 - as above
            with open(place, "wb") as file:  # noqa: PTH123 - as above
                file.write(data)
    for item in inbox.take(paths):
        assert isinstance(item, Command) or not item.ok
        inbox.answer(paths, item if isinstance(item, Answer) else Answer(id=item.id, ok=True, message=""))
    assert not [item for item in inbox.take(paths) if isinstance(item, Command)]


def test_a_command_wakes_the_orchestrator_at_once(paths: RunPaths) -> None:
    wake = inbox.open_wake(paths)
    try:
        assert select.select([wake], [], [], 0)[0] == []
        inbox.submit(paths, command())
        assert select.select([wake], [], [], 5)[0] == [wake]
        assert os.read(wake, 4096) == b"\n"
        with pytest.raises(BlockingIOError):  # and no end of file, though the sender is gone
            os.read(wake, 4096)
    finally:
        os.close(wake)


def test_waking_never_waits_and_never_fails(paths: RunPaths) -> None:
    inbox.poke(paths)  # no FIFO
    os.close(inbox.open_wake(paths))
    inbox.poke(paths)  # nobody listens
    wake = inbox.open_wake(paths)
    try:
        for _ in range(70_000):  # more than a FIFO holds
            inbox.poke(paths)
    finally:
        os.close(wake)


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")], ids=["file", "link"])
def test_what_is_in_the_place_of_the_fifo_is_not_written_but_replaced(paths: RunPaths, make) -> None:
    make(paths.wake)
    inbox.poke(paths)
    assert paths.wake.is_symlink() or paths.wake.read_bytes() == b""
    wake = inbox.open_wake(paths)
    inbox.poke(paths)
    until(lambda: os.read(wake, 10) == b"\n", 5)
    os.close(wake)


def test_a_command_is_carried_out_here_if_the_orchestrator_goes_without_taking_it(paths: RunPaths) -> None:
    lock = RunLock.acquire(paths)
    done: list[Answer | None] = []

    def here(command: Command) -> Answer:
        return Answer(id=command.id, ok=True, message=f"here, with {len(inbox.take(paths))} in the inbox")

    thread = threading.Thread(target=lambda: done.append(inbox.deliver(paths, command(), 30, here)))
    thread.start()
    until(lambda: inbox.take(paths), 5, "the command to wait in the inbox")
    lock.release()
    thread.join(5)
    assert done == [Answer(id="k1", ok=True, message="here, with 1 in the inbox")]


def test_a_command_goes_to_the_orchestrator_that_came_in_between(paths: RunPaths) -> None:
    locks: list[RunLock] = []

    def too_late(command: Command) -> Answer:
        locks.append(RunLock.acquire(paths))
        paths.inbox.mkdir()
        inbox.answer(paths, Answer(id=command.id, ok=True, message="from the orchestrator"))
        raise RunLockedError("somebody has it")

    assert inbox.deliver(paths, command(), 5, too_late) == Answer(id="k1", ok=True, message="from the orchestrator")
    locks[0].release()


def test_a_command_that_nobody_answers_in_time_stays_where_it_is(paths: RunPaths) -> None:
    def never(command: Command) -> Answer:
        raise AssertionError("somebody has the run")

    asked = command()
    with RunLock.acquire(paths):
        assert inbox.deliver(paths, asked, 0.01, never) is None
    assert inbox.take(paths) == (asked,)


def test_nothing_is_left_of_a_command_whose_orchestrator_was_killed_as_it_answered(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "withdraw", lambda *_: None)

    def half() -> None:
        until(lambda: inbox.take(paths), 10, "the command")
        inbox.answer(paths, Answer(id="k1", ok=True, message="done"))

    def wait(*about: object) -> Answer | None:
        half()
        monkeypatch.undo()
        return inbox.wait(*about)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "wait", wait)
    with RunLock.acquire(paths):
        answer = inbox.deliver(paths, command("k1"), 10, lambda _: pytest.fail("somebody has the run"))
    assert answer == Answer(id="k1", ok=True, message="done")
    assert listing(paths) == []


def test_nothing_is_left_of_a_command_that_was_sent_and_is_then_carried_out_here(paths: RunPaths) -> None:
    def carry_out(sent: Command) -> Answer:
        inbox.answer(paths, Answer(id=sent.id, ok=True, message="in the inbox"))
        return Answer(id=sent.id, ok=True, message="here")

    inbox.submit(paths, command("k1"))
    answer = inbox.deliver(paths, command("k1"), 10, carry_out)
    assert answer == Answer(id="k1", ok=True, message="here")
    assert listing(paths) == []
