"""Running the checks of one commit in a sandbox, or recalling what they said: now, before, and at the base commit."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from uet_tui.agents.launching import environment
from uet_tui.core import verdicts
from uet_tui.engine import processes
from uet_tui.engine.confining import Confinement, around, how_confined, may_do_without, renew
from uet_tui.engine.sandboxes import make_ready
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.gates.checks import Check, Files, gate_check
from uet_tui.gates.judging import Judgement, judge
from uet_tui.gates.memory import Memory, mark_of
from uet_tui.gates.runner import InterruptedRunError, Said, run_step
from uet_tui.plan.model import TestGate
from uet_tui.workspace import trees
from uet_tui.workspace.sandbox import Sandbox

_BASELINE = "baseline"
"""The name of the sandbox that holds the run's base commit."""
_LINE = 200
"""Commits of the integration branch that are looked at for one whose gate passed."""
_LOOK = 0.2
"""Seconds between looks at whether the orchestrator leaves while another thread has the baseline."""

_baseline = threading.Lock()
"""Held by whoever uses the sandbox of the base commit."""


def files_of(place: Workplace, tree: str) -> Files:
    """The files of a tree, looked at only where a check asks for them."""
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
    deadline: float = 0.0

    def fresh(self) -> None:
        """Makes the sandbox the commit, with nothing that ran before, and gives the check its whole time again."""
        processes.end_carrying(self._cookie)
        make_ready(self.place, self.sandbox, self.commit, self.leaving, self.log.parent / "git-after")
        renew(self.place, self.sandbox.folder.name)
        self.deadline = time.monotonic() + self.check.timeout_seconds

    def run(self, index: int) -> Said:
        """Runs one step; what it leaves running is ended."""
        environ = environment(self.check.env, os.environ) | self.sandbox.environment | {processes.COOKIE: self._cookie}
        folder = self.sandbox.folder
        confinement = (
            around(self.place, folder.name, folder, environ) if self.check.confined else Confinement((), environ)
        )
        try:
            return run_step(
                self.check.steps[index],
                sandbox=folder,
                log=self.log,
                environ=confinement.environ,
                seconds=max(0.0, self.deadline - time.monotonic()),
                no_tests=self.check.no_tests,
                leaving=self.leaving,
                redactor=self.place.redactor,
                before=confinement.before,
            )
        finally:
            processes.end_carrying(self._cookie)

    @property
    def _cookie(self) -> str:
        return self.place.cookie_of_gates(self.sandbox.folder.name)


@dataclass
class Table:
    """The checks of one commit."""

    place: Workplace
    commit: str
    tree: str
    sandbox: Sandbox
    output: Path
    leaving: threading.Event
    doing: Callable[[str], None]
    agents: bool
    """Whether agents work in the sandbox. What they left in files that a reset keeps may be all that makes a check
    pass, so what is said beside such files holds here and nowhere else."""
    baselines: list[tuple[Said, float]] = field(default_factory=list)
    """What was said of the base commit, and in how many seconds, since this was emptied."""

    @property
    def base_tree(self) -> str:
        """The tree of the run's base commit."""
        return self.place.control.tree_of(self.place.base)

    @property
    def _memory(self) -> Memory:
        return Memory(self.place.home.folder / "gates")

    def _mark(self, check: Check, steps: int | None = None) -> str:
        return mark_of(check, steps, around=how_confined(self.place) if check.confined else "")

    def recalled(self, check: Check) -> Judgement | None:
        """What was said of the very same tree before, if it holds."""
        found = self._memory.recall(self.tree, self._mark(check))
        if found is None or not verdicts.holds(found.verdict):
            return None
        if found.verdict == verdicts.RED_BEFORE and (found.base != self.base_tree or self._green_since(check)):
            return None
        return Judgement(found.verdict, Said(found.verdict, "not run again: this very tree was gated before"))

    def judged(self, check: Check, gate: TestGate | None) -> Judgement:
        """What the check says now."""
        self.doing(f"gates: {check.name}")
        self.output.mkdir(parents=True, exist_ok=True, mode=0o700)
        bench = _Bench(self.place, self.sandbox, self.commit, self.output / check.log, check, self.leaving)
        bench.fresh()
        telling = not (self.agents and self.sandbox.holds_more(self.commit))
        found = judge(check, bench.run, bench.fresh, partial(self._at_base, check, gate))
        if telling and verdicts.holds(found.verdict):
            base = self.base_tree if found.verdict == verdicts.RED_BEFORE else ""
            self._memory.keep(self.tree, self._mark(check), found.verdict, base)
        return found

    def _at_base(self, check: Check, gate: TestGate | None, index: int) -> str:
        """What a step says at the run's base commit; empty where it does not excuse anything.

        Raises:
            UetError: it is red only for being confined, which says nothing of the work, and excuses nothing.
        """
        if gate is None or self.tree == self.base_tree or self._green_since(check):
            return ""
        settings = self.place.settings.gates[gate.type]
        there = gate_check(gate, settings, files_of(self.place, self.base_tree), rehearsal=False)
        if check.steps[index] not in there.steps:
            return ""
        with _held(_baseline, self.leaving):
            found = self._base_verdict(check, index)
            if check.confined and not verdicts.holds(found) and may_do_without(self.place):
                outside = self._base_verdict(replace(check, confined=False), index)  # the base is no agent's work
                if verdicts.holds(outside):
                    raise UetError(
                        f"{check.name} passes at the base commit, but not where it is confined: name what it needs in "
                        f"sandbox.writable, or set gates.{gate.type}.sandbox to off"
                    )
        return found

    def _base_verdict(self, check: Check, index: int) -> str:
        """What a step says at the run's base commit, now or before; only for who holds the baseline."""
        mark = self._mark(check, index + 1)
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
        log = self.place.paths.folder / _BASELINE / check.log
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        sandbox = self.place.sandbox(_BASELINE)
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
        control, mark = self.place.control, self._mark(check)
        at = self.commit
        for _ in range(_LINE):
            parents = control.objects.commit(at).parents
            if not parents or parents[0] == self.place.base:
                return False
            at = parents[0]
            found = self._memory.recall(control.tree_of(at), mark, however_old=True)
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
