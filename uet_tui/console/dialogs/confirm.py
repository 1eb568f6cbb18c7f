"""The question before an act that cannot be taken back."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from uet_tui.console.dialogs.dialog import Dialog, key_button, text


class ConfirmDialog(Dialog[bool]):
    """Asks once; True only if the operator says yes in so many words, None or False otherwise."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n", "answer(False)", "No", id="confirm.no", tooltip="Leave everything as it is"),
    ]

    def __init__(self, title: str, body: str, yes: str) -> None:
        """`yes` names the act on its button: "kill it", not "ok"."""
        super().__init__(title)
        self._body = body
        self._yes = yes

    def body(self) -> Iterable[Widget]:
        """What would happen."""
        yield text(self._body)

    def buttons(self) -> Iterable[Button]:
        """Yes has the focus, so `enter` says it too; everything else says no."""
        yield key_button("y", self._yes, "screen.answer(True)", id="yes")
        yield key_button("n", "no", "screen.answer(False)", id="no")

    def action_answer(self, yes: bool) -> None:
        """Hands the answer back."""
        self.dismiss(yes)

    def action_leave(self) -> None:
        """Going back is a no."""
        self.dismiss(False)
