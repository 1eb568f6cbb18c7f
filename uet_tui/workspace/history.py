"""What an integration branch is made of: who merged what, and what undid it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

from uet_tui.errors import UetError
from uet_tui.workspace.control import ControlRepository

RUN = "UET-Run"
"""The trailer of every commit on an integration branch: whose it is."""
_WORKSTREAM, _ATTEMPT = "UET-Workstream", "UET-Attempt"
"""The trailers of a merge, a pair for each result in it, in order."""
REVERTS = "UET-Reverts"
"""The trailer of a commit that undoes a merge: which one."""
_LONGEST = 20_000
"""Commits of an integration branch that are looked at: far more than a run makes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of an integration branch."""

    commit: str
    tree: str
    before: str
    """What the branch was at before it: its first parent."""
    run: str
    """The run that made it, as its trailers say; empty for a commit that no run made."""
    workstreams: tuple[str, ...]
    """Whose work it merges."""
    reverts: str
    """The merge that it undoes; empty for a merge."""
    merged: tuple[tuple[str, int], ...] = ()
    """Which attempts of which workstreams it merges."""


def merge_trailers(merged: Iterable[tuple[str, int]]) -> list[tuple[str, str]]:
    """How a merge says which attempts of which workstreams are in it."""
    return [line for id, attempt in merged for line in ((_WORKSTREAM, id), (_ATTEMPT, str(attempt)))]


def steps(control: ControlRepository, tip: str, base: str) -> tuple[Step, ...]:
    """The commits of an integration branch above `base`, newest first.

    Only first parents count: an agent writes what it likes into commits of its own, but those are never on the branch.

    Raises:
        UetError: `base` is not below `tip`.
    """
    found: list[Step] = []
    at = tip
    while at != base:
        commit = control.objects.commit(at)
        if not commit.parents or len(found) == _LONGEST:
            raise UetError(f"{tip} does not come from {base}")
        last = commit.message.rstrip("\n").rpartition("\n\n")[2]
        trailers = [(key, value) for key, colon, value in (line.partition(": ") for line in last.split("\n")) if colon]
        told = dict(trailers)
        found.append(
            Step(
                at,
                commit.tree,
                commit.parents[0],
                told.get(RUN, ""),
                tuple(value for key, value in trailers if key == _WORKSTREAM),
                told.get(REVERTS, ""),
                tuple(
                    (id, int(attempt))
                    for (key, id), (after, attempt) in pairwise(trailers)
                    if (key, after) == (_WORKSTREAM, _ATTEMPT) and attempt.isdecimal()
                ),
            )
        )
        at = commit.parents[0]
    return tuple(found)


def merges_touching(control: ControlRepository, base: str, tip: str, paths: Collection[str]) -> tuple[str, ...]:
    """The workstreams whose merges between two commits of the integration branch changed any of the paths, by id.

    What lies below a path counts: it may be a folder on one side and a file on the other.
    """
    found: set[str] = set()
    at = tip
    while at != base:
        commit = control.objects.commit(at)
        if not commit.parents:
            break
        before = commit.parents[0]
        step = steps(control, at, before)[0]
        if not step.reverts and any(_among(change.path, paths) for change in control.changes(before, at)):
            found.update(_who_touched(control, step, commit.parents[1:], paths))
        at = before
    return tuple(sorted(found))


def _among(path: str, names: Collection[str]) -> bool:
    return path in names or any(path.startswith(f"{name}/") for name in names)


def _who_touched(
    control: ControlRepository, step: Step, results: Collection[str], paths: Collection[str]
) -> Collection[str]:
    """Whose results in a merge changed any of the paths; all of them, if it cannot be told apart."""
    if len(step.workstreams) == 1 or len(step.workstreams) != len(results):
        return step.workstreams
    own = {
        id: (control.objects.commit(result).parents, result)
        for id, result in zip(step.workstreams, results, strict=True)
    }
    return [
        id
        for id, (parents, result) in own.items()
        if not parents or any(_among(change.path, paths) for change in control.changes(parents[0], result))
    ]


def changed_by(control: ControlRepository, tip: str, base: str, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The paths that each of some workstreams changed, as far as they are merged between two commits, in path order.

    What was merged and then undone is left out; a workstream that changed nothing has no entry.
    """
    found: dict[str, tuple[str, ...]] = {}
    line = steps(control, tip, base)
    undone = {step.reverts for step in line if step.reverts}
    for step in line:
        own = [id for id in step.workstreams if id in ids and id not in found]
        if not own or step.commit in undone:
            continue
        results = control.objects.commit(step.commit).parents[1:]
        by_id = dict(zip(step.workstreams, results, strict=True)) if len(results) == len(step.workstreams) else {}
        for id in own:
            result = by_id.get(id)
            parents = control.objects.commit(result).parents if result else ()
            old, new = (parents[0], result) if result and parents else (step.before, step.commit)
            found[id] = tuple(change.path for change in control.changes(old, new))
    return found
