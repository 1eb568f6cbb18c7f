"""What the five panes share: a number, a title, the newest view and the time."""

from datetime import UTC, datetime
from typing import ClassVar

from textual.content import Content

from uet_tui.console.rows import RowList
from uet_tui.store.views import RunView


class Pane(RowList):
    """A titled list; its number is the key that puts the focus on it."""

    number: ClassVar[int]
    title: ClassVar[str]
    now: datetime = datetime.fromtimestamp(0, UTC)
    """The time that ages and durations are counted to; told by the screen."""

    def __init__(self) -> None:
        super().__init__(id=f"pane-{self.title.lower()}")
        self.filter = ""

    def on_mount(self) -> None:
        """Puts the title into the border."""
        self.border_title = Content.assemble((f"{self.number} ", "dim"), self.title)

    def show(self, view: RunView) -> None:
        """Takes the newest view."""
        raise NotImplementedError

    def tick(self, now: datetime) -> None:
        """Takes the time and redraws what counts it."""
        self.now = now
        self.refresh_changed()

    def sift(self) -> None:
        """Works out the rows again, for panes whose filter leaves some out."""

    def alert(self) -> str:
        """A word for the tab where the pane itself is not in sight: what in it needs the operator."""
        return ""

    def workstream(self) -> str | None:
        """The workstream that the cursor is on, or that has what the cursor is on."""
        return self.selected

    def narrow(self, words: str) -> None:
        """Shows only what has all these words in it; none shows everything."""
        with self.keeping_place():
            self.filter = words.casefold()
            self.sift()
        self.border_subtitle = Content(f"/ {words}" if words else "")


def matches(words: str, text: str) -> bool:
    """Whether a text has all words of a filter in it, whatever their case and order."""
    folded = text.casefold()
    return all(word in folded for word in words.split())
