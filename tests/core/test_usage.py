"""What agents report is counted once, whatever is told twice, in pieces, late, or again after a crash."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.conflicts import Rung
from uet_tui.core.events import AgentAnswered, AttemptEnded, AttemptStarted, UsageReported
from uet_tui.core.policy import Policy
from uet_tui.core.states import AttemptState
from uet_tui.core.usage import Usage


def begun(**more: object) -> Driver:
    run = Driver(workstream("ws-a", max_cost_usd=5), budget=100, **more).begin()
    run.starts("ws-a")
    return run


def test_what_is_used_is_counted_as_it_comes_and_taken_from_what_was_set_aside():
    run = begun()
    run.uses("ws-a", 1.0)
    assert (run.run.spent_usd, run.run.reserved_usd) == (1.0, 4.0)
    run.uses("ws-a", 1.0, 2.5)
    assert (run.run.spent_usd, run.run.reserved_usd) == (3.5, 1.5)
    run.ends("ws-a", reports=(Usage(usd=1.0), Usage(usd=2.5), Usage(usd=0.5)))
    assert (run.run.spent_usd, run.run.reserved_usd) == (4.0, 0.0)
    assert [(cost.number, cost.usd) for cost in run.costs] == [(1, 1.0), (2, 2.5), (3, 0.5)]
    assert (run.attempts["ws-a", 1].cost_usd, run.attempts["ws-a", 1].reports) == (4.0, 3)


def test_what_is_beyond_the_reserve_is_spent_and_nothing_is_counted_twice():
    run = Driver(workstream("ws-a"), budget=100, policy=Policy(reserve_usd=1)).begin()
    run.uses("ws-a", 3.0)
    assert (run.run.spent_usd, run.run.reserved_usd) == (3.0, 0.0)


def test_the_same_reports_told_twice_count_once():
    run = begun()
    run.uses("ws-a", 1.0, 2.0)
    run.uses("ws-a", 1.0, 2.0)
    run.uses("ws-a", 1.0)
    assert run.run.spent_usd == 3.0
    run.ends("ws-a", reports=(Usage(usd=1.0), Usage(usd=2.0)))
    run.tell(AttemptEnded("ws-a", 1, AttemptState.SUCCEEDED, 0, "", (Usage(usd=1.0), Usage(usd=2.0), Usage(usd=9.0))))
    run.tell(UsageReported("ws-a", 1, (Usage(usd=1.0),) * 9))
    assert run.run.spent_usd == 3.0
    assert len(run.costs) == 2


def test_a_crash_in_between_neither_loses_nor_repeats_a_report():
    run = begun()
    run.uses("ws-a", 1.0, 0.5)
    run.crash()
    assert (run.run.spent_usd, run.run.reserved_usd) == (1.5, 3.5)
    run.uses("ws-a", 1.0, 0.5, 0.25)
    run.ends("ws-a", reports=tuple(Usage(usd=usd) for usd in (1.0, 0.5, 0.25, 0.25)))
    assert (run.run.spent_usd, run.run.reserved_usd) == (2.0, 0.0)
    assert [cost.number for cost in run.costs] == [1, 2, 3, 4]


def test_a_lost_agent_keeps_what_it_told_before():
    run = begun()
    run.uses("ws-a", 1.0)
    run.crash(lost=["ws-a"])
    assert (run.run.spent_usd, run.attempts["ws-a", 1].cost_usd) == (1.0, 1.0)
    assert run.run.reserved_usd == 0.0


@given(
    st.lists(st.floats(0, 1), max_size=8),
    st.lists(st.integers(0, 8), max_size=6),
    st.booleans(),
)
def test_however_reports_come_in_each_counts_once(amounts, told, crash):
    run = begun()
    reports = tuple(Usage(usd=usd) for usd in amounts)
    for count in told:
        run.tell(UsageReported("ws-a", 1, reports[:count]))
    if crash:
        run.crash()
    if ("ws-a", 1) in run.alive:
        run.ends("ws-a", AttemptState.FAILED, "x", reports=reports)
    assert run.run.spent_usd == pytest.approx(sum(amounts))
    assert [cost.number for cost in run.costs] == [*range(1, len(amounts) + 1)]
    assert run.attempts["ws-a", 1].reserved_usd == 0.0


def test_tokens_of_all_kinds_are_kept_and_the_model_that_answered():
    run = begun(models={"shell": "big"})
    run.ends("ws-a", reports=(Usage("small", 100, 20, 60, 5, 0.1, True), Usage("", 10, 2)))
    first, second = run.costs
    assert (first.model, first.tokens_cached, first.tokens_reasoning, first.estimated) == ("small", 60, 5, True)
    assert (second.model, second.priced, second.usd) == ("big", False, 0.0), "unknown is not free: it is marked"
    attempt = run.attempts["ws-a", 1]
    assert (attempt.tokens_in, attempt.tokens_out, attempt.tokens_cached, attempt.tokens_reasoning) == (110, 22, 60, 5)
    assert attempt.unpriced == 1


@pytest.mark.parametrize("usd", [nan, inf, -inf, -1.0, 1e12, 1e308])
def test_what_is_no_amount_is_an_unknown_one(usd):
    run = begun()
    run.ends("ws-a", reports=(Usage("", -5, 7, usd=usd),))
    assert (run.run.spent_usd, run.attempts["ws-a", 1].unpriced, run.attempts["ws-a", 1].tokens_in) == (0.0, 1, 0)


def test_an_agent_that_is_metered_in_tokens_costs_no_money_whatever_it_says():
    run = Driver(workstream("ws-a", max_cost_usd=2), budget=1, policy=Policy(free=frozenset({"shell"}))).begin()
    assert run.running == ["ws-a"], "and it needs none"
    run.ends("ws-a", reports=(Usage("", 1000, 10, usd=3.0),))
    assert (run.run.spent_usd, run.attempts["ws-a", 1].tokens_in, run.attempts["ws-a", 1].unpriced) == (0.0, 1000, 0)


def test_an_ask_is_counted_for_itself_and_once():
    policy = Policy(resolver={"ws-a": "shell"}, reserve_usd=1)
    run = Driver(workstream("ws-a"), policy=policy, budget=9).begin(linger=True)
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    files = run.conflict(conflict).files
    again = AgentAnswered(conflict, 1, files, Rung("agent", "failed"), reports=(Usage(usd=0.5),))
    run.answers_ask(conflict, Rung("agent", "failed"), usd=0.5)
    run.tell(again)
    assert (run.run.spent_usd, run.run.reserved_usd) == (0.5, 0.0)
    run.does(Verb.AGAIN, conflict=conflict)
    run.tell(again)
    assert run.run.spent_usd == 0.5, "what is told of the ask before counts no more"
    run.answers_ask(conflict, Rung("agent", "failed"), usd=0.25)
    assert run.run.spent_usd == 0.75
    assert [(cost.conflict, cost.ask, cost.number) for cost in run.costs] == [(conflict, 1, 1), (conflict, 2, 1)]


def test_what_it_is_thought_to_read_is_on_record():
    run = Driver(workstream("ws-a")).begin()
    key = next(iter(run.starting))
    run.tell(AttemptStarted(*key, estimated_tokens=1200))
    assert run.attempts[key].estimated_tokens == 1200


def test_what_is_told_again_and_again_adds_up_to_something_that_a_store_can_hold():
    run = begun()
    run.ends("ws-a", reports=(Usage("", 2**70, 2**70, 2**70, 2**70, 1e308),) * 1000)
    attempt = run.attempts["ws-a", 1]
    counts = attempt.tokens_in, attempt.tokens_out, attempt.tokens_cached, attempt.tokens_reasoning
    assert max(counts) < 2**63
    assert all(max(cost[6:10]) < 2**63 for cost in run.costs)
    assert (run.run.spent_usd, attempt.unpriced) == (0.0, 1000)
