"""Whether what an attempt changed is what its workstream may change."""

from collections.abc import Iterable

from uet_tui.plan.model import Workstream
from uet_tui.plan.scopes import covers
from uet_tui.workspace.trees import Change


def outside(changes: Iterable[Change], workstream: Workstream) -> tuple[str, ...]:
    """The changed paths that neither `files_scope` nor `files_create` covers, in the order of the changes.

    Works on the difference of two trees, never on the working copy, so nothing can be swapped after the look.
    """
    return tuple(change.path for change in changes if not covers(workstream.write_scope, change.path))
