"""Hearing agents out as the engine does: from files, by the shipped entries or by one that a test writes."""

from pathlib import Path
from typing import Any

from uet_tui.agents.reading.listening import Listener
from uet_tui.agents.reading.told import Told
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.layers import load_settings

SAID = Path(__file__).with_name("said")
AGENTS = load_settings(None, {}).settings.agents
NOON = 1_795_867_200.0
"""2026-11-28 12:00:00 UTC."""


def agent(**more: Any) -> AgentSettings:
    return AgentSettings.model_validate({"command": ["x"], "prompt": "text", "env": [], "usage": "none", **more})


def hear(
    one: AgentSettings | str,
    folder: Path,
    output: str | bytes,
    code: int | None = 0,
    files: dict[str, str] | None = None,
) -> Told:
    """What an agent told that printed this and left these files beside it."""
    (folder / "output.log").write_bytes(output.encode() if isinstance(output, str) else output)
    for name, text in (files or {}).items():
        (folder / "own").mkdir(exist_ok=True)
        (folder / "own" / name).write_text(text)
    settings = AGENTS[one] if isinstance(one, str) else one
    return Listener(settings, folder / "output.log").end(code, NOON)


def recorded(name: str, folder: Path, code: int | None) -> Told:
    """What a real agent told when it was recorded."""
    log = SAID / f"{name}.analytics.jsonl"
    files = {"analytics.jsonl": log.read_text()} if log.exists() else None
    return hear(name.partition("-")[0], folder, (SAID / f"{name}.log").read_bytes(), code, files)
