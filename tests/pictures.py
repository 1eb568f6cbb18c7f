"""The pictures in `screens/`, made by looking at a real run: `python -m tests.pictures [FOLDER]`.

The demo's plan is run for real, by the engine in this process, with the console on it. What the pictures show is what
an operator sees; only the size of the terminal is fixed.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from textual.pilot import Pilot

from uet_tui.console.app import UetApp
from uet_tui.console.home.screen import HomeScreen
from uet_tui.console.source import StoreSource
from uet_tui.core.states import WorkstreamState
from uet_tui.demo.scratch import make_scratch
from uet_tui.engine.embedded import EmbeddedEngine
from uet_tui.engine.start import home_of, new_run, repository_at
from uet_tui.plan.validate import load_plan
from uet_tui.resources import SCREENS
from uet_tui.settings.layers import load_settings
from uet_tui.store.views import RunView

_WIDE, _NARROW = (120, 40), (80, 24)
_PATIENCE = 120.0
"""Seconds until the run must have come to what a picture shows."""


async def take_pictures(folder: Path) -> None:
    """Runs the demo and pictures each screen at its most telling moment."""
    with tempfile.TemporaryDirectory(prefix="uet-pictures-") as scratch:
        root = make_scratch(Path(scratch) / "invoices")
        settings = load_settings(root, {}, []).settings
        loaded = load_plan(root / "workstreams", tools=settings.agents, gates=settings.gates, overlap=settings.overlap)
        if loaded.plan is None:
            raise SystemExit(f"the demo's plan is not valid: {loaded.errors[0]}")
        operator = repository_at(root)
        opened = new_run(operator, loaded.plan, settings)
        engine = EmbeddedEngine(opened)
        engine.start()
        try:
            with closing(StoreSource(home_of(operator), opened.place.run, "ann")) as source:
                await _look(UetApp(source, host=engine), folder)
        finally:
            engine.stop("stop")


async def _look(app: UetApp, folder: Path) -> None:
    async with app.run_test(size=_WIDE) as pilot:
        view = await _until(pilot, lambda view: bool(view.conflicts) and _running(view) != [])
        _picture(app, folder, "home")
        home = app.screen
        if not isinstance(home, HomeScreen):
            raise SystemExit("the home screen is not in sight")
        home.open_workstream((_running(view) or [view.conflicts[0].workstream])[0])
        await _settled(pilot)
        _picture(app, folder, "workstream")
        await pilot.press("escape", "c")
        await _settled(pilot)
        _picture(app, folder, "desk")
        await pilot.press("escape", "q")
        await _settled(pilot)
        _picture(app, folder, "dialogs")
        await pilot.press("escape")
        await pilot.resize_terminal(*_NARROW)
        await _settled(pilot)
        _picture(app, folder, "home-80x24")


def _running(view: RunView) -> list[str]:
    return [ws.id for ws in view.workstreams if ws.state is WorkstreamState.RUNNING]


async def _until(pilot: Pilot[None], ready: Callable[[RunView], bool]) -> RunView:
    async with asyncio.timeout(_PATIENCE):
        while not (isinstance(pilot.app, UetApp) and pilot.app.view and ready(pilot.app.view)):
            await pilot.pause(0.1)
    return pilot.app.view


async def _settled(pilot: Pilot[None]) -> None:
    """One beat of the console's clock, so that what was opened has read what it shows."""
    await pilot.pause(1.2)


def _picture(app: UetApp, folder: Path, name: str) -> None:
    svg = app.export_screenshot(title=f"uet · {name}", simplify=True)
    (folder / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(take_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else SCREENS))
