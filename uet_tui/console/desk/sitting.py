"""Where the operator is at the desk and what is on its way: the desk's own state, without a screen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from uet_tui.console.desk.spots import Spot, choice_at, next_undecided, ordered, settle, spots, undecided
from uet_tui.console.desk.words import merging
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import RunView


@dataclass(slots=True)
class Sitting:
    """One operator at one conflict of a run."""

    chosen: str | None
    """The id of the open conflict; None: the first that needs a decision."""
    spot: Spot | None = None
    sent: list[Spot] = field(default_factory=list)
    """Spots whose choice was sent and is not in a view yet."""
    taken: list[Spot] = field(default_factory=list)
    """Spots decided in this sitting, newest last: what undo goes back to."""
    approving: bool = False
    """Whether the conflict is to be approved as soon as what was sent is in a view."""
    whole: bool = False
    """Whether the next act is for the whole file."""

    def settle(self, view: RunView) -> ConflictView | None:
        """The open conflict in a new view, and the place in it, as far as they are still there."""
        found = next((c for c in view.conflicts if c.id == self.chosen), None)
        if found is None and view.conflicts:
            there = ordered(view.conflicts)
            found = next((c for c in there if c.needs_operator and not merging(view, c)), there[0])
            self.open(found)
        if found is not None:
            self.sent = [spot for spot in self.sent if spot in undecided(found)]
            self.spot = settle(found, self.spot)
        return found

    def open(self, conflict: ConflictView) -> None:
        """Goes to a conflict, to its first undecided spot."""
        self.chosen = conflict.id
        self.spot = settle(conflict, next(iter(undecided(conflict)), None))
        self.taken.clear()
        self.whole = False
        self.forget()

    def forget(self) -> None:
        """Nothing is on its way any more."""
        self.sent.clear()
        self.approving = False

    def take(self, conflict: ConflictView, decided: Sequence[Spot]) -> None:
        """Some spots were decided: goes on to the next that is not."""
        left = undecided(conflict, self.sent)
        self.sent += [spot for spot in decided if spot in left]
        self.taken = [spot for spot in self.taken if spot not in decided] + [*decided]
        self.spot = next_undecided(conflict, decided[-1], self.sent) or self.spot
        self.whole = False

    def undoable(self, conflict: ConflictView) -> Spot | None:
        """The spot that undo takes back: this one if it is decided, else the one decided last."""
        there = {*self.sent, *(spot for spot in spots(conflict) if choice_at(conflict, spot) is not None)}
        return next((spot for spot in (self.spot, *reversed(self.taken)) if spot in there), None)

    def undo(self, spot: Spot) -> None:
        """A choice was taken back: goes there."""
        self.sent = [s for s in self.sent if s != spot]
        self.taken = [s for s in self.taken if s != spot]
        self.spot, self.approving = spot, False
