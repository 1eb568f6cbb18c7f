"""A run in the middle of its work, in a real store: every kind of state that the looking commands show."""

import time
from pathlib import Path

from uet_tui.core import vocabulary
from uet_tui.core.beginning import first_records
from uet_tui.core.changes import Changes, CostEntry, NewEvent
from uet_tui.core.conflicts import ConflictFile, Entry, Hunk
from uet_tui.core.records import AttemptRecord, ConflictRecord, GateEntry, PairRecord, Records, RunRecord, WorkerRecord
from uet_tui.core.states import AttemptState, RunState, WorkerState, WorkstreamState
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Plan, Workstream
from uet_tui.store.paths import Home
from uet_tui.store.writer import Writer

RUN = "7f3a0001"
TOKEN = "scene"
HOSTILE = "\x1b]52;c;aGk=\x07[/x] \u202eevil"


def plan() -> Plan:
    def workstream(id: str, *depends_on: str, acceptance_tests: tuple[str, ...] = ()) -> Workstream:
        return Workstream(
            id=id,
            openspec_change="x",
            ccpm_issue=1,
            gate=1,
            files_scope=(f"src/{id}/",),
            tasks=(f"do {id}",),
            depends_on=depends_on,
            acceptance_tests=acceptance_tests,
            tool="shell",
        )

    return build_plan(
        [
            workstream("ws-merged", acceptance_tests=("it reads well",)),
            workstream("ws-running"),
            workstream("ws-conflicted"),
            workstream("ws-failed"),
            workstream("ws-waiting", "ws-conflicted", "ws-merged"),
        ]
    )


def records() -> Records:
    now = time.time()
    run = RunRecord(RUN, "payments", "eager", 4, "b" * 40, "c" * 40, "main", now - 300, budget_usd=25.0)
    found = first_records(run, plan(), dict.fromkeys(plan().workstreams, "shell"), {})
    run.state, run.started_at, run.spent_usd, run.reserved_usd = RunState.RUNNING, now - 290, 3.12, 1.4
    states = {
        "ws-merged": (WorkstreamState.MERGED, ""),
        "ws-running": (WorkstreamState.RUNNING, ""),
        "ws-conflicted": (WorkstreamState.CONFLICTED, "conflict c1 in src/app.py waits for you"),
        "ws-failed": (WorkstreamState.FAILED, "exit code 3"),
        "ws-waiting": (WorkstreamState.PENDING, "waits for ws-conflicted"),
    }
    for id, (state, reason) in states.items():
        found.workstreams[id].state, found.workstreams[id].reason = state, reason
    merged, running = found.workstreams["ws-merged"], found.workstreams["ws-running"]
    merged.attempts, merged.started_at, merged.ended_at, merged.merge_commit = 1, now - 280, now - 200, "3" * 40
    merged.cost_usd = 0.31
    running.attempts, running.started_at, running.worker = 1, now - 60, 1
    found.attempts["ws-merged", 1] = AttemptRecord(
        "ws-merged", 1, 1, "shell", "", "b" * 40, now - 280, AttemptState.SUCCEEDED, exit_code=0, cost_usd=0.31
    )
    found.workers[1] = WorkerRecord(1, now - 60, WorkerState.BUSY, "ws-running", "shell", "compiling")
    found.workers[2] = WorkerRecord(2, now - 20, WorkerState.PAUSED)
    found.conflicts["c1"] = conflict(now)
    found.workstreams["ws-conflicted"].conflict = "c1"
    return found


def conflict(now: float) -> ConflictRecord:
    side = Entry("100644", "d" * 40)
    first = Hunk(1, 3, ("import os",), ("jobs = 4",), ("jobs = 1",), ("jobs = 8", "slow = True"), ("run()",))
    second = Hunk(2, 9, (), (), ("old()",), ("new()",), ())
    return ConflictRecord(
        "c1",
        "ws-conflicted",
        1,
        "c" * 40,
        "e" * 40,
        (
            ConflictFile("src/app.py", "content", side, side, side, side, (first, second)),
            ConflictFile("logo.png", "binary", side, side, side, side),
        ),
        ("ws-merged",),
        now - 100,
    )


def make_run(folder: Path) -> None:
    """Writes the run into `folder/.uet`; nobody has it then."""
    home = Home(folder / ".uet")
    home.run(RUN).inbox.mkdir(parents=True)
    writer = Writer(home.database)
    try:
        writer.create_run(records(), plan())
        writer.claim(RUN, TOKEN, 1)
        now = time.time()
        told = Changes(run=records().run)
        told.events += [
            NewEvent(now - 290, vocabulary.RUN_STARTED, "run started"),
            NewEvent(now - 200, vocabulary.WORKSTREAM_MERGED, "ws-merged merged as 3333333", "info", "ws-merged", 1, 1),
            NewEvent(now - 100, vocabulary.CONFLICT_OPENED, "ws-conflicted needs you", "warning", "ws-conflicted"),
        ]
        told.gates += [
            GateEntry(now - 220, "ws-merged", 1, "GATE_UNIT", "sandbox", "passed", 2.5, "2 passed", "t" * 40),
            GateEntry(
                now - 219, "ws-merged", 1, "acceptance 1: it reads well", "sandbox", "not run", 0.0, "it is prose"
            ),
            GateEntry(
                now - 210, "ws-merged", 1, "GATE_UNIT", "merged", "flaky", 75.0, f"1 failed\n{HOSTILE}", "t" * 40
            ),
        ]
        told.pairs["ws-conflicted", "ws-running"] = PairRecord(
            "ws-conflicted", "ws-running", "conflict", ("src/app.py",), now - 30
        )
        told.costs += [CostEntry(now - 210, "ws-merged", 1, "shell", "", 0.31, 1200, 300)]
        writer.commit(RUN, TOKEN, told)
        writer.release(RUN, TOKEN)
    finally:
        writer.close()
