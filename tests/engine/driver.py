"""An orchestrator in a process of its own, which can be killed: `python -m tests.engine.driver REPOSITORY RUN [POINT]`.

POINT names an instant at which the process kills itself, as `kill -9` would.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uet_tui.engine import attempts, gating, runner
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.start import log_to_file, open_run
from uet_tui.store.paths import Home
from uet_tui.store.writer import Writer
from uet_tui.workspace.control import ControlRepository


def die() -> None:
    """Ends this process without a last word."""
    os.kill(os.getpid(), signal.SIGKILL)


def killing(function: Callable[..., Any], *, before: bool, nth: int = 1) -> Callable[..., Any]:
    """The function, but its nth call is the process's last act."""
    calls = 0

    def dying(*args: Any, **facts: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == nth:
            die()
        result = function(*args, **facts)
        if calls == nth:
            die()
        return result

    return dying


POINTS: dict[str, tuple[Any, str, bool]] = {
    "before the keeper is started": (runner, "start_attempt", True),
    "once the keeper is started": (attempts, "start", False),
    "before the snapshot": (runner, "collect", True),
    "after the snapshot": (runner, "collect", False),
    "before the branch moves": (ControlRepository, "update_refs", True),
    "once the branch has moved": (ControlRepository, "update_refs", False),
    "before publishing": (ControlRepository, "publish", True),
    "after publishing": (ControlRepository, "publish", False),
    "after the gates": (gating, "run_gates", False),
}
"""Where to die: whose function, its name, and whether before or after it."""


def main(repository: str, run: str, point: str = "") -> int:
    """Drives a run to where it rests."""
    if point.startswith("commit "):
        Writer.commit = killing(Writer.commit, before=False, nth=int(point.split()[1]))
    elif point:
        where, name, before = POINTS[point]
        setattr(where, name, killing(getattr(where, name), before=before))
    opened = open_run(Home(Path(repository) / ".uet"), run)
    log_to_file(opened.place)
    orchestrator = Orchestrator(opened.place, opened.hold)
    orchestrator.run()
    return 0 if orchestrator.failure is None else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
