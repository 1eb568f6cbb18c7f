"""Gating a tree: which gates and acceptance tests it must pass, and what they come to together."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from uet_tui.core import verdicts
from uet_tui.core.records import GateEntry
from uet_tui.engine.checking import Table, files_of
from uet_tui.engine.workplace import SIMULATED, Workplace
from uet_tui.failpoints import reached
from uet_tui.gates.checks import Check, acceptance_checks, gate_check
from uet_tui.gates.judging import Judgement
from uet_tui.gates.runner import Said
from uet_tui.plan.model import TestGate, Workstream
from uet_tui.text import one_line
from uet_tui.workspace.sandbox import Sandbox

_AGENTS = ("sandbox", "proposal")
"""Where gates look at a tree in a sandbox that agents work in."""


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
    reached("gates.begun")
    table = Table(place, commit, tree, sandbox, output, leaving, doing, agents=where in _AGENTS)
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
    reached("gates.judged")
    return Gated(tuple(entries), one_line(problem), detail, retryable)


def _checks(
    place: Workplace, gates: Sequence[TestGate], tree: str, accepting: Sequence[str]
) -> list[tuple[Check, TestGate | None]]:
    """What is to be run on a tree, in order: gates, each with what asks for it, then acceptance tests."""
    plan, files = place.plan.workstreams, files_of(place, tree)
    known = [plan[id] for id in accepting if id in plan]
    rehearsed = all(agent == SIMULATED for agent in place.agent_of.values())  # else there is real work to break
    made_up = rehearsed and not any(map(_scripted, known or plan.values()))
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


def anything_to_run(place: Workplace, gates: Sequence[TestGate], tree: str, accepting: Sequence[str]) -> bool:
    """Whether gating a tree means running anything at all."""
    return any(check.steps for check, _ in _checks(place, gates, tree, accepting))
