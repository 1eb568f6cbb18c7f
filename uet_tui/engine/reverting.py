"""Undoing a merge on the integration branch: a commit of its own, then the compensation actions.

Done twice it still happens once: a commit that undoes a merge names it, and each action that has run left a mark.
"""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from uet_tui.core.effects import Revert
from uet_tui.core.events import Reverted, RevertFailed
from uet_tui.engine import processes
from uet_tui.engine.workplace import QUEUE, Workplace
from uet_tui.failpoints import reached
from uet_tui.gates.runner import end_of, run_command
from uet_tui.merge.soundness import undone_since
from uet_tui.store.files import write_whole
from uet_tui.text import one_line
from uet_tui.workspace.control import StaleRefError
from uet_tui.workspace.history import REVERTS, Step, steps


class _Stopped(Exception):
    """The branch is not as the run left it; the message says how."""


def revert(place: Workplace, effect: Revert, leaving: threading.Event) -> Reverted | RevertFailed:
    """Makes the commit that undoes a merge, moves the branch, runs the compensation actions.

    The newest merge that is not undone is undone, whichever was meant: the branch knows the order, where clocks may
    have been set back. So what is undone is always the last thing that happened, and never in conflict with anything.

    Raises:
        InterruptedRunError: `leaving` was set while an action ran; it is run again when the rollback goes on.
    """
    try:
        ahead = _ahead(place, effect.tip)
        undone, tip = _undo(place, effect, ahead) if effect.commit else (None, effect.tip)
    except (_Stopped, StaleRefError) as stopped:
        return RevertFailed(effect.commit, str(stopped))
    commit = undone.commit if undone else ""
    ids = undone.workstreams[::-1] if undone else effect.workstreams
    problem = _compensate(place, ids, commit or effect.name, tip, leaving)
    return RevertFailed(commit, problem, tip) if problem else Reverted(commit, tip)


def _ahead(place: Workplace, tip: str) -> Sequence[Step]:
    """What the branch has undone already that is not on record, oldest first."""
    head = place.control.head_of(place.integration)
    ahead = undone_since(place.control, place.run, tip, head)
    if head != tip and not ahead:
        raise _Stopped(
            f"{place.integration} is at {head}, not at {tip} where the run left it: somebody else moved it. Look at "
            f"what was done there (`git --git-dir {place.control.path} log {place.integration}`) and move it back"
        )
    return ahead


def _undo(place: Workplace, effect: Revert, ahead: Sequence[Step]) -> tuple[Step, str]:
    """The merge that is undone, and the tip then; what was undone ahead of the record is taken up step by step."""
    control, tip = place.control, effect.tip
    head = ahead[-1].commit if ahead else tip
    below = control.objects.commit(effect.commit).parents[0]
    branch = steps(control, head, below) if control.is_ancestor(effect.commit, head) else ()
    merges = {step.commit: step for step in branch if step.run == place.run and step.workstreams}
    if effect.commit not in merges:
        raise _Stopped(f"the merge {effect.commit} is not on {place.integration}")
    done = {step.reverts for step in branch} - {step.reverts for step in ahead}
    if effect.commit in done:
        return merges[effect.commit], tip  # made, but an action failed
    if ahead:
        if ahead[0].reverts not in merges:
            raise _Stopped(f"{ahead[0].commit} on {place.integration} undoes no merge that is on record")
        return merges[ahead[0].reverts], ahead[0].commit  # made, but killed before that was on record, or forgotten
    newest = next(step for commit, step in merges.items() if commit not in done)
    if newest.tree != control.tree_of(head):
        raise _Stopped(
            f"{place.integration} is not what the merge {newest.commit} left: something else came after it. Undo the "
            f"merge on a branch of your own with `git revert -m 1 {newest.commit}`"
        )
    trailers = {"UET-Run": place.run, REVERTS: newest.commit}
    message = f"Revert {', '.join(newest.workstreams)}"
    commit = control.commit_tree(control.tree_of(newest.before), (head,), message, trailers)
    reached("rollback.commit-made")
    control.update_refs([(place.integration, commit, head)])
    reached("rollback.branch-moved")
    return newest, commit


def _compensate(place: Workplace, workstreams: Sequence[str], name: str, tip: str, leaving: threading.Event) -> str:
    """Runs the compensation actions that have not run, in the new tip; gives what went wrong, or nothing."""
    folder = place.paths.rollback(name)
    todo = [
        (id, number, action)
        for id in workstreams
        for number, action in enumerate(place.plan.workstreams[id].compensation_actions, start=1)
        if not _mark(folder, id, number).exists()
    ]
    if not todo:
        return ""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.sandbox(QUEUE).reset(tip)
    for id, number, action in todo:
        log = folder / f"{id}.{number}.log"
        reached("rollback.before-action")
        problem = _act(place, action, log, leaving)
        reached("rollback.action-run")
        if problem:
            return f"compensation action {number} of {id} ({one_line(action, 120)}) {problem}; its output: {log}"
        write_whole(_mark(folder, id, number), b"")
        reached("rollback.action-marked")
    return ""


def _mark(folder: Path, workstream: str, number: int) -> Path:
    return folder / f"{workstream}.{number}.done"


def _act(place: Workplace, action: str, log: Path, leaving: threading.Event) -> str:
    """Runs one action as the operator would; whatever it leaves running is ended."""
    sandbox = place.sandbox(QUEUE)
    cookie = f"{place.run}/rollback"
    environ = {**os.environ, **sandbox.environment, processes.COOKIE: cookie}
    seconds = place.settings.timeout_seconds
    processes.end_carrying(cookie)  # what an orchestrator left that was killed
    try:
        code = run_command(action, sandbox.folder, log, environ, time.monotonic() + seconds, leaving, place.redactor)
    finally:
        processes.end_carrying(cookie)
    if code == 0:
        return ""
    said = [line for line in end_of(log).splitlines() if line.strip()]
    last = f": {place.redactor.text(one_line(said[-1]))}" if said else ""
    return (f"did not end within {seconds:g} s" if code is None else f"ended with {code}") + last
