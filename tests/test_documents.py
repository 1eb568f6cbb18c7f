"""The documents leave nothing out: every field, setting, command, state, event and exit code is in the reference."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel

from uet_tui import cli
from uet_tui.core import states, vocabulary
from uet_tui.plan.model import CircuitBreaker, TestGate, Workstream
from uet_tui.settings.model import Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
REFERENCE = (DOCS / "reference.md").read_text()
QUOTED = " ".join(re.findall(r"`([^`\n]+)`", REFERENCE))
WORDS = set(re.findall(r"[\w.<>$-]+", QUOTED))


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted keys of the settings; `<name>` stands for a key of one's own."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if get_origin(kind) is Mapping:
            yield from settings(get_args(kind)[1], f"{prefix}{name}.<name>.")
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("fields", [*Workstream.model_fields, *CircuitBreaker.model_fields]),
        ("gates", [*TestGate.model_fields, *get_args(TestGate.model_fields["type"].annotation)]),
        ("settings", [*settings(Settings)]),
        ("events", [word for name, word in vars(vocabulary).items() if name.isupper()]),
        ("run states", [*states.RunState]),
        ("workstream states", [*states.WorkstreamState]),
        ("attempt states", [*states.AttemptState]),
        ("worker states", [*states.WorkerState]),
        ("conflict states", [*states.ConflictState]),
    ],
)
def test_the_reference_names_all(what: str, names: list[str]) -> None:
    assert names
    assert set(names) <= WORDS, f"{what} without a word in the reference"


def test_the_reference_names_every_command() -> None:
    commands = [command for names in cli._MODULES.values() for command in names]
    assert {command for command in commands if f"`uet {command}" not in REFERENCE} == set()


def test_the_documents_name_no_command_that_is_not() -> None:
    commands = {command for names in cli._MODULES.values() for command in names}
    for document in [DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        named = re.findall(r"(?:`|^|\s{2})uet ([a-z]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= commands, document.name
