"""The documents leave nothing out: every field, setting, command, state, event and exit code is in the reference."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from textual.binding import Binding, BindingType

from uet_tui import cli
from uet_tui.console.app import UetApp
from uet_tui.console.breakdown.screen import BreakdownScreen
from uet_tui.console.desk.screen import ConflictDesk
from uet_tui.console.home.screen import HomeScreen
from uet_tui.console.matrix.grid import MatrixGrid
from uet_tui.console.matrix.screen import MatrixScreen
from uet_tui.console.rows import RowList
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core import states, verdicts, vocabulary
from uet_tui.plan.model import CircuitBreaker, TestGate, Workstream
from uet_tui.settings.agents import PLACEHOLDERS, FaultRule
from uet_tui.settings.model import GateCommand, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
REFERENCE = (DOCS / "reference.md").read_text()
QUOTED = " ".join(re.findall(r"`([^`\n]+)`", REFERENCE))
WORDS = set(re.findall(r"[\w.<>$-]+", QUOTED))


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted keys of the settings; `<name>` stands for a key of one's own."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if get_origin(kind) is Mapping and isinstance(of := get_args(kind)[1], type) and issubclass(of, BaseModel):
            yield from settings(of, f"{prefix}{name}.<name>.")
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
        ("commands of gates", [*GateCommand.model_fields]),
        ("faults of agents", [*FaultRule.model_fields]),
        ("placeholders", [*PLACEHOLDERS]),
        ("verdicts", [word for verdict in verdicts.SEVERITY for word in verdict.split()]),
        ("events", [word for name, word in vars(vocabulary).items() if name.isupper()]),
        ("run states", [*states.RunState]),
        ("workstream states", [*states.WorkstreamState]),
        ("attempt states", [*states.AttemptState]),
        ("worker states", [*states.WorkerState]),
        ("conflict states", [*states.ConflictState]),
        ("provider states", [*states.ProviderState]),
        ("stages of the budget", [*states.BudgetStage]),
    ],
)
def test_the_reference_names_all(what: str, names: list[str]) -> None:
    assert names
    assert set(names) <= WORDS, f"{what} without a word in the reference"


@pytest.mark.parametrize("file", ["uet.yaml", "budget.yaml"])
def test_the_reference_tells_the_defaults_that_are_shipped(file: str) -> None:
    told = dict(re.findall(r"^\| `([\w.]+)` \| `?([^|`]+)`? \|", REFERENCE, re.MULTILINE))

    def shipped(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
        for name, value in values.items():
            if isinstance(value, Mapping) and value:
                yield from shipped(value, f"{prefix}{name}.")
            else:
                yield prefix + name, value or "empty" if isinstance(value, str) else json.dumps(value)

    found = dict(shipped(yaml.safe_load((DOCS.parent / "config" / file).read_text())))
    assert found
    assert {name: told[name].strip() for name in found} == found


KEY_NAMES = {"question_mark": "?", "plus": "+", "minus": "-", "equals_sign": "=", "slash": "/", "dollar_sign": "$"}


@pytest.mark.parametrize(
    ("section", "bindings"),
    [
        ("Keys", [*UetApp.BINDINGS, *RowList.BINDINGS]),
        ("Home:", HomeScreen.BINDINGS),
        ("Conflict desk:", ConflictDesk.BINDINGS),
        ("Workstream:", WorkstreamScreen.BINDINGS),
        ("Forecast:", [*MatrixScreen.BINDINGS, *MatrixGrid.BINDINGS]),
        ("Breakdown:", BreakdownScreen.BINDINGS),
    ],
)
def test_the_reference_names_every_key(section: str, bindings: list[BindingType]) -> None:
    text = REFERENCE.partition("## Keys\n")[2] if section == "Keys" else REFERENCE.partition(f"\n{section}\n")[2]
    told = set(re.findall(r"`(\S+)`", text.partition("\n\nHome:" if section == "Keys" else "|\n\n")[0]))
    told |= {"escape"}  # told once, for all lists and screens
    named = [key for one in bindings if isinstance(one, Binding) and one.id for key in one.key.split(",")]
    assert named
    assert {KEY_NAMES.get(key, key) for key in named} <= told


def test_the_reference_names_every_command() -> None:
    commands = [command for names in cli._MODULES.values() for command in names]
    assert {command for command in commands if f"`uet {command}" not in REFERENCE} == set()


def test_the_documents_name_no_command_that_is_not() -> None:
    commands = {command for names in cli._MODULES.values() for command in names}
    for document in [DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        named = re.findall(r"(?:`|^|\s{2})uet ([a-z]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= commands, document.name
