"""How states, money, times and progress look: pure functions from values to text, used by every pane.

A state is always a glyph, a word and a style together, so that it is readable without colour.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from uet_tui.core.states import (
    WORKSTREAM_ACTIVE,
    BudgetStage,
    ConflictState,
    ProviderState,
    RunState,
    WorkerState,
    WorkstreamState,
)


class Look(NamedTuple):
    """How a state is shown."""

    glyph: str
    """One cell wide."""
    word: str
    style: str
    """A style of theme variables."""

    @property
    def content(self) -> Content:
        """Glyph and word."""
        return Content.styled(f"{self.glyph} {self.word}", self.style)


GOOD = "$text-success"
BUSY = "$text-primary"
CARE = "$text-warning"
BAD = "bold $text-error"
QUIET = "$foreground-muted"
NORMAL = ""

_WORKSTREAM: Mapping[WorkstreamState, tuple[str, str]] = {
    WorkstreamState.PENDING: ("·", QUIET),
    WorkstreamState.RUNNING: ("▶", BUSY),
    WorkstreamState.GATING: ("◆", BUSY),
    WorkstreamState.QUEUED: ("≡", BUSY),
    WorkstreamState.MERGING: ("⇢", BUSY),
    WorkstreamState.CONFLICTED: ("≠", "bold $text-warning"),
    WorkstreamState.MERGED: ("✓", GOOD),
    WorkstreamState.FAILED: ("✗", BAD),
    WorkstreamState.QUARANTINED: ("⊘", BAD),
    WorkstreamState.SKIPPED: ("↷", CARE),
    WorkstreamState.CANCELLED: ("×", QUIET),
}
_RUN: Mapping[RunState, tuple[str, str]] = {
    RunState.PLANNED: ("·", QUIET),
    RunState.RUNNING: ("▶", BUSY),
    RunState.PAUSED: ("⏸", CARE),
    RunState.DRAINING: ("⇣", CARE),
    RunState.COMPLETED: ("✓", GOOD),
    RunState.FAILED: ("✗", BAD),
    RunState.HALTED: ("$", BAD),
    RunState.CANCELLED: ("×", CARE),
}
_WORKER: Mapping[WorkerState, tuple[str, str]] = {
    WorkerState.SPAWNING: ("⋯", QUIET),
    WorkerState.IDLE: ("○", QUIET),
    WorkerState.BUSY: ("▶", BUSY),
    WorkerState.PAUSED: ("⏸", CARE),
    WorkerState.DRAINING: ("⇣", CARE),
    WorkerState.TERMINATED: ("×", QUIET),
}
_CONFLICT: Mapping[ConflictState, tuple[str, str]] = {
    ConflictState.PENDING: ("≠", "bold $text-warning"),
    ConflictState.PROPOSED: ("≠", "bold $text-primary"),
    ConflictState.AUTO_RESOLVED: ("✓", GOOD),
    ConflictState.AGENT_RESOLVED: ("✓", GOOD),
    ConflictState.HUMAN_RESOLVED: ("✓", GOOD),
    ConflictState.QUARANTINED: ("⊘", BAD),
}

_STAGE: Mapping[BudgetStage, tuple[str, str]] = {
    BudgetStage.OK: (" ", QUIET),
    BudgetStage.WARNED: ("!", CARE),
    BudgetStage.NARROWED: ("⇣", CARE),
    BudgetStage.CHEAPER: ("↓", CARE),
    BudgetStage.CLOSING: ("⊘", BAD),
    BudgetStage.HALTED: ("$", BAD),
}
_PROVIDER: Mapping[ProviderState, tuple[str, str]] = {
    ProviderState.OPEN: ("○", QUIET),
    ProviderState.PAUSED: ("⏸", CARE),
    ProviderState.STOPPED: ("✗", BAD),
}


def workstream_look(state: WorkstreamState) -> Look:
    """How the state of a workstream is shown."""
    return Look(_WORKSTREAM[state][0], state.value, _WORKSTREAM[state][1])


def run_look(state: RunState) -> Look:
    """How the state of a run is shown."""
    return Look(_RUN[state][0], state.value, _RUN[state][1])


def worker_look(state: WorkerState, *, frozen: bool = False) -> Look:
    """How the state of a worker is shown; that its agent stands still comes before whatever else it is."""
    return Look("❄", "FROZEN", CARE) if frozen else Look(_WORKER[state][0], state.value, _WORKER[state][1])


def conflict_look(state: ConflictState) -> Look:
    """How the state of a conflict is shown."""
    return Look(_CONFLICT[state][0], state.value.removesuffix("_RESOLVED"), _CONFLICT[state][1])


def stage_look(stage: BudgetStage) -> Look:
    """How a stage of the budget is shown."""
    return Look(_STAGE[stage][0], stage.value, _STAGE[stage][1])


def provider_look(state: ProviderState) -> Look:
    """How the state of a provider is shown."""
    return Look(_PROVIDER[state][0], state.value, _PROVIDER[state][1])


_PAIR: Mapping[str, tuple[str, str]] = {
    "clean": (" ", QUIET),
    "same file": ("~", "$text-primary"),
    "conflict": ("≠", "bold $text-warning"),
}


def pair_look(verdict: str) -> Look:
    """How the forecast of two branches is shown; where they are clean together, it is blank."""
    return Look(_PAIR[verdict][0], verdict, _PAIR[verdict][1])


_GATE: Mapping[str, tuple[str, str]] = {
    "passed": ("✓", GOOD),
    "flaky": ("≈", CARE),
    "red before": ("!", CARE),
    "failed": ("✗", BAD),
    "error": ("✗", BAD),
    "timeout": ("✗", BAD),
    "not configured": ("–", QUIET),
    "no tests": ("–", QUIET),
    "not run": ("○", CARE),
}


def gate_look(verdict: str) -> Look:
    """How the verdict of a gate is shown."""
    glyph, style = _GATE.get(verdict, ("?", CARE))
    return Look(glyph, verdict, style)


def event_look(type: str, severity: str) -> Look:
    """The glyph of an event, from its type, and its style, from its severity; the word is empty."""
    style = {"error": BAD, "warning": CARE, "debug": QUIET}.get(severity, NORMAL)
    if severity in ("warning", "error"):
        return Look("!" if severity == "warning" else "✗", "", style)
    for words, glyph, calm in _EVENTS:
        if any(word in type for word in words):
            return Look(glyph, "", style or calm)
    return Look("·", "", style)


_EVENTS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("merged", "landed", "resolved"), "✓", GOOD),
    (("conflict", "rung", "asked"), "≠", CARE),
    (("pair",), "~", NORMAL),
    (("reverted", "rollback"), "↶", CARE),
    (("queued", "deferred", "batch"), "≡", NORMAL),
    (("gat",), "◆", NORMAL),
    (("started", "resumed", "adopted", "spawned"), "▶", NORMAL),
    (("command",), "›", BUSY),
    (("worker", "parallelism", "provider", "sandbox"), "○", NORMAL),
    (("context", "store", "disk", "repository"), "¶", NORMAL),
    (("ended", "terminated"), "■", NORMAL),
    (("cost", "budget", "cap_"), "$", NORMAL),
)
"""The first line with a word that the type contains gives an event its glyph."""


def money(usd: float) -> str:
    """Dollars with cents, `$12.30`; thousands without them: `$1,234`."""
    return f"${usd:,.0f}" if usd >= 1000 else f"${usd:.2f}"


def duration(seconds: float) -> str:
    """Minutes and seconds, `3:12`; from an hour on hours too, `1:03:12`; from a day on `2d 3h`."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24}d {hours % 24}h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def between(start: datetime | None, end: datetime | None, now: datetime) -> str:
    """How long something took, or has taken so far; empty before it began."""
    return "" if start is None else duration(((end or now) - start).total_seconds())


def age(since: datetime, now: datetime) -> str:
    """How old something is, in its largest unit: `12 s`, `7 min`, `3 h`, `2 d`."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock(time: datetime) -> str:
    """The time of day where the operator is."""
    return time.astimezone().strftime("%H:%M:%S")


def end_time(time: datetime, now: datetime) -> str:
    """A forecast time of day in hours and minutes; with the date if that is not today's."""
    there, here = time.astimezone(), now.astimezone()
    return there.strftime("%H:%M" if there.date() == here.date() else "%d %b %H:%M")


def share(part: float, whole: float) -> float:
    """A part of a whole, from 0 to 1; of nothing it is 0."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0


def bar(filled: float, width: int, empty: str = "░") -> str:
    """A bar of `width` cells, filled from 0 to 1 in eighths of a cell."""
    eighths = round(share(filled, 1) * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
    return drawn + empty * (width - len(drawn))


def sparkline(values: tuple[float, ...], width: int) -> str:
    """The last `width` values as blocks of eight heights, the greatest the full one; zeros stay low."""
    shown = values[-width:] if width > 0 else ()
    top = max(shown, default=0.0)
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(share(value, top) * 7.999))] for value in shown) if top > 0 else ""


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: `1 file`, `2 files`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def counted(counts: Mapping[str, int], width: int) -> str:
    """Counts by state, `2 merged · 2 running · 1 conflicted · 3 pending`; all that work counts as running.

    Where there is no room for all, what is wrong is kept longest.
    """
    running = sum(counts.get(state.value, 0) for state in WORKSTREAM_ACTIVE)
    known = {**counts, WorkstreamState.RUNNING.value: running}
    parts = [(state, f"{known[state]} {state.value.lower()}") for state in _ORDER if known.get(state)]
    for state in _DISPENSABLE:
        if len(" · ".join(text for _, text in parts)) > width:
            parts = [part for part in parts if part[0] is not state]
    return " · ".join(text for _, text in parts)


_ORDER = (
    WorkstreamState.MERGED,
    WorkstreamState.RUNNING,
    WorkstreamState.CONFLICTED,
    WorkstreamState.FAILED,
    WorkstreamState.QUARANTINED,
    WorkstreamState.SKIPPED,
    WorkstreamState.CANCELLED,
    WorkstreamState.PENDING,
)
_DISPENSABLE = (
    WorkstreamState.PENDING,
    WorkstreamState.MERGED,
    WorkstreamState.CANCELLED,
    WorkstreamState.SKIPPED,
    WorkstreamState.RUNNING,
)


def cell(text: str, width: int) -> str:
    """Text cut or filled to exactly `width` cells; what is cut ends in an ellipsis."""
    if width <= 0:
        return ""
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def right(text: str, width: int) -> str:
    """Text at the right end of `width` cells."""
    return " " * (width - cell_len(text)) + text if cell_len(text) <= width else cell(text, width)
