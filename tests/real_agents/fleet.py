"""A repository whose plan is worked on by real agent programs, each entry with its own face of the fake provider."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.provider.script import Tokens
from tests.provider.server import FakeProvider
from tests.support.repository import Repository
from uet_tui.resources import CONFIG

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build" / "agents"
MODELS = {"aider": "openai/gpt-4o", "claude": "claude-sonnet-4-5", "codex": "gpt-5"}
"""Which model each is told to use."""
PRICES = {"openai/gpt-4o": (3.0, 15.0), "gpt-5": (2.0, 8.0)}
"""US dollars for a million tokens in and out, of models whose agents are not asked what it cost."""


def missing(program: str) -> str:
    """Why a program is not there, in words; empty if it is."""
    if (PROGRAMS / "bin" / program).exists():
        return ""
    for note in (PROGRAMS / f"{program}.missing", PROGRAMS / "npm.missing"):
        if note.exists() and (program == "aider") == (note.stem == "aider"):
            return f"{program} could not be installed: {note.read_text().strip()}"
    return f"{program} is not installed: make test-agents"


def entry(program: str, url: str, *, key: str = "sk-test", **more: Any) -> dict[str, Any]:
    """The shipped entry of an agent, pointed at a face of the fake provider, and quick to give up."""
    shipped = yaml.safe_load((CONFIG / "agents.yaml").read_text())["agents"][program]
    told = {
        "aider": {"OPENAI_API_BASE": f"{url}/v1", "OPENAI_API_KEY": key},
        "claude": {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key, "CLAUDE_CODE_MAX_RETRIES": "1"},
        "codex": {"FAKE_KEY": key},
    }[program]
    command = list(shipped["command"])
    if program == "codex":
        face = {
            "model_provider": "fake",
            "model_providers.fake.name": "fake",
            "model_providers.fake.base_url": f"{url}/v1",
            "model_providers.fake.env_key": "FAKE_KEY",
            "model_providers.fake.wire_api": "responses",
            "model_providers.fake.request_max_retries": "0",
            "model_providers.fake.stream_max_retries": "0",
            "model_providers.fake.stream_idle_timeout_ms": "8000",
        }
        place = command.index("exec") + 1
        command[place:place] = [word for name, value in face.items() for word in ("-c", f"{name}={value}")]
    changed = {
        "command": command,
        "model": MODELS[program],
        "set": {**shipped.get("set", {}), **told},
        "env": ["PATH", "LANG"],  # whatever keys and addresses the machine has, these runs are told nothing of them
        "keys": [],
    }
    return {**shipped, **changed, **more}


def workstream(id: str, tool: str, **more: Any) -> dict[str, Any]:
    """A workstream that has one file of its own written."""
    return {
        "id": id,
        "openspec_change": f"OS-{id}",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": [f"src/{id}.py"],
        "tasks": [f"Write src/{id}.py so that it says which workstream it is."],
        "tool": tool,
        **more,
    }


@dataclass
class Fleet:
    """A repository with agents, a plan and settings, and the program that runs it."""

    repository: Repository
    provider: FakeProvider
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    budget: Mapping[str, Any] = field(default_factory=dict)

    def prepare(self, plan: Sequence[Mapping[str, Any]]) -> None:
        """Writes plan and configuration, and commits them as an operator would."""
        for file, content in {
            "agents.yaml": {"agents": self.agents},
            "uet.yaml": dict(self.settings),
            "budget.yaml": dict(self.budget),
        }.items():
            self.repository.write(f"config/{file}", yaml.safe_dump(content))
        for one in plan:
            self.repository.write(f"workstreams/{one['id']}.yaml", yaml.safe_dump(dict(one)))
        self.repository.commit("Plan the work")

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Starts `uet` with a command line; output is a document, errors go nowhere but to the log."""
        return subprocess.Popen(
            [sys.executable, "-m", "uet_tui", *command],
            cwd=self.repository.path,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def uet(self, *command: str, limit: float = 200) -> "subprocess.CompletedProcess[str]":
        """What a command line comes to."""
        process = self.start(*command)
        try:
            out, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def document(self, *command: str) -> Any:
        """The JSON document that a command prints."""
        done = self.uet(*command, "--json", limit=60)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def events(self) -> list[Any]:
        """All events of the run."""
        return [json.loads(line) for line in self.uet("events", "--json", limit=60).stdout.splitlines()]

    def workstreams(self) -> dict[str, Any]:
        """The workstreams as `uet status` tells them, by id."""
        return {one["id"]: one for one in self.document("status")["workstreams"]}

    def reports(self) -> list[dict[str, Any]]:
        """The rows of `cost_tracking`, in order."""
        file = self.repository.path / ".uet" / "uet.db"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
            store.row_factory = sqlite3.Row
            return [dict(row) for row in store.execute("SELECT * FROM cost_tracking ORDER BY id")]

    def recorded(self, id: str, attempt: int | None = None) -> tuple[Tokens, float]:
        """What is on record of a workstream: tokens and US dollars."""
        rows = [row for row in self.reports() if row["workstream"] == id and attempt in (None, row["attempt"])]
        tokens = Tokens(*(sum(row[name] for row in rows) for name in TOKENS))
        return tokens, sum(row["usd"] or 0.0 for row in rows)

    def merged(self, path: str) -> str:
        """A file as it is on the integration branch."""
        [branch] = self.repository.git("for-each-ref", "--format=%(refname)", "refs/heads/uet/").splitlines()
        return self.repository.git("show", f"{branch}:{path}") + "\n"

    def _environment(self) -> dict[str, str]:
        path = f"{PROGRAMS / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


TOKENS = ("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning")
"""The columns of `cost_tracking` that hold them."""
