"""Lending the terminal to the operator's editor."""

from textual.app import App, SuspendNotSupported

from uet_tui.console.editing import Copy
from uet_tui.errors import UetError


def edit(app: App[object], command: list[str], copy: Copy) -> str:
    """What the operator makes of a copy of a text. The console stands still meanwhile.

    Raises:
        UetError: the editor failed, or this terminal cannot be lent.
    """
    made: str | UetError
    try:
        with app.suspend():
            try:
                made = copy.edit(command)
            except UetError as error:
                made = error  # out of here only: Textual takes the terminal back where nothing is raised
    except SuspendNotSupported:
        made = UetError("this terminal cannot be lent to an editor: use `uet conflicts edit` in another")
    if isinstance(made, UetError):
        raise made
    return made
