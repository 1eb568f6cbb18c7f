"""Which agents are here: what is installed, which version, and whether there is a key or a login for each."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uet_tui.agents.launching import environment
from uet_tui.agents.prices import price_known, tells_cost
from uet_tui.agents.secrecy import operators_home
from uet_tui.engine.confinement import HOW_TO_CONFINE, probe
from uet_tui.errors import UetError
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.model import Settings
from uet_tui.text import one_line

_VERSION_SECONDS: Final = 20.0
"""Ends a program that is asked for its version: the slowest of them takes two."""
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)+(?:[-+]\w+)?")
_LIVE: Final = frozenset({"claude", "codex", "opencode", "gemini", "mini", "records"})
"""Formats that tell step by step what an agent is at."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one agent before it is started."""

    name: str
    agent: AgentSettings
    path: str
    """Its program; empty if it is not installed."""
    version: str
    """As it prints it; empty if it does not say."""
    key: str
    """The variable or the login file that it has; empty if none is there, or none is needed."""
    price_known: bool
    """Whether what it uses can be put in dollars: it says so itself, or the price of its model is known."""

    @property
    def sandbox(self) -> str:
        """How it is confined: `off`, `bwrap`, or why it is not though it should be."""
        if self.agent.sandbox == "off":
            return "off"
        return "bwrap" if probe().path else f"none: {probe().told}"

    @property
    def unprotected(self) -> bool:
        """Whether it must be confined and cannot be."""
        return self.agent.sandbox == "required" and not probe().path

    @property
    def keyed(self) -> bool:
        """Whether it has the key or login that it needs."""
        return bool(self.key) or not self.agent.keys

    @property
    def ready(self) -> bool:
        """Whether it could be started."""
        return bool(self.path) and self.keyed and not self.unprotected

    @property
    def can(self) -> tuple[str, ...]:
        """What its settings make use of: `scope`, `budget`, `cost`, `live`."""
        words = " ".join(self.agent.command)
        found = {
            "scope": "{scope}" in words,
            "budget": "{budget_usd}" in words,
            "cost": tells_cost(self.agent),
            "live": self.agent.usage.format in _LIVE,
        }
        return tuple(name for name, there in found.items() if there)

    @property
    def missing(self) -> str:
        """What is to be done before it can be started; empty if nothing."""
        if not self.path:
            return f"install {self.agent.command[0]}, or set agents.{self.name}.command"
        if not self.keyed:
            login = f", or log in with {self.agent.command[0]}" if self.agent.login else ""
            return f"set {' or '.join(self.agent.keys)}{login}"
        if self.unprotected:
            return f"its sandbox is required, and {probe().told}: {HOW_TO_CONFINE}"
        return ""


def inventory(settings: Settings, environ: Mapping[str, str]) -> Sequence[Found]:
    """All agents, in the order of the settings; their programs are asked for their versions, side by side."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(lambda name: look(name, settings, environ), settings.agents))


def need_agents(names: Iterable[str], settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Makes sure that agents could be started, before a run of them begins; gives what may keep one from its work.

    A key that is not seen here only warns: some agents find theirs in other places.

    Raises:
        UetError: the program of one is not installed, or a sandbox that it must have cannot be made.
    """
    found = [look(name, settings, environ, version=False) for name in sorted(names)]
    for one in found:
        if not one.path:
            raise UetError(
                f"agent {one.name}: {one.agent.command[0]} is not installed; {one.missing}, or rehearse with "
                "--agent simulated (`uet agents` lists what is here)"
            )
        if one.unprotected:
            raise UetError(f"agent {one.name}: {one.missing}")
    return [f"agent {one.name} has no key: {one.missing}" for one in found if not one.keyed]


def look(name: str, settings: Settings, environ: Mapping[str, str], *, version: bool = True) -> Found:
    """What is known of one agent; `version` says whether its program is asked for that, which takes a while."""
    agent = settings.agents[name]
    given = environment(agent.env, environ)
    path = _program(agent.command[0], given)
    return Found(
        name,
        agent,
        path,
        _version(agent, given) if path and version else "",
        next(_keys(agent, given, operators_home(environ)), ""),
        tells_cost(agent) or price_known(agent.model, settings.budget),
    )


def _program(written: str, given: Mapping[str, str]) -> str:
    """Where a program is; one that is named by a path in the sandbox is taken to be there. Empty: it is not here."""
    if written == "{python}":
        return sys.executable
    if written.startswith("{") or ("/" in written and not written.startswith("/")):
        return written
    return shutil.which(written, path=given.get("PATH", os.defpath)) or ""


def _keys(agent: AgentSettings, given: Mapping[str, str], home: Path) -> Iterator[str]:
    yield from (name for name in agent.keys if given.get(name) or agent.set.get(name))
    yield from (f"~/{path}" for path in agent.login if (home / path).is_file())


def _version(agent: AgentSettings, given: Mapping[str, str]) -> str:
    """The number in what its version command prints; empty where it does not say."""
    if not agent.version:
        return ""
    with tempfile.TemporaryDirectory(prefix="uet-version-") as folder:
        try:
            done = subprocess.run(
                agent.version,
                cwd=folder,
                env={**given, "HOME": folder},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_VERSION_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
    said = done.stdout.decode("utf-8", "replace")
    number = _NUMBER.search(said)
    return one_line(number[0] if number else said, 40)
