"""What is to be run: the gates and acceptance tests of a workstream as checks, each a list of commands."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from uet_tui.core import verdicts
from uet_tui.gates.acceptance import command_in
from uet_tui.plan.model import TestGate
from uet_tui.plan.scopes import covers
from uet_tui.settings.model import AcceptanceSettings, GateCommand, GateSettings
from uet_tui.text import one_line

_NAME = 60
"""Characters of an acceptance test that are part of its name: what fits beside a verdict at 80 columns."""
_PYTEST = re.compile(r"^(?:python[\d.]* -m )?pytest\b")
_PYTEST_NO_TESTS = 5
"""pytest's own exit code for "no tests collected"."""


class Files:
    """The files of a tree, read only if somebody asks."""

    def __init__(self, paths: Callable[[], Sequence[str]], read: Callable[[str], bytes]) -> None:
        self._paths = paths
        self._read = read

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All files, relative to the repository."""
        return tuple(self._paths())

    def read(self, path: str) -> str:
        """The text of a file."""
        return self._read(path).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a check."""

    run: str
    no_tests_exit: int | None = None
    """The exit code by which it says that it found nothing to test."""


@dataclass(frozen=True, slots=True)
class Check:
    """One gate, or one acceptance test, as it applies to a tree."""

    name: str
    required: bool
    blocking: bool
    steps: tuple[Step, ...] = ()
    idle: str = ""
    """Without steps: the verdict, `not run` or `not configured`."""
    why_idle: str = ""
    """Why nothing is run, for the record."""
    timeout_seconds: float = 0.0
    """For all steps together."""
    env: tuple[str, ...] = ()
    confined: bool = True
    """Whether it is confined where the agents are."""
    no_tests: str = verdicts.NO_TESTS
    """The verdict when there was nothing to test."""
    baseline: bool = True
    """Whether it is excused where it was red before any agent began; an acceptance test is meant to be red then."""

    @property
    def log(self) -> str:
        """The name of the file that gets its output."""
        return f"{'-'.join(self.name.partition(':')[0].split())}.log"


def gate_check(gate: TestGate, settings: GateSettings, files: Files, *, rehearsal: bool) -> Check:
    """A gate as it applies to some files.

    Args:
        gate: what the workstream asks for.
        settings: what is configured for gates of its kind.
        files: those of the tree that is gated.
        rehearsal: the tree holds what a rehearsal made up: what was found by its files is not run on it.
    """
    check = Check(
        gate.type,
        gate.required,
        gate.blocking,
        timeout_seconds=settings.timeout_seconds,
        env=settings.env,
        confined=settings.sandbox == "agents",
        no_tests=verdicts.NO_TESTS if settings.no_tests == "passed" else verdicts.FAILED,
    )
    chosen = _chosen(settings.commands, files)
    if rehearsal and chosen and all(command.when for command in chosen):
        return replace(check, idle=verdicts.NOT_RUN, why_idle="a rehearsal makes no code that could pass")
    if rehearsal:
        chosen = tuple(command for command in chosen if not command.when)
    if chosen:
        return replace(check, steps=tuple(Step(command.run, command.no_tests_exit) for command in chosen))
    why = "none of its commands applies to these files" if settings.commands else "it has no commands"
    return replace(check, idle=verdicts.NOT_CONFIGURED, why_idle=f"{why}: gates.{gate.type}.commands")


def _chosen(commands: Sequence[GateCommand], files: Files) -> tuple[GateCommand, ...]:
    fit = [command for command in commands if _applies(command, files)]
    chosen = [command for command in fit if not command.fallback] or fit
    return tuple({command.run: command for command in reversed(chosen)}.values())[::-1]


def _applies(command: GateCommand, files: Files) -> bool:
    if not command.when:
        return True
    found = (path for path in files.paths if covers(command.when, path))
    if not command.contains:
        return any(True for _ in found)
    pattern = re.compile(command.contains, re.MULTILINE)
    return any(pattern.search(files.read(path)) for path in found)


def acceptance_checks(
    entries: Sequence[str], settings: AcceptanceSettings, *, rehearsal: bool, of: str = ""
) -> tuple[Check, ...]:
    """The acceptance tests of a workstream: each that is a command holds it up, each that is prose is told as not run.

    Args:
        entries: as the bundle has them.
        settings: how they are run.
        rehearsal: nothing is run: a rehearsal does not do what they ask for.
        of: the workstream's id, where the name must tell it.
    """
    checks = []
    for number, entry in enumerate(entries, start=1):
        name = f"acceptance {number}{f' of {of}' if of else ''}: {one_line(entry, _NAME)}"
        command = command_in(entry)
        why = (
            "it is prose, not a command: shown to the agent, for people to check"
            if command is None
            else "a rehearsal does not do what it asks for"
            if rehearsal
            else ""
            if settings.run
            else "acceptance.run is false"
        )
        check = Check(name, required=True, blocking=True, baseline=False, no_tests=verdicts.FAILED)
        if command is None or why:
            checks.append(replace(check, idle=verdicts.NOT_RUN, why_idle=why))
            continue
        step = Step(command, _PYTEST_NO_TESTS if _PYTEST.match(command) else None)
        confined = settings.sandbox == "agents"
        seconds, env = settings.timeout_seconds, settings.env
        checks.append(replace(check, steps=(step,), timeout_seconds=seconds, env=env, confined=confined))
    return tuple(checks)
