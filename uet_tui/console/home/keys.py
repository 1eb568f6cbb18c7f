"""The keys of the home screen: what they are called, and when each of them applies."""

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content

from uet_tui.console.home.banner import landable
from uet_tui.console.home.selection import Selection
from uet_tui.console.key_bar import KeyBar
from uet_tui.core.states import RUN_OVER, BudgetStage, RunState, WorkerState, WorkstreamState
from uet_tui.store.views import RunView

_SCALE = Binding.Group("workers")
_PANES = Binding.Group("panes")

BINDINGS: list[BindingType] = [
    Binding("space", "pause_run", "pause run", id="home.pause", tooltip="Start nothing new; what runs goes on"),
    Binding("space", "continue_run", "continue run", id="home.continue", tooltip="Start workstreams again"),
    Binding("L", "land", "land", id="home.land", tooltip="Move the target branch to the integration branch"),
    Binding("s", "summary", "summary", id="home.summary", tooltip="What came of the run"),
    Binding("r", "retry", "retry", id="home.retry", tooltip="Try the workstream again"),
    Binding("w", "next_need", "for me", id="home.need", tooltip="Go to the next thing that needs me"),
    Binding("c", "conflicts", "conflicts", id="home.conflicts", tooltip="Open the conflict desk"),
    Binding("m", "matrix", "forecast", id="home.matrix", tooltip="Which active branches would conflict"),
    Binding("b", "raise_budget", "raise budget", id="home.raise_budget", tooltip="Let the run spend more, and go on"),
    Binding("b", "budget", "budget", id="home.budget", tooltip="Say how much the run may spend"),
    Binding(
        "dollar_sign",
        "breakdown",
        "breakdown",
        id="home.breakdown",
        tooltip="Where the money and the tokens went",
        key_display="$",
    ),
    Binding(
        "plus", "scale(1)", "more workers", id="home.more", tooltip="One worker more", key_display="+", group=_SCALE
    ),
    Binding("minus", "scale(-1)", "fewer workers", id="home.fewer", tooltip="One less", key_display="-", group=_SCALE),
    Binding("equals_sign", "scale(1)", "One worker more", id="home.more_too", show=False),
    Binding("p", "pause_worker", "pause worker", id="home.pause_worker", tooltip="It finishes its own, takes no other"),
    Binding("p", "continue_worker", "continue worker", id="home.continue_worker", tooltip="It takes work again"),
    Binding("d", "drain_worker", "drain", id="home.drain", tooltip="The worker finishes what it has and ends"),
    Binding("f", "freeze_worker", "freeze", id="home.freeze", tooltip="Stop the worker's processes where they are"),
    Binding("f", "thaw_worker", "thaw", id="home.thaw", tooltip="Let the worker's processes go on"),
    Binding("k", "kill", "kill", id="home.kill", tooltip="Kill the attempt that runs now"),
    Binding("slash", "filter", "filter", id="home.filter", tooltip="Show only what has these words", key_display="/"),
    Binding("D", "drain_all", "drain all", id="home.drain_all", tooltip="Finish what runs, then end", show=False),
    Binding("a", "approve", "approve", id="home.approve", tooltip="See the proposal on the desk", show=False),
    Binding(
        "escape", "clear_filter", "clear filter", id="home.clear_filter", tooltip="Show everything", key_display="esc"
    ),
    Binding("1", "pane(1)", "waves", id="home.waves", tooltip="Go to the waves", show=False, group=_PANES),
    Binding("2", "pane(2)", "workers", id="home.workers", tooltip="Go to the workers", show=False, group=_PANES),
    Binding("3", "pane(3)", "events", id="home.events", tooltip="Go to the events", show=False, group=_PANES),
    Binding("4", "pane(4)", "costs", id="home.costs", tooltip="Go to the costs", show=False, group=_PANES),
    Binding("5", "pane(5)", "conflicts pane", id="home.list", tooltip="Go to the conflicts", show=False, group=_PANES),
    Binding("tab", "cycle(1)", "next pane", id="home.next_pane", show=False),
    Binding("shift+tab", "cycle(-1)", "previous pane", id="home.previous_pane", show=False),
]

_GOING = frozenset({RunState.RUNNING, RunState.PAUSED, RunState.DRAINING})
_HAS_ATTEMPT = frozenset({WorkstreamState.RUNNING, WorkstreamState.GATING})
_RETRIED = frozenset(
    {WorkstreamState.FAILED, WorkstreamState.QUARANTINED, WorkstreamState.SKIPPED, WorkstreamState.CANCELLED}
)


def applies(action: str, view: RunView | None, on: Selection) -> bool:
    """Whether an action makes sense for the run as it is and what the cursor is on; others always do."""
    if on.searching:
        return action == "clear_filter"
    if view is None:
        return action in ("pane", "cycle")
    going = view.state in _GOING and view.alive
    awake = [w for w in view.workers if w.workstream is not None and not w.frozen]
    frozen = on.worker.frozen if on.worker is not None else not awake and any(w.frozen for w in view.workers)
    paused = on.worker is not None and on.worker.state is WorkerState.PAUSED
    tests = {
        "pause_run": going and view.state is RunState.RUNNING,
        "continue_run": going and view.state is not RunState.RUNNING,
        "pause_worker": going and bool(view.workers) and not paused,
        "continue_worker": going and paused,
        "drain_worker": going and any(w.state is not WorkerState.DRAINING for w in view.workers),
        "freeze_worker": going and bool(awake) and not frozen,
        "thaw_worker": going and frozen,
        "drain_all": going and view.state is not RunState.DRAINING,
        "scale": going,
        "kill": going and on.workstream is not None and on.workstream.state in _HAS_ATTEMPT,
        "retry": on.workstream is not None and on.workstream.state in _RETRIED,
        "matrix": view.state not in RUN_OVER,
        "budget": view.state not in RUN_OVER and not short_of_money(view),
        "raise_budget": short_of_money(view),
        "conflicts": bool(view.conflicts),
        "approve": on.conflict is not None,
        "next_need": bool(view.needs),
        "land": landable(view),
        "summary": view.state in RUN_OVER,
        "clear_filter": on.filtered,
    }
    return tests.get(action, True)


def short_of_money(view: RunView) -> bool:
    """Whether the budget is why nothing new starts."""
    return view.state not in RUN_OVER and view.costs.stage in (BudgetStage.CLOSING, BudgetStage.HALTED)


_GIVEN_UP_FIRST = (
    *(
        " breakdown",
        "b budget",
        " summary",
        " filter",
        " freeze",
        " forecast",
        " drain",
        " kill",
        " pause worker",
        " continue worker",
    ),
    *(" for me", " open", " workers", " conflicts", " retry", " thaw", " pause run", " continue run", " land"),
)
"""Entries that end like this are left out, in this order, where there is not enough room."""


class HomeKeys(KeyBar):
    """The keys that matter now, on one line; the others are in the help and the palette."""

    def render(self) -> RenderResult:
        """As many entries as fit."""
        entries = self.entries()
        room = self.size.width
        for word in _GIVEN_UP_FIRST:
            if sum(entry.cell_length + 2 for entry in entries) - 2 <= room:
                break
            entries = [entry for entry in entries if not entry.plain.replace("\u00a0", " ").endswith(word)]
        return Content("  ").join(entries)
