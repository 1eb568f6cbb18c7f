"""Each dialog hands back exactly what its keys and buttons say, and never reads text as markup."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.app import App
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tests.console.samples import ago, conflict, finished_run, hostile_run, sample_run
from uet_tui.console.dialogs.choose import ChooseDialog, Pick
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.glossary import glossary
from uet_tui.console.dialogs.help import HelpScreen
from uet_tui.console.dialogs.leave import LeaveDialog
from uet_tui.console.dialogs.note import NoteDialog
from uet_tui.console.dialogs.summary import SummaryDialog, summary
from uet_tui.core.states import BudgetStage, ConflictState, ProviderState, RunState, WorkerState, WorkstreamState

HOSTILE = "a [/x] [bold [@click=app.bell()]b[/] $error"
NOTHING = object()


class Host(App[None]):
    """Opens one dialog and keeps what it answers."""

    def __init__(self, make: Callable[[], Screen]) -> None:
        super().__init__()
        self.make = make
        self.answer: object = NOTHING

    BINDINGS = [Binding("z", "bell", "ring", tooltip="Ring the bell [/x]")]  # noqa: RUF012 - Textual's way

    def on_mount(self) -> None:
        self.push_screen(self.make(), self.keep)

    def keep(self, answer: object) -> None:
        self.answer = answer


def confirm() -> Screen:
    return ConfirmDialog("Kill the attempt?", f"It runs since 3:12. {HOSTILE}", "kill it")


def choose() -> Screen:
    return ChooseDialog(HOSTILE, [Pick("1", "worker 1", HOSTILE), Pick("2", "worker 2"), Pick("3", HOSTILE)])


def over() -> Screen:
    return SummaryDialog(finished_run())


def nothing_to_land() -> Screen:
    return SummaryDialog(finished_run(landed_at=ago(5)))


def note() -> Screen:
    return NoteDialog("Filter", HOSTILE, "filter", "ws")


@pytest.mark.parametrize(
    ("make", "keys", "answer"),
    [
        (confirm, ["y"], True),
        (confirm, ["enter"], True),
        (confirm, ["n"], False),
        (confirm, ["escape"], False),
        (confirm, ["tab", "enter"], False),
        (LeaveDialog, ["b"], "background"),
        (LeaveDialog, ["enter"], "background"),
        (LeaveDialog, ["d"], "drain"),
        (LeaveDialog, ["s"], "stop"),
        (LeaveDialog, ["escape"], None),
        (choose, ["enter"], "1"),
        (choose, ["j", "j", "k", "enter"], "2"),
        (choose, ["3"], "3"),
        (choose, ["4"], NOTHING),
        (choose, ["escape"], None),
        (note, ["end", "k", "enter"], "wsk"),
        (note, ["backspace", "space", "enter"], NOTHING),
        (note, ["escape"], None),
        (over, ["L"], "land"),
        (over, ["q"], "leave"),
        (over, ["escape"], None),
        (nothing_to_land, ["L"], NOTHING),
        (nothing_to_land, ["q"], "leave"),
        (HelpScreen, ["escape"], None),
        (HelpScreen, ["question_mark"], None),
    ],
)
async def test_keys_answer(make: Callable[[], Screen], keys: list[str], answer: object) -> None:
    app = Host(make)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        assert app.answer is answer or app.answer == answer
        assert (len(app.screen_stack) == 2) is (answer is NOTHING)


@pytest.mark.parametrize(
    ("make", "button", "answer"),
    [
        (confirm, "#yes", True),
        (confirm, "#no", False),
        (LeaveDialog, "#background", "background"),
        (LeaveDialog, "#drain", "drain"),
        (LeaveDialog, "#stop", "stop"),
        (LeaveDialog, "#stay", None),
        (choose, "#choose", "1"),
        (choose, "#back", None),
        (note, "#send", "ws"),
        (over, "#land", "land"),
        (over, "#leave", "leave"),
        (HelpScreen, "#back", None),
    ],
)
async def test_buttons_answer(make: Callable[[], Screen], button: str, answer: object) -> None:
    app = Host(make)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(button)
        await pilot.pause()
        assert app.answer == answer


async def test_a_click_beside_the_panel_is_the_safe_answer() -> None:
    app = Host(confirm)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(offset=(0, 0))
        await pilot.pause()
        assert app.answer is False


def said(app: App[None]) -> str:
    return "\n".join(str(text.render()) for text in app.screen.query(Static))


async def test_help_has_the_keys_of_the_screen_beneath_and_scrolls_at_80_columns() -> None:
    app = Host(HelpScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "z               Ring the bell [/x]" in said(app)
        body = app.screen.query_one(VerticalScroll)
        for key, moved in (("j", True), ("k", False), ("pagedown", True), ("home", False), ("G", True)):
            await pilot.press(key)
            assert (body.scroll_offset.y > 0) is moved
        assert body.is_vertical_scroll_end


def test_the_glossary_has_every_state_once() -> None:
    known = sum(
        len(states) for states in (WorkstreamState, RunState, WorkerState, ConflictState, BudgetStage, ProviderState)
    )
    assert sum(len(rows) for _, rows in glossary()) == known + 1, "a worker can be frozen besides"
    assert all(look.glyph and means for _, rows in glossary() for look, means in rows)


def test_the_summary_says_what_came_of_the_run() -> None:
    resolved = {"closed_at": ago(60), "by": "ada"}
    conflicts = (
        replace(conflict("c1", state=ConflictState.HUMAN_RESOLVED), **resolved),
        replace(conflict("c2", state=ConflictState.HUMAN_RESOLVED), **resolved),
        conflict("c3", state=ConflictState.QUARANTINED),
    )
    text = "\n".join(line.plain for line in summary(finished_run(conflicts=conflicts)))
    for part in (
        "✗ FAILED  2 workstreams did not merge",
        "5 of 7 workstreams",
        "14:35",
        "$3.12, $0.40 of it wasted in 2 retries",
        "✓ 2 resolved by the operator (ada)",
        "⊘ 1 given up",
        "not yet: main is as it was",
        "✗ FAILED      ws-06-engine  gate unit failed: 2 tests",
        "↷ SKIPPED     ws-07-release  ws-06-engine will not merge",
    ):
        assert part in text
    assert "none" in "\n".join(line.plain for line in summary(sample_run(conflicts=())))


async def test_a_summary_longer_than_the_screen_keeps_its_buttons_in_sight() -> None:
    app = Host(lambda: SummaryDialog(sample_run()))
    async with app.run_test(size=(80, 24)) as pilot:
        assert await pilot.click("#leave")
        await pilot.pause()
        assert app.answer == "leave"


@pytest.mark.parametrize("make", [lambda: SummaryDialog(hostile_run()), HelpScreen], ids=["summary", "help"])
async def test_text_from_outside_is_never_markup(make: Callable[[], Screen]) -> None:
    app = Host(make)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("pagedown")
        assert len(app.screen_stack) == 2
