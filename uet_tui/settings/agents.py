"""The settings of an agent: how it is started, how what it used is read, and what its messages mean."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from uet_tui.core.usage import Fault
from uet_tui.settings.group import Group

Format = Literal[
    "none", "json-lines", "json", "records", "regex", "claude", "codex", "aider", "mini", "opencode", "gemini"
]
"""How use is written down: see `UsageSettings.format`."""
Amount = Literal["model", "tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning", "usd"]
"""What a report of use may hold."""
PLACEHOLDERS = (
    "prompt_file",
    "prompt",
    "model",
    "base_url",
    "sandbox",
    "home",
    "folder",
    "attempt",
    "budget_usd",
    "scope",
    "python",
    "simulated",
)
"""What is replaced in `command` where it stands in braces; in `set` all but `prompt` and `scope`."""


def _expression(text: str) -> str:
    try:
        re.compile(text, re.MULTILINE)
    except re.error as error:
        raise ValueError(f"should be a regular expression ({error})") from error
    return text


class UsageSettings(Group):
    """Where and how an agent says what it used."""

    format: Format
    """`none`; `json-lines`: lines with a `uet` key; the name of an agent whose output is known; or, with `fields`:
    `json` (one document), `records` (JSON lines); or `regex`, with `pattern`."""
    file: str = ""
    """A file in the attempt's folder that it is read from; empty: from what the agent prints."""
    match: Mapping[str, str] = {}
    """For `records`: what a line must hold to count, by dotted path."""
    fields: Mapping[Amount, str] = {}
    """For `json` and `records`: where each amount stands, as dotted paths; several, joined by `+`, are added up."""
    pattern: str = ""
    """For `regex`: an expression whose groups have the names of amounts."""
    counts: Literal["each", "total"] = "each"
    """Whether each report is of what was used since the one before, or of all so far."""

    @model_validator(mode="after")
    def _whole(self) -> "UsageSettings":
        if self.format in ("json", "records") and not self.fields:
            raise ValueError(f"should say under `fields` where its amounts stand, for its format is {self.format}")
        if self.format == "regex" and not set(re.compile(_expression(self.pattern)).groupindex) & {*get_args(Amount)}:
            raise ValueError("should have a `pattern` with a group such as (?P<usd>...), for its format is regex")
        if "/" in self.file or self.file in (".", ".."):
            raise ValueError("should name a `file` in the attempt's folder, without a slash")
        return self


def _usage(written: object) -> object:
    """Usage that is written as a word alone is a format that needs no more."""
    match written:
        case str():
            return {"format": written}
        case dict() | UsageSettings():
            return written
        case _:
            raise ValueError("should be a format, or a mapping with `format`")


class FaultRule(Group):
    """How an agent tells what went wrong where it was not the work."""

    exit: Annotated[int, Field(ge=-64, le=255)] | None = None
    """The exit code that it ends with, negative for a signal; None: any."""
    says: str = ""
    """What stands at the end of what it printed: a regular expression, `^` and `$` at lines. Its groups `seconds`,
    `minutes` and `hours` say for how long, `at` (seconds since the epoch, or ISO 8601) until when to wait."""
    means: Fault

    @field_validator("says")
    @classmethod
    def _says(cls, says: str) -> str:
        return _expression(says)

    @model_validator(mode="after")
    def _some(self) -> "FaultRule":
        if self.exit is None and not self.says:
            raise ValueError("should say by what it is known: `exit`, `says`, or both")
        return self


class AgentSettings(Group):
    """How to start one agent, how to read what it used, and what its messages mean."""

    command: tuple[str, ...]
    """The command line, with placeholders (`PLACEHOLDERS`). A word with `{model}`, `{base_url}` or `{budget_usd}` is
    left out where there is none; the word `{scope}` becomes one word for each file that it may change."""
    prompt: Literal["script", "text", "spec"]
    """What the prompt file holds: the tasks as a shell script, the rendered prompt, or the workstream as JSON."""
    stdin: bool = False
    """Whether the prompt file is its standard input; it has none otherwise."""
    scope_argument: str = "{path}"
    """What becomes of a file where `{scope}` stands, such as `--file={path}`."""
    env: tuple[str, ...]
    """Names of the environment variables that the agent gets; a trailing `*` takes all that begin so."""
    set: Mapping[str, str] = {}
    """Environment variables that it gets besides, with placeholders as in `command`."""
    sandbox: Literal["off", "bwrap", "required"] = "off"
    """Whether bubblewrap confines it: not at all; where it can be used, and told where not; or it is not started."""
    network: bool = True
    """Whether it reaches the network where it is confined."""
    readable: tuple[str, ...] = ()
    """What it sees of the operator's home where it is confined, besides programs: paths relative to it."""
    home: Literal["own", "operator"] = "operator"
    """Whose HOME it has: one kept for each sandbox, where sharing breaks agents that run at once, or the operator's."""
    login: tuple[str, ...] = ()
    """Files of the operator's home that a home of its own gets, so that a subscription's login works there."""
    files: Mapping[str, str] = {}
    """Files that a home of its own gets before each start, by path: their text, with placeholders as in `command`."""
    keys: tuple[str, ...] = ()
    """Environment variables of which one must be set, where no file of `login` is there."""
    provider: str = ""
    """Whose quota it uses."""
    model: str = ""
    """Which model it is told to use; empty: its own choice."""
    base_url: str = ""
    """Where its provider is reached, such as a proxy; empty: where the agent or its environment says."""
    billing: Literal["money", "tokens"] = "money"
    """Whether its tokens are paid for, or a subscription is metered in them."""
    context_tokens: Annotated[int, Field(ge=1)] | None = None
    """How many tokens its model can read at once; None: not known."""
    context: Literal["list", "whole", "none"] = "list"
    """What its prompt tells of the files that matter: a list with outlines, for an agent that reads by itself; the
    files, as far as they fit; or nothing."""
    usage: Annotated[UsageSettings, BeforeValidator(_usage)]
    """How its use comes out."""
    done: str = ""
    """What it prints if it worked: a regular expression; empty: its exit code or its format tells."""
    no_change: str = ""
    """What it prints where nothing needs changing, besides what uet tells it to: a regular expression."""
    faults: tuple[FaultRule, ...] = ()
    """What its exit codes and messages mean; the first that holds counts."""
    ends_on: Literal["term", "int"] = "term"
    """The signal that asks it to end."""
    version: tuple[str, ...] = ()
    """The command that prints its version."""
    tried: bool = True
    """False: written from its documentation, and not yet run with the real program."""

    @field_validator("done", "no_change")
    @classmethod
    def _expressions(cls, text: str) -> str:
        return _expression(text)

    @field_validator("files", "login", "readable")
    @classmethod
    def _within_home(cls, paths: Mapping[str, str] | tuple[str, ...]) -> Mapping[str, str] | tuple[str, ...]:
        for path in paths:
            if not path or path.startswith(("/", "~")) or ".." in path.split("/"):
                raise ValueError("should name files relative to the home, and none outside of it")
        return paths

    @model_validator(mode="after")
    def _own_home(self) -> "AgentSettings":
        if self.home == "operator" and (self.files or self.login):
            raise ValueError("should have `home: own` where it has `files` or `login`: yours is left alone")
        return self

    @field_validator("command")
    @classmethod
    def _some_program(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if not command or not command[0]:
            raise ValueError("should name a program")
        return command
