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
from uet_tui.engine.confinement import confined
from uet_tui.engine.confining import confining, view
from uet_tui.engine.homes import make_empty, make_home
from uet_tui.engine.workplace import Workplace
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
        wanted = (operator.resolve() / path for path in agent.readable)
        seen = view(
            place,
            argv,
            environ,
            cwd=launch.sandbox,
            tmp=tmp,
            readable=[launch.folder, *wanted],
            writable=writable,
            network=agent.network,
        )
        argv = confined(program, seen, argv)
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


def scope_files(place: Workplace, agent: AgentSettings, commit: str, ws: Workstream) -> tuple[str, ...]:
    """The files of a commit that a workstream may change, for an agent whose command line names them."""
    if "{scope}" not in agent.command:
        return ()
    files = files_of(place, place.control.tree_of(commit)).paths
    return tuple(islice((path for path in files if covers(ws.write_scope, path)), _MOST_FILES))
