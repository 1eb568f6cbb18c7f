"""What the desk asks before it acts: for a note, or whether one is sure."""

from uet_tui.console.desk.words import held_up
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.note import NoteDialog
from uet_tui.store.conflict_views import ConflictView

REDO = (
    "An agent does its tasks again, from the tip of the integration branch. What it wrote the first time stays on its "
    "branch; what you decided here is dropped. A note tells the agent what to do otherwise."
)
ASK = "The agent gets base, both sides with their tasks, and this note, and proposes a resolution."
AGAIN = (
    "The agent gets base, both sides with their tasks, and this note, and proposes anew; until then the present "
    "proposal is not touched."
)
QUARANTINE = (
    "It is not merged in this run, and what waits behind it is skipped. Its work stays on its branch, and a retry "
    "brings it back."
)


def again(conflict: ConflictView) -> NoteDialog:
    """What to tell the agent that is asked; nothing, if it is the first time."""
    first = conflict.proposal is None
    return NoteDialog(
        f"Ask the agent about {conflict.id}", ASK if first else AGAIN, "ask", conflict.note, optional=first
    )


def redo(conflict: ConflictView) -> NoteDialog:
    """What to do otherwise the second time."""
    return NoteDialog(f"Do {conflict.workstream} again?", REDO + held_up(conflict), "redo on the tip", optional=True)


def quarantine(conflict: ConflictView) -> ConfirmDialog:
    """Whether the workstream is to be given up."""
    return ConfirmDialog(f"Quarantine {conflict.workstream}?", QUARANTINE + held_up(conflict), "quarantine it")


def approve(conflict: ConflictView, doubts: str) -> ConfirmDialog:
    """Whether what speaks against merging it is known and does not matter."""
    return ConfirmDialog(f"Approve {conflict.workstream} all the same?", doubts, "approve it")
