"""The first records of a run, made from its plan; and what records lack that an older version wrote."""

from uet_tui.core.policy import Policy
from uet_tui.core.records import AskRecord, Records, RunRecord, WorkstreamRecord
from uet_tui.core.states import ATTEMPT_OVER
from uet_tui.plan.model import Plan


def first_records(run: RunRecord, plan: Plan, agents: dict[str, str], models: dict[str, str]) -> Records:
    """Records in which nothing has happened yet.

    Args:
        run: the run's own record.
        plan: what is to be done.
        agents: the agent of each workstream, by workstream id.
        models: the model of each agent that has one, by agent name.
    """
    waves = plan.wave_of
    rows = {id: WorkstreamRecord(id, waves[id], agents[id], models.get(agents[id], "")) for id in plan.workstreams}
    return Records(run, rows, {}, {}, {})


def fill_in(records: Records, policy: Policy) -> None:
    """Says of agents at work that an older version started what it did not write down: whose quota they use, and who
    was asked about a conflict. That is taken to be as the settings are now."""
    for attempt in records.attempts.values():
        if attempt.state not in ATTEMPT_OVER and not attempt.provider:
            attempt.provider = policy.provider_of.get(attempt.agent, attempt.agent)
    for conflict in records.conflicts.values():
        ask = conflict.ask(conflict.asks)
        if conflict.asking and not ask.agent:
            row = records.workstreams[conflict.workstream]
            agent = policy.resolver.get(row.id, row.agent)
            model = row.model if agent == row.agent else policy.models.get(agent, "")
            provider = policy.provider_of.get(agent, agent)
            conflict.keep_ask(AskRecord(ask.number, agent, model, provider, ask.reports, ask.cost_usd))
