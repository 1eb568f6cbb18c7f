"""What came of a run, at its end."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from uet_tui.console.amounts import spent
from uet_tui.console.dialogs.dialog import Dialog, key_button
from uet_tui.console.format import cell, conflict_look, duration, money, plural, run_look, workstream_look
from uet_tui.core.states import ConflictState, WorkstreamState
from uet_tui.store.views import RunView

Ending = Literal["land", "leave"]


class SummaryDialog(Dialog[Ending]):
    """Says how the run ended and what to do now; None goes back to the console."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "answer('land')", "Land", id="summary.land"),
        Binding("q", "answer('leave')", "Leave", id="summary.leave"),
        Binding("enter", "leave", "Back", show=False),
    ]

    def __init__(self, view: RunView) -> None:
        super().__init__(f"Run {view.id} is over")
        self._view = view

    def body(self) -> Iterable[Widget]:
        """The figures, then what did not merge."""
        yield Static(Content("\n").join(summary(self._view)))

    def buttons(self) -> Iterable[Button]:
        """Landing first, where there is something to land."""
        if self._view.merged and self._view.landed_at is None:
            yield key_button("L", f"land on {self._view.target_branch or '…'}", "screen.answer('land')", id="land")
        yield key_button("escape", "look around", "screen.leave", id="back")
        yield key_button("q", "leave", "screen.answer('leave')", id="leave")

    def action_answer(self, ending: Ending) -> None:
        """Hands the answer back; where nothing is left to land there is nothing to say."""
        if ending == "leave" or (self._view.merged and self._view.landed_at is None):
            self.dismiss(ending)


def summary(view: RunView) -> list[Content]:
    """The lines of the summary."""
    costs = view.costs
    wasted = f", {money(costs.wasted_usd)} of it wasted in {plural(costs.retries, 'retry', 'retries')}"
    lines = [
        _line("state", run_look(view.state).content + (f"  {view.reason}" if view.reason else "")),
        _line("merged", Content(f"{view.merged} of {len(view.workstreams)} workstreams")),
        _line("took", Content(_took(view.started_at, view.ended_at))),
        _line("cost", Content(spent(costs) + (wasted if costs.wasted_usd or costs.retries else ""))),
        *(_line("conflicts" if index == 0 else "", line) for index, line in enumerate(_conflicts(view))),
        _line(
            "landed", Content("yes" if view.landed_at else f"not yet: {view.target_branch or 'no branch'} is as it was")
        ),
    ]
    left = [ws for ws in view.workstreams if ws.state is not WorkstreamState.MERGED]
    if left:
        lines += [Content(""), Content.styled(f"Not merged: {len(left)}", "bold")]
    for ws in left:
        look = workstream_look(ws.state)
        lines.append(Content.styled(cell(f"{look.glyph} {look.word}", 14), look.style) + f"{ws.id}  {ws.reason}")
    return lines


def _conflicts(view: RunView) -> list[Content]:
    if not view.conflicts:
        return [Content("none")]
    who = {
        ConflictState.AUTO_RESOLVED: "resolved by the machine",
        ConflictState.AGENT_RESOLVED: "resolved by an agent",
        ConflictState.HUMAN_RESOLVED: "resolved by the operator",
        ConflictState.QUARANTINED: "given up",
    }
    counts = Counter((conflict.state, conflict.by) for conflict in view.conflicts)
    return [
        Content.styled(f"{conflict_look(state).glyph} ", conflict_look(state).style)
        + f"{count} {who.get(state, 'not decided')}"
        + (f" ({by})" if by else "")
        for (state, by), count in counts.items()
    ]


def _took(start: datetime | None, end: datetime | None) -> str:
    return duration((end - start).total_seconds()) if start and end else "it never began"


def _line(name: str, value: Content) -> Content:
    return Content.styled(f"{name:<11}", "$foreground-muted") + value
