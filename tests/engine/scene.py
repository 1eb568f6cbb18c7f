"""A stage for whole runs: workstreams in a line each, an orchestrator in this process, a store to look at."""

import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.repository import Repository
from tests.support.wait import until
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.offline import carry_out
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import OpenRun, home_of, new_run, open_run, repository_at
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Workstream
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import Settings
from uet_tui.store import inbox
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView

QUICK = ("retry.base_seconds=0.05", "retry.jitter=0", "grace_seconds=0.5", "simulated.speed=50")


def workstream(id: str, *script: str, scope: Sequence[str] = ("**",), **fields: Any) -> Workstream:
    """A workstream whose agent is a shell script."""
    facts = {"openspec_change": "OS-1", "ccpm_issue": 1, "gate": 1, "tool": "shell"}
    return Workstream.model_validate({"id": id, "tasks": script, "files_scope": scope, **facts, **fields})


def settings(*sets: str) -> Settings:
    """The shipped settings, made quick, with changes."""
    return load_settings(None, {}, (*QUICK, *sets), {}).settings


class Scene:
    """One repository with one run after another."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.operator = repository_at(repository.path)
        self.home = home_of(self.operator)
        self.orchestrator: Orchestrator | None = None
        self.run = ""

    def begin(
        self, *workstreams: Workstream, sets: Sequence[str] = (), linger: bool = False, agent: str | None = None
    ) -> OpenRun:
        """Starts a run in this process."""
        opened = new_run(self.operator, build_plan(workstreams), settings(*sets), agent=agent)
        self.run = opened.place.run
        self._start(opened, linger)
        return opened

    def resume(self, *sets: str, linger: bool = False) -> OpenRun:
        """Takes the run up again, with other settings as `uet resume --set` does."""
        tops = {one.partition("=")[0].partition(".")[0] for one in sets}
        changed = settings(*sets).model_dump(mode="json", include=tops) if sets else None
        opened = open_run(self.home, self.run, overrides=changed)
        self._start(opened, linger)
        return opened

    def _start(self, opened: OpenRun, linger: bool) -> None:
        self.orchestrator = Orchestrator(opened.place, opened.hold, linger=linger)
        self.orchestrator.start()

    def finish(self, seconds: float = 30) -> RunView:
        """Waits until the orchestrator lets go, and gives the run as it then is."""
        assert self.orchestrator is not None
        assert self.orchestrator.join(seconds), f"the run does not end: {self.view()}"
        if self.orchestrator.failure is not None:
            raise self.orchestrator.failure
        return self.view()

    def view(self) -> RunView:
        """The run as a reader sees it."""
        reader = Reader(self.home.database)
        try:
            return reader.run(self.run)
        finally:
            reader.close()

    def events(self, type: str | None = None) -> list[str]:
        """The texts of the run's events, of one type if named."""
        reader = Reader(self.home.database)
        try:
            found = reader.events(self.run, limit=100_000)
        finally:
            reader.close()
        return [event.text for event in found if type in (None, event.type)]

    def state(self, id: str) -> WorkstreamState:
        """Where a workstream is."""
        found = self.view().workstream(id)
        assert found is not None
        return found.state

    def sql(self, query: str, *values: object) -> list[tuple]:
        """What the store holds, asked behind the product's back."""
        with closing(sqlite3.connect(self.home.database)) as connection:
            return connection.execute(query, values).fetchall()

    def rewrite(self, statement: str, *values: object) -> None:
        """Changes what the store holds, behind the product's back."""
        with closing(sqlite3.connect(self.home.database)) as connection, connection:
            connection.execute(statement, values)

    def until_state(self, id: str, state: WorkstreamState, seconds: float = 15) -> None:
        """Waits for a workstream to come to a state."""
        until(lambda: self.state(id) is state, seconds, f"{id} to be {state}")

    def until_published(self, ref: str, seconds: float = 10) -> None:
        """Waits for the operator's repository to have a ref."""
        until(lambda: self.repository.git("rev-parse", "-q", "--verify", ref, check=False), seconds, ref)

    def command(self, verb: Verb, **fields: Any) -> Command:
        """A command of an operator in a second terminal."""
        return Command(id=uuid.uuid4().hex, verb=verb, by="ann", source="cli:1", at=datetime.now(UTC), **fields)

    def ask(self, verb: Verb, **fields: Any) -> Answer:
        """Sends a command to the live orchestrator and waits for the answer."""
        command = self.command(verb, **fields)
        inbox.submit(self.home.run(self.run), command)
        answer = inbox.wait(self.home.run(self.run), command.id, 10)
        assert answer is not None, f"no answer to {verb}"
        return answer

    def ask_offline(self, verb: Verb, **fields: Any) -> Answer:
        """Has a command carried out on a run that nobody has."""
        return carry_out(self.home, self.run, self.command(verb, **fields), lambda _: None)

    def leave(self) -> None:
        """Ends what still runs, for the teardown."""
        orchestrator = self.orchestrator
        if orchestrator is not None and orchestrator.alive:
            self.ask(Verb.STOP)
            until(lambda: not self._active() or orchestrator.join(0), 15, "agents to end")
            if not orchestrator.join(1):
                self.ask(Verb.DETACH)
                orchestrator.join(15)

    def _active(self) -> bool:
        return any(ws.state.value in ("RUNNING", "GATING", "MERGING") for ws in self.view().workstreams)

    def file(self, name: str, ref: str | None = None) -> str:
        """A file as the integration branch (or another commit) has it."""
        return self.repository.git("show", f"{ref or f'refs/heads/uet/{self.run}'}:{name}")


def attempt_folder(scene: Scene, id: str, number: int = 1) -> Path:
    """Where an attempt of the present run keeps its files."""
    return scene.home.run(scene.run).attempt(id, number)
