"""Money in whole runs: agents are ended at what they may cost, and models that nobody can price are not started."""

from tests.engine.scene import Scene, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.states import AttemptState, RunState, WorkstreamState

USE = "agents.shell.usage=json-lines"


def spends(usd: float) -> str:
    """A line of a script that reports what was used."""
    return f"""printf '{{"uet": {{"cost_usd": {usd}}}}}\\n'"""


def test_an_agent_that_cost_what_it_may_is_ended_while_it_works(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", spends(0.5), "echo a > a.txt", spends(1.5), "sleep 600", max_cost_usd=1),
        sets=(USE, "grace_seconds=0.2"),
    )
    view = scene.finish()
    (failed,) = view.workstreams
    assert failed.state is WorkstreamState.FAILED
    assert failed.reason.endswith("and reached its max_cost_usd of $1.00")
    assert scene.orchestrator is not None
    (attempt,) = scene.orchestrator.records.attempts.values()
    assert (attempt.state, attempt.number) == (AttemptState.KILLED, 1)
    assert attempt.commit is not None, "what it left is kept"
    assert view.costs.spent_usd == attempt.cost_usd >= 1
    assert view.costs.reserved_usd == 0
    assert scene.events("cap_reached")


def test_what_nobody_can_price_waits_for_a_price_where_money_is_limited(scene: Scene) -> None:
    codex = "agents.shell.usage=codex"
    scene.begin(workstream("ws-a", "echo a > a.txt"), sets=(codex, "agents.shell.model=odd", "budget.max_cost_total=5"))
    view = scene.finish()
    assert view.state is RunState.HALTED
    assert view.reason.startswith("the price of odd is unknown, and money is limited; declare it under budget.models")
    assert view.workstreams[0].reason == "budget: the price of odd is unknown; declare it under budget.models"


def test_limits_of_tasks_and_phases_hold_from_the_start_and_what_changes_them_is_on_record(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt"), sets=("budget.max_cost_per_task=2", "budget.max_cost_per_phase=3")
    )
    view = scene.finish()
    assert (view.costs.task_budget_usd, view.costs.phase_budget_usd, view.costs.budget_usd) == (2.0, 3.0, None)
    assert scene.ask_offline(Verb.BUDGET, amount=10, limit="task", note="the demo").ok
    costs = scene.view().costs
    assert costs.task_budget_usd == 10.0
    assert [(one.limit, one.former_usd, one.reason, one.expires_at) for one in costs.overrides] == [
        ("task", 2.0, "the demo", None)
    ]


def test_a_run_that_goes_on_with_another_model_uses_that_and_asks_for_its_price(scene: Scene) -> None:
    codex = "agents.shell.usage=codex"
    done = """printf '{"type": "turn.completed", "usage": {"input_tokens": 10}}\\n'"""
    script = ("echo a > a.txt", done)
    scene.begin(workstream("ws-a", *script), sets=(codex, "agents.shell.model=odd", "budget.max_cost_total=5"))
    assert scene.finish().state is RunState.HALTED
    scene.resume(codex, "agents.shell.model=odder")
    view = scene.finish()
    assert (view.state, scene.sql("SELECT count(*) FROM attempts")) == (RunState.HALTED, [(0,)])
    assert view.workstreams[0].reason == "budget: the price of odder is unknown; declare it under budget.models"
    scene.resume(codex, "agents.shell.model=gpt-5")
    assert scene.finish().state is RunState.COMPLETED
    assert scene.sql("SELECT model FROM attempts") == [("gpt-5",)]
