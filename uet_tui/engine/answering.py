"""What an agent that was asked made of a conflict: taken as one commit, looked at, and gated.

What it left is kept whatever comes of it; only what loses no line and touches no other file is a proposal.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from uet_tui.core.conflicts import ConflictFile, Rung, holds
from uet_tui.core.effects import AskAgent
from uet_tui.core.events import AgentAnswered
from uet_tui.core.records import ConflictRecord
from uet_tui.core.states import CONFLICT_OPEN
from uet_tui.engine.leaks import leak, take_out_secrets
from uet_tui.engine.proposals import asked_tree, gate_proposal, remove_sandbox, sandbox_name
from uet_tui.engine.sandboxes import take_snapshot, taken_before
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.merge.hunks import marker_left
from uet_tui.merge.proposing import propose_tree
from uet_tui.merge.texts import is_text, sides
from uet_tui.store.files import write_whole
from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Left:
    """What the agent left, as one commit."""

    commit: str | None
    """None: it changed nothing."""
    problem: str = ""


def judge_answer(
    place: Workplace,
    effect: AskAgent,
    conflict: ConflictRecord,
    files: Sequence[ConflictFile],
    failure: str,
    answer: AgentAnswered,
    leaving: threading.Event,
) -> AgentAnswered:
    """Takes what an agent left as a commit, looks at it, and gates what it proposes.

    Args:
        place: the run.
        effect: what was asked.
        conflict: what about.
        files: what it was to resolve, with what it was to build on.
        failure: why its work does not count, in one line; empty if it does.
        answer: what is known of it without that, as if it had failed.
        leaving: set when the orchestrator leaves.

    Raises:
        UetError: what it left cannot be read.
        InterruptedRunError: `leaving` was set while gates ran.
    """
    folder = place.paths.ask(conflict.id, effect.ask)
    start = asked_tree(place, conflict, files)
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


def refused(answer: AgentAnswered, conflict: ConflictRecord, why: str) -> AgentAnswered:
    """The answer of an agent whose work is not to be taken, whatever that is: its money counts, and no more."""
    rung = replace(answer.rung, verdict="refused", detail=why)
    return replace(answer, files=conflict.files, rung=rung, gates=(), problem="")


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
    taken = place.paths.ask(conflict.id, effect.ask) / "snapshot"
    if taken.exists():
        return _Left(taken_before(taken) or None)
    sandbox = place.sandbox(sandbox_name(conflict))
    parents = (conflict.ours_commit, conflict.theirs_commit)
    base = place.control.commit_tree(start, parents, f"Conflict {conflict.id}")
    message = f"What agent {effect.agent} made of conflict {conflict.id}"
    endless = sandbox.drop_endless()
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
    problem = next(iter((*endless, *snapshot.problems)), "") or leak(snapshot.changes, leaked)
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
