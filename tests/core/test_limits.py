"""Limits: each step as money is used up, the way back up, caps, phases, overrides, prices that nobody knows."""

from datetime import UTC, datetime

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.policy import Policy
from uet_tui.core.states import AttemptState, BudgetStage
from uet_tui.core.usage import Fault, Usage


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def wide(count: int = 8, *, workers: int = 4, budget: float | None = 100.0, **policy: object) -> Driver:
    """Independent workstreams that are thought to cost next to nothing."""
    many = [workstream(f"ws-{n}") for n in range(count)]
    return Driver(*many, workers=workers, budget=budget, policy=Policy(reserve_usd=0.01, **policy)).begin()


# The steps


def test_the_operator_is_warned_once_at_the_threshold():
    run = wide()
    run.uses("ws-0", 89.0)
    assert run.run.budget_stage is BudgetStage.OK
    run.uses("ws-0", 89.0, 1.0)
    assert run.told("budget_stage") == ["budget warned: $90.00 of the budget of $100.00 is used (90 %)"]
    assert (run.run.budget_stage, run.run.budget_note) == (
        BudgetStage.WARNED,
        "$90.00 of the budget of $100.00 is used (90 %)",
    )
    run.uses("ws-0", 89.0, 1.0, 0.1)
    assert len(run.told("budget_stage")) == 1


def test_from_the_warning_on_it_gets_narrower_by_one_worker_a_step():
    run = wide()
    steps: list[int] = []
    run.uses("ws-0", 90.0)
    for _ in range(4):
        spent = [90.0, *[2.4] * (len(steps) + 1)]
        run.uses("ws-0", *spent)
        steps.append(run.run.parallelism)
    assert steps == [4, 3, 2, 1]
    assert run.run.wide == 4
    assert [text.partition(":")[0] for text in run.told("parallelism_changed")] == [
        "parallelism 4 -> 3",
        "parallelism 3 -> 2",
        "parallelism 2 -> 1",
    ]
    assert run.run.budget_stage is BudgetStage.NARROWED
    assert len(run.running) == 4, "what runs goes on"
    assert sum(state == "DRAINING" for state in run.workers.values()) == 3


def test_one_report_makes_it_narrower_by_one_however_much_it_is():
    run = wide()
    run.uses("ws-0", 99.9)
    assert run.run.parallelism == 3


def test_one_worker_always_stays():
    run = wide(workers=1)
    run.uses("ws-0", 99.0, 0.5)
    assert run.run.parallelism == 1
    assert run.run.budget_stage is BudgetStage.WARNED


def test_more_money_brings_the_workers_back():
    run = wide()
    run.uses("ws-0", 91.0)
    run.uses("ws-0", 91.0, 6.0)
    run.uses("ws-0", 91.0, 6.0, 1.0)
    assert run.run.parallelism == 2
    run.does(Verb.BUDGET, amount=1000)
    assert (run.run.parallelism, run.run.wide, run.run.budget_stage, run.run.budget_note) == (4, None, "ok", "")
    assert list(run.workers.values()) == ["BUSY"] * 4
    assert "the budget allows more again" in run.told("parallelism_changed")[-1]


def test_a_little_more_money_brings_some_of_them_back():
    run = wide()
    for spent in range(1, 5):
        run.uses("ws-0", 94.0, *[1.0] * spent)
    assert run.run.parallelism == 1
    run.does(Verb.BUDGET, amount=105)
    assert (run.run.parallelism, run.run.wide, run.run.budget_stage) == (3, 4, "narrowed")


def test_the_parallelism_that_the_operator_wants_is_what_comes_back():
    run = wide(workers=2)
    run.uses("ws-0", 96.0)
    run.does(Verb.SCALE, number=3)
    run.does(Verb.BUDGET, amount=1000)
    assert run.run.parallelism == 3


def test_cheaper_models_are_taken_when_money_runs_short():
    run = Driver(
        *(workstream(f"ws-{n}") for n in range(3)),
        workers=1,
        budget=100,
        policy=Policy(downgrade={"big": "small"}),
        models={"shell": "big"},
    ).begin()
    assert run.starting["ws-0", 1].model == "big"
    run.ends("ws-0", usd=94)
    run.collects("ws-0")
    assert run.starting["ws-1", 1].model == "big"
    run.ends("ws-1", usd=2)
    run.collects("ws-1")
    assert (run.starting["ws-2", 1].model, run.attempts["ws-2", 1].model) == ("small", "small")
    assert run.told("attempt_started")[-1] == "ws-2 started on worker 1 with shell and the cheaper small"
    assert run.run.budget_stage is BudgetStage.CHEAPER
    assert run.row("ws-2").model == "big", "what the workstream is for stays"


def test_what_waits_for_money_is_told_when_nothing_else_can_start():
    many = [workstream("ws-a", max_cost_usd=1), workstream("ws-b", max_cost_usd=1), workstream("ws-c", max_cost_usd=50)]
    run = Driver(*many, workers=2, budget=100).begin()
    run.ends("ws-a", usd=94.0)
    run.collects("ws-a")
    run.merges("ws-a")
    assert run.running == ["ws-b"]
    assert run.run.budget_stage is BudgetStage.CLOSING
    assert "what runs finishes" in run.run.budget_note
    run.finishes("ws-b")
    assert (run.run.state, run.run.budget_stage) == ("HALTED", "halted")
    assert run.told("budget_stage")[-1] == (
        "budget halted: $6.00 is left of the budget of $100.00, and an attempt needs $50.00; raise it and resume"
    )


def test_what_waited_for_money_before_the_warning_is_told_with_it():
    run = Driver(workstream("ws-a"), workstream("ws-b", max_cost_usd=50), workers=2, budget=10).begin()
    assert run.run.budget_stage is BudgetStage.OK
    run.uses("ws-a", 9.5)
    assert run.run.budget_stage is BudgetStage.CLOSING


def test_nothing_starts_at_the_halt_though_it_is_below_the_budget():
    run = Driver(
        workstream("ws-a"), workstream("ws-b"), workers=1, budget=10, policy=Policy(halt_threshold=0.95)
    ).begin()
    run.ends("ws-a", usd=9.6)
    run.collects("ws-a")
    run.merges("ws-a")
    assert run.run.state == "HALTED"
    run.crash()
    assert run.run.state == "HALTED"
    run.crash(dispatch=False)
    run.does(Verb.BUDGET, amount=20)
    run.crash()
    assert run.running == ["ws-b"]


def test_stages_are_known_after_a_crash():
    run = wide()
    run.uses("ws-0", 96.0)
    run.crash()
    assert (run.run.budget_stage, run.run.wide, run.run.parallelism) == ("narrowed", 4, 3)
    run.uses("ws-0", 96.0)
    assert len(run.told("budget_stage")) == 2, "warned and narrowed, each once"


def test_what_costs_nothing_goes_on_when_the_budget_is_used_up():
    run = Driver(
        workstream("ws-a"),
        workstream("ws-b"),
        workers=1,
        budget=1,
        policy=Policy(free=frozenset({"own"})),
        agents={"ws-b": "own"},
    ).begin()
    run.ends("ws-a", usd=2)
    run.collects("ws-a")
    run.merges("ws-a")
    assert run.running == ["ws-b"]


# What is set aside


def test_what_is_set_aside_is_learned_from_what_others_of_its_kind_cost():
    many = [workstream(f"ws-{n}") for n in range(5)]
    run = Driver(*many, workers=1, budget=100, policy=Policy(reserve_usd=9)).begin()
    for n, usd in enumerate((1.0, 3.0, 2.0)):
        assert run.run.reserved_usd == 9.0
        run.ends(f"ws-{n}", usd=usd)
        run.collects(f"ws-{n}")
        run.merges(f"ws-{n}")
    assert run.run.reserved_usd == 3.0
    assert run.attempts["ws-3", 1].estimated_usd == 3.0
    run.starts("ws-3")
    run.crash()
    run.finishes("ws-3")
    assert run.run.reserved_usd == 3.0, "what was learned is known after a crash"


def test_attempts_that_did_not_work_for_another_reason_teach_nothing():
    many = [workstream(f"ws-{n}") for n in range(5)]
    run = Driver(*many, workers=1, budget=100, policy=Policy(reserve_usd=9)).begin()
    for n in range(4):
        run.ends(f"ws-{n}", AttemptState.FAILED, "reset", usd=0.01, fault=Fault.NETWORK)
        run.collects(f"ws-{n}")
    assert run.run.reserved_usd == 9.0


def test_no_more_is_set_aside_than_a_workstream_may_cost():
    run = Driver(workstream("ws-a"), policy=Policy(reserve_usd=9), budget=5)
    run.run.task_budget_usd = 2.0
    run.begin()
    assert run.run.reserved_usd == 2.0
    assert run.starting["ws-a", 1].cap_usd == 2.0


# Caps


def test_an_attempt_is_ended_when_it_cost_what_it_may_and_not_tried_again():
    run = Driver(workstream("ws-a", max_cost_usd=2)).begin()
    run.uses("ws-a", 1.9)
    assert run.kills == []
    run.uses("ws-a", 1.9, 0.2)
    assert run.kills == [("ws-a", 1)]
    assert run.told("cap_reached") == ["ws-a attempt 1 cost $2.10 and reached its max_cost_usd of $2.00: it is ended"]
    run.uses("ws-a", 1.9, 0.2, 0.1)
    assert len(run.kills) == 1
    run.ends("ws-a", AttemptState.KILLED)
    run.collects("ws-a")
    assert run.state("ws-a") == "FAILED"
    assert run.reason("ws-a") == "cost $2.10 and reached its max_cost_usd of $2.00"


def test_the_cap_of_a_workstream_is_for_all_its_attempts():
    run = Driver(workstream("ws-a"))
    run.run.task_budget_usd = 3.0
    run.begin()
    run.fails("ws-a", usd=2.0)
    run.passes(60)
    assert run.starting["ws-a", 2].cap_usd == 1.0
    run.uses("ws-a", 1.5)
    assert run.kills == [("ws-a", 2)]
    run.ends("ws-a", AttemptState.KILLED)
    run.collects("ws-a")
    assert run.reason("ws-a") == "cost $3.50 of the $3.00 that a workstream may cost; raise it (--per-task)"
    assert "raise it (--per-task) first" in run.is_refused(Verb.RETRY, workstream="ws-a")
    run.does(Verb.BUDGET, amount=9, limit="task")
    run.does(Verb.RETRY, workstream="ws-a")


def test_a_failure_at_the_cap_is_not_tried_again():
    run = Driver(workstream("ws-a"))
    run.run.task_budget_usd = 3.0
    run.begin()
    run.fails("ws-a", "exit 1", usd=3.0)
    assert run.state("ws-a") == "FAILED"
    assert run.reason("ws-a").startswith("exit 1; cost $3.00 of the $3.00")


def test_work_that_succeeded_beyond_its_cap_is_taken():
    run = Driver(workstream("ws-a", max_cost_usd=1)).begin()
    run.uses("ws-a", 1.5)
    run.ends("ws-a", AttemptState.SUCCEEDED, usd=1.5)
    run.collects("ws-a")
    run.merges("ws-a")
    assert run.state("ws-a") == "MERGED"


def test_an_attempt_that_is_to_be_ended_is_ended_after_a_crash():
    run = Driver(workstream("ws-a", max_cost_usd=1)).begin()
    run.uses("ws-a", 1.5)
    run.kills.clear()
    run.crash()
    assert run.kills == [("ws-a", 1)]
    run.ends("ws-a", AttemptState.KILLED)
    run.collects("ws-a")
    assert "max_cost_usd" in run.reason("ws-a")


# Phases


def test_a_phase_has_a_budget_of_its_own():
    many = [workstream(f"ws-{n}", max_cost_usd=2, metadata={"phase": "one" if n < 3 else "two"}) for n in range(4)]
    run = Driver(*many, workers=4)
    run.run.phase_budget_usd = 4.0
    run.begin()
    assert run.running == ["ws-0", "ws-1", "ws-3"]
    assert run.reason("ws-2") == "budget of phase one: needs $2.00, $0.00 is left"
    run.ends("ws-0", usd=1.0)
    assert run.reason("ws-2") == "budget of phase one: needs $2.00, $1.00 is left"
    run.ends("ws-1")
    assert run.running == ["ws-3", "ws-2"], "ws-1 used nothing"


def test_a_used_up_phase_halts_the_run_in_the_end_and_says_which():
    many = [workstream("ws-0", max_cost_usd=2), workstream("ws-1", max_cost_usd=2)]
    run = Driver(*many, workers=1)
    run.run.phase_budget_usd = 3.0
    run.begin()
    run.ends("ws-0", usd=2.0)
    run.collects("ws-0")
    run.merges("ws-0")
    assert run.run.state == "HALTED"
    assert run.run.reason == "the budget of $3.00 for wave 1 is used up; raise it (--per-phase) and resume"
    run.crash(dispatch=False)
    run.does(Verb.BUDGET, amount=9, limit="phase")
    run.crash()
    assert run.running == ["ws-1"]


# Overrides


def test_an_override_has_a_reason_and_expires():
    run = wide(budget=10.0)
    told = run.does(Verb.BUDGET, amount=50, note="the demo", until=at(run.clock + 60))
    assert told.startswith("the budget is $50.00 now (was $10.00), until 1970-01-01 00:17:40")
    (override,) = run.run.overrides
    assert (override.limit, override.former_usd, override.reason, override.by) == ("total", 10.0, "the demo", "ann")
    assert run.machine.next_wakeup() == run.clock + 60
    run.passes(59)
    assert run.run.budget_usd == 50.0
    run.passes(1)
    assert (run.run.budget_usd, run.run.overrides) == (10.0, ())
    assert run.told("budget_changed") == [
        "budget $10.00 -> $50.00 by ann: the demo",
        "budget $50.00 -> $10.00 the override by ann has expired",
    ]


def test_an_override_that_expired_while_nobody_had_the_run_holds_no_more():
    run = wide(budget=10.0)
    run.does(Verb.BUDGET, amount=50, until=at(run.clock + 60))
    run.clock += 100
    run.crash()
    assert run.run.budget_usd == 10.0


def test_what_holds_again_is_what_held_before_the_first_of_several_overrides():
    run = wide(budget=None)
    run.does(Verb.BUDGET, amount=50, until=at(run.clock + 60))
    run.does(Verb.BUDGET, amount=60, until=at(run.clock + 90))
    run.passes(90)
    assert run.run.budget_usd is None
    run.does(Verb.BUDGET, amount=5)
    run.does(Verb.BUDGET, amount=70, until=at(run.clock + 60))
    run.does(Verb.BUDGET, amount=7)
    run.passes(60)
    assert run.run.budget_usd == 7.0, "what was set for good stays"


def test_an_expired_override_can_halt_the_run():
    run = Driver(workstream("ws-a", max_cost_usd=4), workstream("ws-b", max_cost_usd=4), workers=1, budget=5).begin()
    run.does(Verb.BUDGET, amount=50, until=at(run.clock + 60))
    run.clock += 60
    run.ends("ws-a", usd=4)
    run.collects("ws-a")
    run.merges("ws-a")
    assert (run.run.budget_usd, run.run.state) == (5.0, "HALTED")


def test_an_override_cannot_expire_before_it_holds():
    run = wide()
    assert "in the past" in run.is_refused(Verb.BUDGET, amount=5, until=at(run.clock))


# Prices that nobody knows


def unknown(budget: float | None = 5.0) -> Driver:
    policy = Policy(unpriced=frozenset({("aider", "odd")}))
    agents = {"ws-a": "aider"}
    return Driver(
        workstream("ws-a"), workstream("ws-b"), budget=budget, policy=policy, agents=agents, models={"aider": "odd"}
    ).begin()


def test_a_model_without_a_price_is_not_started_where_money_is_limited():
    run = unknown()
    assert run.running == ["ws-b"]
    assert run.reason("ws-a") == "budget: the price of odd is unknown; declare it under budget.models"
    run.finishes("ws-b")
    assert run.run.state == "HALTED"
    assert run.run.reason.startswith(
        "the price of odd is unknown, and money is limited; declare it under budget.models"
    )


@pytest.mark.parametrize(("refuse", "running"), [(True, []), (False, ["ws-b"])])
def test_who_turns_out_to_report_what_nobody_can_price_is_not_started_again(refuse, running):
    policy = Policy(refuse_unknown=refuse)
    run = Driver(workstream("ws-a"), workstream("ws-b"), workers=1, budget=5.0, policy=policy).begin()
    run.ends("ws-a", reports=(Usage("", 1_000, 10),))
    run.collects("ws-a")
    assert run.running == running
    assert run.reason("ws-b").startswith("budget: the price of shell's model is unknown") is refuse


def test_no_cheaper_model_is_taken_whose_price_nobody_knows():
    policy = Policy(unpriced=frozenset({("shell", "small")}), downgrade={"big": "small"})
    run = Driver(
        workstream("ws-a"), workstream("ws-b"), workers=1, budget=100.0, policy=policy, models={"shell": "big"}
    ).begin()
    run.ends("ws-a", reports=(Usage("big", usd=96.0),))
    run.collects("ws-a")
    assert run.run.budget_stage is BudgetStage.CHEAPER
    assert [(id, run.attempts[id, 1].model) for id in run.running] == [("ws-b", "big")]


def test_a_model_without_a_price_is_started_where_it_is_not():
    assert unknown(budget=None).running == ["ws-a", "ws-b"]


@pytest.mark.parametrize("limit", ["phase_budget_usd", "task_budget_usd"])
def test_every_limit_is_one(limit):
    policy = Policy(unpriced=frozenset({("shell", "")}))
    run = Driver(workstream("ws-a"), policy=policy)
    setattr(run.run, limit, 5.0)
    run.begin()
    assert run.reason("ws-a") == "budget: the price of shell's model is unknown; name it in agents.shell.model"


def test_who_cost_more_than_a_limit_that_is_lowered_is_ended_at_once():
    run = Driver(workstream("ws-a"), workstream("ws-b"), budget=100).begin()
    run.uses("ws-a", 2.0)
    run.uses("ws-b", 0.5)
    run.does(Verb.BUDGET, limit="task", amount=1)
    assert run.kills == [("ws-a", 1)]
    run.ends("ws-a", AttemptState.KILLED, reports=(Usage(usd=2.0),))
    run.collects("ws-a")
    assert run.reason("ws-a").startswith("cost $2.00 of the $1.00 that a workstream may cost")
    assert run.running == ["ws-b"]
