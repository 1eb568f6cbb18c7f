"""Views as JSON documents: what `--json` prints. Times are ISO 8601 UTC, money US dollars, durations seconds."""

from collections.abc import Iterable, Sequence

from uet_tui.report.words import iso
from uet_tui.store.conflict_views import ConflictView, GateView, PairView
from uet_tui.store.views import AttemptView, EventView, RunSummary, RunView, WorkerView, WorkstreamView

Document = dict[str, object]


def status(view: RunView) -> Document:
    """The whole run: `uet status --json`, and the end of `uet run --headless --json`."""
    return {
        "run": view.id,
        "name": view.name,
        "state": view.state.value,
        "reason": view.reason,
        "alive": view.alive,
        "crashed_at": iso(view.crashed_at),
        "schedule": view.schedule,
        "created_at": iso(view.created_at),
        "started_at": iso(view.started_at),
        "ended_at": iso(view.ended_at),
        "forecast_end_at": iso(view.forecast_end_at),
        "target_branch": view.target_branch,
        "base_commit": view.base_commit,
        "tip": view.tip,
        "landed_at": iso(view.landed_at),
        "parallelism": view.parallelism,
        "spent_usd": view.costs.spent_usd,
        "reserved_usd": view.costs.reserved_usd,
        "budget_usd": view.costs.budget_usd,
        "counts": dict(view.counts),
        "notices": list(view.notices),
        "needs": [{"kind": need.kind, "target": need.target, "text": need.text} for need in view.needs],
        "workers": [worker(one) for one in view.workers],
        "workstreams": [workstream(one) for one in view.workstreams],
        "conflicts": [conflict(one) for one in view.conflicts],
        "pairs": [pair(one) for one in view.pairs],
    }


def pair(view: PairView) -> Document:
    """Two active branches that are not clean together."""
    return {
        "first": view.first,
        "second": view.second,
        "verdict": view.verdict,
        "files": list(view.files),
        "since": iso(view.since),
    }


def worker(view: WorkerView) -> Document:
    """One worker."""
    return {
        "number": view.number,
        "state": view.state.value,
        "workstream": view.workstream,
        "agent": view.agent,
        "since": iso(view.since),
        "doing": view.doing,
        "frozen": view.frozen,
    }


def workers(view: RunView) -> Document:
    """The workers of a run."""
    return {"run": view.id, "parallelism": view.parallelism, "workers": [worker(one) for one in view.workers]}


def workstream(view: WorkstreamView) -> Document:
    """One workstream, as `uet status` lists it."""
    return {
        "id": view.id,
        "state": view.state.value,
        "wave": view.wave,
        "attempts": view.attempts,
        "cost_usd": view.cost_usd,
        "started_at": iso(view.started_at),
        "ended_at": iso(view.ended_at),
        "merge_commit": view.merge_commit,
        "reason": view.reason,
        "agent": view.agent,
        "model": view.model,
        "worker": view.worker,
        "result_commit": view.result_commit,
        "queued_at": iso(view.queued_at),
        "held": view.held,
        "first": view.first,
    }


def attempt(view: AttemptView) -> Document:
    """One try of a workstream."""
    return {
        "attempt": view.number,
        "state": view.state.value,
        "worker": view.worker,
        "agent": view.agent,
        "model": view.model,
        "started_at": iso(view.started_at),
        "ended_at": iso(view.ended_at),
        "exit_code": view.exit_code,
        "error": view.error,
        "commit": view.commit,
        "cost_usd": view.cost_usd,
        "tokens_in": view.tokens_in,
        "tokens_out": view.tokens_out,
        "folder": view.folder,
    }


def gate(view: GateView) -> Document:
    """What a gate said."""
    return {
        "gate": view.gate,
        "attempt": view.attempt,
        "where": view.where,
        "verdict": view.verdict,
        "seconds": view.seconds,
        "time": iso(view.time),
        "output": view.output,
    }


def shown_workstream(view: WorkstreamView, attempts: Iterable[AttemptView], gates: Iterable[GateView]) -> Document:
    """One workstream with all that is known of it: `uet show WS --json`."""
    return workstream(view) | {
        "priority": view.priority,
        "kind": view.kind,
        "tasks": list(view.tasks),
        "files_scope": list(view.files_scope),
        "files_create": list(view.files_create),
        "acceptance_tests": list(view.acceptance_tests),
        "test_gates": list(view.test_gates),
        "depends_on": list(view.depends_on),
        "waited_for_by": list(view.waited_for_by),
        "attempts_made": [attempt(one) for one in attempts],
        "gate_results": [gate(one) for one in gates],
    }


def why(view: WorkstreamView, waits_for: Iterable[WorkstreamView]) -> Document:
    """Why a workstream is where it is, and what it waits for."""
    return {
        "workstream": view.id,
        "state": view.state.value,
        "reason": view.reason,
        "waits_for": [{"id": one.id, "state": one.state.value, "reason": one.reason} for one in waits_for],
    }


def conflict(view: ConflictView) -> Document:
    """One conflict, as `uet status` lists it."""
    return {
        "id": view.id,
        "workstream": view.workstream,
        "files": [file.path for file in view.files],
        "status": view.state.value,
        "open": view.open,
        "decided": view.decided_files,
        "proposal": view.proposal,
        "lost": sum(len(file.lost) for file in view.files),
        "busy": view.busy or None,
        "deferred": view.deferred,
        "against": list(view.against),
        "waiting": list(view.waiting),
        "opened_at": iso(view.opened_at),
        "closed_at": iso(view.closed_at),
    }


def conflicts(views: Iterable[ConflictView]) -> Document:
    """The conflicts of a run."""
    return {"conflicts": [conflict(one) for one in views]}


def shown_conflict(view: ConflictView) -> Document:
    """One conflict with its hunks, in the same form as the list: `uet conflicts show ID --json`."""
    contents = [
        {
            "file": file.path,
            "kind": file.kind,
            "choice": file.choice,
            "decided": file.decided,
            "proposed_by": file.proposed_by or None,
            "lost": list(file.lost),
            "beside": list(file.beside),
            "note": file.note or None,
        }
        for file in view.files
    ]
    hunks = [
        {
            "file": file.path,
            "hunk": hunk.number,
            "line": hunk.line,
            "before": list(hunk.before),
            "ours": list(hunk.ours),
            "base": list(hunk.base),
            "theirs": list(hunk.theirs),
            "after": list(hunk.after),
            "proposal": None if hunk.proposal is None else list(hunk.proposal),
            "choice": hunk.choice,
        }
        for file in view.files
        for hunk in file.hunks
    ]
    more: Document = {
        "ours_commit": view.ours_commit,
        "theirs_commit": view.theirs_commit,
        "ours_tasks": list(view.ours_tasks),
        "theirs_tasks": list(view.theirs_tasks),
        "by": view.by or None,
        "busy": view.busy or None,
        "deferred": view.deferred,
        "note": view.note,
        "tried": [
            {
                "rung": rung.name,
                "verdict": rung.verdict,
                "seconds": rung.seconds,
                "cost_usd": rung.cost_usd,
                "detail": rung.detail,
            }
            for rung in view.tried
        ],
        "gates": [
            {"gate": gate.gate, "verdict": gate.verdict, "seconds": gate.seconds, "output": gate.output}
            for gate in view.gates
        ],
        "contents": contents,
        "hunks": hunks,
    }
    return {"conflicts": [conflict(view) | more]}


def event(view: EventView) -> Document:
    """One line of `uet events --json`."""
    return {
        "id": view.id,
        "time": iso(view.time),
        "type": view.type,
        "severity": view.severity,
        "workstream": view.workstream,
        "worker": view.worker,
        "attempt": view.attempt,
        "text": view.text,
        "data": dict(view.data),
    }


def runs(views: Sequence[RunSummary]) -> Document:
    """All runs, newest first."""
    return {
        "runs": [
            {
                "run": one.id,
                "state": one.state.value,
                "alive": one.alive,
                "workstreams": one.total,
                "merged": one.merged,
                "spent_usd": one.spent_usd,
                "conflicts": one.conflicts,
                "created_at": iso(one.created_at),
                "ended_at": iso(one.ended_at),
            }
            for one in views
        ]
    }
