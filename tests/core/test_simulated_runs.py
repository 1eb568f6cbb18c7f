"""Seeded runs in a simulated world: each act takes its time, some fail, are lost, told twice, or cut off by a crash.

Where `test_any_history` lets anything happen at any moment, here everything happens when it is due, in plans of the
size that operators have. `make chaos` tries ten thousand. A failure names its seed.
"""

import random
from collections.abc import Callable, Iterator

import pytest

from tests.core.driver import workstream
from tests.core.test_any_history import AnyHistory, Watched
from uet_tui.core.conflicts import Rung
from uet_tui.core.events import AttemptEnded, Ticked, WorkerBroken, WorkerReady
from uet_tui.core.policy import Policy
from uet_tui.core.states import AttemptState, RunState, WorkstreamState
from uet_tui.core.usage import Usage
from uet_tui.plan.model import Workstream

SEEDS, PART = 40, 20
MANY, MANY_PART = 10_000, 500
_MOST = 5000
"""Steps in which any of these runs comes to rest."""
_EVERY = 20
"""Steps after which all is looked at; the money is, at each."""
_TOWARDS = 600
"""Acts of an operator that bring any run to its end."""

_Act = tuple[tuple[object, ...], Callable[[], None]]
"""Something under way: what it is, and how it ends."""


class World(AnyHistory):
    """A run whose acts end when they are due."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.due: dict[tuple[object, ...], float] = {}
        policy = Policy(
            schedule=self.chance.choice(["eager", "waves"]),
            overlap=self.chance.choice(["serialize", "allow"]),
            retry_base_seconds=2.0,
            reserve_usd=0.5,
            batch=self.chance.randint(1, 6),
            resolve=self.chance.choice(["ask", "auto", "never"]),
            resolver=self.chance.choice([{}, {f"ws-{n:02}": "simulated" for n in range(60)}]),
        )
        budget = self.chance.choice([None, None, 20.0])
        self.run = Watched(
            *self.plan(), workers=self.chance.randint(1, 8), budget=budget, policy=policy, spawn=False, climb=False
        )
        self.run.begin()

    def plan(self) -> list[Workstream]:
        """Ten to sixty workstreams in layers."""
        made: list[Workstream] = []
        for number in range(self.chance.randint(10, 60)):
            ids = [ws.id for ws in made[-15:]]
            needs = self.chance.sample(ids, min(len(ids), self.chance.choice([0, 0, 1, 2])))
            scope = self.chance.choice([f"own/{number}.py", f"shared/{number % 5}.py"])
            breaker = {"max_attempts": self.chance.randint(1, 4), "max_error_repeats": 9}
            made.append(workstream(f"ws-{number:02}", *needs, files_scope=[scope], circuit_breaker=breaker))
        return made

    def acts(self) -> Iterator[_Act]:
        """All that is under way."""
        run = self.run
        for number in run.spawning:
            yield ("spawn", number), lambda number=number: self.is_made(number)
        for key in run.starting:
            yield ("start", *key), lambda key=key: self.starts(key)
        for key in sorted(run.alive):
            yield ("work", *key), lambda key=key: self.ends(key)
        for key in run.collecting:
            yield ("collect", *key), lambda key=key: self.collects(key[0])
        for entry in run.unanswered:
            yield ("merge", entry.workstream, entry.attempt), lambda id=entry.workstream: self.merges(id)
        for conflict in run.climbs:
            yield ("climb", conflict), lambda conflict=conflict: run.climbs_to(conflict)
        for ask in run.asked:
            yield ("ask", ask.conflict, ask.ask), lambda ask=ask: self.answers(ask.conflict)
        if (wakeup := run.machine.next_wakeup()) is not None:
            self.due["tick",] = wakeup
            yield ("tick",), lambda: run.tell(Ticked()) and None

    def step(self) -> bool:
        """What is due next happens; False where nothing is under way."""
        acts = dict(self.acts())
        for key in acts:
            self.due.setdefault(key, self.run.clock + self.chance.expovariate(0.1))
        if not acts or not self.run.held:
            return False
        key = min(acts, key=lambda key: (self.due[key], str(key)))
        self.run.clock = max(self.run.clock, self.due.pop(key))
        acts[key]()
        if self.run.told_before and self.chance.random() < 0.05:
            self.is_told_twice()
        if self.chance.random() < 0.01:
            self.crashes()
        return True

    def is_made(self, number: int) -> None:
        """A sandbox is made, or cannot be."""
        self.run.spawning.remove(number)
        sound = self.chance.random() < 0.97
        self.run.tell(WorkerReady(number) if sound else WorkerBroken(number, "disk full"))

    def starts(self, key: tuple[str, int]) -> None:
        """An agent starts, or cannot be started."""
        if self.chance.random() < 0.97:
            return self.run.starts(key[0])
        del self.run.starting[key]
        self.run.tell(AttemptEnded(*key, AttemptState.FAILED, None, "could not start"))
        return None

    def ends(self, key: tuple[str, int]) -> None:
        """An agent is gone, most often with its work done."""
        how = self.chance.choices([AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.LOST], [8, 2, 1])[0]
        error = "" if how is AttemptState.SUCCEEDED else f"exit {self.chance.randint(1, 9)}"
        self.run.ends(key[0], how, error, reports=(Usage(usd=self.chance.expovariate(4.0)),))

    def collects(self, id: str) -> None:
        """What it left is collected; a gate may be red."""
        self.run.collects(id, self.chance.choice(["", "", "", "", "GATE_UNIT failed"]))

    def merges(self, id: str) -> None:
        """A merge comes back."""
        how = self.chance.choices(["clean", "conflict", "failed", "put off"], [12, 2, 1, 1])[0]
        merged = {"clean": self.run.merges, "conflict": self.run.conflicts, "failed": self.run.merge_fails}
        merged.get(how, self.run.defers)(id)

    def answers(self, conflict: str) -> None:
        """Who was asked about a conflict is gone."""
        verdict = self.chance.choice(["settled", "refused", "failed"])
        self.run.answers_ask(conflict, Rung("agent", verdict), reports=(Usage(usd=0.1),))

    def is_told_twice(self) -> None:
        """What comes again changes nothing."""
        self.something_is_told_twice(self.chance.randrange(30))

    def crashes(self) -> None:
        """The orchestrator dies; agents live on, end meanwhile, or are gone without a word."""
        fates = [None, None, "lost", AttemptState.SUCCEEDED, AttemptState.FAILED]
        fate = {id: self.chance.choice(fates) for id in sorted(self.run.plan.workstreams)}
        self.run.crash(
            lost=[id for id, what in fate.items() if what == "lost"],
            ended={id: what for id, what in fate.items() if isinstance(what, AttemptState)},
            began=[id for id in fate if self.chance.random() < 0.5],
        )

    def lives(self) -> None:
        """Until it comes to rest."""
        for number in range(_MOST):
            if not self.step():
                return
            if number % _EVERY == 0:
                self.everything_holds()
        raise AssertionError(f"it does not come to rest: {self.run.run.state} {self.run.states}")

    def comes_to_its_end(self) -> None:
        """An operator settles what waits for them, as long as that takes."""
        for _ in range(_TOWARDS):
            if self.run.run.state is RunState.COMPLETED:
                return
            self.one_step_towards_the_end()
        raise AssertionError(f"no end in sight: {self.run.run.state} {self.run.run.reason} {self.run.states}")


def lives_and_ends(seed: int) -> None:
    """One run: it comes to rest, and then to its end; each workstream is merged once."""
    world = World(seed)
    world.lives()
    world.everything_holds()
    world.comes_to_its_end()
    world.everything_holds()
    world.told_again_it_is_the_same()
    told = [event.workstream or "" for event in world.run.log if event.type == "workstream_merged"]
    assert sorted(told) == sorted(world.run.plan.workstreams)
    assert {row.state for row in world.run.machine.board.records.workstreams.values()} == {WorkstreamState.MERGED}


def all_of(seeds: range) -> None:
    """Runs of these seeds; the one that fails is named."""
    for seed in seeds:
        try:
            lives_and_ends(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_a_simulated_run_comes_to_its_end(first: int) -> None:
    all_of(range(first, first + PART))


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", range(SEEDS, MANY, MANY_PART))
def test_ten_thousand_simulated_runs_come_to_their_ends(first: int) -> None:
    all_of(range(first, min(first + MANY_PART, MANY)))
