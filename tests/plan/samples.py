"""Workstreams and bundle files for the tests of the plan."""

import json
from pathlib import Path
from typing import Any

from uet_tui.plan.model import Workstream

COMPLETE: dict[str, Any] = {
    "id": "ws-a",
    "openspec_change": "OS-1",
    "ccpm_issue": 1,
    "gate": 1,
    "files_scope": ["src/a.py"],
    "tasks": ["true"],
    "tool": "shell",
}
"""The least that a workstream must declare."""


def declared(**fields: object) -> dict[str, Any]:
    """A complete workstream as it is written in a bundle; every id has a file of its own."""
    own = {"files_scope": [f"src/{fields['id']}.py"]} if "id" in fields else {}
    return {**COMPLETE, **own, **fields}


def workstream(id_: str, *depends_on: str, **fields: object) -> Workstream:
    """A typed workstream."""
    return Workstream.model_validate(declared(id=id_, depends_on=depends_on, **fields))


def write(path: Path, content: object) -> Path:
    """Writes a bundle, one key a line, so that lines can be told apart."""
    path.write_text(json.dumps(content, indent=1))
    return path
