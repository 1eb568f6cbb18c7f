"""Gating a workstream: its gates in a worker's sandbox or on a merged tree, and never two rounds of them at once."""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from uet_tui.agents.launching import environment
from uet_tui.core.records import GateEntry
from uet_tui.engine import keeper
from uet_tui.engine.workplace import Workplace
from uet_tui.gates.runner import run_gates
from uet_tui.plan.model import TestGate
from uet_tui.workspace.sandbox import Sandbox

_VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "VIRTUAL_ENV")
"""What a gate's commands get: enough to find programs, no keys."""


def gate(
    place: Workplace,
    workstream: str,
    attempt: int,
    gates: Sequence[TestGate],
    sandbox: Sandbox,
    *,
    output: Path,
    where: str,
    leaving: threading.Event,
) -> tuple[tuple[GateEntry, ...], str]:
    """Runs gates on what is in a sandbox; gives what goes on record, and the problem if there is one.

    What the gates started is ended with them. `where` is `sandbox` or `merged`; `output` gets what they print.

    Raises:
        InterruptedRunError: `leaving` was set meanwhile; nothing is known then.
    """
    cookie = place.cookie(workstream, attempt)
    environ = environment(_VARIABLES, os.environ) | sandbox.environment | {keeper.COOKIE: cookie}
    end_gates(cookie)
    try:
        verdict = run_gates(
            gates, place.settings.gates, sandbox=sandbox.folder, output=output, environ=environ, leaving=leaving
        )
    finally:
        end_gates(cookie)
    entries = tuple(
        GateEntry(time.time(), workstream, attempt, r.gate, where, r.verdict, r.seconds, r.output)
        for r in verdict.results
    )
    return entries, verdict.problem


def end_gates(cookie: str) -> None:
    """Ends what gates of an attempt still run: those that an orchestrator left that was killed, too."""
    keeper.end_all(lambda: keeper.carrying(cookie))
