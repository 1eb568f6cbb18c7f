"""Picking one of a few things, as in "which worker?"."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Button, OptionList
from textual.widgets.option_list import Option

from uet_tui.console.dialogs.dialog import Dialog, key_button


@dataclass(frozen=True, slots=True)
class Pick:
    """One thing to choose."""

    value: str
    """What the dialog hands back."""
    label: str
    detail: str = ""


class ChooseDialog(Dialog[str]):
    """Asks for one of a few; hands back its value. The first nine have a number as their key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move('cursor_down')", "Down", show=False),
        Binding("k", "move('cursor_up')", "Up", show=False),
    ]

    def __init__(self, title: str, picks: Sequence[Pick]) -> None:
        super().__init__(title)
        self._picks = tuple(picks)

    def body(self) -> Iterable[Widget]:
        """The list, the cursor on its first line."""
        yield OptionList(*(Option(_line(n, pick)) for n, pick in enumerate(self._picks, start=1)), compact=True)

    def buttons(self) -> Iterable[Button]:
        """Choosing and going back."""
        yield key_button("enter", "choose", "screen.move('select')", id="choose")
        yield key_button("escape", "back", "screen.leave", id="back")

    def action_move(self, action: str) -> None:
        """Does what the list does for its own keys."""
        getattr(self.query_one(OptionList), f"action_{action}")()

    def on_key(self, event: Key) -> None:
        """A number picks at once; how many there are is not known when keys are bound."""
        if event.key.isdecimal() and 1 <= int(event.key) <= len(self._picks):
            event.stop()
            self.dismiss(self._picks[int(event.key) - 1].value)

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Hands the chosen value back."""
        self.dismiss(self._picks[event.option_index].value)


def _line(number: int, pick: Pick) -> Content:
    key = f" {number} " if number <= 9 else "   "
    return Content.assemble((key, "bold $text-accent"), pick.label, (f"  {pick.detail}" if pick.detail else "", "dim"))
