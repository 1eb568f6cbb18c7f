"""Pictures of the conflict desk, the workstream screen and the dialogs, in all sizes and without colour."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from tests.console.samples import ago, conflict, event, finished_run, hostile_run, hunk, sample_run
from tests.console.stage import Stage, StageSource
from tests.console.test_workstream import ID, FilesSource, attempt
from uet_tui.console.desk.screen import ConflictDesk
from uet_tui.console.dialogs.choose import ChooseDialog, Pick
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.help import HelpScreen
from uet_tui.console.dialogs.leave import LeaveDialog
from uet_tui.console.dialogs.note import NoteDialog
from uet_tui.console.dialogs.summary import SummaryDialog
from uet_tui.console.lines_box import LinesBox
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.states import AttemptState, ConflictState
from uet_tui.store.conflict_views import ConflictFileView, ConflictView
from uet_tui.store.views import RunView

Compare = Callable[..., bool]
WIDE, NARROW = (120, 40), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])


def many() -> tuple[ConflictView, ...]:
    """A conflict with hunks, a proposal and files of other kinds; one without; one that is resolved."""
    lines = ("    args = parse(argv, defaults=load_config())", "    args.jobs = max(1, args.jobs)")
    hunks = (
        hunk(1, 12, before=("import json",), ours=("import os",), base=(), theirs=("import sys",), choice="both"),
        hunk(2, 42, proposal=lines),
        hunk(3, 80),
    )
    files = (
        ConflictFileView("scripts/run_workstream.py", "content", hunks, None),
        ConflictFileView("docs/old.md", "modify/delete", (), None),
    )
    first = conflict(
        state=ConflictState.PROPOSED,
        proposal="claude",
        files=files,
        waiting=("ws-30-integration", "ws-31-release"),
    )
    done = conflict("c3", "ws-11-docs", ConflictState.HUMAN_RESOLVED, files=(decided(),))
    return first, conflict("c2", "ws-10-base", opened=95), replace(done, closed_at=ago(60), by="ada")


def decided() -> ConflictFileView:
    return ConflictFileView("a.py", "content", (hunk(choice="ours"),), None)


def desk(*conflicts: ConflictView, id: str | None = None) -> Stage:
    return over(sample_run(conflicts=conflicts), id)


def over(view: RunView, id: str | None = None) -> Stage:
    return Stage(StageSource(view), lambda source: ConflictDesk(source, id))


DESKS: dict[str, tuple[Callable[[], Stage], list[str]]] = {
    "several": (lambda: desk(*many()), []),
    "one": (lambda: desk(conflict(), id="c1"), ["tab"]),
    "taken": (lambda: desk(*many()), ["["]),
    "whole-file": (lambda: desk(*many()), ["}"]),
    "decided": (lambda: desk(conflict(files=(decided(),)), id="c1"), []),
    "resolved": (lambda: desk(*many(), id="c3"), []),
    "empty": (lambda: desk(), []),
    "hostile": (lambda: over(hostile_run()), []),
}


@SIZES
@pytest.mark.parametrize("case", DESKS)
def test_the_desk(snap_compare: Compare, case: str, size: tuple[int, int]) -> None:
    make, keys = DESKS[case]
    assert snap_compare(make(), press=keys, terminal_size=size)


@SIZES
def test_the_desk_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(desk(*many()), terminal_size=size)


def workstream(*, hostile: bool = False) -> Stage:
    source = FilesSource()
    foreign = " [/x] [bold" if hostile else ""
    source.tries = (
        attempt(1, AttemptState.FAILED, exit_code=1, error=f"gate unit failed{foreign}"),
        attempt(2, AttemptState.RUNNING),
    )
    for number in (1, 2):
        folder = f"attempts/{ID}/{number}"
        source.write(f"{folder}/output", "".join(f"edit src/plugin_{n}.py{foreign}\n" for n in range(60)))
        source.write(f"{folder}/diff", f"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-old{foreign}\n+new\n same\n")
        source.write(f"{folder}/prompt", f"Do what {ID} says.\n\nStay in src/.{foreign}\n")
    source.log = [
        event(1, f"attempt 1 started{foreign}", before=500, workstream=ID),
        event(2, "gate unit failed", "gate_result", before=400, workstream=ID, severity="error"),
    ]
    return Stage(source, lambda given: WorkstreamScreen(given, ID))


async def settled(pilot: Pilot[Any]) -> None:
    """Everything that is read in threads has been read."""
    app = pilot.app
    for _ in range(1_000):
        await pilot.pause(0.01)
        if all(box.lines for box in app.screen.query(LinesBox)):
            return
    raise AssertionError("the screen did not get its texts")


@SIZES
@pytest.mark.parametrize("key", ["o", "d", "i", "v", "f"])
def test_the_workstream_screen(snap_compare: Compare, key: str, size: tuple[int, int]) -> None:
    async def ready(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await pilot.press(key)

    assert snap_compare(workstream(), run_before=ready, terminal_size=size)


@SIZES
def test_the_workstream_screen_without_colour(
    snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(workstream(hostile=True), run_before=settled, terminal_size=size)


DIALOGS: dict[str, Callable[[], Screen[Any]]] = {
    "confirm": lambda: ConfirmDialog("Quarantine ws-18-scripts?", "It is not merged in this run.", "quarantine it"),
    "leave": LeaveDialog,
    "choose": lambda: ChooseDialog("Which worker?", [Pick("1", "worker 1", "BUSY ws-13"), Pick("2", "worker 2")]),
    "note": lambda: NoteDialog("Filter", "Show only lines with", "filter", "ws"),
    "help": HelpScreen,
    "summary": lambda: SummaryDialog(finished_run(conflicts=many()[2:])),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs(snap_compare: Compare, name: str) -> None:
    async def opened(pilot: Pilot[Any]) -> None:
        await pilot.app.push_screen(DIALOGS[name]())

    assert snap_compare(desk(*many()), run_before=opened, terminal_size=NARROW)
