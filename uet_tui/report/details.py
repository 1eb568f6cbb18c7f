"""One workstream and one conflict at length, as rich renderables."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from uet_tui.report.cells import cell, columns, state
from uet_tui.report.tables import event
from uet_tui.report.words import between, clock, local_time, money, verdict
from uet_tui.store.conflict_views import ConflictFileView, ConflictView, GateView, HunkView, RungView
from uet_tui.store.views import AttemptView, EventView, WorkstreamView


def workstream(
    view: WorkstreamView,
    attempts: Sequence[AttemptView],
    gates: Sequence[GateView],
    events: Sequence[EventView],
    now: datetime,
) -> RenderableType:
    """All that is known of a workstream: what it is, where it is, what was tried, what gates said, what happened."""
    head = Text.assemble(cell(view.id, "bold"), "  ", state(view.state.value), f"  wave {view.wave}")
    facts = [
        ("why", (view.reason,)),
        ("merge queue", _queue(view)),
        ("agent", (f"{view.agent} {view.model}".strip(),)),
        ("tasks", view.tasks),
        ("scope", view.files_scope),
        ("creates", view.files_create),
        ("tests", tuple(_acceptance(view, gates))),
        ("gates", view.test_gates),
        ("depends on", view.depends_on),
        ("waited for by", view.waited_for_by),
        ("merged as", (view.merge_commit or "",)),
        ("result", (view.result_commit or "",)),
    ]
    lines = [line for name, values in facts for line in _fact(name, values)]
    parts: list[RenderableType] = [head, *lines]
    if attempts:
        table = columns("#", "state", "worker", "agent", "time", "cost", "exit", "error")
        for one in attempts:
            table.add_row(
                str(one.number),
                state(one.state.value),
                str(one.worker),
                cell(one.agent),
                clock(between(one.started_at, one.ended_at, now)),
                money(one.cost_usd),
                "" if one.exit_code is None else str(one.exit_code),
                cell(one.error),
            )
        parts += [Text(), table]
    if gates:
        parts += [Text(), _gates(gates)]
    if events:
        parts += [Text(), *map(event, events)]
    return Group(*parts)


def _queue(view: WorkstreamView) -> tuple[str, ...]:
    """Since when it waits to be merged, and what the operator wants of it there."""
    since = f"since {local_time(view.queued_at)}" if view.queued_at and not view.over else ""
    wishes = ["held by the operator"] * view.held + ["first"] * view.first
    return (", ".join(part for part in (since, *([] if view.over else wishes)) if part),)


def _acceptance(view: WorkstreamView, gates: Sequence[GateView]) -> Iterable[str]:
    """Each acceptance test, with what came of it last."""
    for number, test in enumerate(view.acceptance_tests, start=1):
        named = (f"acceptance {number}:", f"acceptance {number} of")
        said = [gate.verdict for gate in gates if gate.gate.startswith(named)]
        yield f"{verdict(said[-1])[0]} {said[-1]}: {test}" if said else test


def _gates(gates: Sequence[GateView]) -> RenderableType:
    table = columns("verdict", "where", "try", "time", "gate", "output", right=frozenset({"try", "time"}))
    for one in gates:
        glyph, look = verdict(one.verdict)
        last = one.output.rstrip().rsplit("\n", 1)[-1]
        table.add_row(
            cell(f"{glyph} {one.verdict}", look),
            one.where,
            str(one.attempt),
            clock(one.seconds) if one.seconds else "",
            cell(one.gate),
            cell(last, "dim"),
        )
    return table


def _fact(name: str, values: Iterable[str]) -> Iterable[Text]:
    heading = name
    for line in (line for value in values for line in value.splitlines()):
        yield Text.assemble((f"{heading:<16}", "dim"), cell(line))
        heading = ""


def why(view: WorkstreamView, waits_for: Sequence[WorkstreamView]) -> RenderableType:
    """The one recorded reason, and where that stands which it waits for."""
    reason = view.reason or "nothing holds it"
    head = Text.assemble(cell(view.id, "bold"), "  ", state(view.state.value), "  ", cell(reason))
    rest = [Text.assemble("  ", state(one.state.value), f"  {one.id}  ", cell(one.reason)) for one in waits_for]
    return Group(head, *rest)


def conflict(view: ConflictView, now: datetime) -> RenderableType:
    """A conflict hunk by hunk with both sides, why each side changed it, and what was made of it so far."""
    against = ", ".join(view.against) or "the base"
    head = Text.assemble(cell(view.id, "bold"), f"  {view.state.value}  ", cell(f"{view.workstream} against {against}"))
    head.append(f"  {view.decided_files} of {len(view.files)} files decided")
    facts = [
        ("under way", (_BUSY.get(view.busy, view.busy),)),
        ("waits" if view.open else "took", (clock(between(view.opened_at, view.closed_at, now)) + _put_off(view),)),
        ("wait behind it", (", ".join(view.waiting),)),
        ("ours wanted", view.ours_tasks),
        ("theirs wanted", view.theirs_tasks),
        ("proposal by", (view.proposal or "",)),
        ("resolved by", (view.by,)),
        ("tried", map(_rung, view.tried)),
        ("gates", map(_gate, view.gates)),
        ("you told it", (view.note,)),
    ]
    lines = [line for name, values in facts for line in _fact(name, values)]
    return Group(head, *lines, *(line for file in view.files for line in _file(file)))


_BUSY = {
    "ladder": "the ladder is being tried",
    "turn": "waits for its turn to ask an agent",
    "agent": "an agent is at it",
    "merging": "it is being merged",
}


def _put_off(view: ConflictView) -> str:
    return ", put off" if view.deferred and view.open else ""


def _rung(rung: RungView) -> str:
    took = f" in {clock(rung.seconds)}" if rung.seconds else ""
    cost = f" for {money(rung.cost_usd)}" if rung.cost_usd else ""
    return f"{rung.name}: {rung.verdict}{took}{cost}" + (f": {rung.detail}" if rung.detail else "")


def _gate(gate: GateView) -> str:
    last = gate.output.rstrip().rsplit("\n", 1)[-1]
    return f"{verdict(gate.verdict)[0]} {gate.verdict} {gate.gate} ({gate.where})" + (f": {last}" if gate.red else "")


def _file(file: ConflictFileView) -> Iterable[Text]:
    yield Text()
    yield Text.assemble(cell(file.path, "bold"), f"  {file.kind}", (_decision(file.choice), "green"))
    if file.note:
        yield cell(f"  {file.note}")
    if file.beside:
        yield cell(f"  also concerned: {', '.join(file.beside)}", "dim")
    if file.proposed_by:
        what = ": there is no such file any more" if file.proposes_deletion else ""
        yield Text(f"  proposed by {file.proposed_by}{what}", "yellow")
    for line in file.lost:
        yield cell(f"  ! {line}", "red")
    if not file.hunks:
        sides = "--ours, --theirs or --proposal" if file.proposed_by else "--ours or --theirs"
        yield Text(f"  has no hunks: take it whole, {sides}", "dim")
    for hunk in file.hunks:
        decision = (_decision(hunk.choice), "green")
        yield Text.assemble((f"@@ hunk {hunk.number} of {len(file.hunks)}, line {hunk.line} @@", "cyan"), decision)
        yield from _hunk(hunk)


def _decision(choice: str | None) -> str:
    return f"  -> {choice}" if choice else ""


def _hunk(hunk: HunkView) -> Iterable[Text]:
    """Each line begins with who wrote it, so that nothing depends on colour."""
    blocks = [
        ("", "dim", hunk.before),
        ("ours", "green", hunk.ours or _NOTHING),
        ("base", "dim", hunk.base),
        ("theirs", "magenta", hunk.theirs or _NOTHING),
        ("proposal", "yellow", () if hunk.proposal is None else hunk.proposal or _NOTHING),
        ("", "dim", hunk.after),
    ]
    for who, look, lines in blocks:
        for line in lines:
            yield Text.assemble((f"{who:<9}│ ", "dim"), cell(line, look))


_NOTHING = ("(nothing)",)
