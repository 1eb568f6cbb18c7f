"""Carrying out an attempt: sandbox, prompt, keeper; and afterwards snapshot, scope check and gates."""

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from uet_tui.agents.launching import Launch, agent_environment, command_line
from uet_tui.agents.prompt import prompt_for
from uet_tui.agents.use import read_use
from uet_tui.core.effects import Collect, StartAttempt
from uet_tui.core.events import AttemptEnded, Collected
from uet_tui.core.records import WorkstreamRecord
from uet_tui.core.states import AttemptState
from uet_tui.engine import attempts
from uet_tui.engine.gating import Gated, commands_for, gate_tree
from uet_tui.engine.sandboxes import make_ready, take_snapshot
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.store.files import write_whole
from uet_tui.store.paths import DIFF, OUTPUT, PROMPT
from uet_tui.text import one_line
from uet_tui.workspace.sandbox import Snapshot
from uet_tui.workspace.scope import outside
from uet_tui.workspace.trees import Change


def start_attempt(
    place: Workplace, effect: StartAttempt, record: WorkstreamRecord, leaving: threading.Event
) -> "subprocess.Popen[bytes]":
    """Resets the sandbox and starts the agent in it; returns the keeper's handle, to be reaped."""
    folder = place.paths.attempt(effect.workstream, effect.attempt)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ws, agent, settings = place.plan.workstreams[effect.workstream], place.agent(record.agent), place.settings
    sandbox = place.sandbox(effect.worker)
    make_ready(place, sandbox, effect.base, leaving, folder / "git-before")
    prompt = folder / PROMPT
    commands = commands_for(place, ws, place.control.tree_of(effect.base)) if agent.prompt == "text" else ()
    told = prompt_for(ws, agent, effect.attempt, record.note, settings.simulated, commands, record.wish)
    prompt.write_text(told, encoding="utf-8")
    home = place.paths.home(effect.worker)
    (home / "tmp").mkdir(parents=True, exist_ok=True, mode=0o700)
    launch = Launch(prompt, sandbox.folder, folder, home, effect.attempt, agent.model)
    return attempts.start(
        folder,
        {
            "argv": command_line(agent, launch),
            "cwd": str(sandbox.folder),
            "env": agent_environment(agent, launch, os.environ) | sandbox.environment,
            "timeout": ws.timeout or settings.timeout_seconds,
            "grace": settings.grace_seconds,
            "cookie": place.cookie(ws.id, effect.attempt),
            "wake": str(place.paths.wake),
        },
    )


def ending_of(place: Workplace, workstream: str, attempt: int, agent_name: str) -> AttemptEnded | None:
    """How an attempt ended, as its folder tells; None if it does not say."""
    folder = place.paths.attempt(workstream, attempt)
    ended = attempts.ended(folder)
    if ended is None:
        return None
    use = read_use(folder / OUTPUT, json_lines=place.agent(agent_name).usage.format == "json-lines")
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
    return AttemptEnded(workstream, attempt, outcome, ended.code, error, use.reports, use.no_change)


def collect(
    place: Workplace, effect: Collect, leaving: threading.Event, doing: Callable[[str], None] = lambda _: None
) -> Collected:
    """Makes one commit of what the attempt left, and says whether it may be merged.

    The commit needs no ref to be safe: nothing ever prunes the control repository. `doing` is told which gate runs.

    Raises:
        UetError: it cannot be read; all of it is in the attempt's folder then.
        InterruptedRunError: `leaving` was set while gates ran.
    """
    ws = place.plan.workstreams[effect.workstream]
    folder = place.paths.attempt(ws.id, effect.attempt)
    sandbox = place.sandbox(effect.worker)
    use = read_use(folder / OUTPUT, json_lines=False)
    taken = folder / "snapshot"
    if taken.exists():  # gates ran when the orchestrator before died, and may have left things that are not the agent's
        commit = taken.read_text().strip()
        changes = place.control.changes(effect.base, commit)
        snapshot = Snapshot(commit, place.control.tree_of(commit), changes, ())
    else:
        message = f"{ws.id}: {ws.tasks[0] if ws.tasks else ws.openspec_change}"
        snapshot = take_snapshot(sandbox, effect.base, one_line(message, 72), folder / "sandbox")
    problem = snapshot.problems[0] if snapshot.problems else ""
    strays = outside(snapshot.changes, ws)
    beyond = _beyond(strays)
    if place.settings.scope == "enforce":
        problem = problem or beyond
    if not problem and beyond and len(strays) == len(snapshot.changes) and not use.no_change:
        problem = f"changed nothing inside its scope: it {beyond}"
    gated = Gated((), problem, "")
    if effect.gate and not problem and snapshot.commit is not None and (ws.test_gates or ws.acceptance_tests):
        write_whole(taken, snapshot.commit.encode())
        try:
            gated = gate_tree(
                place,
                ws.test_gates,
                workstream=ws.id,
                attempt=effect.attempt,
                commit=snapshot.commit,
                sandbox=sandbox,
                output=folder,
                where="sandbox",
                leaving=leaving,
                doing=doing,
            )
        except (UetError, OSError) as error:  # the work is safe in its commit, and another try would meet the same
            gated = Gated((), f"could not be gated: {error}", "", retryable=False)
    return Collected(
        ws.id,
        effect.attempt,
        snapshot.commit,
        change_mark(snapshot.changes),
        one_line(gated.problem),
        gated.entries,
        use.no_change,
        warning=beyond if place.settings.scope == "warn" else "",
        detail=gated.detail,
        retryable=gated.retryable,
    )


def change_mark(changes: Sequence[Change]) -> str:
    """What stands for some changes: what they made of which paths, whatever else the tree holds."""
    made = sorted(
        (change.path, change.new.mode, change.new.oid) if change.new else (change.path,) for change in changes
    )
    return hashlib.sha256(json.dumps(made).encode()).hexdigest()[:40]


def _beyond(paths: tuple[str, ...]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"changed {one_line(paths[0], 120)}{more}, which is outside its scope"


def write_diff(place: Workplace, folder: Path, base: str, commit: str) -> None:
    """Writes what an attempt changed where the workstream screen finds it."""
    (folder / DIFF).write_text(place.control.diff(base, commit), encoding="utf-8", errors="replace")
