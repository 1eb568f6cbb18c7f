"""The screen of the desk: shows one conflict of many, and turns keys into commands."""

import asyncio
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.actions import parse
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import Click, Key, Resize
from textual.widgets import OptionList, Static

from uet_tui.console.desk import evidence
from uet_tui.console.desk.applies import ACTS, WALKS, Place, why_not
from uet_tui.console.desk.deciding import Deciding
from uet_tui.console.desk.editor import Drafts
from uet_tui.console.desk.keys import KEYS
from uet_tui.console.desk.listing import ConflictList
from uet_tui.console.desk.page import ConflictPage
from uet_tui.console.desk.side import SideBox
from uet_tui.console.desk.sides import Sides, Texts, needs_texts, read_texts
from uet_tui.console.desk.sitting import Sitting
from uet_tui.console.desk.spots import (
    Spot,
    file_at,
    file_spots,
    ordered,
    spots,
    step_file,
    step_hunk,
)
from uet_tui.console.dialogs.evidence import EvidenceDialog
from uet_tui.console.editing import editor
from uet_tui.console.format import duration
from uet_tui.console.key_bar import KeyBar
from uet_tui.console.screens import Field
from uet_tui.console.source import RunSource
from uet_tui.core.commands import Answer, Verb
from uet_tui.core.vocabulary import AGENT_ASKED
from uet_tui.errors import UetError
from uet_tui.resources import SCREENS
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import EventView, RunView

EMPTY = """\
No conflicts.

When the work of a workstream cannot be merged by git alone, it appears here, with what both sides did, \
why they did it, and what was tried. Everything that does not depend on it goes on meanwhile.

escape goes back."""
_DECIDES = frozenset({Verb.TAKE, Verb.UNDO, Verb.EDIT})
"""What changes the text that an editor is opened on."""
_EVENTS = 200
"""How many of the newest events of a workstream are searched for when its agent was asked."""


class ConflictDesk(Deciding):
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
        self.sitting = Sitting(conflict_id)
        self._drafts = Drafts()
        self._texts: tuple[object, Texts | None] = (None, None)
        """Of which file of which conflict texts were read last, and the texts; None while they are being read."""
        self._asked: tuple[str, datetime] | None = None
        """Of which conflict an agent was asked last, and when."""
        self._on_the_way = 0
        """How many decisions were sent and are not answered yet."""
        self._all_answered = asyncio.Event()
        self._all_answered.set()

    def compose(self) -> ComposeResult:
        """From the whole to the parts, the keys last."""
        yield ConflictList()
        yield ConflictPage()
        yield Static(Content(EMPTY), id="empty", markup=False)
        yield KeyBar()

    # What is shown

    def show(self, view: RunView) -> None:
        """Keeps the conflict and the hunk while they are there."""
        self.sitting.settle(view)
        self.draw()
        if self.sitting.approving and not self.sitting.sent:
            self.sitting.approving = False
            self.action_approve()

    def tick(self, now: datetime) -> None:
        """How long a conflict waits changes without a new view."""
        self._draw_words()

    def on_resize(self, _event: Resize) -> None:
        """Words are cut to fit."""
        self.call_after_refresh(self._draw_words)

    def answered(self, verb: Verb, answer: Answer) -> None:
        """A refusal takes back what the desk had assumed; what an editor wrote is kept until it was taken."""
        if verb is Verb.EDIT:
            self._drafts.answered(answer.ok)
        if verb in _DECIDES:
            self._on_the_way -= 1
            if not self._on_the_way:
                self._all_answered.set()
        if not answer.ok and verb in (Verb.TAKE, Verb.UNDO, Verb.EDIT, Verb.APPROVE):
            self.sitting.forget()
            self.draw()

    def act(self, verb: Verb, **fields: Field) -> None:
        """Counts the decisions that are on their way: an editor is opened on what became of them."""
        if verb in _DECIDES:
            self._on_the_way += 1
            self._all_answered.clear()
        super().act(verb, **fields)

    def add_events(self, events: tuple[EventView, ...]) -> None:
        """Notes when an agent was asked."""
        for event in events:
            if event.type == AGENT_ASKED:
                self._asked = (str(event.data.get("conflict", "")), event.time)

    def draw(self) -> None:
        """Shows the place that is in sight, and all that is known of it."""
        here = self.here
        self.query_one(ConflictPage).display = here is not None
        self.query_one("#empty").display = here is None
        self._draw_words()
        if here is not None:
            self.query_one(Sides).show(*here, self.run_app.now(), self._known_texts(here[1], here[2]))
            if here[1].busy == "agent" and (self._asked is None or self._asked[0] != here[1].id):
                self._find_asked(here[1])
        self.refresh_bindings()

    def _draw_words(self) -> None:
        here, listing = self.here, self.query_one(ConflictList)
        listing.display = here is not None and (self._list_always or len(here[0].conflicts) > 1)
        if here is None:
            return
        view, conflict, _ = here
        now, width = self.run_app.now(), self.size.width - 2
        listing.show(ordered(view.conflicts), conflict.id, now, width)
        asked = self._asked[1] if self._asked is not None and self._asked[0] == conflict.id else None
        since = duration((now - asked).total_seconds()) if asked else ""
        page = self.query_one(ConflictPage)
        page.tell(Place(*here, None), self.sitting, now, width, since)

    def _known_texts(self, conflict: ConflictView, spot: Spot) -> Texts | None:
        """The texts of the file's sides, as far as they are known; begins to read them."""
        file = file_at(conflict, spot)
        if file is None or not needs_texts(file):
            return {}
        wanted = (conflict.id, conflict.ours_commit, conflict.tried, file.path, file.proposed_by, file.lost)
        if self._texts[0] != wanted:
            self._texts = (wanted, None)
            self._read_texts(wanted, conflict.id, conflict.files.index(file))
        return self._texts[1]

    @work(exclusive=True, group="texts")
    async def _read_texts(self, wanted: object, conflict: str, index: int) -> None:
        texts = await self.read(read_texts, self._source.conflict_side, conflict, index)
        if self._texts[0] == wanted:
            self._texts = (wanted, texts)
            self.draw()

    @work(exclusive=True, group="asked")
    async def _find_asked(self, conflict: ConflictView) -> None:
        self._asked = (conflict.id, self.run_app.now())
        try:
            events = await self.read(self._source.last_events, _EVENTS, conflict.workstream)
        except UetError:
            return  # how long it is at it already is not told, then
        self.add_events(tuple(event for event in events if event.data.get("conflict") == conflict.id))
        self._draw_words()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dims what does not apply to this place of this conflict; where there is no conflict, nothing does."""
        if action not in ACTS | WALKS | {"evidence"}:
            return True
        if (place := self._place()) is None:
            return False
        return not why_not(place, action, *parameters[:1]) or None

    def _place(self) -> Place | None:
        here = self.here
        return Place(*here, self.sitting.undoable(here[1])) if here else None

    def on_key(self, event: Key) -> None:
        """Says why a key does nothing here."""
        active, place = self.active_bindings.get(event.key), self._place()
        if active is None or active.enabled or active.node is not self or place is None:
            return
        action, parameters = parse(active.binding.action)[1:]
        if reason := why_not(place, action, *parameters):
            event.stop()
            event.prevent_default()
            self.notify(f"{active.binding.description}: {reason}", severity="warning", timeout=4, markup=False)

    def action_evidence(self) -> None:
        """Shows all that speaks for and against the proposal."""
        if here := self.here:
            _, conflict, _ = here
            title = f"{conflict.id}: {conflict.workstream}"
            self.app.push_screen(EvidenceDialog(title, tuple(evidence.parts(conflict, conflict.waiting))))

    @on(Click, "#tried, #verdicts")
    def open_evidence(self) -> None:
        """A click on the evidence shows all of it."""
        self.action_evidence()

    @work(exclusive=True, group="edit")
    async def action_edit(self) -> None:
        """Opens this file, with what is decided and markers for what is not, in the operator's editor."""
        if (here := self.here) is None:
            return
        _, conflict, spot = here
        index = [file.path for file in conflict.files].index(spot.path)
        try:
            command = editor(self.run_app.editor)
            await self._all_answered.wait()
            marked = await self.read(self._source.conflict_text, conflict.id, index)
            text = await self._drafts.write(self.app, command, marked, conflict.id, spot.path)
        except UetError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if text is not None:
            self.act(Verb.EDIT, conflict=conflict.id, file=spot.path, content=text)
            self.go_on(conflict, file_spots(conflict, spot))

    # Where one is

    def action_hunk(self, by: int) -> None:
        """To another hunk, over the ends of files."""
        if here := self.here:
            self._go(step_hunk(here[1], here[2], by))

    def action_file(self, by: int) -> None:
        """To another file."""
        if here := self.here:
            self._go(step_file(here[1], here[2], by))

    def action_go(self, file: int, hunk: int) -> None:
        """To a file by its index and a hunk by its number, 0 for its first: what a click on their names does."""
        if here := self.here:
            path = here[1].files[file].path if file < len(here[1].files) else None
            there = [spot for spot in spots(here[1]) if spot.path == path]
            self._go(next((spot for spot in there if spot.hunk == hunk), there[0] if there else here[2]))

    def _go(self, spot: Spot) -> None:
        self.sitting.spot, self.sitting.whole = spot, False
        self.draw()

    def action_conflict(self, by: int) -> None:
        """To another conflict; after the last comes the first."""
        if here := self.here:
            view, conflict, _ = here
            there = ordered(view.conflicts)
            self._open(there[([c.id for c in there].index(conflict.id) + by) % len(there)])

    @on(OptionList.OptionSelected, "#conflicts")
    def open_clicked(self, event: OptionList.OptionSelected) -> None:
        """Opens the conflict that was clicked."""
        if (here := self.here) and event.option_index < len(here[0].conflicts):
            self._open(ordered(here[0].conflicts)[event.option_index])

    def _open(self, conflict: ConflictView) -> None:
        self.sitting.open(conflict)
        self.draw()

    def action_scroll(self, by: int) -> None:
        """Scrolls the box that has the focus, else all of them together."""
        for box in [self.focused] if isinstance(self.focused, SideBox) else self.query(SideBox):
            box.scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss()
