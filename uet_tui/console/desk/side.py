"""A box with one side of a hunk: line numbers, marks, and the colours of its language."""

from collections.abc import Sequence

from textual.content import Content
from textual.highlight import guess_language, highlight

from uet_tui.console.desk.marks import MarkedLine
from uet_tui.console.lines_box import LinesBox

COLOURED = 400
"""Lines that are coloured by their language at most; longer sides are shown plain, so that keys stay quick."""
_LINE = {"-": "$text-error on $error 15%", "+": "on $success 15%", " ": ""}
_MARK = {"-": "bold $text-error", "+": "bold $text-success", " ": ""}


class SideBox(LinesBox):
    """One of the four boxes; says in its border whether its text is the one that is taken."""

    def show(self, lines: Sequence[MarkedLine], path: str) -> None:
        """Puts a side into the box, from its top."""
        self.put(painted(lines, path), empty="no lines")
        self.scroll_home(animate=False)

    def say(self, words: str) -> None:
        """Puts words into the box where there are no lines to show."""
        self.put([Content(words)])

    def label(self, title: str, taken: str = "") -> None:
        """Names the box, and says whether it is taken."""
        self.border_title = Content(title)
        self.border_subtitle = Content.styled(f" ✓ {taken} ", "reverse") if taken else ""
        self.set_class(bool(taken), "-taken")


def painted(lines: Sequence[MarkedLine], path: str) -> list[Content]:
    """Lines with number, mark and colours."""
    digits = max((len(str(line.number)) for line in lines if line.number is not None), default=1)
    return [
        Content.assemble(
            (f"{line.number if line.number is not None else '':>{digits + 1}} ", "$foreground-muted"),
            (f"{line.mark} ", _MARK[line.mark]),
            code.stylize_before(_LINE[line.mark]),
        )
        for line, code in zip(lines, _coloured([line.text for line in lines], path), strict=True)
    ]


def _coloured(texts: Sequence[str], path: str) -> Sequence[Content]:
    plain = [Content(text) for text in texts]
    if len(texts) > COLOURED:
        return plain
    found = highlight("\n".join(texts), language=guess_language("", path)).split("\n", allow_blank=True)
    coloured = found[: len(texts)]
    if [line.plain for line in coloured] != [text.expandtabs(8) for text in texts[: len(coloured)]]:
        return plain
    return [*coloured, *plain[len(coloured) :]]
