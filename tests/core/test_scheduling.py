"""Who starts when, and the reason that is shown for those that wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.policy import Policy


def test_a_workstream_starts_once_everything_it_depends_on_is_merged():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workstream("ws-c", "ws-a", "ws-b")).begin()
    assert run.running == ["ws-a", "ws-b"]
    assert run.reason("ws-c") == "waits for ws-a"
    run.finishes("ws-a")
    assert run.reason("ws-c") == "waits for ws-b"
    run.comes_to_merge("ws-b")
    assert run.state("ws-c") == "PENDING"
    run.merges("ws-b")
    assert run.running == ["ws-c"]


def test_a_dependency_that_is_named_twice_counts_once():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a", "ws-a")).begin()
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_a_dependent_starts_from_a_tip_that_holds_what_it_depends_on():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a")).begin()
    assert run.starting["ws-a", 1].base == "base"
    run.finishes("ws-a")
    assert run.starting["ws-b", 1].base == "tip-1"
    assert run.attempts["ws-b", 1].base_commit == "tip-1"


def test_foreground_goes_before_background_then_the_longest_remaining_path_then_the_id():
    run = Driver(
        workstream("ws-a", priority="background", estimated_seconds=50),
        workstream("ws-d"),
        workstream("ws-c"),
        workstream("ws-long"),
        workstream("ws-last", "ws-long"),
        workers=1,
    ).begin()
    order = []
    while run.run.state != "COMPLETED":
        order += run.running
        run.finishes(run.running[0])
    assert order == ["ws-long", "ws-c", "ws-d", "ws-last", "ws-a"]


def test_no_more_start_than_there_are_workers():
    run = Driver(*(workstream(f"ws-{n}") for n in range(5)), workers=2).begin()
    assert run.running == ["ws-0", "ws-1"]
    assert run.reason("ws-2") == "waits for a free worker"
    run.comes_to_merge("ws-1")
    assert run.running == ["ws-0", "ws-2"]


def test_no_more_workers_come_up_than_there_is_work():
    run = Driver(workstream("ws-a"), workers=8).begin()
    assert run.workers == {1: "BUSY"}


def test_a_worker_is_given_back_when_its_work_is_collected_not_when_its_agent_ends():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workers=1).begin()
    run.ends("ws-a")
    assert run.state("ws-a") == "GATING"
    assert run.running == []
    run.collects("ws-a")
    assert run.running == ["ws-b"]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"files_scope": ["src/"]}, {"files_scope": ["src/b.py"]}),
        ({"files_scope": ["src/*.py"]}, {"files_scope": ["src/b.py"]}),
        ({"files_scope": ["a.py"], "files_create": ["new/"]}, {"files_scope": ["new/b.py"]}),
    ],
)
def test_overlapping_scopes_are_held_one_after_the_other(a, b):
    run = Driver(workstream("ws-a", **a), workstream("ws-b", **b)).begin()
    assert run.running == ["ws-a"]
    assert run.reason("ws-b") == "scope held by ws-a"
    run.comes_to_merge("ws-a")
    assert run.running == [], "a scope is held until the merge"
    run.merges("ws-a")
    assert run.running == ["ws-b"]


def test_overlapping_scopes_run_together_where_the_settings_allow_it():
    both = [workstream(id, files_scope=["src/"]) for id in ("ws-a", "ws-b")]
    assert Driver(*both, policy=Policy(overlap="allow")).begin().running == ["ws-a", "ws-b"]


def test_a_group_is_held_by_one_at_a_time():
    run = Driver(*(workstream(f"ws-{n}", conflict_group="db") for n in "abc"), workers=3).begin()
    assert run.running == ["ws-a"]
    assert run.reason("ws-b") == run.reason("ws-c") == "group db held by ws-a"
    run.finishes("ws-a")
    assert run.running == ["ws-b"]
    assert run.reason("ws-c") == "group db held by ws-b"


def test_what_must_run_alone_waits_for_all_and_lets_nobody_overtake_or_join():
    run = Driver(
        workstream("ws-a", estimated_seconds=9),
        workstream("ws-b", estimated_seconds=9),
        workstream("ws-x", parallel_ok=False, estimated_seconds=5),
        workstream("ws-z"),
    ).begin()
    assert run.running == ["ws-a", "ws-b"]
    run.finishes("ws-a")
    assert run.running == ["ws-b"]
    assert run.reason("ws-x") == "runs alone: waits for ws-b"
    run.finishes("ws-b")
    assert run.running == ["ws-x"]
    assert run.reason("ws-z") == "waits for ws-x, which runs alone"
    run.finishes("ws-x")
    assert run.running == ["ws-z"]


def test_what_must_run_alone_in_a_later_wave_does_not_hold_up_this_one():
    run = Driver(
        workstream("ws-a", estimated_seconds=9),
        workstream("ws-b"),
        workstream("ws-c"),
        workstream("ws-x", "ws-a", parallel_ok=False, estimated_seconds=9),
        policy=Policy(schedule="waves"),
    ).begin()
    run.finishes("ws-a")
    assert run.running == ["ws-b", "ws-c"]
    run.finishes("ws-b")
    assert run.reason("ws-x") == "waits for wave 1 to end"


def test_what_must_run_alone_and_cannot_be_paid_does_not_hold_up_the_rest():
    run = Driver(
        workstream("ws-a"),
        workstream("ws-b"),
        workstream("ws-x", parallel_ok=False, estimated_seconds=9, max_cost_usd=5),
        budget=1.0,
    ).begin()
    assert run.running == ["ws-a", "ws-b"]
    assert run.reason("ws-x") == "budget: needs $5.00, $1.00 is left"


def test_a_wave_begins_when_the_one_before_it_has_ended():
    run = Driver(
        workstream("ws-a"),
        workstream("ws-b"),
        workstream("ws-c", "ws-a"),
        policy=Policy(schedule="waves"),
    ).begin()
    run.finishes("ws-a")
    assert run.running == ["ws-b"]
    assert run.reason("ws-c") == "waits for wave 1 to end"
    run.finishes("ws-b")
    assert run.running == ["ws-c"]


def test_without_waves_nobody_waits_at_a_barrier():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workstream("ws-c", "ws-a")).begin()
    run.finishes("ws-a")
    assert run.running == ["ws-b", "ws-c"]


def test_a_wave_does_not_wait_for_the_operator():
    run = Driver(
        workstream("ws-a"),
        workstream("ws-b"),
        workstream("ws-c", "ws-a"),
        workstream("ws-d", "ws-b"),
        policy=Policy(schedule="waves"),
    ).begin(linger=True)
    run.finishes("ws-a")
    run.comes_to_merge("ws-b")
    run.conflicts("ws-b")
    assert run.running == ["ws-c"]


def test_a_retry_in_an_earlier_wave_closes_the_barrier_again():
    run = Driver(
        workstream("ws-a"),
        workstream("ws-b"),
        workstream("ws-c", "ws-a"),
        workstream("ws-d", "ws-a"),
        workers=1,
        policy=Policy(schedule="waves"),
    ).begin()
    run.finishes("ws-a")
    run.fails_for_good("ws-b")
    assert run.running == ["ws-c"]
    run.does(Verb.RETRY, workstream="ws-b")
    run.comes_to_merge("ws-c")
    assert run.running == ["ws-b"]
    run.does(Verb.SCALE, number=2)
    assert run.running == ["ws-b"]
    assert run.reason("ws-d") == "waits for wave 1 to end"


def test_the_merge_queue_takes_who_unblocks_most_then_foreground_then_the_id():
    run = Driver(
        workstream("ws-a", priority="background"),
        workstream("ws-b"),
        workstream("ws-c"),
        workstream("ws-d"),
        workstream("ws-e"),
        workstream("ws-z", "ws-d"),
        workers=5,
    ).begin()
    run.comes_to_merge("ws-e", "ws-a", "ws-c", "ws-b", "ws-d")
    order = []
    while run.unanswered:
        order.append(run.unanswered[0].workstream)
        run.merges(order[-1])
    assert order == ["ws-e", "ws-d", "ws-b", "ws-c", "ws-a"]
    assert run.reason("ws-a") == ""


def test_one_merge_at_a_time_each_on_the_tip_of_the_one_before():
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin()
    run.comes_to_merge("ws-a", "ws-b")
    assert run.merging is not None and run.merging.tip == "base"
    assert run.state("ws-b") == "QUEUED"
    assert run.reason("ws-b") == "in the merge queue: 1st, behind ws-a"
    run.merges("ws-a")
    assert run.merging is not None and run.merging.tip == "tip-1"


def test_a_free_worker_is_kept_for_a_moment_for_more_urgent_work():
    expected = dict.fromkeys(("ws-a", "ws-b", "ws-urgent", "ws-small"), 10.0)
    run = Driver(
        workstream("ws-a", estimated_seconds=10),
        workstream("ws-b", estimated_seconds=10),
        workstream("ws-small", priority="background"),
        workstream("ws-urgent", "ws-a", "ws-b", estimated_seconds=10),
        policy=Policy(expected=expected),
    ).begin()
    run.clock += 9.8
    run.finishes("ws-a")
    assert run.running == ["ws-b"], "ws-urgent is about to become ready"
    wakeup = run.machine.next_wakeup()
    assert wakeup == pytest.approx(run.clock + 1.0)
    run.finishes("ws-b")
    assert run.running == ["ws-urgent", "ws-small"]


def test_a_worker_is_not_kept_for_ever():
    expected = dict.fromkeys(("ws-a", "ws-b", "ws-urgent", "ws-small"), 10.0)
    run = Driver(
        workstream("ws-a", estimated_seconds=10),
        workstream("ws-b", estimated_seconds=10),
        workstream("ws-small", priority="background"),
        workstream("ws-urgent", "ws-a", "ws-b", estimated_seconds=10),
        policy=Policy(expected=expected),
    ).begin()
    run.clock += 9.8
    run.finishes("ws-a")
    run.passes(1.0)
    assert run.running == ["ws-b", "ws-small"]
    assert run.machine.next_wakeup() is None


def test_the_same_story_is_told_with_the_same_words():
    run = Driver(*(workstream(f"ws-{n}", conflict_group=f"g{n % 3}") for n in range(9)), workers=4).begin()
    run.fails(run.running[1])
    run.runs_to_the_end()
    assert run.replayed() == run.log


_STORY = """
import hashlib
from tests.core.driver import Driver, workstream
run = Driver(*(workstream(f"ws-{n}", conflict_group=f"g{n % 3}") for n in range(9)), workers=4).begin()
run.fails(run.running[1])
run.runs_to_the_end()
print(hashlib.sha256(repr(run.log).encode()).hexdigest())
"""


def test_the_same_story_is_told_whatever_the_hash_seed():
    told = {
        subprocess.run(
            [sys.executable, "-c", _STORY],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
