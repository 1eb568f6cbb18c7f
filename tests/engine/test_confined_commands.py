"""Gates, set-up and the ladder's commands run what agents wrote: they are confined where the agents of the run are."""

import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.engine.test_resolving import BOTH, UNIT
from tests.engine.test_resolving import begin as begin_conflict
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.engine.confinement import Probe, probe

needs_bwrap = pytest.mark.skipif(not probe().path, reason=f"no sandbox here: {probe().told}")
CONFINED = "agents.shell.sandbox=required"
ONCE = {"circuit_breaker": {"max_attempts": 1}}
STRICT = (
    "agents.strict="
    + json.dumps(
        {"command": ["/bin/sh", "-e", "{prompt_file}"], "prompt": "script", "env": ["PATH"], "usage": "none"}
        | {"sandbox": "bwrap"}
    ),
)
ANOTHER = (workstream("ws-z", "echo z > z.txt", scope=["z.txt"], tool="strict"),)
"""Work of an agent that is confined, in the same run."""
NOTHING = Probe("", "bubblewrap is not installed")


def gate(*commands: str, kind: str = "GATE_UNIT") -> str:
    """A gate that asks for nothing where no agent worked: what is red there is held against nobody."""
    asked = [f"[ ! -e a.txt ] || ( {command}; )" for command in commands]
    return f"gates.{kind}.commands={json.dumps(asked)}"


def refused(commands: Sequence[str]) -> list[str]:
    """Commands, each made one that tells if it can be done."""
    return [f"if ( {each} ) 2>/dev/null; then echo broke out: {n}; exit 1; fi" for n, each in enumerate(commands)]


def log_of(scene: Scene, id: str = "ws-a") -> str:
    return (attempt_folder(scene, id) / "GATE_UNIT.log").read_text()


def reason(scene: Scene, id: str = "ws-a") -> str:
    row = scene.view().workstream(id)
    assert row is not None
    return row.reason


@pytest.fixture
def home(clean_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's home, with a key in it."""
    (clean_home / ".ssh").mkdir()
    (clean_home / ".ssh" / "id_ed25519").write_text("private")
    monkeypatch.setenv("HOME", str(clean_home))
    return clean_home


def vain(scene: Scene, outside: Path) -> list[str]:
    """What can be done, for the tests' own files lie in `/tmp`, and is seen by nobody."""
    root = scene.repository.path
    tries = [
        f"echo x > {outside}",
        f"echo x > {root}/mine.txt",
        f"mkdir -p {root}/.git/hooks; touch {root}/.git/hooks/x",
    ]
    return [f"( {each} ) 2>/dev/null || true" for each in tries]


def break_outs(scene: Scene, home: Path) -> list[str]:
    """What none of these commands may be able to do."""
    root = scene.repository.path
    return [
        f"git -C {root} config core.fsmonitor /bin/false",
        f"ls {root}/.uet/uet.db",
        f"ls {root}/.uet/runs/*/wake",
        f"ls {root}/.uet/gates",
        f"cat {home}/.ssh/id_ed25519",
        "echo x > /etc/uet-was-here",
        f"kill -0 {os.getpid()}",
        "ls /run/user",
    ]


@needs_bwrap
def test_tests_that_an_agent_wrote_reach_nothing_outside(scene: Scene, tmp_path: Path, home: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    before = fingerprint(scene.repository)
    script = "\n".join(
        [*vain(scene, outside), *refused(break_outs(scene, home)), "ls /proc | grep -c '^[0-9]' > /tmp/pids", "exit 0"]
    )
    trying = 'echo home > "$HOME/left"; echo tmp > /tmp/left; [ "$(cat /tmp/pids)" -lt 8 ]'
    scene.begin(
        workstream("ws-a", f"cat > a.txt <<'END'\n{script}\nEND", test_gates=UNIT),
        sets=(CONFINED, gate("sh ./a.txt", trying)),
    )
    assert scene.finish(90).state is RunState.COMPLETED, log_of(scene)
    assert outside.read_text() == "theirs"
    assert fingerprint(scene.repository) == before
    assert not (home / "left").exists()
    assert not Path("/tmp/left").exists()
    assert scene.events("repository_changed") == []


@needs_bwrap
def test_a_check_has_a_home_of_its_own_and_the_next_one_finds_nothing_of_it(scene: Scene, home: Path) -> None:
    write = 'test ! -e "$HOME/poison" && test ! -e /tmp/poison && touch "$HOME/poison" /tmp/poison'
    read = 'test -e "$HOME/poison" && test -e /tmp/poison'
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=[*UNIT, {"type": "GATE_LINT"}]),
        sets=(CONFINED, gate(write, read), gate(f"{write} ", read, kind="GATE_LINT")),
    )
    assert scene.finish(90).state is RunState.COMPLETED, log_of(scene)
    assert not (home / "poison").exists()


@needs_bwrap
def test_pytest_runs_confined_and_its_verdict_counts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    pytest_gate = gate("python3 -m pytest -q -p no:cacheprovider")
    good = workstream("ws-a", "echo 'def test_a(): pass' > test_a.py; touch a.txt", test_gates=UNIT, scope=["*a.*"])
    bad = workstream("ws-b", "echo 'def test_b(): 1/0' > test_b.py", test_gates=UNIT, depends_on=["ws-a"], **ONCE)
    scene.begin(good, bad, sets=(CONFINED, pytest_gate))
    scene.finish(90)
    assert scene.state("ws-a") is WorkstreamState.MERGED, reason(scene)
    assert scene.state("ws-b") is WorkstreamState.FAILED
    assert "ZeroDivisionError" in log_of(scene, "ws-b")


@needs_bwrap
def test_the_network_is_the_agents(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = f"{sys.executable} -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 2)'"
        work = workstream("ws-a", "echo a > a.txt", test_gates=UNIT, **ONCE)
        scene.begin(work, sets=(CONFINED, "agents.shell.network=false", gate(reach)))
        assert scene.finish(90).state is RunState.FAILED
        assert "GATE_UNIT failed" in reason(scene)
        scene.begin(work, sets=(CONFINED, gate(reach)))
        assert scene.finish(90).state is RunState.COMPLETED


@needs_bwrap
def test_one_agent_that_is_confined_is_enough_for_all_code_of_the_run(scene: Scene, home: Path) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=UNIT, scope=["a.txt"]),
        workstream("ws-b", "echo b > b.txt", test_gates=UNIT, scope=["b.txt"], tool="strict"),
        sets=(*STRICT, gate(f"! ls {home}/.ssh/id_ed25519")),
    )
    assert scene.finish(90).state is RunState.COMPLETED


@needs_bwrap
def test_what_may_be_written_besides_is_there_from_one_gate_to_the_next(scene: Scene, home: Path) -> None:
    (home / ".cache" / "tool").mkdir(parents=True)
    cache = 'echo x >> "$HOME/.cache/tool/used"; echo y > "$HOME/.cache/other" && test ! -e "$HOME/.cache/missing"'
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=[*UNIT, {"type": "GATE_LINT"}]),
        sets=(
            CONFINED, gate(cache), gate(f"{cache} ", kind="GATE_LINT"),
            'sandbox.writable=[".cache/tool", ".cache/missing"]',
        ),
    )  # fmt: skip
    assert scene.finish(90).state is RunState.COMPLETED, log_of(scene)
    assert (home / ".cache" / "tool" / "used").read_text() == "x\nx\n"
    assert not (home / ".cache" / "other").exists()


@needs_bwrap
@pytest.mark.parametrize("which", [".", ".git", ".git/hooks", ".uet"])
def test_the_repository_itself_is_never_what_may_be_written(scene: Scene, which: str) -> None:
    path = scene.repository.path / which
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=UNIT, **ONCE),
        sets=(CONFINED, gate("true"), f"sandbox.writable={json.dumps([str(path)])}"),
    )
    scene.finish(90)
    assert scene.state("ws-a") is WorkstreamState.FAILED
    assert f"sandbox.writable: {path}" in reason(scene)


@needs_bwrap
def test_a_gate_that_cannot_work_so_is_left_out_by_name(scene: Scene, home: Path) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=UNIT),
        sets=(CONFINED, gate('cat "$HOME/.ssh/id_ed25519"'), "gates.GATE_UNIT.sandbox=off"),
    )
    assert scene.finish(90).state is RunState.COMPLETED, log_of(scene)
    hook = scene.repository.path / ".git/hooks/post-merge"
    scene.begin(
        workstream("ws-b", "echo b > a.txt", test_gates=UNIT, **ONCE),
        sets=(CONFINED, gate(f"touch {hook}"), "gates.GATE_UNIT.sandbox=off"),
    )
    scene.finish(90)
    assert scene.state("ws-b") is WorkstreamState.QUARANTINED, "a gate that nothing confines may have done it"


@needs_bwrap
def test_what_passed_with_nothing_around_it_is_run_again_where_it_is_confined(scene: Scene, home: Path) -> None:
    work = workstream("ws-a", "echo a > a.txt", test_gates=UNIT, **ONCE)
    reading = gate('cat "$HOME/.ssh/id_ed25519"')
    scene.begin(work, sets=(reading,))
    assert scene.finish(90).state is RunState.COMPLETED
    scene.begin(work, sets=(reading, CONFINED))
    assert scene.finish(90).state is RunState.FAILED, "the very same tree passed before, but not so"


def test_what_is_required_and_cannot_be_had_is_never_done_without(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gates of an agent that nothing need confine meet code of one that must be."""
    monkeypatch.setattr("uet_tui.engine.confining.probe", lambda: NOTHING)
    trace = tmp_path / "trace"
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=UNIT, scope=["a.txt"], **ONCE),
        workstream("ws-b", "echo b > b.txt", scope=["b.txt"], tool="strict", depends_on=["ws-a"]),
        sets=(*STRICT, "agents.strict.sandbox=required", gate(f"touch {trace}")),
    )
    assert scene.finish(90).state is RunState.FAILED
    assert "could not be gated: the sandbox of strict is required, and bubblewrap is not installed" in reason(scene)
    assert not trace.exists()


def test_a_sandbox_is_not_set_up_without_what_is_required(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uet_tui.engine.confining.probe", lambda: NOTHING)
    trace = tmp_path / "trace"
    scene.begin(workstream("ws-a", "echo a > a.txt", **ONCE), sets=(CONFINED, f'sandbox.setup=["touch {trace}"]'))
    scene.finish(90)
    assert not trace.exists()
    assert any("sandbox of shell is required" in text for text in scene.events())


def test_without_a_sandbox_that_is_only_wished_for_gates_run_and_the_operator_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uet_tui.engine.confining.probe", lambda: NOTHING)
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=UNIT), sets=("agents.shell.sandbox=bwrap", gate("true"))
    )
    assert scene.finish(90).state is RunState.COMPLETED
    (told,) = scene.events("sandbox_missing")
    assert "gates" in told


@needs_bwrap
def test_a_sandbox_is_set_up_confined_and_keeps_what_is_made_there(scene: Scene, tmp_path: Path, home: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    (home / ".cache" / "tool").mkdir(parents=True)
    commands = [
        *vain(scene, outside),
        *refused(break_outs(scene, home)),
        "mkdir .venv && echo tool > .venv/tool",
        'touch "$HOME/.cache/tool/used"',
    ]
    scene.repository.write(".gitignore", ".venv/\n")
    scene.repository.commit("Ignore what is installed")
    scene.operator = type(scene.operator).discover(scene.repository.path)
    scene.begin(
        workstream("ws-a", "cat .venv/tool > a.txt", test_gates=UNIT),
        sets=(
            CONFINED, gate("grep -q tool .venv/tool"), f"sandbox.setup={json.dumps(commands)}",
            'sandbox.writable=[".cache/tool"]',
        ),
    )  # fmt: skip
    assert scene.finish(90).state is RunState.COMPLETED, scene.events()
    assert outside.read_text() == "theirs"
    assert (home / ".cache" / "tool" / "used").exists()


@needs_bwrap
def test_the_ladders_commands_are_confined_as_well(scene: Scene, home: Path) -> None:
    rungs = [{"paths": ["list.txt"], "command": f"ls {home}/.ssh/id_ed25519 || printf {json.dumps(BOTH)} > list.txt"}]
    begin_conflict(
        scene, *STRICT, f"ladder.regenerate={json.dumps(rungs)}", "ladder.agent=none", "resolve=auto", more=ANOTHER
    )
    assert scene.finish(90).state is RunState.COMPLETED, scene.view().conflicts[0].tried
    assert scene.file("list.txt") == BOTH.strip()


@needs_bwrap
def test_the_ladders_structural_programs_find_their_files_confined(scene: Scene, home: Path) -> None:
    rungs = [{"paths": ["list.txt"], "command": f"ls {home}/.ssh/id_ed25519 || cat {{ours}} {{theirs}} > {{output}}"}]
    begin_conflict(
        scene, *STRICT, f"ladder.structural={json.dumps(rungs)}", "ladder.agent=none", "resolve=auto", more=ANOTHER
    )
    scene.finish(90)
    (conflict,) = scene.view().conflicts
    structural = next(rung for rung in conflict.tried if rung.name == "structural")
    assert structural.verdict == "settled", structural


@needs_bwrap
def test_a_gate_leaves_no_daemon_and_does_not_outlast_its_time(scene: Scene) -> None:
    daemon = "(env -i PATH=$PATH setsid setsid sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' >/dev/null 2>&1 &)"
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=UNIT, **ONCE),
        sets=(CONFINED, gate(daemon, f"{daemon}; trap '' TERM; sleep 60"), "gates.GATE_UNIT.timeout_seconds=2"),
    )
    scene.finish(60)
    assert "GATE_UNIT timeout" in reason(scene)  # what is left fails every test here


@needs_bwrap
def test_a_gate_that_fails_only_for_being_confined_is_not_excused_as_red_before(scene: Scene, home: Path) -> None:
    (home / ".toolrc").write_text("x")
    needs = 'gates.GATE_UNIT.commands=["cat $HOME/.toolrc"]'
    work = workstream("ws-a", "echo a > a.txt", test_gates=UNIT, **ONCE)
    wished = "agents.shell.sandbox=bwrap"
    scene.begin(work, sets=(wished, needs))
    assert scene.finish(90).state is RunState.FAILED
    why = "GATE_UNIT passes at the base commit, but not where it is confined: name what it needs in sandbox.writable"
    assert why in reason(scene)
    scene.begin(work, sets=(wished, needs, 'sandbox.writable=[".toolrc"]'))
    assert scene.finish(90).state is RunState.COMPLETED
    scene.begin(work, sets=(wished, 'gates.GATE_UNIT.commands=["cat $HOME/.nowhere"]'))
    assert scene.finish(90).state is RunState.COMPLETED
    assert "red before" in " ".join(scene.events("gate_result"))


@needs_bwrap
def test_who_has_no_home_has_gates_all_the_same(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    scene.begin(workstream("ws-a", "echo a > a.txt", test_gates=UNIT, **ONCE), sets=(CONFINED, gate("true")))
    assert scene.finish(90).state is RunState.COMPLETED, log_of(scene)
    monkeypatch.setenv("HOME", "/nonexistent")
    scene.begin(workstream("ws-b", "echo b > a.txt", test_gates=UNIT, **ONCE), sets=(CONFINED, gate("true")))
    assert scene.finish(90).state is RunState.COMPLETED, log_of(scene, "ws-b")


def test_a_set_up_gets_only_the_variables_that_are_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_KEY_FILE", "/nowhere")
    monkeypatch.setenv("NPM_REGISTRY", "here")
    named = ["sandbox.env=[PATH, 'NPM_*']", 'sandbox.setup=["test -z $DEPLOY_KEY_FILE && test $NPM_REGISTRY = here"]']
    scene.begin(workstream("ws-a", "echo a > a.txt"), sets=named)
    assert scene.finish(90).state is RunState.COMPLETED, scene.events()
    everything = ['sandbox.setup=["test $DEPLOY_KEY_FILE = /nowhere"]']
    scene.begin(workstream("ws-b", "echo b > a.txt"), sets=everything)
    assert scene.finish(90).state is RunState.COMPLETED, scene.events()
