"""Takes the pictures of the screens in `screens/`, from the demo's own run: `python -m tests.pictures`.

The run goes on in a process of its own and the console is attached to it, without a terminal, in this one.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when textual is imported

from textual.pilot import Pilot

from uet_tui.console.app import UetApp
from uet_tui.console.source import StoreSource
from uet_tui.core.states import WorkerState, WorkstreamState
from uet_tui.demo.scratch import make_scratch
from uet_tui.errors import UetError
from uet_tui.resources import SCREENS
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView

SIZE = (120, 40)
SECONDS = 120
"""How long each moment is waited for; the demo takes about half of it."""


def busy(view: RunView) -> bool:
    """A moment that shows much: agents at work, some workstreams merged, a conflict that waits."""
    working = [worker for worker in view.workers if worker.state is WorkerState.BUSY]
    return any(conflict.open for conflict in view.conflicts) and len(working) > 1 and view.merged > 1


def running(view: RunView) -> bool:
    """A workstream runs and has printed something."""
    return any(one.state is WorkstreamState.RUNNING for one in view.workstreams)


def proposed(view: RunView) -> bool:
    """An agent has proposed a resolution, and the operator is asked."""
    return any(conflict.needs_operator and conflict.proposal for conflict in view.conflicts)


async def moment(pilot: Pilot[None], app: UetApp, holds: Callable[[RunView], bool]) -> RunView:
    """The view when it first holds."""
    end = time.monotonic() + SECONDS
    while (view := app.view) is None or not holds(view):
        if time.monotonic() > end:
            raise TimeoutError(f"the run did not come to where {holds.__name__} holds")
        await pilot.pause(0.1)
    return view


async def picture(pilot: Pilot[None], app: UetApp, name: str) -> None:
    """Writes what is on the screen now."""
    await pilot.wait_for_scheduled_animations()
    await pilot.pause(0.3)
    file = SCREENS / f"{name}.svg"
    file.write_text(app.export_screenshot(title="uet", simplify=True) + "\n", encoding="utf-8")


async def take(home: Home, run: str) -> None:
    """Goes through the screens as an operator would."""
    source = StoreSource(home, run, "operator")
    app = UetApp(source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await moment(pilot, app, busy)
        await picture(pilot, app, "home")
        await pilot.resize_terminal(80, 24)
        await picture(pilot, app, "home-80x24")
        await pilot.resize_terminal(*SIZE)
        await moment(pilot, app, running)
        await pilot.press("2", "down", "enter")
        await picture(pilot, app, "workstream")
        await pilot.press("escape", "dollar_sign")
        await picture(pilot, app, "breakdown")
        await pilot.press("escape", "D")
        await picture(pilot, app, "dialogs")
        await pilot.press("escape", "c")
        await moment(pilot, app, proposed)
        await picture(pilot, app, "desk")
    source.close()


def begun(home: Home) -> str:
    """The id of the run, once it is there."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return Reader(home.database).newest()
        except UetError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def main() -> None:
    """Makes the demo's repository, runs its plan, and takes the pictures meanwhile."""
    with tempfile.TemporaryDirectory(prefix="uet-pictures-") as folder:
        scratch = make_scratch(Path(folder) / "ledger")
        command = [sys.executable, "-P", "-m", "uet_tui", "run", "--headless"]
        with subprocess.Popen(command, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            home = Home(scratch / ".uet")
            try:
                asyncio.run(take(home, begun(home)))
            finally:
                for _ in range(3):  # drain, stop, end at once
                    process.send_signal(signal.SIGINT)
                    time.sleep(0.5)


if __name__ == "__main__":
    main()
