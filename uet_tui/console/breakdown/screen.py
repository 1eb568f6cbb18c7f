"""The screen of the breakdown."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from uet_tui.console.breakdown.keys import BREAKDOWN
from uet_tui.console.breakdown.sides import ORDERS, SIDES, Order, Side, rows_of
from uet_tui.console.breakdown.table import CostTable
from uet_tui.console.breakdown.words import detail, headline
from uet_tui.console.budgeting import ask_for_budget
from uet_tui.console.key_bar import KeyBar
from uet_tui.console.rows import RowList
from uet_tui.console.screens import RunScreen
from uet_tui.console.source import RunSource
from uet_tui.console.tabs import NumberedTabs
from uet_tui.core.states import RUN_OVER
from uet_tui.errors import UetError
from uet_tui.resources import SCREENS
from uet_tui.store.cost_views import CostBreakdown
from uet_tui.store.views import RunView


class BreakdownScreen(RunScreen):
    """Where the money and the tokens went: by workstream, attempt, model, wave and outcome."""

    CSS_PATH = SCREENS / "breakdown.tcss"
    AUTO_FOCUS = "CostTable"
    BINDINGS: ClassVar[list[BindingType]] = BREAKDOWN
    HELP = """
### Costs
What agents used, added up from one of five sides; the sum stands above the rows. `?` is a price that nobody knows, `~`
one that comes from a list of prices. What was wasted will not be merged, and says why.

`s` sorts by the next column, `S` turns the order round. `enter` opens a workstream; on an outcome it shows the attempts
that came to it.
"""

    table = query_one(CostTable)
    tabs = query_one(NumberedTabs)

    def __init__(self, source: RunSource, side: Side = Side.WORKSTREAM) -> None:
        super().__init__()
        self._source = source
        self._side = side
        self._outcome = ""
        """The outcome whose attempts alone are shown; empty: all."""
        self._order = Order.COST
        self._turned = False
        self._costs: CostBreakdown | None = None
        self._wanted = self._known = -1
        """The revision that is to be shown, and the one whose costs are."""
        self._reading = False

    def compose(self) -> ComposeResult:
        """The sums, the sides, the table, what is under the cursor, the keys."""
        yield Static(id="headline", markup=False)
        yield NumberedTabs("side")
        yield CostTable()
        yield Static(id="detail", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Says which side is shown."""
        self._draw()

    # What is shown

    def show(self, view: RunView) -> None:
        """Draws the sums, and reads what was used; a read that is under way is not broken off by the next."""
        self._wanted = view.revision
        self._tell()
        if not self._reading:
            self._read()

    @work(group="costs")
    async def _read(self) -> None:
        self._reading = True
        try:
            while self._known != self._wanted:
                wanted = self._wanted
                costs = await self.read(self._source.costs)
                self._known = wanted
                if costs != self._costs:
                    self._costs = costs
                    self._draw()
        except UetError as error:
            self._known = self._wanted
            self.query_one("#detail", Static).update(Content(str(error)))
        finally:
            self._reading = False

    def _draw(self) -> None:
        """Puts what is known into the table."""
        rows = () if self._costs is None else rows_of(self._costs, self._side)
        if self._outcome:
            rows = tuple(row for row in rows if self._outcome in row.outcomes)
        self.table.put(rows, self._side, self._order, turned=self._turned)
        self.table.border_title = Content(f"only {self._outcome}" if self._outcome else "")
        self.tabs.show(
            tuple((number, f"{side.value}s", "") for number, side in enumerate(SIDES, 1)), SIDES.index(self._side) + 1
        )
        self._tell()
        self.refresh_bindings()

    @on(RowList.Moved)
    def _tell(self) -> None:
        """Says what it all comes to, and what is under the cursor."""
        width = max(0, self.size.width - 2)
        if (view := self.run_app.view) is not None:
            self.query_one("#headline", Static).update(headline(view, width))
        row = self.table.row
        said = Content("") if row is None else detail(row, self.table.total, width)
        self.query_one("#detail", Static).update(said)

    def on_resize(self) -> None:
        """Cuts the lines anew."""
        self.call_after_refresh(self._tell)

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to sort where there is nothing, and nothing to spend on a run that is over."""
        view = self.run_app.view
        if action == "budget":
            return view is not None and view.state not in RUN_OVER
        if action in ("sort_by_next", "turn_order"):
            return self.table.count() > 1
        return True

    def action_side(self, number: int) -> None:
        """Adds up from another side, all of it."""
        self._side, self._outcome = SIDES[number - 1], ""
        self._draw()

    def action_turn_side(self, by: int) -> None:
        """The side beside, round and round."""
        self.action_side((SIDES.index(self._side) + by) % len(SIDES) + 1)

    def action_sort(self, order: str) -> None:
        """Sorts by a column; by the one that it is sorted by, turns the order round."""
        wanted = Order(order)
        self._turned = wanted is self._order and not self._turned
        self._order = wanted
        self._draw()

    def action_sort_by_next(self) -> None:
        """Sorts by the next column."""
        self._order, self._turned = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)], False
        self._draw()

    def action_turn_order(self) -> None:
        """Turns the order round."""
        self._turned = not self._turned
        self._draw()

    @on(RowList.Opened)
    def open_row(self) -> None:
        """Opens the workstream, or shows the attempts of what is no workstream."""
        if (row := self.table.row) is None:
            return
        if self._side is Side.OUTCOME:
            self._side, self._outcome = Side.ATTEMPT, row.label
            self._draw()
        elif self._side in (Side.WORKSTREAM, Side.ATTEMPT):
            from uet_tui.console.workstream.screen import WorkstreamScreen  # loaded when first needed

            attempt = row.attempt if self._side is Side.ATTEMPT else None
            self.app.push_screen(WorkstreamScreen(self._source, row.workstream, attempt))

    def action_budget(self) -> None:
        """Asks how much the run may spend."""
        ask_for_budget(self)

    def action_leave(self) -> None:
        """From the attempts of one outcome back to it, from there to where one came from."""
        if not self._outcome:
            self.dismiss()
            return
        outcome, self._outcome, self._side = self._outcome, "", Side.OUTCOME
        self._draw()
        self.table.select(outcome)
