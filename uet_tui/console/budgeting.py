"""The act of saying how much a run may spend, from whatever screen."""

from datetime import timedelta

from uet_tui.console.dialogs.budget import BudgetDialog, NewBudget
from uet_tui.console.screens import RunScreen
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState
from uet_tui.store.views import RunView


def ask_for_budget(screen: RunScreen) -> None:
    """Asks for amounts, and has the run take those that change."""
    if (view := screen.run_app.view) is None:
        return

    def decided(budget: NewBudget | None) -> None:
        if budget is not None:
            until = None if budget.seconds is None else screen.run_app.now() + timedelta(seconds=budget.seconds)
            ends = None if until is None else until.isoformat()
            for limit, amount in budget.limits:
                screen.act(Verb.BUDGET, amount=amount, limit=limit, note=budget.note, until=ends)

    screen.app.push_screen(BudgetDialog(view.costs, what_follows(view)), decided)


def what_follows(view: RunView) -> str:
    """What a greater budget leads to by itself, and what is left for the operator to type."""
    if not view.alive:
        return f"Nobody has this run: `uet resume {view.id}` goes on with it."
    return "The run goes on at once." if view.state is RunState.HALTED else ""
