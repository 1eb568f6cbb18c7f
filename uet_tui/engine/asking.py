"""Asking an agent to resolve a conflict: once, within limits, in a sandbox of its own. Its folder is the witness.

Whatever becomes of the orchestrator meanwhile, the agent is started once: who finds it started waits for its end.
"""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from uet_tui.agents.launching import Launch
from uet_tui.agents.resolving import LONGEST_DIFF, Question, Side
from uet_tui.core.conflicts import ConflictFile, Entry, Rung, holds
from uet_tui.core.effects import AskAgent, EndAsk
from uet_tui.core.events import AgentAnswered, AskReported
from uet_tui.core.records import ConflictRecord
from uet_tui.core.states import CONFLICT_OPEN
from uet_tui.core.usage import known_usd
from uet_tui.engine import attempts
from uet_tui.engine.hearing import Hearing
from uet_tui.engine.keeper import STOP
from uet_tui.engine.launching import launch_agent
from uet_tui.engine.leaks import leak, take_out_secrets
from uet_tui.engine.prompting import tell_conflict
from uet_tui.engine.proposals import conflict_tree, gate_proposal, remove_sandbox, sandbox_name
from uet_tui.engine.sandboxes import make_ready, take_snapshot, taken_before
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.gates.runner import InterruptedRunError
from uet_tui.merge.hunks import marker_left
from uet_tui.merge.proposing import propose_tree, with_settled
from uet_tui.merge.resolution import marked_text
from uet_tui.merge.texts import is_text, sides
from uet_tui.store.files import write_whole
from uet_tui.store.paths import PROMPT
from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository

_log = logging.getLogger(__name__)

_LISTEN = 1.0
"""Seconds between looks at what the agent used so far."""
_LOOK = 0.1
"""Seconds between looks at whether the agent has ended, or the orchestrator leaves."""
_NO_TEXT = ("binary", "submodule", "symlink", "mode")
"""Kinds of conflict that there is nothing to write for: a side is taken whole, and that is the operator's to say."""


def ask_agent(
    place: Workplace,
    effect: AskAgent,
    conflict: ConflictRecord,
    leaving: threading.Event,
    report: Callable[[AskReported], None],
) -> AgentAnswered:
    """Has an agent resolve a conflict in a sandbox of its own, and gates what it proposes.

    `report` is told what it used so far, while it works.

    Raises:
        InterruptedRunError: `leaving` was set meanwhile; the agent goes on, and whoever takes the run up waits for it.
    """
    folder = _folder(place, effect)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = _to_ask(conflict.files)
    keeper = None
    if not (folder / "start.json").exists():
        unasked = _not_asked(folder, conflict, files)
        if unasked is not None:
            return AgentAnswered(conflict.id, effect.ask, conflict.files, unasked)
        reached("ask.before-start")
        keeper = _start(place, effect, conflict, files, leaving)
        reached("ask.started")
    hearing = Hearing(place, effect.agent, effect.model, folder)

    def listen() -> None:
        _, reports = hearing.look()
        if reports is not None:
            report(AskReported(conflict.id, effect.ask, reports))

    ended = _wait(folder, keeper, leaving, listen)
    reached("ask.ended")
    heard = hearing.end(ended)
    answer = AgentAnswered(
        conflict.id,
        effect.ask,
        conflict.files,
        Rung("agent", "failed", ended.seconds, known_usd(heard.reports)),
        reports=heard.reports,
        fault=heard.fault,
        until=heard.until,
    )
    try:
        return _judged(place, effect, conflict, files, heard.error, answer, leaving)
    except (UetError, OSError) as error:  # its money counts whatever became of the rest
        _log.exception("what agent %s made of conflict %s could not be judged", effect.agent, conflict.id)
        return replace(answer, rung=replace(answer.rung, detail=one_line(str(error))))


def end_ask(place: Workplace, effect: EndAsk) -> None:
    """Ends the agent that was asked, even one that is only just starting; the one who waits for it tells its end."""
    attempts.kill(_folder(place, effect))


def _folder(place: Workplace, effect: AskAgent | EndAsk) -> Path:
    return place.paths.conflict(effect.conflict) / f"ask-{effect.ask}"


def _not_asked(folder: Path, conflict: ConflictRecord, files: Sequence[ConflictFile]) -> Rung | None:
    """Why the agent is not even started."""
    if conflict.state not in CONFLICT_OPEN or (folder / STOP).exists():
        return Rung("agent", "failed", detail="ended on request")
    if all(file.kind in _NO_TEXT for file in files if not holds(file)):
        return Rung("agent", "not applicable", detail="nothing of it is text")
    return None


def _to_ask(files: Sequence[ConflictFile]) -> tuple[ConflictFile, ...]:
    """The files with only those proposals that the agent is to build on: all that others hold, or else none."""
    kept = tuple(file if holds(file) and file.proposed_by != "agent" else _bare(file) for file in files)
    return tuple(map(_bare, files)) if all(map(holds, kept)) else kept


def _bare(file: ConflictFile) -> ConflictFile:
    hunks = tuple(replace(hunk, proposal=None) for hunk in file.hunks)
    return replace(file, proposed=None, proposed_by="", lost=(), hunks=hunks)


def _start_tree(place: Workplace, conflict: ConflictRecord, files: Sequence[ConflictFile]) -> str:
    """What the agent finds: the merge, what is settled put in, and conflict markers with the base in the rest."""
    control = place.control
    tree = with_settled(control, conflict_tree(place, conflict), files, marked=True)
    edits: dict[str, Entry | None] = {}
    for file in files:
        if file.hunks and file.merged is not None and not holds(file):
            open_hunks = tuple(replace(hunk, choice=None) for hunk in file.hunks)
            text = marked_text(control, replace(file, choice=None, edited=None, hunks=open_hunks))
            edits[file.path] = Entry(file.merged.mode, control.write_blob(text))
    return control.tree_with(tree, edits)


def _start(
    place: Workplace,
    effect: AskAgent,
    conflict: ConflictRecord,
    files: Sequence[ConflictFile],
    leaving: threading.Event,
) -> "subprocess.Popen[bytes]":
    folder, agent, settings = _folder(place, effect), place.agent(effect.agent), place.settings
    parents = (conflict.ours_commit, conflict.theirs_commit)
    commit = place.control.commit_tree(_start_tree(place, conflict, files), parents, f"Conflict {conflict.id}")
    sandbox = place.sandbox(sandbox_name(conflict))
    make_ready(place, sandbox, commit, leaving, folder / "git-before")
    prompt = folder / PROMPT
    question = _question(place, effect, conflict, files)
    told = place.redactor.text(tell_conflict(place, question, agent))
    prompt.write_text(told, encoding="utf-8", errors="replace")
    home = place.paths.home(sandbox_name(conflict), effect.agent)
    return launch_agent(
        place,
        agent,
        Launch(
            prompt,
            sandbox.folder,
            folder,
            home,
            effect.ask,
            effect.model or agent.model,
            effect.cap_usd,
            scope=tuple(path for path, _ in question.files),
        ),
        sandbox.environment,
        seconds=settings.ladder.agent_seconds,
        cookie=f"{place.run}/{conflict.id}/ask-{effect.ask}",
    )


def _question(place: Workplace, effect: AskAgent, conflict: ConflictRecord, files: Sequence[ConflictFile]) -> Question:
    plan, settings = place.plan.workstreams, place.settings
    ws = plan[conflict.workstream]
    asked = [file for file in files if not holds(file)]
    before = [file for file in conflict.files if file.proposed_by == "agent"]
    control = place.control
    return Question(
        conflict=conflict.id,
        workstream=ws,
        files=tuple((one_line(file.path), file.kind) for file in asked),
        ours=Side(tuple(plan[id] for id in conflict.against if id in plan), _diff(control, asked, "ours")),
        theirs=Side((ws,), _diff(control, asked, "theirs")),
        gates=tuple(command.run for gate in ws.test_gates for command in settings.gates[gate.type].commands),
        note=effect.note,
        before=_diff(control, before, "proposed"),
        evidence=tuple(
            f"{rung.name} {rung.verdict}: {rung.detail}"
            for rung in conflict.tried
            if rung.verdict in ("refused", "failed")
        ),
    )


def _diff(control: ControlRepository, files: Sequence[ConflictFile], side: str) -> str:
    """What a side changed in some files since the base, as git tells it: in fair time whatever is in them."""
    empty = control.objects.empty_tree
    told = ""
    for file in files:
        new: Entry | None = getattr(file, side)
        old_tree, new_tree = (control.tree_with(empty, {file.path: e} if e else {}) for e in (file.base, new))
        told += control.diff(old_tree, new_tree, LONGEST_DIFF)
        if len(told) > LONGEST_DIFF:
            break
    return told


def _wait(
    folder: Path, keeper: "subprocess.Popen[bytes] | None", leaving: threading.Event, listen: Callable[[], None]
) -> attempts.Ended:
    heard = time.monotonic()
    while (ended := attempts.ended(folder)) is None:
        if keeper is None or keeper.poll() is not None:
            if attempts.prove_dead(folder):
                return attempts.ended(folder) or attempts.Ended(None, "lost", 0.0)
            if attempts.orphaned(folder):
                attempts.end_now(folder)
        if time.monotonic() >= heard + _LISTEN:
            heard = time.monotonic()
            listen()
        if leaving.wait(_LOOK):
            raise InterruptedRunError
    if keeper is not None:
        keeper.wait()
    return ended


@dataclass(frozen=True, slots=True)
class _Left:
    """What the agent left, as one commit."""

    commit: str | None
    """None: it changed nothing."""
    problem: str = ""


def _judged(
    place: Workplace,
    effect: AskAgent,
    conflict: ConflictRecord,
    files: Sequence[ConflictFile],
    failure: str,
    answer: AgentAnswered,
    leaving: threading.Event,
) -> AgentAnswered:
    folder = _folder(place, effect)
    start = _start_tree(place, conflict, files)
    left = _left(place, effect, conflict, start)
    reached("ask.collected")
    proposed, rung = _looked_at(place.control, files, start, left, failure, answer.rung)
    if rung.verdict == "failed":
        remove_sandbox(place, conflict)
        return replace(answer, rung=rung)
    gated = None
    if rung.verdict == "settled" and conflict.state in CONFLICT_OPEN:
        gated = gate_proposal(place, conflict, proposed, folder / "gates", leaving)
        reached("ask.gated")
    remove_sandbox(place, conflict)
    kept = tuple(_with_choices(new, old) for new, old in zip(proposed, conflict.files, strict=True))
    return replace(
        answer,
        files=kept,
        rung=rung,
        gates=gated.entries if gated else (),
        problem=one_line(gated.problem) if gated else "",
    )


def _with_choices(new: ConflictFile, old: ConflictFile) -> ConflictFile:
    """What the operator chose stays chosen."""
    hunks = tuple(replace(n, choice=o.choice) for n, o in zip(new.hunks, old.hunks, strict=True))
    return replace(new, choice=old.choice, edited=old.edited, hunks=hunks)


def _looked_at(
    control: ControlRepository, files: Sequence[ConflictFile], start: str, left: _Left, failure: str, rung: Rung
) -> tuple[tuple[ConflictFile, ...], Rung]:
    """What the agent proposes, and the verdict on it."""
    kept = tuple(files)
    if failure:
        return kept, replace(rung, detail=failure)
    if left.problem:
        return kept, replace(rung, verdict="refused", detail=left.problem)
    if left.commit is None:
        return kept, replace(rung, detail="it changed nothing")
    tree = control.tree_of(left.commit)
    marked = _marker_left(control, files, tree)
    if marked:
        return kept, replace(rung, detail=f"a conflict marker is left: {marked}")
    proposed, evidence = propose_tree(control, start, files, tree, "agent")
    if evidence:
        more = f" (and {len(evidence) - 1} more)" if len(evidence) > 1 else ""
        return proposed, replace(rung, verdict="refused", detail=evidence[0] + more)
    names = ", ".join(one_line(file.path) for file in files if not holds(file))
    return proposed, replace(rung, verdict="settled", detail=f"wrote {names}")


def _left(place: Workplace, effect: AskAgent, conflict: ConflictRecord, start: str) -> _Left:
    """All that the agent left, on a ref of its own: nothing that an agent wrote is deleted.

    Gates may have run in its sandbox since, where an orchestrator died; then the commit that was made before counts.
    """
    taken = _folder(place, effect) / "snapshot"
    if taken.exists():
        return _Left(taken_before(taken) or None)
    sandbox = place.sandbox(sandbox_name(conflict))
    parents = (conflict.ours_commit, conflict.theirs_commit)
    base = place.control.commit_tree(start, parents, f"Conflict {conflict.id}")
    message = f"What agent {effect.agent} made of conflict {conflict.id}"
    leaked = take_out_secrets(place, sandbox, base, taken.with_name("start.json"))
    snapshot = take_snapshot(place, sandbox, base, message, taken.with_name("sandbox"))
    sandbox.put_away(taken.with_name("git-after"))
    if snapshot.commit is not None:
        ref = place.ask_ref(conflict.workstream, conflict.id, effect.ask)
        place.control.update_refs([(ref, snapshot.commit, None)])
        try:
            place.control.publish({ref: snapshot.commit})
        except (UetError, OSError) as error:
            _log.warning("%s is in the control repository only: %s", ref, error)
    problem = next(iter(snapshot.problems), "") or leak(snapshot.changes, leaked)
    if problem:
        return _Left(snapshot.commit, problem)
    write_whole(taken, (snapshot.commit or "").encode())
    return _Left(snapshot.commit)


def _marker_left(control: ControlRepository, files: Sequence[ConflictFile], tree: str) -> str:
    """Where a conflict marker is left in a file that was to be resolved; empty if nowhere."""
    for file in files:
        entry, texts = control.entry(tree, file.path), sides(control, file)
        if holds(file) or texts is None or entry is None or not is_text(control, entry):
            continue
        line = marker_left(control.read_blob(entry.oid), *texts)
        if line is not None:
            return f"{one_line(file.path)}:{line}"
    return ""
