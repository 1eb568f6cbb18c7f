"""A dialog that is read: longer than the screen, and scrolled by any key that one would try."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from uet_tui.console.dialogs.dialog import Dialog


class ReadingDialog(Dialog[None]):
    """Scrolls whatever has the focus; there is nothing to answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Back", show=False),
        Binding("down,j", "scroll('down')", "Down", show=False),
        Binding("up,k", "scroll('up')", "Up", show=False),
        Binding("pagedown,space", "scroll('page_down')", "Page down", show=False),
        Binding("pageup", "scroll('page_up')", "Page up", show=False),
        Binding("home,g", "scroll('home')", "Top", show=False),
        Binding("end,G", "scroll('end')", "Bottom", show=False),
    ]

    def action_scroll(self, where: str) -> None:
        """Scrolls the text, whatever has the focus."""
        getattr(self.query_one(VerticalScroll), f"scroll_{where}")(animate=False)
