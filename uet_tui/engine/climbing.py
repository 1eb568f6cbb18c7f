"""Climbing the ladder: what is tried on a conflict before an agent or the operator is asked, and what is remembered."""

import logging
import os
import threading
import time
from functools import partial

from uet_tui.agents.launching import PLAIN, environment
from uet_tui.core.events import Climbed
from uet_tui.core.records import ConflictRecord
from uet_tui.engine.confining import around
from uet_tui.engine.proposals import conflict_tree, gate_proposal, remove_sandbox, sandbox_name
from uet_tui.engine.sandboxes import make_ready
from uet_tui.engine.workplace import Workplace
from uet_tui.engine.workshop import SandboxWorkshop
from uet_tui.errors import UetError
from uet_tui.failpoints import reached
from uet_tui.merge import ladder
from uet_tui.merge.rungs.recorded import remember as record_resolution
from uet_tui.plan.scopes import covers
from uet_tui.text import one_line

_log = logging.getLogger(__name__)


def climb(place: Workplace, conflict: ConflictRecord, leaving: threading.Event) -> Climbed:
    """Tries the rungs that need no agent, and gates what they propose if it is whole.

    Raises:
        InterruptedRunError: `leaving` was set meanwhile; it is begun anew by whoever goes on.
    """
    folder = place.paths.conflict(conflict.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    control, settings = place.control, place.settings.ladder
    tree = conflict_tree(place, conflict)
    sandbox = place.sandbox(sandbox_name(conflict))
    workshop = SandboxWorkshop(
        control,
        sandbox,
        log=folder / "ladder.log",
        seconds=settings.command_seconds,
        environ=environment(PLAIN, os.environ),
        confine=partial(around, place, sandbox_name(conflict)),
        cookie=f"{place.run}/{conflict.id}/ladder",
        leaving=leaving,
        redactor=place.redactor,
    )
    try:
        workshop.end_left()
        if any(covers(entry.paths, file.path) for entry in settings.regenerate for file in conflict.files):
            make_ready(place, sandbox, conflict.ours_commit, leaving)
        reached("ladder.begun")
        done = ladder.climb(control, tree, conflict.files, settings, workshop, time.monotonic)
        reached("ladder.climbed")
        if not done.settled:
            return Climbed(conflict.id, done.files, done.tried)
        gated = gate_proposal(place, conflict, done.files, folder / "gates", leaving)
        reached("ladder.gated")
        return Climbed(conflict.id, done.files, done.tried, gated.entries, one_line(gated.problem))
    finally:
        remove_sandbox(place, conflict)


def remember(place: Workplace, conflict: ConflictRecord, tree: str) -> None:
    """Records how the operator resolved a conflict, so that it is resolved in the same way where it comes up again.

    What a machine resolved and nobody looked at is not: it would be made again as well. `tree` is the resolved tree, on
    the tip that the conflict was with.
    """
    human = [rung for rung in conflict.tried if rung.name == "operator"]
    if not human or human[-1].verdict != "settled":
        return
    try:
        record_resolution(place.control, conflict.files, tree)
    except (UetError, OSError) as error:  # it is merged all the same
        _log.warning("the resolution of conflict %s could not be recorded: %s", conflict.id, error)
