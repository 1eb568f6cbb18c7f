"""Pictures of the conflict desk, the workstream screen and the dialogs, in all sizes and without colour."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from tests.console import desks
from tests.console.samples import conflict, event, finished_run
from tests.console.stage import Stage
from tests.console.test_workstream import ID, FilesSource, attempt
from uet_tui.console.dialogs.choose import ChooseDialog, Pick
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.help import HelpScreen
from uet_tui.console.dialogs.leave import LeaveDialog
from uet_tui.console.dialogs.note import NoteDialog
from uet_tui.console.dialogs.summary import SummaryDialog
from uet_tui.console.lines_box import LinesBox
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.states import AttemptState

Compare = Callable[..., bool]
WIDE, NARROW = (120, 40), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])


DESKS: dict[str, tuple[Callable[[], Stage], list[str]]] = {
    "several": (lambda: desks.desk(*desks.several()), []),
    "one": (lambda: desks.desk(conflict(), id="c1"), ["tab"]),
    "proposed": (lambda: desks.desk(desks.proposed(), id="c1"), []),
    "refused": (lambda: desks.desk(desks.refused(), id="c1"), []),
    "bare": (lambda: desks.desk(desks.bare(), id="c1"), ["f"]),
    "climbing": (lambda: desks.desk(desks.climbing(), id="c1"), []),
    "asked": (desks.asked, []),
    "taken": (lambda: desks.desk(desks.proposed(), id="c1"), ["["]),
    "sent": (lambda: desks.desk(desks.proposed(), id="c1"), ["p", "["]),
    "decided": (lambda: desks.desk(desks.decided(), id="c1"), ["]"]),
    "put-off": (lambda: desks.desk(*desks.several(), id="c4"), []),
    "resolved": (lambda: desks.desk(*desks.several(), id="c3"), []),
    "vast": (lambda: desks.desk(desks.vast()), []),
    "empty": (lambda: desks.desk(), []),
    "hostile": (desks.hostile, []),
    **{f"whole-{file.kind.replace('/', '-')}": (partial(desks.whole, at), []) for at, file in enumerate(desks.WHOLE)},
}


async def read(pilot: Pilot[Any]) -> None:
    """What is read in threads has been read."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@SIZES
@pytest.mark.parametrize("case", DESKS)
def test_the_desk(snap_compare: Compare, case: str, size: tuple[int, int]) -> None:
    make, keys = DESKS[case]
    assert snap_compare(make(), press=keys, run_before=read, terminal_size=size)


@SIZES
@pytest.mark.parametrize("case", ["several", "refused", "asked", "decided", "whole-modify-delete"])
def test_the_desk_without_colour(
    snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, case: str, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    make, keys = DESKS[case]
    assert snap_compare(make(), press=keys, run_before=read, terminal_size=size)


@SIZES
def test_the_desk_in_a_light_theme(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def light(pilot: Pilot[Any]) -> None:
        pilot.app.theme = "textual-light"
        await read(pilot)

    assert snap_compare(desks.desk(*desks.several()), run_before=light, terminal_size=size)


@SIZES
@pytest.mark.parametrize("key", ["v", "n", "R"])
def test_what_the_desk_asks_and_tells(snap_compare: Compare, key: str, size: tuple[int, int]) -> None:
    assert snap_compare(desks.desk(desks.refused(), id="c1"), press=[key], terminal_size=size)


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
        source.write(
            f"{folder}/context",
            "5210 tokens of prompt and files, at most 64000\n"
            "about 21400 read in all (× 4.11 ± 6%, learned from 9)\n"
            f"left out: docs/plugins.md (no room: 2310 tokens){foreign}\n"
            "shortened: src/loader.py (in short outline: 4120 tokens whole)\n",
        )
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
        if all(box.lines for box in app.screen.query(LinesBox) if not (box.id or "").startswith("gate")):
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
    "summary": lambda: SummaryDialog(finished_run(conflicts=desks.several()[5:])),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs(snap_compare: Compare, name: str) -> None:
    async def opened(pilot: Pilot[Any]) -> None:
        await pilot.app.push_screen(DIALOGS[name]())

    assert snap_compare(desks.desk(*desks.several()), run_before=opened, terminal_size=NARROW)
