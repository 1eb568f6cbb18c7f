"""Asking for one line of text."""

from collections.abc import Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Button, Input

from uet_tui.console.dialogs.dialog import Dialog, key_button, text


class NoteDialog(Dialog[str]):
    """Asks for one line; hands back what was written, an empty line only if that is an answer."""

    def __init__(self, title: str, body: str, yes: str, value: str = "", *, optional: bool = False) -> None:
        """Makes the question.

        Args:
            title: of the dialog.
            body: what the line is for.
            yes: what will be done with the line, for the button.
            value: what stands there at first.
            optional: whether the line may be left empty.
        """
        super().__init__(title)
        self._body = body
        self._yes = yes
        self._value = value
        self._optional = optional

    def body(self) -> Iterable[Widget]:
        """What the line is for, and where to write it."""
        yield text(self._body, "dialog--lead")
        yield Input(self._value, compact=True)

    def buttons(self) -> Iterable[Button]:
        """Sending and going back."""
        yield key_button("enter", self._yes, "screen.send", id="send")
        yield key_button("escape", "back", "screen.leave", id="back")

    @on(Input.Submitted)
    def action_send(self) -> None:
        """Hands the line back."""
        line = self.query_one(Input).value.strip()
        if line or self._optional:
            self.dismiss(line)
