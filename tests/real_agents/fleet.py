"""A repository whose plan is worked on by real agent programs, each entry with its own face of the fake provider."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
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
PINS = {"aider": "aider", "claude": "npm", "codex": "npm", "mini": "mini", "gemini": "npm-more", "opencode": "npm-more"}
"""Under which name of `install.sh` each is pinned."""
MODELS = {
    "aider": "openai/fake-1",
    "claude": "claude-sonnet-4-5",
    "codex": "fake-2",
    "mini": "openai/fake-1",
    "opencode": "fake/fake-1",
    "gemini": "gemini-2.5-flash",
}
"""Which model each is told to use. Claude works out what its own models cost; the others know none of these."""
PRICES = {"openai/fake-1": (3.0, 15.0), "fake-2": (2.0, 8.0)}
"""US dollars for a million tokens in and out, as declared: aider's where aider reads it, codex's in `budget`."""
METADATA = {
    name: {
        "max_tokens": 8192,
        "max_input_tokens": 128000,
        "max_output_tokens": 8192,
        "input_cost_per_token": price_in / 1e6,
        "output_cost_per_token": price_out / 1e6,
        "litellm_provider": "openai",
        "mode": "chat",
    }
    for name, (price_in, price_out) in PRICES.items()
}
"""What aider is told of its models. It looks for them on the network otherwise, and knows no price."""


def missing(program: str) -> str:
    """Why a program is not there, in words; empty if it is."""
    if (PROGRAMS / "bin" / program).exists():
        return ""
    note = PROGRAMS / f"{PINS[program]}.missing"
    why = f"could not be installed: {note.read_text().strip()}" if note.exists() else "is not installed"
    return f"{program} {why}"


def prices() -> dict[str, dict[str, float]]:
    """What `budget.models` says of the models that are not priced by their agents."""
    return {name: {"input": price_in, "output": price_out} for name, (price_in, price_out) in PRICES.items()}


def opencode(url: str, key: str) -> dict[str, Any]:
    """The configuration of opencode."""
    price_in, price_out = PRICES["openai/fake-1"]
    model = {
        "name": "Fake",
        "cost": {"input": price_in, "output": price_out},
        "limit": {"context": 128000, "output": 8192},
    }
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": url, "apiKey": key},
        "models": {"fake-1": model},
    }
    return {"provider": {"fake": provider}, "autoupdate": False, "share": "disabled"}


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

    def hire(self, program: str, name: str = "", *, key: str = "sk-test", **more: Any) -> None:
        """Adds an agent: the shipped entry of a program, pointed at the session of its name, and quick to give up."""
        url = self.provider.url(name or program)
        shipped = yaml.safe_load((CONFIG / "agents.yaml").read_text())["agents"][program]
        changed = {
            "command": [word.replace("max_retries=3", "max_retries=0") for word in shipped["command"]],
            "model": MODELS[program],
            "base_url": url if program in ("claude", "gemini") else f"{url}/v1",
            "set": {**shipped.get("set", {}), **self._told(program, key, url)},
            "env": ["PATH", "LANG"],  # whatever keys and addresses the machine has, these runs are told nothing of them
            "keys": [],
        }
        self.agents[name or program] = {**shipped, **changed, **more}

    def _told(self, program: str, key: str, url: str) -> dict[str, str]:
        """How a program gets its key and what it knows of models; one retry, where that can be said."""
        beside = self.repository.path.parent  # not in the repository, which agents change
        models = beside / "models.json"
        models.write_text(json.dumps(METADATA))
        match program:
            case "aider":
                return {"OPENAI_API_KEY": key, "AIDER_MODEL_METADATA_FILE": str(models)}
            case "claude":
                return {"ANTHROPIC_API_KEY": key, "CLAUDE_CODE_MAX_RETRIES": "1"}
            case "codex":
                return {"CODEX_API_KEY": key}
            case "mini":
                return {"OPENAI_API_KEY": key, "LITELLM_MODEL_REGISTRY_PATH": str(models)}
            case "opencode":
                config = beside / "opencode.json"
                config.write_text(json.dumps(opencode(f"{url}/v1", key)))
                return {"OPENCODE_CONFIG": str(config)}
            case _:
                settings = Path.home() / ".gemini" / "settings.json"  # with an address alone it asks a gateway, keyless
                settings.parent.mkdir(exist_ok=True)
                settings.write_text(json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}}))
                return {"GEMINI_API_KEY": key}

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

    def document(self, *command: str, code: int = 0) -> Any:
        """The JSON document that a command prints, which ends with `code`."""
        done = self.uet(*command, "--json")
        assert (done.returncode, bool(done.stdout)) == (code, True), done.stderr
        return json.loads(done.stdout)

    def events(self) -> list[Any]:
        """All events of the run."""
        return [json.loads(line) for line in self.uet("events", "--json", limit=60).stdout.splitlines()]

    def workstreams(self) -> dict[str, Any]:
        """The workstreams as `uet status` tells them, by id."""
        return {one["id"]: one for one in self.document("status")["workstreams"]}

    def reports(self) -> list[dict[str, Any]]:
        """The reports of use that are on record, in order."""
        return self._rows("SELECT * FROM cost_tracking ORDER BY id")

    def providers(self) -> dict[str, dict[str, Any]]:
        """The providers on record, by name."""
        return {row["name"]: row for row in self._rows("SELECT * FROM providers")}

    def _rows(self, query: str) -> list[dict[str, Any]]:
        file = self.repository.path / ".uet" / "uet.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
            store.row_factory = sqlite3.Row
            return [dict(row) for row in store.execute(query)]

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
