"""Starting an agent through its keeper: its home, its environment, what it must not let out, and how it is ended."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from uet_tui.agents.launching import Launch, agent_environment, command_line, own_files
from uet_tui.agents.secrecy import operators_home, secrets_given
from uet_tui.core import vocabulary
from uet_tui.core.events import Noted
from uet_tui.engine import attempts
from uet_tui.engine.checking import files_of
from uet_tui.engine.confinement import HOW_TO_CONFINE, View, borrowed, confined, probe, programs
from uet_tui.engine.homes import make_empty, make_home
from uet_tui.engine.workplace import Workplace, resolver_of
from uet_tui.errors import UetError
from uet_tui.plan.model import Workstream
from uet_tui.plan.scopes import covers
from uet_tui.settings.agents import AgentSettings
from uet_tui.store.paths import OWN

_MOST_FILES: Final = 50
"""Files of a scope that are named to an agent: more fill its context before it has begun."""
_TMP: Final = ".tmp"
"""Beside the homes of a sandbox's agents: what is `/tmp` to those that are confined."""
_SIGNALS: Final = {"term": "SIGTERM", "int": "SIGINT"}


def launch_agent(
    place: Workplace,
    agent: AgentSettings,
    launch: Launch,
    surroundings: Mapping[str, str],
    *,
    seconds: float,
    cookie: str,
) -> "subprocess.Popen[bytes]":
    """Starts an agent; returns its keeper's handle, to be reaped.

    Args:
        place: the run.
        agent: its settings.
        launch: what is filled in.
        surroundings: variables that whoever runs in the sandbox needs.
        seconds: its time limit.
        cookie: the name of this attempt among all processes of the machine.
    """
    operator, settings = operators_home(os.environ), place.settings
    own, tmp = launch.folder / OWN, launch.home.with_name(_TMP)
    own.mkdir(mode=0o700, exist_ok=True)
    if agent.home == "own":
        make_home(launch.home, agent.login, operator, own_files(agent, launch))
    argv = command_line(agent, launch)
    environ = agent_environment(agent, launch, os.environ) | dict(surroundings)
    program = confining(agent)
    writable = [launch.sandbox, own, *([launch.home] if agent.home == "own" else [])]
    if program:
        make_empty(tmp)
        if "TMPDIR" in environ and agent.home == "operator":
            environ["TMPDIR"] = "/tmp"  # noqa: S108 - its own
        hidden = (place.home.folder, *([operator.resolve()] if operator.resolve() != Path("/") else []))
        seen = programs(operator, argv, environ)
        mine = (launch.folder, *borrowed(place.control.path / "objects"), *borrowed(place.operator.objects))
        wanted = tuple(operator.resolve() / path for path in agent.readable)
        view = View(launch.sandbox, tmp, hidden, (*seen, *mine, *wanted), tuple(writable), agent.network)
        argv = confined(program, view, argv)
        writable.append(tmp)
    return attempts.start(
        launch.folder,
        {
            "argv": argv,
            "cwd": str(launch.sandbox),
            "stdin": str(launch.prompt_file) if agent.stdin else os.devnull,
            "timeout": seconds,
            "grace": settings.grace_seconds,
            "end_with": _SIGNALS[agent.ends_on],
            "limit": attempts.OUTPUT_LIMIT,
            "confined": bool(program),
            "memory": settings.memory_mb << 20,
            "disk": settings.disk_mb << 20,
            "folders": [str(path) for path in writable],
            "stall": settings.stall_end_seconds,
            "cookie": cookie,
            "wake": str(place.paths.wake),
        },
        environ,
        secrets_given(agent, os.environ, launch.home if agent.home == "own" else operator),
    )


def confining(agent: AgentSettings) -> str:
    """The program that confines an agent; empty if none does.

    Raises:
        UetError: one is required, and cannot be used.
    """
    if agent.sandbox == "required" and not is_confined(agent):
        raise UetError(f"its sandbox is required, and {probe().told}: {HOW_TO_CONFINE}")
    return probe().path if is_confined(agent) else ""


def is_confined(agent: AgentSettings) -> bool:
    """Whether a sandbox is wanted for an agent, and can be had."""
    return agent.sandbox != "off" and bool(probe().path)


def unconfined(place: Workplace) -> Iterator[Noted]:
    """What the operator is told of agents that run without the sandbox that they should have."""
    names = {*place.agent_of.values(), *resolver_of(place).values()}
    bare = sorted(name for name in names if place.agent(name).sandbox == "bwrap")
    if bare and not probe().path:
        text = f"no sandbox for {', '.join(bare)}: {probe().told}; {HOW_TO_CONFINE}"
        yield Noted(vocabulary.SANDBOX_MISSING, text, "warning")


def scope_files(place: Workplace, agent: AgentSettings, commit: str, ws: Workstream) -> tuple[str, ...]:
    """The files of a commit that a workstream may change, for an agent whose command line names them."""
    if "{scope}" not in agent.command:
        return ()
    files = files_of(place, place.control.tree_of(commit)).paths
    return tuple(islice((path for path in files if covers(ws.write_scope, path)), _MOST_FILES))
