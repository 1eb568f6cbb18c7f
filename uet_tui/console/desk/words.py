"""What the desk says of a conflict: pure functions from views to lines."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from textual.content import Content
from textual.style import Style

from uet_tui.console.desk.evidence import gates_against
from uet_tui.console.desk.spots import (
    Spot,
    choice_at,
    file_at,
    hunk_at,
    ordered,
    proposed_at,
    settled,
    spots,
    undecided,
)
from uet_tui.console.format import BAD, age, cell, clock, conflict_look, plural
from uet_tui.core.states import ConflictState, WorkstreamState
from uet_tui.store.conflict_views import ConflictFileView, ConflictView
from uet_tui.store.views import RunView

GAP = "  "
_WIDE = 96
"""From so many cells on, lines have room for what one could do without."""
TAKEN = {
    "ours": "ours",
    "theirs": "theirs",
    "both": "both, ours first",
    "both-theirs-first": "both, theirs first",
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
    "lossy": ("git merged this alone, but dropped lines that a side added", "ours, as it is", "theirs, as it is"),
}


def merging(view: RunView, conflict: ConflictView) -> bool:
    """Whether its resolution is on its way: approved, and not yet merged or back."""
    ws = view.workstream(conflict.workstream)
    queued = ws is not None and ws.state in (WorkstreamState.QUEUED, WorkstreamState.MERGING)
    return conflict.open and (queued or conflict.busy == "merging")


def _behind(conflict: ConflictView, width: int) -> str:
    said = plural(len(conflict.waiting), "waits", "wait") if conflict.waiting else "nothing waits"
    return f"{said} behind it" if width >= _WIDE else said


def held_up(conflict: ConflictView) -> str:
    """What waits behind a conflict, as a paragraph for a question; empty if nothing does."""
    return f"\n\nBehind it wait: {', '.join(conflict.waiting)}" if conflict.waiting else ""


def heading(view: RunView, conflict: ConflictView, sent: Collection[Spot], now: datetime, width: int = 120) -> Content:
    """Which conflict this is, and what depends on it."""
    ids = [c.id for c in ordered(view.conflicts)]
    there = spots(conflict)
    decided = len(there) - len(undecided(conflict, sent))
    into = f" into uet/{view.id}" if width >= _WIDE else ""
    room = max(16, width - 66 - len(into))
    return Content.assemble(
        ("conflict ", "$foreground-muted"),
        (f"{ids.index(conflict.id) + 1} of {len(ids)}", "bold"),
        GAP,
        (_short(conflict.workstream, room), "bold $text-accent"),
        into,
        GAP,
        (f"{decided}/{len(there)} decided", "$text-success" if decided == len(there) else ""),
        GAP,
        (_behind(conflict, width), "$text-warning" if conflict.waiting else "$foreground-muted"),
        (f"{GAP}open for {age(conflict.opened_at, now)}" if conflict.open else "", "$foreground-muted"),
        (f"{GAP}put off" if conflict.open and conflict.deferred else "", "$text-warning"),
    )


def place(
    conflict: ConflictView, spot: Spot, sent: Collection[Spot], *, whole: bool = False, width: int = 120
) -> Content:
    """Where in the conflict one is, and what was decided there."""
    file, hunk = file_at(conflict, spot), hunk_at(conflict, spot)
    if file is None:
        return Content("")
    paths = [f.path for f in conflict.files]
    before = Content.assemble(
        ("file ", "$foreground-muted"), (f"{paths.index(file.path) + 1} of {len(paths)}", "bold"), GAP
    )
    behind = Content.assemble(
        GAP,
        ("hunk ", "$foreground-muted") if hunk else ("whole file ", "$foreground-muted"),
        (f"{hunk.number} of {len(file.hunks)}" if hunk else f"({file.kind})", "bold"),
        GAP,
        _verdict(conflict, spot, sent),
        GAP if whole else "",
        Content.styled(" next: whole file ", "$text-accent reverse") if whole else "",
    )
    room = max(12, width - before.cell_length - behind.cell_length)
    return before + Content.styled(tail(file.path, room), "bold") + behind


def _verdict(conflict: ConflictView, spot: Spot, sent: Collection[Spot]) -> Content:
    choice = choice_at(conflict, spot)
    if choice is not None:
        return Content.styled(f" ✓ {TAKEN.get(choice, choice)} ", "$text-success reverse")
    if spot in sent:
        return Content.styled(" … sent ", "reverse")
    if proposed_at(conflict, spot):
        file = file_at(conflict, spot)
        loses = file is not None and bool(file.lost)
        word = " ⊘ undecided: proposal loses lines " if loses else " » undecided: proposed "
        return Content.styled(word, "$text-warning reverse" if loses else "$text-primary reverse")
    return Content.styled(" ? undecided ", "$text-warning reverse")


def strip(conflict: ConflictView, spot: Spot, sent: Collection[Spot], width: int) -> Content:
    """All files, and the hunks of this one, each with its mark; a click goes there."""
    entries, here = [], 0
    for index, file in enumerate(conflict.files):
        current = file.path == spot.path
        ways = [Spot(file.path, hunk.number) for hunk in file.hunks] or [Spot(file.path, None)]
        glyph, style = _mark(conflict, ways, sent)
        name = tail(file.path, 34 if current else 22)
        if len(conflict.files) > 1:
            entries.append(_link(f"{glyph} {name}", f"{style} bold" if current else style, f"screen.go({index},0)"))
        if not current:
            continue
        here = max(0, len(entries) - 1)
        for way in ways if file.hunks else ():
            glyph, style = _mark(conflict, [way], sent)
            if way == spot:
                here, style = len(entries), f"{style} reverse"
            entries.append(_link(f"{glyph}{way.hunk}", style, f"screen.go({index},{way.hunk})"))
    return _window(entries, here, width, hunks_only=len(conflict.files) == 1)


def _mark(conflict: ConflictView, there: Collection[Spot], sent: Collection[Spot]) -> tuple[str, str]:
    if all(choice_at(conflict, spot) is not None for spot in there):
        return "✓", "$text-success"
    if all(choice_at(conflict, spot) is not None or spot in sent for spot in there):
        return "…", ""
    if all(settled(conflict, spot) for spot in there):
        return "»", "$text-primary"
    return "?", "$text-warning"


def _link(text: str, style: str, action: str) -> Content:
    return Content.styled(text, style).stylize(Style.from_meta({"@click": action}))


def _window(entries: list[Content], here: int, width: int, *, hunks_only: bool) -> Content:
    """As many entries as fit around one of them; `…` where there are more."""
    if not entries:
        return Content("")
    first = last = here
    used = entries[here].cell_length
    while True:
        grown = False
        for at in (last + 1, first - 1):
            if 0 <= at < len(entries) and used + entries[at].cell_length + 2 <= width - 12:
                used += entries[at].cell_length + 2
                first, last, grown = min(first, at), max(last, at), True
        if not grown:
            break
    shown = Content("  ").join(entries[first : last + 1])
    return Content.assemble(
        ("hunks  " if hunks_only else "", "$foreground-muted"),
        "… " if first else "",
        shown,
        " …" if last + 1 < len(entries) else "",
    )


def tail(text: str, width: int) -> str:
    """The end of a path: what tells files apart."""
    return text if len(text) <= width else f"…{text[1 - width :]}"


def _short(text: str, width: int) -> str:
    return cell(text, min(len(text), width))


def kind_words(file: ConflictFileView) -> tuple[str, str, str]:
    """What happened to a file that can only be taken whole, and what one gets with ours and with theirs."""
    return _KINDS.get(file.kind, (f"both sides changed this file ({file.kind})", "its version", "its version"))


def tasks(who: str, todo: tuple[str, ...]) -> Content:
    """Why a side changed what it changed."""
    said = " · ".join(f'"{task}"' for task in todo) or "none on record"
    return Content.assemble((f"tasks of {who}: ", "$foreground-muted"), said)


def both_tasks(conflict: ConflictView, width: int) -> Content:
    """Why either side changed what it changed, on one line."""
    room = max(12, (width - 16) // 2)
    ours, theirs = (" · ".join(todo) or "none on record" for todo in (conflict.ours_tasks, conflict.theirs_tasks))
    return Content.assemble(
        ("ours: ", "$foreground-muted"),
        f'"{_short(ours, room)}"',
        ("  theirs: ", "$foreground-muted"),
        f'"{_short(theirs, room)}"',
    )


def ours_name(conflict: ConflictView) -> str:
    """Who is behind the side that is already merged."""
    return ", ".join(conflict.against) or "the base"


def what_next(view: RunView, conflict: ConflictView, sent: Collection[Spot], ways: str, since: str = "") -> Content:
    """The one sentence that says what the conflict wants now, or how it ended.

    Args:
        view: the run.
        conflict: the conflict.
        sent: spots whose choice is on its way.
        ways: how the place that is open can be decided, with the keys.
        since: how long an agent is at it.
    """
    if not conflict.open:
        return closed(conflict)
    if merging(view, conflict):
        return Content.styled("… the resolution is in the merge queue: it is gated, then merged", "$text-primary")
    if doing := _doing(view, conflict, since):
        return Content.styled(f"▶ {doing}", "bold $text-primary") + " · R redo, z defer, x quarantine still apply"
    left = undecided(conflict, sent)
    if not left:
        return Content.styled("✓ everything is decided: a approves and merges", "bold $text-success")
    bare = [spot for spot in left if not settled(conflict, spot)]
    if not bare and gates_against(conflict):
        red = Content.styled("✗ gates are red on the proposal", f"bold {BAD}")
        return red + f", v shows; n asks again; or {ways}"
    if not bare:
        sure = Content.styled("✓ a approves the proposal", "bold $text-success")
        return sure + f" for {plural(len(left), 'place', 'places')}; or decide: {ways}"
    waits = "waits to ask an agent; " if conflict.busy == "turn" else ""
    count = f"? {waits}{plural(len(bare), 'decision is', 'decisions are')} left"
    return Content.assemble((count, "bold $text-warning"), f": {ways}")


def _doing(view: RunView, conflict: ConflictView, since: str) -> str:
    if conflict.busy == "ladder":
        return "the ladder is being tried"
    if conflict.busy != "agent":
        return ""
    ws = view.workstream(conflict.workstream)
    reason = ws.reason.partition(" is at ")[0] if ws is not None and " is at " in ws.reason else "an agent"
    return f"{reason} is at it" + (f", {since}" if since else "")


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
