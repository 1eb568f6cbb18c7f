"""Who is confined, by what, and what they see: agents as they are set, and all commands that run what agents wrote.

Gates, set-up and the ladder's commands run code of any agent of the run: what is merged holds the work of several. So
they are confined as the strictest of them is, by the same program. What is required is never done without.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from uet_tui.agents.secrecy import operators_home
from uet_tui.core import vocabulary
from uet_tui.core.events import Noted
from uet_tui.engine.confinement import HOW_TO_CONFINE, View, borrowed, confined, probe, programs
from uet_tui.engine.homes import make_empty
from uet_tui.engine.workplace import Workplace, resolver_of
from uet_tui.errors import UetError
from uet_tui.settings.agents import AgentSettings

SHELL: Final = "/bin/sh"
"""What runs the commands of gates, set-up and the ladder."""
_OWN: Final = ".commands"
"""Beside the homes of a sandbox's agents: what the commands have that are confined there."""
_HOME: Final = "home"
_TMP: Final = "tmp"


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
    bare = [name for name, agent in _wanting(place).items() if agent.sandbox == "bwrap"]
    if bare and not probe().path:
        what = f"{', '.join(bare)}, and for gates and setup commands"
        yield Noted(vocabulary.SANDBOX_MISSING, f"no sandbox for {what}: {probe().told}; {HOW_TO_CONFINE}", "warning")


def confines_all(place: Workplace) -> bool:
    """Whether nothing that runs what agents wrote is left out of the sandbox by the settings."""
    gates, acceptance = place.settings.gates, place.settings.acceptance
    return acceptance.sandbox == "agents" and all(gate.sandbox == "agents" for gate in gates.values())


def may_do_without(place: Workplace) -> bool:
    """Whether commands are confined here, though nobody requires it: code of the operator's own may run without."""
    wanting = _wanting(place)
    return bool(wanting and probe().path) and not any(agent.sandbox == "required" for agent in wanting.values())


def how_confined(place: Workplace) -> str:
    """What stands for how commands are confined; empty if they are not. What passes so may fail otherwise."""
    wanting = _wanting(place)
    if not wanting or not probe().path:
        return ""
    return json.dumps([_network(wanting), sorted(_readable(wanting)), sorted(place.settings.sandbox.writable)])


def view(
    place: Workplace,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    cwd: Path,
    tmp: Path,
    readable: Sequence[Path],
    writable: Sequence[Path],
    network: bool,
    home: Path | None = None,
) -> View:
    """What a confined program sees: no `.uet/` and nothing of the operator's home, but for what it cannot do without.

    Args:
        place: the run.
        argv: the command.
        environ: what of its environment tells where programs and their files are.
        cwd: where it runs.
        tmp: the folder that is its `/tmp`.
        readable: what it sees besides.
        writable: what it may write.
        network: whether it reaches the network.
        home: the folder that is there where the operator's home is; None: an empty one that is gone afterwards.
    """
    operator = operators_home(os.environ)
    real = operator.resolve()
    hidden = (place.home.folder, *([real] if real != Path("/") else []))
    seen = (*programs(operator, argv, environ), *_objects(place), *readable)
    instead = {real: home} if home is not None and real in hidden else {}
    return View(cwd, tmp, hidden, seen, tuple(writable), network, instead)


@dataclass(frozen=True, slots=True)
class Confinement:
    """What is put before the commands of one sandbox."""

    before: tuple[str, ...] = ()
    """The words before a command; empty if nothing confines it."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Its environment."""


def renew(place: Workplace, sandbox: str) -> None:
    """Empties the home and the `/tmp` that confined commands have in a sandbox, so that none finds anything of another.

    Raises:
        OSError: they cannot be made.
    """
    own = place.paths.homes(sandbox) / _OWN
    if _wanting(place) and probe().path:
        make_empty(own)
        for name in (_HOME, _TMP):
            (own / name).mkdir(mode=0o700)


def around(
    place: Workplace, sandbox: str, folder: Path, environ: Mapping[str, str], shown: Mapping[str, str] | None = None
) -> Confinement:
    """How the commands are confined that run what agents wrote.

    Args:
        place: the run.
        sandbox: the name of the sandbox whose home and `/tmp` they have.
        folder: where they run, and what they may write.
        environ: their environment.
        shown: what of it tells where programs and their files are; all of it if None.

    Raises:
        UetError: a sandbox is required and cannot be had, or what may be written holds the repository.
        OSError: their home cannot be made.
    """
    wanting = _wanting(place)
    required = [name for name, agent in wanting.items() if agent.sandbox == "required"]
    if required and not probe().path:
        whose = f"the sandbox of {', '.join(required)} is required"
        raise UetError(f"{whose}, and {probe().told}: {HOW_TO_CONFINE}")
    if not wanting or not probe().path:
        return Confinement(environ=environ)
    own = place.paths.homes(sandbox) / _OWN
    if not own.is_dir():
        renew(place, sandbox)
    seen = view(
        place,
        (SHELL,),
        environ if shown is None else shown,
        cwd=folder,
        tmp=own / _TMP,
        readable=[operators_home(os.environ).resolve() / path for path in _readable(wanting)],
        writable=[folder, *_writable(place)],
        network=_network(wanting),
        home=own / _HOME,
    )
    changed = {"TMPDIR": "/tmp"} if "TMPDIR" in environ else {}  # noqa: S108 - its own
    return Confinement(tuple(confined(probe().path, seen, ())), {**environ, **changed})


def _wanting(place: Workplace) -> dict[str, AgentSettings]:
    """The agents of the run that are to be confined, by name."""
    names = {*place.agent_of.values(), *resolver_of(place).values()}
    return {name: agent for name in sorted(names) if (agent := place.agent(name)).sandbox != "off"}


def _network(wanting: Mapping[str, AgentSettings]) -> bool:
    return all(agent.network for agent in wanting.values())


def _readable(wanting: Mapping[str, AgentSettings]) -> set[str]:
    return {path for agent in wanting.values() for path in agent.readable}


def _objects(place: Workplace) -> Iterator[Path]:
    """The git objects that a sandbox's own repository borrows."""
    yield from borrowed(place.control.path / "objects")
    yield from borrowed(place.operator.objects)


def _writable(place: Workplace) -> Iterator[Path]:
    """What may be written besides; what is not there is passed over.

    Raises:
        UetError: it would let somebody write what runs are made of.
    """
    home = operators_home(os.environ).resolve()
    for written in place.settings.sandbox.writable:
        path = (home / written).resolve()
        for kept in (place.operator.common_dir.resolve(), place.home.folder.resolve()):
            if path.is_relative_to(kept) or kept.is_relative_to(path):
                raise UetError(
                    f"sandbox.writable: {written} holds, or lies in, {kept}, which nothing may write but uet"
                )
        if path.exists():
            yield path
