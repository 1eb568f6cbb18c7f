"""What a plan would take: the machine itself, driven by a clock of its own."""

from pathlib import Path

import pytest

from tests.core.driver import workstream
from uet_tui.core.forecast import forecast
from uet_tui.plan.bundles import read_bundles
from uet_tui.plan.graph import build_plan


def seconds(*workstreams, workers=(1, 2, 4), **options):
    return [row.seconds for row in forecast(build_plan(workstreams), workers, **options)]


def test_independent_work_is_shared_among_the_workers():
    assert seconds(*(workstream(f"ws-{n}") for n in range(4))) == [4.0, 2.0, 1.0]


def test_a_chain_takes_as_long_whoever_works_on_it():
    assert seconds(workstream("ws-a"), workstream("ws-b", "ws-a"), workstream("ws-c", "ws-b")) == [3.0, 3.0, 3.0]


def test_overlapping_scopes_are_not_shared():
    both = [workstream(id, files_scope=["src/"], estimated_seconds=10) for id in ("ws-a", "ws-b")]
    assert seconds(*both, workers=(2,)) == [20.0]
    assert seconds(*both, workers=(2,), overlap="allow") == [10.0]


def test_barriers_cost_time():
    plan = [
        workstream("ws-a", estimated_seconds=1),
        workstream("ws-b", estimated_seconds=9),
        workstream("ws-c", "ws-a", estimated_seconds=8),
    ]
    assert seconds(*plan, workers=(2,)) == [9.0]
    assert seconds(*plan, workers=(2,), schedule="waves") == [17.0]


def test_what_was_learned_goes_before_what_was_declared():
    plan = build_plan([workstream("ws-a", estimated_seconds=100), workstream("ws-b")])
    row = forecast(plan, [1], default_seconds=5.0, learned={"ws-a": 10.0})[0]
    assert (row.workers, row.seconds, row.speedup) == (1, 15.0, 1.0)


@pytest.mark.shared_data
def test_the_founding_plan_loses_nothing_to_barriers(phase_i_plan: Path):
    plan = build_plan(bundle.workstream for bundle in read_bundles(phase_i_plan).bundles)
    rows = forecast(plan, [1, 2, 4, 8])
    assert [row.seconds for row in rows] == [36.0, 18.0, 9.0, 8.0]
    assert [row.speedup for row in rows] == [1.0, 2.0, 4.0, 4.5]
