"""A run whose money runs out, in a real terminal: the warning, the halt, more money by a key, and where it all went."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import TMUX, Terminal
from tests.e2e.uet import start, states, status, uet
from tests.support.repository import Repository

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

AGENT = """\
agents:
  metered:
    command: [/bin/sh, -e, "{prompt_file}"]
    prompt: script
    env: [PATH]
    usage: json-lines
    provider: house
    model: house-model
"""
"""A script that says what it cost, as an agent of one's own would."""
SETS = ("--workers", "1", "--set", "budget.max_cost_total=4.2", "--set", "retry.base_seconds=0.05")
"""Four attempts can be paid of the six that the plan takes."""


class Plan:
    """Five workstreams, one after the other, 95 cents an attempt; the first fails once, the third waits for a word."""

    def __init__(self, folder: Path, repository: Repository) -> None:
        self._word, failed = folder / "word", folder / "failed"
        repository.write("config/agents.yaml", AGENT)
        used = json.dumps({"uet": {"cost_usd": 0.95, "tokens_in": 9_000, "tokens_out": 800, "tokens_cached": 6_000}})
        steps = {
            1: f"[ -e {failed} ] || {{ touch {failed}; exit 1; }}",
            3: f"until [ -e {self._word} ]; do sleep 0.05; done",
        }
        self.path = folder / "plan.json"
        self.path.write_text(json.dumps([self._one(n, used, steps.get(n, "true")) for n in range(1, 6)]))

    def _one(self, number: int, used: str, step: str) -> dict[str, Any]:
        required = {"openspec_change": "OS-1", "ccpm_issue": 1, "gate": 1, "tool": "metered", "max_cost_usd": 1.0}
        return {
            "id": f"ws-{number}",
            "files_scope": [f"{number}.txt"],
            "tasks": [f"echo '{used}'", step, f"echo {number} >{number}.txt"],
            "depends_on": [f"ws-{number - 1}"] if number > 1 else [],
            **required,
        }

    def let_go(self) -> None:
        """Lets the third workstream finish."""
        self._word.touch()


def pressed(terminal: Terminal, keys: Sequence[str], *what: str | re.Pattern[str], gone: str = "never there") -> None:
    """Waits for texts, however they are broken into lines, and patterns within a line; and for what is to be gone."""
    terminal.press(*keys)

    def seen(screen: str) -> bool:
        words = " ".join(screen.split())
        found = all(one in words if isinstance(one, str) else one.search(screen) for one in what)
        return found and gone not in words

    terminal.wait_for(seen)


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), pytest.param(80, 24, marks=pytest.mark.slow)])
def test_a_run_warns_halts_and_goes_on_once_its_budget_is_raised_and_says_where_the_money_went(
    tmp_path: Path, repository: Repository, columns: int, rows: int
) -> None:
    plan = Plan(tmp_path, repository)
    with Terminal(columns, rows) as terminal:
        start(terminal, repository.path, "run", str(plan.path), *SETS)
        terminal.wait_for("! 91 % of the budget is used", 30)
        plan.let_go()
        pressed(terminal, [], "$ too little money left: b raises it", "$ HALTED", "raises it, and the run goes on")
        pressed(terminal, ["b"], "US dollars for")
        terminal.type("3")
        pressed(terminal, ["Enter"], "! $3.00 is not more than the $3.80 that is spent")
        terminal.type("0")
        pressed(terminal, ["Enter"], re.compile("5(/| of )5"))
        terminal.wait_for("COMPLETED")
        pressed(terminal, ["$"], "$0.95 retried", re.compile(r"all .*\$5\.70 .* 54k"))
        pressed(terminal, ["5"], re.compile(r"✓ merged .*\$4\.75"), re.compile(r"↻ retried .*\$0\.95"))
        pressed(terminal, ["Down", "Enter"], "only retried", "ws-1 #1", gone="ws-1 #2")
        pressed(terminal, ["Escape"], "✓ merged")
        pressed(terminal, ["Escape"], "L land")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert states(status(repository.path)) == ["MERGED"]


def test_a_halted_run_that_nobody_has_takes_more_money_in_the_console_and_says_how_to_go_on(
    tmp_path: Path, repository: Repository
) -> None:
    plan = Plan(tmp_path, repository)
    plan.let_go()
    uet(repository.path, "run", str(plan.path), "--headless", *SETS, code=3)
    run = status(repository.path)["run"]
    with Terminal(80, 24) as terminal:
        start(terminal, repository.path, "console")
        terminal.wait_for("$ HALTED", 20)
        pressed(terminal, ["b"], f"`uet resume {run}` goes on with it.")
        terminal.type("20")
        pressed(terminal, ["Enter"], "of $20.00 spent", f"`uet resume {run}`")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert (status(repository.path)["state"], status(repository.path)["budget_usd"]) == ("HALTED", 20.0)
    with Terminal(80, 24) as terminal:
        start(terminal, repository.path, "resume")
        terminal.wait_for("COMPLETED", 30)
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    assert states(status(repository.path)) == ["MERGED"]
