"""The trees of a conflict: as it is, as an agent that is asked finds it, and with a whole proposal, which is gated."""

import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from uet_tui import folders
from uet_tui.core.conflicts import ConflictFile, Entry, holds
from uet_tui.core.records import ConflictRecord
from uet_tui.engine.gating import Gated, gate_tree
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError
from uet_tui.merge.merging import Clean, merge
from uet_tui.merge.proposing import with_settled
from uet_tui.merge.resolution import marked_text


def sandbox_name(conflict: ConflictRecord) -> str:
    """The sandbox in which a conflict is worked on."""
    return f"resolve-{conflict.id}"


def remove_sandbox(place: Workplace, conflict: ConflictRecord) -> None:
    """Removes the sandbox of a conflict, and what belongs to it."""
    name = sandbox_name(conflict)
    for folder in (place.paths.sandbox(name), place.paths.homes(name)):
        with suppress(OSError):
            folders.remove(str(folder))
    index = place.paths.index(name)
    for path in index.parent.glob(f"{index.name}*"):
        if path.name == index.name or path.name.startswith(f"{index.name}."):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def conflict_tree(place: Workplace, conflict: ConflictRecord) -> str:
    """The merge that is in conflict, made again: what git merged by itself, and markers in the files in conflict.

    Raises:
        UetError: it is no conflict any more.
    """
    merged = merge(place.control, conflict.ours_commit, conflict.theirs_commit)
    if isinstance(merged, Clean):
        raise UetError(f"the merge of conflict {conflict.id} is clean when it is made again: redo it")
    return merged.tree


def asked_tree(place: Workplace, conflict: ConflictRecord, files: Sequence[ConflictFile]) -> str:
    """What an agent that is asked finds: the merge, what is settled put in, and conflict markers in the rest."""
    control = place.control
    tree = with_settled(control, conflict_tree(place, conflict), files, marked=True)
    edits: dict[str, Entry | None] = {}
    for file in files:
        if file.hunks and file.merged is not None and not holds(file):
            open_hunks = tuple(replace(hunk, choice=None) for hunk in file.hunks)
            text = marked_text(control, replace(file, choice=None, edited=None, hunks=open_hunks))
            edits[file.path] = Entry(file.merged.mode, control.write_blob(text))
    return control.tree_with(tree, edits)


def proposed_tree(place: Workplace, conflict: ConflictRecord, files: Sequence[ConflictFile]) -> str:
    """The conflict's tree with a whole proposal put in."""
    return with_settled(place.control, conflict_tree(place, conflict), files, marked=False)


def gate_proposal(
    place: Workplace,
    conflict: ConflictRecord,
    files: Sequence[ConflictFile],
    output: Path,
    leaving: threading.Event,
) -> Gated:
    """What the gates say of a whole proposal, as it would be merged.

    Raises:
        InterruptedRunError: `leaving` was set meanwhile; nothing is known then.
    """
    ws = place.plan.workstreams[conflict.workstream]
    tree = proposed_tree(place, conflict, files)
    parents = (conflict.ours_commit, conflict.theirs_commit)
    commit = place.control.commit_tree(tree, parents, f"Proposal for conflict {conflict.id}")
    output.mkdir(parents=True, exist_ok=True, mode=0o700)
    return gate_tree(
        place,
        ws.test_gates,
        workstream=ws.id,
        attempt=conflict.attempt,
        commit=commit,
        sandbox=place.sandbox(sandbox_name(conflict)),
        output=output,
        where="proposal",
        leaving=leaving,
    )
