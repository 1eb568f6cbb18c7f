"""The one writer of the store. Every write carries the orchestrator's token; a stale orchestrator can write nothing."""

from collections.abc import Iterable
from pathlib import Path

from uet_tui.core.commands import Answer, Command
from uet_tui.core.records import Changes, Records
from uet_tui.errors import UetError
from uet_tui.plan.model import Plan


class FencedError(UetError):
    """Another orchestrator took the run: this one must stop at once and write nothing."""

    exit_code = 5


class Writer:
    """Writes one store; used by one thread. Making one creates the database or migrates it, under a file lock."""

    def __init__(self, database: Path) -> None: ...

    def create_run(self, records: Records, plan: Plan) -> None:
        """Writes a new run with all its rows; raises `UetError` if the id is taken."""
        ...

    def claim(self, run: str, token: str, pid: int) -> None:
        """Makes `token` the only one whose writes count; call it only while holding the run's lock."""
        ...

    def release(self, run: str, token: str) -> None:
        """Lets go of the run."""
        ...

    def load(self, run: str) -> Records:
        """All records of a run, as last committed."""
        ...

    def commit(
        self, run: str, token: str, changes: Changes, commands: Iterable[tuple[Command, Answer]] = ()
    ) -> None:
        """Writes the changes, their events and the answered commands in one transaction, and raises the revision.

        Raises:
            FencedError: the token is not the run's; nothing was written.
        """
        ...

    def close(self) -> None: ...
