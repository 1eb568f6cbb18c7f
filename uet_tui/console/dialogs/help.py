"""What `?` shows: the keys of the screen beneath, and what the states mean."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Static

from uet_tui.console.dialogs.dialog import key_button
from uet_tui.console.dialogs.glossary import glossary
from uet_tui.console.dialogs.reading import ReadingDialog
from uet_tui.console.format import cell


class HelpScreen(ReadingDialog):
    """Explains the screen it lies on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark", "leave", "Back", show=False)]

    def __init__(self) -> None:
        super().__init__("Help")

    def body(self) -> Iterable[Widget]:
        """Keys first: that is what one looks for."""
        beneath = self.app.screen_stack[-2] if len(self.app.screen_stack) > 1 else self.app.screen
        for title, rows in keys_of(beneath, self.app):
            yield _part(title, [Content.assemble((cell(keys, 16), "bold $text-accent"), what) for keys, what in rows])
        for title, states in glossary():
            lines = [Content.styled(cell(f"{s.glyph} {s.word}", 16), s.style) + means for s, means in states]
            yield _part(f"States: {title}", lines)

    def buttons(self) -> Iterable[Button]:
        """How to move, and how to leave."""
        yield key_button("↓ ↑", "scroll", "screen.scroll('page_down')", id="down")
        yield key_button("escape", "back", "screen.leave", id="back")


def keys_of(screen: Screen[object], app: App[object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The keys that work on a screen, by where they belong, the most particular first; keys of one act together."""
    groups: dict[str, dict[str, tuple[list[str], str]]] = {}
    for active in sorted(screen.active_bindings.values(), key=lambda active: not active.binding.show):
        binding = active.binding
        if not binding.description or binding.system:
            continue
        acts = groups.setdefault(_group(active.node), {})
        keys, _ = acts.setdefault(binding.action, ([], binding.tooltip or binding.description))
        keys.append(app.get_key_display(binding))
    return [
        (title, [(" ".join(keys), what) for keys, what in groups[title].values()])
        for title in _GROUPS
        if title in groups
    ]


_GROUPS = ("Keys of what has the focus", "Keys of this screen", "Keys everywhere")


def _group(node: DOMNode) -> str:
    return _GROUPS[2 if isinstance(node, App) else 1 if isinstance(node, Screen) else 0]


def _part(title: str, lines: list[Content]) -> Static:
    return Static(Content("\n").join([Content.styled(title, "bold underline"), *lines]), classes="dialog--lead")
