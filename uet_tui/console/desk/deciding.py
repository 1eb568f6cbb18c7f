"""What the operator decides at the desk: keys and clicks become commands for the place in sight."""

from uet_tui.console.desk import evidence, questions
from uet_tui.console.desk.sitting import Sitting
from uet_tui.console.desk.spots import Spot, after, file_at, file_spots, has_part, ordered, settled, undecided
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.note import NoteDialog
from uet_tui.console.screens import RunScreen
from uet_tui.core.commands import Side, Verb
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import RunView


class Deciding(RunScreen):
    """A screen on which one conflict is open, and what can be decided about it."""

    sitting: Sitting

    def draw(self) -> None:
        """Shows what has become of the place and the choices."""
        raise NotImplementedError

    @property
    def here(self) -> tuple[RunView, ConflictView, Spot] | None:
        """The view, the open conflict and the place in it; None where there is nothing to act on."""
        view, spot = self.run_app.view, self.sitting.spot
        conflict = next((c for c in view.conflicts if c.id == self.sitting.chosen), None) if view else None
        if view is None or conflict is None or spot is None or file_at(conflict, spot) is None:
            return None
        return view, conflict, spot

    def action_take(self, side: str) -> None:
        """Takes a side for this hunk, or for this file where it can only be taken whole, and goes on to the next."""
        if here := self.here:
            _, conflict, spot = here
            file = file_at(conflict, spot)
            if self.sitting.whole or (side == "proposal" and file is not None and not has_part(file, spot)):
                self.action_take_file(side)
                return
            self.act(Verb.TAKE, conflict=conflict.id, side=Side(side), file=spot.path, hunk=spot.hunk)
            self.go_on(conflict, (spot,))

    def action_take_file(self, side: str) -> None:
        """Takes a side for all of this file."""
        if here := self.here:
            _, conflict, spot = here
            self.act(Verb.TAKE, conflict=conflict.id, side=Side(side), file=spot.path)
            self.go_on(conflict, file_spots(conflict, spot))

    def go_on(self, conflict: ConflictView, decided: tuple[Spot, ...]) -> None:
        """Some places were decided: to the next that is not."""
        self.sitting.take(conflict, decided)
        self.draw()

    def action_whole(self) -> None:
        """Lets the next act be for the whole file, or no longer."""
        self.sitting.whole = not self.sitting.whole
        self.draw()

    def action_undo(self) -> None:
        """Takes back the choice here; where there is none, the last one made, and goes there."""
        if (here := self.here) and (back := self.sitting.undoable(here[1])):
            conflict, file = here[1], file_at(here[1], back)
            if self.sitting.whole:
                self.action_undo_file()
                return
            whole = file is not None and file.choice is not None
            self.act(Verb.UNDO, conflict=conflict.id, file=back.path, hunk=None if whole else back.hunk)
            self.sitting.undo(back)
            self.draw()

    def action_undo_file(self) -> None:
        """Takes back all that was decided for this file."""
        if here := self.here:
            _, conflict, spot = here
            self.act(Verb.UNDO, conflict=conflict.id, file=spot.path)
            for other in file_spots(conflict, spot):
                self.sitting.undo(other)
            self.sitting.whole, self.sitting.spot = False, spot
            self.draw()

    def action_approve(self) -> None:
        """Merges what was decided or is proposed; as long as something is neither, goes there and says so."""
        if not (here := self.here):
            return
        _, conflict, spot = here
        left = undecided(conflict, self.sitting.sent)
        bare = [there for there in left if not settled(conflict, there)]
        if bare:
            there = spot if spot in bare else next((s for s in after(conflict, spot) if s in bare), bare[0])
            self.sitting.spot = there
            file = file_at(conflict, there)
            what = f"hunk {there.hunk} of {there.path}" if there.hunk else there.path
            how = "the proposal drops lines: take it with p, or a side" if file and file.lost else "take a side"
            self.notify(f"{what} is not decided yet: {how}, then approve", severity="warning", markup=False)
            self.draw()
        elif self.sitting.sent:
            self.sitting.approving = True
        elif doubts := evidence.doubts(conflict):
            self._confirm(Verb.APPROVE, questions.approve(conflict, doubts))
        else:
            self.act(Verb.APPROVE, conflict=conflict.id)

    def action_again(self) -> None:
        """Asks the agent, with a note."""
        if here := self.here:
            self._ask_note(Verb.AGAIN, questions.again(here[1]))

    def action_redo(self) -> None:
        """Sends the workstream back to be done again on the new tip, with a note."""
        if here := self.here:
            self._ask_note(Verb.REDO, questions.redo(here[1]))

    def _ask_note(self, verb: Verb, dialog: NoteDialog) -> None:
        if here := self.here:
            conflict = here[1].id

            def act(note: str | None) -> None:
                if note is not None:
                    self.act(verb, conflict=conflict, note=note or None)

            self.app.push_screen(dialog, act)

    def action_defer(self) -> None:
        """Puts the conflict off and goes to the next; or takes it up again."""
        if here := self.here:
            view, conflict, _ = here
            self.act(Verb.DEFER, conflict=conflict.id)
            other = next((c for c in ordered(view.conflicts) if c.needs_operator and c.id != conflict.id), None)
            if not conflict.deferred and other is not None:
                self.sitting.open(other)
                self.draw()

    def action_quarantine(self) -> None:
        """Asks, then gives the workstream up for this run."""
        if here := self.here:
            self._confirm(Verb.QUARANTINE, questions.quarantine(here[1]))

    def _confirm(self, verb: Verb, dialog: ConfirmDialog) -> None:
        if here := self.here:
            conflict = here[1].id

            def act(sure: bool | None) -> None:
                if sure:
                    self.act(verb, conflict=conflict)

            self.app.push_screen(dialog, act)
