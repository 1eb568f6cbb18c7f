"""What is on record of a run, and what of it a step changes: marked to be written, with the events that tell of it."""

from uet_tui.core.changes import Changes, NewEvent
from uet_tui.core.records import AttemptRecord, ConflictRecord, ProviderRecord, Records, WorkerRecord, WorkstreamRecord
from uet_tui.core.states import WorkerState
from uet_tui.core.stories import Stories


class Journal:
    """The records of one run; whoever changes one marks it here."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.now = 0.0
        self.changes = Changes()
        self.stories = Stories()

    # What is on record

    def workstream(self, id: str) -> WorkstreamRecord:
        """The record of a workstream."""
        return self.records.workstreams[id]

    def attempt(self, workstream: str, number: int | None = None) -> AttemptRecord | None:
        """An attempt of a workstream; the newest without a number."""
        if number is None:
            number = self.records.workstreams[workstream].attempts
        return self.records.attempts.get((workstream, number))

    def live_workers(self) -> list[WorkerRecord]:
        """The workers that count toward the parallelism, by number."""
        gone = (WorkerState.TERMINATED, WorkerState.DRAINING)
        return sorted((w for w in self.records.workers.values() if w.state not in gone), key=lambda w: w.number)

    # Marking what is to be written

    def touch_run(self) -> None:
        """Marks the run's row as changed."""
        self.changes.run = self.records.run

    def touch_workstream(self, record: WorkstreamRecord) -> None:
        """Marks a workstream's row as changed."""
        self.changes.workstreams[record.id] = record

    def touch_attempt(self, record: AttemptRecord) -> None:
        """Marks an attempt's row as changed."""
        self.changes.attempts[record.workstream, record.number] = record

    def touch_worker(self, record: WorkerRecord) -> None:
        """Marks a worker's row as changed."""
        self.changes.workers[record.number] = record

    def touch_conflict(self, record: ConflictRecord) -> None:
        """Marks a conflict's row as changed."""
        self.changes.conflicts[record.id] = record

    def touch_provider(self, record: ProviderRecord) -> None:
        """Marks a provider's row as changed."""
        self.changes.providers[record.name] = record

    def tell(
        self,
        type: str,
        text: str,
        *,
        severity: str = "info",
        workstream: str | None = None,
        worker: int | None = None,
        attempt: int | None = None,
        **data: object,
    ) -> None:
        """Records an event."""
        self.changes.events.append(NewEvent(self.now, type, text, severity, workstream, worker, attempt, data))

    def why(self, record: WorkstreamRecord, reason: str) -> None:
        """Records why a workstream is where it is, if that is news."""
        if record.reason != reason:
            record.reason = reason
            self.touch_workstream(record)
