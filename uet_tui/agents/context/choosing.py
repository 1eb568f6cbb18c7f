"""From the files of a commit and what a workstream may write to what its agent is shown of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from textwrap import indent

from uet_tui.agents.context.counts import Counts
from uet_tui.agents.context.outline import outline
from uet_tui.agents.context.ranking import Candidate, Rank, ranked
from uet_tui.agents.context.selecting import Form, Selection, Shown, Weighed, select, why_unread
from uet_tui.agents.context.tokens import count_tokens
from uet_tui.text import laid_bare, one_line

_MOST = 300
"""Files that are counted and shown at most; with more, those that matter least are named to nobody."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a commit."""

    oids: Mapping[str, str]
    """The id of the content of each regular file, by path."""
    read: Callable[[str], bytes]
    """A content, by its id."""
    naming: Callable[[Sequence[str]], Mapping[str, int]]
    """How often each file has one of some words; those that have none may be left out."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is shown of the files that matter."""

    selection: Selection
    beyond: int = 0
    """How many more files matter, that were not even looked at."""
    to_read: int = 0
    """Tokens of the files in scope that are not shown whole: the agent will read them by itself."""

    def record(self) -> str:
        """All that is shown, as one text."""
        return "\n".join(one.text for one in self.selection.shown)


def weigh(sources: Sources, scope: Sequence[str], counts: Counts) -> tuple[Sequence[Weighed], int]:
    """The files that matter with their token counts, most relevant first; and how many more there are.

    Args:
        sources: the files.
        scope: what the workstream may write.
        counts: where counts are kept.
    """

    def read(path: str) -> str:
        data = sources.read(sources.oids[path])
        return "" if b"\0" in data else data.decode("utf-8", "replace")

    found = ranked(sorted(sources.oids), scope, read, sources.naming)
    kept = found[:_MOST]
    tokens = counts.of((sources.oids[one.path] for one in kept), sources.read)
    return [Weighed(one, tokens[sources.oids[one.path]]) for one in kept], len(found) - len(kept)


def choose(
    sources: Sources, files: Sequence[Weighed], room: int, *, whole: bool, large: int, beyond: int = 0
) -> Chosen:
    """What to show of files that matter within a number of tokens.

    Args:
        sources: where they are.
        files: as `weigh` gives them.
        room: tokens.
        whole: whether the agent is given the files, or reads by itself.
        large: what counts as a large file, in tokens.
        beyond: how many more files matter than these.
    """

    @lru_cache(maxsize=8)  # each form of a file is asked for in turn
    def content(path: str) -> bytes:
        return sources.read(sources.oids[path])

    def render(file: Weighed, form: Form) -> Shown | None:
        path = file.candidate.path
        match form:
            case Form.WHOLE:
                told = content(path).decode("utf-8", "replace")
            case Form.OUTLINE | Form.BRIEF:
                outlined = outline(path, content(path), brief=form is Form.BRIEF)
                if outlined is None:
                    return None
                told = indent(outlined, "    ")
            case _:
                told = ""
        text = laid_bare("\n".join((_heading(file, form), *([told] if told else []))).replace("\r\n", "\n"))
        return Shown(file, form, text, count_tokens(text) + 1)

    selection = select(files, room, render, whole=whole, large=large)
    given = {one.file.candidate.path for one in selection.shown if one.form is Form.WHOLE}
    unread = (
        f for f in files if f.candidate.rank is Rank.SCOPE and not why_unread(f) and f.candidate.path not in given
    )
    return Chosen(selection, beyond, sum(file.tokens for file in unread))


def _heading(file: Weighed, form: Form) -> str:
    candidate: Candidate = file.candidate
    size = f"{file.tokens} tokens" if file.tokens >= 0 else why_unread(file)
    short = f", {form}" if form in (Form.OUTLINE, Form.BRIEF) else ""
    return f"=== {one_line(candidate.path)} ({size}; {candidate.why}{short})"
