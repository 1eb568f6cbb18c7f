import json
import signal
import subprocess
import threading
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from tests.cli.scene import RUN, TOKEN, make_run
from tests.cli.test_main import UET, environment
from uet_tui.core import vocabulary
from uet_tui.core.changes import Changes, NewEvent
from uet_tui.core.states import RunState
from uet_tui.store.paths import Home
from uet_tui.store.writer import Writer

WORKSTREAM_KEYS = {
    "id", "state", "wave", "attempts", "cost_usd", "started_at", "ended_at", "merge_commit", "reason"
}  # fmt: skip


def test_the_status_document_has_all_that_is_promised(uet: Uet, scene: str) -> None:
    document = uet("status", "--json").document
    assert (document["run"], document["state"], document["parallelism"]) == (RUN, "RUNNING", 4)
    assert (document["spent_usd"], document["reserved_usd"], document["budget_usd"]) == (3.12, 1.4, 25.0)
    assert document["counts"] == {"MERGED": 1, "RUNNING": 1, "CONFLICTED": 1, "FAILED": 1, "PENDING": 1}
    by_id = {one["id"]: one for one in document["workstreams"]}
    assert all(one.keys() >= WORKSTREAM_KEYS for one in by_id.values())
    assert by_id["ws-merged"]["merge_commit"] == "3" * 40
    assert by_id["ws-waiting"]["wave"] == 2
    assert by_id["ws-waiting"]["reason"] == "waits for ws-conflicted"
    started = datetime.fromisoformat(by_id["ws-merged"]["started_at"])
    assert by_id["ws-merged"]["started_at"].endswith("Z")
    assert 270 < time.time() - started.timestamp() < 400
    [conflict] = document["conflicts"]
    expected = {
        "id": "c1",
        "workstream": "ws-conflicted",
        "files": ["src/app.py", "logo.png"],
        "status": "PENDING",
        "proposal": None,
    }
    assert expected.items() <= conflict.items()
    assert document["workers"][0]["workstream"] == "ws-running"
    [pair] = document["pairs"]
    assert (pair["first"], pair["second"], pair["verdict"]) == ("ws-conflicted", "ws-running", "conflict")
    assert pair["files"] == ["src/app.py"]


def test_the_status_for_people_says_what_needs_them_and_what_to_type(uet: Uet, scene: str) -> None:
    lines = uet("status").out.splitlines()
    assert lines[0].startswith(f"payments run {RUN}  ▶ RUNNING eager   1 of 5 merged (20 %)")
    assert lines[1] == "workers 1 of 4 busy   $3.12 spent + $1.40 reserved of $25.00"
    assert any(line.startswith("! ") and line.endswith("-> uet conflicts show c1") for line in lines)
    waiting = next(line for line in lines if line.startswith("ws-waiting"))
    assert "· PENDING" in waiting
    assert waiting.endswith("waits for ws-conflicted")


def test_a_run_is_named_by_position_by_option_or_by_a_beginning_of_its_id(uet: Uet, scene: str) -> None:
    for arguments in (("status", RUN), ("status", "--run", RUN), ("status", "7f3a"), ("status", RUN, "--run", RUN)):
        assert uet(*arguments, "--json").document["run"] == RUN
    assert "no run ffff" in uet("status", "ffff").line
    assert "name one" in uet("status", RUN, "--run", "ffff").line


def test_a_folder_below_the_repository_sees_its_runs(
    uet: Uet, scene: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(here / "src" / "deep")
    assert uet("status", "--json").document["run"] == RUN


def test_runs_workers_and_costs_have_documents_and_tables(uet: Uet, scene: str) -> None:
    [run] = uet("runs", "--json").document["runs"]
    assert (run["run"], run["merged"], run["workstreams"], run["alive"]) == (RUN, 1, 5, False)
    assert "nobody runs it" in uet("runs").out
    workers = uet("workers", "--json").document["workers"]
    assert [(one["number"], one["state"], one["doing"]) for one in workers] == [
        (1, "BUSY", "compiling"),
        (2, "PAUSED", ""),
    ]
    assert "▶ BUSY" in uet("workers").out
    costs = uet("costs", "--json").document
    assert costs["workstreams"][0] == {
        "workstream": "ws-merged",
        "agent": "shell",
        "cost_usd": 0.31,
        "attempts": 1,
        "tokens_in": 1200,
        "tokens_out": 300,
        "tokens_cached": 0,
        "tokens_reasoning": 0,
        "unpriced": 0,
    }
    assert "left $20.48 of $25.00" in uet("costs").out


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("workstream", ["ws-merged"]),
        ("attempt", ["ws-merged #1"]),
        ("model", ["unknown (shell)"]),
        ("wave", ["wave 1"]),
        ("outcome", ["merged"]),
    ],
)
def test_costs_are_broken_down_in_every_way(uet: Uet, scene: str, by: str, labels: list[str]) -> None:
    rows = uet("costs", "--json").document["breakdown"][by]
    assert [row["label"] for row in rows] == labels
    assert rows[0]["cost_usd"] == 0.31
    assert uet("costs", "--by", by).out.splitlines()[-1].split()[0] == "$0.31"
    assert [line.split(",")[:2] for line in uet("costs", "--by", by, "--csv").out.splitlines()[1:]] == [[by, labels[0]]]


def test_costs_as_csv_hold_every_way_to_look_at_them(uet: Uet, scene: str) -> None:
    names, *lines = uet("costs", "--csv").out.splitlines()
    assert names.startswith("by,label,workstream,attempt,agent,cost_usd,")
    assert [line.split(",")[0] for line in lines] == ["workstream", "attempt", "model", "wave", "outcome"]
    assert lines[1] == "attempt,ws-merged #1,ws-merged,1,shell,0.31,0.0,1,1200,0,300,0,0"
    assert uet("costs", "--csv", "--json").code == 2


def test_show_tells_what_each_gate_said_and_that_prose_was_not_run(uet: Uet, scene: str) -> None:
    results = uet("show", "ws-merged", "--json").document["gate_results"]
    assert [(one["gate"], one["where"], one["verdict"]) for one in results] == [
        ("GATE_UNIT", "sandbox", "passed"),
        ("acceptance 1: it reads well", "sandbox", "not run"),
        ("GATE_UNIT", "merged", "flaky"),
    ]
    assert results[0]["output"] == "2 passed"
    shown = uet("show", "ws-merged").out
    assert "tests           ○ not run: it reads well" in shown
    flaky = next(line for line in shown.splitlines() if "flaky" in line)
    assert flaky.split()[:6] == ["≈", "flaky", "merged", "1", "1:15", "GATE_UNIT"]
    assert "\x1b" not in shown


def test_show_and_why_tell_of_one_workstream(uet: Uet, scene: str) -> None:
    document = uet("show", "ws-merged", "--json").document
    assert document["tasks"] == ["do ws-merged"]
    assert [(one["attempt"], one["state"], one["exit_code"]) for one in document["attempts_made"]] == [
        (1, "SUCCEEDED", 0)
    ]
    shown = uet("show", "ws-merged").out
    assert "✓ SUCCEEDED" in shown
    assert "ws-merged merged as 3333333" in shown
    why = uet("why", "ws-waiting", "--json").document
    assert why["reason"] == "waits for ws-conflicted"
    assert [one["id"] for one in why["waits_for"]] == ["ws-conflicted"]
    assert uet("why", "ws-waiting").out.splitlines()[0] == "ws-waiting  · PENDING  waits for ws-conflicted"
    assert uet("show", "ws-mergd").line == f"run {RUN} has no workstream ws-mergd; did you mean ws-merged?"


def test_events_are_lines_oldest_first(uet: Uet, scene: str) -> None:
    lines = [json.loads(line) for line in uet("events", "--json").out.splitlines()]
    assert [line["type"] for line in lines] == ["run_started", "workstream_merged", "conflict_opened"]
    keys = {"id", "time", "type", "workstream", "worker", "attempt", "data"}
    assert all(line.keys() >= keys for line in lines)
    assert (lines[1]["workstream"], lines[1]["worker"], lines[1]["attempt"]) == ("ws-merged", 1, 1)
    assert [json.loads(line)["id"] for line in uet("events", "--json", "--tail", "1").out.splitlines()] == [
        lines[2]["id"]
    ]
    assert uet("events", "--tail", "0").out == ""
    assert uet("events").out.splitlines()[2].endswith("  ws-conflicted needs you")


def test_following_ends_when_the_run_does_and_misses_nothing(uet: Uet, scene: str, here: Path) -> None:
    writer = Writer(Home(here / ".uet").database)

    def go_on() -> None:
        writer.claim(RUN, TOKEN, 1)
        for number in range(20):
            event = NewEvent(time.time(), vocabulary.WORKSTREAM_QUEUED, f"step {number}")
            writer.commit(RUN, TOKEN, Changes(events=[event]))
        run = writer.load(RUN).run
        run.state = RunState.FAILED
        writer.commit(RUN, TOKEN, Changes(run=run, events=[NewEvent(time.time(), vocabulary.RUN_ENDED, "over")]))

    thread = threading.Thread(target=go_on)
    thread.start()
    said = uet("events", "--follow", "--json")
    thread.join()
    writer.close()
    texts = [json.loads(line)["text"] for line in said.out.splitlines()]
    assert texts[3:] == [*(f"step {number}" for number in range(20)), "over"]
    assert said.code == 0


def test_following_is_interrupted_quietly_with_130(scene: str, here: Path) -> None:
    process = subprocess.Popen(
        [*UET, "events", "--follow"],
        cwd=here,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"")


def test_looking_writes_nothing(uet: Uet, scene: str, here: Path) -> None:
    database = here / ".uet" / "uet.db"
    before = database.read_bytes()
    for command in ("status", "runs", "workers", "costs", "events", "show ws-merged", "why ws-merged", "conflicts"):
        assert uet(*command.split()).code == 0
    assert database.read_bytes() == before


def test_conflicts_are_listed_and_shown_hunk_by_hunk(uet: Uet, scene: str) -> None:
    for arguments in (("conflicts",), ("conflicts", "list")):
        assert [one["id"] for one in uet(*arguments, "--json").document["conflicts"]] == ["c1"]
    assert "0 of 2" in uet("conflicts").out
    [shown] = uet("conflicts", "show", "c1", "--json").document["conflicts"]
    first, second = shown["hunks"]
    assert (first["file"], first["hunk"], first["ours"], first["base"]) == ("src/app.py", 1, ["jobs = 4"], ["jobs = 1"])
    assert first["theirs"] == ["jobs = 8", "slow = True"]
    assert second["ours"] == []
    assert [(one["file"], one["kind"]) for one in shown["contents"]] == [
        ("src/app.py", "content"),
        ("logo.png", "binary"),
    ]
    text = uet("conflicts", "show").out  # the only open one
    assert "ours     │ jobs = 4\n" in text
    assert "theirs   │ slow = True\n" in text
    assert "ours     │ (nothing)\n" in text
    assert "\x1b" not in text
    assert "open: c1 (ws-conflicted)" in uet("conflicts", "show", "c9").line


def test_colour_comes_only_on_a_terminal(scene: str, here: Path) -> None:
    typed = ["script", "-qec", f"{' '.join(UET)} conflicts show c1", "/dev/null"]
    if not Path("/usr/bin/script").exists():
        pytest.skip("script(1) is not installed")
    for colourless in (False, True):
        more = {"TERM": "xterm-256color"} | ({"NO_COLOR": "1"} if colourless else {})
        done = subprocess.run(typed, cwd=here, env=environment() | more, capture_output=True, text=True, check=True)
        assert "jobs = 4" in done.stdout
        assert ("\x1b[32m" in done.stdout) is not colourless


def test_status_is_quick_since_it_loads_little(scene: str, here: Path) -> None:
    command = [UET[0], "-X", "importtime", *UET[1:], "status"]
    done = subprocess.run(command, cwd=here, env=environment(), check=True, capture_output=True, text=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "sqlalchemy" in loaded
    assert not loaded & {"textual", "alembic", "jinja2", "genai_prices", "bpe_openai", "tree_sitter"}


def test_only_the_operators_acts_are_shown_with_who_when_and_from_where(uet: Uet, here: Path) -> None:
    make_run(here)
    home = Home(here / ".uet")
    with closing(Writer(home.database)) as writer:
        writer.claim(RUN, TOKEN, 1)
        about = {"by": "ann", "source": "console:4711", "verb": "hold", "ok": True}
        act = NewEvent(1e9, vocabulary.OPERATOR_COMMAND, "ann: hold ws-failed: done", "info", "ws-failed", data=about)
        writer.commit(RUN, TOKEN, Changes(events=[act, NewEvent(1e9 + 1, vocabulary.RUN_ENDED, "later")]))
    (line,) = uet("events", "--operator", "--json").out.splitlines()
    assert {**json.loads(line)["data"], **about} == json.loads(line)["data"]
    (told,) = uet("events", "--operator", "--tail", "5").out.splitlines()
    assert told.endswith("ann: hold ws-failed: done  from console:4711")
