"""What an agent is shown of the files that matter: whole, in outline, by name, or not, within some tokens. Pure."""

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from uet_tui.agents.context.counts import BINARY, HUGE
from uet_tui.agents.context.ranking import Candidate, Rank

_SHARE = 4
"""An outline gets at most one part in so many of the room, so that one large file does not stand for all."""
_HEADING = 30
"""Tokens that the heading of a file takes, about."""
_LEAST = 12
"""Tokens that a line with a path takes at least: with less room, nothing more is tried."""
_SECRET = re.compile(r"^\.env(\..+)?$|^id_[a-z0-9]+$|^\.(netrc|npmrc|pypirc)$|.*\.(pem|key|p12|pfx|jks)$")
"""Names of files that hold keys, more often than not: an agent's provider need not see them."""


class Form(StrEnum):
    """How a file is shown."""

    WHOLE = "whole"
    OUTLINE = "in outline"
    BRIEF = "in short outline"
    NAME = "by name only"


@dataclass(frozen=True, slots=True)
class Weighed:
    """A file that matters, and how many tokens it has."""

    candidate: Candidate
    tokens: int
    """Or `BINARY`, or `HUGE`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as it is shown."""

    file: Weighed
    form: Form
    text: str
    """Its heading, and what there is under it."""
    tokens: int
    """Of the text."""


@dataclass(frozen=True, slots=True)
class Left:
    """A file that is not shown, or shown shorter than it could be, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown of the files that matter."""

    shown: tuple[Shown, ...] = ()
    shortened: tuple[Left, ...] = ()
    """Shown, but in outline or by name where there was more to show."""
    left_out: tuple[Left, ...] = ()

    @property
    def tokens(self) -> int:
        """Of all that is shown."""
        return sum(one.tokens for one in self.shown)


Render = Callable[[Weighed, Form], Shown | None]
"""A file in a form; None if there is no such form of it."""


def select(files: Sequence[Weighed], room: int, render: Render, *, whole: bool, large: int) -> Selection:
    """What to show of some files, in their order; what is shown never has more tokens than there is room for.

    A file that does not fit in any form is left out, and smaller ones that come after it are tried still.

    Args:
        files: most relevant first.
        room: tokens.
        render: makes the forms; asked for as few as possible.
        whole: whether files are shown whole, where that fits; else in outline, for an agent that reads by itself.
        large: a file with more tokens than this is shown in outline where not all files fit whole.
    """
    all_fit = sum(max(0, file.tokens) + _HEADING for file in files) <= room
    filling = _Filling(room, render)
    shortened: list[Left] = []
    left_out: list[Left] = []
    for file in files:
        path, unread = file.candidate.path, why_unread(file)
        if filling.left < _LEAST:
            left_out.append(Left(path, unread or f"no room: {file.tokens} tokens"))
        elif unread:
            named = filling.take(file, Form.NAME)
            (shortened if named else left_out).append(Left(path, f"{Form.NAME}: {unread}" if named else unread))
        elif (
            whole
            and (all_fit or file.candidate.rank is Rank.SCOPE or file.tokens <= large)
            and (file.tokens < filling.left and filling.take(file, Form.WHOLE))
        ):
            continue
        elif not whole and file.candidate.rank is Rank.SCOPE and file.tokens <= large:
            if not filling.take(file, Form.NAME):  # it reads these anyhow, to change them
                left_out.append(Left(path, f"no room: {file.tokens} tokens"))
        elif filling.take(file, Form.OUTLINE, room // _SHARE):
            if whole:
                shortened.append(Left(path, f"{Form.OUTLINE}: {file.tokens} tokens whole"))
        elif filling.take(file, Form.BRIEF, room // _SHARE):
            shortened.append(Left(path, f"{Form.BRIEF}: {file.tokens} tokens whole"))
        elif filling.take(file, Form.NAME):
            if whole or (file, Form.OUTLINE) in filling.refused:
                shortened.append(Left(path, f"{Form.NAME}: {file.tokens} tokens whole"))
        else:
            left_out.append(Left(path, f"no room: {file.tokens} tokens"))
    return Selection(tuple(filling.shown), tuple(shortened), tuple(left_out))


class _Filling:
    """The room, as it is filled."""

    def __init__(self, room: int, render: Render) -> None:
        self.left = room
        self.shown: list[Shown] = []
        self.refused: set[tuple[Weighed, Form]] = set()
        """What there is, but was too long."""
        self._render = render

    def take(self, file: Weighed, form: Form, most: int | None = None) -> bool:
        """Puts a file in, if it has this form and fits."""
        one = self._render(file, form)
        if one is None:
            return False
        if one.tokens > self.left or (most is not None and one.tokens > most):
            self.refused.add((file, form))
            return False
        self.left -= one.tokens
        self.shown.append(one)
        return True


def why_unread(file: Weighed) -> str:
    """Why a file is not looked into; empty if it is."""
    if _SECRET.match(posixpath.basename(file.candidate.path)):
        return "it may hold secrets"
    return {BINARY: "it is no text", HUGE: "it is larger than 1 MB"}.get(file.tokens, "")
