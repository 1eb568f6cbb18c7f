"""From an agent's settings to the command line and environment of one attempt."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from uet_tui.agents import simulated
from uet_tui.settings.agents import PLACEHOLDERS, AgentSettings
from uet_tui.store.paths import OWN

LONGEST_ARGUMENT = 131_071
"""Bytes that Linux takes as one argument (MAX_ARG_STRLEN without its end)."""
_PLACEHOLDER = re.compile("{(" + "|".join(PLACEHOLDERS) + ")}")
_HOME = {
    "HOME": "",
    "TMPDIR": "tmp",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
}
"""What a home of its own is, by variable: folders in it, as they are by default in any home."""
PLAIN = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "VIRTUAL_ENV")
"""Variables that tell where programs are, and hold no keys."""
_MAY_BE_MISSING = ("model", "base_url", "budget_usd")
"""Placeholders without a value take the word that they stand in with them."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What is filled in where an agent is started."""

    prompt_file: Path
    sandbox: Path
    folder: Path
    """The attempt's, outside the sandbox."""
    home: Path
    """The agent's own, kept with the sandbox."""
    attempt: int
    model: str = ""
    """Empty: the agent's own choice."""
    budget_usd: float | None = None
    """US dollars after which it should end by itself; None: it is not told."""
    scope: tuple[str, ...] = ()
    """The files that it may change, relative to the sandbox."""


def command_line(agent: AgentSettings, launch: Launch) -> list[str]:
    """The agent's command with its placeholders filled in. What is filled in is not looked at for more of them."""
    values = _values(agent, launch)
    if any("{prompt}" in word for word in agent.command):
        values["prompt"] = _as_argument(launch.prompt_file.read_text(encoding="utf-8"))
    return list(_words(agent, launch, values))


def agent_environment(agent: AgentSettings, launch: Launch, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the agent gets: those that its list lets through, its home, and what is set for it."""
    values = _values(agent, launch)
    found = environment(agent.env, environ)
    if agent.home == "own":
        found |= {name: str(launch.home / folder) for name, folder in _HOME.items()}
    for name, text in agent.set.items():
        if not _lacks(text, values):
            found[name] = _filled(text, values)
    return found


def own_files(agent: AgentSettings, launch: Launch) -> dict[str, str]:
    """The files that its own home gets, by path: their text; one whose placeholder has no value is left out."""
    values = _values(agent, launch)
    return {path: _filled(text, values) for path, text in agent.files.items() if not _lacks(text, values)}


def environment(allowed: tuple[str, ...], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a list lets through; a trailing `*` takes all that begin so."""
    names = {name for name in allowed if not name.endswith("*")}
    beginnings = tuple(name[:-1] for name in allowed if name.endswith("*"))
    return {k: v for k, v in environ.items() if k in names or (beginnings and k.startswith(beginnings))}


def _values(agent: AgentSettings, launch: Launch) -> dict[str, str]:
    return {
        "prompt_file": str(launch.prompt_file),
        "model": launch.model,
        "base_url": agent.base_url,
        "sandbox": str(launch.sandbox),
        "home": str(launch.home),
        "folder": str(launch.folder / OWN),
        "attempt": str(launch.attempt),
        "budget_usd": "" if launch.budget_usd is None else f"{launch.budget_usd:.4f}",
        "python": sys.executable,
        "simulated": simulated.__file__,
    }


def _words(agent: AgentSettings, launch: Launch, values: Mapping[str, str]) -> Iterator[str]:
    for word in agent.command:
        if word == "{scope}":
            there = (path for path in launch.scope if _is_plain(launch.sandbox / path))
            yield from (agent.scope_argument.replace("{path}", path) for path in there)
        elif not _lacks(word, values):
            yield _filled(word, values)


def _is_plain(path: Path) -> bool:
    """Whether a file is there, and not elsewhere: some agents make what they are told of, or follow a link."""
    return path.is_file() and not path.is_symlink()


def _lacks(word: str, values: Mapping[str, str]) -> bool:
    return any(f"{{{name}}}" in word and not values[name] for name in _MAY_BE_MISSING)


def _filled(word: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), word)


def _as_argument(text: str) -> str:
    """A text as one argument: what does not fit is cut, and said so; a NUL cannot be in one."""
    data = text.replace("\0", "").encode()
    if len(data) <= LONGEST_ARGUMENT - 1000:  # what else stands in the word
        return data.decode()
    return data[: LONGEST_ARGUMENT - 1000].decode("utf-8", "ignore") + "\n(cut: too long for one argument)"
