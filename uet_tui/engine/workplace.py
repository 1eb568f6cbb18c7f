"""All that a run works with: its files, its repositories, its plan and its settings."""

from dataclasses import dataclass

from uet_tui.plan.model import Plan
from uet_tui.settings.model import AgentSettings, Settings
from uet_tui.store.paths import Home, RunPaths
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.sandbox import Sandbox


@dataclass(frozen=True)
class Workplace:
    """The handles of one run; made once by whoever opens it."""

    run: str
    home: Home
    operator: OperatorRepository
    control: ControlRepository
    plan: Plan
    settings: Settings

    @property
    def paths(self) -> RunPaths:
        """The files of the run."""
        return self.home.run(self.run)

    @property
    def integration(self) -> str:
        """The integration branch."""
        return f"refs/heads/uet/{self.run}"

    def result_ref(self, workstream: str) -> str:
        """Where the newest result of a workstream is kept."""
        return f"refs/uet/{self.run}/{workstream}"

    def attempt_ref(self, workstream: str, attempt: int) -> str:
        """Where the result of an attempt that did not merge is kept."""
        return f"refs/uet/{self.run}/{workstream}.attempt-{attempt}"

    def sandbox(self, worker: int | str) -> Sandbox:
        """The sandbox of a worker, or the merge queue's own."""
        return Sandbox(
            self.control, self.paths.sandbox(worker), self.paths.index(worker), keep=self.settings.sandbox.keep
        )

    def agent(self, name: str) -> AgentSettings:
        """The settings of an agent."""
        return self.settings.agents[name]
