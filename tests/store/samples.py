"""A small run for the store's tests, and records of every kind drawn by chance."""

from hypothesis import strategies as st

from uet_tui.core.beginning import first_records
from uet_tui.core.changes import Changes
from uet_tui.core.conflicts import RUNGS, ConflictFile, Entry, Hunk, Rung
from uet_tui.core.records import (
    AskRecord,
    AttemptRecord,
    ConflictRecord,
    GateEntry,
    Override,
    PairRecord,
    ProviderRecord,
    Records,
    RunRecord,
    WorkerRecord,
    WorkstreamRecord,
)
from uet_tui.core.states import (
    AttemptState,
    BudgetStage,
    ConflictState,
    ProviderState,
    RunState,
    WorkerState,
    WorkstreamState,
)
from uet_tui.core.usage import Fault
from uet_tui.plan.model import Plan, TestGate, Workstream
from uet_tui.text import harmless, one_line

BEGIN = 1_800_000_000.25
TOKEN = "token-1"


def workstream(id: str, *depends_on: str) -> Workstream:
    return Workstream(
        id=id,
        openspec_change="change",
        ccpm_issue=7,
        gate=1,
        files_scope=(f"src/{id}/",),
        files_create=(f"docs/{id}.md",),
        tasks=(f"Do {id}",),
        acceptance_tests=("true",),
        depends_on=depends_on,
        tool="shell",
        test_gates=(TestGate(type="GATE_UNIT"),),
    )


def plan() -> Plan:
    """ws-a and ws-b, then ws-c on both, then ws-d on ws-c."""
    all = [workstream("ws-a"), workstream("ws-b"), workstream("ws-c", "ws-a", "ws-b"), workstream("ws-d", "ws-c")]
    return Plan({ws.id: ws for ws in all}, {}, (("ws-a", "ws-b"), ("ws-c",), ("ws-d",)), (), {}, {}, ())


def run_record(id: str = "run-1", created_at: float = BEGIN) -> RunRecord:
    return RunRecord(id, "payments", "eager", 2, "b" * 40, "b" * 40, "main", created_at)


def records(id: str = "run-1", created_at: float = BEGIN) -> Records:
    run = run_record(id, created_at)
    return first_records(run, plan(), dict.fromkeys(plan().workstreams, "shell"), {"shell": "sh"})


def changes(*, workstreams: tuple[WorkstreamRecord, ...] = (), attempts: tuple[AttemptRecord, ...] = ()) -> Changes:
    return Changes(
        workstreams={record.id: record for record in workstreams},
        attempts={(record.workstream, record.number): record for record in attempts},
    )


def attempt(workstream: str = "ws-a", number: int = 1, **more: object) -> AttemptRecord:
    return AttemptRecord(workstream, number, 1, "shell", "sh", "b" * 40, BEGIN, **more)


def conflict(id: str = "c1", workstream: str = "ws-b", **more: object) -> ConflictRecord:
    hunk = Hunk(1, 3, ("before",), ("ours\r",), (), ("theirs", "\x1b[2Jtheirs"), (), None, None)
    entries = [Entry("100644", letter * 40) for letter in "0123"]
    file = ConflictFile("src/app.py", "content", *entries, (hunk,))
    return ConflictRecord(id, workstream, 1, "1" * 40, "2" * 40, (file,), ("ws-a",), BEGIN + 5, **more)


# Records by chance: what the store must give back exactly is any text that is harmless already

raw = st.text(st.characters(exclude_categories=()), max_size=30)
line = raw.map(one_line)
prose = raw.map(harmless)
commit = st.none() | st.text("0123456789abcdef", min_size=40, max_size=40)
time = st.integers(0, 4_000_000_000_000_000).map(lambda microseconds: microseconds / 1e6)
money = st.floats(0, 1e9)
count = st.integers(0, 2**53)
choice = st.sampled_from([None, "ours", "theirs", "both", "both-theirs-first", "proposal", "edited"])
lines = st.lists(raw, max_size=3).map(tuple)
entry = st.none() | st.builds(Entry, st.just("100644"), st.text("0123456789abcdef", max_size=40))
hunk = st.builds(Hunk, count, count, lines, lines, lines, lines, lines, choice, st.none() | lines)
conflict_file = st.builds(
    ConflictFile,
    raw,
    st.just("content"),
    entry,
    entry,
    entry,
    entry,
    st.lists(hunk, max_size=2).map(tuple),
    choice,
    entry,
    entry,
    st.sampled_from(["", *RUNGS]),
    lines,
)
rung = st.builds(
    Rung,
    st.sampled_from(RUNGS),
    st.sampled_from(["settled", "refused", "failed", "not applicable"]),
    money,
    money,
    line,
)
gate = st.builds(
    GateEntry,
    time,
    st.just("ws-a"),
    st.just(1),
    line,
    st.sampled_from(["sandbox", "merged", "base", "proposal", "landing"]),
    line,
    money,
    prose,
    st.just("d" * 40),
)
pair_records = st.builds(
    PairRecord,
    first=st.sampled_from(["ws-a", "ws-b"]),
    second=st.sampled_from(["ws-c", "ws-d"]),
    verdict=st.sampled_from(["same file", "conflict"]),
    files=st.lists(prose, max_size=3).map(tuple),
    since=time,
)
override = st.builds(
    Override,
    limit=st.sampled_from(["total", "phase", "task"]),
    former_usd=st.none() | money,
    by=line,
    reason=line,
    since=time,
    until=st.none() | time,
)
provider_records = st.builds(
    ProviderRecord,
    name=st.sampled_from(["openai", "anthropic"]),
    since=time,
    state=st.sampled_from(ProviderState),
    until=st.none() | time,
    reason=line,
    pauses=count,
    limit=st.none() | count,
)
run_records = st.builds(
    RunRecord,
    id=st.just("run-1"),
    name=line,
    schedule=st.sampled_from(["eager", "waves"]),
    parallelism=st.integers(1, 256),
    base_commit=st.just("b" * 40),
    tip=st.just("c" * 40),
    target_branch=st.none() | prose,
    created_at=time,
    state=st.sampled_from(RunState),
    reason=line,
    spent_usd=money,
    reserved_usd=money,
    budget_usd=st.none() | money,
    started_at=st.none() | time,
    ended_at=st.none() | time,
    landed_at=st.none() | time,
    landed_commit=commit,
    phase_budget_usd=st.none() | money,
    task_budget_usd=st.none() | money,
    budget_stage=st.sampled_from(BudgetStage),
    budget_note=line,
    wide=st.none() | count,
    overrides=st.lists(override, max_size=2).map(tuple),
)
workstream_records = st.builds(
    WorkstreamRecord,
    id=st.sampled_from(["ws-a", "ws-b", "ws-c", "ws-d"]),
    wave=st.integers(1, 4),
    agent=line,
    model=line,
    state=st.sampled_from(WorkstreamState),
    reason=line,
    attempts=count,
    worker=st.none() | count,
    retry_at=st.none() | time,
    cost_usd=money,
    started_at=st.none() | time,
    ended_at=st.none() | time,
    result_commit=commit,
    merge_commit=commit,
    merge_onto=commit,
    conflict=st.none() | st.just("c1"),
    error_signature=prose,
    error_repeats=count,
    result_tree=st.just("d" * 40),
    result_repeats=count,
    granted_attempts=count,
    note=prose,
    queued_at=st.none() | time,
    overtaken=count,
    held=st.booleans(),
    first=st.booleans(),
    context_share=st.floats(0, 1),
)
attempt_records = st.builds(
    AttemptRecord,
    workstream=st.sampled_from(["ws-a", "ws-b"]),
    number=st.integers(1, 3),
    worker=count,
    agent=line,
    model=line,
    base_commit=st.just("b" * 40),
    created_at=time,
    state=st.sampled_from(AttemptState),
    reserved_usd=money,
    cost_usd=money,
    tokens_in=count,
    tokens_out=count,
    started_at=st.none() | time,
    ended_at=st.none() | time,
    exit_code=st.none() | st.integers(-255, 255),
    error=prose,
    commit=commit,
    kill_asked=st.booleans(),
    kill_reason=line,
    provider=line,
    tokens_cached=count,
    tokens_reasoning=count,
    reports=count,
    unpriced=count,
    estimated_tokens=count,
    estimated_usd=money,
    fault=st.none() | st.sampled_from(Fault),
)
worker_records = st.builds(
    WorkerRecord,
    number=st.integers(1, 3),
    since=time,
    state=st.sampled_from(WorkerState),
    workstream=st.none() | st.just("ws-a"),
    agent=line,
    doing=line,
)
conflict_records = st.builds(
    ConflictRecord,
    id=st.sampled_from(["c1", "c2"]),
    workstream=st.sampled_from(["ws-a", "ws-b"]),
    attempt=count,
    ours_commit=st.just("1" * 40),
    theirs_commit=st.just("2" * 40),
    files=st.lists(conflict_file, max_size=2).map(tuple),
    against=st.lists(st.sampled_from(["ws-a", "ws-c"]), max_size=2).map(tuple),
    opened_at=time,
    state=st.sampled_from(ConflictState),
    proposal=st.none() | line,
    closed_at=st.none() | time,
    tree=commit,
    by=line,
    tried=st.lists(rung, max_size=2).map(tuple),
    gates=st.lists(gate, max_size=2).map(tuple),
    note=prose,
    deferred=st.booleans(),
    asks=count,
    asking=st.booleans(),
    climbing=st.booleans(),
    reserved_usd=money,
    asked=st.lists(st.builds(AskRecord, count, prose, prose, prose, count, money, prose), max_size=2).map(tuple),
)
