"""What all dialogs share: a titled panel in the middle, buttons that name their key, `escape` as the safe way out."""

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Static

from uet_tui.resources import SCREENS

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer | None]):
    """A modal question; None means that the operator went back without an answer."""

    CSS_PATH = SCREENS / "dialogs.tcss"
    AUTO_FOCUS = ".dialog--body *, Button"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="dialog.leave", tooltip="Close this and change nothing"),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """The frame; subclasses fill `body` and `buttons`."""
        with Vertical(classes="dialog") as panel:
            panel.border_title = Content(self._title)
            with VerticalScroll(classes="dialog--body", can_focus=False):
                yield from self.body()
            with Horizontal(classes="dialog--buttons"):
                yield from self.buttons()

    def body(self) -> Iterable[Widget]:
        """What the dialog says or asks."""
        return ()

    def buttons(self) -> Iterable[Button]:
        """The answers there are, the usual one first."""
        yield key_button("escape", "back", "screen.leave")

    def on_click(self, event: Click) -> None:
        """A click beside the panel leaves it, as `escape` does."""
        if event.widget is self:
            self.action_leave()

    def action_leave(self) -> None:
        """Goes back without an answer."""
        self.dismiss(None)


def text(value: str, classes: str = "") -> Static:
    """A paragraph that is never read as markup."""
    return Static(Content(value), markup=False, classes=classes)


def key_button(key: str, label: str, action: str, *, id: str | None = None) -> Button:
    """A one-line button that shows its key, so that the mouse teaches the keyboard."""
    return Button(Content.assemble((f" {key} ", "reverse"), f" {label} "), id=id, action=action, compact=True)
