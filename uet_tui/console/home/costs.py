"""The costs pane: where the money goes."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from uet_tui.console.amounts import price, spent, tokens, unpaid
from uet_tui.console.fit import Part, fit
from uet_tui.console.format import BAD, CARE, GOOD, QUIET, bar, cell, money, plural, right, share, sparkline
from uet_tui.console.home.pane import Pane
from uet_tui.store.cost_views import CostRow, CostView, ModelCostRow
from uet_tui.store.views import RunView

_COST, _NAME = 9, 10
"""Cells of a cost, and the fewest of a name beside a bar."""
_WITH_AGENT = 46
"""Cells from which on there is room for the agent."""
_SHORTEST_CHART = 5
_MODEL = "∑ "
"""Stands before a model: what it cost is in the lines of the workstreams, too."""


class CostsPane(Pane):
    """The sums; then a line a model, where there are several, and a line a workstream, the dearest first."""

    number = 4
    title = "Costs"
    HELP = """
### Costs
What was spent, what is reserved for attempts that run, what the whole will have cost, what is merged of it and what was
wasted. Below, models and workstreams, the dearest first. `?` is a price that nobody knows, `~` one from a list;
where no money is paid, tokens stand instead.

`$` opens the breakdown, `b` changes the budget.
"""

    def __init__(self) -> None:
        super().__init__()
        self.auto_links = False  # the sums can be clicked and keep their own colours
        self._costs: CostView | None = None
        self._rows: tuple[CostRow | ModelCostRow, ...] = ()

    def show(self, view: RunView) -> None:
        """Takes the newest view."""
        with self.keeping_place(at_top=not self.has_focus):
            self._costs = view.costs
            models = view.costs.by_model if len(view.costs.by_model) > 1 else ()
            self._rows = (*models, *view.costs.rows)

    def count(self) -> int:
        """Models and workstreams that used something."""
        return len(self._rows)

    def key_at(self, index: int) -> str:
        """The workstream's id, or the model with its agent; no workstream's id has a blank."""
        row = self._rows[index]
        return f"{row.agent} {row.model}" if isinstance(row, ModelCostRow) else row.workstream

    def workstream(self) -> str | None:
        """The workstream under the cursor; None on a model."""
        row = self._rows[self._cursor] if self.selected is not None else None
        return row.workstream if isinstance(row, CostRow) else None

    def empty(self) -> str:
        """Said while nothing has been used."""
        return "Nothing spent yet. Each workstream appears here with what its agent used."

    def heading(self, width: int) -> tuple[Content, ...]:
        """The sums, the forecast, and what is not known; a click opens the breakdown."""
        costs = self._costs
        if costs is None or not (self._rows or costs.spent_usd or costs.reserved_usd):
            return ()
        lines = [line for line in (sums(costs, width), outlook(costs, width), doubts(costs, width)) if line]
        return tuple(line.stylize(Style.from_meta({"@click": "screen.breakdown"})) for line in lines)

    def lines(self, index: int, width: int) -> tuple[Content, ...]:
        """One model or workstream."""
        return (cost_line(self._rows[index], self._rows, width),)


def cost_line(row: CostRow | ModelCostRow, rows: Sequence[CostRow | ModelCostRow], width: int) -> Content:
    """What one model or workstream cost, also as a part of the dearest one of its kind."""
    paid = any(one.usd for one in rows)

    def weight(one: CostRow | ModelCostRow) -> float:
        return one.usd if paid else one.tokens_in + one.tokens_out

    model = isinstance(row, ModelCostRow)
    label = f"{_MODEL}{row.model or 'model not told'}" if isinstance(row, ModelCostRow) else row.workstream
    most = max(weight(other) for other in rows if isinstance(other, type(row)))
    agent = min(10, 1 + max(cell_len(one.agent) for one in rows)) if width >= _WITH_AGENT else 0
    roomy = width >= _COST + _NAME + 12
    name = min(30, width - _COST - 12 - agent) if roomy else max(0, width - _COST - 1)
    room = width - name - agent - _COST - 3 if roomy else 0
    line = Content.assemble(
        (cell(label, name), QUIET if model else ""),
        " ",
        (cell(row.agent, agent), QUIET),
        (right(used(row), _COST), CARE if row.unpriced else ""),
        "  " if room else "",
        (bar(share(weight(row), most), room, empty=" "), QUIET if model else "$text-accent"),
    )
    return line.truncate(width)


def used(row: CostRow | ModelCostRow) -> str:
    """What it cost; tokens where no money is paid."""
    both = row.tokens_in + row.tokens_out
    if both and not row.usd and not row.unpriced:
        return f"{tokens(both)} tok"
    return price(row.usd, unknown=bool(row.unpriced))


def sums(costs: CostView, width: int) -> Content:
    """Spent, reserved, left, and how fast it goes; tokens where no money is paid."""
    if unpaid(costs):
        both = f"{tokens(costs.tokens_in)} tokens in  {tokens(costs.tokens_out)} out"
        return fit([Part(Content("no money paid"), 1), Part(Content(both), 0)], width + 2)[1:]
    parts = [Part(Content(f"spent {spent(costs)}"), 0), Part(Content(f"reserved {money(costs.reserved_usd)}"), 3)]
    if costs.budget_usd is not None:
        left = max(0.0, costs.budget_usd - costs.spent_usd - costs.reserved_usd)
        parts.append(Part(Content.styled(f"left {money(left)}", "" if left else BAD), 1))
    parts.append(Part(Content(f"{money(costs.per_minute_usd)}/min"), 2))
    return fit(parts, width + 2)[1:]


def outlook(costs: CostView, width: int) -> Content:
    """What the whole will have cost, what is merged of what was spent and what was wasted; then the last minutes."""
    parts = []
    if costs.forecast_usd is not None:
        over = costs.budget_usd is not None and costs.forecast_usd > costs.budget_usd
        said = f"forecast {money(costs.forecast_usd)}"
        more = Content.styled(f"! {said}, over the budget", BAD)
        parts.append(Part(more, 0, (Content.styled(f"! {said}", BAD),)) if over else Part(Content(said), 0))
    if costs.landed_usd:
        parts.append(Part(Content.styled(f"landed {money(costs.landed_usd)}", GOOD), 2))
    if costs.wasted_usd or costs.retries:
        retries = f" ({plural(costs.retries, 'retry', 'retries')})" if costs.retries else ""
        wasted = f"wasted {money(costs.wasted_usd)}"
        parts.append(Part(Content(f"{wasted}{retries}"), 1, (Content(wasted),)))
    if not parts:
        return Content.styled(sparkline(costs.series, width), "$text-accent")
    least = sum((part.shorter or (part.content,))[-1].cell_length + 2 for part in parts)
    room = min(len(costs.series), width - least)
    beside = room if any(costs.series) and room >= _SHORTEST_CHART else 0
    line = fit(parts, width + 2 - (beside + 2 if beside else 0))[1:]
    chart = sparkline(costs.series, beside)
    return Content.assemble(line, "  " if chart else "", (chart, "$text-accent"))


def doubts(costs: CostView, width: int) -> Content:
    """What is missing in the sums; empty where nothing is."""
    said = f"? {plural(costs.unpriced, 'report')}: price unknown, not in the sums" if costs.unpriced else ""
    return Content.styled(said, CARE).truncate(width, ellipsis=True)
