"""What the operator's cursor is on: the worker, the workstream and the conflict that an act would be for."""

from dataclasses import dataclass

from uet_tui.console.home.conflicts import ConflictsPane
from uet_tui.console.home.pane import Pane
from uet_tui.console.home.workers import WorkersPane
from uet_tui.store.views import RunView, WorkerView, WorkstreamView


@dataclass(frozen=True, slots=True)
class Selection:
    """What the operator's cursor is on."""

    worker: WorkerView | None = None
    workstream: WorkstreamView | None = None
    conflict: str | None = None
    """The id of an open conflict."""
    filtered: bool = False
    """Whether a pane leaves something out."""
    searching: bool = False
    """Whether a filter is being typed."""


def selected(view: RunView, pane: Pane, *, filtered: bool) -> Selection:
    """What a pane's cursor is on, and the worker and the open conflict that belong to it."""
    id = pane.workstream()
    workstream = None if id is None else view.workstream(id)
    worker = pane.worker() if isinstance(pane, WorkersPane) else None
    if worker is None and workstream is not None:
        worker = next((w for w in view.workers if w.number == workstream.worker), None)
    if isinstance(pane, ConflictsPane):
        conflict = next((c.id for c in view.conflicts if c.open and c.id == pane.selected), None)
    else:
        conflict = next((c.id for c in view.conflicts if c.open and c.workstream == id), None)
    return Selection(worker, workstream, conflict, filtered)
