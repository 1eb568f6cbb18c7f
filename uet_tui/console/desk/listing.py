"""The list of a run's conflicts."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from uet_tui.console.desk.evidence import glance
from uet_tui.console.format import CARE, QUIET, age, cell, conflict_look, right
from uet_tui.store.conflict_views import ConflictView

_NARROW = 100
"""Below so many cells the columns are as small as they are useful."""


class ConflictList(OptionList, can_focus=False):
    """One line a conflict; a click opens it. The cursor is where the desk is."""

    def __init__(self) -> None:
        super().__init__(id="conflicts", compact=True)
        self._ids: tuple[str, ...] = ()

    def show(self, conflicts: Sequence[ConflictView], chosen: str | None, now: datetime, width: int) -> None:
        """Puts the conflicts in, in the order given; redraws only the lines that changed."""
        lines = [conflict_line(conflict, now, width) for conflict in conflicts]
        ids = tuple(conflict.id for conflict in conflicts)
        if ids != self._ids:
            self._ids = ids
            self.set_options(Option(line) for line in lines)
        else:
            for index, line in enumerate(lines):
                if not _same(self.get_option_at_index(index), line):
                    self.replace_option_prompt_at_index(index, line)
        put_off = sum(conflict.open and conflict.deferred for conflict in conflicts)
        said = f"Conflicts: {sum(conflict.open for conflict in conflicts)} open"
        self.border_title = Content(said + (f", {put_off} put off" if put_off else ""))
        if chosen in ids and self.highlighted != ids.index(chosen):
            self.highlighted = ids.index(chosen)


def conflict_line(conflict: ConflictView, now: datetime, width: int = 116) -> Content:
    """One conflict: who, what is proposed, how long it waits, what waits behind it, which files."""
    narrow = width < _NARROW
    look = conflict_look(conflict.state)
    word, style = (look.word, look.style)
    if conflict.open and conflict.deferred:
        word, style = "put off", QUIET
    said, mood = glance(conflict) if conflict.open else (conflict.by or "closed", QUIET)
    files = conflict.files[0].path if conflict.files else "no files"
    if len(conflict.files) > 1:
        files = f"{len(conflict.files)} files: {files}, …"
    count = len(conflict.waiting) if conflict.open else 0
    behind = f"{count} {'waits' if count == 1 else 'wait'}{'' if narrow else ' behind it'}" if count else ""
    return Content.assemble(
        (f"{look.glyph} {cell(word, 11)}", style),
        cell(conflict.id, 4),
        (f"{cell(conflict.workstream, 16 if narrow else 26)} ", "bold"),
        (f"{cell(said, 15)} ", mood),
        (right(age(conflict.opened_at, now) if conflict.open else "", 6), QUIET),
        (f"  {cell(behind, 7 if narrow else 17)} ", CARE),
        files,
    )


def _same(option: Option, line: Content) -> bool:
    return isinstance(option.prompt, Content) and option.prompt.is_same(line)
