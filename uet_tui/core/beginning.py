"""The first records of a run, made from its plan."""

from uet_tui.core.records import Records, RunRecord, WorkstreamRecord
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
