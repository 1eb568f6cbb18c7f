"""Which secrets an agent is given: variables of its environment, and what the files of its login hold."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from uet_tui.agents.launching import environment
from uet_tui.redaction import SHORTEST
from uet_tui.secrecy import is_secret, secrets_in
from uet_tui.settings.agents import AgentSettings
from uet_tui.store.files import open_regular

_LARGEST: Final = 1 << 20
"""Bytes of a login file that are read; real ones have a few thousand."""
_DEEPEST: Final = 8
"""Levels of a login file that are looked through."""


def secrets_given(agent: AgentSettings, environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """The secrets that an agent gets, by the name that is shown instead of each.

    Args:
        agent: its settings.
        environ: the environment that its list picks from.
        home: where the files of its login are.
    """
    found = secrets_in(environment(agent.env, environ) | dict(agent.set), agent.keys)
    for login in agent.login:
        for name, value in _in_login(home / login):
            found.setdefault(f"{login} {name}", value)
    return found


def _in_login(path: Path) -> Iterator[tuple[str, str]]:
    """The secrets in a login file, by the names that they have there; none where it is no JSON."""
    file = open_regular(path)
    if file is None:
        return
    with file:
        data = file.read(_LARGEST)
    try:
        held = json.loads(data)
    except (ValueError, RecursionError):
        return
    yield from _strings(held, "", _DEEPEST)


def _strings(value: object, name: str, deeper: int) -> Iterator[tuple[str, str]]:
    match value:
        case str() if len(value) >= SHORTEST and is_secret(name):
            yield name, value
        case dict() if deeper:
            for key, inner in value.items():
                yield from _strings(inner, str(key), deeper - 1)
        case list() if deeper:
            for inner in value:
                yield from _strings(inner, name, deeper - 1)
        case _:
            return


def operators_home(environ: Mapping[str, str]) -> Path:
    """Where the operator's logins are."""
    return Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - never raises
