import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.wait import until
from uet_tui.gates.runner import InterruptedRunError, Verdict, run_gates
from uet_tui.plan.model import TestGate
from uet_tui.settings.model import GateSettings

LINT, UNIT, SECURITY = "GATE_LINT", "GATE_UNIT", "GATE_SECURITY"


def run(
    folder: Path,
    commands: dict[str, list[str]],
    *gates: TestGate,
    timeout: float = 30.0,
    environ: dict[str, str] | None = None,
    leaving: threading.Event | None = None,
) -> Verdict:
    sandbox = folder / "sandbox"
    sandbox.mkdir(exist_ok=True)
    return run_gates(
        gates or [TestGate.model_validate({"type": name}) for name in commands],
        {name: GateSettings(commands=tuple(lines), timeout_seconds=timeout) for name, lines in commands.items()},
        sandbox=sandbox,
        output=folder,
        environ={"PATH": os.environ["PATH"]} | (environ or {}),
        leaving=leaving or threading.Event(),
    )


@pytest.mark.parametrize(
    ("command", "verdict", "problem"),
    [
        ("echo fine", "passed", ""),
        ("echo first; echo '3 failed'; exit 1", "failed", "GATE_UNIT failed: 3 failed"),
        ("exit 1", "failed", "GATE_UNIT failed: it printed nothing"),
        ("no-such-checker", "error", "GATE_UNIT error: "),
        ("/etc/passwd", "error", "GATE_UNIT error: "),
        ("kill -9 $$", "failed", "GATE_UNIT failed: it printed nothing"),
        ("printf 'bad \\377\\n'; exit 1", "failed", "GATE_UNIT failed: bad \ufffd"),
        ("head -c 100000 /dev/zero | tr '\\0' x; exit 1", "failed", "GATE_UNIT failed: " + "x" * 200),
    ],
)
def test_the_exit_code_is_the_verdict_and_the_last_line_the_problem(
    tmp_path: Path, command: str, verdict: str, problem: str
) -> None:
    found = run(tmp_path, {UNIT: [command]})
    assert found.results[0].verdict == verdict
    assert found.problem.startswith(problem)
    assert bool(found.problem) == bool(problem)


def test_a_gate_without_commands_holds_nothing_up_and_says_so(tmp_path: Path) -> None:
    found = run(tmp_path, {UNIT: []})
    assert (found.results[0].verdict, found.results[0].held, found.problem) == ("not configured", True, "")


def test_the_commands_of_a_gate_run_in_the_sandbox_until_one_fails(tmp_path: Path) -> None:
    found = run(tmp_path, {UNIT: ["pwd; echo 1 > one", "cat one; exit 4", "echo 3 > three"]})
    assert found.results[0].output == f"{tmp_path}/sandbox\n1\n"
    assert not (tmp_path / "sandbox/three").exists()
    assert (tmp_path / "GATE_UNIT.log").read_text() == found.results[0].output


def test_only_required_gates_make_a_problem_and_blocking_ones_end_the_round(tmp_path: Path) -> None:
    commands = {LINT: ["exit 1"], UNIT: ["exit 2"], SECURITY: ["true"]}
    lenient = TestGate.model_validate({"type": LINT, "required": False, "blocking": False})
    blocking = TestGate.model_validate({"type": UNIT, "required": True, "blocking": True})
    last = TestGate.model_validate({"type": SECURITY})
    found = run(tmp_path, commands, lenient, blocking, last)
    assert [result.gate for result in found.results] == [LINT, UNIT]
    assert found.problem.startswith("GATE_UNIT")
    assert run(tmp_path, commands, lenient, last).problem == ""


def test_the_first_problem_is_the_one_that_is_told(tmp_path: Path) -> None:
    gates = [
        TestGate.model_validate({"type": name, "required": True, "blocking": False}) for name in (LINT, UNIT, SECURITY)
    ]
    found = run(tmp_path, {LINT: ["true"], UNIT: ["echo u; false"], SECURITY: ["echo s; false"]}, *gates)
    assert len(found.results) == 3
    assert found.problem == "GATE_UNIT failed: u"


def test_the_time_limit_is_for_all_commands_of_a_gate_together_and_ends_what_they_started(tmp_path: Path) -> None:
    began = time.monotonic()
    found = run(tmp_path, {UNIT: ["sleep 0.3", "echo $$ > pid; sleep 60 & sleep 60"]}, timeout=0.5)
    assert time.monotonic() - began < 10
    assert found.results[0].verdict == "timeout"
    pid = (tmp_path / "sandbox/pid").read_text().strip()
    until(lambda: not Path(f"/proc/{pid}").exists(), 5, "the command to be gone")


def test_what_a_gate_leaves_in_the_background_does_not_hold_it_up(tmp_path: Path) -> None:
    began = time.monotonic()
    found = run(tmp_path, {UNIT: ["sleep 60 & echo $! > pid"]})
    assert found.results[0].verdict == "passed"
    assert time.monotonic() - began < 10
    pid = (tmp_path / "sandbox/pid").read_text().strip()
    until(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not _words(pid), 5, "what it left to be gone")


def _words(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_gates_get_no_input_and_only_the_environment_they_are_given(tmp_path: Path) -> None:
    found = run(tmp_path, {UNIT: ["cat; env | cut -d= -f1 | sort"]}, environ={"MARK": "x"})
    assert set(found.results[0].output.split()) - {"PWD", "SHLVL", "_", "OLDPWD"} == {"MARK", "PATH"}


def test_leaving_ends_the_command_at_once_and_tells_no_verdict(tmp_path: Path) -> None:
    leaving = threading.Event()
    timer = threading.Timer(0.2, leaving.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(InterruptedRunError):
        run(tmp_path, {UNIT: ["echo $$ > pid; sleep 60"]}, leaving=leaving)
    assert time.monotonic() - began < 5
    timer.join()
    assert not _words((tmp_path / "sandbox/pid").read_text().strip())
