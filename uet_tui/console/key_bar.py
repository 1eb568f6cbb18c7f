"""The last lines of a screen: its keys, each of them clickable, wrapped so that none is out of sight at 80 columns."""

from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

GAP = "  "


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

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the keys need."""
        return max(1, len(self._rows(width)))

    def render(self) -> RenderResult:
        """The keys with their words; what cannot be done now is dim."""
        return Content("\n").join(self._rows(self.content_size.width))

    def _rows(self, width: int) -> list[Content]:
        """The entries on as few lines as they fit on; none is broken at a line end."""
        rows: list[Content] = []
        for entry in self.entries():
            if rows and rows[-1].cell_length + len(GAP) + entry.cell_length <= width:
                rows[-1] = rows[-1] + GAP + entry
            else:
                rows.append(entry)
        return rows

    def entries(self) -> list[Content]:
        """An entry a key or a group of keys, in the order of the bindings; what cannot be done now is dim."""
        shown: dict[object, list[tuple[Binding, bool]]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.description:
                keys = shown.setdefault(binding.group or binding.action, [])
                if binding.group is not None or not keys:
                    keys.append((binding, active.enabled))
        return [self._entry(keys) for keys in shown.values()]

    def _entry(self, keys: list[tuple[Binding, bool]]) -> Content:
        first, enabled = keys[0]
        word = first.group.description if first.group and len(keys) > 1 else first.description
        names = Content(" ").join(self._key(binding, on) for binding, on in keys)
        return names + Content(f" {word}").stylize(_press(first) if enabled else "dim")

    def _key(self, binding: Binding, enabled: bool) -> Content:
        name = Content(self.app.get_key_display(binding))
        return name.stylize("$footer-key-foreground bold").stylize(_press(binding)) if enabled else name.stylize("dim")


def _press(binding: Binding) -> Style:
    return Style.from_meta({"@click": f"app.simulate_key({binding.key!r})"})
