"""Workstreams -> plan: the dependency graph, its waves, its critical path, what waits for what.

Everything goes through ids in order, so that the same workstreams give the same plan on every machine.
"""

import graphlib
from collections.abc import Iterable, Mapping, Sequence

from uet_tui.errors import UetError
from uet_tui.plan.model import Plan, Workstream

BOTTLENECKS = 10
"""How many bottlenecks are named at most."""
_TOLD = 12
"""How many ids of a cycle are named at most."""
_MANY = 0.25
"""The share of all others that must wait for a workstream before it counts as a bottleneck."""


class CycleError(UetError):
    """Workstreams wait for each other in a circle, so none of them could ever start."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        told = cycle if len(cycle) <= _TOLD else (*cycle[: _TOLD - 2], f"({len(cycle) - _TOLD + 1:,} more)", cycle[-1])
        super().__init__(f"{' -> '.join(told)}: each waits for the next: remove one of these from depends_on")
        self.cycle = cycle
        """From the smallest id around to itself; each depends on the next."""


def build_plan(workstreams: Iterable[Workstream], *, default_seconds: float = 1.0) -> Plan:
    """The plan of these workstreams, whose ids differ and whose dependencies are all among them.

    `default_seconds` is the duration of a workstream that declares no `estimated_seconds`.

    Raises:
        CycleError: some wait for each other.
        KeyError: one depends on a workstream that is not there.
    """
    by_id = {ws.id: ws for ws in sorted(workstreams, key=lambda ws: ws.id)}
    needs = {id_: tuple(dict.fromkeys(ws.depends_on)) for id_, ws in by_id.items()}
    waiting: dict[str, list[str]] = {id_: [] for id_ in by_id}
    for id_, dependencies in needs.items():
        for dependency in dependencies:
            waiting[dependency].append(id_)
    dependents = {id_: tuple(ids) for id_, ids in waiting.items()}
    waves = _waves(needs)
    last_first = [id_ for wave in reversed(waves) for id_ in wave]
    seconds = {id_: ws.estimated_seconds or default_seconds for id_, ws in by_id.items()}
    remaining = _remaining(last_first, dependents, seconds)
    position = {id_: number for number, id_ in enumerate(last_first)}
    below = reachable(last_first, dependents, position)
    unblocks = {id_: bits.bit_count() - 1 for id_, bits in below.items()}
    return Plan(
        workstreams=by_id,
        dependents=dependents,
        waves=waves,
        critical_path=_critical_path(dependents, remaining),
        remaining={id_: remaining[id_] for id_ in by_id},
        unblocks={id_: unblocks[id_] for id_ in by_id},
        bottlenecks=_bottlenecks(by_id, unblocks),
    )


def reachable(
    order: Sequence[str], following: Mapping[str, Sequence[str]], position: Mapping[str, int]
) -> dict[str, int]:
    """For each workstream, itself and all that follow it, directly or not, as bits by position.

    `order` names each one after all that follow it. Bits, because 10,000 sets would be neither small nor fast.
    """
    found: dict[str, int] = {}
    for id_ in order:
        bits = 1 << position[id_]
        for other in following[id_]:
            bits |= found[other]
        found[id_] = bits
    return found


def _waves(needs: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    sorter = graphlib.TopologicalSorter(needs)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        ring: list[str] = error.args[1][:0:-1]  # graphlib names each before what waits for it, the first one twice
        start = ring.index(min(ring))
        raise CycleError((*ring[start:], *ring[: start + 1])) from None
    waves: list[tuple[str, ...]] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        waves.append(tuple(sorted(ready)))
        sorter.done(*ready)
    return tuple(waves)


def _remaining(
    last_first: Sequence[str], dependents: Mapping[str, Sequence[str]], seconds: Mapping[str, float]
) -> dict[str, float]:
    remaining: dict[str, float] = {}
    for id_ in last_first:
        remaining[id_] = seconds[id_] + max((remaining[dependent] for dependent in dependents[id_]), default=0.0)
    return remaining


def _critical_path(dependents: Mapping[str, Sequence[str]], remaining: Mapping[str, float]) -> tuple[str, ...]:
    """From its first workstream on, always the next with most remaining; of equals, the one with the largest id."""
    path: list[str] = []
    following: Iterable[str] = remaining
    while following:
        path.append(max(following, key=lambda id_: (remaining[id_], id_)))
        following = dependents[path[-1]]
    return tuple(path)


def _bottlenecks(by_id: Mapping[str, Workstream], unblocks: Mapping[str, int]) -> tuple[str, ...]:
    others = len(by_id) - 1
    held_up = {id_: unblocks[id_] if ws.parallel_ok else others for id_, ws in by_id.items()}
    worst = sorted(by_id, key=lambda id_: (-held_up[id_], -unblocks[id_], id_))[:BOTTLENECKS]
    return tuple(id_ for id_ in worst if held_up[id_] >= max(2, _MANY * others))
