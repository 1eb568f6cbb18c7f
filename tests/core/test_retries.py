"""What follows a failure: again, later, or never."""

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core import retries
from uet_tui.core.commands import Verb
from uet_tui.core.events import Collected
from uet_tui.core.policy import Policy
from uet_tui.core.retries import MOST_LOST
from uet_tui.core.states import AttemptState

STEADY = Policy(retry_base_seconds=2.0, retry_max_seconds=5.0, retry_jitter=0.0)


def breaker(**limits: int) -> dict[str, dict[str, int]]:
    return {"circuit_breaker": {"max_attempts": 9, "max_error_repeats": 9, "oscillation_threshold": 9} | limits}


def wait_out(run: Driver) -> float:
    """Lets the time until the next wakeup pass; says how long it was."""
    wakeup = run.machine.next_wakeup()
    assert wakeup is not None
    seconds = wakeup - run.clock
    run.passes(seconds)
    return seconds


def test_a_failure_is_tried_again_after_a_delay_that_doubles_up_to_a_limit():
    run = Driver(workstream("ws-a", **breaker()), policy=STEADY).begin()
    delays = []
    for number in range(1, 5):
        run.fails("ws-a", f"trouble of kind {'abcd'[number - 1]}")
        assert run.state("ws-a") == "PENDING"
        assert "tries again" in run.reason("ws-a") and "trouble" in run.reason("ws-a")
        delays.append(wait_out(run))
        assert run.running == ["ws-a"]
        assert run.row("ws-a").attempts == number + 1
    assert delays == [2.0, 4.0, 5.0, 5.0]


def test_delays_are_spread_by_a_draw_that_is_the_same_in_every_replay():
    policy = Policy(retry_base_seconds=10.0, retry_jitter=0.5)
    delays = {id: retries.delay(id, 1, policy) for id in ("ws-a", "ws-b", "ws-c")}
    assert len(set(delays.values())) == 3
    assert all(5.0 <= seconds <= 10.0 for seconds in delays.values())
    assert retries.delay("ws-a", 1, policy) == delays["ws-a"]


def test_others_work_while_one_waits_for_its_retry():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workers=1, policy=STEADY).begin()
    run.fails("ws-a")
    assert run.running == ["ws-b"]


def test_the_next_attempt_is_told_what_went_wrong():
    run = Driver(workstream("ws-a")).begin()
    run.fails("ws-a", "exit 1: no such table")
    assert run.row("ws-a").note == "exit 1: no such table"


def test_the_next_attempt_is_told_the_end_of_what_the_gate_printed():
    run = Driver(workstream("ws-a")).begin()
    run.ends("ws-a")
    run.tell(Collected("ws-a", 1, "commit", "tree", "GATE_UNIT failed: 1 failed", detail="expected 3, got 4"))
    assert run.row("ws-a").note == "GATE_UNIT failed: 1 failed\n\nexpected 3, got 4"
    assert run.reason("ws-a") == "attempt 1 failed (GATE_UNIT failed: 1 failed); tries again"


@pytest.mark.parametrize(
    ("error", "detail"), [("e" * 10, "d" * 9_000), ("e" * 9_000, "d" * 9_000), ("e" * 3_998, "dd")]
)
def test_what_the_next_attempt_is_told_is_bounded_and_keeps_the_end(error, detail):
    told = retries.note(error, detail + "!")
    assert len(told) <= 4_000
    assert told.startswith("eeeeeeeeee")
    assert told.endswith("!") == (len(error) < 3_900)


def test_what_no_agent_can_put_right_is_not_tried_again():
    run = Driver(workstream("ws-a")).begin()
    run.ends("ws-a")
    run.tell(Collected("ws-a", 1, "commit", "tree", "GATE_UNIT error: pytest is not installed", retryable=False))
    assert (run.state("ws-a"), run.reason("ws-a")) == ("FAILED", "GATE_UNIT error: pytest is not installed")


def test_as_many_attempts_as_the_breaker_allows_then_failed():
    run = Driver(workstream("ws-a", **breaker(max_attempts=2)), policy=STEADY).begin()
    run.fails("ws-a", "first trouble")
    wait_out(run)
    run.fails("ws-a", "other trouble")
    assert run.state("ws-a") == "FAILED"
    assert run.reason("ws-a") == "attempt 2 of 2 failed: other trouble"


def test_the_same_error_too_often_is_quarantined_whatever_the_numbers_in_it():
    run = Driver(workstream("ws-a", **breaker(max_error_repeats=1)), policy=STEADY).begin()
    run.fails("ws-a", "line 12: no such file /tmp/a1")
    wait_out(run)
    run.fails("ws-a", "line 77: no such file /tmp/b2")
    wait_out(run)
    assert run.running == ["ws-a"], "it may come again once"
    run.fails("ws-a", "line 3: no such file /tmp/c3")
    assert run.state("ws-a") == "QUARANTINED"
    assert run.reason("ws-a").startswith("the same error 3 times")


def test_another_error_in_between_starts_the_count_anew():
    run = Driver(workstream("ws-a", **breaker(max_error_repeats=1)), policy=STEADY).begin()
    for error in ("one", "one", "two", "one", "one"):
        run.fails("ws-a", error)
        wait_out(run)
    assert run.running == ["ws-a"]


def test_the_same_wrong_change_again_and_again_is_quarantined():
    run = Driver(workstream("ws-a", **breaker(oscillation_threshold=2)), policy=STEADY).begin()
    for problem in ("GATE_UNIT failed", "GATE_LINT failed", "GATE_SECURITY failed"):
        run.ends("ws-a")
        run.collects("ws-a", problem, tree="the-same-tree")
        if run.state("ws-a") == "PENDING":
            wait_out(run)
    assert run.state("ws-a") == "QUARANTINED"
    assert run.reason("ws-a") == "made the same change 3 times, and it was wrong: GATE_SECURITY failed"


def test_a_timeout_is_not_tried_again():
    run = Driver(workstream("ws-a")).begin()
    run.fails_for_good("ws-a")
    assert run.state("ws-a") == "FAILED"
    assert run.reason("ws-a") == "did not end within its time limit"


def test_a_lost_attempt_is_tried_again_and_counts_for_nothing():
    run = Driver(workstream("ws-a", **breaker(max_attempts=1, max_error_repeats=0)), policy=STEADY).begin()
    for _ in range(6):
        run.ends("ws-a", AttemptState.LOST, "its processes are gone")
        run.collects("ws-a", change=False)
        assert run.state("ws-a") == "PENDING", run.reason("ws-a")
        wait_out(run)
    run.fails("ws-a")
    assert run.state("ws-a") == "FAILED"


def test_what_an_attempt_left_is_collected_before_the_next_one_starts():
    run = Driver(workstream("ws-a"), policy=STEADY).begin()
    run.ends("ws-a", AttemptState.FAILED, "exit 1")
    run.passes(1000)
    assert run.running == []
    assert run.reason("ws-a") == "saving what the attempt left"
    run.collects("ws-a")
    assert run.attempts["ws-a", 1].commit == "commit-ws-a-1"


def test_an_agent_that_changes_nothing_must_say_so():
    run = Driver(workstream("ws-a"), workstream("ws-b"), policy=STEADY).begin()
    for id in ("ws-a", "ws-b"):
        run.ends(id)
    run.collects("ws-a", change=False, stated=True)
    run.collects("ws-b", change=False)
    assert (run.state("ws-a"), run.reason("ws-a")) == ("MERGED", "no change needed")
    assert run.state("ws-b") == "PENDING"
    assert "changed nothing" in run.reason("ws-b")


def test_a_merged_tree_that_does_not_pass_is_done_again_on_the_new_tip():
    run = Driver(workstream("ws-a"), workstream("ws-b"), policy=STEADY).begin()
    run.comes_to_merge("ws-a", "ws-b")
    run.merges("ws-a")
    run.merge_fails("ws-b")
    assert run.state("ws-b") == "PENDING"
    wait_out(run)
    assert run.attempts["ws-b", 2].base_commit == "tip-1"


def test_an_attempt_that_could_not_start_has_failed():
    run = Driver(workstream("ws-a"), policy=STEADY).begin()
    run.fails("ws-a", "could not start: no such program")
    assert run.attempts["ws-a", 1].state == "FAILED"
    assert run.state("ws-a") == "PENDING"


def test_the_operator_need_not_wait_for_the_delay():
    run = Driver(workstream("ws-a"), policy=STEADY).begin()
    run.fails("ws-a")
    assert run.does(Verb.RETRY, workstream="ws-a") == "ws-a tries again now"
    assert run.running == ["ws-a"]
    assert run.machine.next_wakeup() is None
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_what_is_held_is_not_said_to_be_tried_again_now():
    run = Driver(workstream("ws-a"), policy=STEADY).begin(linger=True)
    run.fails("ws-a")
    run.does(Verb.HOLD, workstream="ws-a")
    told = run.does(Verb.RETRY, workstream="ws-a")
    assert told == "ws-a tries again as soon as it is released: it is held by the operator"
    assert run.running == []
    run.does(Verb.RELEASE, workstream="ws-a")
    assert run.running == ["ws-a"]


def test_a_retry_grants_one_attempt_more_and_forgets_what_was_counted():
    run = Driver(workstream("ws-a", **breaker(max_attempts=1)), policy=STEADY).begin()
    run.fails("ws-a")
    run.does(Verb.RETRY, workstream="ws-a", note="mind the tabs")
    assert run.running == ["ws-a"]
    assert (run.row("ws-a").wish, run.row("ws-a").note) == ("mind the tabs", "exit 1")
    run.fails("ws-a")
    assert run.state("ws-a") == "FAILED"


@pytest.mark.parametrize("state", ["RUNNING", "MERGED"])
def test_only_what_did_not_merge_can_be_retried(state):
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin(linger=True)
    if state == "MERGED":
        run.finishes("ws-a")
    assert run.is_refused(Verb.RETRY, workstream="ws-a") == f"ws-a is {state}: only what did not merge can be retried"


# Skipping


def test_what_depends_on_a_failure_is_skipped_with_the_reason_and_the_rest_goes_on():
    run = Driver(
        workstream("ws-a"),
        workstream("ws-b", "ws-a"),
        workstream("ws-c", "ws-b"),
        workstream("ws-d"),
        workstream("ws-e", "ws-d"),
    ).begin()
    run.fails_for_good("ws-a")
    assert run.states == {
        "ws-a": "FAILED",
        "ws-b": "SKIPPED",
        "ws-c": "SKIPPED",
        "ws-d": "RUNNING",
        "ws-e": "PENDING",
    }
    assert run.reason("ws-c") == "depends on ws-a: ws-a is FAILED"
    run.runs_to_the_end()
    assert run.run.state == "FAILED"
    assert run.run.reason == "3 of 5 workstreams did not merge"


def test_a_retry_revives_what_was_skipped():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a"), workstream("ws-c", "ws-a", "ws-b")).begin(linger=True)
    run.fails_for_good("ws-a")
    assert run.run.state == "FAILED"
    run.does(Verb.RETRY, workstream="ws-a")
    assert run.states == {"ws-a": "RUNNING", "ws-b": "PENDING", "ws-c": "PENDING"}
    assert run.reason("ws-b") == "waits for ws-a"
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_what_depends_on_two_failures_comes_back_with_the_second_retry():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workstream("ws-c", "ws-a", "ws-b")).begin(linger=True)
    run.fails_for_good("ws-a")
    run.fails_for_good("ws-b")
    run.does(Verb.RETRY, workstream="ws-a")
    assert run.state("ws-c") == "SKIPPED"
    assert "retry that" in run.is_refused(Verb.RETRY, workstream="ws-c")
    run.does(Verb.RETRY, workstream="ws-b")
    assert run.state("ws-c") == "PENDING"
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_what_the_operator_skipped_is_not_revived_by_a_retry_of_something_else():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a"), workstream("ws-c", "ws-b")).begin(linger=True)
    run.does(Verb.SKIP, workstream="ws-b")
    run.fails_for_good("ws-a")
    run.does(Verb.RETRY, workstream="ws-a")
    assert (run.state("ws-b"), run.state("ws-c")) == ("SKIPPED", "SKIPPED")
    assert run.reason("ws-b") == "skipped by ann"
    run.runs_to_the_end()
    run.does(Verb.RETRY, workstream="ws-b")
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_a_workstream_can_be_skipped_with_all_that_depends_on_it():
    run = Driver(
        workstream("ws-a", estimated_seconds=9), workstream("ws-b"), workstream("ws-c", "ws-b"), workers=1
    ).begin()
    run.does(Verb.SKIP, workstream="ws-b")
    assert run.reason("ws-b") == "skipped by ann"
    assert run.reason("ws-c") == "depends on ws-b: ws-b was skipped"
    assert "cannot be skipped now" in run.is_refused(Verb.SKIP, workstream="ws-a")
    run.finishes("ws-a")
    assert run.run.state == "FAILED"


def test_a_skipped_retry_leaves_nothing_to_wait_for():
    run = Driver(workstream("ws-a"), policy=STEADY).begin()
    run.fails("ws-a")
    run.does(Verb.SKIP, workstream="ws-a")
    assert run.run.state == "FAILED"
    assert run.machine.next_wakeup() is None


def test_who_is_lost_again_and_again_is_given_up_before_that_costs_without_end():
    run = Driver(workstream("ws-a")).begin()
    for lost in range(1, MOST_LOST):
        run.starts("ws-a")
        run.ends("ws-a", AttemptState.LOST, "its processes are gone")
        run.collects("ws-a")
        assert run.state("ws-a") == "PENDING", lost
        run.passes(200)
    run.starts("ws-a")
    run.ends("ws-a", AttemptState.LOST, "its processes are gone")
    run.collects("ws-a")
    assert (run.state("ws-a"), run.reason("ws-a")) == ("FAILED", "its processes are gone, 12 times in a row")
    run.does(Verb.RETRY, workstream="ws-a")
    assert run.running == ["ws-a"]


def test_who_is_ended_though_nobody_asked_for_that_is_not_begun_anew_without_end():
    """An agent that signals its own keeper would start again at once, for ever, and be paid each time."""
    run = Driver(workstream("ws-a")).begin()
    for _ in range(MOST_LOST):
        run.starts("ws-a")
        run.ends("ws-a", AttemptState.KILLED, "ended on request")
        run.collects("ws-a")
        run.passes(200)
    assert (run.state("ws-a"), run.reason("ws-a")) == (
        "FAILED",
        "it was ended, and uet did not ask for that, 12 times in a row",
    )


def test_an_attempt_that_was_lost_before_it_started_does_not_count_as_lost_again():
    run = Driver(workstream("ws-a")).begin()
    for _ in range(2 * MOST_LOST):
        run.crash()
        run.collects("ws-a", change=False)
        run.passes(200)
    assert run.running == ["ws-a"]


@pytest.mark.parametrize("ended", ["by itself", "by the operator"])
def test_that_the_wait_of_a_held_workstream_is_over_is_stored(ended: str):
    run = Driver(workstream("ws-a", **breaker()), workstream("ws-b"), policy=STEADY).begin()
    run.fails("ws-a")
    run.does(Verb.HOLD, workstream="ws-a")
    if ended == "by itself":
        wait_out(run)
    else:
        run.does(Verb.RETRY, workstream="ws-a")
    assert run.row("ws-a").retry_at is None
    assert run.stored == run.machine.board.records
    assert (run.state("ws-a"), run.reason("ws-a")) == ("PENDING", "held by the operator")


def test_a_clock_that_is_set_back_does_not_make_a_retry_wait_for_it_to_catch_up():
    run = Driver(workstream("ws-a", **breaker()), policy=STEADY).begin()
    run.fails("ws-a")
    run.passes(-3600.0)
    run.passes(STEADY.retry_max_seconds)
    assert run.running == ["ws-a"]


def test_a_clock_that_is_set_forward_only_makes_a_retry_start_sooner():
    run = Driver(workstream("ws-a", **breaker()), policy=STEADY).begin()
    run.fails("ws-a")
    run.passes(31_536_000.0)
    assert run.running == ["ws-a"]
    run.passes(-31_536_000.0)
    run.goes_well()
    assert run.row("ws-a").attempts == 2
