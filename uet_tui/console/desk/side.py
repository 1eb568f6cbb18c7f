"""A box with one side of a hunk: line numbers, marks, and the colours of its language."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import overload

from rich.cells import cell_len
from textual.content import Content
from textual.highlight import HighlightTheme, guess_language, highlight

from uet_tui.console.desk.marks import MarkedLine
from uet_tui.console.lines_box import LONGEST_LINE, LinesBox, short

COLOURED = 200
"""Lines that are coloured at a time: those in sight and some around them, so that keys stay quick in any hunk."""
_LINE = {"-": "$text-error on $error 15%", "+": "on $success 15%", " ": "", "~": "$foreground-muted italic"}
_MARK = {"-": "bold $text-error", "+": "bold $text-success", " ": "", "~": "$foreground-muted"}


Said = tuple[str, str]
"""Words and their style."""


class FragmentTheme(HighlightTheme):
    """Colours for a part of a file: it may begin in the middle of anything, so nothing in it is marked as an error."""

    STYLES = {  # noqa: RUF012 - Textual types it as a variable
        token: "" if "Error" in str(token) else style for token, style in HighlightTheme.STYLES.items()
    }


class SideBox(LinesBox):
    """One of the four boxes; says in its border whether its text is the one that is taken."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, empty="no lines")
        self._said: tuple[Said, ...] = ()

    def show(self, lines: Sequence[MarkedLine], path: str, lead: Sequence[Said] = ()) -> None:
        """Puts a side into the box, from its top; `lead` stands above it."""
        self._said = ()
        painted = Painted(lines, path, tuple(self._wrapped(lead)))
        self.put_made(painted, painted.width)
        self.scroll_home(animate=False)

    def say(self, *said: Said) -> None:
        """Puts words into the box where there are no lines to show; they are wrapped to its width."""
        self._said = said
        self.put(self._wrapped(said))

    def on_resize(self) -> None:
        """Wraps the words anew."""
        super().on_resize()
        if self._said:
            self.put(self._wrapped(self._said))

    def _wrapped(self, said: Sequence[Said]) -> Iterator[Content]:
        width = max(20, self.scrollable_content_region.width - 2)
        for text, style in said:
            for line in wrap(text, width) or [""]:
                yield Content.styled(f" {line}", style)

    def label(self, title: str | Content, taken: str = "", *, warn: bool = False) -> None:
        """Names the box, and says whether it is taken."""
        name = Content(title) if isinstance(title, str) else title
        self.border_title = Content.assemble((f" ✓ {taken} ", "reverse"), " ", name) if taken else name
        self.set_class(bool(taken), "-taken")
        self.set_class(warn, "-warn")


class Painted(Sequence[Content]):
    """Lines with number, mark and colours; each is made when it is asked for, colours for some around it at once."""

    def __init__(self, lines: Sequence[MarkedLine], path: str, lead: Sequence[Content] = ()) -> None:
        self._lead = lead
        self._lines = lines
        self._language = guess_language("", path)
        self._digits = max((len(str(line.number)) for line in lines if line.number is not None), default=1)
        self._coloured: dict[int, Sequence[Content]] = {}

    @property
    def width(self) -> int:
        """Cells of the widest line."""
        widest = max((_cells(line.text[:LONGEST_LINE].expandtabs(4)) for line in self._lines), default=0)
        return max([self._digits + 5 + widest, *(line.cell_length for line in self._lead)])

    def __len__(self) -> int:
        return len(self._lead) + len(self._lines)

    @overload
    def __getitem__(self, index: int) -> Content: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Content]: ...
    def __getitem__(self, index: int | slice) -> Content | Sequence[Content]:
        """One line, or some."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if index < len(self._lead):
            return self._lead[index]
        at = index - len(self._lead)
        line = self._lines[at]
        code = self._chunk(at // COLOURED)[at % COLOURED]
        return short(
            Content.assemble(
                (f"{line.number if line.number is not None else '':>{self._digits + 1}} ", "$foreground-muted"),
                (f"{line.mark} ", _MARK[line.mark]),
                code.stylize_before(_LINE[line.mark]),
            )
        )

    def _chunk(self, number: int) -> Sequence[Content]:
        if number not in self._coloured:
            lines = self._lines[number * COLOURED : (number + 1) * COLOURED]
            texts = [line.text[: LONGEST_LINE + 1].expandtabs(4) for line in lines]
            self._coloured[number] = coloured(texts, self._language)
        return self._coloured[number]


def _cells(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def coloured(texts: Sequence[str], language: str) -> Sequence[Content]:
    """The lines in the colours of their language; plain where it is unknown, or the colours would not fit the text."""
    plain = [Content(text) for text in texts]
    whole = highlight("\n".join(texts), language=language, theme=FragmentTheme)
    found = whole.split("\n", allow_blank=True)[: len(texts)]
    if [line.plain for line in found] != list(texts[: len(found)]):
        return plain
    return [*found, *plain[len(found) :]]
