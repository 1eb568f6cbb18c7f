"""The header: is it going well, what does it cost, what holds it, what needs the operator."""

from datetime import UTC, datetime

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from uet_tui.console.amounts import spent, tokens, unpaid
from uet_tui.console.fit import Part, fit
from uet_tui.console.format import bar, between, end_time, money, run_look, share
from uet_tui.console.home.limits import other_notices, paused_part, stage_part, stopped_part
from uet_tui.core.states import RUN_OVER, RunState
from uet_tui.store.views import RunView


def needs(count: int, key: str = "w") -> Content:
    """`! 2 need you  w`, a mouse target too; empty when nothing does."""
    if not count:
        return Content("")
    text = f"! {count} {'needs' if count == 1 else 'need'} you  {key}"
    return Content.styled(text, Style.from_meta({"@click": "screen.next_need"})).stylize("bold $text-warning")


def put_off(view: RunView) -> Content:
    """How many conflicts are to be looked at later: quietly, since `w` does not go to them."""
    count = sum(conflict.open and conflict.deferred for conflict in view.conflicts)
    return Content.styled(f"{count} put off" if count else "", "$foreground-muted")


def first_line(view: RunView, now: datetime, width: int) -> Content:
    """State and progress."""
    wide = width >= 100
    look = run_look(view.state)
    total = len(view.workstreams)
    done = share(view.merged, total)
    name = f"{view.name} · run {view.id}" if wide else f"run {view.id}"
    merged = f"{view.merged} of {total} merged" if wide else f"{view.merged}/{total}"
    progress = Content(merged if total else "")
    if total and width >= 60:
        progress += Content.assemble(" ", (bar(done, 17 if wide else 12), "$text-success"), f" {int(done * 100)} %")
    parts = [
        Part(Content.styled("uet", "bold $text-accent"), 6),
        Part(Content(name), 5),
        Part(Content.assemble(look.content, f" {view.schedule}" if wide and view.state not in RUN_OVER else ""), 1),
        Part(progress, 2),
        Part(Content.styled(timing(view, now, wide), "$foreground-muted"), 4),
        Part(put_off(view), 7),
        Part(needs(len(view.needs)), 0),
    ]
    return fit(parts, width)


def timing(view: RunView, now: datetime, wide: bool) -> str:
    """When it will end, or how long it took."""
    if view.ended_at is not None:
        return f"took {between(view.started_at, view.ended_at, now)}"
    if view.started_at is None:
        return "not started"
    if view.forecast_end_at is not None:
        return f"{'ends about' if wide else 'ends'} {end_time(view.forecast_end_at, now)}"
    return f"for {between(view.started_at, None, now)}"


_WITHOUT_WORKERS = RUN_OVER | {RunState.HALTED}


def second_line(view: RunView, now: datetime, width: int, wanted: int | None) -> Content:
    """Workers, money, and what holds the run as a whole; `wanted` is a parallelism that was just asked for."""
    wide = width >= 100
    asked = f" → {wanted}" if wanted is not None and wanted != view.parallelism else ""
    busy = Content.assemble(f"workers {pool(view, ' of ' if wide else '/')}", (asked, "bold $text-accent"))
    workers = Content.assemble(
        busy,
        " (",
        Content.styled("+", Style.from_meta({"@click": "screen.scale(1)"})).stylize("$text-accent"),
        " ",
        Content.styled("-", Style.from_meta({"@click": "screen.scale(-1)"})).stylize("$text-accent"),
        ")",
    )
    notes = Content.styled(" · ".join(other_notices(view)), "$text-warning")
    full, *shorter = spending(view)
    parts = [
        Part(Content("") if view.state in _WITHOUT_WORKERS else workers, 4, (busy,)),
        Part(full, 5, tuple(shorter)),
        stage_part(view, 2),
        stopped_part(view.providers, 0),
        paused_part(view.providers, now, 1),
        Part(notes, 3, (notes.truncate(width // 3, ellipsis=True),)),
    ]
    return fit(parts, width)


def spending(view: RunView) -> tuple[Content, ...]:
    """What was spent and is reserved of the budget: in full with a gauge, in words, in figures, without reserves."""
    costs = view.costs
    if unpaid(costs) and costs.budget_usd is None:
        read, written = tokens(costs.tokens_in), tokens(costs.tokens_out)
        return Content(f"{read} tokens in, {written} out"), Content(f"{read} in, {written} out")
    total = spent(costs)
    words = f"{total} spent + {money(costs.reserved_usd)} reserved"
    figures = f"{total} + {costs.reserved_usd:,.2f}"
    if costs.budget_usd is None:
        forms = [Content(words), Content(figures), Content(total)]
    else:
        limit = f" of {money(costs.budget_usd)}"
        gauge = bar(share(costs.spent_usd + costs.reserved_usd, costs.budget_usd), 10)
        full = Content.assemble(f"{words}{limit} ", (gauge, "$text-accent"))
        bare = limit.replace("$", "")
        forms = [full, Content(f"{words}{limit}"), Content(f"{figures}{bare}"), Content(f"{total}{bare}")]
    return tuple(form.stylize(Style.from_meta({"@click": "screen.breakdown"})) for form in forms)


def pool(view: RunView, of: str) -> str:
    """How many workers are at work: `4 of 4` or `1 of 4 busy`; `3 of 3, 1 drains` after they were made fewer."""
    busy, leaving = view.busy, view.leaving
    if leaving:
        return f"{busy - leaving}{of}{view.parallelism}, {leaving} {'drains' if leaving == 1 else 'drain'}"
    return f"{busy}{of}{view.parallelism}{'' if busy == view.parallelism else ' busy'}"


class Header(Widget):
    """Two lines at the top."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(id="header")
        self.auto_links = False  # what can be clicked keeps its own colour: it says how things are
        self._view: RunView | None = None
        self._now = datetime.fromtimestamp(0, UTC)
        self._wanted: int | None = None

    def show(self, view: RunView, now: datetime) -> None:
        """Takes the newest view and the time."""
        self._view, self._now = view, now
        if self._wanted == view.parallelism:
            self._wanted = None
        self.refresh()

    @property
    def parallelism(self) -> int:
        """How many workers there are to be: what was asked for last, before the run has it."""
        return self._wanted or (self._view.parallelism if self._view else 1)

    def want(self, by: int) -> int:
        """Shows a parallelism that many greater, but at least 1, as asked for, and returns it."""
        self._wanted = max(1, self.parallelism + by)
        self.refresh()
        return self._wanted

    def forget_wanted(self) -> None:
        """Takes back what was asked for."""
        self._wanted = None
        self.refresh()

    def tick(self, now: datetime) -> None:
        """Takes the time."""
        self._now = now
        self.refresh()

    def render(self) -> Content:
        """The two lines."""
        if self._view is None:
            return Content(" uet  reads the run …")
        first = first_line(self._view, self._now, self.size.width)
        return first + "\n" + second_line(self._view, self._now, self.size.width, self._wanted)
