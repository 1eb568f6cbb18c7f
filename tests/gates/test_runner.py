"""One command of a check: what its exit code and its output amount to, and that nothing of it is left."""

import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.wait import until
from uet_tui.gates.checks import Step
from uet_tui.gates.runner import InterruptedRunError, Said, run_step
from uet_tui.redaction import Redactor
from uet_tui.secrecy import secrets_in


def run(
    folder: Path,
    command: str,
    *,
    seconds: float = 30.0,
    no_tests_exit: int | None = None,
    environ: dict[str, str] | None = None,
    leaving: threading.Event | None = None,
    before: tuple[str, ...] = (),
) -> Said:
    sandbox = folder / "sandbox"
    sandbox.mkdir(exist_ok=True)
    return run_step(
        Step(command, no_tests_exit),
        sandbox=sandbox,
        log=folder / "gate.log",
        environ={"PATH": os.environ["PATH"]} | (environ or {}),
        seconds=seconds,
        no_tests="no tests",
        leaving=leaving or threading.Event(),
        redactor=Redactor(secrets_in(environ or {})),
        before=before,
    )


@pytest.mark.parametrize(
    ("command", "verdict", "trouble"),
    [
        ("echo fine", "passed", ""),
        ("echo first; echo '3 failed'; exit 1", "failed", "3 failed"),
        ("exit 1", "failed", "it printed nothing and ended with 1"),
        ("exit 255", "failed", "it printed nothing and ended with 255"),
        ("exit 300", "failed", "it printed nothing and ended with 44"),
        ("kill -9 $$", "failed", "it printed nothing"),
        ("kill -SEGV $$", "failed", "it printed nothing"),
        ("kill -TERM 0", "failed", "it printed nothing"),
        ("printf 'bad \\377\\n'; exit 1", "failed", "bad \ufffd"),
        ("printf 'a\\033]52;c;eA==\\007[/x] \\342\\200\\256z\\n'; exit 1", "failed", "a\u241b[/x] z"),
        ("head -c 100000 /dev/zero | tr '\\0' x; exit 1", "failed", "x" * 199 + "\u2026"),
        ("exit 5", "no tests", "it found no tests"),
        ("echo y; exit 126", "error", "a program may not be executed: y"),
        ("/etc/passwd", "error", "a program may not be executed: "),
        ("no-such-checker --all", "error", "the program no-such-checker is not there: install it where gates run"),
        ("bash -c no-such-checker", "error", "the program no-such-checker is not there: install it where gates run"),
        (
            "printf 'x:\\n\\tno-such-tool\\n' > M; make -f M x",
            "error",
            "the program no-such-tool is not there: install it",
        ),
        ("printf 'x:\\n\\tno-such-tool; false || nope\\n' > M; make -f M x", "error", "the program nope is not there"),
        ("printf 'x:\\n\\tfalse\\n' > M; make -f M x", "failed", "false"),
        ("exit 127", "error", "the program that it needs is not there: install it"),
        ("python3 -m no_such_module -q", "error", "the Python module no_such_module is not there: install it"),
        ("echo 'x: No module named y'; echo '1 failed'; exit 1", "failed", "1 failed"),
    ],
)
def test_the_exit_code_is_the_verdict_and_a_line_that_it_printed_the_trouble(
    tmp_path: Path, command: str, verdict: str, trouble: str
) -> None:
    said = run(tmp_path, command, no_tests_exit=5)
    assert said.verdict == verdict
    assert said.trouble.startswith(trouble)
    assert bool(said.trouble) == bool(trouble)


@pytest.mark.parametrize(
    ("command", "absent"),
    [
        ("no-such-checker --all", True),
        ("A=1 B= no-such-checker", True),
        ("./check", False),
        ("sh -c no-such-checker", False),
        ("true && no-such-checker", False),
        ("exit 127", False),
        ("python3 -m no_such_module", False),
    ],
)
def test_only_a_program_that_the_command_itself_names_is_beyond_any_agent(
    tmp_path: Path, command: str, absent: bool
) -> None:
    said = run(tmp_path, command)
    assert (said.verdict, said.absent) == ("error", absent)


def test_the_log_tells_what_ran_and_all_that_it_printed_and_what_is_said_only_its_own_end(tmp_path: Path) -> None:
    assert run(tmp_path, "pwd; echo 1 > one").output == f"{tmp_path}/sandbox\n"
    assert run(tmp_path, "cat one; exit 4").output == "1\n"
    assert (tmp_path / "gate.log").read_text() == (f"$ pwd; echo 1 > one\n{tmp_path}/sandbox\n$ cat one; exit 4\n1\n")
    assert run(tmp_path, "seq 5000").output.endswith("\n4999\n5000\n")
    assert len(run(tmp_path, "seq 5000").output) <= 4_000


def test_a_command_that_does_not_end_is_ended_with_what_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    said = run(tmp_path, "echo slow; echo $$ > pid; sleep 60 & sleep 60", seconds=0.5)
    assert time.monotonic() - began < 10
    assert (said.verdict, said.output) == ("timeout", "slow\n")
    assert said.trouble == "`echo slow; echo $$ > pid; sleep 60 & sleep 60` did not end in time: slow"
    pid = (tmp_path / "sandbox/pid").read_text().strip()
    until(lambda: not Path(f"/proc/{pid}").exists(), 5, "the command to be gone")


def test_what_a_command_leaves_in_the_background_does_not_hold_it_up(tmp_path: Path) -> None:
    began = time.monotonic()
    assert run(tmp_path, "sleep 60 & echo $! > pid").verdict == "passed"
    assert time.monotonic() - began < 10
    pid = (tmp_path / "sandbox/pid").read_text().strip()
    until(lambda: not _words(pid), 5, "what it left to be gone")


def _words(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_commands_get_no_input_and_only_the_environment_they_are_given(tmp_path: Path) -> None:
    said = run(tmp_path, "cat; env | cut -d= -f1 | sort", environ={"MARK": "x"})
    assert set(said.output.split()) - {"PWD", "SHLVL", "_", "OLDPWD"} == {"MARK", "PATH"}


def test_leaving_ends_the_command_at_once_and_tells_no_verdict(tmp_path: Path) -> None:
    leaving = threading.Event()
    timer = threading.Timer(0.2, leaving.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(InterruptedRunError):
        run(tmp_path, "echo $$ > pid; sleep 60", leaving=leaving)
    assert time.monotonic() - began < 5
    timer.join()
    assert not _words((tmp_path / "sandbox/pid").read_text().strip())


def test_secrets_are_neither_in_the_record_nor_in_the_log(tmp_path: Path) -> None:
    key = "sk-Zq8/T+v1_x7Lm9"
    script = "echo $API_KEY; printf '%s\\033[1m' sk-Zq8/T; sleep 0.1; echo \"+v1_x7Lm9: $API_KEY\" >&2; exit 1"
    said = run(tmp_path, script, environ={"API_KEY": key})
    assert said.output == "«API_KEY»\n«API_KEY»: «API_KEY»\n"
    assert said.trouble == "«API_KEY»: «API_KEY»"
    assert b"Zq8" not in (tmp_path / "gate.log").read_bytes().replace(script.encode(), b"")


def test_all_that_it_printed_is_in_the_log_though_others_hold_its_output_open(tmp_path: Path) -> None:
    began = time.monotonic()
    said = run(
        tmp_path, "setsid sleep 30 & head -c 300000 /dev/zero | tr '\\0' x; echo; echo end; echo $! > pid; exit 1"
    )
    try:
        assert said.output.endswith("x\nend\n")
        assert (tmp_path / "gate.log").read_text().count("x") >= 300_000
        assert time.monotonic() - began < 20
    finally:
        os.kill(int((tmp_path / "sandbox" / "pid").read_text()), 9)


def test_what_is_put_in_the_place_of_its_log_is_neither_waited_for_nor_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate.log")
    with pytest.raises(OSError, match=r"gate\.log"):
        run(tmp_path, "true")
    (tmp_path / "gate.log").unlink()
    (tmp_path / "gate.log").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match=r"gate\.log"):
        run(tmp_path, "true")
    assert not (tmp_path / "precious").exists()


def test_what_could_not_be_confined_is_not_held_against_the_work(tmp_path: Path) -> None:
    """Such as where the machine forbids it from one moment to the next."""
    refusal = "echo 'bwrap: No permissions to create new namespace' >&2; exit 1"
    said = run(tmp_path, "true", before=("/bin/sh", "-c", refusal))
    assert (said.verdict, said.trouble) == (
        "error",
        "it could not be confined: bwrap: No permissions to create new namespace",
    )


def test_of_an_output_without_end_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    said = run(tmp_path, "echo begin; head -c 80000000 /dev/zero | tr '\\0' 'x'; echo; echo '3 failed'; exit 1")
    assert (said.verdict, said.trouble) == ("failed", "3 failed")
    log = (tmp_path / "gate.log").read_bytes()
    assert len(log) < 70_000_000
    assert b"begin" in log[:1000]
    assert b"bytes are left out here" in log
