"""The costs pane: where the money goes."""

from rich.cells import cell_len
from textual.content import Content

from uet_tui.console.format import bar, cell, money, plural, right, share, sparkline
from uet_tui.console.home.pane import Pane
from uet_tui.store.cost_views import CostRow, CostView
from uet_tui.store.views import RunView


class CostsPane(Pane):
    """The sums, then a line a workstream, the dearest first."""

    number = 4
    title = "Costs"
    HELP = """
### Costs
What was spent, what is reserved for attempts that run, what the whole will have cost, and what was spent on attempts
that did not end in a merge. Below, the workstreams, the dearest first.
"""

    def __init__(self) -> None:
        super().__init__()
        self._costs: CostView | None = None
        self._rows: tuple[CostRow, ...] = ()

    def show(self, view: RunView) -> None:
        """Takes the newest view."""
        with self.keeping_place():
            self._costs = view.costs
            self._rows = view.costs.rows

    def count(self) -> int:
        """Workstreams that cost something."""
        return len(self._rows)

    def key_at(self, index: int) -> str:
        """The workstream's id."""
        return self._rows[index].workstream

    def empty(self) -> str:
        """Said while nothing has been paid for."""
        return "Nothing spent yet. Each workstream appears here with what its agent used."

    def heading(self, width: int) -> tuple[Content, ...]:
        """The sums and the forecast."""
        costs = self._costs
        if costs is None or not (self._rows or costs.spent_usd or costs.reserved_usd):
            return ()
        first = [f"spent {money(costs.spent_usd)}", f"reserved {money(costs.reserved_usd)}"]
        if costs.budget_usd is not None:
            first.append(f"left {money(max(0.0, costs.budget_usd - costs.spent_usd - costs.reserved_usd))}")
        first.append(f"{money(costs.per_minute_usd)}/min")
        second = []
        if costs.forecast_usd is not None:
            second.append(f"forecast {money(costs.forecast_usd)}")
        if costs.wasted_usd or costs.retries:
            retries = f" ({plural(costs.retries, 'retry', 'retries')})" if costs.retries else ""
            second.append(f"wasted {money(costs.wasted_usd)}{retries}")
        line = "  ".join(second)
        chart = sparkline(costs.series, max(0, width - len(line) - 2))
        return (
            Content(cell(_joined(first, width), width)),
            Content.assemble(line, "  " if line else "", (chart, "$text-accent")),
        )

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """What one workstream cost, also as a part of the dearest one's."""
        row = self._rows[index]
        agent = min(10, 1 + max(cell_len(row.agent) for row in self._rows)) if width >= 46 else 0
        name = max(10, min(26, width - 20 - agent))
        room = width - name - agent - 11
        return (
            Content.assemble(
                cell(row.workstream, name),
                " ",
                (cell(row.agent, agent), "$foreground-muted"),
                right(money(row.usd), 8),
                "  ",
                (bar(share(row.usd, self._rows[0].usd), room, empty=" "), "$text-accent"),
            ),
        )


def _joined(parts: list[str], width: int) -> str:
    """As many parts as fit, the last ones left out first."""
    while len(parts) > 1 and len("  ".join(parts)) > width:
        parts = parts[:-1]
    return "  ".join(parts)
