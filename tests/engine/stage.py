"""The folder of one attempt, and its keeper started as the orchestrator starts it."""

import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.wait import until
from uet_tui.engine import attempts
from uet_tui.engine.attempts import Ended

PATH = os.environ["PATH"]


class Stage:
    """The folder of one attempt, and the keepers that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keepers: list[subprocess.Popen[bytes]] = []
        self.cwd = folder.parent / "sandbox"
        self.cwd.mkdir()
        folder.mkdir()

    def begin(
        self,
        *argv: str,
        env: dict[str, str] | None = None,
        secrets: dict[str, str] | None = None,
        **facts: Any,
    ) -> subprocess.Popen[bytes]:
        start: Any = {
            "argv": list(argv),
            "cwd": str(self.cwd),
            "stdin": os.devnull,
            "timeout": 30.0,
            "grace": 0.2,
            "end_with": "SIGTERM",
            "limit": 1 << 28,
            "confined": False,
            "memory": 0,
            "disk": 0,
            "folders": [],
            "stall": 0.0,
            "cookie": str(self.folder),
            "wake": str(self.folder / "wake"),
        }
        process = attempts.start(self.folder, start | facts, {"PATH": PATH, **(env or {})}, secrets)
        self.keepers.append(process)
        return process

    def sh(self, script: str, **facts: Any) -> subprocess.Popen[bytes]:
        return self.begin("/bin/sh", "-c", script, **facts)

    def end(self) -> Ended:
        until(lambda: attempts.ended(self.folder), 15, "the attempt to end")
        ended = attempts.ended(self.folder)
        assert ended is not None
        return ended

    @property
    def output(self) -> str:
        return (self.folder / "output.log").read_text()

    def said(self, name: str) -> str:
        """What the agent wrote into a file of its sandbox, once it is there."""
        path = self.cwd / name
        return until(lambda: path.read_text().strip() if path.exists() else "", 10, name)
