"""Carrying out an attempt: sandbox, prompt, keeper; and afterwards snapshot, scope check and gates."""

import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uet_tui.agents.launching import Launch
from uet_tui.core.effects import Collect, StartAttempt
from uet_tui.core.events import AttemptEnded, AttemptStarted, Collected, Noted
from uet_tui.core.records import AttemptRecord, WorkstreamRecord
from uet_tui.engine import attempts, liveness
from uet_tui.engine.finding import SNAPSHOT, keep_facts
from uet_tui.engine.gating import Gated, gate_tree
from uet_tui.engine.guarding import Suspect, look_before
from uet_tui.engine.hearing import Hearing
from uet_tui.engine.launching import launch_agent, scope_files
from uet_tui.engine.leaks import leak, secrets_among, take_out_secrets
from uet_tui.engine.prompting import tell_task
from uet_tui.engine.sandboxes import make_ready, take_snapshot, taken_before
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.store.files import write_whole
from uet_tui.store.paths import DIFF, PROMPT
from uet_tui.text import one_line
from uet_tui.workspace.sandbox import Sandbox, Snapshot
from uet_tui.workspace.scope import outside
from uet_tui.workspace.trees import Change


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt whose agent was started."""

    keeper: "subprocess.Popen[bytes]"
    """To be reaped."""
    estimated_tokens: int
    """How many tokens it is thought to read; 0 where nobody counted."""
    note: Noted | None
    """What there is to know of its context."""


def start_attempt(
    place: Workplace, effect: StartAttempt, record: WorkstreamRecord, attempt: AttemptRecord, leaving: threading.Event
) -> Started:
    """Resets the sandbox and starts the agent in it."""
    folder = place.paths.attempt(effect.workstream, effect.attempt)
    attempts.make_folder(folder)
    keep_facts(folder, attempt)
    ws, agent, settings = place.plan.workstreams[effect.workstream], place.agent(record.agent), place.settings
    sandbox = place.sandbox(effect.worker)
    reached("attempt.folder-made")
    make_ready(place, sandbox, effect.base, leaving, folder / "git-before")
    reached("attempt.sandbox-ready")
    prompt = folder / PROMPT
    told = tell_task(place, effect, record)
    write_whole(prompt, place.redactor.text(told.text).encode("utf-8", "replace"))
    look_before(place, Suspect(ws.id, effect.attempt))
    home = place.paths.home(effect.worker, record.agent)
    reached("attempt.before-launch")
    keeper = launch_agent(
        place,
        agent,
        Launch(
            prompt,
            sandbox.folder,
            folder,
            home,
            effect.attempt,
            effect.model or agent.model,
            effect.cap_usd,
            scope_files(place, agent, effect.base, ws),
        ),
        sandbox.environment,
        seconds=ws.timeout or settings.timeout_seconds,
        cookie=place.cookie(ws.id, effect.attempt),
    )
    reached("attempt.launched")
    return Started(keeper, told.estimated_tokens, told.note)


def hearing_of(place: Workplace, attempt: AttemptRecord) -> Hearing:
    """What hears the agent of an attempt out."""
    folder = place.paths.attempt(attempt.workstream, attempt.number)
    return Hearing(place, attempt.agent, attempt.model, folder)


def ending_of(place: Workplace, attempt: AttemptRecord, hearing: Hearing) -> AttemptEnded | None:
    """How an attempt ended, as its folder tells; None if it does not say."""
    ended = attempts.ended(place.paths.attempt(attempt.workstream, attempt.number))
    return None if ended is None else ended_so(attempt, ended, hearing)


def after_all(place: Workplace, attempt: AttemptRecord) -> AttemptStarted | AttemptEnded | None:
    """What became of an attempt that could not be started, where its keeper goes on or has ended all the same.

    None: no agent was started, and no keeper can start it any more.
    """
    if not liveness.prove_dead(place.paths.attempt(attempt.workstream, attempt.number)):
        return AttemptStarted(attempt.workstream, attempt.number)
    return ending_of(place, attempt, hearing_of(place, attempt))


def ended_so(attempt: AttemptRecord, ended: attempts.Ended, hearing: Hearing) -> AttemptEnded:
    """The end of an attempt, with all that its agent told."""
    heard = hearing.end(ended)
    return AttemptEnded(
        attempt.workstream,
        attempt.number,
        heard.outcome,
        ended.code,
        heard.error,
        heard.reports,
        heard.no_change,
        heard.fault,
        heard.until,
    )


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
    no_change = effect.no_change_stated or _no_change_stated(place, ws.id, folder)
    taken = folder / SNAPSHOT
    reached("collect.begun")
    if taken.exists():  # gates ran when the orchestrator before died, and may have left things that are not the agent's
        commit, _, problem = taken_before(taken).partition("\n")
        snapshot = _snapshot_of(place, sandbox, effect.base, commit)
        problem = problem or next(iter(snapshot.problems), "")
    else:
        message = f"{ws.id}: {ws.tasks[0] if ws.tasks else ws.openspec_change}"
        endless = sandbox.drop_endless()
        leaked = take_out_secrets(place, sandbox, effect.base, folder / "start.json")
        snapshot = take_snapshot(place, sandbox, effect.base, one_line(message, 72), folder / "sandbox")
        reached("collect.snapshot-made")
        problem = next(iter((*endless, *snapshot.problems)), "") or leak(snapshot.changes, leaked)
        write_whole(taken, f"{snapshot.commit or ''}\n{one_line(problem)}".encode("utf-8", "replace"))
        reached("collect.snapshot-noted")
    strays = outside(snapshot.changes, ws)
    beyond = _beyond(strays)
    if place.settings.scope == "enforce":
        problem = problem or beyond
    if not problem and beyond and len(strays) == len(snapshot.changes) and not no_change:
        problem = f"changed nothing inside its scope: it {beyond}"
    gated = Gated((), problem, "")
    if effect.gate and not problem and snapshot.commit is not None and (ws.test_gates or ws.acceptance_tests):
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
    reached("collect.judged")
    return Collected(
        ws.id,
        effect.attempt,
        snapshot.commit,
        change_mark(snapshot.changes),
        place.redactor.text(one_line(gated.problem)),
        gated.entries,
        no_change,
        warning=place.redactor.text(beyond) if place.settings.scope == "warn" else "",
        detail=gated.detail,
        retryable=gated.retryable,
    )


def _snapshot_of(place: Workplace, sandbox: Sandbox, base: str, commit: str) -> Snapshot:
    """What was taken of an attempt before; an empty `commit` stands for no change.

    The agent can reach the note of that, so it is looked through once more.

    Raises:
        UetError: it is no commit on `base`, or holds a secret.
    """
    if not commit:
        return Snapshot(None, place.control.tree_of(base), (), ())
    if not re.fullmatch("[0-9a-f]{40,64}", commit) or place.control.objects.commit(commit).parents != (base,):
        raise UetError(f"{one_line(commit, 80)} is noted as its work, and is no commit on {base}")
    changes = place.control.changes(base, commit)
    if leaked := leak(changes, secrets_among(place, changes)):
        raise UetError(f"{commit} is noted as its work, and {leaked}")
    return Snapshot(commit, place.control.tree_of(commit), changes, tuple(sandbox.doubts(changes)))


def _no_change_stated(place: Workplace, workstream: str, folder: Path) -> bool:
    """Whether the agent said that nothing needs changing: after a crash only its output knows."""
    return Hearing(place, place.agent_of[workstream], "", folder).end(attempts.Ended(0, "exit", 0.0)).no_change


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
    told = place.redactor.text(place.control.diff(base, commit))
    write_whole(folder / DIFF, told.encode("utf-8", "replace"))
