"""What an agent that bubblewrap confines can do, and what it cannot; it is run as a run starts it."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, settings, workstream
from tests.support.wait import until
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.commands import Verb
from uet_tui.core.states import AttemptState, RunState, WorkstreamState
from uet_tui.engine.confinement import Probe, View, confined, probe, programs
from uet_tui.engine.inventory import look, need_agents
from uet_tui.errors import UetError
from uet_tui.store.queries import Reader

needs_bwrap = pytest.mark.skipif(not probe().path, reason=f"no sandbox here: {probe().told}")
CONFINED = ("agents.shell.sandbox=required",)
ONCE = {"circuit_breaker": {"max_attempts": 1}}


def fresh_probe() -> Probe:
    """What a process finds that has not looked yet."""
    probe.cache_clear()
    try:
        return probe()
    finally:
        probe.cache_clear()


def attempt_state(scene: Scene, id: str) -> AttemptState:
    reader = Reader(scene.home.database)
    try:
        return reader.attempts(scene.run, id)[-1].state
    finally:
        reader.close()


@needs_bwrap
def test_a_confined_agent_does_its_work_and_commits_with_git(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "git log --oneline | wc -l", "echo a > a.txt", "git add a.txt"), sets=CONFINED)
    assert scene.finish().state is RunState.COMPLETED
    assert scene.file("a.txt") == "a"
    assert scene.events("sandbox_missing") == []


@needs_bwrap
def test_it_writes_nowhere_else_and_sees_no_other_process(
    scene: Scene, tmp_path: Path, clean_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_home / ".ssh").mkdir()
    (clean_home / ".ssh" / "id_ed25519").write_text("private")
    monkeypatch.setenv("HOME", str(clean_home))
    root, outside = scene.repository.path, tmp_path / "outside"
    outside.write_text("theirs")
    os.link(outside, tmp_path / "hard")
    vain = [
        f"echo x > {outside}",
        f"echo x > {root}/mine.txt",
        f"echo x >> {root}/.git/config",
        f"echo x > {root}/.git/hooks/pre-commit",
        f"ln -s {outside} link && echo x > link",
        f"ln {outside} hard && echo x > hard",
        f"git -C {root} update-ref refs/heads/main HEAD",
        "rm -rf link hard",
    ]
    refused = [
        f"git -C {root} config core.fsmonitor /bin/false",
        f"ls {root}/.uet/uet.db",
        f"ls {root}/.uet/runs/*/wake",
        "cat $HOME/.ssh/id_ed25519",
        'echo "{}" > "$(dirname "$0")/exit.json"',
        'rm "$(dirname "$0")/attempt.lock"',
        'echo x > "$(dirname "$0")/snapshot"',
        "echo x > /etc/uet-was-here",
        f"kill -0 {os.getpid()}",
        "ls /run/user",
    ]
    script = [f"( {each} ) 2>/dev/null || true" for each in vain]
    script += [f"if ( {each} ) 2>/dev/null; then echo broke out: {n} >&2; fi" for n, each in enumerate(refused)]
    before = fingerprint(scene.repository)
    mine = ['echo tmp > /tmp/t && echo home > "$HOME/h"', "ls /proc > pids.txt", "echo a > a.txt"]
    scene.begin(workstream("ws-a", *script, *mine), sets=CONFINED)
    assert scene.finish().state is RunState.COMPLETED
    assert "broke out" not in (attempt_folder(scene, "ws-a") / "output.log").read_text()
    assert outside.read_text() == "theirs"
    assert fingerprint(scene.repository) == before
    assert not Path("/tmp/t").exists()
    assert not (clean_home / "h").exists()
    assert sum(line.isdigit() for line in scene.file("pids.txt").splitlines()) < 6


@needs_bwrap
def test_without_the_network_it_reaches_nothing_on_it(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 2)' 2>/dev/null"
        task = f"if {reach}; then echo yes > net.txt; else echo no > net.txt; fi"
        scene.begin(workstream("ws-a", task), sets=(*CONFINED, "agents.shell.network=false"))
        scene.finish()
        assert scene.file("net.txt") == "no"
        scene.begin(workstream("ws-b", task), sets=CONFINED)
        scene.finish()
        assert scene.file("net.txt") == "yes"


@needs_bwrap
def test_asking_it_to_end_reaches_the_agent_and_daemons_die_with_it(scene: Scene) -> None:
    daemon = "env -i setsid sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 &"
    scene.begin(
        workstream(
            "ws-a", daemon, "trap 'echo asked; exit 7' TERM", "echo up > up.txt", "while :; do sleep 0.02; done"
        ),
        sets=(*CONFINED, "grace_seconds=10"),
    )
    up = scene.home.run(scene.run).sandbox(1) / "up.txt"
    until(up.exists, 10, "the agent to be up")
    assert scene.ask(Verb.KILL, workstream="ws-a").ok
    scene.finish()
    assert "asked" in (attempt_folder(scene, "ws-a") / "output.log").read_text()
    assert scene.state("ws-a") is WorkstreamState.FAILED


def test_what_is_required_and_cannot_be_had_is_never_done_without(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Probe("", "bubblewrap is not installed")
    for module in ("confining", "inventory"):
        monkeypatch.setattr(f"uet_tui.engine.{module}.probe", lambda: nothing)
    with pytest.raises(UetError, match=r"sandbox is required, and bubblewrap is not installed: install bubblewrap"):
        need_agents(["shell"], settings(*CONFINED), os.environ)
    assert not look("shell", settings(*CONFINED), os.environ, version=False).ready
    scene.begin(workstream("ws-a", "echo a > a.txt", **ONCE), sets=CONFINED)
    assert scene.finish().state is RunState.FAILED
    assert attempt_state(scene, "ws-a") is AttemptState.FAILED
    assert not (attempt_folder(scene, "ws-a") / "start.json").exists(), "it was not started"


def test_what_would_be_better_confined_runs_without_and_the_operator_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uet_tui.engine.confining.probe", lambda: Probe("", "bubblewrap is not installed"))
    scene.begin(workstream("ws-a", "echo a > a.txt"), sets=["agents.shell.sandbox=bwrap"])
    assert scene.finish().state is RunState.COMPLETED
    (told,) = scene.events("sandbox_missing")
    assert told.startswith(
        "no sandbox for shell, and for gates and setup commands: bubblewrap is not installed; install bubblewrap"
    )


def test_a_program_that_lies_in_the_home_is_seen_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    tool = home / "apps" / "tool" / "bin" / "tool"
    module = home / "lib" / "node_modules" / "pkg" / "cli.js"
    for path in (tool, module):
        path.parent.mkdir(parents=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    for link, target in (("tool", tool), ("js", module)):
        (home / ".local" / "bin").mkdir(parents=True, exist_ok=True)
        (home / ".local" / "bin" / link).symlink_to(target)
    environ = {"PATH": f"{home}/.local/bin:/usr/bin", "CERTS": f"{home}/certs.pem", "HOME": str(home)}
    (home / "certs.pem").touch()
    found = programs(home, ["tool"], environ)
    assert {home / ".local/bin", tool.parent.parent, home / "certs.pem"} <= {*found}
    assert home / "lib" / "node_modules" in programs(home, ["js"], environ)
    assert home not in found
    if probe().path:
        view = View(tmp_path, tmp_path / "tmp", (home,), found, (), network=False)
        (tmp_path / "tmp").mkdir()

        def run(*argv: str) -> "subprocess.CompletedProcess[bytes]":
            return subprocess.run(confined(probe().path, view, argv), env=environ, check=False, capture_output=True)

        done = run("tool")
        assert done.returncode == 0, done.stderr
        assert run("ls", str(home)).stdout.split() == [b"apps", b"certs.pem"], "and the folders on the way to it"


def test_a_machine_that_refuses_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f".:{tmp_path}")
    told = fresh_probe()
    assert told == Probe("", "bubblewrap cannot be used: bwrap: No permissions to create new namespace")
    monkeypatch.setenv("PATH", ".")
    assert fresh_probe().told == "bubblewrap is not installed"
