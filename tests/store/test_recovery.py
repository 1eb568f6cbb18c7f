"""What a run knows of its money and its providers when another orchestrator takes it, from a store that is on disk."""

from tests.store import samples
from uet_tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    Began,
    Collected,
    Event,
    Ticked,
    UsageReported,
    WorkerReady,
)
from uet_tui.core.machine import Machine, Step
from uet_tui.core.policy import Policy
from uet_tui.core.states import AttemptState, ProviderState
from uet_tui.core.usage import Fault, Usage
from uet_tui.plan.graph import build_plan
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.writer import Writer

PLAN = build_plan([samples.workstream("ws-a"), samples.workstream("ws-b")])
POLICY = Policy(provider_of={"codex": "openai", "claude": "anthropic"}, reserve_usd=1.0)
REPORTS = (Usage("big", 100, 10, 50, 5, 0.25), Usage("big", 200, 20, usd=0.5), Usage("odd", 7, 1))


class Taken:
    """A run that an orchestrator has: each step is committed, and what it wants done is done by the test."""

    def __init__(self, home: Home, token: str, begin: float) -> None:
        self.writer, self.token, self.now = Writer(home.database), token, begin
        self.writer.claim("run-1", token, 1)
        self.machine = Machine(PLAN, POLICY, self.writer.load("run-1"))

    def tell(self, event: Event) -> Step:
        step = self.machine.step(event, self.now)
        self.writer.commit("run-1", self.token, step.changes)
        return step

    def is_killed(self) -> None:
        self.writer.close()


def first(home: Home) -> Taken:
    """The run has just begun: `ws-a` with codex, `ws-b` with claude, two workers."""
    made = samples.records()
    made.workstreams = {id: row for id, row in made.workstreams.items() if id in PLAN.workstreams}
    made.workstreams["ws-a"].agent, made.workstreams["ws-b"].agent = "codex", "claude"
    made.run.budget_usd = 10.0
    writer = Writer(home.database)
    writer.create_run(made, PLAN)
    writer.close()
    run = Taken(home, "token-1", samples.BEGIN)
    run.tell(Began())
    for worker in (1, 2):
        run.tell(WorkerReady(worker))
    for id in ("ws-a", "ws-b"):
        run.tell(AttemptStarted(id, 1, estimated_tokens=300))
    return run


def test_usage_that_was_reported_before_a_kill_is_neither_lost_nor_counted_twice(home: Home) -> None:
    run = first(home)
    run.tell(UsageReported("ws-a", 1, REPORTS[:1]))
    run.tell(UsageReported("ws-a", 1, REPORTS[:2]))
    run.machine.step(UsageReported("ws-a", 1, REPORTS), run.now)  # killed before it was committed
    run.is_killed()

    run = Taken(home, "token-2", samples.BEGIN + 5)
    run.tell(AttemptStarted("ws-a", 1))
    run.tell(Began())
    run.tell(AttemptEnded("ws-a", 1, AttemptState.SUCCEEDED, 0, "", REPORTS))
    assert run.machine.board.records.run.spent_usd == 0.75
    run.is_killed()
    reader = Reader(home.database)
    costs, (row,) = reader.run("run-1").costs, reader.costs("run-1").by_workstream
    (attempt,) = reader.attempts("run-1", "ws-a")
    reader.close()
    assert (costs.spent_usd, costs.reserved_usd, costs.unpriced) == (0.75, 1.0, 1)
    assert (row.usd, row.tokens_in, row.tokens_cached, row.unpriced) == (0.75, 307, 50, 1)
    assert (attempt.cost_usd, attempt.reports, attempt.unpriced, attempt.estimated_tokens) == (0.75, 3, 1, 300)


def test_a_pause_of_one_provider_outlives_the_orchestrator_and_the_other_goes_on(home: Home) -> None:
    run = first(home)
    until = samples.BEGIN + 600.0
    run.tell(AttemptEnded("ws-a", 1, AttemptState.FAILED, 1, "429", fault=Fault.QUOTA, until=until))
    run.tell(Collected("ws-a", 1, None, ""))
    run.is_killed()

    run = Taken(home, "token-2", samples.BEGIN + 100)
    run.tell(AttemptStarted("ws-b", 1))
    run.tell(Began())
    run.tell(WorkerReady(1))
    reader = Reader(home.database, lambda: samples.BEGIN + 100)
    view = reader.run("run-1")
    assert [(one.name, one.state, one.running) for one in view.providers] == [
        ("anthropic", "OPEN", 1),
        ("openai", "PAUSED", 0),
    ]
    assert view.providers[1].until is not None and view.providers[1].until.timestamp() == until
    assert view.notices[-1] == "provider openai paused: quota"
    waiting = view.workstream("ws-a")
    assert waiting is not None and waiting.reason == "provider openai paused until 2027-01-15 08:10:00 UTC (quota)"
    assert run.machine.next_wakeup() == until
    run.tell(AttemptEnded("ws-b", 1, AttemptState.SUCCEEDED, 0))
    run.now = until
    run.tell(Ticked())
    assert run.machine.board.records.providers["openai"].state is ProviderState.OPEN
    resumed = reader.run("run-1").workstream("ws-a")
    assert resumed is not None and (resumed.state, resumed.attempts) == ("RUNNING", 2)
    reader.close()
    run.is_killed()
