"""`uet conflicts` where an agent proposed something, and what is remembered of resolutions."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from tests.engine.scene import Scene, workstream
from tests.support.repository import Repository

RESOLVER = 'open("list.txt", "w").write("top\\nfrom ws-b\\n")'


@pytest.fixture
def settled(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A repository with a run whose agent was refused, because it dropped a line; nobody has the run."""
    repository.write("list.txt", "top\nmiddle\n")
    repository.commit("A list")
    script = tmp_path / "resolver.py"
    script.write_text(RESOLVER)
    told = {"command": [sys.executable, str(script)], "prompt": "text", "env": ["PATH"], "usage": "none"}
    scene = Scene(repository)
    change = "sed -i 's/middle/from {0}/' list.txt"
    scene.begin(
        workstream("ws-a", change.format("ws-a")),
        workstream("ws-b", "sleep 0.5", change.format("ws-b")),
        sets=("overlap=allow", "forecast_seconds=0", f"agents.scripted={json.dumps(told)}", "ladder.agent=scripted"),
    )
    scene.finish()
    monkeypatch.chdir(repository.path)
    return scene


def test_a_refused_proposal_is_shown_with_who_made_it_what_it_drops_and_how_long_it_waits(
    settled: Scene, uet: Uet
) -> None:
    out = uet("conflicts", "show").out
    for wanted in (
        "proposal by     agent scripted",
        "waits           0:0",
        "agent: refused in 0:0",
        "proposed by agent",
    ):
        assert wanted in out
    assert "! ours added 'from ws-a' (list.txt:2), the result lacks it" in out
    assert "proposal │ from ws-b" in out
    [shown] = uet("conflicts", "show", "--json").document["conflicts"]
    assert (shown["proposal"], shown["busy"], shown["deferred"]) == ("agent scripted", None, False)
    assert [rung["verdict"] for rung in shown["tried"] if rung["rung"] == "agent"] == ["refused"]
    assert shown["contents"][0]["lost"] and shown["contents"][0]["proposed_by"] == "agent"
    assert "is not decided yet" in uet("conflicts", "approve").line


def test_what_is_put_off_says_so(settled: Scene, uet: Uet) -> None:
    assert uet("conflicts", "defer", "--json").document["ok"] is True
    assert ", put off" in uet("conflicts", "show").out
    assert uet("conflicts", "show", "--json").document["conflicts"][0]["deferred"] is True


def test_a_resolution_is_on_record_until_it_is_forgotten(settled: Scene, uet: Uet) -> None:
    assert uet("conflicts", "recorded").out == "no resolution is on record\n"
    assert uet("conflicts", "recorded", "--json").document == {"recorded": []}
    assert uet("conflicts", "take", "--both-theirs-first").code == 0
    [known] = uet("conflicts", "recorded", "--json").document["recorded"]
    assert known["paths"] == ["list.txt"]
    assert "from ws-b" in known["preview"]
    assert "list.txt" in uet("conflicts", "recorded").out
    assert "no resolution of 'nothing' is on record" in uet("conflicts", "forget", "nothing").line
    assert uet("conflicts", "forget", "list.txt", "--json").document == {"forgotten": [known["id"]]}
    assert uet("conflicts", "recorded", "--json").document == {"recorded": []}
    told = uet("events", "--operator").out.splitlines()[-1]
    assert all(part in told for part in ("forget", known["id"][:12], "list.txt")), told


def test_outside_of_a_repository_there_is_nothing_to_forget(here: Path, uet: Uet) -> None:
    for command in (("recorded",), ("forget", "x")):
        assert "there are no runs in" in uet("conflicts", *command).line
