"""What gates said of trees before, on disk: a tree is not tested twice, and the base commit once for all."""

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from uet_tui.gates.checks import Check
from uet_tui.store.files import open_regular, write_whole

_KEPT_SECONDS = 24 * 3600.0
"""How long a verdict counts: what gates need beside the tree (programs, their versions) changes from day to day."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was said of a tree."""

    verdict: str
    base: str
    """The base tree that excused it, where the verdict is `red before`."""
    at: float
    """When: seconds since the epoch."""


class Memory:
    """The verdicts in one folder. Safe for many threads and processes: each verdict is one file, put there whole."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def recall(self, tree: str, mark: str, *, however_old: bool = False) -> Remembered | None:
        """What was said of a tree not long ago, or ever, if anything."""
        with suppress(OSError, ValueError, TypeError):
            file = open_regular(self._path(tree, mark))
            if file is not None:
                with file:
                    found = Remembered(**json.load(file))
                if however_old or 0 <= self._clock() - found.at < _KEPT_SECONDS:
                    return found
        return None

    def keep(self, tree: str, mark: str, verdict: str, base: str = "") -> None:
        """Remembers what was said of a tree, if it can."""
        path = self._path(tree, mark)
        with suppress(OSError):  # a full disk, say: it is run again then
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, json.dumps(asdict(Remembered(verdict, base, self._clock()))).encode())

    def _path(self, tree: str, mark: str) -> Path:
        return self._folder / tree / f"{mark}.json"


def mark_of(check: Check, steps: int | None = None, *, around: str = "") -> str:
    """What stands for a check's commands, or its first `steps` by themselves: equal marks are equal commands.

    `around` stands for how they are confined; empty if they are not.
    """
    told = {"steps": [asdict(step) for step in check.steps[:steps]], "no_tests": check.no_tests, "env": check.env}
    text = json.dumps([told, steps, *([around] if around else [])], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
