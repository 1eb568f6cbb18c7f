"""Read-only queries; the only way that the console, the command line and the reports see a run."""

from pathlib import Path

from uet_tui.store.views import AttemptView, EventView, RunSummary, RunView


class Reader:
    """A read-only view of a store; cheap to make, safe to use from one thread at a time.

    The database is opened with `mode=ro`: whatever a reader does, it cannot write. Raises `UetError` when there is
    no store or it cannot be read.
    """

    def __init__(self, database: Path) -> None: ...

    def close(self) -> None: ...

    def runs(self) -> tuple[RunSummary, ...]:
        """All runs, newest first."""
        ...

    def newest(self) -> str:
        """The id of the newest run; raises `UetError` if there is none."""
        ...

    def resolve(self, run: str | None) -> str:
        """A full run id from None (newest), an id, or an unambiguous prefix of one."""
        ...

    def revision(self, run: str) -> int:
        """A number that grows with every write to the run: one indexed read, fit for polling at 10 Hz."""
        ...

    def run(self, run: str) -> RunView:
        """The whole run in one transaction."""
        ...

    def events(self, run: str, *, after: int = 0, limit: int = 1000) -> tuple[EventView, ...]:
        """Events with an id greater than `after`, oldest first."""
        ...

    def last_events(self, run: str, count: int, *, workstream: str | None = None) -> tuple[EventView, ...]:
        """The newest `count` events, oldest first."""
        ...

    def attempts(self, run: str, workstream: str) -> tuple[AttemptView, ...]:
        """The attempts of a workstream, first to last."""
        ...
