import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan.samples import workstream
from uet_tui.plan.graph import CycleError, build_plan
from uet_tui.plan.model import Workstream

rows = st.lists(
    st.tuples(st.sets(st.integers(0, 11), max_size=3), st.none() | st.integers(1, 9), st.booleans()), max_size=12
)


def random_plan(made) -> list[Workstream]:
    return [
        workstream(f"ws-{n:02}", *(f"ws-{d:02}" for d in needs if d < n), estimated_seconds=seconds, parallel_ok=alone)
        for n, (needs, seconds, alone) in enumerate(made)
    ]


@given(rows, st.randoms(use_true_random=False))
def test_a_plan_follows_from_its_definitions(made, chance: random.Random):
    workstreams = random_plan(made)
    plan = build_plan(workstreams, default_seconds=5.0)
    by_id = {ws.id: ws for ws in workstreams}
    seconds = {ws.id: ws.estimated_seconds or 5.0 for ws in workstreams}

    def below(id_: str) -> set[str]:
        direct = [ws.id for ws in workstreams if id_ in ws.depends_on]
        return set(direct).union(*map(below, direct))

    def longest(id_: str) -> float:
        return seconds[id_] + max((longest(ws.id) for ws in workstreams if id_ in ws.depends_on), default=0.0)

    assert list(plan.workstreams) == sorted(by_id)
    assert sorted(id_ for wave in plan.waves for id_ in wave) == sorted(by_id)
    for id_, wave in plan.wave_of.items():
        assert wave == 1 + max((plan.wave_of[d] for d in by_id[id_].depends_on), default=0)
    assert plan.unblocks == {id_: len(below(id_)) for id_ in by_id}
    assert plan.remaining == {id_: longest(id_) for id_ in by_id}
    assert sum(seconds[id_] for id_ in plan.critical_path) == max(plan.remaining.values(), default=0.0)
    for before, after in zip(plan.critical_path, plan.critical_path[1:], strict=False):
        assert before in by_id[after].depends_on
    chance.shuffle(workstreams)
    assert build_plan(workstreams, default_seconds=5.0) == plan


def test_a_chain_of_ten_thousand_is_planned_without_recursion():
    chain = [workstream(f"ws-{n:05}", *([f"ws-{n - 1:05}"] if n else [])) for n in range(10_000)]
    plan = build_plan(chain)
    assert len(plan.critical_path) == len(plan.waves) == 10_000
    assert plan.remaining["ws-00000"] == 10_000.0
    assert plan.unblocks["ws-00000"] == 9_999


def test_a_ring_of_ten_thousand_is_named_without_recursion():
    ring = [workstream(f"ws-{n:05}", f"ws-{(n - 1) % 10_000:05}") for n in range(10_000)]
    with pytest.raises(CycleError) as caught:
        build_plan(ring)
    assert len(caught.value.cycle) == 10_001
    assert len(str(caught.value)) < 400


def test_a_diamond_has_three_waves():
    diamond = [workstream("ws-d", "ws-b", "ws-c"), workstream("ws-b", "ws-a"), workstream("ws-c", "ws-a")]
    plan = build_plan([*diamond, workstream("ws-a")])
    assert plan.waves == (("ws-a",), ("ws-b", "ws-c"), ("ws-d",))
    assert plan.dependents["ws-a"] == ("ws-b", "ws-c")
    assert plan.unblocks["ws-a"] == 3


def test_a_cycle_is_named_from_its_smallest_id_in_the_direction_of_waiting():
    made = [workstream("ws-c", "ws-b"), workstream("ws-a", "ws-c"), workstream("ws-b", "ws-a"), workstream("ws-d")]
    with pytest.raises(CycleError, match="ws-a -> ws-c -> ws-b -> ws-a"):
        build_plan(made)


def test_of_equally_long_paths_the_one_with_the_larger_ids_is_critical():
    made = [workstream("ws-a"), workstream("ws-b", "ws-a"), workstream("ws-c", "ws-a")]
    assert build_plan(made).critical_path == ("ws-a", "ws-c")
    longer = [made[0], workstream("ws-b", "ws-a", estimated_seconds=2), made[2]]
    assert build_plan(longer).critical_path == ("ws-a", "ws-b")


def test_bottlenecks_are_what_many_wait_for_and_what_runs_alone():
    many = [workstream(f"ws-m{n}", "ws-root") for n in range(6)]
    made = [workstream("ws-root"), workstream("ws-alone", parallel_ok=False), workstream("ws-free"), *many]
    assert build_plan(made).bottlenecks == ("ws-alone", "ws-root")


def test_a_plan_of_nothing_is_empty():
    plan = build_plan([])
    assert (plan.waves, plan.critical_path, plan.bottlenecks) == ((), (), ())
