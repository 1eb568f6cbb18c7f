"""The `uet` command as an operator types it, in a terminal of its own or without one."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.e2e.terminal import Terminal

ROOT: Final = Path(__file__).resolve().parents[2]
UET: Final = (sys.executable, "-m", "uet_tui")
ENVIRONMENT: Final[Mapping[str, str]] = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def start(terminal: Terminal, folder: Path, *arguments: str, record: Path | None = None) -> None:
    """Types a command line in a terminal."""
    terminal.start([*UET, *arguments], folder=folder, environment=ENVIRONMENT, record=record)


def uet(folder: Path, *arguments: str, code: int = 0) -> str:
    """What a command prints that ends with `code`."""
    done = subprocess.run(
        [*UET, *arguments],
        cwd=folder,
        env={**os.environ, **ENVIRONMENT},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == code, f"uet {' '.join(arguments)} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def status(folder: Path, *arguments: str) -> Any:
    """The document of `uet status`."""
    return json.loads(uet(folder, "status", "--json", *arguments))


def events(folder: Path) -> Sequence[Any]:
    """The documents of `uet events`."""
    return [json.loads(line) for line in uet(folder, "events", "--json").splitlines()]


def states(document: Any) -> Sequence[str]:
    """The states of the workstreams in such a document, each once."""
    return sorted({one["state"] for one in document["workstreams"]})
