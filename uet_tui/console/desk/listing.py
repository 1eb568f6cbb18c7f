"""The list of a run's conflicts."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from uet_tui.console.desk.words import conflict_line
from uet_tui.store.conflict_views import ConflictView


class ConflictList(OptionList, can_focus=False):
    """One line a conflict; a click opens it. The cursor is where the desk is."""

    def __init__(self) -> None:
        super().__init__(id="conflicts", compact=True)
        self._ids: tuple[str, ...] = ()

    def show(self, conflicts: Sequence[ConflictView], chosen: str | None, now: datetime) -> None:
        """Puts the conflicts in; redraws only the lines that changed."""
        lines = [conflict_line(conflict, now) for conflict in conflicts]
        ids = tuple(conflict.id for conflict in conflicts)
        if ids != self._ids:
            self._ids = ids
            self.set_options(Option(line) for line in lines)
        else:
            for index, line in enumerate(lines):
                if not _same(self.get_option_at_index(index), line):
                    self.replace_option_prompt_at_index(index, line)
        self.border_title = Content(f"Conflicts: {sum(conflict.open for conflict in conflicts)} open")
        if chosen in ids and self.highlighted != ids.index(chosen):
            self.highlighted = ids.index(chosen)


def _same(option: Option, line: Content) -> bool:
    return isinstance(option.prompt, Content) and option.prompt.is_same(line)
