"""Agents that print, write, name and fail with what could be taken for a command: all of it stays text.

Every byte that leaves the program is recorded and taken apart; nothing may be in it that the program itself did not
mean. That what should be shown was shown is looked for, too: a test of screens that stay empty would prove nothing.
"""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.e2e import hostile
from tests.e2e.bytes import COLOURED, PLAIN, PROGRESS, foreign, screen, text
from tests.e2e.terminal import TMUX, Terminal, Wire
from tests.e2e.uet import ENVIRONMENT, UET, start
from tests.support.repository import Repository, make_repository

FOLDER: Final = "a [b]\u202e\x1b]0;hacked\x07 repository"
"""The name of the repository's folder becomes the name of the run, and so the title of the window."""
SHOWN: Final = "[/x]"
SHOWN_AS: Final = re.escape(SHOWN)


@pytest.fixture
def where(tmp_path: Path) -> Repository:
    """A repository in a folder with a hostile name, on a branch with one."""
    repository = make_repository(tmp_path / FOLDER)
    repository.git("branch", "-m", "main\u202e\u2066x")
    return repository


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The plan; beside it is what its agents say."""
    return hostile.write_plan(tmp_path / "plan")


@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_no_screen_lets_anything_of_an_agent_through(tmp_path: Path, where: Repository, plan: Path) -> None:
    record = tmp_path / "record"
    with Terminal(160, 45) as terminal:
        start(terminal, where.path, "run", str(plan), *hostile.sets(plan.parent), record=record)
        terminal.wait_for("2 merged · 1 running · 1 conflicted · 3 failed", 30)
        title = terminal.title()
        walk = Walk(terminal)
        walk.everywhere("loop", "long", "fails", "strays")
        walk.needs()
        terminal.resize(80, 24)
        terminal.wait_for("1 Waves   2 Workers")
        walk.everywhere("loop", "ours")
        walk.to_the_end(plan.parent / "word")
        assert terminal.wait_for_end(20) == 1
        assert terminal.clipboard() == ""
    sent = record.read_bytes()
    assert not set(foreign(sent, screen(r"uet · a \[b\]␛ repository( · ! [0-9]+ needs? you)?")))
    assert title.startswith("uet · a [b]")


LOOKS: Final = {
    "status": True,
    "runs": False,
    "workers": False,
    "costs": False,
    "events": True,
    "show ws-fails": True,
    "why ws-fails": True,
    "show ws-long": True,
    "conflicts": True,
    "conflicts show": True,
    "config": False,
    "health": False,
}
"""Commands that look, and whether there is something of a payload in what they tell."""
TYPED: Final = hostile.PAYLOAD.replace("\0", "")
MISTAKES: Final = (
    ["show", TYPED],
    ["why", f"ws-{TYPED}"],
    ["status", TYPED],
    ["conflicts", "show", TYPED],
    ["conflicts", "take", "--ours", "--file", "\udcff\udc9b31m\x1b]0;hacked\x07"],
    ["status", f"--{TYPED}"],
    [TYPED],
    ["config", "--set", TYPED],
    ["config", "--set", f"workers={TYPED}"],
    ["validate", TYPED],
    ["run", "--headless", "--agent", TYPED],
    ["retry", "ws-fails", "--note", f"{TYPED}\udcff"],
)
"""Command lines with payloads in them, as a name that was copied from somewhere."""
SEVERAL: Final = """\
import json, sys
from uet_tui.cli import run
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(errors="backslashreplace")
for words in json.loads(sys.argv[1]):
    print("##", flush=True)
    run(words)
    sys.stderr.flush()
"""
"""Several command lines in one process: starting one for each would take most of the time."""


@pytest.mark.slow
def test_no_command_lets_anything_of_an_agent_through(tmp_path: Path, where: Repository, plan: Path) -> None:
    (plan.parent / "word").touch()
    command = [*UET, "run", str(plan), "--headless", *hostile.sets(plan.parent)]
    with Wire(command, folder=where.path, environment=ENVIRONMENT) as wire:
        assert wire.wait_for_end(40) == 4
    assert not set(foreign(wire.sent, PROGRESS))
    assert SHOWN in text(wire.sent)

    bad = tmp_path / "plan\x1b]0;hacked\x07[x]"
    bad.mkdir()
    (bad / "a\x1b]52;c;eA==\x07[x].json").write_text(json.dumps([{"id": hostile.PAYLOAD, hostile.PAYLOAD: 1}]))
    looks = {**{tuple(look.split()): shows for look, shows in LOOKS.items()}, ("validate", str(bad)): True}
    program = [sys.executable, "-c", SEVERAL, json.dumps([*looks, *MISTAKES])]

    with Wire(program, folder=where.path, environment=ENVIRONMENT, columns=200) as wire:
        wire.wait_for_end(40)
    told = wire.sent.split(b"##\r\n")[1:]
    assert not {piece for part in told for piece in foreign(part, COLOURED)}
    assert len(told) == len(looks) + len(MISTAKES) and all(told)
    silent = [look for look, part in zip(looks, told, strict=False) if looks[look] and SHOWN not in text(part)]
    assert silent == []

    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(program, cwd=where.path, env=environment, capture_output=True, check=True, timeout=40)
    assert not set(foreign(done.stdout + done.stderr, PLAIN))

    documents = [[*look, "--json"] for look in looks]
    program[-1] = json.dumps(documents)
    done = subprocess.run(program, cwd=where.path, env=environment, capture_output=True, check=True, timeout=40)
    assert not set(foreign(done.stdout, PLAIN))
    for document in done.stdout.decode().split("##\n")[1:]:
        lines = [document] if document.startswith("{\n") else document.splitlines()  # events: one on each line
        assert all(isinstance(json.loads(line), dict) for line in lines), document


class Walk:
    """Goes through every pane, tab, screen and dialog of a console in which one agent still runs."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def everywhere(self, *workstreams: str) -> None:
        """From the home screen back to it, by way of these workstreams."""
        self._panes()
        for name in workstreams:
            self._workstream(name)
        self._desk()
        self._forecast()
        self._dialogs()

    def _see(self, key: str, *what: str) -> None:
        """Presses a key and waits for all of these patterns to be on the screen."""
        self._terminal.press(key)
        for pattern in what:
            self._terminal.wait_for(re.compile(pattern))

    def _away(self, key: str, pattern: str) -> None:
        """Presses a key and waits for this pattern to be gone, on three looks: one may see a screen half drawn."""
        looks = itertools.count()

        def gone(screen: str) -> bool:
            nonlocal looks
            if re.search(pattern, screen):
                looks = itertools.count()
            return next(looks) >= 3

        self._terminal.press(key)
        self._terminal.wait_for(gone)

    def _home(self) -> None:
        self._see("Escape", "q leave")

    def _panes(self) -> None:
        self._see("2", "doing")
        self._see("3", SHOWN_AS)
        self._terminal.press("g", "Down", "PageDown", "G")
        self._see("4", "spent")
        self._see("5", "≠ PENDING")
        self._see("1", "wave 1")
        self._terminal.press("Down", "Down", "End", "Home")

    def _workstream(self, name: str) -> None:
        """Finds it by the filter and opens it; its text is in every tab that has one."""
        self._see("1", "wave 1")
        self._see("/", "words to look for")
        self._terminal.type(f"ws-{name} wave 1")
        self._terminal.wait_for(lambda screen: f"ws-{name}" in screen and "wave 2" not in screen)
        self._see("Enter", "enter open")
        self._terminal.press("Home", "Down")
        self._see("Enter", "esc back", f"ws-{name}", SHOWN_AS)
        self._terminal.click_on("[/x]")
        self._see("i", f"│ # A{SHOWN_AS}")
        self._terminal.press("PageDown", "End", "Home")
        self._see("d", "│ (diff --git|It changed nothing|No diff yet)")
        self._terminal.press("PageDown", "End", "Home", "Right")
        self._see("v", f"│ [0-9:]+ ▶ ws-{name} started on worker")
        self._see("t", "GATE_LINT|acceptance 1|No gate")
        self._terminal.press("Down", "PageDown")
        self._see("o", f"│ A{SHOWN_AS}")
        self._terminal.press("PageUp", "Home", "End")
        self._home()
        self._terminal.press("Escape")
        self._terminal.wait_for("wave 2")

    def _desk(self) -> None:
        self._see("c", "a approve", SHOWN_AS)
        self._terminal.press("Tab", "j", "k")
        self._see("}", "no-text")
        self._see("{", "hunk 1 of")
        self._see("o", "1/2 decided")
        self._see("u", "0/2 decided")
        self._see("a", "▌ (hunk 1 of A|no-text is)")  # a notification
        self._see("R", "Do ws-(ours|theirs) again")
        self._away("Escape", "Do ws-(ours|theirs) again")
        self._see("v", "↓  down")
        self._terminal.press("PageDown", "End")
        self._away("Escape", "↓  down")
        self._see("x", "Quarantine ws-(ours|theirs)")
        self._away("n", "Quarantine ws-(ours|theirs)")
        self._home()

    def _forecast(self) -> None:
        self._see("m", "esc back")
        self._terminal.press("Down", "Right", "End")
        self._home()

    def _dialogs(self) -> None:
        for opens, shows, closes in (
            ("?", "Keys of this screen", "?"),
            ("C-p", "Search for commands", "Escape"),
            ("q", "stay here", "Escape"),
        ):
            self._see(opens, shows)
            self._away(closes, shows)

    def needs(self) -> None:
        """To what needs the operator: the conflict first, then what failed, which is said."""
        self._see("w", "a approve")
        self._home()
        self._see("w", "▌ needs you")

    def to_the_end(self, word: Path) -> None:
        """Decides the conflict, lets the last agent finish, reads the summary and leaves."""
        self._see("c", "a approve")
        self._see("x", "Quarantine ws-(ours|theirs)")
        self._see("y", "QUARANTINED")
        self._home()
        word.touch()
        self._terminal.wait_for("2 of 9 merged in", 20)
        self._see("s", "is over", SHOWN_AS)
        self._terminal.press("q")
