"""What a hostile agent does with processes: its own, its keeper, the orchestrator, and what it may read of them."""

import os
from pathlib import Path

import pytest

from tests.engine.killed import begin_until_killed
from tests.engine.scene import Scene, workstream
from tests.hostile.loose import LIMIT, ONCE, either_way, let_loose, needs_bwrap, reason
from uet_tui.core.states import RunState, WorkstreamState

HOG = "b = bytearray(); \nwhile True: b += bytes(range(256)) * 4096"
ENVIRONS = (
    "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' > h/environ; cat /proc/$PPID/environ > h/parent || true"
)


@either_way
def test_daemons_without_a_name_are_ended_with_it(scene: Scene, confined: str) -> None:
    daemon = "trap '' TERM INT HUP; while :; do touch alive; sleep 0.05; done"
    script = f'mkdir h; (env -i PATH=$PATH setsid setsid sh -c "{daemon}" >/dev/null 2>&1 </dev/null &) ; exec >&- 2>&-'
    let_loose(scene, confined, script)  # what is left fails every test here


@either_way
def test_one_that_takes_no_signal_is_ended_at_its_time_limit(scene: Scene, confined: str) -> None:
    script = "trap '' TERM INT HUP; mkdir h; echo x > h/x; while :; do sleep 0.05; done"
    assert let_loose(scene, confined, script, timeout=2, sets=["grace_seconds=0.3"]) is WorkstreamState.FAILED
    assert "timed out" in reason(scene) or "time limit" in reason(scene) or "timeout" in reason(scene)


@either_way
def test_one_that_takes_all_memory_is_ended_and_told(scene: Scene, confined: str) -> None:
    script = f"python3 -c '{HOG}'"
    assert let_loose(scene, confined, script, "echo x", sets=["memory_mb=150"]) is WorkstreamState.FAILED
    assert any("used more memory than memory_mb allows" in text for text in scene.events("attempt_ended"))


@either_way
def test_many_processes_at_once_are_all_ended(scene: Scene, confined: str) -> None:
    script = (
        "mkdir h; for n in $(seq 150); do (setsid sh -c 'while :; do sleep 1; done' >/dev/null 2>&1 &); done; exit 3"
    )
    assert let_loose(scene, confined, script) is WorkstreamState.FAILED
    assert "exit 3" in reason(scene)


@either_way
def test_what_other_processes_were_given_is_not_there_to_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, confined: str
) -> None:
    """Confined it sees none but its own; unconfined its keeper knows nothing that it was not given itself."""
    monkeypatch.setenv("OPERATORS_NOTE", "only-for-the-operator")
    assert let_loose(scene, confined, f"mkdir h; {ENVIRONS}") is WorkstreamState.MERGED, reason(scene)
    assert "only-for-the-operator" not in scene.file("h/parent")
    if confined != "off":
        assert "only-for-the-operator" not in scene.file("h/environ")


@needs_bwrap
def test_signals_to_others_go_nowhere_from_one_that_is_confined(scene: Scene) -> None:
    this = os.getpid()  # the orchestrator
    state = let_loose(
        scene, "required", f"mkdir h; ( kill -9 {this} || kill -9 $PPID ) 2>/dev/null || true; echo x > h/x"
    )
    assert state is WorkstreamState.MERGED, reason(scene)


@pytest.mark.parametrize("number", ["KILL", "TERM", "INT"])
def test_a_keeper_that_its_agent_ends_is_told_of_and_the_run_goes_on(scene: Scene, number: str) -> None:
    often = ["retry.max_seconds=0.1"]
    state = let_loose(scene, "off", f"mkdir h; echo x > h/x; kill -{number} $PPID; sleep 60", sets=often)
    assert state is WorkstreamState.FAILED
    assert reason(scene).endswith("12 times in a row"), "each may cost money: it has an end"
    assert len([text for text in scene.events("attempt_ended") if "ws-hostile" in text]) == 12


NOBODY = 'printf \'%s\' \'{{"pid": {pid}, "start": 0}}\' > "$(dirname "$0")/keeper.json"'


def test_a_keeper_that_is_ended_and_named_wrongly_is_missed(scene: Scene) -> None:
    forge = NOBODY.format(pid=4194300)
    state = let_loose(scene, "off", f"{forge}; kill -9 $PPID; sleep 300", sets=["retry.max_seconds=0.1"])
    assert state is WorkstreamState.FAILED


@pytest.mark.parametrize("pid", [-1, 0, 1 << 70])
def test_whoever_it_says_that_its_keeper_is_it_ends_at_its_time_limit(scene: Scene, pid: int) -> None:
    script = f"mkdir h; echo x > h/x; {NOBODY.format(pid=pid)}; sleep 300"
    assert let_loose(scene, "off", script, timeout=4, sets=["grace_seconds=0.3"]) is WorkstreamState.FAILED
    assert "timed out" in reason(scene) or "time limit" in reason(scene) or "timeout" in reason(scene)


def test_a_keeper_takes_no_hang_up_for_an_end(scene: Scene) -> None:
    assert let_loose(scene, "off", "kill -HUP $PPID; mkdir h; echo x > h/x") is WorkstreamState.MERGED, reason(scene)


def test_a_keeper_that_its_agent_stops_goes_on_and_is_told_of(scene: Scene) -> None:
    """Else nobody would end it at its time limit, or tell how it ended."""
    state = let_loose(scene, "off", "mkdir h; echo x > h/x; kill -STOP $PPID; sleep 60", timeout=3)
    assert state is WorkstreamState.FAILED
    assert any("its keeper was stopped" in text for text in scene.events())


def test_an_orchestrator_that_an_agent_kills_is_resumed_and_the_crash_is_told(scene: Scene, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    kill = f"[ -e {trace} ] || {{ echo > {trace}; kill -9 $(awk '/^PPid/ {{ print $2 }}' /proc/$PPID/status); }}"
    begin_until_killed(
        scene,
        workstream("ws-hostile", kill, "mkdir -p h; echo x > h/x.txt", scope=["h/**"], **ONCE),
        workstream("ws-later", "echo b > b.txt", scope=["b.txt"]),
    )
    scene.resume()
    assert scene.finish(LIMIT).state is RunState.COMPLETED
    assert scene.events("run_recovered")
