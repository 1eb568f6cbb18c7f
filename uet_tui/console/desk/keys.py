"""The keys of the desk."""

from typing import Final

from textual.binding import Binding, BindingType

HUNK: Final = Binding.Group("hunk")
FILE: Final = Binding.Group("file")
CONFLICT: Final = Binding.Group("list")
BOTH: Final = Binding.Group("both")


def _key(key: str, action: str, name: str, id: str, tooltip: str, group: Binding.Group | None = None) -> Binding:
    shown = None if key.isalpha() else key
    return Binding(key, action, name, id=f"desk.{id}", tooltip=tooltip, group=group, key_display=shown)


def _more(key: str, action: str, name: str, id: str, tooltip: str) -> Binding:
    """A key that help and palette name; the key bar has no room for it."""
    return Binding(key, action, name, id=f"desk.{id}", tooltip=tooltip, show=False)


KEYS: list[BindingType] = [
    _key("a", "approve", "approve", "approve", "Merge what was decided or is proposed, through the gates"),
    _key("o", "take('ours')", "ours", "ours", "For this hunk: what is merged already"),
    _key("t", "take('theirs')", "theirs", "theirs", "For this hunk: the workstream's text"),
    _key("b", "take('both')", "both, ours first", "both", "For this hunk: ours, then theirs", BOTH),
    _key(
        "B",
        "take('both-theirs-first')",
        "both, theirs first",
        "both-theirs-first",
        "For this hunk: theirs, then ours",
        BOTH,
    ),
    _key("p", "take('proposal')", "proposal", "proposal", "For this hunk: the proposal"),
    _key("u", "undo", "undo", "undo", "Take back what was decided here, or else last"),
    _key("e", "edit", "edit", "edit", "Write this file yourself, in $EDITOR: what is decided is in it already"),
    _key("f", "whole", "whole file", "whole", "Let the next act be for the whole file; press it again for the hunk"),
    _key("n", "again", "ask again", "again", "Ask the agent for a proposal, with a note"),
    _key("R", "redo", "redo", "redo", "Send it back: an agent does the work again on the tip, with a note"),
    _key("z", "defer", "defer", "defer", "Put it off: it comes last and no longer needs you; again: take it up"),
    _key("x", "quarantine", "quarantine", "quarantine", "Give the workstream up for this run"),
    _key("v", "evidence", "evidence", "evidence", "All that was tried, what gates printed, lines that would be lost"),
    _key("]", "hunk(1)", "next hunk", "next-hunk", "To the next hunk", HUNK),
    _key("[", "hunk(-1)", "previous hunk", "previous-hunk", "To the hunk before", HUNK),
    _key("}", "file(1)", "next file", "next-file", "To the next file", FILE),
    _key("{", "file(-1)", "previous file", "previous-file", "To the file before", FILE),
    _key(
        "J",
        "conflict(1)",
        "next conflict",
        "next-conflict",
        "To the next conflict; after the last, to the first",
        CONFLICT,
    ),
    _key("K", "conflict(-1)", "previous conflict", "previous-conflict", "To the conflict before", CONFLICT),
    _more("O", "take_file('ours')", "file ours", "ours-file", "For the whole file: ours"),
    _more("T", "take_file('theirs')", "file theirs", "theirs-file", "For the whole file: theirs"),
    _more("P", "take_file('proposal')", "file proposal", "proposal-file", "For the whole file: the proposal"),
    _more("U", "undo_file", "undo file", "undo-file", "Take back all that was decided for this file"),
    Binding("ctrl+down", "conflict(1)", "next conflict", show=False),
    Binding("ctrl+up", "conflict(-1)", "previous conflict", show=False),
    Binding("j", "scroll(1)", "line down", show=False),
    Binding("k", "scroll(-1)", "line up", show=False),
    Binding("escape", "leave", "back", id="desk.leave", key_display="esc", tooltip="Back to where you came from"),
]
