"""The facts of a workstream as lines: pure functions of views."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from textual.content import Content

from uet_tui.console.amounts import price, tokens
from uet_tui.console.format import BAD, BUSY, CARE, GOOD, age, between, cell, clock, workstream_look
from uet_tui.console.workstream.gates import acceptance_lines, gate_lines
from uet_tui.core.states import AttemptState, WorkstreamState
from uet_tui.store.conflict_views import GateView
from uet_tui.store.views import AttemptView, RunView, WorkstreamView

QUIET = "$foreground-muted"
_ATTEMPT: Mapping[AttemptState, tuple[str, str]] = {
    AttemptState.CREATED: ("⋯", QUIET),
    AttemptState.RUNNING: ("▶", BUSY),
    AttemptState.SUCCEEDED: ("✓", GOOD),
    AttemptState.FAILED: ("✗", BAD),
    AttemptState.TIMED_OUT: ("✗", BAD),
    AttemptState.KILLED: ("×", CARE),
    AttemptState.LOST: ("?", BAD),
}


def headline(view: RunView, ws: WorkstreamView) -> Content:
    """The workstream, its state and the reason for it."""
    look = workstream_look(ws.state)
    return Content.assemble(
        (f"{look.glyph} {look.word}", look.style),
        (f"  {ws.id}", "bold"),
        f"  {ws.reason}" if ws.reason else "",
        (f"  in run {view.id}", QUIET),
    )


def attempt_lines(attempt: AttemptView, now: datetime) -> list[Content]:
    """One attempt: its outcome, how long it took, what it cost and what went wrong; then what it used, of whom."""
    glyph, style = _ATTEMPT[attempt.state]
    code = f" exit {attempt.exit_code}" if attempt.exit_code else ""
    wrong = attempt.error or attempt.fault or code
    lines = [
        Content.assemble(
            (f"{glyph} {attempt.number} {cell(attempt.state.value, 9)}", style),
            f" {between(attempt.started_at, attempt.ended_at, now):>7}  ",
            (attempt_price(attempt), CARE if attempt.unpriced else ""),
            (f"  {wrong}" if wrong else "", CARE),
        )
    ]
    if attempt.tokens_in or attempt.tokens_out:
        lines.append(Content.styled(f"    {attempt_tokens(attempt)}", QUIET))
    if who := " · ".join(name for name in (attempt.provider, attempt.model) if name):
        lines.append(Content.styled(f"    {who}", QUIET))
    return lines


def attempt_price(attempt: AttemptView) -> str:
    """What an attempt cost, with the marks of what is unknown or from a list of prices."""
    return price(attempt.cost_usd, unknown=bool(attempt.unpriced), estimated=bool(attempt.listed_usd))


def attempt_tokens(attempt: AttemptView) -> str:
    """What an attempt read and wrote."""
    cached = f" ({tokens(attempt.tokens_cached)} cached)" if attempt.tokens_cached else ""
    thought = f" ({tokens(attempt.tokens_reasoning)} thought)" if attempt.tokens_reasoning else ""
    return f"{tokens(attempt.tokens_in)} in{cached}, {tokens(attempt.tokens_out)} out{thought}"


def attempt_title(attempt: AttemptView, total: int) -> Content:
    """Which attempt is looked at, by whom, and what it used."""
    glyph, style = _ATTEMPT[attempt.state]
    used = f"   {attempt_tokens(attempt)}" if attempt.tokens_in or attempt.tokens_out else ""
    return Content.assemble(
        f"attempt {attempt.number} of {total} ",
        (f"{glyph} {attempt.state.value}", style),
        f"  {attempt.agent}{' ' + attempt.model if attempt.model else ''}, worker {attempt.worker}",
        f"   {attempt_price(attempt)}" if attempt.cost_usd or attempt.unpriced else "",
        used,
    )


def cost(ws: WorkstreamView, attempts: Sequence[AttemptView]) -> str:
    """What all attempts cost, and agents that were asked about its conflicts, with the marks of their prices."""
    unknown, listed = any(one.unpriced for one in attempts), any(one.listed_usd for one in attempts)
    return price(ws.cost_usd, unknown=unknown, estimated=listed)


def facts(
    view: RunView, ws: WorkstreamView, attempts: Sequence[AttemptView], gates: Sequence[GateView], now: datetime
) -> Content:
    """Everything known of a workstream, what matters most first."""
    look = workstream_look(ws.state)
    waves = max((other.wave for other in view.workstreams), default=ws.wave)
    took = between(ws.started_at, ws.ended_at, now)
    lines = [
        Content.styled(f"{look.glyph} {look.word}", look.style) + (f"  {took}" if took else ""),
        *([Content(ws.reason)] if ws.reason else []),
        *([Content.styled("c opens the conflict desk", CARE)] if ws.state is WorkstreamState.CONFLICTED else []),
        Content(""),
        *_wishes(ws, now),
        _fact("wave", f"{ws.wave} of {waves}"),
        _fact("worker", str(ws.worker) if ws.worker is not None else "none"),
        _fact("agent", f"{ws.agent}{' · ' + ws.model if ws.model else ''}"),
        _fact("kind", f"{ws.kind} · {ws.priority}"),
        _fact("cost", cost(ws, attempts)),
        *([_fact("commit", ws.merge_commit[:12])] if ws.merge_commit else []),
        *_part("Attempts", (line for attempt in attempts for line in attempt_lines(attempt, now)), "none yet"),
        *_part("Gates", gate_lines(ws.test_gates, gates), "none"),
        *_part("Acceptance tests", acceptance_lines(ws.acceptance_tests, gates)),
        *_part("Tasks", (Content(f"· {task}") for task in ws.tasks), "none"),
        *_part("Depends on", (_other(view, id) for id in ws.depends_on), "nothing"),
        *_part("Waited for by", (_other(view, id) for id in ws.waited_for_by), "nothing"),
        *_part("May change", map(Content, ws.files_scope), "nothing"),
        *_part("Creates", map(Content, ws.files_create)),
    ]
    return Content("\n").join(lines)


def _wishes(ws: WorkstreamView, now: datetime) -> list[Content]:
    """Since when it is in the merge queue, and what the operator wants of it there."""
    lines = []
    if ws.queued_at is not None and not ws.over:
        lines.append(_fact("queued", f"at {clock(ws.queued_at)}, {age(ws.queued_at, now)} ago"))
    if ws.held and not ws.over:
        lines.append(_fact("held", "by the operator; h lets it go").stylize(CARE))
    if ws.first and not ws.over:
        lines.append(_fact("first", "merged before what else is queued").stylize(CARE))
    return lines


def _fact(name: str, value: str) -> Content:
    return Content.styled(f"{name:<8}", QUIET) + value


def _part(title: str, lines: Iterable[Content], nothing: str = "") -> list[Content]:
    """A titled list; without lines it says so, or is left out where there is nothing to say."""
    found = list(lines) or ([Content.styled(nothing, QUIET)] if nothing else [])
    return [Content(""), Content.styled(title, "bold"), *found] if found else []


def _other(view: RunView, id: str) -> Content:
    other = view.workstream(id)
    if other is None:
        return Content.styled(f"? {id}", QUIET)
    look = workstream_look(other.state)
    return Content.styled(f"{look.glyph} {cell(look.word, 11)}", look.style) + f" {id}"
