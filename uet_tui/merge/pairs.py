"""What merging each pair of branches would come to: in memory, and once for as long as both stay as they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.mergetree import MergedTree
from uet_tui.workspace.scratch import Scratch
from uet_tui.workspace.trees import Touched, apart, compare, touched

Verdict = Literal["clean", "same file", "conflict"]


@dataclass(frozen=True, slots=True)
class Branch:
    """The work of one workstream as it is now."""

    id: str
    commit: str
    base: str
    """The commit of the integration branch that the work began at: an ancestor of `commit`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What merging two branches would come to."""

    first: str
    """The id that sorts first."""
    second: str
    verdict: Verdict
    """`same file`: both changed it, and git merges it."""
    files: tuple[str, ...] = ()
    """The paths that both changed, or that conflict; in order."""


_Key = tuple[str, str]
"""A tree and the commit that it began at: what a branch's changes are, whatever its commit is called."""


class _Work:
    """What one branch changed, found when it is first asked for."""

    def __init__(self, branch: Branch, key: _Key, scratch: Scratch) -> None:
        self.branch = branch
        self.key = key
        self._objects = scratch.objects
        self._trees = scratch.objects.commit(branch.base).tree, key[0]

    @cached_property
    def touched(self) -> Touched:
        return touched(self._objects, *self._trees)

    @cached_property
    def paths(self) -> frozenset[str]:
        return frozenset(change.path for change in compare(self._objects, *self._trees))


class Pairs:
    """The verdicts on all pairs of branches, kept between looks. For one thread."""

    def __init__(self, control: ControlRepository, scratch: Scratch) -> None:
        self._control = control
        self._scratch = scratch
        self._works: dict[str, _Work] = {}
        self._known: dict[tuple[_Key, _Key], tuple[Verdict, tuple[str, ...]]] = {}
        self._brought: dict[tuple[_Key, str], str | None] = {}
        self._before: dict[tuple[str, str], bool] = {}
        self._between: dict[tuple[str, str], Touched] = {}

    def look(self, branches: Iterable[Branch]) -> tuple[Pair, ...]:
        """Every pair of branches, by their ids; only those that are not known are merged.

        Raises:
            UetError: an object of a branch is missing.
        """
        works = [self._work(branch) for branch in sorted(branches, key=lambda branch: branch.id)]
        self._works = {work.branch.id: work for work in works}
        pairs = list(combinations(works, 2))
        unknown = {(one.key, other.key): (one, other) for one, other in pairs}
        self._known = {key: verdict for key, verdict in self._known.items() if key in unknown}
        keys = {work.key for work in works}
        self._brought = {key: commit for key, commit in self._brought.items() if key[0] in keys}
        bases = {work.branch.base for work in works}
        self._before = {key: known for key, known in self._before.items() if bases.issuperset(key)}
        self._between = {key: known for key, known in self._between.items() if bases.issuperset(key)}
        self._judge([pair for key, pair in unknown.items() if key not in self._known])
        return tuple(Pair(one.branch.id, other.branch.id, *self._known[one.key, other.key]) for one, other in pairs)

    def _work(self, branch: Branch) -> _Work:
        known = self._works.get(branch.id)
        if known is not None and known.branch == branch:
            return known
        return _Work(branch, (self._scratch.objects.commit(branch.commit).tree, branch.base), self._scratch)

    def _judge(self, pairs: Sequence[tuple[_Work, _Work]]) -> None:
        together: list[tuple[_Work, _Work]] = []
        for one, other in pairs:
            if self._apart(one, other):
                self._known[one.key, other.key] = "clean", ()
            else:
                together.append((one, other))
        merged = self._scratch.try_merge([(one.branch.commit, other.branch.commit) for one, other in together])
        again: list[tuple[_Work, _Work]] = []
        for (one, other), tree in zip(together, merged, strict=True):
            self._known[one.key, other.key] = _verdict(one, other, tree)
            if one.branch.base != other.branch.base and self._known[one.key, other.key][0] == "conflict":
                again.append((one, other))
        if again:
            self._judge_beside_what_is_merged(again)

    def _apart(self, one: _Work, other: _Work) -> bool:
        """Whether no name was touched by both; nor by either and what was merged between the beginnings of the two."""
        if not apart(one.touched, other.touched):
            return False
        bases = one.branch.base, other.branch.base
        if bases[0] == bases[1]:
            return True
        if bases not in self._between:
            trees = (self._scratch.objects.commit(base).tree for base in bases)
            self._between[bases] = touched(self._scratch.objects, *trees)
        return all(apart(work.touched, self._between[bases]) for work in (one, other))

    def _judge_beside_what_is_merged(self, pairs: Sequence[tuple[_Work, _Work]]) -> None:
        """Tells whether two branches conflict with each other, or one only with what was merged since it began.

        The one that began earlier is merged with where the other began, and the two are tried again from there.
        """
        ordered = [(one, other) if self._began_before(one, other) else (other, one) for one, other in pairs]
        self._bring([(early, late.branch.base) for early, late in ordered])
        brought = [self._brought[early.key, late.branch.base] for early, late in ordered]
        tried = iter(
            self._scratch.try_merge(
                [
                    (commit, late.branch.commit)
                    for commit, (_, late) in zip(brought, ordered, strict=True)
                    if commit is not None
                ]
            )
        )
        for (one, other), commit in zip(pairs, brought, strict=True):
            if commit is not None:
                self._known[one.key, other.key] = _verdict(one, other, next(tried))
            else:
                files = tuple(f for f in self._known[one.key, other.key][1] if f in one.paths and f in other.paths)
                self._known[one.key, other.key] = ("conflict", files) if files else _shared(one, other)

    def _began_before(self, one: _Work, other: _Work) -> bool:
        bases = one.branch.base, other.branch.base
        if bases not in self._before:
            self._before[bases] = self._control.is_ancestor(*bases)
        return self._before[bases]

    def _bring(self, wanted: Sequence[tuple[_Work, str]]) -> None:
        """Merges each branch with a later commit of the integration branch; None where they conflict already."""
        new = {(work.key, onto): work.branch.commit for work, onto in wanted if (work.key, onto) not in self._brought}
        merged = self._scratch.merge([(commit, onto) for (_, onto), commit in new.items()])
        for (key, commit), tree in zip(new.items(), merged, strict=True):
            clean = tree is not None and not tree.stages and not tree.conflicts
            self._brought[key] = self._scratch.commit(tree.tree, (commit, key[1])) if tree and clean else None


def _verdict(one: _Work, other: _Work, merged: MergedTree | None) -> tuple[Verdict, tuple[str, ...]]:
    if merged is None or merged.stages or merged.conflicts:
        files = merged.stages.keys() | {path for paths, _ in merged.conflicts for path in paths} if merged else ()
        return "conflict", tuple(sorted(files))
    return _shared(one, other)


def _shared(one: _Work, other: _Work) -> tuple[Verdict, tuple[str, ...]]:
    both = one.paths & other.paths
    return ("same file", tuple(sorted(both))) if both else ("clean", ())
