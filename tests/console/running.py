"""The whole console over a source that records: what most tests of the home screen start from."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.console.samples import NOW, FakeSource
from uet_tui.console.app import UetApp
from uet_tui.console.home.screen import HomeScreen
from uet_tui.console.host import Leaving


class FakeHost:
    """An engine that notes how it was left."""

    def __init__(self) -> None:
        self.alive = True
        self.left: list[Leaving] = []
        self.error = ""

    def stop(self, how: Leaving) -> None:
        self.left.append(how)
        if self.error:
            raise RuntimeError(self.error)


def console(source: FakeSource, host: FakeHost | None = None) -> UetApp:
    """The app, at the samples' time."""
    return UetApp(source, clock=lambda: NOW, host=host)


async def eventually(pilot: Pilot[None], found: Callable[[], object]) -> None:
    """Waits until something holds, with a limit."""
    async with asyncio.timeout(10):
        while not found():
            await pilot.pause(0.02)


async def shown(pilot: Pilot[None]) -> None:
    """Waits until the run and its events are on the screen."""
    app = pilot.app
    assert isinstance(app, UetApp)
    await eventually(pilot, lambda: app.view is not None and isinstance(app.screen, HomeScreen))
    await pilot.pause()


@asynccontextmanager
async def running(
    source: FakeSource, size: tuple[int, int] = (120, 40), host: FakeHost | None = None
) -> AsyncIterator[tuple[Pilot[None], HomeScreen]]:
    """The console with the run on its home screen."""
    app = console(source, host)
    async with app.run_test(size=size, notifications=True) as pilot:
        await shown(pilot)
        assert isinstance(app.screen, HomeScreen)
        yield pilot, app.screen


def text(screen: HomeScreen) -> str:
    """What stands on the screen, line by line."""
    strips = screen._compositor.render_strips()  # there is no public way to read the screen
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)
