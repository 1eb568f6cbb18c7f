"""Which acts apply at a place of a conflict, and why one does not. Pure."""

from dataclasses import dataclass

from uet_tui.console.desk.spots import Spot, file_at, hunk_at, proposed_at, spots
from uet_tui.console.desk.words import merging
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import RunView

DECIDE = frozenset({"approve", "take", "take_file", "whole", "undo", "undo_file", "edit"})
"""Actions that decide; none of them applies while something is being tried on the conflict."""
ACTS = DECIDE | {"again", "redo", "defer", "quarantine"}
"""Actions that change the conflict: none of them applies once it is closed or being merged."""
WALKS = frozenset({"hunk", "file", "conflict", "go"})
"""Actions that go elsewhere in the conflicts."""
_BUSY = {"ladder": "the ladder is being tried on it", "agent": "an agent is at it"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the operator is."""

    view: RunView
    conflict: ConflictView
    spot: Spot
    undoable: Spot | None
    """What undo would take back."""


def why_not(place: Place, action: str, parameter: object = None) -> str:
    """Why an action does not apply here, as a clause; empty if it does."""
    conflict, hunk = place.conflict, hunk_at(place.conflict, place.spot)
    if action in ACTS:
        if not conflict.open:
            return f"this conflict is closed ({conflict.state.value})"
        if merging(place.view, conflict):
            return "its resolution is in the merge queue: it comes back if it does not hold"
        if doing := _BUSY.get(conflict.busy, "") if action in {*DECIDE, "again"} else "":
            return f"{doing}: wait for what comes of it, or redo, defer or quarantine it"
    match action:
        case "take" | "take_file":
            return _why_not_take(place, parameter, whole=action == "take_file" or hunk is None)
        case "whole" if hunk is None:
            return "this file has no hunks: every act is for the whole file"
        case "edit":
            return _why_not_edit(place)
        case "undo" | "undo_file" if place.undoable is None:
            return "nothing is decided here that could be taken back"
        case "hunk" if len(spots(conflict)) == 1:
            return "there is only this place to decide"
        case "file" if len(conflict.files) == 1:
            return "this is the only file in conflict"
        case "conflict" if len(place.view.conflicts) == 1:
            return "this is the only conflict"
        case _:
            return ""


def ways(place: Place) -> str:
    """How this place can be decided, with the keys: `o ours, t theirs, b B both, e edit`."""
    keys = {
        "o ours": ("take", "ours"),
        "t theirs": ("take", "theirs"),
        "b B both": ("take", "both"),
        "p the proposal": ("take", "proposal"),
        "e edit": ("edit", None),
    }
    return ", ".join(key for key, act in keys.items() if not why_not(place, *act))


def _why_not_take(place: Place, side: object, *, whole: bool) -> str:
    file = file_at(place.conflict, place.spot)
    if file is None:
        return "this file is no longer in conflict"
    if side == "proposal" and not proposed_at(place.conflict, place.spot):
        return "nothing is proposed here: n asks the agent"
    if side == "proposal" and whole and not file.proposed_by:
        return "the proposal is not for the whole file: take it hunk by hunk"
    if side in ("both", "both-theirs-first") and not file.hunks:
        return "this file can only be taken whole: there is nothing to put together"
    return ""


def _why_not_edit(place: Place) -> str:
    file = file_at(place.conflict, place.spot)
    texts = ("content", "add/add", "modify/delete", "delete/modify", "lossy", "rename", "mode")
    if file is None or file.hunks or file.kind in texts:
        return ""
    return f"there is no text to edit ({file.kind}): take a side whole"
