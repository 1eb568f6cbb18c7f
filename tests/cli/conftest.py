"""The command line in this process, as one would type it, and a run in the middle of its work to look at."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import RUN, make_run
from uet_tui.cli import run


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """Standard error, which must be one line."""
        assert self.err.endswith("\n") and self.err.count("\n") == 1, self.err
        return self.err.removeprefix("uet: ").rstrip("\n")


Uet = Callable[..., Said]


@pytest.fixture
def uet(capsys: pytest.CaptureFixture[str]) -> Uet:
    """Types a command line."""

    def typed(*arguments: str) -> Said:
        code = run(arguments)
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return typed


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder outside of any repository, where commands stand."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def scene(here: Path) -> str:
    """A folder with a run in the middle of its work that nobody has; its id."""
    make_run(here)
    return RUN
