"""The keys of the desk."""

from typing import Final

from textual.binding import Binding, BindingType

HUNK = Binding.Group("hunk")
FILE = Binding.Group("file")
CONFLICT = Binding.Group("list")
WHOLE = Binding.Group("whole")

ACTS: Final = frozenset({"approve", "take", "take_file", "undo", "edit", "redo", "quarantine"})
"""Actions that change the conflict: none of them applies once it is closed or being merged."""
WALKS: Final = frozenset({"hunk", "file", "conflict"})
"""Actions that go elsewhere in the conflicts."""
KEYS: list[BindingType] = [
    Binding("a", "approve", "approve", id="desk.approve", tooltip="Merge what was decided, through the gates"),
    Binding("o", "take('ours')", "ours", id="desk.ours", tooltip="For this hunk: what is merged already"),
    Binding("t", "take('theirs')", "theirs", id="desk.theirs", tooltip="For this hunk: the workstream's text"),
    Binding("b", "take('both')", "both", id="desk.both", tooltip="For this hunk: ours, then theirs"),
    Binding("p", "take('proposal')", "proposal", id="desk.proposal", tooltip="For this hunk: the proposal"),
    Binding(
        "O", "take_file('ours')", "file ours", id="desk.ours-file", group=WHOLE, tooltip="For the whole file: ours"
    ),
    Binding(
        "T",
        "take_file('theirs')",
        "file theirs",
        id="desk.theirs-file",
        group=WHOLE,
        tooltip="For the whole file: theirs",
    ),
    Binding("u", "undo", "undo", id="desk.undo", tooltip="Take back what was decided here, or else last"),
    Binding("e", "edit", "edit", id="desk.edit", tooltip="Write this file yourself, in $EDITOR"),
    Binding("R", "redo", "redo", id="desk.redo", tooltip="Send it back: an agent does the work again on the tip"),
    Binding("x", "quarantine", "quarantine", id="desk.quarantine", tooltip="Give the workstream up for this run"),
    Binding("]", "hunk(1)", "next hunk", id="desk.next-hunk", key_display="]", group=HUNK, tooltip="To the next hunk"),
    Binding(
        "[",
        "hunk(-1)",
        "previous hunk",
        id="desk.previous-hunk",
        key_display="[",
        group=HUNK,
        tooltip="To the hunk before",
    ),
    Binding("}", "file(1)", "next file", id="desk.next-file", key_display="}", group=FILE, tooltip="To the next file"),
    Binding(
        "{",
        "file(-1)",
        "previous file",
        id="desk.previous-file",
        key_display="{",
        group=FILE,
        tooltip="To the file before",
    ),
    Binding(
        "J", "conflict(1)", "next conflict", id="desk.next-conflict", group=CONFLICT, tooltip="To the next conflict"
    ),
    Binding(
        "K",
        "conflict(-1)",
        "previous conflict",
        id="desk.previous-conflict",
        group=CONFLICT,
        tooltip="To the conflict before",
    ),
    Binding("ctrl+down", "conflict(1)", "next conflict", show=False),
    Binding("ctrl+up", "conflict(-1)", "previous conflict", show=False),
    Binding("j", "scroll(1)", "line down", show=False),
    Binding("k", "scroll(-1)", "line up", show=False),
    Binding("escape", "leave", "back", id="desk.leave", key_display="esc", tooltip="Back to where you came from"),
]
