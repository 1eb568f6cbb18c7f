"""Carrying out an attempt: sandbox, prompt, keeper; and afterwards snapshot, scope check and gates."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from uet_tui.agents.launching import command_line, environment
from uet_tui.agents.prompt import prompt_for
from uet_tui.agents.use import read_use
from uet_tui.core.effects import Collect, StartAttempt
from uet_tui.core.events import AttemptEnded, Collected
from uet_tui.core.records import GateEntry
from uet_tui.core.states import AttemptState
from uet_tui.engine import attempts
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.gates.runner import GateResult, run_gates
from uet_tui.store.paths import DIFF, OUTPUT, PROMPT
from uet_tui.text import one_line
from uet_tui.workspace.scope import outside


def make_sandbox(place: Workplace, worker: int, tip: str) -> None:
    """Makes the sandbox of a worker, or makes sure of the one that is there.

    Raises:
        UetError: a setup command failed.
    """
    sandbox = place.sandbox(worker)
    fresh = not sandbox.folder.exists()
    sandbox.reset(tip)
    if not fresh:
        return
    sandbox.prepare(place.operator.root, place.settings.sandbox.copy_untracked)
    for command in place.settings.sandbox.setup:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=sandbox.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=place.settings.timeout_seconds,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(sandbox.folder)
            last = one_line((done.stderr or done.stdout).decode("utf-8", "replace")[-500:])
            raise UetError(f"setup command `{command}` ended with {done.returncode}: {last}")


def start_attempt(place: Workplace, effect: StartAttempt, agent_name: str, note: str) -> "subprocess.Popen[bytes]":
    """Resets the sandbox and starts the agent in it; returns the keeper's handle, to be reaped."""
    folder = place.paths.attempt(effect.workstream, effect.attempt)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ws, agent, settings = place.plan.workstreams[effect.workstream], place.agent(agent_name), place.settings
    sandbox = place.sandbox(effect.worker)
    sandbox.reset(effect.base, keep_git=folder / "git-before")
    prompt = folder / PROMPT
    prompt.write_text(prompt_for(ws, agent, effect.attempt, note, settings.simulated), encoding="utf-8")
    return attempts.start(
        folder,
        {
            "argv": command_line(agent, prompt_file=prompt, sandbox=sandbox.folder, attempt=effect.attempt),
            "cwd": str(sandbox.folder),
            "env": environment(agent.env, os.environ) | sandbox.environment,
            "timeout": ws.timeout or settings.timeout_seconds,
            "grace": settings.grace_seconds,
            "cookie": f"{place.run}/{ws.id}/{effect.attempt}",
            "wake": str(place.paths.wake),
        },
    )


def ending_of(place: Workplace, workstream: str, attempt: int, agent_name: str) -> AttemptEnded | None:
    """How an attempt ended, as its folder tells; None if it does not say."""
    folder = place.paths.attempt(workstream, attempt)
    ended = attempts.ended(folder)
    if ended is None:
        return None
    use = read_use(folder / OUTPUT, json_lines=place.agent(agent_name).usage == "json-lines")
    last = one_line(use.last_line, 200)
    match ended.why, ended.code:
        case "exit", 0:
            outcome, error = AttemptState.SUCCEEDED, ""
        case "timeout", _:
            outcome, error = AttemptState.TIMED_OUT, f"did not end within its time limit ({ended.seconds:.0f} s)"
        case "killed", _:
            outcome, error = AttemptState.KILLED, "ended on request"
        case "exit", code:
            outcome, error = AttemptState.FAILED, f"exit {code}" + (f": {last}" if last else "")
        case _:
            outcome, error = AttemptState.LOST, "its record of how it ended cannot be read"
    return AttemptEnded(
        workstream, attempt, outcome, ended.code, error, use.usd, use.tokens_in, use.tokens_out, use.no_change
    )


def collect(place: Workplace, effect: Collect) -> Collected:
    """Makes one commit of what the attempt left, and says whether it may be merged.

    The commit needs no ref to be safe: nothing ever prunes the control repository.
    """
    ws = place.plan.workstreams[effect.workstream]
    folder = place.paths.attempt(ws.id, effect.attempt)
    sandbox = place.sandbox(effect.worker)
    message = f"{ws.id}: {ws.tasks[0] if ws.tasks else ws.openspec_change}"
    snapshot = sandbox.snapshot(effect.base, one_line(message, 72))
    problem = snapshot.problems[0] if snapshot.problems else ""
    if not problem and place.settings.scope == "enforce" and (beyond := outside(snapshot.changes, ws)):
        more = f" and {len(beyond) - 1} more" if len(beyond) > 1 else ""
        problem = f"changed {one_line(beyond[0], 120)}{more}, which is outside its scope"
    use = read_use(folder / OUTPUT, json_lines=False)
    gates: tuple[GateEntry, ...] = ()
    if effect.gate and not problem and snapshot.commit is not None and ws.test_gates:
        verdict = run_gates(
            ws.test_gates,
            place.settings.gates,
            sandbox=sandbox.folder,
            output=folder,
            environ=gate_environment() | sandbox.environment,
        )
        gates = tuple(gate_entry(r, ws.id, effect.attempt, "sandbox") for r in verdict.results)
        problem = verdict.problem
    return Collected(ws.id, effect.attempt, snapshot.commit, snapshot.tree, one_line(problem), gates, use.no_change)


def gate_environment() -> dict[str, str]:
    """What a gate's commands get: enough to find programs, no keys."""
    return environment(("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "VIRTUAL_ENV"), os.environ)


def gate_entry(result: GateResult, workstream: str, attempt: int, where: str) -> GateEntry:
    """A gate's result as it goes on record."""
    return GateEntry(
        time.time(), workstream, attempt, result.gate, where, result.verdict, result.seconds, result.output
    )


def write_diff(place: Workplace, folder: Path, base: str, commit: str) -> None:
    """Writes what an attempt changed where the workstream screen finds it."""
    (folder / DIFF).write_text(place.control.diff(base, commit), encoding="utf-8", errors="replace")
