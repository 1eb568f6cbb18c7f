"""Lending the terminal to the operator's editor, and keeping what was written until it is taken."""

from textual.app import App, SuspendNotSupported

from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.editing import Copy, left_marker
from uet_tui.errors import UetError

UNCHANGED = "The file was left as it is, so nothing is taken."
KEPT = "What you wrote is kept: e goes on with it."


class Drafts:
    """What the operator wrote for files of conflicts, until it was taken: editing again goes on from it."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        self._sent: list[tuple[str, str]] = []
        """Conflict and file of each edit that is not answered yet, oldest first."""

    async def write(self, app: App[object], command: list[str], marked: str, conflict: str, path: str) -> str | None:
        """What becomes of a file in the editor; None if nothing is to be taken, which is told.

        Args:
            app: whose terminal is lent; a worker of it must be running.
            command: the editor's command line.
            marked: the file as it is laid out, with markers where nothing is decided.
            conflict: the conflict's id.
            path: which of its files.

        Raises:
            UetError: the editor failed, or this terminal cannot be lent.
        """
        copy = Copy(self._texts.get((conflict, path), marked), path.rpartition("/")[2])
        while True:
            text = edit(app, command, copy)
            left = left_marker(text, marked)
            if text == marked:
                copy.remove()
                app.notify(UNCHANGED, markup=False)
                return None
            self._texts[conflict, path] = text
            if left is None:
                copy.remove()
                self._sent.append((conflict, path))
                return text
            said = f"Line {left} of {path} is still a line that marks a conflict, so the file cannot be taken. {KEPT}"
            if not await app.push_screen_wait(ConfirmDialog("Conflict markers are left", said, "edit again")):
                copy.remove()
                app.notify(f"Nothing is taken. {KEPT}", markup=False)
                return None

    def answered(self, ok: bool) -> None:
        """The oldest edit was answered: what was taken needs no draft any more."""
        if self._sent:
            file = self._sent.pop(0)
            if ok:
                self._texts.pop(file, None)


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
