"""A run as rich renderables: what the looking commands print for people."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from uet_tui.report.cells import cell, columns, state
from uet_tui.report.words import between, clock, local_time, money
from uet_tui.store.conflict_views import ConflictView
from uet_tui.store.views import EventView, NeedView, RunSummary, RunView, WorkerView, WorkstreamView

_SEVERITY = {"debug": "dim", "warning": "yellow", "error": "red"}
_NEXT = {
    "conflict": "uet conflicts show {}",
    "provider": "see to it, then uet continue --provider {}",
    "frozen": "uet thaw {}",
    "quarantined": "uet show {}, then uet retry {} or uet skip {}",
    "failed": "uet show {}, then uet retry {} or uet skip {}",
    "held": "uet release {}, then uet resume",
    "rollback": "uet rollback",
    "halted": "uet budget --total AMOUNT, then uet resume",
    "land": "uet land",
}


def status(view: RunView, now: datetime) -> RenderableType:
    """The whole run: how it goes, what it costs, what needs the operator, and every workstream."""
    table = columns("workstream", "wave", "state", "agent", "time", "cost", "why", right=_NUMBERS)
    for one in view.workstreams:
        again = f" ×{one.attempts}" if one.attempts > 1 else ""
        table.add_row(
            cell(one.id),
            str(one.wave),
            state(one.state.value),
            cell(one.agent + again),
            clock(between(one.started_at, one.ended_at, now)),
            money(one.cost_usd) if one.cost_usd else "",
            cell(wished(one)),
        )
    return Group(*summary(view, now), Text(), table)


def wished(view: WorkstreamView) -> str:
    """The reason, after what the operator wants of its merge where the reason does not say that itself."""
    wish, told = ("held", "held") if view.held else ("first", "1st") if view.first else ("", "")
    return ", ".join(part for part in ("" if view.over or told in view.reason else wish, view.reason) if part)


def summary(view: RunView, now: datetime) -> Sequence[RenderableType]:
    """How it goes, what it costs, what holds it and what needs the operator."""
    return [headline(view, now), spending(view), *_notices(view), *needs(view.needs)]


_NUMBERS = frozenset({"#", "wave", "tries", "time", "cost", "merged", "spent", "conflicts", "in", "out", "hunks"})


def headline(view: RunView, now: datetime) -> Text:
    """Is it going well?"""
    share = 100 * view.merged // max(1, len(view.workstreams))
    line = Text.assemble(cell(view.name, "bold"), f" run {view.id}  ", state(view.state.value), f" {view.schedule}   ")
    line.append(f"{view.merged} of {len(view.workstreams)} merged ({share} %)")
    if view.started_at:
        line.append(f"   for {clock(between(view.started_at, view.ended_at, now))}")
    if view.forecast_end_at and not view.ended_at:
        line.append(f"   ends about {local_time(view.forecast_end_at)[:5]}")
    if view.landed_at:
        line.append(f"   landed on {view.target_branch}" if view.target_branch else "   landed")
    return line


def spending(view: RunView) -> Text:
    """What does it cost, and how wide does it run?"""
    costs = view.costs
    limit = f" of {money(costs.budget_usd)}" if costs.budget_usd is not None else ""
    reserved = f" + {money(costs.reserved_usd)} reserved" if round(costs.reserved_usd, 4) else ""
    return Text(f"{'' if view.ended_at else pool(view) + '   '}{money(costs.spent_usd)} spent{reserved}{limit}")


def pool(view: RunView) -> str:
    """How many workers are at work: `workers 3 of 3`, `1 of 3 busy`; `3 of 3, 1 drains` after they were made fewer."""
    busy, leaving = view.busy, view.leaving
    if leaving:
        return f"workers {busy - leaving} of {view.parallelism}, {leaving} {'drains' if leaving == 1 else 'drain'}"
    return f"workers {busy} of {view.parallelism}{'' if busy == view.parallelism else ' busy'}"


def _notices(view: RunView) -> Iterable[Text]:
    texts = ([view.reason] if view.reason else []) + [text for text in view.notices if text != view.reason]
    return [cell(text, "yellow") for text in texts]


def needs(views: Sequence[NeedView]) -> Iterable[Text]:
    """What waits for the operator, each with the command that goes on with it."""
    for need in views:
        command = _NEXT.get(need.kind, "uet show {}").replace("{}", need.target)
        yield Text.assemble(("! ", "bold yellow"), cell(need.text, "yellow"), ("  -> " + command, "dim"))


def workers(views: Sequence[WorkerView], now: datetime) -> RenderableType:
    """Who does what."""
    if not views:
        return Text("no workers: the run is not under way")
    table = columns("#", "state", "workstream", "agent", "time", "doing", right=_NUMBERS)
    for one in views:
        table.add_row(
            str(one.number),
            state(one.state.value) + Text(", FROZEN" if one.frozen else "", "yellow"),
            cell(one.workstream or ""),
            cell(one.agent),
            clock(between(one.since, None, now)),
            cell(one.doing),
        )
    return table


def runs(views: Sequence[RunSummary], now: datetime) -> RenderableType:
    """All runs, newest first."""
    if not views:
        return Text("no runs yet: uet run starts one")
    table = columns("run", "state", "merged", "spent", "conflicts", "time", "begun", right=_NUMBERS)
    for one in views:
        table.add_row(
            one.id,
            state(one.state.value) + Text("" if one.alive or one.ended_at else " (nobody runs it)", "yellow"),
            f"{one.merged} of {one.total}",
            money(one.spent_usd),
            str(one.conflicts or ""),
            clock(between(one.created_at, one.ended_at, now)) if one.alive or one.ended_at else "",
            one.created_at.astimezone().strftime("%Y-%m-%d %H:%M"),
        )
    return table


def conflicts(views: Sequence[ConflictView], now: datetime) -> RenderableType:
    """The conflicts of a run, open ones first."""
    if not views:
        return Text("no conflicts")
    table = columns("id", "state", "workstream", "decided", "proposal", "waiting", "time", "files", right=_NUMBERS)
    for one in sorted(views, key=lambda view: (not view.open, view.open and view.deferred)):
        table.add_row(
            one.id,
            _conflict_state(one),
            cell(one.workstream),
            f"{one.decided_files} of {len(one.files)}",
            cell(proposal(one)),
            str(len(one.waiting) or ""),
            clock(between(one.opened_at, one.closed_at, now)),
            cell(", ".join(file.path for file in one.files)),
        )
    return table


def _conflict_state(view: ConflictView) -> Text:
    if not view.open:
        return cell(view.state.value, "dim")
    return state(view.state.value) + Text(", put off" if view.deferred else "", "dim")


def proposal(view: ConflictView) -> str:
    """Who proposes what and what speaks against it, or what is under way; a word or two."""
    if not view.open:
        return ""
    if view.busy:
        return {"ladder": "being tried", "turn": "to be asked", "agent": "agent at it"}.get(view.busy, view.busy)
    if view.proposal is None:
        return "none"
    against = ["loses lines"] * any(file.lost for file in view.files) + ["gates red"] * any(g.red for g in view.gates)
    return f"{view.proposal}: {', '.join(against)}" if against else view.proposal


def operator_act(view: EventView) -> Text:
    """One act of the operator on one line, and where it came from."""
    return Text.assemble(event(view), ("  from ", "dim"), cell(str(view.data.get("source", "unknown"))))


def event(view: EventView) -> Text:
    """One event on one line."""
    return Text.assemble((local_time(view.time) + "  ", "dim"), cell(view.text, _SEVERITY.get(view.severity, "")))
