"""What benchmarks of the whole command stand on: a small repository, a plan of shell agents, and `uet` itself."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
UET = (sys.executable, "-m", "uet_tui")


def make_repository(path: Path, files: int) -> Path:
    """A repository with one commit of so many files, of which workstream number n is to change `source(n)`."""
    for number in range(files):
        file = path / source(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"value_{line} = {number + line}\n" for line in range(20)))
    git(path, "init", "-q", "-b", "main")
    for key, value in {"user.name": "bench", "user.email": "bench@example.invalid", "gc.auto": "0"}.items():
        git(path, "config", key, value)
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Begin")
    return path


def source(number: int) -> str:
    """The path of a file in it."""
    return f"src/part{number % 40}/file{number}.py"


def make_plan(path: Path, scripts: Sequence[str], *, after_the_first: bool = False) -> Path:
    """A plan with one workstream a script, in one file; each may change the file of its number.

    With `after_the_first`, all others depend on the first one.
    """
    bundles = [bundle(number, script, source(number)) for number, script in enumerate(scripts)]
    for later in bundles[1:] if after_the_first else ():
        later["depends_on"] = [bundles[0]["id"]]
    path.write_text(json.dumps(bundles))
    return path


def bundle(number: int, script: str, file: str) -> dict[str, Any]:
    """A workstream that runs a script, and may change a file."""
    return {
        "id": f"ws-{number:04}",
        "openspec_change": "BENCH",
        "ccpm_issue": number,
        "gate": 1,
        "files_scope": [file],
        "tasks": [script],
        "tool": "shell",
    }


def environment(**more: str) -> Mapping[str, str]:
    """What `uet` is started with: nothing of the operator's that would steer it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UET_", "PYTHONPATH", "TMUX"))}
    return kept | {"PYTHONPATH": str(ROOT)} | more


def git(repository: Path, *words: str) -> str:
    """What git prints."""
    return subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
