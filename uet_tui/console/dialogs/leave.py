"""The question behind `q`: what becomes of the run when the console closes."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from uet_tui.console.dialogs.dialog import Dialog, key_button, text
from uet_tui.console.host import Leaving


class LeaveDialog(Dialog[Leaving]):
    """Asks how to leave a run that is not over; None means to stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "answer('background')", "Background", id="leave.background"),
        Binding("d", "answer('drain')", "Drain", id="leave.drain"),
        Binding("s", "answer('stop')", "Stop", id="leave.stop"),
    ]

    def __init__(self) -> None:
        super().__init__("Leave the console")

    def body(self) -> Iterable[Widget]:
        """Each way with what it does to the agents, the work and the money."""
        yield text("The run is not over. What should become of it?", "dialog--lead")
        yield key_button("b", "leave it running in the background", "screen.answer('background')", id="background")
        yield text("Agents go on and more are started. Come back with: uet console", "dialog--means")
        yield key_button("d", "drain, then leave", "screen.answer('drain')", id="drain")
        yield text("What runs is finished and merged, nothing new starts. Go on with: uet resume", "dialog--means")
        yield key_button("s", "stop now", "screen.answer('stop')", id="stop")
        yield text("Agents are ended; their branches keep what they wrote. Go on with: uet resume", "dialog--means")

    def buttons(self) -> Iterable[Button]:
        """Staying is the safe answer."""
        yield key_button("escape", "stay here", "screen.leave", id="stay")

    def action_answer(self, leaving: Leaving) -> None:
        """Hands the answer back."""
        self.dismiss(leaving)
