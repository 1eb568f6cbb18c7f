"""Whatever happens, in whatever order, on whatever plan: what must hold, holds, and every run can be brought to an end.

`make fuzz` tries ten thousand histories.
"""

import copy
import itertools
from collections import Counter
from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import HealthCheck, currently_in_test_context, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.core.driver import Driver, workstream
from tests.support.examples import few
from uet_tui.core.board import HELD, Board
from uet_tui.core.commands import Side, Verb
from uet_tui.core.conflicts import Rung
from uet_tui.core.effects import AskAgent, LetGo, StartAttempt
from uet_tui.core.events import (
    AskReported,
    AttemptEnded,
    AttemptStarted,
    Began,
    Collected,
    Event,
    Landed,
    LandingRefused,
    Merged,
    Reverted,
    RevertFailed,
    Ticked,
    UsageReported,
    WorkerBroken,
    WorkerReady,
)
from uet_tui.core.freezing import standing_still
from uet_tui.core.machine import Step
from uet_tui.core.policy import Policy
from uet_tui.core.states import (
    ATTEMPT_OVER,
    CONFLICT_OPEN,
    RUN_OVER,
    WORKSTREAM_ACTIVE,
    WORKSTREAM_OVER,
    AttemptState,
    ProviderState,
    RunState,
    WorkerState,
    WorkstreamState,
)
from uet_tui.core.usage import Fault, Usage
from uet_tui.plan.model import Workstream
from uet_tui.plan.scopes import overlaps

SCOPES = ["src/", "src/a.py", "src/*.py", "docs/**/*.md", "docs/x.md", "tests/"]
ERRORS = ["exit 1", "exit 2: no such file /a", "exit 3: no such file /b", "quota"]
ENDINGS = [AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.TIMED_OUT, AttemptState.KILLED, AttemptState.LOST]
FEW = st.integers(0, 3)
FAULTS = st.sampled_from([None, None, None, None, *Fault])
LATER = st.sampled_from([None, None, -5.0, 3.0, 500.0])
"""Seconds from now until which a provider wants to be left alone, if it says so."""
PROVIDERS = {"shell": "one", "other": "two"}
RETURNED = (WorkstreamState.QUEUED, WorkstreamState.MERGING)
MOVING = (WorkstreamState.RUNNING, WorkstreamState.GATING, WorkstreamState.MERGED)


@st.composite
def plans(draw: st.DrawFn) -> list[Workstream]:
    """Up to nine workstreams that depend on, exclude and cost each other."""
    made: list[Workstream] = []
    for number in range(draw(st.integers(1, 9))):
        ids = [ws.id for ws in made]
        needs = draw(st.lists(st.sampled_from(ids), max_size=3, unique=True)) if ids else []
        fields = {
            "files_scope": draw(st.lists(st.sampled_from([*SCOPES, f"own/{number}.py"]), min_size=1, max_size=2)),
            "conflict_group": draw(st.sampled_from([None, None, "g", "h"])),
            "parallel_ok": draw(st.sampled_from([True, True, True, False])),
            "priority": draw(st.sampled_from(["foreground", "background"])),
            "max_cost_usd": draw(st.sampled_from([None, None, 0.0, 1.0, 3.0])),
            "metadata": draw(st.sampled_from([{}, {}, {"phase": "late"}])),
            "estimated_seconds": draw(st.sampled_from([None, 1.0, 20.0])),
            "circuit_breaker": {
                "max_attempts": draw(st.integers(1, 3)),
                "max_error_repeats": draw(st.integers(0, 2)),
                "oscillation_threshold": draw(st.integers(0, 2)),
            },
        }
        made.append(workstream(f"ws-{number}", *needs, **fields))
    return made


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any settings that the core decides by."""
    return Policy(
        schedule=draw(st.sampled_from(["eager", "waves"])),
        overlap=draw(st.sampled_from(["serialize", "serialize", "allow"])),
        retry_base_seconds=draw(st.sampled_from([0.0, 2.0])),
        reserve_usd=draw(st.sampled_from([0.0, 0.5])),
        halt_threshold=draw(st.sampled_from([1.0, 1.0, 0.95])),
        free=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"other"})])),
        downgrade=draw(st.sampled_from([{}, {"": "small"}])),
        provider_of=draw(st.sampled_from([PROVIDERS, {}])),
        concurrency=draw(st.sampled_from([{}, {"one": 1}, {"one": 2, "two": 1}])),
        batch=draw(st.integers(1, 4)),
        patience=draw(st.integers(1, 3)),
        resolve=draw(st.sampled_from(["ask", "auto", "never"])),
        resolver=draw(st.sampled_from([{}, {f"ws-{n}": "simulated" for n in range(9)}])),
        expected=draw(st.sampled_from([{}, {f"ws-{n}": 10.0 for n in range(9)}])),
    )


@st.composite
def commands(draw: st.DrawFn) -> tuple[Verb, dict[str, object]]:
    """Anything that an operator can say, sensible or not."""
    verb = draw(st.sampled_from(list(Verb)))
    fields: dict[str, object] = {}
    match verb:
        case Verb.PAUSE | Verb.CONTINUE | Verb.DRAIN:
            fields["worker"] = draw(st.sampled_from([None, None, 1, 2, 3, 9]))
            if verb is Verb.CONTINUE:
                fields["provider"] = draw(st.sampled_from([None, None, "one", "two", "three"]))
        case Verb.FREEZE | Verb.THAW:
            fields["worker"] = draw(st.sampled_from([None, 1, 1, 2, 3, 9]))
        case Verb.SCALE:
            fields["number"] = draw(st.integers(1, 5))
        case Verb.KILL | Verb.RETRY | Verb.SKIP | Verb.HOLD | Verb.RELEASE | Verb.FIRST:
            fields["workstream"] = f"ws-{draw(st.integers(0, 9))}"
        case Verb.BUDGET:
            fields["amount"] = draw(st.sampled_from([0.0, 1.0, 5.0, 50.0]))
            fields["limit"] = draw(st.sampled_from(["total", "total", "phase", "task"]))
            fields["until"] = draw(st.sampled_from([None, None, datetime.fromtimestamp(1100, UTC)]))
        case Verb.LAND:
            fields["target"] = draw(st.sampled_from([None, "release"]))
        case _:
            fields["conflict"] = f"c{draw(st.integers(1, 4))}"
    if verb in (Verb.TAKE, Verb.UNDO):
        fields["hunk"] = draw(st.sampled_from([None, 1, 2, 3]))
    if verb in (Verb.TAKE, Verb.EDIT):
        fields["file"] = draw(st.sampled_from(["src/shared.py", "src/none.py"]))
        fields["settle"] = draw(st.booleans())
    if verb is Verb.TAKE:
        fields["side"] = draw(st.sampled_from(list(Side)))
    if verb is Verb.EDIT:
        fields["content"] = "mine\n"
    return verb, fields


class Watched(Driver):
    """A driver that looks at every step, and remembers what it told."""

    told_before: list[Event]
    paid: dict[tuple[str, int], list[Usage]]
    """All reports of use that each attempt made so far; an ask stands by its conflict and its number below zero."""

    def tell(self, event: Event) -> Step:
        """Checks the money at every dispatch."""
        if currently_in_test_context():
            note(f"{self.clock:.1f} {event}")
        if not hasattr(self, "told_before"):
            self.told_before, self.paid = [], {}
        if isinstance(event, AttemptStarted | AttemptEnded | UsageReported | AskReported | Collected | Merged):
            self.told_before.append(event)
        step = super().tell(event)
        self.looks_at_the_started([effect for effect in step.effects if isinstance(effect, StartAttempt)])
        if not isinstance(event, Began):  # what is taken up was asked before
            self.looks_at_the_asked([effect for effect in step.effects if isinstance(effect, AskAgent)])
        return step

    def looks_at_the_started(self, started: list[StartAttempt]) -> None:
        """What is begun can be paid for, and its provider is open and not yet asked by as many as may."""
        board = self.machine.board
        for effect in started:
            attempt = self.attempts[effect.workstream, effect.attempt]
            provider = board.records.providers[attempt.provider]
            assert provider.state is ProviderState.OPEN
            assert provider.limit is None or board.purse.running[provider.name] <= provider.limit
            if attempt.agent not in self.policy.free:
                self.is_paid_for(effect.workstream)
                assert attempt.reserved_usd <= (effect.cap_usd if effect.cap_usd is not None else 1e9)

    def looks_at_the_asked(self, asked: list[AskAgent]) -> None:
        """Who is asked can be paid for, and its provider is open and not yet asked by as many as may."""
        board = self.machine.board
        for effect in asked:
            conflict = self.conflict(effect.conflict)
            provider = board.records.providers[conflict.ask(effect.ask).provider]
            assert conflict.asking and provider.state is ProviderState.OPEN
            assert provider.limit is None or board.purse.running[provider.name] <= provider.limit
            if effect.agent not in self.policy.free:
                self.is_paid_for(conflict.workstream)
                assert conflict.reserved_usd <= (effect.cap_usd if effect.cap_usd is not None else 1e9)

    def is_paid_for(self, id: str) -> None:
        """What is spent and set aside is within every limit, now that an agent is about to start at a workstream."""
        run, purse = self.run, self.machine.board.purse
        phase = purse.phase_of[id]
        if run.budget_usd is not None:
            assert run.spent_usd + run.reserved_usd <= run.budget_usd * self.policy.halt_threshold + 1e-6
        if run.phase_budget_usd is not None:
            assert purse.spent[phase] + purse.reserved[phase] <= run.phase_budget_usd + 1e-6
        if run.task_budget_usd is not None:
            assert self.row(id).cost_usd <= run.task_budget_usd


class AnyHistory(RuleBasedStateMachine):
    """A run in a world where anything can happen that can really happen."""

    @initialize(
        plan=plans(),
        policy=policies(),
        workers=st.integers(1, 4),
        budget=st.sampled_from([None, None, 2.0, 10.0]),
        linger=st.booleans(),
    )
    def begins(self, plan: list[Workstream], policy: Policy, workers: int, budget: float | None, linger: bool) -> None:
        """A run begins."""
        agents = {ws.id: "other" for ws in plan[1::2]}
        self.run = Watched(
            *plan, workers=workers, budget=budget, policy=policy, spawn=False, climb=False, agents=agents
        )
        self.run.begin(linger=linger)

    # The world

    @precondition(lambda self: self.run.held and self.run.spawning)
    @rule(which=FEW, sound=st.sampled_from([True, True, True, False]))
    def sandbox_is_made(self, which: int, sound: bool) -> None:
        number = self.run.spawning.pop(which % len(self.run.spawning))
        self.run.tell(WorkerReady(number) if sound else WorkerBroken(number, "disk full"))

    @precondition(lambda self: self.run.held and self.run.starting)
    @rule(which=FEW, sound=st.sampled_from([True, True, True, False]))
    def agent_starts(self, which: int, sound: bool) -> None:
        key = sorted(self.run.starting)[which % len(self.run.starting)]
        if sound:
            self.run.starts(key[0])
        else:
            del self.run.starting[key]
            self.run.tell(AttemptEnded(*key, AttemptState.FAILED, None, "could not start"))

    @precondition(lambda self: self.run.held and self.run.alive)
    @rule(
        which=FEW,
        how=st.sampled_from([AttemptState.SUCCEEDED, *ENDINGS]),
        error=st.sampled_from(ERRORS),
        usd=st.sampled_from([None, 0.0, 0.5, 2.0]),
        fault=FAULTS,
        later=LATER,
    )
    def agent_ends(
        self, which: int, how: AttemptState, error: str, usd: float | None, fault: Fault | None, later: float | None
    ) -> None:
        key = sorted(self.run.alive)[which % len(self.run.alive)]
        reports = (*self.run.paid.get(key, ()), Usage(usd=usd))
        until = None if later is None else self.run.clock + later
        well = how is AttemptState.SUCCEEDED
        fault = None if well else fault
        self.run.ends(key[0], how, "" if well else error, reports=reports, fault=fault, until=until)

    @precondition(lambda self: self.run.held and self.run.alive)
    @rule(which=FEW, usd=st.sampled_from([None, 0.25, 1.0]), told=st.booleans())
    def agent_spends(self, which: int, usd: float | None, told: bool) -> None:
        key = sorted(self.run.alive)[which % len(self.run.alive)]
        reports = self.run.paid.setdefault(key, [])
        reports.append(Usage("", 10, 1, usd=usd))
        if told:
            self.run.tell(UsageReported(*key, tuple(reports)))

    @precondition(lambda self: self.run.held and self.run.collecting)
    @rule(
        which=FEW,
        problem=st.sampled_from(["", "", "GATE_UNIT failed", "changed x, which is outside its scope"]),
        tree=st.sampled_from([None, "same"]),
        change=st.sampled_from([True, True, False]),
        stated=st.booleans(),
    )
    def work_is_collected(self, which: int, problem: str, tree: str | None, change: bool, stated: bool) -> None:
        key = sorted(self.run.collecting)[which % len(self.run.collecting)]
        self.run.collects(key[0], problem, tree=tree, change=change, stated=stated)

    @precondition(lambda self: self.run.held and self.run.unanswered)
    @rule(which=FEW, how=st.sampled_from(["clean", "clean", "conflict", "failed", "put off"]))
    def merge_ends(self, which: int, how: str) -> None:
        id = self.run.unanswered[which % len(self.run.unanswered)].workstream
        if how == "clean":
            self.run.merges(id)
        elif how == "conflict":
            self.run.conflicts(id)
        elif how == "failed":
            self.run.merge_fails(id)
        else:
            self.run.defers(id)

    @precondition(lambda self: self.run.held and self.run.climbs)
    @rule(which=FEW)
    def ladder_ends(self, which: int) -> None:
        self.run.climbs_to(self.run.climbs[which % len(self.run.climbs)])

    @precondition(lambda self: self.run.held and self.run.asked)
    @rule(verdict=st.sampled_from(["settled", "refused", "failed"]), usd=st.sampled_from([0.0, 0.5]), fault=FAULTS)
    def asked_agent_ends(
        self, verdict: Literal["settled", "refused", "failed"], usd: float, fault: Fault | None = None
    ) -> None:
        fault = fault if verdict == "failed" else None
        ask = self.run.asked[0]
        reports = (*self.run.paid.get((ask.conflict, -ask.ask), ()), Usage(usd=usd))
        self.run.answers_ask(ask.conflict, Rung("agent", verdict), reports=reports, fault=fault)

    @precondition(lambda self: self.run.held and self.run.asked)
    @rule(usd=st.sampled_from([None, 0.25, 1.0]), told=st.booleans())
    def asked_agent_spends(self, usd: float | None, told: bool) -> None:
        ask = self.run.asked[0]
        reports = self.run.paid.setdefault((ask.conflict, -ask.ask), [])
        reports.append(Usage("", 10, 1, usd=usd))
        if told:
            self.run.tell(AskReported(ask.conflict, ask.ask, tuple(reports)))

    @precondition(lambda self: self.run.held and self.run.landing)
    @rule(done=st.booleans())
    def landing_ends(self, done: bool) -> None:
        self.run.landing = None
        self.run.tell(Landed("main", self.run.run.tip) if done else LandingRefused("main has moved on"))

    @precondition(lambda self: self.run.held and self.run.reverting)
    @rule(how=st.sampled_from(["undone", "undone", "failed", "failed afterwards"]))
    def revert_ends(self, how: str) -> None:
        asked, self.run.reverting = self.run.reverting, None
        assert asked is not None
        self.run.tips += 1
        tip = f"undone-{self.run.tips}" if asked.commit else asked.tip
        if how == "undone":
            self.run.tell(Reverted(asked.commit, tip))
        else:
            self.run.tell(RevertFailed(asked.commit, "action 1 ended with 1", tip if "afterwards" in how else None))

    @rule(seconds=st.sampled_from([0.01, 0.5, 3.0, 200.0, -3600.0, 3e7]))  # a clock may be set, either way
    def time_passes(self, seconds: float) -> None:
        seconds = max(seconds, -self.run.clock)
        if self.run.held:
            self.run.passes(seconds)
        else:
            self.run.clock += seconds

    @rule(steps=st.integers(1, 12))
    def all_goes_well(self, steps: int) -> None:
        if not self.run.held:
            self.run.crash()
        for _ in range(steps):
            if self.run.held:
                self.run.goes_well()

    @precondition(lambda self: self.run.held and self.run.told_before)
    @rule(which=st.integers(0, 30))
    def something_is_told_twice(self, which: int) -> None:
        before = copy.deepcopy(self.run.machine.board.records)
        step = self.run.tell(self.run.told_before[-1 - which % len(self.run.told_before)])
        assert all(isinstance(effect, LetGo) for effect in step.effects)
        assert self.run.machine.board.records == before

    # The operator

    @rule(command=commands())
    def operator_asks(self, command: tuple[Verb, dict[str, object]]) -> None:
        verb, fields = command
        if not self.run.held:
            self.run.crash(dispatch=False)
        if self.run.ask(verb, **fields) is None:
            assert verb in (Verb.DETACH, Verb.LAND, Verb.ROLLBACK)

    @precondition(lambda self: self.run.held and self.open_conflicts())
    @rule(which=FEW, side=st.sampled_from(["ours", "theirs"]))
    def operator_settles(self, which: int, side: str) -> None:
        open_ = self.open_conflicts()
        self.run.ask(Verb.TAKE, conflict=open_[which % len(open_)], side=side, settle=True)

    # Crashes, and leaving

    @rule(
        fates=st.lists(st.sampled_from(["lives", "lost", *ENDINGS]), min_size=9, max_size=9),
        begun=st.lists(st.booleans(), min_size=9, max_size=9),
        linger=st.booleans(),
        dispatch=st.sampled_from([True, True, False]),
        quietly=st.booleans(),
    )
    def somebody_else_takes_the_run(
        self, fates: list[str], begun: list[bool], linger: bool, dispatch: bool, quietly: bool
    ) -> None:
        if quietly:
            self.effects_end_quietly()
        fate = {f"ws-{n}": fate for n, fate in enumerate(fates)}
        self.run.crash(
            dispatch=dispatch,
            linger=linger and dispatch,
            lost=[id for id, what in fate.items() if what == "lost"],
            ended={id: what for id, what in fate.items() if isinstance(what, AttemptState)},
            began=[f"ws-{n}" for n, carried_out in enumerate(begun) if carried_out],
        )

    def effects_end_quietly(self) -> None:
        """An orchestrator that lets go waits for effects under way, and begins nothing new."""
        told: list[Event] = [Collected(*key, "commit", "tree") for key in self.run.collecting]
        told += [Merged(entry.workstream, "quiet-tip") for entry in self.run.unanswered]
        if self.run.landing is not None:
            told.append(LandingRefused("the orchestrator lets go"))
        if not self.run.held:
            for event in told:
                assert not any(isinstance(effect, StartAttempt) for effect in self.run.step(event).effects)

    # What must hold

    @invariant()
    def everything_holds(self) -> None:
        self.indexes_say_what_the_records_say()
        self.what_changed_was_stored()
        self.nothing_runs_before_what_it_depends_on()
        self.what_excludes_each_other_does_not_meet()
        self.no_more_work_than_allowed()
        self.only_agents_at_work_are_frozen()
        self.money_adds_up()
        self.whatever_does_not_move_says_why()
        self.a_run_that_is_over_has_nothing_left()
        self.a_run_that_waits_waits_for_something()

    def open_conflicts(self) -> list[str]:
        board = self.run.machine.board
        return [
            c.id
            for c in board.records.conflicts.values()
            if c.state in CONFLICT_OPEN and self.run.state(c.workstream) is WorkstreamState.CONFLICTED
        ]

    def indexes_say_what_the_records_say(self) -> None:
        board = self.run.machine.board
        fresh = Board(self.run.plan, self.run.policy, copy.deepcopy(board.records))
        assert (board.active, board.unmet) == (fresh.active, fresh.unmet)
        assert (board.over, board.left) == (fresh.over, fresh.left)
        assert (board.merging, board.alone) == (fresh.merging, fresh.alone)
        assert list(board.queue.next_ones(99)) == list(fresh.queue.next_ones(99))
        assert board.queue.held == fresh.queue.held
        assert {g: ids for g, ids in board.groups.items() if ids} == {g: ids for g, ids in fresh.groups.items() if ids}
        for sums, again in ((board.purse.spent, fresh.purse.spent), (board.purse.reserved, fresh.purse.reserved)):
            assert all(abs(sums[phase] - again[phase]) < 1e-6 for phase in {*sums, *again})
        assert +board.purse.running == +fresh.purse.running
        for ws in self.run.plan.workstreams.values():
            assert board.ledger.holder(ws.write_scope) == fresh.ledger.holder(ws.write_scope)
        parked = set(itertools.chain.from_iterable(board.parked.values()))
        timed = {id for at, id in board.timers if board.workstream(id).retry_at == at}
        for id in fresh.ready_ids:
            assert id in board.ready_ids or id in parked, f"{id} is forgotten"
        for id in {id for _, id in fresh.timers}:
            assert id in timed or id in board.ready_ids or board.workstream(id).retry_at is None

    def what_changed_was_stored(self) -> None:
        assert self.run.stored == self.run.machine.board.records

    def nothing_runs_before_what_it_depends_on(self) -> None:
        for id, ws in self.run.plan.workstreams.items():
            if self.run.state(id) in (*WORKSTREAM_ACTIVE, WorkstreamState.CONFLICTED, WorkstreamState.MERGED):
                assert all(self.run.state(other) is WorkstreamState.MERGED for other in ws.depends_on)

    def what_excludes_each_other_does_not_meet(self) -> None:
        had_conflicts = {(c.workstream, c.attempt) for c in self.run.machine.board.records.conflicts.values()}

        def holds(id: str) -> bool:
            row = self.run.row(id)
            back_from_a_conflict = row.state in RETURNED and (id, row.attempts) in had_conflicts
            return row.state in WORKSTREAM_ACTIVE and not back_from_a_conflict

        active = [ws for ws in self.run.plan.workstreams.values() if holds(ws.id)]
        for a, b in itertools.combinations(active, 2):
            assert a.parallel_ok and b.parallel_ok
            assert a.conflict_group is None or a.conflict_group != b.conflict_group
            if self.run.policy.overlap == "serialize":
                assert not any(overlaps(x, y) for x in a.write_scope for y in b.write_scope)

    def no_more_work_than_allowed(self) -> None:
        records = self.run.machine.board.records
        live = [w for w in records.workers.values() if w.state not in (WorkerState.TERMINATED, WorkerState.DRAINING)]
        assert len(live) <= max(records.run.parallelism, 0)
        for worker in records.workers.values():
            if worker.state in (WorkerState.BUSY, WorkerState.DRAINING):
                assert worker.workstream is not None
            elif worker.state is not WorkerState.PAUSED:
                assert worker.workstream is None
        at_work = (WorkstreamState.RUNNING, WorkstreamState.GATING)
        for id, row in records.workstreams.items():
            if row.state in at_work:
                assert row.worker is not None and records.workers[row.worker].workstream == id
            else:
                assert row.worker is None
        merging = [row for row in records.workstreams.values() if row.state is WorkstreamState.MERGING]
        assert len(merging) <= self.run.policy.batch
        assert len({row.merge_onto for row in merging}) <= 1, "a batch has one tip"

    def only_agents_at_work_are_frozen(self) -> None:
        frozen = {key for key, attempt in self.run.attempts.items() if attempt.frozen_at is not None}
        assert all(self.run.attempts[key].state not in ATTEMPT_OVER for key in frozen)
        assert all(self.run.reason(id).startswith("frozen by ann") for id, _ in frozen)
        assert {key for key in self.run.still if self.run.attempts[key].state not in ATTEMPT_OVER} == frozen
        waits_for = standing_still(self.run.machine.board.records)
        assert all(worker.workstream in {id for id, _ in frozen} for worker in waits_for)

    def money_adds_up(self) -> None:
        run, attempts, records = self.run.run, self.run.attempts.values(), self.run.machine.board.records
        reserved = sum(a.reserved_usd for a in attempts if a.state not in ATTEMPT_OVER)
        reserved += sum(c.reserved_usd for c in records.conflicts.values())
        assert abs(run.reserved_usd - reserved) < 1e-6
        assert abs(run.spent_usd - sum(row.cost_usd for row in records.workstreams.values())) < 1e-6
        assert run.spent_usd - sum(a.cost_usd for a in attempts) > -1e-6
        assert abs(run.spent_usd - sum(cost.usd for cost in self.run.costs)) < 1e-6
        keys = Counter((c.workstream, c.attempt, c.conflict, c.ask, c.number) for c in self.run.costs)
        assert all(count == 1 for count in keys.values()), "each report is counted once"

    def whatever_does_not_move_says_why(self) -> None:
        rows = self.run.machine.board.records.workstreams
        for id, row in rows.items():
            assert row.reason or row.state in MOVING, f"{id} is {row.state} and does not say why"
            if row.held and row.state in (WorkstreamState.PENDING, WorkstreamState.QUEUED):
                assert row.reason == HELD or row.retry_at is not None
            elif row.state is WorkstreamState.PENDING and " held by " in row.reason:
                assert rows[row.reason.rpartition(" ")[2]].state in WORKSTREAM_ACTIVE
            if row.state is WorkstreamState.PENDING and row.reason.startswith("waits for ws-"):
                assert rows[row.reason.split()[2].rstrip(",")].state is not WorkstreamState.MERGED

    def a_run_that_is_over_has_nothing_left(self) -> None:
        rows = self.run.machine.board.records.workstreams.values()
        if self.run.run.state in RUN_OVER:
            assert all(row.state in WORKSTREAM_OVER for row in rows)
            assert self.run.workers == {}
        if self.run.run.state is RunState.COMPLETED:
            assert all(row.state is WorkstreamState.MERGED for row in rows)

    def a_run_that_waits_waits_for_something(self) -> None:
        run, board = self.run, self.run.machine.board
        under_way = run.spawning or run.starting or run.alive or run.collecting or run.merging or run.landing
        under_way = under_way or run.climbs or run.asked or run.reverting
        if not run.held or under_way or not board.dispatching or run.run.state is not RunState.RUNNING:
            return
        stopped = all(state == "PAUSED" for state in run.workers.values())
        held = any(row.held for row in board.records.workstreams.values())
        turned_away = any(row.state is ProviderState.STOPPED for row in board.records.providers.values())
        waits_for_the_operator = run.lingering and (self.open_conflicts() or held or turned_away)
        assert run.machine.next_wakeup() is not None or stopped or waits_for_the_operator

    # Every run can be brought to its end

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        self.told_again_it_is_the_same()
        for _ in range(200):
            if self.run.run.state is RunState.COMPLETED:
                return
            self.one_step_towards_the_end()
        raise AssertionError(f"no end in sight: {self.run.run.state} {self.run.run.reason} {self.run.states}")

    def told_again_it_is_the_same(self) -> None:
        assert self.run.replayed() == self.run.log

    def one_step_towards_the_end(self) -> None:
        run = self.run
        if not run.held or not run.machine.board.dispatching:
            run.crash(linger=True)
        if run.run.state in (RunState.PAUSED, RunState.DRAINING):
            run.does(Verb.CONTINUE)
        for limit in ("total", "phase", "task"):
            run.ask(Verb.BUDGET, amount=1e6, limit=limit)
        for provider in run.machine.board.records.providers.values():
            if provider.state is not ProviderState.OPEN:
                run.does(Verb.CONTINUE, provider=provider.name)
        run.ask(Verb.SCALE, number=3)
        for number, state in run.workers.items():
            if state == "PAUSED":
                run.does(Verb.CONTINUE, worker=number)
        if run.run.state is RunState.CANCELLED:
            run.ask(Verb.ROLLBACK)
        while run.reverting is not None:
            self.revert_ends("undone")
        if run.landing is not None:
            self.landing_ends(True)
        while run.climbs:
            run.climbs_to(run.climbs[0])
        while run.asked:
            self.asked_agent_ends("failed", 0.0)
        for id in self.open_conflicts():
            if all(file.choice == "edited" for file in run.machine.board.records.conflicts[id].files):
                run.does(Verb.APPROVE, conflict=id)
            else:
                run.does(Verb.TAKE, conflict=id, side="theirs", settle=True)
        for id in run.plan.workstreams:
            if run.row(id).held:
                run.does(Verb.RELEASE, workstream=id)
            if run.row(id).state in WORKSTREAM_OVER - {WorkstreamState.MERGED}:
                run.ask(Verb.RETRY, workstream=id)
        if not run.goes_well():
            wakeup = run.machine.next_wakeup()
            run.clock = max(run.clock, wakeup if wakeup is not None else run.clock)
            run.tell(Ticked())


AnyHistory.TestCase.settings = settings(
    stateful_step_count=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TestAnyHistory = pytest.mark.fuzz(pytest.mark.timeout(few(600))(AnyHistory.TestCase))
"""Ten thousand histories may take as many seconds: the mark goes before `--timeout`."""
