"""The merge queue: batches, an order in which nobody starves, what comes back, and what the operator wants of it."""

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.policy import Policy


def names(run: Driver) -> list[str]:
    """The batch under way, as far as it has not come back."""
    return [entry.workstream for entry in run.unanswered]


def busy(*more: str, policy: Policy | None = None) -> Driver:
    """A run in which `ws-0` is merging, and others come to the queue one second after the other."""
    ids = ("ws-0", *more)
    run = Driver(*(workstream(id) for id in ids), workers=len(ids), policy=policy).begin(linger=True)
    for id in ids:
        run.clock += 1
        run.comes_to_merge(id)
    return run


def test_a_batch_is_what_goes_next_and_the_next_one_waits_until_all_came_back():
    run = busy("ws-a", "ws-b", "ws-c", "ws-d", "ws-e")
    run.merges("ws-0")
    assert names(run) == ["ws-a", "ws-b", "ws-c", "ws-d"]
    assert run.reason("ws-b") == "merging with ws-a, ws-c and ws-d"
    assert run.reason("ws-e") == "in the merge queue: 1st, behind the batch of ws-a"
    for id in ("ws-c", "ws-a", "ws-d"):
        run.merges(id)
    assert names(run) == ["ws-b"]
    run.merges("ws-b")
    assert run.merging is not None and run.merging.tip == run.run.tip
    assert names(run) == ["ws-e"]
    assert run.reason("ws-e") == "merging"
    assert run.told("batch_taken")[1] == "merging ws-a, ws-b, ws-c and ws-d together"


def test_who_waits_is_told_behind_whom():
    run = busy("ws-a", "ws-b", "ws-c", "ws-d", "ws-e")
    assert [run.reason(f"ws-{n}") for n in "abcde"] == [
        "in the merge queue: 1st, behind ws-0",
        "in the merge queue: 2nd, behind ws-a",
        "in the merge queue: 3rd, behind ws-b",
        "in the merge queue: 4th or later",
        "in the merge queue",
    ]


def test_older_results_go_before_younger_ones_of_the_same_rank():
    run = busy("ws-c", "ws-a", "ws-b", policy=Policy(batch=1))
    order = []
    while run.unanswered:
        order += names(run)
        run.merges(order[-1])
    assert order == ["ws-0", "ws-c", "ws-a", "ws-b"]


def test_nobody_is_overtaken_more_often_than_the_patience_allows():
    ids = [f"ws-{number:02}" for number in range(1, 13)]
    plan = [workstream("ws-0"), workstream("ws-old", priority="background"), *(workstream(id) for id in ids)]
    run = Driver(*plan, workers=len(plan), policy=Policy(batch=1, patience=3)).begin(linger=True)
    run.comes_to_merge("ws-0", "ws-old")
    order = []
    for id in ids:
        run.clock += 1
        run.comes_to_merge(id)
        order += names(run)
        run.merges(order[-1])
    assert order.index("ws-old") == 4, "the one before it, and three that came later"
    assert run.row("ws-old").overtaken == 0


def test_a_resolution_is_merged_alone():
    run = busy("ws-a", "ws-b", "ws-c", "ws-d")
    run.merges("ws-0")
    conflict = run.conflicts("ws-a")
    run.does(Verb.TAKE, conflict=conflict, side="theirs", settle=True)
    assert run.reason("ws-a") == f"resolution of {conflict} in the merge queue: 1st, behind the batch of ws-a"
    for id in ("ws-b", "ws-c", "ws-d"):
        run.merges(id)
    assert names(run) == ["ws-a"]
    run.merges("ws-a")
    assert run.state("ws-a") == "MERGED"


def test_what_a_batch_gives_back_goes_before_all_that_waits():
    run = busy("ws-a", "ws-b", "ws-c", policy=Policy(batch=2))
    run.merges("ws-0")
    run.defers("ws-b", "conflicts with ws-a of its batch")
    assert run.state("ws-b") == "QUEUED"
    assert run.reason("ws-b") == "back in the queue: conflicts with ws-a of its batch"
    assert run.told("merge_deferred") == ["ws-b is back in the queue: conflicts with ws-a of its batch"]
    run.merges("ws-a")
    assert names(run) == ["ws-b", "ws-c"]
    assert run.merging is not None and run.merging.tip == run.run.tip


def test_why_one_left_its_batch_is_told_once():
    run = busy("ws-a", "ws-b")
    run.merges("ws-0")
    run.defers("ws-b", "conflicts with ws-a of its batch")
    told = [event.text for event in run.log if event.workstream == "ws-b"]
    assert told[-2:] == [
        "ws-b is back in the queue: conflicts with ws-a of its batch",
        "ws-b is in the merge queue",
    ]


def test_a_culprit_is_told_what_the_gate_printed_and_the_others_are_kept():
    run = busy("ws-a", "ws-b")
    run.merges("ws-0")
    run.merges("ws-a")
    run.merge_fails("ws-b", "as merged: GATE_UNIT failed: 1 of 3")
    assert (run.state("ws-a"), run.state("ws-b")) == ("MERGED", "PENDING")
    assert run.row("ws-b").queued_at is None
    assert "GATE_UNIT failed" in run.row("ws-b").note


def test_a_batch_under_way_is_asked_for_again_in_the_same_order_without_those_that_came_back():
    run = busy("ws-a", "ws-b", "ws-c", "ws-d")
    run.merges("ws-0")
    before = run.merging
    run.merges("ws-b")
    run.crash(linger=True)
    assert before is not None and run.merging is not None
    assert names(run) == ["ws-a", "ws-c", "ws-d"]
    assert run.merging.tip == before.tip, "where the branch was when the batch was taken: what came since is looked for"


# What the operator wants


def test_what_is_held_is_not_merged_and_says_so_until_it_is_let_go():
    run = busy("ws-a", "ws-b")
    assert run.does(Verb.HOLD, workstream="ws-a") == "ws-a is held until you let it go"
    run.merges("ws-0")
    assert names(run) == ["ws-b"]
    run.merges("ws-b")
    assert (run.state("ws-a"), run.reason("ws-a")) == ("QUEUED", "held by the operator")
    assert run.does(Verb.RELEASE, workstream="ws-a") == "ws-a goes on"
    assert names(run) == ["ws-a"]


def test_what_is_held_is_not_started_either():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a")).begin(linger=True)
    run.does(Verb.HOLD, workstream="ws-b")
    run.finishes("ws-a")
    assert (run.state("ws-b"), run.reason("ws-b")) == ("PENDING", "held by the operator")
    run.crash(linger=True)
    assert run.reason("ws-b") == "held by the operator"
    run.does(Verb.RELEASE, workstream="ws-b")
    assert run.state("ws-b") == "RUNNING"


def test_what_is_held_while_it_runs_is_not_merged():
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin(linger=True)
    told = run.does(Verb.HOLD, workstream="ws-a")
    assert told == "ws-a is held: it is not merged until you let it go"
    run.comes_to_merge("ws-a")
    assert run.merging is None
    assert run.reason("ws-a") == "held by the operator"


def test_without_a_console_a_run_that_waits_for_what_is_held_lets_go():
    run = Driver(workstream("ws-a"), workstream("ws-b")).begin()
    run.does(Verb.HOLD, workstream="ws-a")
    run.comes_to_merge("ws-a")
    run.finishes("ws-b")
    assert run.let_go == ["operator"]
    assert run.run.reason == "waits for the operator: ws-a held"
    run.crash(dispatch=False)
    run.does(Verb.RELEASE, workstream="ws-a")
    run.merges("ws-a")
    assert run.run.state == "COMPLETED"


def test_what_runs_alone_waits_for_the_operator_too_where_something_held_keeps_it_out():
    run = Driver(workstream("ws-a"), workstream("ws-b", parallel_ok=False)).begin()
    run.does(Verb.HOLD, workstream="ws-a")
    run.comes_to_merge("ws-a")
    assert run.let_go == ["operator"]
    assert run.run.reason == "waits for the operator: ws-a held"


def test_what_is_put_first_goes_first():
    run = busy("ws-a", "ws-b", "ws-c", policy=Policy(batch=1))
    assert run.does(Verb.FIRST, workstream="ws-c") == "ws-c is merged next"
    run.merges("ws-0")
    assert names(run) == ["ws-c"]
    run.merges("ws-c")
    assert not run.row("ws-c").first
    assert names(run) == ["ws-a"]


def test_what_is_put_first_before_it_is_done_goes_first_when_it_is():
    run = Driver(*(workstream(f"ws-{n}") for n in "0abc"), workers=4, policy=Policy(batch=1)).begin(linger=True)
    run.does(Verb.FIRST, workstream="ws-c")
    run.comes_to_merge("ws-0", "ws-a", "ws-b", "ws-c")
    run.merges("ws-0")
    assert names(run) == ["ws-c"]


@pytest.mark.parametrize("verb", [Verb.HOLD, Verb.RELEASE, Verb.FIRST])
def test_acts_on_the_queue_are_refused_with_a_reason(verb: Verb):
    run = busy("ws-a")
    assert run.is_refused(verb) == f"{verb.value} needs a workstream"
    assert run.is_refused(verb, workstream="ws-x") == "this run has no workstream ws-x"
    told = run.is_refused(verb, workstream="ws-0")
    assert told == ("ws-0 is not held" if verb is Verb.RELEASE else "ws-0 is being merged just now")
    run.merges("ws-0")
    told = run.is_refused(verb, workstream="ws-0")
    assert told == ("ws-0 is not held" if verb is Verb.RELEASE else "ws-0 is MERGED: it is not going to be merged")


def test_asking_twice_is_refused():
    run = busy("ws-a")
    for verb, told in ((Verb.HOLD, "is held already"), (Verb.FIRST, "is to be merged first already")):
        run.does(verb, workstream="ws-a")
        assert run.is_refused(verb, workstream="ws-a") == f"ws-a {told}"


def test_everything_that_enters_or_leaves_the_queue_has_an_event():
    run = busy("ws-a", "ws-b", "ws-c", "ws-d")
    run.merges("ws-0")
    run.merges("ws-a")
    run.conflicts("ws-b")
    run.merge_fails("ws-c")
    run.defers("ws-d")
    entered = [event.workstream for event in run.log if event.type == "workstream_queued"]
    assert entered == ["ws-0", "ws-a", "ws-b", "ws-c", "ws-d", "ws-d"]
    left = {"workstream_merged": ["ws-0", "ws-a"], "conflict_opened": ["ws-b"], "retry_scheduled": ["ws-c"]}
    for type, ids in (left | {"merge_deferred": ["ws-d"]}).items():
        assert [event.workstream for event in run.log if event.type == type] == ids


def test_twenty_merge_in_the_same_steps_whether_or_not_five_conflicts_wait():
    def steps(conflicts: int) -> list[tuple[str, ...]]:
        meeting = [f"ws-x{n}" for n in range(conflicts)]
        others = [f"ws-{n:02}" for n in range(20)]
        run = Driver(*(workstream(id) for id in (*meeting, *others)), workers=25).begin(linger=True)
        for id in meeting:
            run.comes_to_merge(id)
            run.conflicts(id)
        taken = []
        for id in others:
            run.comes_to_merge(id)
        while run.unanswered:
            taken.append(tuple(names(run)))
            for id in taken[-1]:
                run.merges(id)
        assert sum(row == "CONFLICTED" for row in run.states.values()) == conflicts
        return taken

    assert steps(5) == steps(0)
