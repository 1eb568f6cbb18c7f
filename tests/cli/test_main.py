import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from uet_tui import __version__

UET = (sys.executable, "-m", "uet_tui")
ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def test_the_version_is_said_without_the_console_the_store_or_even_typer() -> None:
    program = (
        "import sys; sys.argv = ['uet', '--version']\n"
        "from uet_tui.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'textual', 'sqlalchemy', 'sqlmodel', 'rich', 'typer', 'pydantic', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == f"uet {__version__}\n"


@pytest.mark.parametrize("command", ["validate", "config", "init"])
def test_a_command_that_needs_no_run_loads_neither_store_nor_engine(command: str, here: Path) -> None:
    program = (
        f"import sys; from uet_tui.cli import run; run(['{command}', '--help'])\n"
        "heavy = {'textual', 'sqlalchemy', 'sqlmodel', 'uet_tui.engine'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True)


def test_a_command_that_ends_leaves_no_imports_to_look_through_for_garbage() -> None:
    program = (
        "import gc, sys; sys.argv = ['uet', 'status', '--help']\n"
        "from uet_tui.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "left, kept = len(gc.get_objects()), gc.get_freeze_count()\n"
        "assert left < kept / 100, (left, kept)"
    )
    subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True)


def test_without_a_command_the_help_lists_every_one(uet: Uet) -> None:
    said = uet()
    assert said.code == 0
    commands = (
        "demo validate run console resume status runs workers events costs show why pause continue drain stop scale "
        "retry skip budget conflicts land config health agents init"
    )
    for command in commands.split():
        assert f" {command} " in said.out


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("statu", "Did you mean 'status'"),
        ("status --bogus", "No such option: --bogus"),
        ("scale", "Missing argument 'N'"),
        ("scale many", "Invalid value for 'N'"),
        ("scale 0", "greater than or equal to 1"),
        ("run --workers 1000", "less than or equal to 256"),
        ("run --schedule soon", "'soon' is not one of 'eager', 'waves'"),
        ("budget --total nan", "money is a finite number"),
        ("budget --total inf", "money is a finite number"),
        ("budget --total -1", "money is a finite number"),
        ("conflicts bogus", "No such command 'bogus'"),
        ("status --set workers", "write it as KEY=VALUE"),
        ("status --set wokers=3", "did you mean `workers`?"),
        ("events --tail -1", "greater than or equal to 0"),
    ],
)
def test_bad_usage_is_one_line_and_2(uet: Uet, here: Path, typed: str, told: str) -> None:
    said = uet(*typed.split())
    assert (said.code, said.out) == (2, "")
    assert told in said.line


def test_where_there_are_no_runs_one_line_says_so(uet: Uet, here: Path) -> None:
    typed = "status, runs, workers, costs, events, show ws-a, why ws-a, pause, land, conflicts, conflicts take --ours"
    for command in typed.split(", "):
        said = uet(*command.split())
        assert (said.code, said.out) == (2, "")
        assert "uet run" in said.line
    assert list(here.iterdir()) == []


def test_a_reader_that_goes_away_is_no_error() -> None:
    pipe = subprocess.Popen(
        [*UET, "config"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert pipe.stdout and pipe.stderr
    pipe.stdout.close()
    assert pipe.stderr.read() == b""
    assert pipe.wait() == 1
    pipe.stderr.close()
