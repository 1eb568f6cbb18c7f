"""Pairs of workstreams that may write the same path although neither waits for the other."""

from collections.abc import Mapping
from dataclasses import dataclass

from uet_tui.plan.graph import reachable
from uet_tui.plan.model import Plan, Workstream
from uet_tui.plan.scopes import ScopeIndex, is_glob, overlaps


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two workstreams, the smaller id first, and a scope of one of them that the other may write to as well."""

    a: str
    b: str
    path: str


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The first pairs by id, and how many there are."""

    first: tuple[Overlap, ...]
    total: int


def overlapping_pairs(plan: Plan, limit: int) -> Overlaps:
    """The pairs whose write scopes overlap and that no dependency orders; the first `limit` of them by name.

    Pairs are kept as bits, because 10,000 workstreams in one directory make 50 million of them.
    """
    ids = list(plan.workstreams)
    position = {id_: number for number, id_ in enumerate(ids)}
    overlapping = _overlapping(list(plan.workstreams.values()))
    if not overlapping:
        return Overlaps((), 0)
    first_last = [id_ for wave in plan.waves for id_ in wave]
    after = reachable(first_last[::-1], plan.dependents, position)
    before = reachable(first_last, {id_: ws.depends_on for id_, ws in plan.workstreams.items()}, position)
    first: list[Overlap] = []
    total = 0
    for number, bits in overlapping.items():
        id_ = ids[number]
        unordered = (bits & ~after[id_] & ~before[id_]) >> number
        total += unordered.bit_count()
        while unordered and len(first) < limit:
            lowest = unordered & -unordered
            unordered ^= lowest
            other = ids[number + lowest.bit_length() - 1]
            first.append(Overlap(id_, other, _shared(plan.workstreams[id_], plan.workstreams[other])))
    return Overlaps(tuple(first), total)


def _overlapping(workstreams: list[Workstream]) -> Mapping[int, int]:
    """By position, in order: all that overlap with it, itself included, as bits; those without any are left out."""
    writers: dict[str, int] = {}
    index = ScopeIndex()
    for number, ws in enumerate(workstreams):
        for scope in ws.write_scope:
            writers[scope] = writers.get(scope, 0) | 1 << number
            index.add(scope)
    meeting: dict[str, int] = {}
    for scope in writers:
        bits = 0
        for other in index.meeting(scope):
            bits |= writers[other]
        meeting[scope] = bits
    found: dict[int, int] = {}
    for number, ws in enumerate(workstreams):
        bits = 0
        for scope in ws.write_scope:
            bits |= meeting[scope]
        if bits.bit_count() > 1:
            found[number] = bits
    return found


def _shared(a: Workstream, b: Workstream) -> str:
    """The narrower of the first two scopes that overlap."""
    pairs = ((x, y) for x in a.write_scope for y in b.write_scope if overlaps(x, y))
    return max(next(pairs), key=lambda scope: (not is_glob(scope), len(scope)))
