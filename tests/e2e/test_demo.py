"""The demo in a real terminal, steered by its keys from the first screen to the summary."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import pytest

from tests.e2e.terminal import TMUX, Terminal
from tests.e2e.uet import events, start, states, status
from tests.support.wait import until

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

AT_ONCE = 1.0
"""Seconds from a key to its effect on the screen."""
BRISK = ("--set", "simulated.speed=7")


def workers(count: int) -> re.Pattern[str]:
    """The header's word for a parallelism that holds, not one that is only asked for."""
    return re.compile(rf"workers \d+(/| of ){count}( busy|, \d+ drains?)? \(")


def worker(number: int, word: str) -> re.Pattern[str]:
    """A worker's line in its pane."""
    return re.compile(rf"[│▏▌ ] +{number} . {word}")


UNGATED = ("--set", "gates.GATE_UNIT.commands=[]")
"""Most of the time goes into the demo's own tests; once is enough for them."""


@pytest.mark.parametrize(
    ("columns", "rows", "sets"),
    [(120, 40, BRISK), pytest.param(80, 24, (*BRISK, *UNGATED), marks=pytest.mark.slow)],
)
def test_the_whole_demo_is_steered_by_keys_and_lands(
    tmp_path: Path, columns: int, rows: int, sets: Sequence[str]
) -> None:
    scratch = tmp_path / "ledger"
    took: dict[str, float] = {}
    with Terminal(columns, rows) as terminal:
        start(terminal, tmp_path, "demo", "--dir", str(scratch), *sets)
        terminal.wait_for(workers(4), 30)
        took["+"] = terminal.wait_for_effect("+", workers(5))
        took["-"] = terminal.wait_for_effect("-", workers(4))
        terminal.press("2")
        terminal.wait_for(worker(1, "BUSY"))
        took["p"] = terminal.wait_for_effect("p", worker(1, "PAUSED"))
        took["p again"] = terminal.wait_for_effect("p", worker(1, "(BUSY|IDLE)"))
        terminal.press("Down")
        took["d"] = terminal.wait_for_effect("d", workers(3))
        terminal.wait_for(lambda screen: not re.search(worker(2, "."), screen))
        terminal.wait_for("! 1 needs you", 40)
        took["w"] = terminal.wait_for_effect("w", "0/2 decided")
        took["b"] = terminal.wait_for_effect("b", "1/2 decided")
        took["t"] = terminal.wait_for_effect("t", "2/2 decided")
        took["a"] = terminal.wait_for_effect("a", re.compile("in the merge queue|HUMAN_RESOLVED"))
        terminal.wait_for("HUMAN_RESOLVED")
        terminal.press("Escape")
        terminal.wait_for("L land on main", 40)
        took["L"] = terminal.wait_for_effect("L", "Land 15 workstreams?")
        took["y"] = terminal.wait_for_effect("y", "landed on main")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
        last = ("15 of 15 merged", "landed on main", f"cd {scratch}")
        until(lambda: all(one in " ".join(terminal.screen().split()) for one in last), 5, "the last words")
    told(f"{columns}x{rows}", took)
    document = status(scratch)
    assert document["state"] == "COMPLETED" and states(document) == ["MERGED"]
    assert git(scratch, "rev-parse", "main") == git(scratch, "rev-parse", f"uet/{document['run']}")
    assert git(scratch, "rev-list", "--count", "main") != "1"
    assert git(scratch, "status", "--porcelain") == ""
    assert [event["text"] for event in events(scratch) if event["data"].get("ok") is False] == []
    assert median(took.values()) < AT_ONCE  # not each: the machine may have been busy with something else for once


def told(where: str, took: Mapping[str, float]) -> None:
    """Prints figures, for `pytest -s` and for a test that fails."""
    figures = ", ".join(f"{key} {seconds:.2f} s" for key, seconds in took.items())
    print(f"\n{where}, key to screen: {figures}")  # noqa: T201 - said, too, not only held


def git(folder: Path, *arguments: str) -> str:
    """What git says there."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
