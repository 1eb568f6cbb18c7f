"""Trying an agent: one small task on a scratch repository, through all that a run is made of."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uet_tui.core.states import AttemptState, WorkstreamState
from uet_tui.engine.headless import Headless
from uet_tui.engine.start import home_of, new_run, repository_at
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Workstream
from uet_tui.settings.model import Settings
from uet_tui.store.paths import OUTPUT
from uet_tui.store.queries import Reader
from uet_tui.store.views import AttemptView, WorkstreamView
from uet_tui.workspace.founding import found_repository

FILE: Final = "greeting.txt"
_BEFORE, _AFTER = "hello\n", "hello world\n"
_SECONDS: Final = 300.0
"""Ends an agent that is tried: its task takes a minute at most."""
_WORKSTREAM: Final = "ws-try"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying an agent."""

    workstream: WorkstreamView
    attempt: AttemptView | None
    """None: it was not even started."""
    folder: Path
    """The scratch repository."""
    output: Path | None
    """What the agent printed."""
    unpriced: str = ""
    """The model whose price is not known; empty if every one is."""

    @property
    def seconds(self) -> float:
        """How long the agent took."""
        attempt = self.attempt
        if attempt is None or attempt.started_at is None or attempt.ended_at is None:
            return 0.0
        return (attempt.ended_at - attempt.started_at).total_seconds()

    @property
    def started(self) -> bool:
        """Whether its program ran."""
        return self.attempt is not None and self.attempt.started_at is not None and self.attempt.exit_code != 127

    @property
    def worked(self) -> bool:
        """Whether it was understood to have done its work."""
        return self.attempt is not None and self.attempt.state is AttemptState.SUCCEEDED

    @property
    def edited(self) -> bool:
        """Whether what it was to change is changed and merged."""
        return (
            self.workstream.state is WorkstreamState.MERGED and self.attempt is not None and bool(self.attempt.commit)
        )

    @property
    def usage_read(self) -> bool:
        """Whether it told what it used, and was understood."""
        return self.attempt is not None and self.attempt.reports > 0

    @property
    def cost_known(self) -> bool:
        """Whether all that it used has a price."""
        return self.usage_read and self.attempt is not None and self.attempt.unpriced == 0

    @property
    def good(self) -> bool:
        """Whether all was as it should be, as far as its settings promise."""
        return self.started and self.worked and self.edited


def try_agent(settings: Settings, name: str, model: str, say: Callable[[str], None]) -> Trial:
    """Has an agent do one small task in a repository that is made for it; it costs what that costs.

    Args:
        settings: the operator's; no gate runs, and it is tried once.
        name: the agent.
        model: the one to use instead of its own; empty leaves it.
        say: tells the operator what an interrupt does.

    Raises:
        UetError: git is missing, or the run could not be begun.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"uet-try-{name}-")).resolve()
    with ExitStack() as failed:
        failed.callback(shutil.rmtree, folder, ignore_errors=True)
        trial = _tried(folder, settings, name, model, say)
        failed.pop_all()
    return trial


def _tried(folder: Path, settings: Settings, name: str, model: str, say: Callable[[str], None]) -> Trial:
    (folder / FILE).write_text(_BEFORE, encoding="utf-8")
    found_repository(folder, "Begin")
    agent = settings.agents[name]
    tried = agent.model_copy(update={"model": model}) if model else agent
    chosen = settings.model_copy(update={"agents": {**settings.agents, name: tried}, "workers": 1, "land": "never"})
    task = f"echo {_AFTER.strip()} > {FILE}" if agent.prompt == "script" else f"Make {FILE} read: {_AFTER.strip()}"
    workstream = Workstream.model_validate(
        {
            "id": _WORKSTREAM,
            "openspec_change": "try",
            "ccpm_issue": 1,
            "gate": 1,
            "tool": name,
            "tasks": [task],
            "files_scope": [FILE],
            "timeout": _SECONDS,
            "estimated_seconds": 1,
            "circuit_breaker": {"max_attempts": 1},
        }
    )
    operator = repository_at(folder)
    opened = new_run(operator, build_plan([workstream]), chosen)
    Headless(opened, say).run()
    home = home_of(operator)
    with closing(Reader(home.database)) as reader:
        view = reader.run(opened.place.run)
        attempts = reader.attempts(opened.place.run, _WORKSTREAM)
        unpriced = [row.label for row in reader.costs(opened.place.run).by_model if row.unpriced]
    attempt = attempts[-1] if attempts else None
    output = home.run(opened.place.run).folder / attempt.folder / OUTPUT if attempt else None
    return Trial(view.workstreams[0], attempt, folder, output, next(iter(unpriced), ""))


def clear(trial: Trial) -> None:
    """Removes the scratch repository of a trial."""
    shutil.rmtree(trial.folder, ignore_errors=True)
