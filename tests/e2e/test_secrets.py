"""Secrets that agents and gates print are on no screen: every byte that leaves the console is looked through."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.bytes import text
from tests.e2e.terminal import TMUX, Terminal
from tests.e2e.uet import start
from tests.support.repository import Repository

KEY: Final = "sk-Zq8/T+v1_x7Lm9"
MARK: Final = "«MY_API_KEY»"
PRINTS: Final = f'printf "key %s\\nhalf {KEY[:6]}" "$MY_API_KEY"; sleep 0.05; printf "%s end\\n" "{KEY[6:]}"'
"""The task that the agent is told holds the two halves, so that the prompt holds no whole one."""
TABS: Final = {"i": "Prompt", "d": "Diff", "t": "Gates", "v": "Events", "o": "Output"}
"""The tabs by the keys that open them; the facts are beside them, all the time."""


def workstream(name: str, *tasks: str, **more: object) -> dict[str, object]:
    facts = {"openspec_change": "x", "ccpm_issue": 1, "gate": 1, "tool": "shell", "files_scope": ["**"]}
    return {"id": f"ws-{name}", "tasks": tasks, "circuit_breaker": {"max_attempts": 1}, **facts, **more}


@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_no_screen_shows_a_secret(tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", KEY)
    go, plan, record = tmp_path / "go", tmp_path / "plan.json", tmp_path / "record"
    gate = [{"type": "GATE_UNIT"}]
    loop = f"while [ ! -e {go} ]; do sleep 0.1; done"
    plan.write_text(
        json.dumps(
            [
                workstream("loop", PRINTS, loop, "echo a > a"),
                workstream("fails", f"{PRINTS}; echo 'failed' with $MY_API_KEY; exit 3"),
                workstream("gated", "echo b > b", test_gates=gate),
                workstream("leaks", "echo $MY_API_KEY > leak.txt"),
            ]
        )
    )
    settings = (
        "agents.shell.env=[PATH, MY_API_KEY]",
        "gates.GATE_UNIT.env=[PATH, MY_API_KEY]",
        "gates.GATE_UNIT.commands=['test ! -e b || { echo red with $MY_API_KEY; exit 1; }']",
        "overlap=allow",
    )
    with Terminal(160, 45) as terminal:
        words = [word for given in settings for word in ("--set", given)]
        start(terminal, repository.path, "run", str(plan), *words, record=record)
        terminal.wait_for("1 running · 3 failed", 30)
        for name, (tab, said) in {
            "loop": ("o", f"half {MARK} end"),
            "fails": ("o", f"failed with {MARK}"),
            "gated": ("t", f"red with {MARK}"),
            "leaks": ("v", "the value of MY_API_KEY"),
        }.items():
            terminal.press("1", "/")
            terminal.wait_for("words to look for")
            terminal.type(f"ws-{name}")
            terminal.wait_for(re.compile(f"/ ws-{name} "))
            terminal.press("Enter")
            terminal.wait_for("enter open")
            terminal.press("Home", "Down", "Enter")
            terminal.wait_for("esc back")
            for key in (*TABS, tab):
                terminal.press(key)
                terminal.wait_for(lambda screen, key=key: _tab(screen) == TABS[key])
            terminal.wait_for(lambda screen, said=said: said in re.sub(r"\s*│\s*", " ", screen))
            terminal.press("Escape")
            terminal.wait_for("q leave")
            terminal.press("Escape")
            terminal.wait_for(lambda screen, name=name: f"/ ws-{name} " not in screen)
        terminal.press("3")
        terminal.wait_for("failed with")
        go.touch()
        terminal.wait_for("1 of 4 merged in", 20)
        terminal.press("q")
        terminal.wait_for_end(20)
    shown = text(record.read_bytes())
    assert MARK in shown
    assert KEY not in shown
    assert KEY.encode() not in record.read_bytes()


def _tab(screen: str) -> str:
    """The title of the tab that is open: the one above the bright part of the line."""
    found = re.search(r"^(?P<titles>.* Output  Diff .*)\n(?P<before>[^╸\n]*)╸", screen, re.MULTILINE)
    return found["titles"][len(found["before"]) + 1 :].partition("  ")[0].strip() if found else ""
