"""Asking for one line of text."""

from collections.abc import Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Button, Input

from uet_tui.console.dialogs.dialog import Dialog, key_button, text


class NoteDialog(Dialog[str]):
    """Asks for one line; hands back what was written, never an empty line."""

    def __init__(self, title: str, body: str, yes: str, value: str = "") -> None:
        """`yes` names on its button what will be done with the line; `value` is what stands there at first."""
        super().__init__(title)
        self._body = body
        self._yes = yes
        self._value = value

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
        """Hands the line back; an empty one is not an answer."""
        if line := self.query_one(Input).value.strip():
            self.dismiss(line)
