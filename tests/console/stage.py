"""An app with one screen on it and nothing else: acts are recorded, views and answers are given by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from textual.events import Mount

from tests.console.samples import NOW, FakeSource
from uet_tui.console.screens import Act, Field, RunApp, RunScreen
from uet_tui.core.commands import Answer, Verb
from uet_tui.errors import UetError
from uet_tui.store.conflict_text import SideText
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import AttemptView, RunView


class StageSource(FakeSource):
    """A source with texts of conflicts, and attempts that a test can choose."""

    def __init__(self, view: RunView | None = None) -> None:
        super().__init__(view)
        self.texts: dict[tuple[str, int], str] = {}
        self.sides: dict[tuple[str, int, str], SideText] = {}
        self.tries: tuple[AttemptView, ...] | None = None

    def conflict_side(self, conflict: str, index: int, side: str) -> SideText | None:
        return self.sides.get((conflict, index, side))

    def conflict_text(self, conflict: str, index: int) -> str:
        if (conflict, index) not in self.texts:
            raise UetError(f"{conflict} has no text [/x]")
        return self.texts[conflict, index]

    def attempts(self, workstream: str) -> tuple[AttemptView, ...]:
        return super().attempts(workstream) if self.tries is None else self.tries


class Stage(RunApp):
    """Shows one screen; `acts` is what it asked for."""

    def __init__(self, source: StageSource, make: Callable[[StageSource], RunScreen]) -> None:
        super().__init__()
        self.source = source
        self.view = source.view
        self.make = make
        self.acts: list[tuple[Verb, dict[str, Field]]] = []

    def now(self) -> datetime:
        return NOW

    async def on_mount(self, _event: Mount) -> None:
        await self.push_screen(self.make(self.source))

    def on_act(self, act: Act) -> None:
        self.acts.append((act.verb, {name: value for name, value in act.fields.items() if value is not None}))

    @property
    def shown(self) -> RunScreen:
        """The screen on the stage, under any dialog."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, RunScreen))

    def put(self, view: RunView) -> None:
        """A new view has come."""
        self.view = self.source.view = replace(view, revision=self.source.view.revision + 1)
        self.shown.show(self.view)

    def put_conflict(self, *conflicts: ConflictView) -> None:
        """A new view with these conflicts has come."""
        self.put(replace(self.source.view, conflicts=conflicts))

    def refuse(self, verb: Verb) -> None:
        """The newest act was refused."""
        self.shown.answered(verb, Answer(id="1", ok=False, message="no"))


def words(stage: Stage, selector: str) -> str:
    """The plain text of a widget of the screen."""
    return str(stage.shown.query_one(selector).render())
