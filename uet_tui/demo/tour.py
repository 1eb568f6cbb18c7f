"""The demo without a terminal: plays the operator's part with the commands that one would type, and shows them.

Every command is run for real, in a process of its own. What the tour tells is checked on the way, so that it cannot
tell what did not happen.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from uet_tui.core.states import ConflictState
from uet_tui.demo.scratch import PROJECT, python
from uet_tui.errors import UetError
from uet_tui.report.outcome import ALL_MERGED, WAITS_FOR_OPERATOR
from uet_tui.settings.layers import load_settings
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView
from uet_tui.workspace.git import Git, Trust

_SPEED = 6
"""How many times faster the agents are than in the console, unless somebody says otherwise: nobody watches."""
_FEWEST_WORKERS = 2
"""With fewer, the two workstreams that are to conflict run one after the other."""
_HUNKS = 2


class TourError(UetError):
    """The tour did not go as it tells."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """How the tour's run is set."""

    sets: tuple[str, ...]
    """What is given to its `--set`."""
    speed: float
    """By how much the agents' times are divided."""


def pace(sets: Sequence[str]) -> Pace:
    """The pace that the settings ask for, before anything is made.

    Args:
        sets: what was given to `--set`.

    Raises:
        UetError: a setting is wrong, or would leave the story without its conflict.
    """
    loaded = load_settings(PROJECT, os.environ, sets)
    if loaded.settings.workers < _FEWEST_WORKERS:
        where = loaded.origins["workers"]
        raise UetError(f"{where}: the demo needs {_FEWEST_WORKERS} workers, or its two sides never meet")
    if loaded.origins["simulated.speed"].layer == "shipped":
        return Pace((*sets, f"simulated.speed={_SPEED}"), _SPEED)
    return Pace(tuple(sets), loaded.settings.simulated.speed)


class Tour:
    """The operator's part, from the plan to the landing, in a scratch repository that was just made."""

    def __init__(self, scratch: Path, pace: Pace, say: Callable[[str], None]) -> None:
        """`say` prints a line at once: the commands print to the same place."""
        self._scratch = scratch
        self._pace = pace
        self._say = say

    def run(self) -> None:
        """Plays the whole story.

        Raises:
            TourError: a command did not end as it should, or did not do what it should.
        """
        began = time.monotonic()
        self._say("# The demo without a terminal: what one would type, and what comes of it.")
        self._say(f"$ cd {shlex.quote(str(self._scratch))}")
        self._plan()
        conflict = self._first_half()
        self._decide(conflict)
        view = self._second_half()
        self._land(view)
        seconds = time.monotonic() - began
        self._say(f"\n# {view.merged} workstreams merged, one conflict decided, landed on main, in {seconds:.0f} s.")
        self._say("# The same in the console, where you decide: uet demo")

    def _plan(self) -> None:
        self._tell("The plan for version 2 of a small real project, and a warning about two of its workstreams.")
        self._uet("validate")

    def _first_half(self) -> ConflictView:
        fast = f"{self._pace.speed:g} times as fast"
        self._tell(f"Run it. The agents are rehearsed and {fast}; edits, tests and merges are real.")
        settings = (word for given in self._pace.sets for word in ("--set", given))
        self._uet("run", "--headless", *settings, code=WAITS_FOR_OPERATOR)
        view = self._view()
        opened = [conflict for conflict in view.conflicts if conflict.open]
        self._check(len(view.conflicts) == len(opened) == 1, f"one conflict is open, not {len(opened)}")
        again = [ws.id for ws in view.workstreams if ws.attempts > 1]
        unchanged = [ws.id for ws in view.workstreams if ws.reason == "no change needed"]
        self._check(again == ["ws-csv"], f"ws-csv took a second attempt, not {again}")
        self._check(unchanged == ["ws-umlauts"], f"ws-umlauts needed no change, not {unchanged}")
        waiting = opened[0].waiting
        self._check(len(waiting) == len(view.workstreams) - view.merged - 1, "nothing but the conflict is waited for")
        self._tell(
            f"It ended with exit code {WAITS_FOR_OPERATOR}: you are needed. {view.merged} of {len(view.workstreams)} "
            "are merged: ws-csv failed once and was tried again, ws-umlauts needed no change."
        )
        self._say(f"# {opened[0].workstream} conflicts, and only what depends on it waits: {', '.join(waiting)}.")
        return opened[0]

    def _decide(self, conflict: ConflictView) -> None:
        hunks = [hunk for file in conflict.files for hunk in file.hunks]
        self._check(len(hunks) == _HUNKS, f"the conflict has {_HUNKS} hunks, not {len(hunks)}")
        self._uet("conflicts", "list")
        self._uet("conflicts", "show", conflict.id)
        if conflict.proposal:
            self._tell(f"{conflict.proposal.capitalize()} proposes both sides everywhere, and the tests pass so, too.")
        self._tell("Both columns have room; the list can only be in one order. Take both, then theirs:")
        self._uet("conflicts", "take", conflict.id, "--both", "--hunk", "1")
        self._uet("conflicts", "take", conflict.id, "--theirs", "--hunk", "2")
        view = self._view()
        done = [one.state is ConflictState.HUMAN_RESOLVED for one in view.conflicts]
        self._check(all(done), "the conflict is resolved")
        merged = view.workstream(conflict.workstream)
        self._check(merged is not None and merged.merge_commit is not None, f"{conflict.workstream} is merged")

    def _second_half(self) -> RunView:
        self._tell("It is merged, its tests passed as merged, and what waited can go on.")
        self._uet("resume", "--headless")
        view = self._view()
        self._check(view.merged == len(view.workstreams), f"all are merged, not {view.merged}")
        self._check(self._git("rev-parse", "main") == view.base_commit, "main is where it was")
        return view

    def _land(self, view: RunView) -> None:
        self._tell("All merged, and main is still where it was. The last step is yours:")
        self._uet("land")
        self._uet("status")
        self._check(self._view().landed_at is not None, "the run is landed")
        self._check(self._git("rev-parse", "main") == view.tip, "main is at what was merged")
        self._check(not self._git("status", "--porcelain"), "the checkout is clean")
        self._say("\n$ git log --oneline --first-parent main")
        self._say(self._git("log", "--oneline", "--first-parent", "main"))
        self._python("-m", "unittest", "-q")
        self._python("-m", "ledger", "list")

    def _tell(self, text: str) -> None:
        self._say(f"\n# {text}")

    def _uet(self, *arguments: str, code: int = ALL_MERGED) -> None:
        self._run(["uet", *arguments], [sys.executable, "-m", "uet_tui", *arguments], code)

    def _python(self, *arguments: str) -> None:
        command = [python(), *arguments]
        self._run(command, command, 0)

    def _run(self, shown: Sequence[str], command: Sequence[str], code: int) -> None:
        """Runs a command in the repository, on this process's own output, and holds it to its exit code."""
        self._say(f"\n$ {shlex.join(shown)}")
        ended = _wait(subprocess.Popen(command, cwd=self._scratch, stdin=subprocess.DEVNULL, env=_environment()))
        self._check(ended == code, f"`{shlex.join(shown)}` ends with {code}, not {ended}")

    def _view(self) -> RunView:
        with closing(Reader(Home(self._scratch / ".uet").database)) as reader:
            return reader.run(reader.newest())

    def _git(self, *arguments: str) -> str:
        done = Git(self._scratch, trust=Trust.READ).run(*arguments)
        return done.out.decode("utf-8", "replace").rstrip("\n")

    def _check(self, holds: bool, what: str) -> None:
        if not holds:
            raise TourError(f"the demo did not go as it should: expected that {what}; look at {self._scratch}")


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """The exit code of a command; an interrupt reaches it by itself and is passed on once it has ended."""
    interrupted = False
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return code


def _environment() -> Mapping[str, str]:
    """This process's own, without leaving compiled files in the checkout."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
