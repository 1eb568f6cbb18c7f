"""The last lines of a screen: its keys, each of them clickable, wrapped so that none is out of sight at 80 columns."""

from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget


class KeyBar(Widget, can_focus=False):
    """Shows the bindings that apply now. Keys of one group stand together before the group's word."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: auto;
        padding: 0 1;
        background: $footer-background;
        color: $footer-description-foreground;
        link-color: $footer-description-foreground;
        link-style: none;
        link-background-hover: $block-hover-background;
        link-color-hover: $footer-key-foreground;
        link-style-hover: none;
    }
    """

    def on_mount(self) -> None:
        """Follows the focus and what the screen's `check_action` says."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[object]) -> None:
        self.refresh(layout=True)

    def render(self) -> RenderResult:
        """The keys with their words, in as many lines as they take."""
        return Content("  ").join(self.entries())

    def entries(self) -> list[Content]:
        """An entry a key or a group of keys, in the order of the bindings; what cannot be done now is dim."""
        shown: dict[object, list[tuple[Binding, bool]]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.description:
                together = binding.group or binding.action
                keys = shown.setdefault(together, [])
                if binding.group is not None or not keys:
                    keys.append((binding, active.enabled))
        return [self._entry(keys) for keys in shown.values()]

    def _entry(self, keys: list[tuple[Binding, bool]]) -> Content:
        """One entry; its spaces do not break, so that a key never loses its word at a line end."""
        first, enabled = keys[0]
        word = first.group.description if first.group else first.description
        entry = Content("\u00a0").join(self._key(binding, on) for binding, on in keys)
        entry += Content("\u00a0" + word.replace(" ", "\u00a0")).stylize(_press(first) if enabled else "dim")
        return entry

    def _key(self, binding: Binding, enabled: bool) -> Content:
        name = Content(self.app.get_key_display(binding))
        return name.stylize("$footer-key-foreground bold").stylize(_press(binding)) if enabled else name.stylize("dim")


def _press(binding: Binding) -> Style:
    return Style.from_meta({"@click": f"app.simulate_key({binding.key!r})"})
