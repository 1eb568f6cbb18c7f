"""The banner: what the operator must know before anything else, only when there is such a thing."""

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from uet_tui.console.amounts import spent
from uet_tui.console.format import between, cell, clock, money, plural, run_look, workstream_look
from uet_tui.core.states import RUN_OVER, RunState, WorkstreamState
from uet_tui.store.views import RunView

LISTED = 3
"""How many workstreams that did not merge are named."""


def landable(view: RunView) -> bool:
    """Whether landing is the next step: everything is merged and not landed."""
    return bool(view.workstreams) and view.merged == len(view.workstreams) and view.landed_at is None


def summary(view: RunView, now: datetime, width: int) -> Content:
    """What came of a run that is over: how much merged, what it took, what did not merge and why, what to press."""
    look = run_look(view.state)
    total = len(view.workstreams)
    facts = (
        f"  {view.merged} of {total} merged in {between(view.started_at, view.ended_at, now)}, "
        f"{spent(view.costs)}, {plural(view.costs.retries, 'retry', 'retries')}"
    )
    if view.landed_at is not None:
        step = f"landed on {view.target_branch}   q leave"
    elif landable(view):
        step = f"L land on {view.target_branch}   q leave" if view.target_branch else "L land   q leave"
    else:
        step = "enter on a workstream shows why, r retries it   q leave"
    lines = [Content.assemble(look.content, facts), Content.styled(step, "bold")]
    wrong = [ws for ws in view.workstreams if ws.state is not WorkstreamState.MERGED]
    for ws in wrong[:LISTED]:
        mark = workstream_look(ws.state)
        text = cell(f"{mark.glyph} {ws.id}  {mark.word}  {ws.reason}", width)
        lines.append(Content.styled(text, mark.style))
    if len(wrong) > LISTED:
        lines.append(Content.styled(f"  and {len(wrong) - LISTED} more in the waves", "$foreground-muted"))
    return Content("\n").join(line.truncate(width, ellipsis=True) for line in lines)


def halted(view: RunView) -> str:
    """What to press or type about a run that its budget halted, and how it goes on then."""
    costs = view.costs
    limit = "" if costs.budget_usd is None else f" of {money(costs.budget_usd)}"
    if "price" in costs.note:  # more money would not help
        return f"$ halted: {costs.note}; then `uet resume {view.id}`"
    said = f"$ halted by the budget: {spent(costs)}{limit} spent."
    if not view.alive and costs.budget_usd is not None and costs.budget_usd > costs.spent_usd + costs.reserved_usd:
        return f"{said} `uet resume {view.id}` goes on with it, b or `uet budget --total X` raises the budget"
    on = "and the run goes on" if view.alive else f"then `uet resume {view.id}` goes on with it"
    return f"{said} b or `uet budget --total X` raises it, {on}"


def left(view: RunView) -> str:
    """What became of a run that nobody drives, and how it goes on."""
    if view.crashed_at is None:
        return f"! no orchestrator has this run: `uet resume {view.id}` goes on with it"
    agents = plural(view.busy, "workstream was", "workstreams were")
    return (
        f"! its orchestrator died: the last that it told is of {clock(view.crashed_at)}, when {agents} at work.\n"
        f"Nothing is lost, agents go on by themselves: `uet resume {view.id}` takes up what they did and goes on"
    )


class Banner(Static):
    """A few lines under the header; not there when there is nothing to say."""

    def __init__(self) -> None:
        super().__init__(id="banner", markup=False)
        self._failure = ""
        self._view: RunView | None = None
        self._now: datetime | None = None

    def show(self, view: RunView, now: datetime) -> None:
        """Takes the newest view."""
        self._view, self._now = view, now
        self._say()

    def fail(self, text: str) -> None:
        """Says that the run cannot be read at present; nothing takes it back."""
        self._failure = text
        self._say()

    def on_resize(self) -> None:
        """Cuts the lines anew."""
        self._say()

    def _say(self) -> None:
        content, kind = self._content()
        self.display = bool(content)
        self.set_class(kind == "bad", "-bad")
        self.set_class(kind == "good", "-good")
        self.update(content)

    def _content(self) -> tuple[Content, str]:
        width = max(20, self.app.size.width - 4)
        if self._failure:
            said = f"! cannot read the run: {self._failure}"
            return Content(said).truncate(width, ellipsis=True) + "\nWhat is shown is the last that was read.", "bad"
        view = self._view
        if view is None or self._now is None:
            return Content(""), ""
        if view.state in RUN_OVER:
            return summary(view, self._now, width), "good" if view.state is RunState.COMPLETED else "bad"
        if view.state is RunState.HALTED:
            return Content(halted(view)), "bad"
        if not view.alive and view.started_at is not None:
            return Content(left(view)), "bad"
        if frozen := [need.text for need in view.needs if need.kind == "frozen"]:
            more = f" (and {len(frozen) - 1} more)" if frozen[1:] else ""
            return Content(f"❄ {frozen[0]}{more}; f thaws").truncate(width, ellipsis=True), ""
        return Content(""), ""
