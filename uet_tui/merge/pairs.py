"""What merging each pair of branches would come to: in memory, and once for as long as both stay as they are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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


_Said = tuple[Verdict, tuple[str, ...]]
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
        self._known: dict[_Key, dict[_Key, _Said]] = {}
        """Of a key and one that comes after it. Pairs are many where the merge queue is long, so they cost no more
        than a place in a dictionary each."""
        self._brought: dict[tuple[_Key, str], str | None] = {}
        self._before: dict[tuple[str, str], bool] = {}

    def look(self, branches: Iterable[Branch]) -> Iterator[Pair]:
        """Every pair of branches, by their ids; only those that are not known are merged, before this returns.

        Raises:
            UetError: an object of a branch is missing.
        """
        works = [self._work(branch) for branch in sorted(branches, key=lambda branch: branch.id)]
        self._works = {work.branch.id: work for work in works}
        self._forget(works)
        self._judge([(one, other) for one, other in combinations(works, 2) if other.key not in self._of(one)])
        return (
            Pair(one.branch.id, other.branch.id, *self._of(one)[other.key]) for one, other in combinations(works, 2)
        )

    def _of(self, one: _Work) -> dict[_Key, _Said]:
        """What is known of one and those after it."""
        return self._known.setdefault(one.key, {})

    def _forget(self, works: Sequence[_Work]) -> None:
        """Lets go of what was known of branches that are gone, or are not what they were."""
        keys = {work.key for work in works}
        gone = self._known.keys() - keys
        self._known = {
            key: {other: said for other, said in known.items() if other in keys} if gone else known
            for key, known in self._known.items()
            if key in keys
        }
        self._brought = {key: commit for key, commit in self._brought.items() if key[0] in keys}
        bases = {work.branch.base for work in works}
        self._before = {key: known for key, known in self._before.items() if bases.issuperset(key)}

    def _work(self, branch: Branch) -> _Work:
        known = self._works.get(branch.id)
        if known is not None and known.branch == branch:
            return known
        return _Work(branch, (self._scratch.objects.commit(branch.commit).tree, branch.base), self._scratch)

    def _judge(self, pairs: Sequence[tuple[_Work, _Work]]) -> None:
        together: list[tuple[_Work, _Work]] = []
        by_bases: defaultdict[tuple[str, str], list[tuple[_Work, _Work]]] = defaultdict(list)
        for one, other in pairs:
            by_bases[one.branch.base, other.branch.base].append((one, other))
        for bases, begun_there in by_bases.items():
            between = self._between(*bases)
            for one, other in begun_there:
                if _apart(one, other, between):
                    self._of(one)[other.key] = "clean", ()
                else:
                    together.append((one, other))
        merged = self._scratch.try_merge([(one.branch.commit, other.branch.commit) for one, other in together])
        again: list[tuple[_Work, _Work]] = []
        for (one, other), tree in zip(together, merged, strict=True):
            said = self._of(one)[other.key] = _verdict(one, other, tree)
            if one.branch.base != other.branch.base and said[0] == "conflict":
                again.append((one, other))
        if again:
            self._judge_beside_what_is_merged(again)

    def _between(self, base: str, other: str) -> Touched | None:
        """What was merged between the beginnings of two branches; None where they began together."""
        if base == other:
            return None
        trees = (self._scratch.objects.commit(one).tree for one in (base, other))
        return touched(self._scratch.objects, *trees)

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
                self._of(one)[other.key] = _verdict(one, other, next(tried))
            else:
                files = tuple(f for f in self._of(one)[other.key][1] if f in one.paths and f in other.paths)
                self._of(one)[other.key] = ("conflict", files) if files else _shared(one, other)

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


def _apart(one: _Work, other: _Work, between: Touched | None) -> bool:
    """Whether no name was touched by both; nor by either and what was merged between the beginnings of the two."""
    if not apart(one.touched, other.touched):
        return False
    return between is None or (apart(one.touched, between) and apart(other.touched, between))


def _verdict(one: _Work, other: _Work, merged: MergedTree | None) -> _Said:
    if merged is None or merged.stages or merged.conflicts:
        files = merged.stages.keys() | {path for paths, _ in merged.conflicts for path in paths} if merged else ()
        return "conflict", tuple(sorted(files))
    return _shared(one, other)


def _shared(one: _Work, other: _Work) -> _Said:
    both = one.paths & other.paths
    return ("same file", tuple(sorted(both))) if both else ("clean", ())
