"""What the bridge tells the app; made off the UI thread, plain frozen values only."""

from dataclasses import dataclass

from textual.message import Message

from uet_tui.core.commands import Answer, Verb
from uet_tui.store.views import EventView, RunView


@dataclass
class RunChanged(Message, bubble=False):
    """The run has another revision; a newer one makes an unread older one superfluous."""

    view: RunView

    def can_replace(self, message: Message) -> bool:
        """Whether the message that comes after this one makes reading this one superfluous."""
        return isinstance(message, RunChanged) and message.view.revision >= self.view.revision


@dataclass
class EventsArrived(Message, bubble=False):
    """Events that had not been seen, oldest first."""

    events: tuple[EventView, ...]


@dataclass
class SourceFailed(Message, bubble=False):
    """The run cannot be read at present; the last view stays."""

    text: str


@dataclass
class Answered(Message, bubble=False):
    """A command was answered."""

    verb: Verb
    what: str
    """The command in words, for the operator."""
    answer: Answer


@dataclass
class Left(Message, bubble=False):
    """The engine has been left as the operator wanted; the console can close."""

    error: str
    """Why that went wrong; empty if it did not."""
