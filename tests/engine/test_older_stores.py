"""Runs that an earlier version of the program began are gone on with: their money is what it was, and counts once."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.engine.test_recovery import WAIT, Theatre, server, theatre
from tests.engine.test_resolving import agent, conflict, folder, held, killed_at
from tests.support.wait import until
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState
from uet_tui.engine import attempts

__all__ = ["server", "theatre"]

USE = "agents.shell.usage=json-lines"
REPORT = """printf '{"uet": {"cost_usd": 0.5}}\\n'"""
LATER = {
    "runs": ("phase_budget_usd", "task_budget_usd", "budget_stage", "budget_note", "wide", "overrides"),
    "workstreams": ("context_share",),
    "attempts": (
        *("kill_reason", "provider", "tokens_cached", "tokens_reasoning", "reports", "unpriced"),
        *("estimated_tokens", "estimated_usd", "fault"),
    ),
    "merge_conflicts": ("provider", "reports"),
    "cost_tracking": (
        *("tokens_cached", "tokens_reasoning", "estimated", "priced", '"conflict"', "ask", "number", "provider"),
    ),
}
"""The columns that schema 0003 brought."""


def as_it_was(scene: Scene, revision: str) -> None:
    """Makes the store what it would be if an earlier version had written it."""
    with closing(sqlite3.connect(scene.home.database)) as store, store:
        store.execute("ALTER TABLE attempts DROP COLUMN frozen_at")
        store.execute("ALTER TABLE merge_conflicts ADD COLUMN provider TEXT DEFAULT '' NOT NULL")
        store.execute("ALTER TABLE merge_conflicts ADD COLUMN reports JSON DEFAULT '[]' NOT NULL")
        store.execute("UPDATE merge_conflicts SET provider = coalesce(json_extract(asked, '$[0].provider'), '')")
        store.execute("ALTER TABLE merge_conflicts DROP COLUMN asked")
        if revision < "0003":
            store.execute("DROP INDEX ix_cost_tracking_report")
            store.execute("DROP TABLE providers")
            for table, columns in LATER.items():
                for column in columns:
                    store.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            store.execute(
                "CREATE INDEX ix_cost_tracking_run_workstream_attempt ON cost_tracking (run, workstream, attempt)"
            )
        store.execute("UPDATE schema_meta SET version_num = ?", (revision,))


def test_a_halted_run_of_an_older_schema_goes_on_when_there_is_more_money(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a", REPORT, max_cost_usd=1),
        workstream("ws-b", "echo b > b", REPORT, max_cost_usd=1, depends_on=["ws-a"]),
        sets=(USE, "budget.max_cost_total=1"),
    )
    assert scene.finish().state is RunState.HALTED
    as_it_was(scene, "0002")
    scene.resume()
    assert scene.finish().state is RunState.HALTED
    assert scene.ask_offline(Verb.BUDGET, amount=2).ok
    scene.resume()
    view = scene.finish()
    assert (view.state, view.costs.spent_usd, view.costs.reserved_usd) == (RunState.COMPLETED, 1.0, 0.0)


def test_an_agent_that_an_older_version_started_is_adopted_and_counts_for_its_provider(theatre: Theatre) -> None:
    go = theatre.repository.path.parent / "go"
    theatre.plan(
        workstream("ws-a", WAIT.format(go), "echo a > a", REPORT, max_cost_usd=1),
        sets=(USE, "agents.shell.provider=acme", "budget.max_cost_total=5"),
    )
    process = theatre.launch()
    until(lambda: theatre.attempts("ws-a") == ["RUNNING"], 10, "the agent to run")
    process.kill()
    process.wait(10)
    as_it_was(theatre, "0002")
    go.touch()
    until(lambda: (attempt_folder(theatre, "ws-a") / "exit.json").exists(), 10, "the agent to end")
    theatre.to_the_end()
    assert theatre.attempts("ws-a") == ["SUCCEEDED"]
    assert theatre.sql("SELECT attempt, number, usd, provider FROM cost_tracking") == [(1, 1, 0.5, "acme")]
    assert theatre.sql("SELECT name, state FROM providers") == [("acme", "OPEN")]
    theatre.check("ws-a")


def test_an_agent_that_an_older_version_asked_is_taken_for_who_would_be_asked_now(scene: Scene, tmp_path: Path) -> None:
    trace, go = tmp_path / "trace", tmp_path / "go"
    killed_at(scene, trace, *agent(tmp_path, held(trace, go)), "agents.scripted.model=opus", "resolve=auto")
    as_it_was(scene, "0003")
    go.touch()
    until(lambda: attempts.ended(folder(scene)), 10, "the agent to end")
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED
    assert conflict(scene).tried[-1].cost_usd == 0.125
    found = scene.sql("SELECT ask, number, agent, model, provider, usd FROM cost_tracking")
    assert found == [(1, 1, "scripted", "opus", "scripted", 0.125)]
