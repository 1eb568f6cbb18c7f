"""The keeper, started as the orchestrator starts it, with agents that behave in every way they should not."""

import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stage import PATH, Stage
from tests.support.wait import until
from uet_tui.engine import attempts, keeper, leavings, liveness, metering, processes
from uet_tui.engine.attempts import Ended
from uet_tui.redaction import Redactor


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def gone(pid: str) -> bool:
    return processes.start_ticks(int(pid)) == 0


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", -9)])
def test_it_says_how_the_agent_ended(stage: Stage, script: str, code: int) -> None:
    stage.sh(script)
    ended = stage.end()
    assert (ended.code, ended.why) == (code, "exit")
    assert 0 <= ended.seconds < 15, "as long as this test waits for it"


def test_the_record_of_the_end_is_only_ever_seen_whole(stage: Stage) -> None:
    stage.sh("true").wait(10)
    assert set(json.loads((stage.folder / "exit.json").read_bytes())) == {"code", "why", "seconds", "ended_at"}
    assert not list(stage.folder.glob("*.part"))
    told = b'{"code": %b, "why": "exit", "seconds": %b}'
    wrong = [told % values for values in ((b"0", b"null"), (b"0", b"NaN"), (b"0", b"-1"), (b'"0"', b"1"))]
    for rubbish in (b"", b'{"code": 0', b"[]", *wrong):
        (stage.folder / "exit.json").write_bytes(rubbish)
        assert attempts.ended(stage.folder) == Ended(None, "lost", 0.0)


def test_at_the_time_limit_the_agent_is_asked_to_end(stage: Stage) -> None:
    stage.sh("trap 'echo asked; exit 5' TERM; echo up > up; while :; do sleep 0.02; done", timeout=0.4, grace=10)
    ended = stage.end()
    assert (ended.code, ended.why) == (5, "timeout")
    assert stage.output.splitlines()[-1] == "asked"


def test_an_agent_that_ignores_being_asked_is_ended_after_the_grace(stage: Stage) -> None:
    stage.sh("trap '' TERM INT HUP; while :; do sleep 0.02; done", timeout=0.1, grace=0.2)
    ended = stage.end()
    assert (ended.code, ended.why) == (-signal.SIGKILL, "timeout")
    assert ended.seconds >= 0.3


def test_a_stopped_agent_is_ended_at_its_time_limit(stage: Stage) -> None:
    stage.sh("kill -STOP $$", timeout=0.1)
    assert stage.end().why == "timeout"


def test_a_time_limit_of_ages_is_no_trouble(stage: Stage) -> None:
    stage.sh("exit 3", timeout=1e300)
    assert stage.end() == Ended(3, "exit", pytest.approx(0, abs=5))


def test_killing_asks_the_agent_first(stage: Stage) -> None:
    stage.sh("trap 'exit 6' TERM; echo up > up; while :; do sleep 0.02; done", grace=10)
    stage.said("up")
    attempts.kill(stage.folder)
    attempts.kill(stage.folder)
    ended = stage.end()
    assert (ended.code, ended.why) == (6, "killed")


def test_a_kill_reaches_a_keeper_that_is_only_just_starting(stage: Stage) -> None:
    stage.sh("sleep 30")
    attempts.kill(stage.folder)
    assert stage.end().why == "killed"


def test_a_kill_before_the_keeper_was_started_keeps_the_agent_from_starting(stage: Stage) -> None:
    attempts.kill(stage.folder)
    stage.sh("echo ran > ran; sleep 30")
    assert stage.end() == Ended(None, "killed", 0.0)
    assert not (stage.cwd / "ran").exists()


ESCAPES = {
    "in the background": "sleep 30 & echo $! > pid",
    "in a session of its own": "setsid sleep 30 & echo $! > pid",
    "orphaned": "(setsid sh -c 'echo $$ > pid; exec sleep 30' &)",
    "without its environment": "(env -i setsid /bin/sh -c 'echo $$ > pid; exec /bin/sleep 30' &)",
    "without environment and descriptors": (
        "(env -i setsid /bin/sh -c 'exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- >&- 2>&- <&-; echo $$ > pid;"
        " exec /bin/sleep 30' &)"
    ),
}


@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES.keys())
def test_nothing_that_the_agent_started_outlives_it(stage: Stage, script: str) -> None:
    stage.sh(f"{script}; while [ ! -s pid ]; do sleep 0.01; done")
    assert stage.end().why == "exit"
    assert gone(stage.said("pid"))
    until(lambda: not liveness.alive(stage.folder), 5, "the lock to be free")


def test_what_keeps_forking_is_ended_as_well(stage: Stage) -> None:
    stage.sh(
        "(setsid sh -c 'echo $$ > pid; while :; do sleep 0.01 & done' &) ; while [ ! -s pid ]; do sleep 0.01; done"
    )
    assert stage.end().code == 0
    assert gone(stage.said("pid"))


def test_orphans_that_end_by_themselves_leave_no_zombies(stage: Stage) -> None:
    stage.sh("(sh -c 'echo $$ > pid' &); while [ ! -e go ]; do sleep 0.01; done")
    pid = stage.said("pid")
    until(lambda: not Path(f"/proc/{pid}").exists(), 5, "the orphan to be reaped")
    (stage.cwd / "go").touch()
    assert stage.end().code == 0


def test_an_agent_that_closes_everything_is_still_known_to_live(stage: Stage) -> None:
    stage.begin(
        sys.executable,
        "-c",
        "import os,time; os.closerange(0, 256); open('up', 'w').write('1')\n"
        "while not os.path.exists('go'): time.sleep(0.01)",
    )
    stage.said("up")
    assert liveness.alive(stage.folder)
    assert not liveness.prove_dead(stage.folder)
    (stage.cwd / "go").touch()
    assert stage.end().code == 0


def test_a_hundred_megabytes_of_output_hold_nothing_up(stage: Stage) -> None:
    stage.sh("head -c 100000000 /dev/zero; echo done >&2")
    assert stage.end().code == 0
    assert (stage.folder / "output.log").stat().st_size == 100_000_005


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_gigabyte_of_output_holds_nothing_up_and_no_more_than_the_limit_is_kept(stage: Stage) -> None:
    stage.sh("head -c 1073741824 /dev/zero; printf done", timeout=500.0)
    until(lambda: attempts.ended(stage.folder), 500, "a gigabyte")
    assert stage.end().code == 0
    assert (stage.folder / "output.log").stat().st_size <= (1 << 28) + (1 << 20) + 200
    assert stage.output.endswith("\0done")


def test_of_what_is_larger_than_the_limit_the_beginning_and_the_end_are_kept(stage: Stage) -> None:
    stage.sh("echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo '{\"last\"}'", limit=1000)
    assert stage.end().code == 0
    said = stage.output
    assert said.startswith("first\nxxx")
    assert said.endswith('xx\n{"last"}\n')
    left_out = 6 + 3_000_000 + 10 - 1000 - (1 << 20)
    assert f"\n[uet: {left_out} bytes are left out here: the output is larger than 1000 bytes]\n" in said
    assert len(said) < 1000 + (1 << 20) + 200


def test_a_full_disk_does_not_hold_the_agent_up(stage: Stage) -> None:
    (stage.folder / "output.log").symlink_to("/dev/full")
    stage.sh("head -c 3000000 /dev/zero; echo done > done")
    assert stage.end() == Ended(0, "exit", pytest.approx(0, abs=10))
    assert stage.said("done") == "done"


def test_what_the_agent_left_in_the_pipe_is_kept_and_who_holds_it_open_holds_nothing_up(stage: Stage) -> None:
    stage.sh("(setsid sh -c 'echo $$ > pid; exec sleep 30' &) ; while [ ! -s pid ]; do sleep 0.01; done;"
             " head -c 200000 /dev/zero | tr '\\0' x; echo end")  # fmt: skip
    assert stage.end().seconds < 10
    assert stage.output == "x" * 200_000 + "end\n"


def test_output_is_there_while_the_agent_goes_on(stage: Stage) -> None:
    stage.sh("printf 'working... '; while [ ! -e go ]; do sleep 0.01; done", secrets={"API_KEY": KEY})
    until(lambda: stage.folder.joinpath("output.log").exists() and stage.output == "working... ", 10, "output")
    (stage.cwd / "go").touch()
    assert stage.end().code == 0


KEY = "sk-Zq8/T+v1_x7Lm9"
PRINTS = r"""
import base64, json, os, sys, time
key = os.environ["API_KEY"]
print(key, flush=True)
os.write(2, key.encode() + b"\n")
for part in (key[:5], key[5:]):
    os.write(1, part.encode())
    time.sleep(0.02)
os.write(1, b"\n" + base64.b64encode(b"user:" + key.encode()) + b"\n")
print(json.dumps({"key": key}), flush=True)
open(sys.argv[1], "w").write("session of " + key)
os.write(1, key[:-3].encode())
"""


def test_secrets_are_not_on_disk(stage: Stage) -> None:
    notes = stage.folder / "session" / "notes"
    notes.parent.mkdir()
    stage.begin(sys.executable, "-c", PRINTS, str(notes), env={"API_KEY": KEY, "PLAIN": "of no interest"})
    assert stage.end().code == 0, stage.output
    for file in (path for path in stage.folder.rglob("*") if path.is_file()):
        data = file.read_bytes()
        assert KEY[:10].encode() not in data, file
        assert KEY[4:].encode() not in data, file
        assert b"of no interest" not in data, file
    assert stage.output.count("«API_KEY»") == 6
    assert notes.read_text() == "session of «API_KEY»"
    start = json.loads((stage.folder / "start.json").read_bytes())
    assert start["env"] == ["API_KEY", "PATH", "PLAIN"]
    assert start["secrets"] == ["API_KEY"]


def test_the_agent_reads_the_file_that_is_its_standard_input(stage: Stage) -> None:
    prompt = stage.folder / "prompt.md"
    prompt.write_text("do it")
    stage.sh("cat; cat", stdin=str(prompt))
    stage.end()
    assert stage.output == "do it"


def test_an_agent_is_asked_to_end_with_the_signal_that_it_wants(stage: Stage) -> None:
    stage.sh("trap 'exit 6' INT; trap '' TERM; echo up > up; while :; do sleep 0.02; done", end_with="SIGINT", grace=10)
    stage.said("up")
    attempts.kill(stage.folder)
    assert stage.end() == Ended(6, "killed", pytest.approx(0, abs=10))


def test_there_is_nothing_to_read_on_standard_input(stage: Stage) -> None:
    stage.sh("readlink /proc/self/fd/0; cat; test -t 0; echo $?")
    stage.end()
    assert stage.output == "/dev/null\n1\n"


def test_the_environment_is_what_the_start_says_and_the_cookie(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the operator")
    env = {"PATH": PATH, "LANG": "C.UTF-8", "BROKEN": b"\xff".decode("utf-8", "surrogateescape")}
    stage.begin("cat", "/proc/self/environ", env=env, secrets={"login of nobody": "not-a-variable"})
    stage.end()
    said = (stage.folder / "output.log").read_bytes().rstrip(b"\0").split(b"\0")
    cookie = f"UET_ATTEMPT={stage.folder}".encode()
    assert sorted(said) == sorted([cookie, b"BROKEN=\xff", b"LANG=C.UTF-8", b"PATH=" + PATH.encode()])


def test_neither_keeper_nor_agent_inherits_descriptors(stage: Stage) -> None:
    leak = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(leak, True)
    try:
        process = stage.begin(sys.executable, "-c", "import time; open('up', 'w').write('1'); time.sleep(30)")
        stage.said("up")
        agent = next(int(p.name) for p in Path("/proc").glob("[0-9]*") if _parent(p) == process.pid)
        lock = str(stage.folder / "attempt.lock")
        own, output = str(stage.folder / "keeper.json"), str(stage.folder / "output.log")
        keeps, has = _descriptors(process.pid), _descriptors(agent)
        pipe = has["1"]
        assert pipe.startswith("pipe:")
        assert has == {"0": "/dev/null", "1": pipe, "2": pipe, "3": lock}
        assert sorted(keeps.values()) == sorted(["/dev/null"] * 3 + [lock, own, output, pipe])
    finally:
        os.close(leak)


def _descriptors(pid: int) -> dict[str, str]:
    return {p.name: str(p.readlink()) for p in Path(f"/proc/{pid}/fd").iterdir()}


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


@pytest.mark.parametrize(
    ("argv", "facts", "message"),
    [
        (("no-such-agent", "x"), {}, "no-such-agent: No such file or directory"),
        (("/etc/passwd",), {}, "/etc/passwd: Permission denied"),
        (("/bin/true",), {"cwd": "/no/such/sandbox"}, "/no/such/sandbox: No such file or directory"),
        (("/bin/true",), {"stdin": "/no/such/prompt"}, "/no/such/prompt: No such file or directory"),
        (("/bin/true", "x\0y"), {}, "/bin/true: embedded null byte"),
    ],
)
def test_what_cannot_be_started_says_why(stage: Stage, argv: tuple[str], facts: dict[str, Any], message: str) -> None:
    stage.begin(*argv, **facts)
    assert stage.end().code == 127
    assert stage.output == message + "\n"


def test_an_attempt_that_ran_is_never_run_again(stage: Stage) -> None:
    stage.sh("echo x >> ran").wait(10)
    again = subprocess.run([sys.executable, "-I", "-S", keeper.__file__, str(stage.folder)], check=False)
    assert again.returncode == keeper.ALREADY_RAN
    assert (stage.cwd / "ran").read_text() == "x\n"
    with pytest.raises(FileExistsError):
        stage.sh("echo x >> ran")


def test_an_attempt_that_runs_is_not_started_beside_itself(stage: Stage) -> None:
    stage.sh("echo x >> ran; while [ ! -e go ]; do sleep 0.01; done")
    stage.said("ran")
    again = subprocess.run([sys.executable, "-I", "-S", keeper.__file__, str(stage.folder)], check=False)
    assert again.returncode == keeper.ALREADY_RUNNING
    (stage.cwd / "go").touch()
    assert stage.end().code == 0
    assert (stage.cwd / "ran").read_text() == "x\n"


def test_once_an_attempt_is_proven_dead_a_late_keeper_does_not_begin_it(stage: Stage) -> None:
    assert liveness.prove_dead(stage.folder)
    assert stage.sh("echo x >> ran").wait(10) == keeper.ALREADY_RAN
    assert not (stage.cwd / "ran").exists()
    assert attempts.ended(stage.folder) is None


def test_whether_an_attempt_lives_is_told_by_its_lock_alone(stage: Stage) -> None:
    assert not liveness.alive(stage.folder)
    (stage.folder / "keeper.json").write_text(json.dumps({"pid": os.getpid(), "start": 1}))
    assert not liveness.alive(stage.folder)
    with (stage.folder / "attempt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert liveness.alive(stage.folder)
        assert not liveness.prove_dead(stage.folder)
    assert not liveness.alive(stage.folder)
    assert liveness.prove_dead(stage.folder)


@pytest.mark.parametrize("boot", ["this one", "an earlier one"])
def test_a_pid_that_somebody_else_has_by_now_is_never_touched(stage: Stage, boot: str) -> None:
    """After a restart of the machine the record names any process, and once even the moment of its start may agree."""
    other = subprocess.Popen(["sleep", "60"])
    try:
        start = processes.start_ticks(other.pid)
        record = {"pid": other.pid, "start": start if boot == "an earlier one" else 1}
        (stage.folder / "keeper.json").write_text(json.dumps(record))
        assert not liveness.alive(stage.folder)
        assert not liveness.orphaned(stage.folder)
        attempts.kill(stage.folder)
        attempts.end_now(stage.folder)
        assert liveness.prove_dead(stage.folder)
        assert attempts.ended(stage.folder) is None, "nobody knows how it ended: it is lost"
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("agent", ["sh", "env -i sh", "env -i setsid -w sh"])
def test_what_outlives_a_keeper_that_was_killed_is_ended(stage: Stage, agent: str) -> None:
    process = stage.sh(f"exec {agent} -c 'echo $$ > pid; while :; do sleep 0.02; done'")
    pid = stage.said("pid")
    assert not liveness.orphaned(stage.folder)
    process.kill()
    process.wait(10)
    assert liveness.alive(stage.folder)
    assert liveness.orphaned(stage.folder)
    attempts.kill(stage.folder)
    until(lambda: not liveness.alive(stage.folder), 5, "the tree to be gone")
    assert gone(pid)
    assert liveness.prove_dead(stage.folder)
    assert attempts.ended(stage.folder) is None


def test_the_orchestrator_is_woken_when_there_is_one(stage: Stage) -> None:
    os.mkfifo(stage.folder / "wake")
    listener = os.open(stage.folder / "wake", os.O_RDWR | os.O_NONBLOCK)
    try:
        stage.sh("true").wait(10)
        assert os.read(listener, 10)
    finally:
        os.close(listener)


def test_the_keeper_goes_on_when_its_folder_is_deleted_and_still_ends_the_tree(stage: Stage) -> None:
    process = stage.sh("(setsid sh -c 'echo $$ > pid; exec sleep 30' &); while [ ! -e go ]; do sleep 0.01; done")
    pid = stage.said("pid")
    for path in stage.folder.iterdir():
        path.unlink()
    stage.folder.rmdir()
    (stage.cwd / "go").touch()
    process.wait(10)
    assert gone(pid)
    assert not liveness.alive(stage.folder)


def test_a_tree_that_is_very_deep_is_ended_as_a_whole(stage: Stage) -> None:
    (stage.cwd / "deep").write_text(
        "import os, time\n"
        "for _ in range(300):\n"
        "    if os.fork():\n"
        "        time.sleep(60)\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    stage.sh(f"{sys.executable} -I -S deep & while [ ! -s pid ]; do sleep 0.01; done")
    assert stage.end().code == 0
    assert gone(stage.said("pid"))
    until(lambda: not liveness.alive(stage.folder), 5, "the lock to be free")


@pytest.mark.parametrize("trap", ["mkfifo", "ln -s /dev/full"])
def test_what_the_agent_puts_in_the_way_of_the_record_of_its_end_holds_nobody_up(stage: Stage, trap: str) -> None:
    stage.sh(f"{trap} {stage.folder}/exit.json.part")
    assert stage.end().code == 0


@pytest.mark.parametrize("trap", ["mkfifo {0}", "ln -s /dev/zero {0}"])
def test_records_that_the_agent_replaces_hold_nobody_up(stage: Stage, trap: str) -> None:
    stage.sh("sleep 30 & wait")
    until(lambda: (stage.folder / "keeper.json").exists(), 10, "the keeper")
    for name in ("exit.json", "keeper.json"):
        (stage.folder / name).unlink(missing_ok=True)
        subprocess.run(["/bin/sh", "-c", trap.format(stage.folder / name)], check=True)
    assert attempts.ended(stage.folder) is None, "it lives"
    assert liveness.keeper_of(stage.folder) == 0
    attempts.kill(stage.folder)
    assert stage.end().why == "killed"


@pytest.mark.parametrize("put", ["mkdir exit.json", "echo x > exit.json", "mkfifo exit.json"])
def test_a_record_that_makes_no_sense_ends_no_attempt_that_lives(stage: Stage, put: str) -> None:
    stage.sh(f"cd {stage.folder}; {put}; touch {stage.cwd}/up; while [ ! -e {stage.cwd}/go ]; do sleep 0.05; done")
    until(lambda: (stage.cwd / "up").exists(), 60, "the record")
    assert liveness.alive(stage.folder)
    assert attempts.ended(stage.folder) is None
    assert not liveness.prove_dead(stage.folder)
    (stage.cwd / "go").touch()
    stage.keepers[0].wait(60)
    assert stage.end().why == "exit"


def test_a_folder_that_is_a_file_fails_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "attempt"
    folder.touch()
    attempts.kill(folder)
    attempts.freeze(folder)
    attempts.thaw(folder)
    assert attempts.ended(folder) is None
    assert not liveness.alive(folder)
    assert not liveness.wake_keeper(folder)
    assert liveness.prove_dead(folder)


def test_a_lock_that_cannot_be_asked_for_is_not_free(stage: Stage) -> None:
    stage.sh("echo up > up; sleep 60")
    stage.said("up")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limit[1]))
    try:
        with pytest.raises(OSError, match="open files"):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        assert not liveness.prove_dead(stage.folder)
        assert not liveness.orphaned(stage.folder)
        attempts.end_now(stage.folder)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        for descriptor in held:
            os.close(descriptor)


@pytest.mark.parametrize(
    "forged",
    ["echo '{\"pid\": 4194300, \"start\": 0}' > keeper.json", "rm keeper.json", "echo > keeper.json",
     "echo '{\"pid\": 1, \"start\": 0}' > keeper.json", "mkfifo k; mv k keeper.json"],
)  # fmt: skip
@pytest.mark.parametrize("kept", [True, False], ids=["with its keeper", "without its keeper"])
def test_whoever_it_says_that_its_keeper_is_it_is_ended(stage: Stage, forged: str, kept: bool) -> None:
    process = stage.sh(f"cd {stage.folder}; {forged}; echo $$ > {stage.cwd}/pid; sleep 60 & wait")
    pid = stage.said("pid")
    if not kept:
        process.kill()
        process.wait(60)
    assert liveness.alive(stage.folder)
    assert liveness.orphaned(stage.folder) is not kept
    attempts.kill(stage.folder)
    if kept:
        assert stage.end().why == "killed"
    until(lambda: gone(pid) and not liveness.alive(stage.folder), 60, "the tree to be gone")


def test_one_that_says_that_it_is_its_own_keeper_is_not_believed(stage: Stage) -> None:
    forge = (
        "import json, os, signal, sys, time\n"
        f"start = int(open('/proc/self/stat').read().rpartition(')')[2].split()[19])\n"
        f"open({str(stage.folder / 'keeper.json')!r}, 'w').write(json.dumps({{'pid': os.getpid(), 'start': start}}))\n"
        "os.kill(os.getppid(), signal.SIGKILL)\n"
        "open('up', 'w').write('1')\n"
        "time.sleep(60)\n"
    )
    stage.begin(sys.executable, "-c", forge)
    stage.said("up")
    stage.keepers[0].wait(60)
    assert liveness.orphaned(stage.folder)
    attempts.kill(stage.folder)
    until(lambda: not liveness.alive(stage.folder), 60, "the tree to be gone")


def test_a_process_that_is_named_as_the_folder_is_no_keeper(stage: Stage) -> None:
    name = f"import os; os.execv('/bin/cat', [{str(stage.folder)!r}])"
    stage.sh(f'sleep 60 | {sys.executable} -c "{name}" & echo > {stage.folder}/keeper.json; echo up > up; wait')
    stage.said("up")
    until(lambda: os.fsencode(stage.folder) + b"\0" in map(command_line, processes.pids()), 60, "the name")
    assert not liveness.orphaned(stage.folder)
    attempts.kill(stage.folder)
    assert stage.end().why == "killed"


@pytest.mark.parametrize("put", ["ln -s /nonexistent/x", "ln -s {0}", "mkdir"])
@pytest.mark.parametrize("mark", [keeper.STOP, "freeze"])
def test_what_it_puts_in_the_way_keeps_no_agent_from_being_killed_or_frozen(stage: Stage, put: str, mark: str) -> None:
    stage.sh(f"cd {stage.folder}; {put.format(mark)} {mark}; echo up > {stage.cwd}/up; sleep 60 & wait")
    stage.said("up")
    attempts.freeze(stage.folder)
    assert attempts.frozen(stage.folder)
    attempts.kill(stage.folder)
    assert stage.end().why == "killed"


def test_a_tree_that_uses_more_memory_than_it_may_is_ended_at_once(stage: Stage) -> None:
    eat = "import os, time; os.fork(); kept = b'x' * (40 << 20); time.sleep(60)"
    stage.begin(sys.executable, "-c", eat, memory=60 << 20)
    assert stage.end().why == "memory", "each alone would be below it"


MEMORY = {
    "shared": "import mmap; m = mmap.mmap(-1, 80 << 20); m.write(bytes(80 << 20))",
    "in a file that has no name": "f = os.memfd_create('x'); [os.write(f, bytes(1 << 20)) for _ in range(80)]",
    "that nobody may look at": (
        "import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE\nkept = b'x' * (80 << 20)"
    ),
}


@pytest.mark.parametrize("eat", MEMORY.values(), ids=MEMORY.keys())
def test_memory_counts_whatever_kind_it_is(stage: Stage, eat: str) -> None:
    stage.begin(sys.executable, "-c", f"import os, time\n{eat}\ntime.sleep(60)", memory=60 << 20)
    assert stage.end().why == "memory"


def test_what_ends_while_its_memory_is_counted_spoils_nothing() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait(60)
    assert metering.takes_more([gone.pid, os.getpid()], 1 << 20)
    assert not metering.takes_more([gone.pid], 0)


POOL = """
import mmap, os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
kept = {kept}
for _ in range(4):
    if os.fork() == 0:
        any(kept[at] for at in range(0, 64 << 20, 4096))  # looked at, each page is its own, too; all of them are zero
        open("up", "a").write("x")
        break
time.sleep(60)
"""
"""Five that share 64 MB."""


@pytest.mark.parametrize(
    "kept", ["bytes(range(256)) * (256 << 10)", "mmap.mmap(-1, 64 << 20); kept.write(bytes(64 << 20))"]
)
def test_what_a_tree_shares_counts_once_though_workers_end_while_it_is_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    stage.begin(sys.executable, "-c", POOL.format(kept=kept))
    until(lambda: (stage.cwd / "up").exists() and stage.said("up") == "xxxx", 60, "its workers")
    agent = next(pid for pid in processes.pids() if processes.parent(pid) == liveness.keeper_of(stage.folder))
    tree = [agent, *(pid for pid in processes.pids() if processes.parent(pid) == agent)]
    looked, counted = [], metering._counted

    def counting(path: str, own: bytes, shared: bytes, unknown: tuple[int, int] = (0, 0)) -> tuple[int, int]:
        if path.endswith("smaps_rollup"):
            looked.append(path)
        if len(looked) == len(tree) // 2:
            for pid in tree[1:]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            until(lambda: not any(map(processes.start_ticks, tree[1:])), 60, "its workers to end")
        return counted(path, own, shared, unknown)

    assert len(tree) == 5
    assert not metering.takes_more(tree, 100 << 20), "all of them are there"
    monkeypatch.setattr(metering, "_counted", counting)
    assert not metering.takes_more(tree, 100 << 20)
    assert not any(map(processes.start_ticks, tree[1:]))
    attempts.kill(stage.folder)
    stage.end()


def test_files_that_were_removed_and_are_still_open_are_on_the_disk(stage: Stage) -> None:
    script = "exec 3> big; rm big; head -c 20000000 /dev/zero >&3; sleep 60"
    stage.sh(script, disk=10 << 20, folders=[str(stage.cwd)])
    assert stage.end().why == "disk"


def test_one_that_fills_the_disk_is_ended(stage: Stage) -> None:
    (stage.cwd / "before").write_bytes(b"x" * (8 << 20))
    script = "head -c 20000000 /dev/zero > big; sleep 60"
    stage.sh(script, disk=10 << 20, folders=[str(stage.cwd)])
    assert stage.end().why == "disk"


RESTLESS = {
    "orphans that end": "while :; do (sleep 0.1 &) ; sleep 0.3; done",
    "rings": "while :; do kill -HUP $PPID; sleep 0.3; done",
}
"""What has the keeper be told of something all the time."""
HOG = "b = bytearray(200_000_000); b[::4096] = b'x' * len(b[::4096]); import time; time.sleep(60)"


@pytest.mark.parametrize("restless", RESTLESS.values(), ids=RESTLESS.keys())
@pytest.mark.parametrize("why", ["memory", "timeout"])
def test_limits_hold_whatever_its_keeper_is_told_meanwhile(stage: Stage, restless: str, why: str) -> None:
    if why == "memory":
        stage.sh(f'{sys.executable} -c "{HOG}" & {restless}', memory=50_000_000)
    else:
        stage.sh(restless, timeout=1.0)
    assert stage.end().why == why


def test_ringing_its_keeper_is_no_sign_of_life(stage: Stage) -> None:
    ring = "import os, signal, time\nwhile True: os.kill(os.getppid(), signal.SIGHUP); time.sleep(0.5)"
    stage.begin(sys.executable, "-c", ring, stall=2.5)
    assert stage.end().why == "stall"


def test_one_that_stays_below_its_limits_is_left_alone(stage: Stage) -> None:
    script = "head -c 2000000 /dev/zero > small; sleep 1.5"
    stage.sh(script, disk=10 << 20, memory=1 << 30, folders=[str(stage.cwd)], stall=30.0)
    assert stage.end() == Ended(0, "exit", pytest.approx(1.5, abs=10))


def test_one_without_a_sign_of_life_is_asked_to_end(stage: Stage) -> None:
    stage.sh("trap 'echo asked; exit 3' TERM; sleep 60 & wait", stall=1.5, grace=10)
    ended = stage.end()
    assert (ended.code, ended.why) == (3, "stall")
    assert stage.output == "asked\n"


def test_one_that_only_works_or_only_prints_does_not_stall(stage: Stage) -> None:
    works = "import time\nuntil = time.monotonic() + 4\nwhile time.monotonic() < until: pass"
    stage.begin(sys.executable, "-c", works, stall=1.5)
    assert stage.end().why == "exit"


def test_a_file_without_end_in_its_own_folder_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    endless, said = tmp_path / "own/log", tmp_path / "own/said"
    endless.touch()
    os.truncate(endless, 4 << 40)
    said.write_text("the key is key-0123456789abcdef")
    (tmp_path / "own/link").symlink_to(endless)
    leavings.redact_folder(str(tmp_path), Redactor({"SOME_API_KEY": "key-0123456789abcdef"}))
    assert 0 < endless.stat().st_size <= 1 << 30
    assert said.read_text() == "the key is «SOME_API_KEY»"
