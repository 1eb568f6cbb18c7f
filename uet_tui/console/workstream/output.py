"""The box of what an attempt prints, while it prints it."""

from textual.content import Content

from uet_tui.console.lines_box import LONGEST_LINE, LinesBox

MOST_LINES = 10_000
"""Lines of output that are kept in sight of the scroll bar; older ones stay in the attempt's file."""


class OutputBox(LinesBox):
    """Takes output piece by piece, and stays at its end unless the operator scrolled away."""

    def __init__(self) -> None:
        super().__init__(id="output-lines", limit=MOST_LINES, follow=True)
        self._unfinished = ""

    def begin(self, empty: str) -> None:
        """Another attempt: nothing is known of it yet."""
        self._unfinished = ""
        self.put((), empty=empty)

    def pour(self, text: str) -> None:
        """Adds what was printed; a line may come in several pieces."""
        goes_on = bool(self._unfinished)
        *whole, last = (self._unfinished + text).split("\n")
        self._unfinished = last[: LONGEST_LINE + 1]
        lines = [Content(line) for line in (*whole, *([last] if last else []))]
        if goes_on and lines:
            self.finish_last(lines.pop(0))
        self.add(lines)
