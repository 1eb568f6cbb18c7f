import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Uet
from tests.cli.test_main import UET, environment
from tests.cli.test_validate import bundle, write
from tests.support.repository import Repository
from tests.support.wait import until
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home

QUICK = ("--headless", "--set", "simulated.speed=20", "--set", "retry.base_seconds=0")


@pytest.fixture
def inside(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(repository.path)
    return repository


def work(id: str, *, seconds: int = 0, **more: Any) -> dict[str, Any]:
    """A workstream that makes one file."""
    return bundle(id, tasks=[f"mkdir -p src/{id}", f"sleep {seconds}", f"echo done > src/{id}/file"], **more)


FAILS = {"tasks": ["exit 3"], "circuit_breaker": {"max_attempts": 1}}


def newest(repository: Repository) -> str:
    [run] = (repository.path / ".uet" / "runs").iterdir()
    return run.name


def test_the_sample_plan_runs_right_after_init_and_lands(uet: Uet, inside: Repository) -> None:
    uet("init")
    inside.commit("Set up")
    said = uet("run", "--agent", "simulated", *QUICK)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert any(line.endswith("ended: 4 of 4 merged, $0.20 spent") for line in lines)
    assert any(line.endswith("-> uet land") for line in lines)
    assert "\x1b" not in said.out
    before = inside.head
    assert uet("land").code == 0
    assert inside.head != before
    assert (inside.path / "docs/guide/index.md").exists()


def test_headless_with_json_ends_with_the_status_document_and_nothing_else(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a"), bundle("ws-b", **FAILS))
    said = uet("run", "plan", "--json", *QUICK)
    assert said.code == 1
    assert {one["id"]: one["state"] for one in said.document["workstreams"]} == {"ws-a": "MERGED", "ws-b": "FAILED"}
    assert "ws-a" in said.err


def test_a_budget_of_nothing_starts_nothing_that_costs(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", bundle("ws-a"))
    said = uet("run", "plan", "--agent", "simulated", "--set", "budget.max_cost_total=0", *QUICK)
    assert said.code == 3
    assert "the budget of $0.00 is used up; raise it and resume" in said.out
    (row,) = uet("status", "--json").document["workstreams"]
    assert (row["attempts"], row["cost_usd"]) == (0, 0.0)


def test_landing_is_asked_for_with_auto(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a"))
    before = inside.head
    said = uet("run", "plan", "--land", "auto", *QUICK)
    assert said.code == 0
    assert inside.head != before
    assert "landed on main" in said.out


def test_a_landing_that_was_asked_for_and_refused_waits_for_the_operator(uet: Uet, inside: Repository) -> None:
    inside.write("README.md", "not committed\n")
    write(inside.path / "plan", work("ws-a"))
    assert uet("run", "plan", "--land", "auto", *QUICK).code == 4
    assert uet("land").code == 4


def test_a_conflict_waits_for_the_operator_and_is_settled_from_the_command_line(uet: Uet, inside: Repository) -> None:
    def greet(who: str) -> list[str]:
        return [f"sed -i 's/hello/{who}/' src/app.py"]

    plan = [bundle(f"ws-{who}", files_scope=["src/app.py"], tasks=greet(who)) for who in ("moin", "servus")]
    write(inside.path / "plan", *plan)
    said = uet("run", "plan", "--set", "overlap=allow", *QUICK)
    assert said.code == 4
    assert "-> uet conflicts show c1" in said.out
    taken = uet("conflicts", "take", "--theirs", "--json")
    assert (taken.code, taken.document["ok"]) == (0, True)
    document = uet("status", "--json").document
    assert document["counts"] == {"MERGED": 2}
    assert document["conflicts"][0]["status"] == "HUMAN_RESOLVED"


def test_resuming_a_run_that_is_over_does_nothing_and_says_what_is_next(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a"))
    uet("run", "plan", *QUICK)
    said = uet("resume", "--headless")
    assert said.code == 0
    assert "uet land" in said.out


@pytest.mark.parametrize(
    ("limit", "option"), [("total", "--total"), ("per_phase", "--per-phase"), ("per_task", "--per-task")]
)
def test_a_limit_is_not_changed_by_resuming_and_what_changes_it_is_named(
    uet: Uet, inside: Repository, limit: str, option: str
) -> None:
    write(inside.path / "plan", bundle("ws-a", **FAILS))
    uet("run", "plan", *QUICK)
    said = uet("resume", "--headless", "--set", f"budget.max_cost_{limit}=1")
    command = f"`uet budget {option} USD --run {newest(inside)}`"
    assert (
        said.code,
        said.line.endswith(f"budget.max_cost_{limit} of a run that has begun is changed by {command}"),
    ) == (
        2,
        True,
    )


def test_a_second_orchestrator_is_refused_with_5(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", bundle("ws-a", **FAILS))
    uet("run", "plan", *QUICK)
    run = newest(inside)
    with RunLock.acquire(Home(inside.path / ".uet").run(run)):
        said = uet("resume", run, "--headless")
    assert (said.code, run in said.line) == (5, True)


def test_an_interrupted_run_drains_ends_with_130_and_can_be_resumed(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a", seconds=1), work("ws-b", depends_on=["ws-a"]))
    process = subprocess.Popen(
        [*UET, "run", "plan", *QUICK], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: '"BUSY"' in uet("status", "--json").out, 20, "the first attempt")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.startswith("uet: draining")
    assert uet("status", "--json").document["counts"] == {"MERGED": 1, "PENDING": 1}
    assert uet("resume", *QUICK[:1]).code == 0
    assert uet("status", "--json").document["counts"] == {"MERGED": 2}


STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"


@pytest.mark.parametrize("signals", [2, 3])
def test_the_second_interrupt_stops_agents_gently_and_the_third_ends_them(
    uet: Uet, inside: Repository, signals: int
) -> None:
    write(inside.path / "plan", bundle("ws-a", tasks=["sleep 100" if signals == 2 else STUBBORN]))
    process = subprocess.Popen(
        [*UET, "run", "plan", *QUICK, "--set", "grace_seconds=60"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: '"BUSY"' in uet("status", "--json").out, 20, "the attempt")
    until(lambda: [*inside.path.glob(".uet/runs/*/attempts/ws-a/1/keeper.json")], 20, "the agent")
    process.send_signal(signal.SIGTERM)
    until(lambda: "draining, " in uet("status").out, 10, "the countdown")
    process.send_signal(signal.SIGTERM)
    if signals == 3:
        until(lambda: [*inside.path.glob(".uet/runs/*/attempts/ws-a/1/stop")], 10, "the agent to be asked")
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    told = ["draining", "stopping running attempts", "ending running attempts"]
    assert [line.split("uet: ")[1][: len(word)] for line, word in zip(err.splitlines(), told, strict=False)] == (
        told[:signals]
    )
    assert uet("status", "--json").document["counts"] == {"PENDING": 1}
    assert "running attempts finish for 300 s, then the run stops" in out
    acts = [line["data"] for line in map(json.loads, uet("events", "--operator", "--json").out.splitlines())]
    assert [act["verb"] for act in acts] == ["run", "drain", "stop", "kill"][: signals + 1]
    assert all(act["by"] and act["source"] == f"cli:{process.pid}" and act["asked_at"] for act in acts)


def test_once_the_time_to_drain_is_over_attempts_are_stopped(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", bundle("ws-a", tasks=["sleep 100"]))
    process = subprocess.Popen(
        [*UET, "run", "plan", *QUICK, "--set", "drain_seconds=1"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: '"BUSY"' in uet("status", "--json").out, 20, "the attempt")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the time to drain is over" in err


def test_a_terminal_that_closes_leaves_a_headless_run_alone(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a", seconds=1))
    process = subprocess.Popen(
        [*UET, "run", "plan", *QUICK], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: '"BUSY"' in uet("status", "--json").out, 20, "the attempt")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_without_a_terminal_the_console_is_refused_before_anything_begins(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", bundle("ws-a"))
    said = uet("run", "plan")
    assert (said.code, "--headless" in said.line) == (2, True)
    assert not (inside.path / ".uet").exists()
    assert "uet status" in uet("console").line


@pytest.mark.parametrize("kind", ["none", "bare", "empty"])
def test_a_run_needs_a_repository_with_a_commit_and_a_checkout(uet: Uet, here: Path, kind: str) -> None:
    if kind != "none":
        subprocess.run(["git", "init", "-q", *(["--bare"] if kind == "bare" else []), "."], cwd=here, check=True)
    before = sorted(path.name for path in here.iterdir())
    plan = write(here.parent / "plan", bundle("ws-a"))
    said = uet("run", str(plan), "--headless")
    assert (said.code, said.out) == (2, "")
    assert said.line
    assert sorted(path.name for path in here.iterdir()) == before


def test_a_run_needs_a_git_that_merges_in_memory(
    inside: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(inside.path / "plan", bundle("ws-a"))
    old = tmp_path / "old" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.30.1\n")
    old.chmod(0o755)
    path = f"{old.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [*UET, "run", "plan", "--headless"],
        env=environment() | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "2.38" in done.stderr
    assert not (inside.path / ".uet").exists()


def test_the_first_fault_of_a_plan_is_told_and_the_others_counted(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", bundle("ws-a", tool="x"), bundle("ws-b", tool="y"))
    said = uet("run", "plan", "--headless")
    assert said.line.startswith("plan/ws-a.json:")
    assert said.line.endswith("(and 1 more: uet validate)")


def test_a_reader_that_goes_away_does_not_stop_the_run(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a"), work("ws-b", depends_on=["ws-a"]))
    process = subprocess.Popen(
        [*UET, "run", "plan", *QUICK], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(30)
    assert json.loads(uet("status", "--json").out)["counts"] == {"MERGED": 2}


def test_a_run_whose_disk_fails_waits_for_the_operator(inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a"))
    said = subprocess.run(
        [*UET, "run", "plan", *QUICK],
        env=environment() | {"UET_FAILPOINT": "orchestrator.before-commit:3:raise"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.returncode == 4, said.stderr
    assert "stops: [Errno 5]" in said.stderr
    assert f"`uet resume {newest(inside)}` goes on" in said.stderr
    resumed = subprocess.run([*UET, "resume", *QUICK], env=environment(), capture_output=True, text=True, timeout=120)
    assert resumed.returncode == 0, resumed.stderr


def test_who_began_and_resumed_a_run_is_on_record_with_what_was_changed(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", bundle("ws-a", **FAILS))
    assert uet("run", "plan", *QUICK).code == 1
    uet("retry", "ws-a")
    secret = "agents.shell.set.API_KEY=0123456789abcdef"
    assert uet("resume", "--headless", "--set", "stall_seconds=77", "--set", secret).code == 1
    acts = [json.loads(line) for line in uet("events", "--operator", "--json").out.splitlines()]
    assert [act["data"]["verb"] for act in acts] == ["run", "retry", "resume"]
    assert all(
        act["data"]["by"] and act["data"]["source"].startswith("cli:") and act["data"]["asked_at"] for act in acts
    )
    begun, _, resumed = uet("events", "--operator").out.splitlines()
    assert "run: a plan of 1 workstream" in begun
    assert "resume: with agents.shell.set.API_KEY=" in resumed and "stall_seconds=77" in resumed
    assert "0123456789abcdef" not in resumed


def test_a_run_whose_output_nobody_takes_goes_on(uet: Uet, inside: Repository) -> None:
    write(inside.path / "plan", work("ws-a"))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*UET, "run", "plan", *QUICK], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert "Traceback" not in done.stderr
    assert uet("status", "--json").document["counts"] == {"MERGED": 1}
