"""What is known of an agent before it is started."""

from pathlib import Path

import pytest

from uet_tui.engine.inventory import look, need_agents
from uet_tui.errors import UetError
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import Settings


def mine(script: str, folder: Path) -> Settings:
    program = folder / "mine"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    agent = AgentSettings.model_validate(
        {
            "command": ["mine"],
            "prompt": "text",
            "env": ["PATH"],
            "usage": "none",
            "version": ["mine", "--version"],
        }
    )
    return load_settings(None, {}).settings.model_copy(update={"agents": {"mine": agent}})


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo aider 0.86.2", "0.86.2"),
        ("echo '2.1.197 (Claude Code)'", "2.1.197"),
        ("echo 'This is mini-swe-agent version 2.4.6.'", "2.4.6"),
        ("printf 'codex-cli 0.169.0-alpha.1\\033[2J\\n'", "0.169.0-alpha"),
        ("echo nightly", "nightly"),
        ("exit 1", ""),
        ("exec cat", ""),
    ],
)
def test_the_version_is_the_number_in_what_it_prints(script: str, version: str, tmp_path: Path) -> None:
    found = look("mine", mine(script, tmp_path), {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (found.path, found.version, found.ready) == (str(tmp_path / "mine"), version, True)


def test_a_program_is_looked_for_where_the_agent_itself_would_find_it(tmp_path: Path) -> None:
    settings = mine("echo 1.0", tmp_path)
    blind = settings.agents["mine"].model_copy(update={"env": ()})
    for name, chosen in (("as it is", settings), ("blind", settings.model_copy(update={"agents": {"mine": blind}}))):
        found = look("mine", chosen, {"PATH": str(tmp_path)})
        assert bool(found.path) is (name == "as it is"), name
    assert found.missing == "install mine, or set agents.mine.command"


def test_a_run_is_not_begun_with_a_program_that_is_not_installed_and_warned_of_without_a_key(tmp_path: Path) -> None:
    settings = mine("echo 1.0", tmp_path)
    with pytest.raises(UetError, match=r"mine is not installed; install mine, or set agents\.mine\.command"):
        need_agents(["mine"], settings, {"PATH": "/nowhere"})
    keyed = settings.model_copy(
        update={"agents": {"mine": settings.agents["mine"].model_copy(update={"keys": ("MINE_KEY",), "env": ("*",)})}}
    )
    assert need_agents(["mine"], keyed, {"PATH": str(tmp_path)}) == ["agent mine has no key: set MINE_KEY"]
    assert need_agents(["mine"], keyed, {"PATH": str(tmp_path), "MINE_KEY": "x"}) == []
    within = settings.agents["mine"].model_copy(update={"command": ("tools/mine",)})
    assert need_agents(["mine"], settings.model_copy(update={"agents": {"mine": within}}), {}) == []
