"""Numbered names on one line, of which one is shown: the panes where there is room for one only, and the like."""

from textual.content import Content
from textual.style import Style
from textual.widget import Widget


class NumberedTabs(Widget):
    """Number and title of each, the shown one marked, what needs the operator behind its own."""

    ALLOW_SELECT = False

    def __init__(self, action: str) -> None:
        """`action` is the screen's, which takes the number that was clicked on."""
        super().__init__(id="tabs")
        self._action = action
        self._tabs: tuple[tuple[int, str, str], ...] = ()
        self._current = 1

    def show(self, tabs: tuple[tuple[int, str, str], ...], current: int) -> None:
        """Takes number, title and alert of each, and the number of the shown one."""
        if (tabs, current) != (self._tabs, self._current):
            self._tabs, self._current = tabs, current
            self.refresh()

    def render(self) -> Content:
        """All titles if they fit, else only that of the shown one."""
        full = self._line(titles=True)
        return full if full.cell_length <= self.size.width else self._line(titles=False)

    def _line(self, *, titles: bool) -> Content:
        parts = []
        for number, title, alert in self._tabs:
            shown = number == self._current
            text = f" {number} {title} " if titles or shown else f" {number} "
            part = Content.styled(text, Style.from_meta({"@click": f"screen.{self._action}({number})"}))
            part = part.stylize("bold reverse" if shown else "$foreground-muted")
            parts.append(part + Content.styled(alert, "bold $text-warning"))
        return Content(" ").join(parts)
