"""Whose an ask is, and its money: what it reports is the agent's that was asked, counted as it comes, and limited."""

from dataclasses import replace

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.conflicts import Rung
from uet_tui.core.events import AgentAnswered
from uet_tui.core.policy import Policy
from uet_tui.core.states import AttemptState, ProviderState, RunState
from uet_tui.core.usage import Fault, Usage

FAILED = Rung("agent", "failed", detail="ended on request")
POLICY = Policy(
    resolver={"ws-a": "claude"},
    models={"claude": "opus", "codex": "gpt", "shell": ""},
    provider_of={"claude": "anthropic", "codex": "openai"},
    reserve_usd=0.5,
)


def asked(policy: Policy = POLICY, **more: object) -> tuple[Driver, str]:
    """A run in which an agent is at the conflict of its only workstream, which may cost as much as `more` says."""
    run = Driver(workstream("ws-a", **more), policy=policy, budget=100).begin(linger=True)
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    assert [ask.conflict for ask in run.asked] == [conflict]
    return run, conflict


def test_an_ask_says_who_is_asked_with_which_model_and_what_it_may_cost():
    run, _ = asked(max_cost_usd=2)
    (ask,) = run.asked
    assert (ask.agent, ask.model, ask.cap_usd) == ("claude", "opus", 2.0)


def test_an_agent_that_is_at_a_conflict_stays_who_it_is_when_the_run_is_resumed_with_another():
    run, conflict = asked()
    run.policy = replace(POLICY, resolver={"ws-a": "codex"}, models={"codex": "gpt-6", "claude": "haiku"})
    run.crash(linger=True)
    (ask,) = run.asked
    assert (ask.agent, ask.model) == ("claude", "opus")
    run.answers_ask(conflict, FAILED, usd=0.25, fault=Fault.QUOTA, until=run.clock + 60)
    assert [(cost.agent, cost.model, cost.provider) for cost in run.costs] == [("claude", "opus", "anthropic")]
    assert run.machine.board.records.providers["anthropic"].state is ProviderState.PAUSED
    assert [(ask.agent, ask.model, ask.ask) for ask in run.asked] == [("codex", "gpt-6", 2)], "another is asked now"


def test_an_agent_that_is_not_asked_any_more_is_ended_and_its_money_is_its_own():
    run, conflict = asked()
    run.policy = replace(POLICY, resolver={}, models={"shell": ""}, provider_of={})
    run.crash(linger=True)
    assert [ask.agent for ask in run.asked] == ["claude"]
    run.answers_ask(conflict, FAILED, usd=0.25)
    assert [(cost.agent, cost.model, cost.provider) for cost in run.costs] == [("claude", "opus", "anthropic")]


def test_what_an_older_ask_tells_late_is_the_older_agents():
    run, conflict = asked()
    files = run.conflict(conflict).files
    run.answers_ask(conflict, Rung("agent", "failed"), usd=0.25)
    run.policy = replace(POLICY, resolver={"ws-a": "codex"})
    run.crash(linger=True)
    run.does(Verb.AGAIN, conflict=conflict)
    assert [(ask.agent, ask.ask) for ask in run.asked] == [("codex", 2)]
    run.tell(AgentAnswered(conflict, 1, files, FAILED, reports=(Usage(usd=0.25), Usage(usd=0.5))))
    assert [(cost.ask, cost.number, cost.agent, cost.model, cost.provider, cost.usd) for cost in run.costs] == [
        (1, 1, "claude", "opus", "anthropic", 0.25),
        (1, 2, "claude", "opus", "anthropic", 0.5),
    ]
    assert [ask.ask for ask in run.asked] == [2], "the newer one goes on"
    assert run.run.reserved_usd == 0.5


def test_what_an_ask_uses_is_counted_as_it_comes_and_taken_from_what_was_set_aside():
    run, conflict = asked()
    run.ask_uses(conflict, 0.25)
    assert (run.run.spent_usd, run.run.reserved_usd, run.row("ws-a").cost_usd) == (0.25, 0.25, 0.25)
    run.crash(linger=True)
    run.ask_uses(conflict, 0.25, 0.5)
    assert (run.run.spent_usd, run.run.reserved_usd) == (0.75, 0.0)
    run.answers_ask(conflict, Rung("agent", "failed"), reports=(Usage(usd=0.25), Usage(usd=0.5), Usage(usd=0.25)))
    assert (run.run.spent_usd, run.run.reserved_usd) == (1.0, 0.0)
    assert [(cost.ask, cost.number, cost.usd) for cost in run.costs] == [(1, 1, 0.25), (1, 2, 0.5), (1, 3, 0.25)]
    run.ask_uses(conflict, 9.0, 9.0, 9.0, 9.0)
    assert run.run.spent_usd == 1.0, "it has ended"


def test_an_ask_is_ended_when_it_cost_what_it_may_and_the_operator_is_told():
    run, conflict = asked(max_cost_usd=1)
    run.ask_uses(conflict, 0.75)
    assert run.ended_asks == []
    run.ask_uses(conflict, 0.75, 0.5)
    assert [(end.conflict, end.ask) for end in run.ended_asks] == [(conflict, 1)]
    why = "cost $1.25 and reached its max_cost_usd of $1.00"
    assert run.told("cap_reached") == [f"agent claude at conflict {conflict} {why}: it is ended"]
    run.ask_uses(conflict, 0.75, 0.5, 0.25)
    assert len(run.ended_asks) == 1, "once"
    run.crash(linger=True)
    assert len(run.ended_asks) == 2, "and again by whoever takes the run up"
    run.answers_ask(conflict, FAILED, reports=(Usage(usd=0.75), Usage(usd=0.5), Usage(usd=0.25)))
    assert run.told("cap_reached") == [f"agent claude at conflict {conflict} {why}: it is ended"]
    assert run.reason("ws-a").endswith(f"the agent failed: {why}")
    assert (run.run.spent_usd, run.run.reserved_usd, run.asked) == (1.5, 0.0, [])


def test_an_ask_is_ended_at_what_its_workstream_may_cost_in_all():
    run = Driver(workstream("ws-a"), policy=POLICY).begin(linger=True)
    run.does(Verb.BUDGET, limit="task", amount=2)
    run.ends("ws-a", usd=1.5)
    run.collects("ws-a")
    conflict = run.conflicts("ws-a")
    assert [ask.cap_usd for ask in run.asked] == [0.5]
    run.ask_uses(conflict, 0.75)
    assert [(end.conflict, end.ask) for end in run.ended_asks] == [(conflict, 1)]
    run.answers_ask(conflict, FAILED, reports=(Usage(usd=0.75),))
    assert "cost $2.25 of the $2.00 that a workstream may cost" in run.reason("ws-a")


def test_an_ask_that_was_ended_at_what_it_may_cost_is_not_made_again_by_itself():
    run, conflict = asked(max_cost_usd=1)
    run.ask_uses(conflict, 1.5)
    run.does(Verb.STOP)
    run.answers_ask(conflict, FAILED, reports=(Usage(usd=1.5),))
    run.crash(linger=True)
    assert run.run.state is RunState.RUNNING
    assert run.asked == []


def test_an_ask_that_costs_no_money_is_never_ended_for_it():
    run, conflict = asked(replace(POLICY, free=frozenset({"claude"})), max_cost_usd=1)
    run.ask_uses(conflict, 9.0)
    assert (run.ended_asks, run.run.spent_usd) == ([], 0.0)


def test_who_reports_what_nobody_can_price_about_a_conflict_is_not_asked_again_where_money_is_limited():
    run, conflict = asked(replace(POLICY, refuse_unknown=True))
    run.answers_ask(conflict, Rung("agent", "failed"), reports=(Usage(tokens_in=10),))
    run.does(Verb.AGAIN, conflict=conflict)
    assert run.asked == []
    assert "the price of opus is unknown" in run.reason("ws-a")


def test_what_an_older_version_did_not_write_down_is_filled_in():
    run, conflict = asked()
    run.stored.conflicts[conflict].asked = ()
    run.crash(linger=True)
    assert [(ask.agent, ask.model) for ask in run.asked] == [("claude", "opus")]
    assert run.machine.board.purse.running == {"anthropic": 1}
    run.answers_ask(conflict, FAILED, usd=0.25)
    assert [(cost.agent, cost.model, cost.provider) for cost in run.costs] == [("claude", "opus", "anthropic")]


def test_an_attempt_that_an_older_version_began_uses_its_agents_provider():
    policy = Policy(provider_of={"shell": "openai"}, concurrency={"openai": 1})
    run = Driver(workstream("ws-a"), workstream("ws-b"), policy=policy).begin()
    run.starts("ws-a")
    run.stored.attempts["ws-a", 1].provider = ""
    run.stored.providers.clear()
    run.crash()
    assert run.running == ["ws-a"], "it is the one of openai that may run"
    run.ends("ws-a", AttemptState.FAILED, fault=Fault.QUOTA, until=run.clock + 60)
    assert run.machine.board.records.providers.keys() == {"openai"}
    assert run.machine.board.records.providers["openai"].state is ProviderState.PAUSED


def short_of_money(budget: float) -> tuple[Driver, str]:
    """A conflict whose agent cannot be paid for while another workstream holds its reserve of a dollar."""
    policy = replace(POLICY, reserve_usd=1.0, overlap="allow")
    run = Driver(workstream("ws-a"), workstream("ws-b"), policy=policy, budget=budget).begin()
    run.ends("ws-a", usd=0.5)
    run.collects("ws-a")
    return run, run.conflicts("ws-a")


def test_an_agent_is_asked_as_soon_as_others_gave_back_what_was_set_aside_for_them():
    run, conflict = short_of_money(2)
    assert run.asked == []
    assert run.reason("ws-a") == f"waits to ask an agent about conflict {conflict}: budget: needs $1.00, $0.50 is left"
    run.ends("ws-b", usd=0.25)
    assert [ask.conflict for ask in run.asked] == [conflict]


def test_a_conflict_comes_to_the_operator_when_nobody_gives_enough_back():
    run, conflict = short_of_money(2)
    run.ends("ws-b", usd=0.75)
    assert run.asked == []
    assert run.reason("ws-a").endswith("no agent was asked (budget: needs $1.00, $0.75 is left)")
    run.collects("ws-b")
    run.merges("ws-b")
    assert (run.run.state, run.run.reason) == (RunState.PAUSED, f"waits for the operator: conflict {conflict}")


def test_what_would_not_be_enough_even_then_comes_to_the_operator_at_once():
    run = Driver(workstream("ws-a", max_cost_usd=1.75), policy=POLICY, budget=2).begin(linger=True)
    run.ends("ws-a", usd=0.5)
    run.collects("ws-a")
    run.conflicts("ws-a")
    assert run.reason("ws-a").endswith("no agent was asked (budget: needs $1.75, $1.50 is left)")


def test_who_may_cost_nothing_says_so_though_the_work_itself_is_free():
    run = Driver(workstream("ws-a"), policy=replace(POLICY, free=frozenset({"shell"}))).begin(linger=True)
    run.does(Verb.BUDGET, limit="task", amount=0)
    run.comes_to_merge("ws-a")
    run.conflicts("ws-a")
    assert "cost $0.00 of the $0.00 that a workstream may cost" in run.reason("ws-a")


def test_a_run_is_not_rolled_back_while_an_agent_is_at_a_conflict_that_is_closed():
    run = Driver(workstream("ws-b"), workstream("ws-a", "ws-b"), policy=POLICY).begin()
    run.finishes("ws-b")
    run.comes_to_merge("ws-a")
    conflict = run.conflicts("ws-a")
    run.crash(dispatch=False)
    run.does(Verb.QUARANTINE, conflict=conflict)
    assert run.run.state is RunState.FAILED
    run.crash(dispatch=False)
    refused = run.is_refused(Verb.ROLLBACK)
    assert refused == f"an agent is at conflict {conflict}: roll back when it is gone; `uet resume` sees to that"
    run.crash()
    run.answers_ask(conflict, FAILED, usd=0.5)
    assert (run.run.spent_usd, run.run.reserved_usd, run.run.state) == (0.5, 0.0, RunState.FAILED)
    run.crash(dispatch=False)
    run.ask(Verb.ROLLBACK)
    assert run.run.state is RunState.CANCELLED


def test_an_ask_of_which_no_agent_was_started_says_nothing_of_its_provider():
    run, conflict = asked()
    run.answers_ask(conflict, Rung("agent", "failed", detail="429"), fault=Fault.RATE_LIMIT, until=run.clock + 30)
    run.passes(30)
    run.answers_ask(conflict, Rung("agent", "not applicable", detail="nothing of it is text"))
    assert run.machine.board.records.providers["anthropic"].pauses == 1


def test_an_ask_that_cost_more_than_a_limit_that_is_lowered_is_ended_at_once():
    run, conflict = asked()
    run.ask_uses(conflict, 0.75)
    run.does(Verb.BUDGET, limit="task", amount=0.5)
    assert [(end.conflict, end.ask) for end in run.ended_asks] == [(conflict, 1)]
    run.does(Verb.BUDGET, limit="task", amount=0.25)
    assert len(run.ended_asks) == 1
