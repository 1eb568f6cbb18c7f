"""What loading a module brings with it: the import contract forbids lines, this looks at what really happens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SQL = {"sqlalchemy", "sqlmodel", "alembic"}
TERMINAL = {"textual", "rich"}
CONTEXT = {"jinja2", "bpe_openai", "tree_sitter"}
"""What only agents need that read a text prompt, from when the first of them starts."""
EFFECTS = {"subprocess", "sqlite3", "asyncio", "psutil"}  # socket comes with pydantic


def loaded(*arguments: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded when the program ends."""
    spy = "import atexit, sys; atexit.register(lambda: print('LOADED', *sys.modules, file=sys.stderr))"
    program = f"{spy}\nimport runpy\nsys.argv = {['uet', *arguments[1:]]!r}\n{arguments[0]}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 0 and lines, done.stderr
    return set(lines[-1].replace("LOADED ", "").split())


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("uet_tui.core.machine", SQL | TERMINAL | EFFECTS | {"yaml"}),
        ("uet_tui.plan.model", SQL | TERMINAL | EFFECTS),
        ("uet_tui.settings", SQL | TERMINAL | EFFECTS),
        ("uet_tui.cli.check", SQL | CONTEXT),
        ("uet_tui.cli.look", CONTEXT),
        ("uet_tui.engine.runner", TERMINAL | CONTEXT),
        ("uet_tui.store.inbox", TERMINAL | {"subprocess"}),
        ("uet_tui.store.queries", TERMINAL),
        ("uet_tui.engine.orchestrator", TERMINAL | {"uet_tui.console", "uet_tui.cli"}),
        ("uet_tui.console.app", {"uet_tui.engine", "uet_tui.workspace", "uet_tui.merge", "uet_tui.agents"}),
        ("uet_tui.cli", SQL | {"textual", "uet_tui.engine", "uet_tui.console"}),
    ],
)
def test_a_module_loads_nothing_that_is_not_its_business(module: str, without: set[str]) -> None:
    assert loaded(f"import {module}") & without == set()


def test_the_version_is_said_without_loading_the_console_or_the_store() -> None:
    modules = loaded("runpy.run_module('uet_tui', run_name='__main__')", "--version")
    assert modules & (SQL | {"textual", "pydantic", "yaml", "uet_tui.engine"}) == set()


def test_the_keeper_needs_nothing_but_the_standard_library() -> None:
    modules = {name for name in loaded("import uet_tui.engine.keeper") if not name.startswith("_")}
    foreign = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"uet_tui", "sitecustomize"}
    assert foreign == set()
