"""How screens meet the app: the newest view comes in through `show`, the operator's acts go out as `Act` messages.

A screen never reads the store in a handler and never sends a command itself. The app keeps the newest view and the
clock; screens that are covered by another are not updated, they catch up when they are resumed.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from textual.app import App
from textual.getters import app
from textual.message import Message
from textual.screen import Screen

from uet_tui.core.commands import Answer, Verb
from uet_tui.store.views import EventView, RunView

P = ParamSpec("P")
T = TypeVar("T")
Field = str | int | float | None
"""The type of a command's field; enumerations such as `Side` are strings."""


@dataclass
class Act(Message):
    """The operator wants something of the run; any widget may post it, the app sends it to the source."""

    verb: Verb
    fields: Mapping[str, Field]


class RunApp(App[None]):
    """What screens may know of the app."""

    view: RunView | None = None
    """The newest view of the run; None until the first one came."""
    editor: str = ""
    """The setting `editor`; empty where the environment says which one."""

    def now(self) -> datetime:
        """The time, aware, in UTC: the one clock of the console, fixed in tests."""
        return datetime.now(UTC)


class RunScreen(Screen[None]):
    """A screen that shows a run.

    The app calls, on the UI thread, the one in sight (behind a dialog, too): `show` at most 4 times a second when the
    run has changed, `tick` once a second, `answered` when an act was answered. `add_events` comes to all that are open,
    in sight or not, since events come only once. `show` is also called whenever the screen becomes the active one, if
    there is a view.
    """

    run_app = app(RunApp)

    def show(self, view: RunView) -> None:
        """Puts a view on the screen; keeps the cursor and the scroll of what is still there."""
        raise NotImplementedError

    def tick(self, now: datetime) -> None:
        """Redraws what depends on the time alone."""

    def add_events(self, events: tuple[EventView, ...]) -> None:
        """Takes events that have not been seen yet, oldest first."""

    def answered(self, verb: Verb, answer: Answer) -> None:
        """Takes the answer to an act of this screen; the app has already told the operator of it."""

    def act(self, verb: Verb, **fields: Field) -> None:
        """Asks something of the run; fields are those of `Command`."""
        self.post_message(Act(verb, fields))

    async def read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Reads something off the UI thread, for a worker of this screen.

        Raises:
            asyncio.CancelledError: the screen was closed meanwhile; its widgets go before its workers are cancelled.
        """
        try:
            return await asyncio.to_thread(read, *args, **kwargs)
        finally:
            if not (self.app.is_running and self in self.app.screen_stack):
                raise asyncio.CancelledError

    def on_screen_resume(self) -> None:
        """Catches up with what happened while another screen was on top."""
        if (view := self.run_app.view) is not None:
            self.show(view)
