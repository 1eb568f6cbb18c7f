"""Lines of pieces of unequal weight: what matters most is never cut."""

from dataclasses import dataclass, replace

from textual.content import Content


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line; where there is not enough room, one with the greatest rank is cut first."""

    content: Content
    rank: int
    shorter: tuple[Content, ...] = ()
    """The same in fewer cells, the longest first; no part is left out that can be said shorter.

    What can be said in the most ways is shortened first, so that none is cut to the bone while another is at length.
    """


def fit(parts: list[Part], width: int) -> Content:
    """A line of the parts that fit, in their order, three cells apart or else two."""
    kept = [part for part in parts if part.content]

    def needed(gap: int) -> int:
        return sum(part.content.cell_length for part in kept) + gap * (len(kept) - 1)

    def rank(index: int) -> tuple[int, int]:
        return len(kept[index].shorter), kept[index].rank

    while kept and needed(2) > width - 2:
        if long := [index for index, part in enumerate(kept) if part.shorter]:
            at = max(long, key=rank)
            kept[at] = replace(kept[at], content=kept[at].shorter[0], shorter=kept[at].shorter[1:])
        elif len(kept) > 1:
            del kept[max(range(len(kept)), key=rank)]
        else:
            break
    gap = 3 if needed(3) <= width - 2 else 2
    return Content(" ") + Content(" " * gap).join(part.content for part in kept)
