"""Asking an agent to resolve a conflict: once, within limits, in a sandbox of its own. Its folder is the witness.

Whatever becomes of the orchestrator meanwhile, the agent is started once: who finds it started waits for its end.
"""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from uet_tui.agents.launching import Launch
from uet_tui.agents.resolving import LONGEST_DIFF, Question, Side
from uet_tui.core.conflicts import ConflictFile, Entry, Rung, holds
from uet_tui.core.effects import AskAgent, EndAsk
from uet_tui.core.events import AgentAnswered, AskReported
from uet_tui.core.records import ConflictRecord
from uet_tui.core.states import CONFLICT_OPEN
from uet_tui.core.usage import known_usd
from uet_tui.engine import attempts, liveness
from uet_tui.engine.answering import judge_answer
from uet_tui.engine.finding_asks import keep_facts
from uet_tui.engine.guarding import Suspect, look_before
from uet_tui.engine.hearing import Hearing
from uet_tui.engine.keeper import STOP
from uet_tui.engine.launching import launch_agent
from uet_tui.engine.prompting import tell_conflict
from uet_tui.engine.proposals import asked_tree, sandbox_name
from uet_tui.engine.sandboxes import make_ready
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.gates.runner import InterruptedRunError
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
    folder = place.paths.ask(effect.conflict, effect.ask)
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
        return judge_answer(place, effect, conflict, files, heard.error, answer, leaving)
    except (UetError, OSError) as error:  # its money counts whatever became of the rest
        _log.exception("what agent %s made of conflict %s could not be judged", effect.agent, conflict.id)
        return replace(answer, rung=replace(answer.rung, detail=one_line(str(error))))


def give_up(
    place: Workplace, effect: AskAgent, conflict: ConflictRecord, leaving: threading.Event, error: str
) -> AgentAnswered:
    """Ends an agent that is said not to have been started, or could not be waited for, and counts what it used.

    Raises:
        InterruptedRunError: as for `ask_agent`.
    """
    folder = place.paths.ask(effect.conflict, effect.ask)
    attempts.kill(folder)
    ended = _wait(folder, None, leaving, lambda: None)
    reports = Hearing(place, effect.agent, effect.model, folder).end(ended).reports
    rung = Rung("agent", "failed", ended.seconds, known_usd(reports), error)
    return AgentAnswered(conflict.id, effect.ask, (), rung, reports=reports)


def suspect_of(effect: AskAgent, conflict: ConflictRecord) -> Suspect:
    """The agent that is asked, as one who may change what it has no business with."""
    return Suspect(conflict.workstream, conflict.attempt, conflict.id, effect.ask, effect.agent)


def end_ask(place: Workplace, effect: EndAsk) -> None:
    """Ends the agent that was asked, even one that is only just starting; the one who waits for it tells its end."""
    attempts.kill(place.paths.ask(effect.conflict, effect.ask))


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


def _start(
    place: Workplace,
    effect: AskAgent,
    conflict: ConflictRecord,
    files: Sequence[ConflictFile],
    leaving: threading.Event,
) -> "subprocess.Popen[bytes]":
    folder, agent, settings = place.paths.ask(effect.conflict, effect.ask), place.agent(effect.agent), place.settings
    parents = (conflict.ours_commit, conflict.theirs_commit)
    commit = place.control.commit_tree(asked_tree(place, conflict, files), parents, f"Conflict {conflict.id}")
    sandbox = place.sandbox(sandbox_name(conflict))
    make_ready(place, sandbox, commit, leaving, folder / "git-before")
    keep_facts(folder, conflict, effect.ask)
    prompt = folder / PROMPT
    question = _question(place, effect, conflict, files)
    told = place.redactor.text(tell_conflict(place, question, agent))
    write_whole(prompt, told.encode("utf-8", "replace"))
    look_before(place, suspect_of(effect, conflict))
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
            if liveness.prove_dead(folder):
                return attempts.ended(folder) or attempts.Ended(None, "lost", 0.0)
            if liveness.orphaned(folder):
                attempts.end_now(folder)
        if time.monotonic() >= heard + _LISTEN:
            heard = time.monotonic()
            listen()
            if liveness.wake_keeper(folder):
                _log.warning("the keeper of %s was stopped by a signal; it goes on", folder)
        if leaving.wait(_LOOK):
            raise InterruptedRunError
    if keeper is not None:
        keeper.wait()
    return ended
