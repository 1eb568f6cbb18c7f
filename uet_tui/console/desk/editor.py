"""Lending the terminal to the operator's editor."""

from textual.app import App, SuspendNotSupported

from uet_tui.console.editing import Copy
from uet_tui.errors import UetError


def edit(app: App[object], command: list[str], copy: Copy) -> str:
    """What the operator makes of a copy of a text. The console stands still meanwhile.

    Raises:
        UetError: the editor failed, or this terminal cannot be lent.
    """
    try:
        with app.suspend():
            return copy.edit(command)
    except SuspendNotSupported:
        raise UetError("this terminal cannot be lent to an editor: use `uet conflicts edit` in another") from None
