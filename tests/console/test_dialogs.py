"""Each dialog hands back exactly what its keys and buttons say, and never reads text as markup."""

from collections.abc import Callable

import pytest
from textual.app import App
from textual.screen import Screen

from uet_tui.console.dialogs.choose import ChooseDialog, Pick
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.leave import LeaveDialog
from uet_tui.console.dialogs.note import NoteDialog

HOSTILE = "a [/x] [bold [@click=app.bell()]b[/] $error"
NOTHING = object()


class Host(App[None]):
    """Opens one dialog and keeps what it answers."""

    def __init__(self, make: Callable[[], Screen]) -> None:
        super().__init__()
        self.make = make
        self.answer: object = NOTHING

    def on_mount(self) -> None:
        self.push_screen(self.make(), self.keep)

    def keep(self, answer: object) -> None:
        self.answer = answer


def confirm() -> Screen:
    return ConfirmDialog("Kill the attempt?", f"It runs since 3:12. {HOSTILE}", "kill it")


def choose() -> Screen:
    return ChooseDialog(HOSTILE, [Pick("1", "worker 1", HOSTILE), Pick("2", "worker 2"), Pick("3", HOSTILE)])


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
