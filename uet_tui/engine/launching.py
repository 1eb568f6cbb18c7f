"""Starting an agent through its keeper: its home, its environment, what it must not let out, and how it is ended."""

import os
import subprocess
from collections.abc import Mapping
from itertools import islice
from typing import Final

from uet_tui.agents.launching import Launch, agent_environment, command_line, own_files
from uet_tui.agents.secrecy import operators_home, secrets_given
from uet_tui.engine import attempts
from uet_tui.engine.checking import files_of
from uet_tui.engine.homes import make_home
from uet_tui.engine.workplace import Workplace
from uet_tui.plan.model import Workstream
from uet_tui.plan.scopes import covers
from uet_tui.settings.agents import AgentSettings

_MOST_FILES: Final = 50
"""Files of a scope that are named to an agent: more fill its context before it has begun."""
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
    operator = operators_home(os.environ)
    if agent.home == "own":
        make_home(launch.home, agent.login, operator, own_files(agent, launch))
    return attempts.start(
        launch.folder,
        {
            "argv": command_line(agent, launch),
            "cwd": str(launch.sandbox),
            "stdin": str(launch.prompt_file) if agent.stdin else os.devnull,
            "timeout": seconds,
            "grace": place.settings.grace_seconds,
            "end_with": _SIGNALS[agent.ends_on],
            "limit": attempts.OUTPUT_LIMIT,
            "cookie": cookie,
            "wake": str(place.paths.wake),
        },
        agent_environment(agent, launch, os.environ) | dict(surroundings),
        secrets_given(agent, os.environ, launch.home if agent.home == "own" else operator),
    )


def scope_files(place: Workplace, agent: AgentSettings, commit: str, ws: Workstream) -> tuple[str, ...]:
    """The files of a commit that a workstream may change, for an agent whose command line names them."""
    if "{scope}" not in agent.command:
        return ()
    files = files_of(place, place.control.tree_of(commit)).paths
    return tuple(islice((path for path in files if covers(ws.write_scope, path)), _MOST_FILES))
