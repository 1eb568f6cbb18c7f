"""Agents that are not in continuous integration, each with one workstream: `make test-more-agents`."""

import pytest

from tests.provider.script import Session, Tokens, Write, always
from tests.real_agents.conftest import MakeFleet
from tests.real_agents.fleet import workstream

USED = Tokens(1200, 60)


@pytest.mark.parametrize(
    "agent",
    [pytest.param(agent, marks=pytest.mark.programs(agent)) for agent in ("mini", "opencode", "gemini")],
)
@pytest.mark.timeout(120)
def test_the_edit_is_merged_and_what_the_program_tells_is_what_the_provider_counted(
    fleet: MakeFleet, agent: str
) -> None:
    a = fleet({agent: Session({"ws-a": always(Write("src/ws-a.py", "NAME = 'a'\n"), USED)})})
    a.hire(agent)
    a.prepare([workstream("ws-a", agent, timeout=90)])

    document = a.document("run", "--headless")

    assert [one["state"] for one in document["workstreams"]] == ["MERGED"]
    assert a.merged("src/ws-a.py") == "NAME = 'a'\n"
    work = sum((served.told for served in a.provider.served("ws-a") if served.request.number > TITLES[agent]), Tokens())
    assert a.recorded("ws-a")[0] == work


TITLES = {"mini": 0, "opencode": 1, "gemini": 0}
"""How many of its first requests are for a title, of which a program does not tell what they used."""
