"""Views of a run as it would be in the middle of its work, and a source that serves them and records commands."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from uet_tui.console.breakdown.sides import total_of
from uet_tui.console.screens import Field
from uet_tui.core.commands import Answer, Verb
from uet_tui.core.states import AttemptState, ConflictState, ProviderState, RunState, WorkerState, WorkstreamState
from uet_tui.errors import UetError
from uet_tui.store.artifacts import Piece
from uet_tui.store.conflict_text import SideText
from uet_tui.store.conflict_views import ConflictFileView, ConflictView, GateView, HunkView, PairView, RungView
from uet_tui.store.cost_views import CostBreakdown, CostRow, CostView, ModelCostRow, ProviderView, SpendRow
from uet_tui.store.views import AttemptView, EventView, NeedView, RunView, WorkerView, WorkstreamView

NOW = datetime(2026, 3, 14, 14, 3, 42, tzinfo=UTC)
HOSTILE = "[/x] [@click=app.bell()] [bold"
"""Text that takes a Textual app down wherever it is read as markup."""

S, K = WorkstreamState, WorkerState


def ago(seconds: float) -> datetime:
    """A time before the samples' now."""
    return NOW - timedelta(seconds=seconds)


def workstream(
    id: str,
    state: WorkstreamState = S.PENDING,
    wave: int = 1,
    reason: str = "",
    *,
    worker: int | None = None,
    agent: str = "claude",
    cost: float = 0.0,
    begun: float | None = None,
    took: float | None = None,
    depends_on: tuple[str, ...] = (),
) -> WorkstreamView:
    """A workstream; `begun` seconds ago, over `took` seconds later."""
    started = None if begun is None else ago(begun)
    ended = None if started is None or took is None else started + timedelta(seconds=took)
    return WorkstreamView(
        id=id,
        state=state,
        reason=reason,
        wave=wave,
        worker=worker,
        agent=agent,
        model="",
        attempts=0 if begun is None else 1,
        cost_usd=cost,
        started_at=started,
        ended_at=ended,
        merge_commit="3f2c1ab9" + "0" * 32 if state is S.MERGED else None,
        result_commit=None,
        depends_on=depends_on,
        waited_for_by=(),
        priority="foreground",
        kind="code",
        tasks=(f"Do what {id} says",),
        files_scope=(f"src/{id}/",),
        files_create=(),
        acceptance_tests=(),
        test_gates=("lint", "unit"),
    )


def worker(
    number: int,
    state: WorkerState = K.IDLE,
    workstream: str | None = None,
    agent: str = "",
    doing: str = "",
    since: float = 0,
) -> WorkerView:
    """A worker that took its workstream `since` seconds ago."""
    return WorkerView(number, state, workstream, agent, ago(since), doing)


def event(
    id: int,
    text: str,
    type: str = "attempt_started",
    *,
    before: float = 0,
    severity: str = "info",
    workstream: str | None = None,
    worker: int | None = None,
) -> EventView:
    """An event `before` seconds ago."""
    return EventView(id, ago(before), type, severity, workstream, worker, None, text, {})


def hunk(number: int = 1, line: int = 42, **changes: object) -> HunkView:
    """A place where both sides changed the same line."""
    made = HunkView(
        number=number,
        line=line,
        before=("def main(argv):",),
        ours=("    args = parse(argv, defaults=load_config())",),
        base=("    args = parse(argv)",),
        theirs=("    args = parse(argv)", "    args.jobs = max(1, args.jobs)"),
        after=("    return run(args)",),
        choice=None,
        proposal=None,
    )
    return replace(made, **changes)


def conflict(
    id: str = "c1",
    workstream: str = "ws-18-scripts",
    state: ConflictState = ConflictState.PENDING,
    *,
    proposal: str | None = None,
    opened: float = 420,
    waiting: tuple[str, ...] = (),
    files: tuple[ConflictFileView, ...] | None = None,
) -> ConflictView:
    """A conflict of one file with one hunk, unless other files are given."""
    usual = (ConflictFileView("scripts/run_workstream.py", "content", (hunk(),), None),)
    return ConflictView(
        id=id,
        workstream=workstream,
        against=("ws-30-integration",),
        state=state,
        files=usual if files is None else files,
        proposal=proposal,
        opened_at=ago(opened),
        closed_at=None,
        ours_commit="a" * 40,
        theirs_commit="b" * 40,
        ours_tasks=("Load defaults from config",),
        theirs_tasks=("Never start fewer than one job",),
        waiting=waiting,
        tried=(RungView("recorded", "not applicable", 0.0, 0.0), RungView("union", "not applicable", 0.0, 0.0)),
    )


def gate(
    name: str = "GATE_UNIT",
    verdict: str = "passed",
    where: str = "sandbox",
    *,
    attempt: int = 1,
    seconds: float = 41.0,
    output: str = "",
    before: float = 60,
) -> GateView:
    """What a gate said `before` seconds ago."""
    return GateView(name, attempt, where, verdict, seconds, output, ago(before))


def pair(
    first: str,
    second: str,
    verdict: str = "conflict",
    files: tuple[str, ...] = ("src/error/engine.py",),
    since: float = 95,
) -> PairView:
    """Two branches that are not clean together since so many seconds."""
    return PairView(first, second, verdict, files, ago(since))


def costs(*rows: CostRow, **changes: object) -> CostView:
    """The money of a run with these rows."""
    made = CostView(
        spent_usd=sum(row.usd for row in rows),
        reserved_usd=0.0,
        budget_usd=25.0,
        per_minute_usd=0.0,
        wasted_usd=0.0,
        retries=0,
        forecast_usd=None,
        series=(),
        rows=rows,
    )
    return replace(made, **changes)


def provider(
    name: str = "anthropic",
    state: ProviderState = ProviderState.PAUSED,
    reason: str = "quota",
    *,
    seconds: float | None = 130,
) -> ProviderView:
    """A provider that is left alone for so many seconds more."""
    until = None if seconds is None or state is not ProviderState.PAUSED else NOW + timedelta(seconds=seconds)
    return ProviderView(name, state, until, "" if state is ProviderState.OPEN else reason, 0, None)


def model_cost(model: str, agent: str = "claude", usd: float = 0.0, **changes: object) -> ModelCostRow:
    """What a model cost."""
    made = ModelCostRow(model, agent, usd, 1, 20_000, 1_500, 8_000, 400, 0)
    return replace(made, **changes)


def spend(label: str, usd: float = 0.0, tokens_in: int = 0, **changes: object) -> SpendRow:
    """A line of a breakdown: a third of what was read came from a cache, a tenth was written."""
    made = SpendRow(
        label=label,
        usd=usd,
        estimated_usd=0.0,
        attempts=1,
        tokens_in=tokens_in,
        tokens_out=tokens_in // 10,
        tokens_cached=tokens_in // 3,
        tokens_reasoning=tokens_in // 40,
        unpriced=0,
    )
    return replace(made, **changes)


def breakdown(attempts: Sequence[SpendRow] | None = None) -> CostBreakdown:
    """Where the money of the sample run went, added up from its attempts."""
    usual = (
        attempt_spend("ws-24-audit", 1, 0.67, 41_000, "under way"),
        attempt_spend("ws-18-scripts", 1, 0.15, 9_500, "retried"),
        attempt_spend("ws-18-scripts", 2, 0.40, 21_000, "merged", estimated_usd=0.4, agent="aider"),
        attempt_spend("ws-13-plugins", 1, 0.0, 22_000, "under way", unpriced=2, agent="codex"),
        attempt_spend("ws-09-spec-tools", 1, 0.31, 18_000, "merged", agent="codex"),
        attempt_spend("ws-10-base", 1, 0.25, 12_000, "failed"),
        attempt_spend("ws-10-base", 2, 1.34, 60_000, "conflicts", attempts=3),
    )
    by_attempt = usual if attempts is None else tuple(attempts)
    models = {"claude": "claude-sonnet-4-5", "codex": "gpt-5.1-codex-max", "aider": "openrouter/qwen/qwen3-coder"}
    return CostBreakdown(
        by_workstream=_added(by_attempt, lambda row: row.workstream),
        by_attempt=by_attempt,
        by_model=_added(by_attempt, lambda row: models.get(row.agent, "")),
        by_wave=_added(by_attempt, lambda row: f"wave {int(row.workstream[3:5]) % 4 + 1}"),
        by_outcome=_added(by_attempt, lambda row: row.outcomes[0]),
    )


def attempt_spend(
    workstream: str, attempt: int, usd: float, tokens_in: int, outcome: str, **changes: object
) -> SpendRow:
    """What one attempt used."""
    wasted = usd if outcome in ("failed", "retried", "conflicts") else 0.0
    about = {"workstream": workstream, "attempt": attempt, "outcomes": (outcome,), "wasted_usd": wasted}
    return spend(f"{workstream} #{attempt}", usd, tokens_in, **{"agent": "claude", **about, **changes})


def _added(rows: Sequence[SpendRow], label: Callable[[SpendRow], str]) -> tuple[SpendRow, ...]:
    groups: dict[str, list[SpendRow]] = {}
    for row in rows:
        groups.setdefault(label(row), []).append(row)
    return tuple(
        replace(
            total_of(those),
            label=name,
            workstream=those[0].workstream if len({row.workstream for row in those}) == 1 else "",
            agent=those[0].agent if len({row.agent for row in those}) == 1 else "",
        )
        for name, those in groups.items()
    )


def sample_run(**changes: object) -> RunView:
    """The run of the wireframes: four waves, four workers, two conflicts; any field can be given another value."""
    first = [
        workstream(f"ws-0{n}-base" if n < 10 else f"ws-{n}-base", S.MERGED, 1, begun=900, took=400, cost=0.1)
        for n in range(1, 13)
    ]
    second = [
        workstream("ws-09-spec-tools", S.MERGED, 2, begun=300, took=130, cost=0.31),
        workstream("ws-11-docs", S.MERGED, 2, begun=400, took=95, cost=0.12),
        workstream("ws-13-plugins", S.RUNNING, 2, worker=1, begun=192, cost=0.41),
        workstream("ws-14-engine", S.GATING, 2, worker=2, agent="aider", begun=62, cost=0.22),
        workstream("ws-18-scripts", S.CONFLICTED, 2, "needs you: conflict c1", begun=700, cost=0.55),
        workstream("ws-15-core", S.PENDING, 2, "waits for ws-14-engine", depends_on=("ws-14-engine",)),
        workstream("ws-21-ci", S.PENDING, 2, "scope held by ws-23-queue"),
        workstream("ws-30-integration", S.PENDING, 2, "waits for ws-18-scripts", depends_on=("ws-18-scripts",)),
    ]
    third = [
        workstream("ws-23-queue", S.RUNNING, 3, worker=3, agent="codex", begun=40, cost=0.1),
        workstream("ws-24-audit", S.RUNNING, 3, worker=4, begun=351, cost=0.67),
        workstream("ws-25-metrics", S.PENDING, 3, "waits for ws-23-queue"),
        workstream("ws-26-events", S.PENDING, 3, "waits for ws-23-queue"),
    ]
    fourth = [workstream(f"ws-3{n}-release", S.PENDING, 4, "waits for ws-26-events") for n in range(1, 4)]
    made = RunView(
        id="7f3a",
        revision=1,
        name="payments",
        state=RunState.RUNNING,
        reason="",
        alive=True,
        crashed_at=None,
        schedule="eager",
        parallelism=4,
        created_at=ago(910),
        started_at=ago(905),
        ended_at=None,
        target_branch="main",
        base_commit="c" * 40,
        tip="d" * 40,
        landed_at=None,
        forecast_end_at=NOW + timedelta(minutes=28, seconds=30),
        notices=(),
        providers=(provider(), provider("openai", ProviderState.OPEN)),
        workstreams=(*first, *second, *third, *fourth),
        workers=(
            worker(1, K.BUSY, "ws-13-plugins", "claude", "edit", 192),
            worker(2, K.BUSY, "ws-14-engine", "aider", "gates", 62),
            worker(3, K.PAUSED, "ws-23-queue", "codex", "edit", 40),
            worker(4, K.DRAINING, "ws-24-audit", "claude", "shell", 351),
        ),
        conflicts=(
            conflict(
                "c1",
                "ws-18-scripts",
                ConflictState.PROPOSED,
                proposal="claude",
                waiting=("ws-30-integration", "ws-31-release", "ws-32-release", "ws-33-release"),
            ),
            conflict("c2", "ws-10-base", opened=95),
        ),
        costs=costs(
            CostRow("ws-24-audit", "claude", 0.67, 1, 41_000, 3_200),
            CostRow("ws-18-scripts", "claude", 0.55, 1, 30_500, 2_100),
            CostRow("ws-13-plugins", "claude", 0.41, 1, 22_000, 1_900),
            CostRow("ws-09-spec-tools", "codex", 0.31, 1, 18_000, 900),
            spent_usd=3.12,
            reserved_usd=1.40,
            per_minute_usd=0.31,
            wasted_usd=0.40,
            landed_usd=1.63,
            retries=2,
            forecast_usd=8.90,
            series=(0.05, 0.11, 0.12, 0.3, 0.42, 0.31, 0.2, 0.12, 0.11, 0.05),
        ),
        needs=(
            NeedView("conflict", "c1", "ws-18-scripts: proposal by claude"),
            NeedView("conflict", "c2", "ws-10-base: no proposal"),
        ),
    )
    return replace(made, **changes)


def sample_events() -> tuple[EventView, ...]:
    """The events of the wireframes."""
    return (
        event(1, "run started: 36 workstreams, 4 workers", "run_started", before=905),
        event(2, "ws-09-spec-tools merged as 3f2c1ab", "workstream_merged", before=20, workstream="ws-09-spec-tools"),
        event(3, "ws-14-engine gates started (3)", "workstream_gating", before=17, workstream="ws-14-engine"),
        event(
            4,
            "ws-18-scripts needs you: proposal by claude",
            "conflict_opened",
            before=11,
            severity="warning",
            workstream="ws-18-scripts",
        ),
        event(5, "worker 3 paused by operator", "worker_state_changed", before=2, worker=3),
    )


def forecast_run(**changes: object) -> RunView:
    """A run in which branches meet, one is held, one goes first, and conflicts are in every stage."""
    seen = sample_run()
    wishes = {
        "ws-14-engine": {"state": S.QUEUED, "first": True, "worker": None, "reason": "in the merge queue"},
        "ws-23-queue": {"held": True},
    }
    streams = tuple(replace(ws, **wishes.get(ws.id, {})) for ws in seen.workstreams)
    first, second = seen.conflicts
    made = {
        "workstreams": streams,
        "pairs": (
            pair("ws-13-plugins", "ws-23-queue", files=("src/error/engine.py", "src/error/kinds.py")),
            pair("ws-14-engine", "ws-24-audit", "same file", ("docs/usage.md",), 600),
            pair("ws-18-scripts", "ws-13-plugins", "conflict", ("scripts/run_workstream.py",), 3),
        ),
        "conflicts": (
            replace(first, gates=(gate("GATE_LINT", where="proposal"), gate("GATE_UNIT", where="proposal"))),
            replace(first, id="c3", gates=(gate("GATE_UNIT", "failed", "proposal"),), waiting=()),
            replace(second, id="c4", busy="agent"),
            replace(second, deferred=True),
        ),
        "needs": (*seen.needs[:1], replace(seen.needs[1], target="c3")),
    }
    return replace(seen, **{**made, **changes})


def crowded_run(count: int = 50) -> RunView:
    """A run with many active branches with long names, of which some meet."""
    streams = tuple(
        workstream(f"ws-{n:02}-{'a-very-long-name-' * (n % 3)}part", S.RUNNING, 1, worker=n, begun=60 + n)
        for n in range(1, count + 1)
    )
    ids = [ws.id for ws in streams]
    pairs = tuple(
        pair(
            ids[a],
            ids[b],
            "conflict" if (a + b) % 4 == 0 else "same file",
            tuple(f"src/part_{a}/module_{b}_{n}.py" for n in range(9)),
        )
        for a in range(count)
        for b in range(a + 1, count)
        if (a * 7 + b * 3) % 23 == 0
    )
    return sample_run(workstreams=streams, pairs=pairs, conflicts=(), needs=())


def empty_run(**changes: object) -> RunView:
    """A run that was planned and has not begun."""
    planned: dict[str, object] = {
        "state": RunState.PLANNED,
        "started_at": None,
        "forecast_end_at": None,
        "providers": (),
        "workstreams": (),
        "workers": (),
        "conflicts": (),
        "costs": costs(budget_usd=None),
        "needs": (),
    }
    return sample_run(**{**planned, **changes})


def finished_run(**changes: object) -> RunView:
    """A run that is over: all merged but one that failed and one that was skipped for it."""
    over = (
        *(workstream(f"ws-0{n}-base", S.MERGED, 1, begun=900, took=400, cost=0.1) for n in range(1, 6)),
        workstream("ws-06-engine", S.FAILED, 2, "gate unit failed: 2 tests", begun=500, took=60, cost=0.3),
        workstream("ws-07-release", S.SKIPPED, 3, "ws-06-engine will not merge"),
    )
    ended: dict[str, object] = {
        "state": RunState.FAILED,
        "reason": "2 workstreams did not merge",
        "alive": False,
        "ended_at": ago(30),
        "forecast_end_at": None,
        "providers": (),
        "workstreams": over,
        "workers": (),
        "conflicts": (),
        "needs": (NeedView("failed", "ws-06-engine", "ws-06-engine failed: gate unit"),),
    }
    return sample_run(**{**ended, **changes})


def hostile_run() -> RunView:
    """A run with markup in every text it has."""
    seen = sample_run()
    return replace(
        seen,
        id=HOSTILE,
        name=HOSTILE,
        reason=HOSTILE,
        target_branch=HOSTILE,
        notices=(HOSTILE,),
        providers=(
            provider(HOSTILE, reason=HOSTILE),
            provider(HOSTILE, ProviderState.STOPPED, reason=HOSTILE),
        ),
        workstreams=tuple(
            replace(ws, id=f"{ws.id}{HOSTILE}", reason=HOSTILE, agent=HOSTILE, model=HOSTILE, tasks=(HOSTILE,))
            for ws in seen.workstreams
        ),
        workers=tuple(replace(w, workstream=HOSTILE, agent=HOSTILE, doing=HOSTILE) for w in seen.workers),
        conflicts=tuple(
            replace(
                c,
                id=f"{c.id}{HOSTILE}",
                workstream=HOSTILE,
                proposal=HOSTILE,
                files=(ConflictFileView(HOSTILE, HOSTILE, (hunk(ours=(HOSTILE,), theirs=(HOSTILE,)),), None),),
                waiting=(HOSTILE,),
            )
            for c in seen.conflicts
        ),
        pairs=(PairView(f"ws-13-plugins{HOSTILE}", f"ws-14-engine{HOSTILE}", "conflict", (HOSTILE,), NOW),),
        costs=replace(
            seen.costs,
            note=HOSTILE,
            rows=tuple(replace(r, workstream=HOSTILE, agent=HOSTILE) for r in seen.costs.rows),
            by_model=(model_cost(HOSTILE, HOSTILE, 2.0), model_cost(f"other {HOSTILE}", HOSTILE, 1.0)),
        ),
        needs=tuple(replace(n, target=HOSTILE, text=HOSTILE) for n in seen.needs),
    )


class FakeSource:
    """A source that serves a view and events, and records what it was sent."""

    def __init__(self, view: RunView | None = None, events: tuple[EventView, ...] | None = None) -> None:
        self.view = sample_run() if view is None else view
        self.log = list(sample_events() if events is None else events)
        self.sent: list[tuple[Verb, dict[str, Field]]] = []
        """Commands as verb and fields, in order."""
        self.money = breakdown()
        """Where the money went."""
        self.gate_log: dict[str, tuple[GateView, ...]] = {}
        """What gates said of a workstream, by its id."""
        self.refusal = ""
        """What every command is refused with; empty: all are done."""
        self.failure: str = ""
        """What every read fails with; empty: none fails."""

    def change(self, **changes: object) -> None:
        """Gives the run other values, and a new revision."""
        self.view = replace(self.view, **{"revision": self.view.revision + 1, **changes})

    def happen(self, *events: EventView) -> None:
        """Adds events, and a new revision."""
        self.log.extend(events)
        self.change()

    def revision(self) -> int:
        self._check()
        return self.view.revision

    def run(self) -> RunView:
        self._check()
        return self.view

    def events(self, after: int, limit: int) -> tuple[EventView, ...]:
        self._check()
        return tuple(e for e in self.log if e.id > after)[:limit]

    def last_events(self, count: int, workstream: str | None = None) -> tuple[EventView, ...]:
        self._check()
        return tuple(e for e in self.log if workstream in (None, e.workstream))[-count:]

    def attempts(self, workstream: str) -> tuple[AttemptView, ...]:
        self._check()
        seen = self.view.workstream(workstream)
        if seen is None or not seen.attempts:
            return ()
        return (
            AttemptView(
                workstream=workstream,
                number=1,
                state=AttemptState.RUNNING,
                worker=1,
                agent=seen.agent,
                model=seen.model,
                started_at=seen.started_at,
                ended_at=None,
                exit_code=None,
                error="",
                commit=None,
                cost_usd=seen.cost_usd,
                tokens_in=0,
                tokens_out=0,
                folder=f"attempts/{workstream}/1",
            ),
        )

    def costs(self) -> CostBreakdown:
        self._check()
        return self.money

    def gates(self, workstream: str) -> tuple[GateView, ...]:
        self._check()
        return self.gate_log.get(workstream, ())

    def output(self, folder: str, offset: int) -> Piece:
        text = f"output of {folder}\nand on\n"
        return Piece(text if offset <= 0 else "", len(text))

    def prompt(self, folder: str) -> str:
        return f"prompt of {folder}\n"

    def context(self, folder: str) -> str:
        return ""

    def diff(self, folder: str) -> str:
        return f"--- a/{folder}\n+++ b/{folder}\n@@ -1 +1 @@\n-old\n+new\n"

    def conflict_text(self, conflict: str, index: int) -> str:
        return f"<<<<<<< ours\nours of {conflict}\n=======\ntheirs, file {index}\n>>>>>>> theirs\n"

    def conflict_side(self, conflict: str, index: int, side: str) -> SideText | None:
        return None

    def send(self, verb: Verb, **fields: Field) -> Answer:
        self.sent.append((verb, {name: value for name, value in fields.items() if value is not None}))
        return Answer(id=str(len(self.sent)), ok=not self.refusal, message=self.refusal or f"{verb} done")

    def _check(self) -> None:
        if self.failure:
            raise UetError(self.failure)


def some_frozen(*numbers: int) -> RunView:
    """The same run with frozen workers; more than one of them are what it waits for."""
    workers = tuple(replace(worker, frozen=worker.number in numbers) for worker in sample_run().workers)
    needs = tuple(NeedView("frozen", str(n), f"worker {n} is frozen with ws") for n in numbers if len(numbers) > 1)
    return sample_run(workers=workers, needs=needs)
