"""The pieces of every table: harmless text, a state as glyph and word, columns without a frame."""

from rich.table import Table
from rich.text import Text

from uet_tui.report.words import glyph, style
from uet_tui.text import harmless


def cell(text: str, look: str = "") -> Text:
    """Foreign text for the terminal: no markup meaning, no control characters."""
    return Text(harmless(text), look)


def state(word: str) -> Text:
    """A state with its glyph, in its colour."""
    return Text(f"{glyph(word)} {word}", style(word))


def columns(*headings: str, right: frozenset[str] = frozenset(), title: str = "") -> Table:
    """A table without a frame, so that its lines can be searched and cut.

    Args:
        headings: One for each column; the last column takes long text.
        right: The headings of columns that hold numbers.
        title: A line above it.
    """
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", title=title or None, title_justify="left"
    )
    for heading in headings:
        table.add_column(
            heading, justify="right" if heading in right else "left", no_wrap=heading != headings[-1], overflow="fold"
        )
    return table
