"""Killed at every commit and every start of an agent, a run with limits and asks costs what it cost, once."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.engine.scene import workstream
from tests.engine.test_recovery import Theatre, server, theatre
from tests.engine.test_resolving import KEEP_BOTH, ONCE_A_IS_MERGED, agent
from uet_tui.core.states import RunState, WorkstreamState

__all__ = ["server", "theatre"]

USE = "agents.shell.usage=json-lines"


def says(usd: float) -> str:
    """A line of a script that reports all that was used so far."""
    return f"""printf '{{"uet": {{"cost_usd": {usd}}}}}\\n'"""


def plan(theatre: Theatre, folder: Path, *sets: str) -> None:
    """Two that conflict, whose agents and the one that resolves it tell twice, and one that is ended at its limit."""
    theatre.repository.write("list.txt", "top\nmiddle\nbottom\n")
    theatre.repository.commit("A list")
    theatre.operator = type(theatre.operator).discover(theatre.repository.path)
    told = 'print(\'{"uet": {"cost_usd": 0.25}}\', flush=True)\ntime.sleep(1.5)\n'
    change = "sed -i '2s/.*/from {0}/' list.txt"
    theatre.plan(
        workstream("ws-a", says(0.5), change.format("ws-a"), says(1)),
        workstream("ws-b", says(0.5), ONCE_A_IS_MERGED, change.format("ws-b"), says(1)),
        workstream("ws-c", says(2.5), "sleep 600", max_cost_usd=2),
        sets=(
            *agent(folder, told + dedent(KEEP_BOTH)),
            *("overlap=allow", "forecast_seconds=0", "resolve=auto", "budget.max_cost_total=100", "grace_seconds=0.2"),
            USE,
            *sets,
        ),
    )


@pytest.mark.timeout(180)
@pytest.mark.parametrize("when", ["commit", "before commit", "start", "before start"])
def test_killed_at_every_step_in_turn_each_dollar_counts_once(theatre: Theatre, tmp_path: Path, when: str) -> None:
    plan(theatre, tmp_path)
    kills = 1
    while theatre.launch(f"{when} {kills}").wait(60) != 0:
        kills += 1
    assert kills > 1, "it was killed"
    each_dollar_counts_once(theatre)


@pytest.mark.parametrize("when", ["start 4", "before start 4"])
def test_killed_where_the_agent_is_started_that_is_asked_it_is_asked_once(
    theatre: Theatre, tmp_path: Path, when: str
) -> None:
    plan(theatre, tmp_path)
    theatre.killed_at(when)
    (asking, reserved) = theatre.sql("SELECT asking, reserved_usd FROM merge_conflicts")[0]
    assert asking and reserved == 0.25
    theatre.to_the_end()
    each_dollar_counts_once(theatre)
    assert theatre.sql("SELECT asks FROM merge_conflicts") == [(1,)]
    assert theatre.sql("SELECT sum(usd) FROM cost_tracking WHERE conflict != ''") == [(0.25,)]


def each_dollar_counts_once(theatre: Theatre) -> None:
    """The run ended as it had to, and what was used is on record, once, under who used it."""
    view = theatre.view()
    assert view.state is RunState.FAILED, "of which only the one that cost too much"
    assert [ws.state for ws in view.workstreams if ws.id != "ws-c"] == [WorkstreamState.MERGED] * 2
    assert theatre.attempts("ws-c")[-1] == "KILLED"
    for id in ("ws-a", "ws-b", "ws-c"):
        spent = theatre.sql("SELECT cost_usd FROM attempts WHERE workstream = ? ORDER BY number", id)
        told = theatre.sql(
            "SELECT attempt, sum(usd) FROM cost_tracking WHERE workstream = ? AND conflict = '' GROUP BY attempt", id
        )
        assert [usd for (usd,) in spent if usd] == [usd for _, usd in told], "what was started spent it"
        assert spent[-1] == ((2.5,) if id == "ws-c" else (1.0,))
    asks = theatre.sql("SELECT agent, sum(usd) FROM cost_tracking WHERE conflict != '' GROUP BY conflict, ask")
    assert set(asks) <= {("scripted", 0.25)}, "where ws-b had to begin anew on what is merged nobody is asked"
    theatre.check("ws-a", "ws-b")
