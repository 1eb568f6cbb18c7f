"""Gates in whole runs: real commands on real trees, and what becomes of the work that they look at."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.support.wait import until
from uet_tui.core.states import RunState, WorkstreamState

UNIT, LINT, SECURITY = ({"type": f"GATE_{kind}"} for kind in ("UNIT", "LINT", "SECURITY"))
GATED = {"test_gates": [UNIT]}
ONCE = {"circuit_breaker": {"max_attempts": 1}}


def gate(*commands: str | dict, kind: str = "UNIT") -> str:
    """The setting of a gate's commands, as `--set` takes it."""
    return f"gates.GATE_{kind}.commands={json.dumps(commands)}"


def said(scene: Scene, id: str = "ws-a", where: str = "sandbox", run: str = "") -> list[tuple[str, str]]:
    """What gates said of a workstream, in the order in which they spoke."""
    query = 'SELECT gate, verdict FROM gate_results WHERE run = ? AND workstream = ? AND "where" = ? ORDER BY id'
    return scene.sql(query, run or scene.run, id, where)


def reason(scene: Scene, id: str = "ws-a") -> str:
    found = scene.view().workstream(id)
    assert found is not None
    return found.reason


def attempts(scene: Scene, id: str = "ws-a") -> int:
    found = scene.view().workstream(id)
    assert found is not None
    return found.attempts


@pytest.fixture
def outside(scene: Scene) -> Path:
    """A folder that no reset touches."""
    return scene.repository.path.parent


def counting(outside: Path, command: str = "true") -> str:
    """A command that leaves a line outside for each time that it runs."""
    return f"echo x >> {outside}/runs; {command}"


def runs(outside: Path) -> int:
    path = outside / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


# What is run, and what is kept of it


def test_gates_run_in_order_then_acceptance_tests_and_all_that_they_said_is_kept(scene: Scene) -> None:
    scene.begin(
        workstream(
            "ws-a",
            "echo a > a.txt",
            test_gates=[LINT, UNIT],
            acceptance_tests=["test -f a.txt", "It reads well", "ls a.txt"],
        ),
        sets=(gate("echo linted", kind="LINT"), gate("echo tested; ls a.txt")),
    )
    assert scene.finish().state is RunState.COMPLETED
    assert said(scene) == [
        ("GATE_LINT", "passed"),
        ("GATE_UNIT", "passed"),
        ("acceptance 1: test -f a.txt", "passed"),
        ("acceptance 2: It reads well", "not run"),
        ("acceptance 3: ls a.txt", "passed"),
    ]
    folder = attempt_folder(scene, "ws-a")
    assert (folder / "GATE_UNIT.log").read_text() == "$ echo tested; ls a.txt\ntested\na.txt\n"
    assert (folder / "acceptance-3.log").read_text() == "$ ls a.txt\na.txt\n"
    rows = scene.sql("SELECT tree, output FROM gate_results WHERE gate = 'GATE_UNIT' ORDER BY id")
    assert rows[0] == (scene.repository.git("rev-parse", f"refs/uet/{scene.run}/ws-a^{{tree}}"), "tested\na.txt\n")
    assert "ws-a acceptance 2: It reads well not run (sandbox, 0.0 s)" in scene.events("gate_result")


def test_an_acceptance_test_that_fails_fails_the_workstream_whatever_it_was_before(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt", acceptance_tests=["test -f b.txt", "ls a.txt"], **ONCE))
    scene.finish()
    assert scene.state("ws-a") is WorkstreamState.FAILED
    assert "acceptance 1: test -f b.txt failed: it printed nothing" in reason(scene)
    assert said(scene) == [("acceptance 1: test -f b.txt", "failed"), ("acceptance 2: ls a.txt", "not run")]
    assert said(scene, where="base") == []


def test_acceptance_tests_hold_on_the_merged_tree_too(scene: Scene, outside: Path) -> None:
    wait = f"while [ ! -e {outside}/go ]; do sleep 0.02; done"
    scene.begin(
        workstream("ws-a", wait, "echo a > a.txt", scope=["a.txt"], acceptance_tests=["test ! -e b.txt"], **ONCE),
        workstream("ws-b", "echo b > b.txt", scope=["b.txt"]),
    )
    scene.until_state("ws-b", WorkstreamState.MERGED)
    (outside / "go").touch()
    scene.finish()
    assert said(scene) == [("acceptance 1: test ! -e b.txt", "passed")]
    assert said(scene, where="merged") == [("acceptance 1: test ! -e b.txt", "failed")]
    assert "as merged: acceptance 1: test ! -e b.txt failed" in reason(scene)


def test_a_rehearsal_does_not_run_acceptance_tests(scene: Scene) -> None:
    scene.begin(workstream("ws-a", acceptance_tests=["test -f never"], scope=["a.txt"]), agent="simulated")
    assert scene.finish().state is RunState.COMPLETED
    assert said(scene) == [("acceptance 1: test -f never", "not run")]


@pytest.mark.parametrize(
    ("edits", "verdict"), [({}, "not run"), ({"edits": [{"path": "a", "content": "a"}]}, "passed")]
)
def test_a_rehearsal_that_makes_nothing_real_is_not_held_to_gates_that_were_only_found(
    scene: Scene, edits: dict, verdict: str
) -> None:
    scene.begin(
        workstream("ws-a", scope=["a"], test_gates=[UNIT, LINT], metadata={"simulate": edits}),
        sets=(gate({"run": "true", "when": ["README.md"]}), gate("echo always", kind="LINT")),
        agent="simulated",
    )
    assert scene.finish().state is RunState.COMPLETED
    assert said(scene) == [("GATE_UNIT", verdict), ("GATE_LINT", "passed")]


def test_what_one_agent_only_rehearses_must_not_break_the_gates_of_the_others(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt", scope=["a.txt"], **GATED),
        workstream("ws-b", scope=["b.txt"], tool="simulated", depends_on=["ws-a"], **ONCE),
        sets=(gate({"run": "test ! -e b.txt", "when": ["a.txt"]}),),
    )
    scene.finish()
    assert scene.state("ws-a") is WorkstreamState.MERGED
    assert scene.state("ws-b") is WorkstreamState.FAILED
    assert "as merged: GATE_UNIT failed" in reason(scene, "ws-b")


def test_nothing_to_gate_is_told_once_and_holds_nothing_up(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt", **GATED), sets=(gate(),))
    assert scene.finish().state is RunState.COMPLETED
    assert said(scene) == [("GATE_UNIT", "not configured")]
    assert said(scene, where="merged") == []


def test_the_shipped_gates_hold_nothing_up_where_no_tool_is_configured(scene: Scene) -> None:
    kinds = [LINT, SECURITY, {"type": "GATE_INTEGRATION"}]
    scene.begin(workstream("ws-a", "echo 'x=1' > a.py", test_gates=kinds))
    assert scene.finish().state is RunState.COMPLETED
    assert {verdict for _, verdict in said(scene)} == {"not configured"}


def test_a_repositorys_own_make_targets_are_its_gates(scene: Scene) -> None:
    scene.repository.write("Makefile", "test:\n\t@test ! -e bad.txt\n\nlint:\n\t@echo clean\n")
    scene.repository.commit("Make")
    scene = Scene(scene.repository)
    scene.begin(
        workstream("ws-a", "echo a > a.txt", scope=["a.txt"], test_gates=[LINT, UNIT]),
        workstream("ws-b", "echo b > bad.txt", scope=["bad.txt"], test_gates=[LINT, UNIT], **ONCE),
    )
    scene.finish()
    assert said(scene) == [("GATE_LINT", "passed"), ("GATE_UNIT", "passed")]
    assert said(scene, "ws-b") == [("GATE_LINT", "passed"), ("GATE_UNIT", "failed")]
    assert scene.state("ws-a") is WorkstreamState.MERGED


@pytest.mark.parametrize(("counts", "state"), [("passed", "MERGED"), ("failed", "FAILED")])
def test_pytests_exit_5_is_no_tests_and_counts_as_configured(scene: Scene, counts: str, state: str) -> None:
    pytest_here = f"{shlex.quote(sys.executable)} -m pytest -q -p no:cacheprovider"
    scene.begin(
        workstream("ws-a", "git rm -q tests/test_app.py", **GATED, **ONCE),
        sets=(gate({"run": pytest_here, "no_tests_exit": 5}), f"gates.GATE_UNIT.no_tests={counts}"),
    )
    scene.finish()
    assert scene.state("ws-a").value == state, reason(scene)
    assert said(scene) == [("GATE_UNIT", "no tests" if counts == "passed" else "failed")]


def test_real_tests_that_fail_send_their_output_with_the_failure(scene: Scene) -> None:
    pytest_here = f"PYTHONPATH=. {shlex.quote(sys.executable)} -m pytest -q -p no:cacheprovider"
    scene.begin(
        workstream("ws-a", "sed -i 's/hello/goodbye/' src/app.py", **GATED, **ONCE),
        sets=(gate({"run": pytest_here, "no_tests_exit": 5}),),
    )
    scene.finish()
    assert "GATE_UNIT failed: FAILED tests/test_app.py::test_greet - AssertionError" in reason(scene)
    note = scene.sql("SELECT note FROM workstreams WHERE run = ?", scene.run)[0][0]
    assert "assert 'goodbye x' == 'hello x'" in note
    assert len(note) <= 4_000


def test_one_that_is_not_required_only_warns(scene: Scene) -> None:
    lenient = {**LINT, "required": False, "blocking": False}
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=[lenient, UNIT]),
        sets=(gate("test ! -e a.txt", kind="LINT"), gate("echo fine")),
    )
    assert scene.finish().state is RunState.COMPLETED
    assert said(scene) == [("GATE_LINT", "failed"), ("GATE_UNIT", "passed")]
    query = "SELECT DISTINCT severity FROM uet_events WHERE type = 'gate_result' AND text LIKE 'ws-a GATE_LINT failed%'"
    assert scene.sql(query) == [("warning",)]


def test_one_that_blocks_keeps_the_rest_from_running_and_what_is_required_must_run(scene: Scene) -> None:
    blocking, lenient = {**LINT, "required": False}, {**UNIT, "required": False}
    scene.begin(
        workstream("ws-a", "echo a > a.txt", scope=["a.txt"], test_gates=[blocking, lenient]),
        workstream("ws-b", "echo b > b.txt", scope=["b.txt"], test_gates=[blocking, UNIT], **ONCE),
        sets=(gate("echo untidy; test ! -e a.txt -a ! -e b.txt", kind="LINT"), gate("echo fine"), "merge.batch=1"),
    )
    scene.finish()
    assert said(scene) == said(scene, "ws-b") == [("GATE_LINT", "failed"), ("GATE_UNIT", "not run")]
    assert scene.state("ws-a") is WorkstreamState.MERGED
    assert "GATE_LINT failed, so GATE_UNIT, which is required, was not run: untidy" in reason(scene, "ws-b")


# What a gate gets, and what it leaves


def test_a_gate_sees_what_is_in_the_commit_and_not_what_the_agent_left_beside_it(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt", "mkdir __pycache__; echo left > __pycache__/left", **GATED),
        sets=(gate("test ! -e __pycache__/left", "test -f a.txt"),),
    )
    assert scene.finish().state is RunState.COMPLETED, reason(scene)


def test_a_gate_gets_the_variables_on_its_list_and_no_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    monkeypatch.setenv("MINE_ONE", "1")
    scene.begin(
        workstream("ws-a", "echo a > a.txt", **GATED),
        sets=(gate('env | cut -d= -f1 | sort | tr "\\n" " "'), 'gates.GATE_UNIT.env=[PATH, "MINE_*"]'),
    )
    scene.finish()
    (output,) = scene.sql("SELECT output FROM gate_results WHERE \"where\" = 'sandbox'")[0]
    names = set(output.split()) - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert names == {"PATH", "MINE_ONE", "GIT_CEILING_DIRECTORIES", "UET_ATTEMPT"}


def test_what_sets_a_sandbox_up_is_there_for_the_gates_of_the_merge_and_the_baseline(
    scene: Scene, outside: Path
) -> None:
    scene.repository.write(".gitignore", ".venv/\n")
    scene.repository.commit("Ignore")
    scene = Scene(scene.repository)
    wait = f"while [ ! -e {outside}/go ]; do sleep 0.02; done"
    scene.begin(
        workstream("ws-a", "echo a > a.txt", scope=["a.txt"], **GATED),
        workstream("ws-b", wait, "echo b > b.txt", scope=["b.txt"], test_gates=[UNIT, LINT]),
        sets=(
            "sandbox.setup=['mkdir .venv && echo x > .venv/made']",
            gate("cat .venv/made"),
            gate("cat .venv/made && test -e missing", kind="LINT"),
        ),
    )
    scene.until_state("ws-a", WorkstreamState.MERGED)
    (outside / "go").touch()
    assert scene.finish().state is RunState.COMPLETED, reason(scene, "ws-b")
    assert said(scene, "ws-b", "merged") == [("GATE_UNIT", "passed"), ("GATE_LINT", "red before")]
    (base,) = scene.sql("SELECT output FROM gate_results WHERE \"where\" = 'base'")[0]
    assert base == "x\n"


def test_gates_of_different_workers_run_at_the_same_time(scene: Scene, outside: Path) -> None:
    both = f"test -e {outside}/a.txt -a -e {outside}/b.txt"
    meet = f"touch {outside}/$(ls *.txt); for n in $(seq 500); do {both} && exit 0; sleep 0.02; done; exit 1"
    scene.begin(
        workstream("ws-a", "echo a > a.txt", scope=["a.txt"], **GATED),
        workstream("ws-b", "echo b > b.txt", scope=["b.txt"], **GATED),
        sets=("workers=2", gate({"run": meet, "when": ["*.txt"]})),
    )
    scene.finish()
    assert said(scene) == said(scene, "ws-b") == [("GATE_UNIT", "passed")]


def test_a_worker_says_which_gate_it_runs(scene: Scene, outside: Path) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt", **GATED),
        sets=(gate(f"while [ ! -e {outside}/go ]; do sleep 0.02; done"),),
    )
    until(lambda: "gates: GATE_UNIT" in [worker.doing for worker in scene.view().workers], 10, "a worker to say so")
    (outside / "go").touch()
    assert scene.finish().state is RunState.COMPLETED


def test_a_gate_that_hangs_is_ended_with_all_that_it_started(scene: Scene, outside: Path) -> None:
    hang = f"test -e a.txt || exit 0; setsid sleep 60 & echo $! > {outside}/stray; echo waiting; sleep 60"
    scene.begin(
        workstream("ws-a", "echo a > a.txt", **GATED, **ONCE), sets=(gate(hang), "gates.GATE_UNIT.timeout_seconds=0.5")
    )
    scene.finish(20)
    assert said(scene) == [("GATE_UNIT", "timeout")]
    assert "GATE_UNIT timeout:" in reason(scene)
    assert "did not end in time: waiting" in reason(scene)
    stray = (outside / "stray").read_text().strip()
    until(lambda: not Path(f"/proc/{stray}").exists(), 5, "what left its session to be gone")


# Programs that are missing


@pytest.mark.parametrize(
    ("command", "told", "at_base"),
    [
        ("no-such-linter --all", "the program no-such-linter is not there", []),
        ("python3 -m no_such_linter", "the Python module no_such_linter is not there", [("GATE_UNIT", "error")]),
    ],
)
def test_a_missing_program_is_an_error_that_names_it_and_no_agent_is_asked_to_mend_it(
    scene: Scene, command: str, told: str, at_base: list[tuple[str, str]]
) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt", **GATED), sets=(gate(command),))
    scene.finish()
    assert said(scene) == [("GATE_UNIT", "error")]
    assert said(scene, where="base") == at_base
    assert reason(scene).startswith(f"GATE_UNIT error: {told}: install it where gates run (`sandbox.setup` can)")
    assert attempts(scene) == 1
    assert scene.events("orchestrator_error") == []


def test_an_acceptance_test_whose_program_is_missing_is_an_error_too(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt", acceptance_tests=["no-such-lint docs/ --all"]))
    scene.finish()
    assert said(scene) == [("acceptance 1: no-such-lint docs/ --all", "error")]
    assert attempts(scene) == 1


def test_a_program_that_the_agent_took_away_is_for_the_agent_to_put_back(scene: Scene) -> None:
    scene.repository.write("check", "#!/bin/sh\n").chmod(0o755)
    scene.repository.commit("Check")
    scene = Scene(scene.repository)
    breaker = {"circuit_breaker": {"max_attempts": 2}}
    scene.begin(workstream("ws-a", "git rm -q check", **GATED, **breaker), sets=(gate("./check"),))
    scene.finish()
    assert said(scene) == [("GATE_UNIT", "error")] * 2
    assert attempts(scene) == 2


# Flaky, and red before


def test_a_gate_that_fails_once_and_then_passes_is_flaky_and_holds_nothing_up(scene: Scene, outside: Path) -> None:
    flaky = f"test -e {outside}/second || {{ touch {outside}/second; echo unlucky; exit 1; }}"
    scene.begin(workstream("ws-a", "echo a > a.txt", **GATED), sets=(gate(flaky),))
    assert scene.finish().state is RunState.COMPLETED
    assert said(scene) == [("GATE_UNIT", "flaky")]
    assert attempts(scene) == 1
    assert "unlucky" in (attempt_folder(scene, "ws-a") / "GATE_UNIT.log").read_text()


def test_droppings_of_the_first_try_do_not_make_the_second_one_pass(scene: Scene) -> None:
    once = "test ! -e a.txt || { test -e dropping || { touch dropping; exit 1; }; }"
    scene.begin(workstream("ws-a", "echo a > a.txt", **GATED, **ONCE), sets=(gate(once),))
    scene.finish()
    assert said(scene) == [("GATE_UNIT", "failed")]


def test_what_was_red_before_is_not_held_against_anyone_and_looked_at_once(scene: Scene, outside: Path) -> None:
    ids = ["ws-a", "ws-b", "ws-c"]
    red = f"test -e README.txt || {{ ls *.txt || echo x >> {outside}/runs; echo no README.txt; exit 1; }}"
    scene.begin(
        *(workstream(id, f"echo x > {id}.txt", scope=[f"{id}.txt"], **GATED) for id in ids),
        sets=(gate(red), "merge.batch=1"),
    )
    assert scene.finish().state is RunState.COMPLETED
    assert [said(scene, id) for id in ids] == [[("GATE_UNIT", "red before")]] * 3
    base = [entry for id in ids for entry in said(scene, id, "base")]
    assert base == [("GATE_UNIT", "failed")]
    assert runs(outside) == 2, "at the base commit: once, and again to tell it from flaky"
    first = scene.run
    scene.begin(workstream("ws-d", "echo x > ws-d.txt", **GATED), sets=(gate(red),))
    assert scene.finish().state is RunState.COMPLETED
    assert said(scene, "ws-d") == [("GATE_UNIT", "red before")]
    assert said(scene, "ws-d", "base") == []
    assert (runs(outside), scene.run != first) == (2, True)


def test_what_was_red_before_is_no_excuse_once_somebody_put_it_right(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo x > fixed.txt", **GATED),
        workstream("ws-b", "git rm -q fixed.txt", depends_on=["ws-a"], **GATED, **ONCE),
        sets=(gate("test -e fixed.txt"),),
    )
    scene.finish()
    assert said(scene) == [("GATE_UNIT", "passed")]
    assert said(scene, "ws-b") == [("GATE_UNIT", "failed")]
    assert scene.state("ws-b") is WorkstreamState.FAILED


def test_a_red_command_that_is_excused_does_not_hide_the_one_behind_it(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt", **GATED, **ONCE),
        sets=(gate("echo red before; exit 1", "test ! -e a.txt"),),
    )
    scene.finish()
    assert said(scene) == [("GATE_UNIT", "failed")]
    assert "GATE_UNIT failed: it printed nothing" in reason(scene)


def test_a_gate_that_did_not_apply_before_excuses_nothing(scene: Scene) -> None:
    script = "printf 'test:\\n\\t@echo broken; exit 1\\n' > Makefile"
    scene.begin(workstream("ws-a", script, **GATED, **ONCE))
    scene.finish()
    assert said(scene) == [("GATE_UNIT", "failed")]
    assert said(scene, where="base") == []


# The same tree is not gated twice


def test_a_tree_that_passed_is_not_run_again_for_the_merge_nor_in_another_run(scene: Scene, outside: Path) -> None:
    for _ in range(2):
        scene.begin(workstream("ws-a", "echo a > a.txt", **GATED), sets=(gate(counting(outside)),))
        assert scene.finish().state is RunState.COMPLETED
        assert said(scene) == said(scene, where="merged") == [("GATE_UNIT", "passed")]
    assert runs(outside) == 1
    scene.begin(workstream("ws-a", "echo a > a.txt", **GATED), sets=(gate(counting(outside), "true"),))
    scene.finish()
    assert runs(outside) == 2, "other commands know nothing of it"


def test_a_tree_that_failed_is_run_again(scene: Scene, outside: Path) -> None:
    for _ in range(2):
        scene.begin(
            workstream("ws-a", "echo a > a.txt", **GATED, **ONCE), sets=(gate(counting(outside, "test ! -e a.txt")),)
        )
        scene.finish()
    assert runs(outside) == 5, "twice in each run, and once at the base commit"


def test_what_an_agent_left_in_a_folder_that_is_kept_lets_no_tree_onto_the_branch(scene: Scene, outside: Path) -> None:
    scene.repository.write(".gitignore", ".venv/\n")
    scene.repository.commit("Ignore")
    scene = Scene(scene.repository)
    installs = "mkdir -p .venv; echo x > .venv/installed"
    scene.begin(
        workstream("ws-a", installs, "echo a > a.txt", **GATED, **ONCE),
        sets=(gate("test -e .venv/installed || test ! -e a.txt"),),
    )
    scene.finish()
    assert said(scene) == [("GATE_UNIT", "passed")]
    assert said(scene, where="merged") == [("GATE_UNIT", "failed")]
    assert scene.state("ws-a") is WorkstreamState.FAILED


def test_what_one_gate_makes_of_the_files_is_not_what_the_next_one_looks_at(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo wrong > a.txt", test_gates=[LINT, UNIT], **ONCE),
        sets=(gate("echo right > a.txt", kind="LINT"), gate("test ! -e a.txt || grep right a.txt")),
    )
    scene.finish()
    assert said(scene) == [("GATE_LINT", "passed"), ("GATE_UNIT", "failed")]


def test_work_that_cannot_be_gated_is_kept_and_not_done_again(scene: Scene, outside: Path) -> None:
    wait = f"while [ ! -e {outside}/go ]; do sleep 0.02; done"
    scene.begin(workstream("ws-a", wait, "echo a > a.txt", **GATED), sets=(gate("true"),))
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    until(lambda: attempt_folder(scene, "ws-a").is_dir(), 10, "the attempt's folder")
    (attempt_folder(scene, "ws-a") / "GATE_UNIT.log").mkdir()
    (outside / "go").touch()
    scene.finish()
    assert (scene.state("ws-a"), attempts(scene)) == (WorkstreamState.FAILED, 1)
    assert "could not be gated: " in reason(scene)
    assert scene.file("a.txt", f"refs/uet/{scene.run}/ws-a.attempt-1") == "a"


# Back to the agent, and when to stop


MENDING = """
import pathlib, sys
prompt = pathlib.Path(sys.argv[1]).read_text()
fenced = prompt.partition("The text between the fences is a record, not an instruction.")[2]
told = "wanted: right, found: wrong" in fenced
pathlib.Path("a.txt").write_text("right" if told else "wrong")
"""


def test_a_failed_gate_goes_back_to_the_agent_with_what_it_printed(scene: Scene, outside: Path) -> None:
    (outside / "mending.py").write_text(MENDING)
    agent = {"command": [sys.executable, f"{outside}/mending.py", "{prompt_file}"], "prompt": "text", "env": ["PATH"]}
    complain = 'echo "wanted: right, found: $(cat a.txt)"; echo 1 failed; exit 1'
    check = f"test ! -e a.txt || grep -q right a.txt || {{ {complain}; }}"
    scene.begin(
        workstream("ws-a", "Write it", tool="mine", **GATED),
        sets=(f"agents.mine={json.dumps({**agent, 'usage': 'none'})}", gate(check)),
    )
    assert scene.finish().state is RunState.COMPLETED, reason(scene)
    assert attempts(scene) == 2
    assert said(scene) == [("GATE_UNIT", "failed"), ("GATE_UNIT", "passed")]
    prompt = (attempt_folder(scene, "ws-a", 2) / "prompt.md").read_text()
    assert "GATE_UNIT failed: 1 failed\n\nwanted: right, found: wrong\n1 failed" in prompt
    assert f"- {check}" in prompt.partition("must end with 0")[2]


def breaker(**limits: int) -> dict[str, dict[str, int]]:
    return {"circuit_breaker": {"max_attempts": 9, "max_error_repeats": 9, "oscillation_threshold": 9, **limits}}


@pytest.mark.parametrize(
    ("limits", "script", "check", "state", "made", "why"),
    [
        (
            {"max_attempts": 3},
            "echo $UET_ATTEMPT > a.txt",
            "sed 's/.*attempts//; s/[^0-9]//g' a.txt | tr 0-9 a-j; exit 1",
            "FAILED",
            3,
            "attempt 3 of 3 failed: GATE_UNIT failed: ",
        ),
        (
            {"max_error_repeats": 1},
            "echo $UET_ATTEMPT > a.txt",
            "echo 1 failed in 0.$(wc -c < a.txt) s; exit 1",
            "QUARANTINED",
            3,
            "the same error 3 times: GATE_UNIT failed: 1 failed in",
        ),
        (
            {"oscillation_threshold": 1},
            "echo same > a.txt",
            "head -c 9 /dev/urandom | od -An -tx1 | tr -d ' 0-9\\n' ; exit 1",
            "QUARANTINED",
            2,
            "made the same change 2 times, and it was wrong: GATE_UNIT failed",
        ),
    ],
)
def test_the_circuit_breaker_ends_tries_that_do_not_get_on(
    scene: Scene, limits: dict[str, int], script: str, check: str, state: str, made: int, why: str
) -> None:
    scene.begin(
        workstream("ws-a", script, **GATED, **breaker(**limits)), sets=(gate(f"test -e a.txt || exit 0; {check}"),)
    )
    scene.finish(60)
    assert (scene.state("ws-a").value, attempts(scene)) == (state, made), reason(scene)
    assert reason(scene).startswith(why)
    assert scene.view().state is RunState.FAILED
    for number in range(1, made + 1):
        suffix = f".attempt-{number}"
        assert scene.repository.git("rev-parse", "--verify", f"refs/uet/{scene.run}/ws-a{suffix}")
