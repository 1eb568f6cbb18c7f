"""Where a run keeps its files: everything under `.uet/` of the operator's repository."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

PROMPT: Final = "prompt.md"
"""In an attempt's folder: what its agent was told."""
OUTPUT: Final = "output.log"
"""In an attempt's folder: what its agent printed."""
OWN: Final = "own"
"""In an attempt's folder: what its agent may write there."""
CONTEXT: Final = "context.txt"
"""In an attempt's folder: how large its prompt is, and which files it leaves out, and why."""
DIFF: Final = "diff.patch"
"""In an attempt's folder: what its agent changed."""


@dataclass(frozen=True, slots=True)
class RunPaths:
    """The files of one run."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Held by `flock` by the orchestrator that has the run."""
        return self.folder / "lock"

    @property
    def inbox(self) -> Path:
        """Commands that wait to be taken, and their answers."""
        return self.folder / "inbox"

    @property
    def wake(self) -> Path:
        """A FIFO; a byte written to it wakes the orchestrator."""
        return self.folder / "wake"

    @property
    def engine_log(self) -> Path:
        """What the orchestrator logs about itself."""
        return self.folder / "engine.log"

    @property
    def plan(self) -> Path:
        """The bundles as they were when the run began, as one JSON list."""
        return self.folder / "plan.json"

    @property
    def prompts(self) -> Path:
        """The folder of the templates of prompts, as they were when the run began."""
        return self.folder / "prompts"

    @property
    def settings(self) -> Path:
        """The settings as they were when the run began."""
        return self.folder / "settings.json"

    def attempt(self, workstream: str, number: int) -> Path:
        """The folder of one attempt."""
        return self.folder / "attempts" / workstream / str(number)

    def conflict(self, conflict: str) -> Path:
        """The folder with the marked text of each file of a conflict."""
        return self.folder / "conflicts" / conflict

    def ask(self, conflict: str, number: int) -> Path:
        """The folder of an agent that was asked to resolve a conflict; like that of an attempt."""
        return self.conflict(conflict) / f"ask-{number}"

    def rollback(self, name: str) -> Path:
        """The folder of what undoing a merge ran: the output of each compensation action, and that it has run."""
        return self.folder / "rollback" / name

    @property
    def landing(self) -> Path:
        """The folder of what gates printed that ran because of a landing."""
        return self.folder / "landing"

    def sandbox(self, worker: int | str) -> Path:
        """The working copy of a worker; `queue` is the merge queue's own."""
        return self.folder / "sandboxes" / str(worker)

    def ready(self, worker: int | str) -> Path:
        """There once a sandbox is set up; tells how."""
        return self.index(worker).with_name(f"{worker}.ready")

    def setup_log(self, worker: int | str) -> Path:
        """What the setup commands of a sandbox printed."""
        return self.folder / "setup" / f"{worker}.log"

    def index(self, worker: int | str) -> Path:
        """The orchestrator's private index for a sandbox: never inside the sandbox, so no agent writes it."""
        return self.folder / "indexes" / str(worker)

    def home(self, worker: int | str, agent: str) -> Path:
        """The home of an agent that works in a sandbox, where it is to have one of its own: no other agent's login."""
        return self.homes(worker) / quote(agent, safe="")

    def homes(self, worker: int | str) -> Path:
        """The homes of the agents that work in a sandbox."""
        return self.folder / "homes" / str(worker)

    @property
    def guard(self) -> Path:
        """What the operator's repository was like before each attempt that is under way."""
        return self.folder / "guard"

    @property
    def tampered(self) -> Path:
        """There once an agent may have changed what git obeys in the operator's repository; tells what."""
        return self.folder / "tampered.json"

    @property
    def forecast(self) -> Path:
        """What the forecast of conflicts works with; holds nothing that is needed later."""
        return self.folder / "forecast"


@dataclass(frozen=True, slots=True)
class Home:
    """The `.uet/` folder of a repository."""

    folder: Path

    @property
    def database(self) -> Path:
        """The SQLite store of all runs."""
        return self.folder / "uet.db"

    @property
    def control(self) -> Path:
        """The control repository."""
        return self.folder / "control.git"

    @property
    def tokens(self) -> Path:
        """How many tokens files have, by the ids of their contents."""
        return self.folder / "tokens"

    def run(self, run: str) -> RunPaths:
        """The files of one run."""
        return RunPaths(self.folder / "runs" / run)
