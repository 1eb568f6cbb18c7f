"""From an agent's settings to the command line and environment of one attempt."""

import sys
from collections.abc import Mapping
from pathlib import Path

from uet_tui.agents import simulated
from uet_tui.settings.model import AgentSettings


def command_line(agent: AgentSettings, *, prompt_file: Path, sandbox: Path, attempt: int) -> list[str]:
    """The agent's command with its placeholders filled in."""
    values = {
        "{prompt_file}": str(prompt_file),
        "{python}": sys.executable,
        "{simulated}": simulated.__file__,
        "{sandbox}": str(sandbox),
        "{attempt}": str(attempt),
    }
    filled = []
    for word in agent.command:
        for name, value in values.items():
            word = word.replace(name, value)  # noqa: PLW2901 - folding over the placeholders
        filled.append(word)
    return filled


def environment(allowed: tuple[str, ...], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the agent's list lets through; a trailing `*` takes all that begin so."""
    names = {name for name in allowed if not name.endswith("*")}
    beginnings = tuple(name[:-1] for name in allowed if name.endswith("*"))
    return {k: v for k, v in environ.items() if k in names or (beginnings and k.startswith(beginnings))}
