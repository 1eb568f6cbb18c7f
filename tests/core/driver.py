"""A run without a world: a machine, a clock that stands still, and agents that do what the story says."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from tests.plan.samples import workstream
from uet_tui.core.beginning import first_records
from uet_tui.core.changes import CostEntry, NewEvent
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.core.conflicts import ConflictFile, Entry, Hunk, Rung
from uet_tui.core.effects import (
    AskAgent,
    Climb,
    Collect,
    Effect,
    EndAsk,
    HoldStill,
    KillAttempt,
    Land,
    LayOut,
    LetGo,
    Merge,
    QueueEntry,
    Reply,
    Revert,
    SpawnWorker,
    StartAttempt,
)
from uet_tui.core.events import (
    AgentAnswered,
    Asked,
    AskReported,
    AttemptEnded,
    AttemptStarted,
    Began,
    Climbed,
    Collected,
    Event,
    MergeConflicted,
    Merged,
    MergeDeferred,
    MergeFailed,
    Noted,
    Ticked,
    UsageReported,
    WorkerReady,
)
from uet_tui.core.machine import Machine, Step
from uet_tui.core.policy import Policy
from uet_tui.core.records import AttemptRecord, ConflictRecord, GateEntry, RunRecord, WorkerRecord, WorkstreamRecord
from uet_tui.core.states import ATTEMPT_OVER, AttemptState, RunState, WorkerState, WorkstreamState
from uet_tui.core.usage import Fault, Usage
from uet_tui.plan.graph import build_plan
from uet_tui.plan.model import Workstream

__all__ = ["Driver", "workstream"]

Try = tuple[str, int]
"""An attempt: its workstream and its number."""


def conflicted_file(path: str = "src/shared.py") -> ConflictFile:
    """A file with two places that both sides changed."""
    entry = Entry("100644", "0" * 40)
    hunks = tuple(Hunk(n, n * 10, (), ("ours",), ("base",), ("theirs",), ()) for n in (1, 2))
    return ConflictFile(path, "content", entry, entry, entry, entry, hunks)


class Driver:
    """Steps a machine through a story and keeps what it asked the world for until the story answers."""

    def __init__(
        self,
        *workstreams: Workstream,
        workers: int = 2,
        budget: float | None = None,
        policy: Policy | None = None,
        spawn: bool = True,
        climb: bool = True,
        agents: Mapping[str, str] | None = None,
        models: Mapping[str, str] | None = None,
    ) -> None:
        """`spawn=False`: sandboxes are ready only when the story says so; `climb=False`: the ladder ends then, too."""
        self.plan = build_plan(workstreams)
        self.policy = policy or Policy()
        run = RunRecord("run", "sample", self.policy.schedule, workers, "base", "base", "main", 0.0, budget_usd=budget)
        self.clock = 1000.0
        self.spawn, self.climb = spawn, climb
        self.log: list[NewEvent] = []
        self.costs: list[CostEntry] = []
        """All reports of use that were put on record."""
        self.inputs: list[tuple[Event | None, float]] = []
        """What the machine was told and when; None where a new one took over."""
        of = dict.fromkeys(self.plan.workstreams, "shell") | dict(agents or {})
        self.machine = Machine(self.plan, self.policy, first_records(run, self.plan, of, dict(models or {})))
        self._first = copy.deepcopy(self.machine.board.records)
        self.stored = copy.deepcopy(self.machine.board.records)
        """What a store would hold: all that the machine said it changed."""
        self.spawning: list[int] = []
        self.starting: dict[Try, StartAttempt] = {}
        """Starts that were asked for and not carried out."""
        self.alive: set[Try] = set()
        """Attempts whose agent runs."""
        self.ended: set[Try] = set()
        self.kills: list[Try] = []
        self.still: set[Try] = set()
        """Attempts whose agents stand still."""
        self.collecting: dict[Try, Collect] = {}
        self.merging: Merge | None = None
        self.unanswered: list[QueueEntry] = []
        """The entries of the batch under way that have not come back."""
        self.landing: Land | None = None
        self.reverting: Revert | None = None
        self.climbs: list[str] = []
        """Conflicts on which the ladder is being tried."""
        self.asked: list[AskAgent] = []
        """Agents that are at conflicts."""
        self.ended_asks: list[EndAsk] = []
        self.laid_out: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.let_go: list[str] = []
        self.held = False
        """Whether an orchestrator has the run."""
        self.lingering = False
        self.ever_started: set[Try] = set()
        self.tips = 0

    # Steps

    def tell(self, event: Event) -> Step:
        """Takes an event, notes what the machine wants done, and makes sandboxes at once."""
        step = self.step(event)
        for effect in step.effects:
            self._ask_world(effect)
        while self.spawn and self.spawning:
            self.tell(WorkerReady(self.spawning.pop(0)))
        while self.climb and self.climbs:
            self.climbs_to(self.climbs[0])
        return step

    def step(self, event: Event) -> Step:
        """Takes an event and stores what it changed; nothing that the machine wants is done."""
        self.inputs.append((event, self.clock))
        step = self.machine.step(event, self.clock)
        self.log += step.changes.events
        self.costs += step.changes.costs
        changes = copy.deepcopy(step.changes)
        self.stored.run = changes.run or self.stored.run
        self.stored.workstreams.update(changes.workstreams)
        self.stored.attempts.update(changes.attempts)
        self.stored.workers.update(changes.workers)
        self.stored.conflicts.update(changes.conflicts)
        self.stored.providers.update(changes.providers)
        return step

    def _ask_world(self, effect: Effect) -> None:
        match effect:
            case SpawnWorker(number):
                assert number not in self.spawning, f"the sandbox of worker {number} is being made already"
                self.spawning.append(number)
            case StartAttempt(id, attempt):
                assert (id, attempt) not in self.ever_started, f"{id} attempt {attempt} was started before"
                self.ever_started.add((id, attempt))
                self.starting[id, attempt] = effect
            case KillAttempt(id, attempt):
                self.kills.append((id, attempt))
                self.still.discard((id, attempt))
            case HoldStill(id, attempt):
                frozen = self.attempts[id, attempt].frozen_at is not None
                (self.still.add if frozen else self.still.discard)((id, attempt))
            case Collect(id, attempt):
                assert (id, attempt) not in self.collecting, f"{id} attempt {attempt} is being collected already"
                self.collecting[id, attempt] = effect
            case Merge():
                assert self.merging is None, "one merge at a time"
                self.merging, self.unanswered = effect, list(effect.entries)
            case EndAsk():
                self.ended_asks.append(effect)
            case LayOut(conflict):
                self.laid_out.append(conflict)
            case Climb(conflict):
                assert conflict not in self.climbs, f"{conflict} is up the ladder already"
                self.climbs.append(conflict)
            case AskAgent():
                assert not self.asked, f"one agent at a time: {self.asked}"
                self.asked.append(effect)
            case Revert():
                self.reverting = effect
            case Land():
                assert self.landing is None, "one landing at a time"
                self.landing = effect
            case Reply(answer):
                self.answers[answer.id] = answer
            case LetGo(why):
                self.let_go.append(why)
                self.held = self.held and self.lingering and why != "left"

    def begin(self, *, dispatch: bool = True, linger: bool = False) -> "Driver":
        """An orchestrator takes the run."""
        self.held, self.lingering = True, linger
        self.tell(Began(dispatch, linger))
        return self

    def passes(self, seconds: float) -> None:
        """Time passes."""
        self.clock += seconds
        self.tell(Ticked())

    # What agents do

    def starts(self, id: str) -> None:
        """The agent of the newest attempt runs now."""
        key = self._newest(id)
        del self.starting[key]
        self.alive.add(key)
        self.tell(AttemptStarted(*key))

    def ends(
        self,
        id: str,
        outcome: AttemptState = AttemptState.SUCCEEDED,
        error: str = "",
        *,
        usd: float = 0.0,
        reports: tuple[Usage, ...] = (),
        fault: Fault | None = None,
        until: float | None = None,
        code: int = 1,
    ) -> None:
        """The agent of the newest attempt is gone; `code` is its exit code where it did not succeed."""
        key = self._newest(id)
        if key in self.starting:
            self.starts(id)
        self.alive.remove(key)
        self.ended.add(key)
        code = 0 if outcome is AttemptState.SUCCEEDED else code
        told = reports or ((Usage(usd=usd),) if usd else ())
        self.tell(AttemptEnded(*key, outcome, code, error, told, fault=fault, until=until))

    def uses(self, id: str, *usd: float | None) -> None:
        """The agent of the newest attempt has told what it used so far: all its reports from the first."""
        key = self._newest(id)
        if key in self.starting:
            self.starts(id)
        self.tell(UsageReported(*key, tuple(Usage(usd=one) for one in usd)))

    def is_turned_away(self, id: str, fault: Fault, until: float | None = None, error: str = "") -> None:
        """The newest attempt fails by its provider's doing, and what it left is collected."""
        self.ends(id, AttemptState.FAILED, error or fault.value, fault=fault, until=until)
        self.collects(id, change=False)

    def collects(
        self, id: str, problem: str = "", *, tree: str | None = None, change: bool = True, stated: bool = False
    ) -> None:
        """What the newest attempt left is a commit, or nothing."""
        key = self._newest(id)
        del self.collecting[key]
        commit = f"commit-{id}-{key[1]}" if change else None
        name = tree if tree is not None else f"tree-{id}-{key[1]}"
        self.tell(Collected(*key, commit, name, problem, no_change_stated=stated))

    def merges(self, id: str, gates: tuple[GateEntry, ...] = ()) -> None:
        """An entry of the batch under way is merged."""
        self._answered(id)
        self.tips += 1
        self.tell(Merged(id, f"tip-{self.tips}", gates))

    def conflicts(self, id: str, *files: str, against: Iterable[str] = ()) -> str:
        """Git cannot merge an entry of the batch under way alone; gives the conflict's id."""
        entry, tip = self._answered(id)
        told = tuple(conflicted_file(file) for file in files or ("src/shared.py",))
        self.tell(MergeConflicted(id, tip, entry.commit, told, tuple(against)))
        found = self.row(id).conflict
        assert found is not None
        return found

    def climbs_to(
        self,
        id: str,
        *tried: Rung,
        files: tuple[ConflictFile, ...] = (),
        problem: str = "",
        gates: tuple[GateEntry, ...] = (),
    ) -> None:
        """The rungs that need no agent were tried on a conflict."""
        self.climbs.remove(id)
        self.tell(Climbed(id, files or self.conflict(id).files, tried, gates, problem))

    def answers_ask(
        self,
        id: str,
        rung: Rung,
        *,
        files: tuple[ConflictFile, ...] = (),
        problem: str = "",
        usd: float = 0.0,
        reports: tuple[Usage, ...] = (),
        gates: tuple[GateEntry, ...] = (),
        fault: Fault | None = None,
        until: float | None = None,
    ) -> None:
        """The agent that was asked about a conflict is gone."""
        (ask,) = [asked for asked in self.asked if asked.conflict == id]
        self.asked.remove(ask)
        told = reports or ((Usage(usd=usd),) if usd else ())
        found = files or self.conflict(id).files
        self.tell(AgentAnswered(id, ask.ask, found, rung, gates, problem, told, fault, until))

    def ask_uses(self, id: str, *usd: float | None) -> None:
        """The agent at a conflict has told what it used so far: all its reports from the first."""
        self.tell(AskReported(id, self.conflict(id).asks, tuple(Usage(usd=one) for one in usd)))

    def merge_fails(
        self, id: str, problem: str = "as merged: GATE_UNIT failed", gates: tuple[GateEntry, ...] = ()
    ) -> None:
        """The merged tree does not pass."""
        self._answered(id)
        self.tell(MergeFailed(id, problem, gates))

    def defers(self, id: str, reason: str = "conflicts with another of its batch") -> None:
        """An entry of the batch under way goes back into the queue."""
        self._answered(id)
        self.tell(MergeDeferred(id, reason))

    def _answered(self, id: str) -> tuple[QueueEntry, str]:
        merge = self.merging
        entry = next((entry for entry in self.unanswered if entry.workstream == id), None)
        assert merge is not None and entry is not None, f"{id} is not being merged, but {self.unanswered}"
        self.unanswered.remove(entry)
        if not self.unanswered:
            self.merging = None
        return entry, merge.tip

    def comes_to_merge(self, *ids: str) -> None:
        """Workstreams go up to the merge queue."""
        for id in ids:
            self.ends(id)
            self.collects(id)

    def finishes(self, *ids: str) -> None:
        """Workstreams go through without trouble."""
        for id in ids:
            self.comes_to_merge(id)
            self.merges(id)

    def fails_by(self, id: str, fault: Fault, error: str = "") -> None:
        """The newest attempt fails for another reason than its work, and what it left is collected."""
        self.ends(id, AttemptState.FAILED, error or fault.value, fault=fault)
        self.collects(id)

    def fails(self, id: str, error: str = "exit 1", *, usd: float = 0.0) -> None:
        """The newest attempt fails, and what it left is collected."""
        self.ends(id, AttemptState.FAILED, error, usd=usd)
        self.collects(id)

    def fails_for_good(self, id: str) -> None:
        """The workstream is FAILED: a timeout is not tried again."""
        self.ends(id, AttemptState.TIMED_OUT, "did not end within its time limit")
        self.collects(id)

    # What the operator does

    def ask(self, verb: Verb, **fields: object) -> Answer | None:
        """The operator asks; gives the answer, if there is one yet."""
        id = f"command-{len(self.answers) + 1}-{len(self.log)}"
        edited = Entry("100644", "e" * 40) if verb is Verb.EDIT else None
        told = {"id": id, "verb": verb, "by": "ann", "source": "cli:1", "at": datetime.fromtimestamp(0, UTC), **fields}
        self.tell(Asked(Command.model_validate(told), edited))
        return self.answers.get(id)

    def does(self, verb: Verb, **fields: object) -> str:
        """The operator asks for what can be done; gives what is answered."""
        answer = self.ask(verb, **fields)
        assert answer is not None and answer.ok, answer
        return answer.message

    def is_refused(self, verb: Verb, **fields: object) -> str:
        """The operator asks for what cannot be done; gives the reason."""
        answer = self.ask(verb, **fields)
        assert answer is not None and not answer.ok, answer
        return answer.message

    # Crashes

    def crash(
        self,
        *,
        dispatch: bool = True,
        linger: bool = False,
        lost: Iterable[str] = (),
        ended: Mapping[str, AttemptState] | None = None,
        began: Iterable[str] = (),
    ) -> None:
        """The orchestrator dies, and another one takes the run up from what was committed.

        Args:
            dispatch: as in `Began`.
            linger: as in `Began`.
            lost: workstreams whose agents are gone without a word, besides those that were never started.
            ended: workstreams whose agents ended while nobody watched, and how.
            began: workstreams whose agents were started, but nobody heard of it any more.
        """
        self.inputs.append((None, self.clock))
        self.machine = Machine(self.plan, self.policy, copy.deepcopy(self.stored))
        self.alive |= {key for key in self.starting if key[0] in set(began)}
        self.spawning, self.starting, self.collecting = [], {}, {}
        self.climbs, self.asked, self.reverting = [], [], None
        self.merging, self.unanswered, self.landing = None, [], None
        for event in list(self._recovered(set(lost), ended or {})):
            self.tell(event)
        self.begin(dispatch=dispatch, linger=linger)

    def _recovered(self, lost: set[str], ended: Mapping[str, AttemptState]) -> Iterator[Event]:
        for key, attempt in self.attempts.items():
            if attempt.state in ATTEMPT_OVER:
                continue
            if key in self.alive and key[0] in ended:
                self.alive.remove(key)
                yield AttemptEnded(*key, ended[key[0]])
            elif key in self.alive and key[0] not in lost:
                yield AttemptStarted(*key)
                yield Noted("attempt_adopted", f"{key[0]} was adopted")
            else:
                self.alive.discard(key)
                yield AttemptEnded(*key, AttemptState.LOST, None, "its processes are gone")

    def replayed(self) -> list[NewEvent]:
        """What another machine tells of the same story."""
        machine = Machine(self.plan, self.policy, copy.deepcopy(self._first))
        log: list[NewEvent] = []
        for event, now in self.inputs:
            if event is None:
                machine = Machine(self.plan, self.policy, copy.deepcopy(machine.board.records))
            else:
                log += machine.step(event, now).changes.events
        return log

    # What there is to see

    @property
    def run(self) -> RunRecord:
        """The run's record."""
        return self.machine.board.records.run

    @property
    def attempts(self) -> dict[Try, AttemptRecord]:
        """The records of the attempts."""
        return self.machine.board.records.attempts

    def row(self, id: str) -> WorkstreamRecord:
        """The record of a workstream."""
        return self.machine.board.records.workstreams[id]

    def state(self, id: str) -> WorkstreamState:
        """Where a workstream is."""
        return self.row(id).state

    def reason(self, id: str) -> str:
        """Why a workstream is where it is."""
        return self.row(id).reason

    def worker(self, number: int) -> WorkerRecord:
        """The record of a worker."""
        return self.machine.board.records.workers[number]

    def conflict(self, id: str) -> ConflictRecord:
        """The record of a conflict."""
        return self.machine.board.records.conflicts[id]

    @property
    def running(self) -> list[str]:
        """The workstreams whose attempts run or are about to, in the order they were started."""
        return [id for (id, number), a in self.attempts.items() if a.state not in ATTEMPT_OVER]

    @property
    def states(self) -> dict[str, str]:
        """Where each workstream is, as words."""
        return {id: row.state.value for id, row in self.machine.board.records.workstreams.items()}

    @property
    def workers(self) -> dict[int, str]:
        """Where each worker is that is not gone, as words."""
        rows = sorted(self.machine.board.records.workers.items())
        return {number: row.state.value for number, row in rows if row.state is not WorkerState.TERMINATED}

    def told(self, type: str) -> list[str]:
        """The texts of all events of a type."""
        return [event.text for event in self.log if event.type == type]

    def runs_to_the_end(self, limit: int = 1000) -> None:
        """Everything that is under way goes well until the run comes to rest."""
        for _ in range(limit):
            if self.run.state in (RunState.COMPLETED, RunState.FAILED):
                return
            if not self.goes_well():
                wakeup = self.machine.next_wakeup()
                if wakeup is None:
                    return
                self.clock = max(self.clock, wakeup)
                self.tell(Ticked())
        raise AssertionError(f"no end after {limit} steps: {self.states}")

    def goes_well(self) -> bool:
        """One thing that is under way goes well; False if nothing is."""
        if self.spawning:
            self.tell(WorkerReady(self.spawning.pop(0)))
        elif self.climbs:
            self.climbs_to(self.climbs[0])
        elif self.asked:
            self.answers_ask(self.asked[0].conflict, Rung("agent", "failed"))
        elif self.starting:
            self.starts(next(iter(self.starting))[0])
        elif self.alive:
            self.ends(min(self.alive)[0])
        elif self.collecting:
            self.collects(next(iter(self.collecting))[0])
        elif self.unanswered:
            self.merges(self.unanswered[0].workstream)
        else:
            return False
        return True

    def _newest(self, id: str) -> Try:
        return id, self.row(id).attempts
