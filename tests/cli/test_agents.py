"""`uet agents`: what is here, and what comes of trying it."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Uet

MINE = (
    "agents.mine={command: [PROGRAM, '{prompt_file}'], prompt: script, env: [PATH, MINE_KEY], usage: json-lines, "
    "keys: [MINE_KEY], version: [PROGRAM, --version], model: gpt-4o}"
)


@pytest.fixture(autouse=True)
def nothing_of_the_machine(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the agents nor the logins nor the temporary folder of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN"))]:
        monkeypatch.delenv(name)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))


def program(folder: Path, text: str = "") -> str:
    """A set of an agent whose program does this."""
    path = folder / "mine"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo "mine version 1.2.3-beta (2026)"; exit; }}\n{text}\n')
    path.chmod(0o755)
    return MINE.replace("PROGRAM", str(path))


def listed(uet: Uet, *sets: str) -> dict[str, dict[str, Any]]:
    said = uet("agents", "--json", *[word for one in sets for word in ("--set", one)])
    assert said.code == 0, said.err
    return {one["name"]: one for one in said.document["agents"]}


def test_agents_are_listed_with_what_is_here_and_what_is_missing(
    uet: Uet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = program(tmp_path)
    found = listed(uet, mine)
    assert found["shell"]["ready"] and not found["shell"]["keys"]
    assert (found["mine"]["version"], found["mine"]["ready"]) == ("1.2.3-beta", False)
    assert found["mine"]["missing"] == "set MINE_KEY"
    assert found["mine"]["price_known"] is True
    assert found["codex"]["can"] == ["live"]
    monkeypatch.setenv("MINE_KEY", "x")
    found = listed(uet, mine)
    assert (found["mine"]["key"], found["mine"]["ready"]) == ("MINE_KEY", True)


def test_a_login_does_as_well_as_a_key(uet: Uet, tmp_path: Path) -> None:
    (tmp_path / "home" / ".codex").mkdir(parents=True)
    (tmp_path / "home" / ".codex" / "auth.json").write_text("{}")
    assert listed(uet)["codex"]["key"] == "~/.codex/auth.json"


def test_the_list_says_for_people_what_to_do(uet: Uet, tmp_path: Path) -> None:
    said = uet("agents", "--set", program(tmp_path))
    assert said.code == 0
    lines = {line.split()[0].rstrip(":"): line for line in said.out.splitlines() if line}
    assert "✓ ready" in lines["shell"]
    assert said.out.rstrip().endswith("mine: set MINE_KEY")


def test_trying_says_step_by_step_what_was_understood(uet: Uet, tmp_path: Path) -> None:
    said = uet("agents", "try", "simulated", "--json")
    assert said.code == 0, said.err
    document = said.document
    assert all(document[step] is True for step in ("started", "worked", "edited", "usage_read", "cost_known"))
    assert (document["tokens_in"], document["cost_usd"]) == (10_000, 0.05)
    assert list((tmp_path / "scratch").iterdir()) == [], "nothing is left of what went well"


def test_an_agent_that_tells_nothing_of_its_use_may_be_good_all_the_same(uet: Uet) -> None:
    said = uet("agents", "try", "shell")
    assert said.code == 0, said.err
    assert "✓  edited" in said.out and "-  usage read" in said.out


def test_what_did_not_work_is_told_with_what_to_do_and_kept(uet: Uet, tmp_path: Path) -> None:
    mine = program(tmp_path, 'echo \'{"uet": {"tokens_in": 1000}}\'; echo it is broken; exit 3')
    said = uet("agents", "try", "mine", "--yes", "--set", mine)
    assert said.code == 1
    assert "✓  started" in said.out
    assert "✗  worked" in said.out and "exit 3: it is broken" in said.out
    assert "✓  cost known" in said.out and "$0.0025 by a list of prices" in said.out
    (kept,) = (tmp_path / "scratch").iterdir()
    assert str(kept) in said.err and "output.log" in said.err


def test_an_agent_without_a_known_price_is_told_how_to_set_it(uet: Uet, tmp_path: Path) -> None:
    mine = program(tmp_path, '. "$1"; echo \'{"uet": {"tokens_in": 1000}}\'')
    said = uet("agents", "try", "mine", "--yes", "--model", "of-nobody", "--set", mine)
    assert "✓  edited" in said.out, said.out
    assert "✗  cost known" in said.out and "budget.models.of-nobody" in said.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "there is no agent nobody; there are aider, "),
        (
            ["mine", "--set", MINE.replace("PROGRAM", "/no/such")],
            "mine cannot be tried: install /no/such, or set agents.",
        ),
    ],
)
def test_what_cannot_be_tried_is_told(uet: Uet, arguments: list[str], told: str) -> None:
    said = uet("agents", "try", *arguments)
    assert (said.code, said.line[: len(told)]) == (2, told)


def test_an_agent_that_has_a_login_alone_does_not_begin_unasked_either(uet: Uet, tmp_path: Path) -> None:
    mine = program(tmp_path, "touch ran").replace("keys: [MINE_KEY]", "home: own, login: [.mine/auth.json]")
    said = uet("agents", "try", "mine", "--set", mine)
    assert (said.code, said.line) == (2, "trying mine may cost money; add --yes")


def test_nothing_that_may_cost_money_begins_unasked(uet: Uet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_KEY", "x")
    said = uet("agents", "try", "mine", "--set", program(tmp_path, "touch ran"))
    assert (said.code, said.line) == (2, "trying mine may cost money; add --yes")
    assert list((tmp_path / "scratch").iterdir()) == []
