"""What is shown of one conflict: where one is, the four sides, what speaks for them, and what comes next."""

from collections.abc import Mapping
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from uet_tui.console.desk import evidence
from uet_tui.console.desk.applies import Place, ways
from uet_tui.console.desk.sides import Sides
from uet_tui.console.desk.sitting import Sitting
from uet_tui.console.desk.spots import spots
from uet_tui.console.desk.words import both_tasks, heading, ours_name, place, strip, tasks, what_next


class ConflictPage(Vertical):
    """A line for each thing to know of a conflict, around the sides of one place in it."""

    def __init__(self) -> None:
        super().__init__(id="conflict")

    def compose(self) -> ComposeResult:
        """From the whole to the parts."""
        for name in ("heading", "strip", "place"):
            yield Static(id=name, markup=False)
        yield Sides()
        for name in ("tried", "verdicts", "tasks-ours", "tasks-theirs", "tasks-both", "next"):
            yield Static(id=name, markup=False)

    def tell(self, here: Place, sitting: Sitting, now: datetime, width: int, since: str) -> None:
        """Says all there is to say but the sides, which change less often; `since`: how long an agent is at it."""
        view, conflict, spot, sent = here.view, here.conflict, here.spot, sitting.sent
        said: Mapping[str, Content] = {
            "#heading": heading(view, conflict, sent, now, width),
            "#strip": strip(conflict, spot, sent, width),
            "#place": place(conflict, spot, sent, whole=sitting.whole, width=width),
            "#tried": evidence.tried(conflict),
            "#verdicts": evidence.verdicts(conflict),
            "#tasks-ours": tasks(ours_name(conflict), conflict.ours_tasks),
            "#tasks-theirs": tasks(conflict.workstream, conflict.theirs_tasks),
            "#tasks-both": both_tasks(conflict, width),
            "#next": what_next(view, conflict, sent, ways(here), since),
        }
        self.query_one("#strip").display = len(spots(conflict)) > 1
        for id, content in said.items():
            self.query_one(id, Static).update(content, layout=False)
