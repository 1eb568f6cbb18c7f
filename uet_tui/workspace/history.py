"""Who merged what on an integration branch."""

from collections.abc import Collection

from uet_tui.workspace.control import ControlRepository, trailers_of


def merges_touching(control: ControlRepository, base: str, tip: str, paths: Collection[str]) -> tuple[str, ...]:
    """The workstreams whose merges between two commits of the integration branch changed any of the paths, by id."""
    found: set[str] = set()
    at = tip
    while at != base:
        commit = control.objects.commit(at)
        if not commit.parents:
            break
        before = commit.parents[0]
        workstream = trailers_of(commit.message).get("UET-Workstream")
        if workstream and any(change.path in paths for change in control.changes(before, at)):
            found.add(workstream)
        at = before
    return tuple(sorted(found))
