"""The merge queue: who waits to be merged, and in which order they go.

First what the operator put first, then who was overtaken too often, the oldest before; then who unblocks most, by
priority, age and id. What came in later and was taken earlier counts as overtaking, so nobody waits for ever.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import islice

from uet_tui.core.records import Records, WorkstreamRecord
from uet_tui.plan.model import Plan, Priority

Place = tuple[int, float, int, float, str]
"""What the order goes by; lower goes first. It ends with the id."""
_FIRST, _IMPATIENT, _PATIENT = range(3)


class MergeQueue:
    """The workstreams that are QUEUED. Those that the operator holds are in it, but are not taken."""

    def __init__(self, plan: Plan, records: Records, patience: int) -> None:
        """`patience` is how many may overtake one before it goes first."""
        self._plan = plan
        self._rows = records.workstreams
        self._patience = patience
        self._order: list[Place] = []
        self._places: dict[str, Place] = {}
        self._patient: list[tuple[float, str]] = []
        """Who can be overtaken once more, the oldest first."""
        self.held: set[str] = set()
        """Who waits for the operator to let go."""
        self.moved: int | None = None
        """From which place on, counted from 0, they are other ones than was last told; None if they are the same."""

    def __bool__(self) -> bool:
        """Whether anything in it may be taken."""
        return bool(self._order)

    def place(self, record: WorkstreamRecord) -> Place:
        """Where a workstream belongs in the order: from what is on record alone, so it is the same after a crash."""
        since = record.queued_at or 0.0
        if not record.first and record.overtaken >= self._patience:
            return _IMPATIENT, since, 0, 0.0, record.id
        ws = self._plan.workstreams[record.id]
        rank = int(ws.priority is not Priority.FOREGROUND)
        return _FIRST if record.first else _PATIENT, -self._plan.unblocks[ws.id], rank, since, ws.id

    def add(self, record: WorkstreamRecord) -> None:
        """Lets a QUEUED workstream in, or gives it the place that it has now."""
        if record.id in self._places or record.id in self.held:
            self.discard(record.id)
        if record.held:
            self.held.add(record.id)
            return
        place = self._places[record.id] = self.place(record)
        at = bisect_left(self._order, place)
        self._order.insert(at, place)
        self.moved = at if self.moved is None else min(self.moved, at)
        if record.overtaken < self._patience:
            insort(self._patient, (record.queued_at or 0.0, record.id))

    def discard(self, id: str) -> None:
        """Takes a workstream out, if it is in."""
        self.held.discard(id)
        place = self._places.pop(id, None)
        if place is None:
            return
        at = bisect_left(self._order, place)
        del self._order[at]
        self.moved = at if self.moved is None else min(self.moved, at)
        age = (self._rows[id].queued_at or 0.0, id)
        at = bisect_left(self._patient, age)
        if at < len(self._patient) and self._patient[at] == age:
            del self._patient[at]

    def next_ones(self, most: int, after: int = 0) -> Iterator[WorkstreamRecord]:
        """Who goes next, in order, up to a place; without the first ones, if so wished."""
        return (self._rows[place[-1]] for place in islice(self._order, after, most))

    def take(self, most: int) -> list[WorkstreamRecord]:
        """Takes out the next ones that may go together: at most so many, and what resolves a conflict alone."""
        taken: list[WorkstreamRecord] = []
        for record in self.next_ones(most):
            if taken and (record.conflict or taken[0].conflict):
                break
            taken.append(record)
        for record in taken:
            self.discard(record.id)
        return taken

    def overtake(self, taken: Iterable[WorkstreamRecord]) -> list[WorkstreamRecord]:
        """Counts those that were taken for all that came before them; gives whose count changed."""
        passed: dict[str, WorkstreamRecord] = {}
        for record in taken:
            older = bisect_left(self._patient, (record.queued_at or 0.0, record.id))
            for _, id in self._patient[:older]:
                passed[id] = self._rows[id]
                passed[id].overtaken += 1
        for record in passed.values():
            if record.overtaken >= self._patience:
                self.add(record)
        return list(passed.values())
