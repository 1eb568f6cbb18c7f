"""Where the console gets what it shows and sends what the operator wants."""

import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Protocol

from pydantic import ValidationError

from uet_tui.console.screens import Field
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.errors import UetError
from uet_tui.store import artifacts, inbox
from uet_tui.store.artifacts import Piece
from uet_tui.store.conflict_text import SideText, conflict_text, side_text
from uet_tui.store.conflict_views import GateView
from uet_tui.store.cost_views import CostBreakdown
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import AttemptView, EventView, RunView

ANSWER_SECONDS = 10.0
"""How long a command waits for its answer; an orchestrator that is alive answers within half a second."""


class RunSource(Protocol):
    """What the app needs of a run. Every method may block and may raise `UetError`: call it from a thread."""

    def revision(self) -> int:
        """A number that grows with every write to the run."""
        ...

    def run(self) -> RunView:
        """The whole run."""
        ...

    def events(self, after: int, limit: int) -> tuple[EventView, ...]:
        """Events with an id greater than `after`, oldest first."""
        ...

    def last_events(self, count: int, workstream: str | None = None) -> tuple[EventView, ...]:
        """The newest events, oldest first."""
        ...

    def attempts(self, workstream: str) -> tuple[AttemptView, ...]:
        """The attempts of a workstream, first to last."""
        ...

    def costs(self) -> CostBreakdown:
        """Where the money and the tokens went."""
        ...

    def gates(self, workstream: str) -> tuple[GateView, ...]:
        """What gates said of a workstream, in the order in which they spoke."""
        ...

    def output(self, folder: str, offset: int) -> Piece:
        """What an attempt printed, from a byte offset on; `folder` is that of its view."""
        ...

    def prompt(self, folder: str) -> str:
        """The prompt of an attempt."""
        ...

    def context(self, folder: str) -> str:
        """What the prompt of an attempt comes to, and which files it leaves out, and why; empty if nobody counted."""
        ...

    def diff(self, folder: str) -> str:
        """The diff of an attempt."""
        ...

    def conflict_text(self, conflict: str, index: int) -> str:
        """The text of a conflict's file, with its conflict markers; `index` is the file's in its view, from 0."""
        ...

    def conflict_side(self, conflict: str, index: int, side: str) -> SideText | None:
        """What a conflict's file is on one of the `SIDES`; None if it is not there, or if hunks tell it."""
        ...

    def send(self, verb: Verb, **fields: Field) -> Answer:
        """Sends a command and waits for its answer; what went wrong is in the answer, too."""
        ...


class StoreSource:
    """A run read from its store and steered through its inbox."""

    def __init__(self, home: Home, run: str, by: str, carry_out: Callable[[Command], Answer] | None = None) -> None:
        """Opens the store.

        Args:
            home: the `.uet` folder.
            run: the full id of the run.
            by: the operator's login name.
            carry_out: does a command where no orchestrator has the run; raises `UetError` if it needs one.

        Raises:
            UetError: there is no store.
        """
        self._run = run
        self._by = by
        self._paths = home.run(run)
        self._reader = Reader(home.database)
        self._turn = Lock()
        self._carry_out = carry_out

    def close(self) -> None:
        """Closes the store."""
        with self._turn:
            self._reader.close()

    def revision(self) -> int:
        """A number that grows with every write to the run."""
        with self._turn:
            return self._reader.revision(self._run)

    def run(self) -> RunView:
        """The whole run."""
        with self._turn:
            return self._reader.run(self._run)

    def events(self, after: int, limit: int) -> tuple[EventView, ...]:
        """Events with an id greater than `after`, oldest first."""
        with self._turn:
            return self._reader.events(self._run, after=after, limit=limit)

    def last_events(self, count: int, workstream: str | None = None) -> tuple[EventView, ...]:
        """The newest events, oldest first."""
        with self._turn:
            return self._reader.last_events(self._run, count, workstream=workstream)

    def attempts(self, workstream: str) -> tuple[AttemptView, ...]:
        """The attempts of a workstream, first to last."""
        with self._turn:
            return self._reader.attempts(self._run, workstream)

    def costs(self) -> CostBreakdown:
        """Where the money and the tokens went."""
        with self._turn:
            return self._reader.costs(self._run)

    def gates(self, workstream: str) -> tuple[GateView, ...]:
        """What gates said of a workstream, in the order in which they spoke."""
        with self._turn:
            return self._reader.gates(self._run, workstream)

    def output(self, folder: str, offset: int) -> Piece:
        """What an attempt printed, from a byte offset on."""
        return artifacts.read_output(self._folder(folder), offset)

    def prompt(self, folder: str) -> str:
        """The prompt of an attempt."""
        return artifacts.read_prompt(self._folder(folder))

    def context(self, folder: str) -> str:
        """What an attempt's prompt comes to."""
        return artifacts.read_context(self._folder(folder))

    def diff(self, folder: str) -> str:
        """The diff of an attempt."""
        return artifacts.read_diff(self._folder(folder))

    def conflict_text(self, conflict: str, index: int) -> str:
        """The text of a conflict's file, with its conflict markers."""

        def version() -> str:
            return next((one.version for one in self.run().conflicts if one.id == conflict), "")

        return conflict_text(self._folder(f"conflicts/{conflict}"), index, version)

    def conflict_side(self, conflict: str, index: int, side: str) -> SideText | None:
        """What a conflict's file is on one of the `SIDES`."""
        return side_text(self._folder(f"conflicts/{conflict}"), index, side)

    def send(self, verb: Verb, **fields: Field) -> Answer:
        """Sends a command through the inbox, or has it carried out at once where no orchestrator has the run."""
        id = uuid.uuid4().hex
        about = {"id": id, "verb": verb, "by": self._by, "source": f"console:{os.getpid()}", "at": datetime.now(UTC)}
        try:
            command = Command.model_validate({**fields, **about})
        except ValidationError as error:
            return Answer(id=id, ok=False, message=f"{verb}: {error.errors()[0]['msg']}")
        try:
            answer = inbox.deliver(self._paths, command, ANSWER_SECONDS, self._carry_out or self._nobody)
        except UetError as error:
            return Answer(id=id, ok=False, message=str(error))
        late = f"no answer to {verb} within {ANSWER_SECONDS:.0f} s; it stays in the inbox and may still be done"
        return answer or Answer(id=id, ok=False, message=late)

    def _nobody(self, command: Command) -> Answer:
        raise UetError(f"no orchestrator has this run: `uet resume {self._run}` goes on with it")

    def _folder(self, folder: str) -> Path:
        return self._paths.folder / folder
