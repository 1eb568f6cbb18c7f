"""Gating a tree in a sandbox: what was said of it before, what is said now, and what was said of the base commit."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from uet_tui.agents.launching import environment
from uet_tui.core import verdicts
from uet_tui.core.records import GateEntry
from uet_tui.engine import keeper
from uet_tui.engine.sandboxes import make_ready
from uet_tui.engine.workplace import SIMULATED, Workplace
from uet_tui.gates.checks import Check, Files, acceptance_checks, gate_check
from uet_tui.gates.judging import Judgement, judge
from uet_tui.gates.memory import Memory, mark_of
from uet_tui.gates.runner import InterruptedRunError, Said, run_step
from uet_tui.plan.model import TestGate, Workstream
from uet_tui.text import one_line
from uet_tui.workspace import trees
from uet_tui.workspace.sandbox import Sandbox

BASELINE = "baseline"
"""The name of the sandbox that holds the run's base commit."""
_LINE = 200
"""Commits of the integration branch that are looked at for one whose gate passed."""
_LOOK = 0.2
"""Seconds between looks at whether the orchestrator leaves while another thread has the baseline."""

_baseline = threading.Lock()
"""Held by whoever uses the sandbox of the base commit."""


@dataclass(frozen=True, slots=True)
class Gated:
    """What the gates of a tree said."""

    entries: tuple[GateEntry, ...]
    problem: str
    """Why the tree may not go on, in one line; empty if it may."""
    detail: str
    """The end of the output of the gate that failed, for the next prompt."""
    retryable: bool = True
    """False: no agent can put it right."""


def gate_tree(
    place: Workplace,
    gates: Sequence[TestGate],
    *,
    workstream: str,
    attempt: int,
    commit: str,
    sandbox: Sandbox,
    output: Path,
    where: str,
    leaving: threading.Event,
    accepting: Sequence[str] | None = None,
    doing: Callable[[str], None] = lambda _: None,
) -> Gated:
    """Gates a commit: runs gates and acceptance tests on it, unless they passed on the very same tree before.

    A gate that fails is run once more in a clean sandbox, and if it fails again it is excused where it failed at the
    run's base commit, unless it has passed on this line of commits since. A `blocking` gate that fails keeps the rest
    from running.

    Args:
        place: the run.
        gates: what the workstream, or those of a batch together, ask for.
        workstream: whom the results are recorded for.
        attempt: its attempt.
        commit: what is gated.
        sandbox: where; reset to the commit only if something must run. Nobody else may use it meanwhile.
        output: the folder that gets what each gate prints; made if it is not there.
        where: `sandbox`, `merged`, `proposal` or `landing`, for the record.
        leaving: set when the orchestrator leaves.
        accepting: the workstreams whose acceptance tests are run too; only `workstream` if None.
        doing: told what runs now.

    Raises:
        UetError: the sandbox could not be set up.
        InterruptedRunError: `leaving` was set meanwhile; nothing is known then.
    """
    tree = place.control.tree_of(commit)
    table = _Table(place, commit, tree, sandbox, output, leaving, doing)
    entries: list[GateEntry] = []
    problem = detail = ""
    retryable = True
    blocked: tuple[str, Judgement] | None = None
    for check, configured in _checks(place, gates, tree, (workstream,) if accepting is None else accepting):
        if check.idle and where != "sandbox":
            continue  # it is on record once that nothing is run
        began = time.monotonic()
        if check.steps and blocked is None:
            found = table.recalled(check) or table.judged(check, configured)
        else:
            why = check.why_idle if blocked is None or check.idle else f"{blocked[0]} failed before it"
            found = Judgement(check.idle or verdicts.NOT_RUN, Said("", why))
        seconds = round(time.monotonic() - began, 3)
        entry = partial(GateEntry, workstream=workstream, attempt=attempt, gate=check.name)
        entries += [
            entry(time.time(), where="base", verdict=old.verdict, seconds=took, output=old.output, tree=table.base_tree)
            for old, took in table.baselines
        ]
        table.baselines.clear()
        entries.append(
            entry(time.time(), where=where, verdict=found.verdict, seconds=seconds, output=found.said.output, tree=tree)
        )
        if check.required and not problem:
            if not verdicts.holds(found.verdict):
                problem = f"{check.name} {found.verdict}: {found.said.trouble}"
                detail, retryable = found.said.output, not found.hopeless
            elif blocked is not None and check.steps:
                name, by = blocked
                problem = f"{name} {by.verdict}, so {check.name}, which is required, was not run: {by.said.trouble}"
                detail, retryable = by.said.output, not by.hopeless
        if check.blocking and blocked is None and not verdicts.holds(found.verdict):
            blocked = check.name, found
    return Gated(tuple(entries), one_line(problem), detail, retryable)


def _checks(
    place: Workplace, gates: Sequence[TestGate], tree: str, accepting: Sequence[str]
) -> list[tuple[Check, TestGate | None]]:
    """What is to be run on a tree, in order: gates, each with what asks for it, then acceptance tests."""
    plan, files = place.plan.workstreams, _files(place, tree)
    known = [plan[id] for id in accepting if id in plan]
    made_up = all(place.agent_of[ws.id] == SIMULATED and not _scripted(ws) for ws in known or plan.values())
    found: list[tuple[Check, TestGate | None]] = [
        (gate_check(gate, place.settings.gates[gate.type], files, rehearsal=made_up), gate) for gate in gates
    ]
    for ws in known:
        rehearsal, of = place.agent_of[ws.id] == SIMULATED, ws.id if len(known) > 1 else ""
        checks = acceptance_checks(ws.acceptance_tests, place.settings.acceptance, rehearsal=rehearsal, of=of)
        found += [(check, None) for check in checks]
    return found


def _scripted(workstream: Workstream) -> bool:
    """Whether a rehearsal makes the edits that the workstream spells out, rather than lines that mean nothing."""
    script = workstream.metadata.get("simulate")
    return isinstance(script, Mapping) and "edits" in script


def commands_for(place: Workplace, workstream: Workstream, tree: str) -> tuple[str, ...]:
    """What would be run on a workstream's result, as far as the tree that it starts from tells; each command once."""
    checks = _checks(place, workstream.test_gates, tree, (workstream.id,))
    return tuple(dict.fromkeys(step.run for check, _ in checks for step in check.steps))


def _files(place: Workplace, tree: str) -> Files:
    objects = place.control.objects

    def paths() -> list[str]:
        return [change.path for change in trees.compare(objects, objects.empty_tree, tree)]

    def read(path: str) -> bytes:
        entry = place.control.entry(tree, path)
        return b"" if entry is None or not entry.mode.startswith("100") else place.control.read_blob(entry.oid)

    return Files(paths, read)


@dataclass
class _Bench:
    """A sandbox in which the commands of one check are run on one commit."""

    place: Workplace
    sandbox: Sandbox
    commit: str
    log: Path
    check: Check
    leaving: threading.Event
    ready: bool = False
    deadline: float = 0.0

    def fresh(self) -> None:
        """Makes the sandbox the commit, with nothing that ran before, and gives the check its whole time again."""
        end_gates(self._cookie)
        make_ready(self.place, self.sandbox, self.commit, self.leaving, self.log.parent / "git-after")
        self.ready = True
        self.deadline = time.monotonic() + self.check.timeout_seconds

    def run(self, index: int) -> Said:
        """Runs one step; what it leaves running is ended."""
        if not self.ready:
            self.fresh()
        environ = environment(self.check.env, os.environ) | self.sandbox.environment | {keeper.COOKIE: self._cookie}
        try:
            return run_step(
                self.check.steps[index],
                sandbox=self.sandbox.folder,
                log=self.log,
                environ=environ,
                seconds=max(0.0, self.deadline - time.monotonic()),
                no_tests=self.check.no_tests,
                leaving=self.leaving,
            )
        finally:
            end_gates(self._cookie)

    @property
    def _cookie(self) -> str:
        """By the sandbox, not the attempt: what an orchestrator that was killed left running in it is found, too."""
        return f"{self.place.run}/gates/{self.sandbox.folder.name}"


@dataclass
class _Table:
    """The checks of one commit."""

    place: Workplace
    commit: str
    tree: str
    sandbox: Sandbox
    output: Path
    leaving: threading.Event
    doing: Callable[[str], None]
    used: bool = False
    """Whether the sandbox holds the commit already."""
    baselines: list[tuple[Said, float]] = field(default_factory=list)
    """What was said of the base commit, and in how many seconds, since this was emptied."""

    @property
    def base_tree(self) -> str:
        """The tree of the run's base commit."""
        return self.place.control.tree_of(self.place.base)

    @property
    def _memory(self) -> Memory:
        return Memory(self.place.home.folder / "gates")

    def recalled(self, check: Check) -> Judgement | None:
        """What was said of the very same tree before, if it holds."""
        found = self._memory.recall(self.tree, mark_of(check))
        if found is None or not verdicts.holds(found.verdict):
            return None
        if found.verdict == verdicts.RED_BEFORE and (found.base != self.base_tree or self._green_since(check)):
            return None
        return Judgement(found.verdict, Said(found.verdict, "not run again: this very tree was gated before"))

    def judged(self, check: Check, gate: TestGate | None) -> Judgement:
        """What the check says now."""
        self.doing(f"gates: {check.name}")
        self.output.mkdir(parents=True, exist_ok=True, mode=0o700)
        bench = _Bench(self.place, self.sandbox, self.commit, self.output / check.log, check, self.leaving, self.used)
        bench.deadline = time.monotonic() + check.timeout_seconds
        found = judge(check, bench.run, bench.fresh, partial(self._at_base, check, gate))
        self.used = True
        if verdicts.holds(found.verdict):
            base = self.base_tree if found.verdict == verdicts.RED_BEFORE else ""
            self._memory.keep(self.tree, mark_of(check), found.verdict, base)
        return found

    def _at_base(self, check: Check, gate: TestGate | None, index: int) -> str:
        """What a step says at the run's base commit; empty where it does not excuse anything."""
        if gate is None or self.tree == self.base_tree or self._green_since(check):
            return ""
        settings = self.place.settings.gates[gate.type]
        there = gate_check(gate, settings, _files(self.place, self.base_tree), rehearsal=False)
        if check.steps[index] not in there.steps:
            return ""
        mark = mark_of(check, index + 1)
        with _held(_baseline, self.leaving):
            found = self._memory.recall(self.base_tree, mark)
            if found is not None:
                return found.verdict
            self.doing(f"gates: {check.name}, at the base commit")
            began = time.monotonic()
            said = self._said_at_base(check, index)
            self._memory.keep(self.base_tree, mark, said.verdict)
            self.baselines.append((said, round(time.monotonic() - began, 3)))
            return said.verdict

    def _said_at_base(self, check: Check, index: int) -> Said:
        log = self.place.paths.folder / BASELINE / check.log
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        sandbox = self.place.sandbox(BASELINE)
        bench = _Bench(self.place, sandbox, self.place.base, log, check, self.leaving)
        said = Said(verdicts.PASSED, "")
        for _ in range(2):  # what fails once and passes then was not red
            bench.fresh()
            for step in range(index + 1):
                said = bench.run(step)
            if said.verdict != verdicts.FAILED:
                break
        return said

    def _green_since(self, check: Check) -> bool:
        """Whether the check passed on a commit that this one is built on, the base excepted: then it is no excuse."""
        control, mark = self.place.control, mark_of(check)
        at = self.commit
        for _ in range(_LINE):
            parents = control.objects.commit(at).parents
            if not parents or parents[0] == self.place.base:
                return False
            at = parents[0]
            found = self._memory.recall(control.tree_of(at), mark)
            if found is not None:
                return found.verdict != verdicts.RED_BEFORE
        return False


@contextmanager
def _held(lock: threading.Lock, leaving: threading.Event) -> Iterator[None]:
    """Holds a lock that another thread may have for as long as a gate runs."""
    while not lock.acquire(timeout=_LOOK):
        if leaving.is_set():
            raise InterruptedRunError
    try:
        yield
    finally:
        lock.release()


def anything_to_run(place: Workplace, gates: Sequence[TestGate], tree: str, accepting: Sequence[str]) -> bool:
    """Whether gating a tree means running anything at all."""
    return any(check.steps for check, _ in _checks(place, gates, tree, accepting))


def end_gates(cookie: str) -> None:
    """Ends what gates still run: those that an orchestrator left that was killed, too."""
    keeper.end_all(lambda: keeper.carrying(cookie))
