"""The typed settings. They say what may be; the shipped defaults are the YAML files in `config/`, not these classes."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from uet_tui.plan.model import GateKind
from uet_tui.plan.scopes import normalise
from uet_tui.settings.agents import AgentSettings
from uet_tui.settings.amounts import Money, PositiveSeconds, Seconds
from uet_tui.settings.budget import BudgetSettings
from uet_tui.settings.context import ContextSettings
from uet_tui.settings.group import Group

MOST_WORKERS = 256
"""Attempts that may run at once."""


class RetrySettings(Group):
    """When a failed attempt is tried again: exponential backoff with jitter."""

    base_seconds: Seconds
    """The delay before the second attempt; doubled for each further one."""
    max_seconds: Seconds
    """The longest delay."""
    jitter: Annotated[float, Field(ge=0, le=1)]
    """The share of the delay that is drawn by chance."""


class SandboxSettings(Group):
    """What a sandbox holds beside the tracked files."""

    copy_untracked: tuple[str, ...]
    """Untracked files of the operator's checkout to copy in, such as `.env`; globs relative to its root."""
    setup: tuple[str, ...]
    """Shell commands run once in each new sandbox."""
    env: tuple[str, ...]
    """Names of the environment variables that they get; a trailing `*` takes all that begin so."""
    keep: tuple[str, ...]
    """Ignored files that survive the reset between attempts, such as `.venv/`; git ignore patterns."""
    writable: tuple[str, ...]
    """What gates, set-up and the ladder's commands may write besides where they are confined: paths, relative to the
    operator's home or absolute, such as `.cache/pip`."""


class GateCommand(Group):
    """One command of a gate, and what makes it apply."""

    run: Annotated[str, Field(min_length=1)]
    """A shell command; it must end with 0."""
    when: tuple[str, ...] = ()
    """It applies where some file matches one of these: globs as in scopes. Empty: it always applies."""
    contains: str = ""
    """It applies only where one of those files holds this: a regular expression, `^` and `$` at lines."""
    fallback: bool = False
    """It applies only where no command that is no fallback does."""
    no_tests_exit: Annotated[int, Field(ge=1, le=255)] | None = None
    """The exit code by which it says that there was nothing to test: 5 for pytest."""

    @field_validator("when")
    @classmethod
    def _globs(cls, when: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(normalise(glob) for glob in when)

    @field_validator("contains")
    @classmethod
    def _expression(cls, contains: str) -> str:
        try:
            re.compile(contains, re.MULTILINE)
        except re.error as error:
            raise ValueError(f"should be a regular expression ({error})") from error
        return contains

    @model_validator(mode="after")
    def _contained(self) -> "GateCommand":
        if self.contains and not self.when:
            raise ValueError("should name the files that `contains` is about under `when`")
        return self


def _command(written: object) -> object:
    """A command that is written as text alone is one that always applies."""
    match written:
        case str():
            return {"run": written}
        case dict():  # what comes out of a validator is checked as Python, where a list is no tuple
            return {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()}
        case GateCommand():
            return written
        case _:
            raise ValueError("should be a command, or a mapping with `run`")


class GateSettings(Group):
    """One gate kind: what runs, and for how long."""

    commands: tuple[Annotated[GateCommand, BeforeValidator(_command)], ...]
    """What is run in the sandbox; all that apply must hold. None: the gate is not configured, and holds nothing up."""
    timeout_seconds: PositiveSeconds
    """For all commands together."""
    no_tests: Literal["passed", "failed"]
    """What it counts as when a command found nothing to test."""
    env: tuple[str, ...]
    """Names of the environment variables that its commands get; a trailing `*` takes all that begin so."""
    sandbox: Literal["agents", "off"] = "agents"
    """Whether its commands are confined where the agents of the run are, or never."""


class AcceptanceSettings(Group):
    """How the acceptance tests of a bundle that are commands are run: as gates that are required and blocking."""

    run: bool
    """False: they are only told to the agent."""
    timeout_seconds: PositiveSeconds
    """For each of them."""
    env: tuple[str, ...]
    """As for gates."""
    sandbox: Literal["agents", "off"] = "agents"
    """As for gates."""


Resolve = Literal["ask", "auto", "never"]
"""What becomes of a conflict that a machine could settle."""


class MergeSettings(Group):
    """The merge queue."""

    batch: Annotated[int, Field(ge=1, le=4)]
    """How many entries are gated together, at most."""
    patience: Annotated[int, Field(ge=1)]
    """How many merges may overtake an entry before it goes first."""


class PathCommand(Group):
    """A command that settles conflicts in some files."""

    paths: tuple[str, ...]
    """Which files: globs relative to the repository."""
    command: str


class LadderSettings(Group):
    """What is tried on a conflict before the operator is asked."""

    recorded: bool
    """Whether a resolution that was made before is taken again."""
    union: tuple[str, ...]
    """Files that are only appended to, such as a changelog: both sides are kept, ours first; globs."""
    regenerate: tuple[PathCommand, ...]
    """Lock files and generated files, by the command that makes them anew; it runs in a sandbox with the merge."""
    structural: tuple[PathCommand, ...]
    """A structural merge program; `{base}`, `{ours}`, `{theirs}`, `{marked}`, `{path}` and `{output}` are replaced."""
    command_seconds: PositiveSeconds
    """Ends a command of `regenerate` or `structural`."""
    agent: str
    """Who is asked to resolve: `own` (the workstream's agent), `none`, or the name of an agent."""
    agent_seconds: PositiveSeconds
    """Ends an agent that is asked."""


class SimulatedSettings(Group):
    """The rehearsal agent."""

    unit_seconds: PositiveSeconds
    """How long a workstream without `estimated_seconds` takes."""
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Divides every simulated duration."""
    cost_usd: Money
    """What one simulated attempt claims to cost."""


class Settings(Group):
    """All settings."""

    workers: Annotated[int, Field(ge=1, le=MOST_WORKERS)]
    schedule: Literal["eager", "waves"]
    overlap: Literal["serialize", "allow", "error"]
    scope: Literal["enforce", "warn", "off"]
    land: Literal["ask", "auto", "never"]
    resolve: Resolve
    """A machine's resolution of a conflict waits for the operator (ask), is merged if it holds, or is not made."""
    resolve_paths: Mapping[str, Resolve]
    """The same for files that match a glob; the last that matches counts, and the strictest file of a conflict."""
    timeout_seconds: PositiveSeconds
    """Ends an attempt whose workstream declares no `timeout`."""
    grace_seconds: Seconds
    """Between asking an agent to end and ending it."""
    stall_seconds: Seconds
    """For how long an agent may neither print nor use processor time before it is told that it stalls; 0: never."""
    stall_end_seconds: Seconds
    """For how long before it is ended, and tried again as after any failure; 0: never."""
    memory_mb: Annotated[int, Field(ge=0)]
    """Megabytes (of 2**20 bytes) that all processes of an attempt may have in memory together; 0: no limit."""
    disk_mb: Annotated[int, Field(ge=0)]
    """Megabytes that an attempt may add to its sandbox, its home and its temporary files; 0: no limit."""
    drain_seconds: Seconds
    """How long an interrupted headless run waits for running attempts."""
    low_disk_mb: Annotated[int, Field(ge=0)]
    """Megabytes (10^6 bytes) that must be free where the runs are, for anything to be begun."""
    disk_budget_gb: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Gigabytes (10^9 bytes) that all runs together may take before the operator is told; 0: no limit."""
    editor: str
    """Overrides $VISUAL and $EDITOR; empty takes those."""
    forecast_seconds: Seconds
    """Between looks at whether active branches would merge; 0 does not look."""
    retry: RetrySettings
    merge: MergeSettings
    ladder: LadderSettings
    sandbox: SandboxSettings
    context: ContextSettings
    simulated: SimulatedSettings
    budget: BudgetSettings
    agents: Mapping[str, AgentSettings]
    gates: Mapping[GateKind, GateSettings]
    acceptance: AcceptanceSettings
