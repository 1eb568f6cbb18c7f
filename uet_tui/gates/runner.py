"""Running gates: the commands of a gate kind, in a sandbox, each with its tree ended at the time limit."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from uet_tui.plan.model import TestGate
from uet_tui.settings.model import GateSettings

_OUTPUT_KEPT = 4_000
"""Bytes of a gate's output that go on record; its end is where the failure is told."""
_LOOK = 0.2
"""Seconds between looks at whether the orchestrator leaves while a command runs."""


class InterruptedRunError(Exception):
    """The orchestrator leaves: what was under way was ended, and is begun anew by whoever goes on."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate said."""

    gate: str
    verdict: str
    """`passed`, `failed`, `error`, `timeout` or `not configured`."""
    seconds: float
    output: str
    """The end of what it printed."""

    @property
    def held(self) -> bool:
        """Whether nothing speaks against the work."""
        return self.verdict in ("passed", "not configured")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all gates of a workstream said together."""

    results: tuple[GateResult, ...]
    problem: str
    """Why the work cannot go on; empty if it can."""


def run_gates(
    gates: Sequence[TestGate],
    settings: Mapping[str, GateSettings],
    *,
    sandbox: Path,
    output: Path,
    environ: Mapping[str, str],
    leaving: threading.Event,
) -> Verdict:
    """Runs the gates of a workstream in order; a `blocking` one that fails keeps the rest from running.

    Args:
        gates: what the workstream asks for.
        settings: the configured gate kinds, by name.
        sandbox: where the commands run.
        output: the folder that gets each gate's whole output.
        environ: the environment of the commands.
        leaving: set when the orchestrator leaves.

    Raises:
        InterruptedRunError: `leaving` was set before all had ended.
    """
    results: list[GateResult] = []
    problem = ""
    for gate in gates:
        result = _run(gate.type, settings[gate.type], sandbox, output, environ, leaving)
        results.append(result)
        if result.held:
            continue
        if gate.required and not problem:
            last = result.output.strip().splitlines()[-1:] or ["it printed nothing"]
            problem = f"{gate.type} {result.verdict}: {last[0][:200]}"
        if gate.blocking:
            break
    return Verdict(tuple(results), problem)


def _run(
    name: str, gate: GateSettings, sandbox: Path, output: Path, environ: Mapping[str, str], leaving: threading.Event
) -> GateResult:
    if not gate.commands:
        return GateResult(name, "not configured", 0.0, "")
    began = time.monotonic()
    log = output / f"{name}.log"
    verdict = "passed"
    for command in gate.commands:
        code = run_command(command, sandbox, log, environ, began + gate.timeout_seconds, leaving)
        if code != 0:
            verdict = "timeout" if code is None else "error" if code in (126, 127) else "failed"
            break
    return GateResult(name, verdict, round(time.monotonic() - began, 3), end_of(log))


def run_command(
    command: str, sandbox: Path, log: Path, environ: Mapping[str, str], deadline: float, leaving: threading.Event
) -> int | None:
    """Runs one shell command with its output at the end of `log`; ends its whole group with it.

    Returns:
        its exit code; None if it had not ended at the deadline, which is a monotonic time.

    Raises:
        InterruptedRunError: `leaving` was set before it had ended.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=sandbox,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not leaving.is_set():
            left = deadline - time.monotonic()
            with suppress(subprocess.TimeoutExpired):
                return process.wait(max(0.0, min(left, _LOOK)))
            if left <= 0:
                return None
        raise InterruptedRunError
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def end_of(log: Path) -> str:
    """The end of what commands printed."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _OUTPUT_KEPT))
        return file.read().decode("utf-8", "replace")
