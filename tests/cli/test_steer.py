import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from tests.cli.scene import RUN, conflict
from uet_tui.core.commands import Answer, Command
from uet_tui.core.conflicts import version
from uet_tui.store import inbox
from uet_tui.store.conflict_text import version_file
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home


class Orchestrator:
    """What answers commands: it has the run's lock and its inbox, and decides nothing."""

    def __init__(self, folder: Path, ok: bool = True) -> None:
        self.paths = Home(folder / ".uet").run(RUN)
        self.ok = ok
        self.commands: list[Command] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self) -> "Orchestrator":
        self._lock = RunLock.acquire(self.paths)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._lock.release()

    def _answer(self) -> None:
        while not self._stop.wait(0.01):
            for command in inbox.take(self.paths):
                assert isinstance(command, Command)
                self.commands.append(command)
                inbox.answer(self.paths, Answer(id=command.id, ok=self.ok, message=f"{command.verb} heard"))


@pytest.fixture
def orchestrator(scene: str, here: Path) -> Iterator[Orchestrator]:
    with Orchestrator(here) as running:
        yield running


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("pause", {"verb": "pause"}),
        ("pause --worker 2", {"verb": "pause", "worker": 2}),
        ("continue", {"verb": "continue"}),
        ("continue --worker 1", {"verb": "continue", "worker": 1}),
        ("drain", {"verb": "drain"}),
        ("drain 2", {"verb": "drain", "worker": 2}),
        ("stop", {"verb": "stop"}),
        ("freeze 2", {"verb": "freeze", "worker": 2}),
        ("thaw 2", {"verb": "thaw", "worker": 2}),
        ("scale 7", {"verb": "scale", "number": 7}),
        ("retry ws-failed --note careful", {"verb": "retry", "workstream": "ws-failed", "note": "careful"}),
        ("skip ws-failed", {"verb": "skip", "workstream": "ws-failed"}),
        ("budget --total 12.5", {"verb": "budget", "amount": 12.5}),
        ("budget --total 9 --reason demo", {"verb": "budget", "amount": 9.0, "note": "demo"}),
        ("budget --per-phase 3", {"verb": "budget", "amount": 3.0, "limit": "phase"}),
        ("budget --per-task 0", {"verb": "budget", "amount": 0.0, "limit": "task"}),
        (
            "budget --total 9 --expires 2100-01-31T18:00:00+00:00",
            {"verb": "budget", "amount": 9.0, "until": "2100-01-31T18:00:00Z"},
        ),
        ("continue --provider openai", {"verb": "continue", "provider": "openai"}),
        ("land", {"verb": "land"}),
        (f"land {RUN} --target release", {"verb": "land", "target": "release"}),
        ("conflicts take c1 --ours", {"verb": "take", "conflict": "c1", "side": "ours", "settle": True}),
        (
            "conflicts take --theirs --file src/app.py --hunk 2",
            {"verb": "take", "conflict": "c1", "side": "theirs", "file": "src/app.py", "hunk": 2, "settle": True},
        ),
        ("conflicts take c1 --both", {"verb": "take", "conflict": "c1", "side": "both", "settle": True}),
        ("conflicts take c1 --proposal", {"verb": "take", "conflict": "c1", "side": "proposal", "settle": True}),
        ("conflicts undo c1 --file src/app.py", {"verb": "undo", "conflict": "c1", "file": "src/app.py"}),
        ("conflicts approve c1", {"verb": "approve", "conflict": "c1"}),
        (
            "conflicts take c1 --both-theirs-first",
            {"verb": "take", "conflict": "c1", "side": "both-theirs-first", "settle": True},
        ),
        ("conflicts again c1 --note shorter", {"verb": "again", "conflict": "c1", "note": "shorter"}),
        ("conflicts defer c1", {"verb": "defer", "conflict": "c1"}),
        ("conflicts redo c1 --note again", {"verb": "redo", "conflict": "c1", "note": "again"}),
        ("conflicts quarantine", {"verb": "quarantine", "conflict": "c1"}),
    ],
)
def test_every_act_reaches_the_orchestrator_with_its_fields_and_no_others(
    uet: Uet, orchestrator: Orchestrator, typed: str, fields: dict[str, object]
) -> None:
    said = uet(*typed.split(), "--json")
    assert said.document == {"run": RUN, "ok": True, "message": f"{fields['verb']} heard"}
    [command] = orchestrator.commands
    sent = command.model_dump(mode="json", exclude_defaults=True)
    assert {key: sent[key] for key in sent.keys() - {"id", "by", "source", "at"}} == fields
    assert command.source.startswith("cli:")


def test_an_override_may_expire_in_so_many_seconds(uet: Uet, orchestrator: Orchestrator) -> None:
    before = datetime.now(UTC)
    uet("budget", "--total", "9", "--expires", "3600")
    [command] = orchestrator.commands
    assert command.until is not None
    assert timedelta(0) <= command.until - before - timedelta(hours=1) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("budget", "takes one of --total, --per-phase and --per-task"),
        ("budget --total 1 --per-task 2", "takes one of --total, --per-phase and --per-task"),
        ("budget --total 1 --expires soon", "--expires takes seconds, or a time such as"),
        ("budget --total 1 --expires nan", "--expires takes more than 0"),
        ("budget --total 1 --expires -5", "--expires takes more than 0"),
        ("budget --total 1 --expires 1e99", "--expires takes more than 0"),
        ("continue --worker 1 --provider openai", "a worker or a provider, not both"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_sent(
    uet: Uet, orchestrator: Orchestrator, typed: str, told: str
) -> None:
    said = uet(*typed.split())
    assert (said.code, orchestrator.commands) == (2, [])
    assert told in said.line


def test_the_answer_is_said_in_one_line(uet: Uet, orchestrator: Orchestrator) -> None:
    assert uet("pause").out == "pause heard\n"


def test_a_refusal_is_an_error_and_a_refused_landing_waits_for_the_operator(uet: Uet, scene: str, here: Path) -> None:
    with Orchestrator(here, ok=False):
        said = uet("skip", "ws-failed")
        assert (said.code, said.line, said.out) == (2, "skip heard", "")
        assert uet("land").code == 4


@pytest.mark.parametrize("typed", ["pause", "continue", "drain", "stop", "scale 2"])
def test_what_needs_an_orchestrator_says_how_to_start_one(uet: Uet, scene: str, typed: str) -> None:
    said = uet(*typed.split())
    assert (said.code, said.out) == (2, "")
    assert f"uet resume {RUN}" in said.line


def test_wrong_names_are_told_before_anything_is_sent(uet: Uet, orchestrator: Orchestrator) -> None:
    assert "did you mean ws-failed?" in uet("retry", "ws-faild").line
    assert "open: c1" in uet("conflicts", "approve", "c7").line
    assert "say which side" in uet("conflicts", "take", "c1").line
    assert "say which side" in uet("conflicts", "take", "c1", "--ours", "--theirs").line
    assert orchestrator.commands == []


@pytest.fixture
def edit_with(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a shell script the operator's editor; `$1` is the file."""

    def use(script: str) -> None:
        program = here / "editor"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("EDITOR", str(program))

    return use


@pytest.fixture
def marked(orchestrator: Orchestrator) -> Path:
    folder = orchestrator.paths.conflict("c1")
    folder.mkdir(parents=True)
    file = folder / "0.txt"
    file.write_bytes(
        b"import os\r\n<<<<<<< ours\r\njobs = 4\r\n||||||| base\r\njobs = 1\r\n"
        b"=======\r\njobs = 8\r\n>>>>>>> theirs\r\n"
    )
    version_file(folder).write_text(version(conflict(0.0).files))
    return file


def test_what_the_editor_makes_of_the_marked_file_is_sent_byte_for_byte(
    uet: Uet, orchestrator: Orchestrator, marked: Path, edit_with: Callable[[str], None]
) -> None:
    before = marked.read_bytes()
    edit_with(
        'case "$1" in */app.py) ;; *) exit 9 ;; esac; grep -q "<<<<<<< ours" "$1" && printf "jobs = 6\\r\\n" > "$1"'
    )
    said = uet("conflicts", "edit", "c1", "--file", "src/app.py")
    assert said.code == 0, said.err
    [command] = orchestrator.commands
    assert (command.conflict, command.file, command.content) == ("c1", "src/app.py", "jobs = 6\r\n")
    assert command.settle
    assert marked.read_bytes() == before


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("true", "a conflict marker is left"),
        ("exit 3", "the editor ended with 3"),
        ('printf "\\377" > "$1"', "no UTF-8 text"),
        ('rm "$1"', "no UTF-8 text"),
    ],
)
def test_an_edit_that_came_to_nothing_sends_nothing_and_keeps_what_was_written(
    uet: Uet, orchestrator: Orchestrator, marked: Path, edit_with: Callable[[str], None], script: str, told: str
) -> None:
    edit_with(script)
    said = uet("conflicts", "edit", "c1", "--file", "src/app.py")
    assert said.code == 2
    assert told in said.line
    assert orchestrator.commands == []


def test_editing_asks_for_a_file_where_several_are_undecided(
    uet: Uet, orchestrator: Orchestrator, marked: Path, edit_with: Callable[[str], None]
) -> None:
    edit_with("true")
    assert "--file src/app.py | logo.png" in uet("conflicts", "edit").line
    assert "its files are: src/app.py, logo.png" in uet("conflicts", "edit", "--file", "nope").line
    assert uet("conflicts", "edit", "--file", "logo.png").line == (
        "logo.png: there is no text to edit; take ours or theirs for the whole file"
    )


def test_a_missing_editor_is_told(uet: Uet, orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no-such-editor" in uet("conflicts", "edit", "--set", "editor=no-such-editor -w").line
    monkeypatch.setenv("VISUAL", "'unclosed")
    assert "is not a command line" in uet("conflicts", "edit").line
