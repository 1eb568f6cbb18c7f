"""The four boxes of the desk: ours, theirs, base and proposal, beside each other or stacked."""

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from uet_tui.console.desk.marks import side_lines
from uet_tui.console.desk.side import SideBox
from uet_tui.console.desk.spots import Spot, choice_at, file_at, hunk_at
from uet_tui.console.desk.words import kind_words, ours_name
from uet_tui.console.format import end_time
from uet_tui.store.conflict_views import ConflictFileView, ConflictView, HunkView
from uet_tui.store.views import RunView


class Sides(VerticalScroll, can_focus=False):
    """What each side did at one spot; draws only when that changed, so that scrolling is left alone."""

    def __init__(self) -> None:
        super().__init__(id="sides")
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        """Ours and theirs first: they are what one chooses from."""
        for name in ("ours", "theirs", "base", "proposal"):
            yield SideBox(id=name)

    def show(self, view: RunView, conflict: ConflictView, spot: Spot, now: datetime) -> None:
        """Shows a spot."""
        file, hunk, choice = file_at(conflict, spot), hunk_at(conflict, spot), choice_at(conflict, spot) or ""
        ours, theirs = _ours_title(view, conflict, now), _theirs_title(view, conflict)
        drawn = (conflict.id, file, hunk, choice, ours, theirs)
        if file is None or drawn == self._drawn:
            return
        self._drawn = drawn
        self._box("ours").label(ours, {"ours": "taken", "both": "taken first"}.get(choice, ""))
        self._box("theirs").label(theirs, {"theirs": "taken", "both": "taken second"}.get(choice, ""))
        proposal = hunk.proposal if hunk else None
        self._box("proposal").display = proposal is not None
        self._box("base").set_class(proposal is None, "-wide")
        if hunk is None:
            self._show_file(file)
            return
        self._show_hunk(file, hunk)
        if proposal is not None:
            by = conflict.proposal or "an earlier resolution"
            self._box("proposal").label(f"proposal: by {by}", "taken" if choice == "proposal" else "")
            self._box("proposal").show(side_lines(hunk, proposal), file.path)

    def _show_hunk(self, file: ConflictFileView, hunk: HunkView) -> None:
        self._box("ours").show(side_lines(hunk, hunk.ours), file.path)
        self._box("theirs").show(side_lines(hunk, hunk.theirs), file.path)
        self._box("base").label("base: before both")
        self._box("base").show(side_lines(hunk, hunk.base), file.path)

    def _show_file(self, file: ConflictFileView) -> None:
        what, with_ours, with_theirs = kind_words(file)
        self._box("ours").say(f"o takes {with_ours}")
        self._box("theirs").say(f"t takes {with_theirs}")
        self._box("base").label("what happened")
        self._box("base").say(f"{file.path}: {what}")

    def _box(self, name: str) -> SideBox:
        return self.query_one(f"#{name}", SideBox)


def _ours_title(view: RunView, conflict: ConflictView, now: datetime) -> str:
    merged = [ws.ended_at for id in conflict.against if (ws := view.workstream(id)) and ws.ended_at]
    return f"ours: {ours_name(conflict)}" + (f", merged {end_time(max(merged), now)}" if merged else "")


def _theirs_title(view: RunView, conflict: ConflictView) -> str:
    ws = view.workstream(conflict.workstream)
    return f"theirs: {conflict.workstream}" + (f" ({ws.agent}, attempt {ws.attempts})" if ws else "")
