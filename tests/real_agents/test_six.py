"""One plan of six workstreams through three real programs at once."""

from datetime import datetime

import pytest

from tests.provider.script import Answer, Request, Script, Session, Tokens, Write
from tests.real_agents.conftest import MakeFleet
from tests.real_agents.fleet import MODELS, PRICES, prices, workstream

FILES = {
    "ws-aider-new": "src/by_aider.py",
    "ws-aider-old": "README.md",
    "ws-claude-new": "src/by_claude.py",
    "ws-claude-old": "src/app.py",
    "ws-codex-new": "src/by_codex.py",
    "ws-codex-old": "src/numbers.py",
}
"""What each workstream writes: two for each agent, a file that is new and one that is there."""
TELLS = {"aider": (0, 0), "claude": (1, 0), "codex": (1, 1)}
"""Whether each program tells of what came from a cache, and of what was thinking."""
CLAUDE = (3.0, 15.0, 0.3)
"""US dollars for a million tokens in, out and from a cache, as claude knows them of its model."""


def writes(path: str, agent: str, seed: int) -> Script:
    """Writes a file, and says of each request that it used something else."""

    def script(request: Request) -> Answer:
        cached, reasoning = TELLS[agent]
        base = 1000 + 137 * seed + 11 * request.number
        return Answer(
            Write(path, f"# written by {agent}\nVALUE = {seed}\n"),
            Tokens(base, 40 + 3 * seed + request.number, cached * (200 + seed), reasoning * (5 + seed)),
        )

    return script


def costs(agent: str, tokens: Tokens) -> float:
    """What tokens cost, worked out from the prices."""
    if agent == "claude":
        fresh = tokens.tokens_in - tokens.cached
        return (fresh * CLAUDE[0] + tokens.tokens_out * CLAUDE[1] + tokens.cached * CLAUDE[2]) / 1e6
    price_in, price_out = PRICES[MODELS[agent]]
    return (tokens.tokens_in * price_in + tokens.tokens_out * price_out) / 1e6


@pytest.mark.programs("aider", "claude", "codex")
@pytest.mark.timeout(180)
def test_six_workstreams_through_three_agents_at_once(fleet: MakeFleet) -> None:
    scripts = {id: writes(path, agent_of(id), seed) for seed, (id, path) in enumerate(FILES.items())}
    agents = ("aider", "claude", "codex")
    a = fleet({agent: Session({id: script for id, script in scripts.items() if agent in id}) for agent in agents})
    for agent in agents:
        a.hire(agent)
    a.settings = {"workers": 6}
    a.budget = {"budget": {"max_cost_total": 5.0, "models": prices()}}
    a.prepare([workstream(id, agent_of(id), files_scope=[path]) for id, path in FILES.items()])
    before = a.repository.head

    document = a.document("run", "--headless")

    assert document["state"] == "COMPLETED"
    ends = {one["id"]: (one["state"], one["attempts"]) for one in document["workstreams"]}
    assert ends == dict.fromkeys(FILES, ("MERGED", 1))
    for seed, (id, path) in enumerate(FILES.items()):
        assert a.merged(path) == f"# written by {agent_of(id)}\nVALUE = {seed}\n"
    assert a.repository.head == before
    assert a.repository.git("status", "--porcelain") == ""

    for id in FILES:
        counted = a.provider.told(id)
        tokens, usd = a.recorded(id, 1)
        assert tokens == counted, id
        assert usd == pytest.approx(costs(agent_of(id), counted), abs=1e-9), id
    assert a.provider.told() == sum((a.recorded(id)[0] for id in FILES), Tokens())
    assert document["spent_usd"] == pytest.approx(sum(a.recorded(id)[1] for id in FILES))
    assert document["reserved_usd"] == pytest.approx(0, abs=1e-9)

    spans = {one["id"]: (time_of(one["started_at"]), time_of(one["ended_at"])) for one in document["workstreams"]}
    assert any(
        sum(start <= moment <= end for start, end in spans.values()) == len(FILES) for moment, _ in spans.values()
    ), f"not at once: {spans}"


def agent_of(id: str) -> str:
    """Who does a workstream."""
    return id.split("-")[1]


def time_of(text: str) -> datetime:
    """A moment from a document."""
    return datetime.fromisoformat(text)
