"""The screen of the desk: shows one conflict of many, and turns keys into commands."""

from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from uet_tui.console.desk.editor import edit, has_markers
from uet_tui.console.desk.keys import ACTS, KEYS, WALKS
from uet_tui.console.desk.listing import ConflictList
from uet_tui.console.desk.side import SideBox
from uet_tui.console.desk.sides import Sides
from uet_tui.console.desk.sitting import Sitting
from uet_tui.console.desk.spots import Spot, file_at, hunk_at, next_undecided, spots, step_file, step_hunk, undecided
from uet_tui.console.desk.words import heading, merging, ours_name, place, tasks, tried, what_next
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.key_bar import KeyBar
from uet_tui.console.screens import RunScreen
from uet_tui.console.source import RunSource
from uet_tui.core.commands import Answer, Side, Verb
from uet_tui.errors import UetError
from uet_tui.resources import SCREENS
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import RunView

EMPTY = """\
No conflicts.

When the work of a workstream cannot be merged by git alone, it appears here, with what both sides did, \
why they did it, and what was tried. Everything that does not depend on it goes on meanwhile.

escape goes back."""
REDO = (
    "An agent does its tasks again, from the tip of the integration branch. What it wrote the first time stays on its "
    "branch; what you decided here is dropped."
)
QUARANTINE = (
    "It is not merged in this run, and what waits behind it is skipped. Its work stays on its branch, and a retry "
    "brings it back."
)
MARKERS_LEFT = "still has lines of <<<, === and >>> that mark a conflict, so it cannot be taken."


class ConflictDesk(RunScreen):
    """All conflicts of a run, one of them open, one hunk of it in four boxes."""

    CSS_PATH = SCREENS / "desk.tcss"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual types it as a variable
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - as above
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, source: RunSource, conflict_id: str | None = None) -> None:
        """Opens on a conflict; None: on the first that needs a decision, with the list of all."""
        super().__init__()
        self._source = source
        self._list_always = conflict_id is None
        self._sitting = Sitting(conflict_id)

    def compose(self) -> ComposeResult:
        """From the whole to the parts, the keys last."""
        yield ConflictList()
        with Vertical(id="conflict"):
            yield Static(id="heading", markup=False)
            yield Static(id="place", markup=False)
            yield Sides()
            yield Static(id="tried", markup=False)
            yield Static(id="tasks-ours", markup=False)
            yield Static(id="tasks-theirs", markup=False)
            yield Static(id="next", markup=False)
        yield Static(Content(EMPTY), id="empty", markup=False)
        yield KeyBar()

    # What is shown

    def show(self, view: RunView) -> None:
        """Keeps the conflict and the hunk while they are there."""
        conflict, sitting = self._sitting.settle(view), self._sitting
        if conflict is not None and sitting.approving and not undecided(conflict):
            sitting.approving = False
            self.act(Verb.APPROVE, conflict=conflict.id)
        self._draw()

    def tick(self, now: datetime) -> None:
        """How long a conflict waits changes without a new view."""
        self._draw_words()

    def answered(self, verb: Verb, answer: Answer) -> None:
        """A refusal takes back what the desk had assumed."""
        if not answer.ok and verb in (Verb.TAKE, Verb.UNDO, Verb.EDIT, Verb.APPROVE):
            self._sitting.forget()
            self._draw()

    @property
    def _here(self) -> tuple[RunView, ConflictView, Spot] | None:
        """The view, the open conflict and the place in it; None where there is nothing to act on."""
        view, spot = self.run_app.view, self._sitting.spot
        conflict = next((c for c in view.conflicts if c.id == self._sitting.chosen), None) if view else None
        if view is None or conflict is None or spot is None or file_at(conflict, spot) is None:
            return None
        return view, conflict, spot

    def _draw(self) -> None:
        here = self._here
        self.query_one("#conflict").display = here is not None
        self.query_one("#empty").display = here is None
        self._draw_words()
        if here is not None:
            self.query_one(Sides).show(*here, self.run_app.now())
        self.refresh_bindings()

    def _draw_words(self) -> None:
        here, listing = self._here, self.query_one(ConflictList)
        listing.display = here is not None and (self._list_always or len(here[0].conflicts) > 1)
        if here is None:
            return
        view, conflict, spot = here
        now, sent = self.run_app.now(), self._sitting.sent
        listing.show(view.conflicts, conflict.id, now)
        words = {
            "#heading": heading(view, conflict, sent, now),
            "#place": place(conflict, spot, sent),
            "#tried": tried(conflict),
            "#tasks-ours": tasks(ours_name(conflict), conflict.ours_tasks),
            "#tasks-theirs": tasks(conflict.workstream, conflict.theirs_tasks),
            "#next": what_next(view, conflict, sent),
        }
        for id, content in words.items():
            self.query_one(id, Static).update(content, layout=False)

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dims what does not apply to this place of this conflict, hides what could not apply to any."""
        if action not in ACTS | WALKS:
            return True
        if (here := self._here) is None:
            return False
        view, conflict, spot = here
        if action in ACTS and (not conflict.open or merging(view, conflict)):
            return None
        file, hunk = file_at(conflict, spot), hunk_at(conflict, spot)
        match action, parameters:
            case "take", ("proposal",) if conflict.proposal is None:
                return False
            case "take", ("proposal",):
                fits = hunk is not None and hunk.proposal is not None
            case ("take", ("both",)) | ("take_file", _):
                fits = hunk is not None
            case "edit", _:
                fits = file is not None and bool(file.hunks)
            case "undo", _:
                fits = self._sitting.undoable(conflict) is not None
            case "hunk", _:
                fits = len(spots(conflict)) > 1
            case "file", _:
                fits = len(conflict.files) > 1
            case "conflict", _:
                return len(view.conflicts) > 1
            case _:
                fits = True
        return fits or None

    def action_take(self, side: str) -> None:
        """Takes a side for this hunk, or for this file where it can only be taken whole, and goes on to the next."""
        if here := self._here:
            _, conflict, spot = here
            self.act(Verb.TAKE, conflict=conflict.id, side=Side(side), file=spot.path, hunk=spot.hunk)
            self._go_on(conflict, (spot,))

    def action_take_file(self, side: str) -> None:
        """Takes a side for all hunks of this file."""
        if here := self._here:
            _, conflict, spot = here
            self.act(Verb.TAKE, conflict=conflict.id, side=Side(side), file=spot.path)
            self._go_on(conflict, _file_spots(conflict, spot))

    def _go_on(self, conflict: ConflictView, decided: tuple[Spot, ...]) -> None:
        self._sitting.take(conflict, decided)
        self._draw()

    def action_undo(self) -> None:
        """Takes back the choice here; where there is none, the last one made, and goes there."""
        if (here := self._here) and (back := self._sitting.undoable(here[1])):
            conflict, file = here[1], file_at(here[1], back)
            whole = file is not None and file.choice is not None
            self.act(Verb.UNDO, conflict=conflict.id, file=back.path, hunk=None if whole else back.hunk)
            self._sitting.undo(back)
            self._draw()

    def action_approve(self) -> None:
        """Merges what was decided; as long as something is not, goes there and says so."""
        if here := self._here:
            _, conflict, spot = here
            left = undecided(conflict, self._sitting.sent)
            if not left and self._sitting.sent:
                self._sitting.approving = True
            elif not left:
                self.act(Verb.APPROVE, conflict=conflict.id)
            else:
                there = spot if spot in left else next_undecided(conflict, spot, self._sitting.sent) or left[0]
                self._sitting.spot = there
                what = f"hunk {there.hunk} of {there.path}" if there.hunk else there.path
                self.notify(f"{what} is not decided yet: take a side, then approve", severity="warning", markup=False)
                self._draw()

    def action_redo(self) -> None:
        """Asks, then sends the workstream back to be done again on the new tip."""
        self._ask(Verb.REDO, "Do {} again?", REDO, "redo on the tip")

    def action_quarantine(self) -> None:
        """Asks, then gives the workstream up for this run."""
        self._ask(Verb.QUARANTINE, "Quarantine {}?", QUARANTINE, "quarantine it")

    def _ask(self, verb: Verb, title: str, body: str, yes: str) -> None:
        if here := self._here:
            conflict = here[1]

            def act(sure: bool | None) -> None:
                if sure:
                    self.act(verb, conflict=conflict.id)

            if conflict.waiting:
                body += f"\n\nBehind it wait: {', '.join(conflict.waiting)}"
            self.app.push_screen(ConfirmDialog(title.format(conflict.workstream), body, yes), act)

    @work(exclusive=True, group="edit")
    async def action_edit(self) -> None:
        """Opens this file, conflict markers and all, in the operator's editor, and sends what becomes of it."""
        if (here := self._here) is None:
            return
        _, conflict, spot = here
        try:
            text = await self._edited(conflict, spot.path)
        except UetError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if text is None:
            self.notify("The file was left as it is, so nothing is taken.", markup=False)
            return
        self.act(Verb.EDIT, conflict=conflict.id, file=spot.path, content=text)
        self._go_on(conflict, _file_spots(conflict, spot))

    async def _edited(self, conflict: ConflictView, path: str) -> str | None:
        index = [file.path for file in conflict.files].index(path)
        marked = await self.read(self._source.conflict_text, conflict.id, index)
        text = edit(self.app, path, marked)
        while text is not None and has_markers(text, marked):
            again = ConfirmDialog("Conflict markers are left", f"{path} {MARKERS_LEFT}", "edit again")
            text = (edit(self.app, path, text) or text) if await self.app.push_screen_wait(again) else None
        return text

    # Where one is

    def action_hunk(self, by: int) -> None:
        """To another hunk, over the ends of files."""
        if here := self._here:
            self._sitting.spot = step_hunk(here[1], here[2], by)
            self._draw()

    def action_file(self, by: int) -> None:
        """To another file."""
        if here := self._here:
            self._sitting.spot = step_file(here[1], here[2], by)
            self._draw()

    def action_conflict(self, by: int) -> None:
        """To another conflict; stays at both ends of the list."""
        if here := self._here:
            view, conflict, _ = here
            self._open(view, [c.id for c in view.conflicts].index(conflict.id) + by)

    @on(OptionList.OptionSelected, "#conflicts")
    def open_clicked(self, event: OptionList.OptionSelected) -> None:
        """Opens the conflict that was clicked."""
        if here := self._here:
            self._open(here[0], event.option_index)

    def _open(self, view: RunView, index: int) -> None:
        if 0 <= index < len(view.conflicts):
            self._sitting.open(view.conflicts[index])
            self._draw()

    def action_scroll(self, by: int) -> None:
        """Scrolls the box that has the focus, else all of them together."""
        for box in [self.focused] if isinstance(self.focused, SideBox) else self.query(SideBox):
            box.scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss()


def _file_spots(conflict: ConflictView, spot: Spot) -> tuple[Spot, ...]:
    return tuple(other for other in spots(conflict) if other.path == spot.path)
