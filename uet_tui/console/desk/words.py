"""What the desk says of a conflict: pure functions from views to lines."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from textual.content import Content

from uet_tui.console.desk.spots import Spot, choice_at, file_at, hunk_at, spots, undecided
from uet_tui.console.format import age, cell, clock, conflict_look, duration, money, plural
from uet_tui.core.states import ConflictState, WorkstreamState
from uet_tui.store.conflict_views import ConflictFileView, ConflictView, RungView
from uet_tui.store.views import RunView

GAP = "  "
TAKEN = {
    "ours": "ours",
    "theirs": "theirs",
    "both": "both, ours first",
    "proposal": "the proposal",
    "edited": "as edited",
}
_KINDS: dict[str, tuple[str, str, str]] = {
    "add/add": ("both added this file, each with its own content", "its new file", "its new file"),
    "modify/delete": ("ours changed this file, theirs deleted it", "the changed file", "no file: it is deleted"),
    "delete/modify": ("ours deleted this file, theirs changed it", "no file: it is deleted", "the changed file"),
    "rename": (
        "one side moved this file, the other moved, changed or deleted it",
        "ours, as it is",
        "theirs, as it is",
    ),
    "file/directory": (
        "one side has a file where the other has a folder",
        "what ours has there",
        "what theirs has there",
    ),
    "binary": ("both changed this file, and it is not text", "its version, as it is", "its version, as it is"),
    "mode": ("the sides disagree on whether it can be executed", "its mode", "its mode"),
    "symlink": ("both changed what this link points to", "its link", "its link"),
    "submodule": ("both moved this submodule to another commit", "its commit", "its commit"),
}


def merging(view: RunView, conflict: ConflictView) -> bool:
    """Whether its resolution is on its way: approved, and not yet merged or back."""
    ws = view.workstream(conflict.workstream)
    return conflict.open and ws is not None and ws.state in (WorkstreamState.QUEUED, WorkstreamState.MERGING)


def conflict_line(conflict: ConflictView, now: datetime) -> Content:
    """One conflict in the list: who, which files, how long it waits, what waits behind it."""
    files = conflict.files[0].path if conflict.files else "no files"
    if len(conflict.files) > 1:
        files += f" and {len(conflict.files) - 1} more"
    look = conflict_look(conflict.state)
    since = age(conflict.opened_at, now) if conflict.open else conflict.by or "closed"
    behind = f"{_behind(conflict)}" if conflict.open and conflict.waiting else ""
    return Content.assemble(
        (f"{look.glyph} {cell(conflict.state.value, 15)}", look.style),
        cell(conflict.id, 5),
        (f"{cell(conflict.workstream, 20)} ", "bold"),
        (f"{since:>7}", "$foreground-muted"),
        f"{GAP}{files}",
        (f"{GAP}{behind}", "$text-warning"),
    )


def _behind(conflict: ConflictView) -> str:
    return (
        f"{plural(len(conflict.waiting), 'waits', 'wait')} behind it" if conflict.waiting else "nothing waits behind it"
    )


def heading(view: RunView, conflict: ConflictView, sent: Collection[Spot], now: datetime) -> Content:
    """Which conflict this is, and what depends on it."""
    ids = [c.id for c in view.conflicts]
    there = spots(conflict)
    decided = len(there) - len(undecided(conflict, sent))
    return Content.assemble(
        ("conflict ", "$foreground-muted"),
        (f"{ids.index(conflict.id) + 1} of {len(ids)}", "bold"),
        GAP,
        (conflict.workstream, "bold $text-accent"),
        f" into uet/{view.id}",
        GAP,
        (f"{decided}/{len(there)} decided", "$text-success" if decided == len(there) else ""),
        GAP,
        (_behind(conflict), "$text-warning" if conflict.waiting else "$foreground-muted"),
        (f"{GAP}open for {age(conflict.opened_at, now)}" if conflict.open else "", "$foreground-muted"),
    )


def place(conflict: ConflictView, spot: Spot, sent: Collection[Spot]) -> Content:
    """Where in the conflict one is, and what was decided there."""
    file, hunk = file_at(conflict, spot), hunk_at(conflict, spot)
    if file is None:
        return Content("")
    paths = [f.path for f in conflict.files]
    choice = choice_at(conflict, spot)
    if choice is not None:
        verdict = Content.styled(f" ✓ {TAKEN.get(choice, choice)} ", "$text-success reverse")
    elif spot in sent:
        verdict = Content.styled(" … sent ", "reverse")
    else:
        verdict = Content.styled(" ? undecided ", "$text-warning reverse")
    return Content.assemble(
        ("file ", "$foreground-muted"),
        (f"{paths.index(file.path) + 1} of {len(paths)}", "bold"),
        "  ",
        (file.path, "bold"),
        GAP,
        ("hunk ", "$foreground-muted") if hunk else ("whole file ", "$foreground-muted"),
        (f"{hunk.number} of {len(file.hunks)}" if hunk else f"({file.kind})", "bold"),
        GAP,
        verdict,
    )


def kind_words(file: ConflictFileView) -> tuple[str, str, str]:
    """What happened to a file that can only be taken whole, and what one gets with ours and with theirs."""
    return _KINDS.get(file.kind, (f"both sides changed this file ({file.kind})", "its version", "its version"))


def tried(conflict: ConflictView) -> Content:
    """Which rungs of the ladder were tried, and what came of each."""
    if not conflict.tried:
        return Content.styled("tried: nothing but git's own merge", "$foreground-muted")
    return Content.styled("tried: ", "$foreground-muted") + Content(" · ").join(_rung(rung) for rung in conflict.tried)


def _rung(rung: RungView) -> Content:
    used = [duration(rung.seconds)] if rung.seconds >= 1 else []
    used += [money(rung.cost_usd)] if rung.cost_usd else []
    return Content.assemble(
        (rung.name, "bold"), f" {rung.verdict}", (f" {', '.join(used)}" if used else "", "$foreground-muted")
    )


def tasks(who: str, todo: tuple[str, ...]) -> Content:
    """Why a side changed what it changed."""
    said = " · ".join(f'"{task}"' for task in todo) or "none on record"
    return Content.assemble((f"tasks of {who}: ", "$foreground-muted"), said)


def ours_name(conflict: ConflictView) -> str:
    """Who is behind the side that is already merged."""
    return ", ".join(conflict.against) or "the base"


def what_next(view: RunView, conflict: ConflictView, sent: Collection[Spot]) -> Content:
    """The one sentence that says what the conflict wants now, or how it ended."""
    if not conflict.open:
        return closed(conflict)
    if merging(view, conflict):
        return Content.styled("… the resolution is in the merge queue: it is gated, then merged", "$text-primary")
    left = len(undecided(conflict, sent))
    if left == 0:
        return Content.styled("✓ everything is decided: a approves and merges", "bold $text-success")
    offer = ", p the proposal" if conflict.proposal else ""
    count = f"? {plural(left, 'decision is', 'decisions are')} left"
    return Content.assemble((count, "bold $text-warning"), f": o ours, t theirs, b both{offer}, e edit")


def closed(conflict: ConflictView) -> Content:
    """Who resolved it, when, and how."""
    who = {
        ConflictState.AUTO_RESOLVED: "resolved by the machine",
        ConflictState.AGENT_RESOLVED: "resolved by an agent",
        ConflictState.HUMAN_RESOLVED: "resolved by the operator",
        ConflictState.QUARANTINED: "quarantined: the work stays on its branch",
    }.get(conflict.state, conflict.state.value)
    taken = Counter(choice for spot in spots(conflict) if (choice := choice_at(conflict, spot)))
    how = ", ".join(f"{count} × {TAKEN.get(choice, choice)}" for choice, count in taken.most_common())
    return Content.assemble(
        (f"{conflict_look(conflict.state).glyph} {conflict.state.value}", conflict_look(conflict.state).style),
        f"{GAP}{who}",
        f" ({conflict.by})" if conflict.by else "",
        f" at {clock(conflict.closed_at)}" if conflict.closed_at else "",
        (f"{GAP}{how}" if how and conflict.state is not ConflictState.QUARANTINED else "", "$foreground-muted"),
    )
