"""Money: reserved before, settled after, never passed by a dispatch."""

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.policy import Policy
from uet_tui.core.states import AttemptState


def test_an_attempt_is_paid_for_before_it_starts_and_settled_by_what_it_used():
    run = Driver(workstream("ws-a", max_cost_usd=2), budget=10).begin()
    assert (run.run.reserved_usd, run.run.spent_usd) == (2.0, 0.0)
    run.ends("ws-a", usd=0.5)
    assert (run.run.reserved_usd, run.run.spent_usd) == (0.0, 0.5)
    assert run.row("ws-a").cost_usd == run.attempts["ws-a", 1].cost_usd == 0.5


def test_a_workstream_without_a_limit_reserves_what_the_settings_say():
    run = Driver(workstream("ws-a"), budget=10, policy=Policy(reserve_usd=3)).begin()
    assert run.run.reserved_usd == 3.0


def test_no_attempt_starts_that_the_budget_may_not_cover():
    run = Driver(*(workstream(f"ws-{n}", max_cost_usd=2) for n in range(3)), workers=3, budget=5).begin()
    assert run.running == ["ws-0", "ws-1"]
    assert run.reason("ws-2") == "budget: needs $2.00, $1.00 is left"
    run.ends("ws-0", usd=1.0)
    assert run.running == ["ws-1", "ws-2"], "what was not used is free again"


def test_a_cheaper_one_goes_ahead_of_one_that_cannot_be_paid():
    run = Driver(workstream("ws-a", max_cost_usd=9), workstream("ws-b", max_cost_usd=1), budget=5).begin()
    assert run.running == ["ws-b"]


def test_a_used_up_budget_halts_the_run_and_says_what_to_do():
    run = Driver(workstream("ws-a", max_cost_usd=2), workstream("ws-b", max_cost_usd=2), workers=1, budget=2).begin()
    run.ends("ws-a", usd=1.5)
    run.collects("ws-a")
    run.merges("ws-a")
    assert run.run.state == "HALTED"
    assert run.run.reason == ("$0.50 is left of the budget of $2.00, and an attempt needs $2.00; raise it and resume")
    assert run.let_go == ["halted"]
    assert run.workers == {}


def test_even_free_work_halts_when_more_was_spent_than_allowed():
    run = Driver(workstream("ws-a"), workstream("ws-b"), workers=1, budget=1).begin()
    run.ends("ws-a", usd=1.5)
    run.collects("ws-a")
    run.merges("ws-a")
    assert run.run.state == "HALTED"


def test_raising_the_budget_goes_on_at_once_where_the_console_stayed():
    run = Driver(workstream("ws-a", max_cost_usd=2), budget=1).begin(linger=True)
    assert run.run.state == "HALTED"
    assert run.does(Verb.BUDGET, amount=1.5) == "the budget is $1.50 now (was $1.00)"
    assert run.run.state == "HALTED", "still too little"
    run.does(Verb.BUDGET, amount=2)
    assert run.running == ["ws-a"]


def test_raising_the_budget_of_a_run_that_nobody_has_waits_for_resume():
    run = Driver(workstream("ws-a", max_cost_usd=2), budget=1).begin()
    run.crash(dispatch=False)
    run.does(Verb.BUDGET, amount=9)
    assert run.run.state == "HALTED"
    assert run.running == []
    run.crash()
    assert run.running == ["ws-a"]


def test_resuming_without_raising_halts_again():
    run = Driver(workstream("ws-a", max_cost_usd=2), budget=1).begin()
    run.crash()
    assert run.run.state == "HALTED"
    assert run.let_go == ["halted", "halted"]


def test_a_conflict_can_be_settled_in_a_halted_run_and_may_end_it():
    run = Driver(workstream("ws-a"), workstream("ws-b", max_cost_usd=9), budget=1).begin(linger=True)
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    assert run.run.state == "HALTED"
    run.does(Verb.SKIP, workstream="ws-b")
    run.does(Verb.TAKE, conflict=conflict, side="ours", settle=True)
    run.merges("ws-a")
    assert run.run.state == "FAILED"
    assert run.told("run_ended") == ["run run ended: 1 of 2 merged, $0.00 spent"]


def test_a_skipped_workstream_does_not_halt_the_run_for_want_of_money():
    run = Driver(workstream("ws-a"), workstream("ws-b", max_cost_usd=9), budget=1).begin()
    assert run.reason("ws-b").startswith("budget:")
    run.does(Verb.SKIP, workstream="ws-b")
    run.comes_to_merge("ws-a")
    run.conflicts("ws-a")
    assert run.run.state == "PAUSED"
    assert run.let_go == ["operator"]


def test_a_lost_attempt_gives_its_reserve_back():
    run = Driver(workstream("ws-a", max_cost_usd=2), budget=10).begin()
    run.ends("ws-a", AttemptState.LOST)
    assert run.run.reserved_usd == 0.0


def test_an_end_that_is_told_twice_costs_once():
    run = Driver(workstream("ws-a", max_cost_usd=2), workstream("ws-b", max_cost_usd=2), budget=10).begin()
    run.ends("ws-a", usd=1.0)
    run.alive.add(("ws-a", 1))
    run.ends("ws-a", usd=1.0)
    assert run.run.spent_usd == 1.0
    assert run.run.reserved_usd == 2.0


def test_a_budget_must_be_named():
    assert "amount" in Driver(workstream("ws-a")).begin().is_refused(Verb.BUDGET)


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -1.0, 1e308])
def test_a_budget_that_is_no_money_is_refused(amount):
    with pytest.raises(ValueError):
        Driver(workstream("ws-a")).begin().ask(Verb.BUDGET, amount=amount)


def test_a_halted_run_goes_on_by_itself_when_something_comes_up_that_can_be_paid():
    run = Driver(
        workstream("ws-a", files_scope=["a"]),
        workstream("ws-b", "ws-a", files_scope=["b"], max_cost_usd=1),
        workstream("ws-c", files_scope=["c"], max_cost_usd=9),
        budget=5,
    ).begin(linger=True)
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    assert run.run.state == "HALTED"
    run.does(Verb.TAKE, conflict=conflict, side="ours", settle=True)
    run.merges("ws-a")
    assert (run.run.state, run.running) == ("RUNNING", ["ws-b"])
    run.finishes("ws-b")
    assert run.run.state == "HALTED"
    assert run.reason("ws-c") == "budget: needs $9.00, $5.00 is left"


def test_a_halted_run_stays_so_when_what_comes_up_cannot_be_paid_either():
    run = Driver(workstream("ws-a"), workstream("ws-b", "ws-a", max_cost_usd=9), workstream("ws-c"), budget=1)
    run.begin(linger=True)
    run.ends("ws-a", usd=0.5)
    run.collects("ws-a")
    conflict = run.conflicts("ws-a")
    run.finishes("ws-c")
    assert run.run.state == "RUNNING", "it waits for the operator at the conflict"
    run.does(Verb.TAKE, conflict=conflict, side="ours", settle=True)
    run.merges("ws-a")
    assert (run.run.state, run.reason("ws-b")) == ("HALTED", "budget: needs $9.00, $0.50 is left")
    run.passes(1)
    assert len([text for text in run.told("run_state_changed") if "halted" in text]) == 1


def test_what_rounding_leaves_of_a_budget_pays_for_nothing():
    run = Driver(*(workstream(f"ws-{n}") for n in range(3)), workers=1, budget=0.1 + 0.2).begin()
    assert run.run.budget_usd > 0.3
    run.ends("ws-0", usd=0.3)
    run.collects("ws-0")
    run.merges("ws-0")
    assert run.run.state == "HALTED"
