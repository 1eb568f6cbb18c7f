"""Everything that speaks for and against the proposal of a conflict, to be read at leisure."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from uet_tui.console.dialogs.dialog import key_button
from uet_tui.console.dialogs.reading import ReadingDialog


class EvidenceDialog(ReadingDialog):
    """Headings with lines beneath them; scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "leave", "Back", show=False)]

    def __init__(self, title: str, parts: Sequence[tuple[str, Sequence[Content]]]) -> None:
        super().__init__(title)
        self._parts = tuple(parts)

    def body(self) -> Iterable[Widget]:
        """The parts, one after another."""
        for heading, lines in self._parts:
            told = [Content.styled(heading, "bold underline"), *(Content("  ") + line for line in lines)]
            yield Static(Content("\n").join(told), classes="dialog--lead", markup=False)

    def buttons(self) -> Iterable[Button]:
        """How to move, and how to leave."""
        yield key_button("↓", "down", "screen.scroll('page_down')", id="down")
        yield key_button("↑", "up", "screen.scroll('page_up')", id="up")
        yield key_button("escape", "back", "screen.leave", id="back")
