"""What the next attempt is told of a conflict that it is to avoid: what both sides did."""

from collections.abc import Iterator

from uet_tui.core.conflicts import ConflictFile, Hunk
from uet_tui.core.records import ConflictRecord
from uet_tui.plan.model import Plan

_LINES = 40
"""Lines of one side of a hunk that are told: enough to see what it is about."""
_LONGEST = 8_000
"""Characters of an account: it is one part of a prompt among others."""


def account(plan: Plan, conflict: ConflictRecord) -> str:
    """The account of a conflict for the agent that does the work again on the new tip."""
    paths = ", ".join(file.path for file in conflict.files)
    told = f"The first result conflicted in {paths} with what was merged meanwhile, which is in your files now.\n"
    for id in conflict.against:
        tasks = "; ".join(plan.workstreams[id].tasks) if id in plan.workstreams else ""
        told += f"{id} was merged" + (f": {tasks}" if tasks else "") + "\n"
    told += "".join(_file(file) for file in conflict.files)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}\n(cut)\n"


def _file(file: ConflictFile) -> str:
    head = f"\n{file.path} ({file.kind})\n"
    return head + "".join(line for hunk in file.hunks for line in _hunk(hunk))


def _hunk(hunk: Hunk) -> Iterator[str]:
    yield f"line {hunk.line}, as merged:\n"
    yield from _side(hunk.ours)
    yield f"line {hunk.line}, in the first result:\n"
    yield from _side(hunk.theirs)


def _side(lines: tuple[str, ...]) -> Iterator[str]:
    for line in lines[:_LINES] or ("(nothing)",):
        yield f"    {line}\n"
    if len(lines) > _LINES:
        yield f"    ({len(lines) - _LINES} more lines)\n"
