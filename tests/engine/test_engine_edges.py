"""What agents and disks can do to a run, and what the run makes of it: a clear word, and nothing lost."""

import os
import re
import shutil
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scene import Scene, attempt_folder, settings, workstream
from tests.support.wait import until
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.commands import Answer, Verb
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.engine import headless, offline
from uet_tui.engine.offline import InterruptedCommandError
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.sandboxes import make_ready
from uet_tui.engine.start import new_run, open_run
from uet_tui.errors import UetError
from uet_tui.plan.graph import build_plan
from uet_tui.store import inbox
from uet_tui.store.backups import back_up
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.sandbox import Sandbox

ONCE = {"circuit_breaker": {"max_attempts": 1}}
ME = "-c user.name=agent -c user.email=agent@example.invalid"
USE = "agents.shell.usage=json-lines"


def reason(scene: Scene, id: str = "ws-a") -> str:
    found = scene.view().workstream(id)
    assert found is not None
    return found.reason


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('rm -rf "$PWD"', "its sandbox is gone: the agent deleted it"),
        ("git init -q inner && cd inner && git {ME} commit -q --allow-empty -m x", "inner is a repository"),
        ("ln -s /etc/passwd out", "out is a link out of the repository, to /etc/passwd"),
        ("ln -s .. up", "up is a link out of the repository"),
        ("mkfifo pipe", "pipe is a FIFO"),
        ("true", "changed nothing and did not say that nothing needs changing"),
        ("no-such-program", "exit 127"),
        ("echo 'half a line' >&2; printf 'and no end'; kill -9 $$", "exit -9: and no end"),
    ],
)
def test_what_an_agent_must_not_leave_fails_it_with_a_clear_reason(scene: Scene, script: str, why: str) -> None:
    before = fingerprint(scene.repository)
    scene.begin(
        workstream("ws-a", script.replace("{ME}", ME), **ONCE),
        workstream("ws-b", "echo b > b.txt"),
        sets=("workers=1", "overlap=allow"),
    )
    view = scene.finish()
    assert why in reason(scene)
    assert scene.state("ws-a") is WorkstreamState.FAILED
    assert scene.state("ws-b") is WorkstreamState.MERGED, "the worker goes on in the same sandbox"
    assert scene.file("b.txt") == "b"
    assert view.state is RunState.FAILED
    assert fingerprint(scene.repository) == before


@pytest.mark.parametrize(
    "script",
    [
        "rm -rf .git",
        "git add -A && git commit -qm 'my own' && git checkout -q -b mine",
        "rm -f .git/index && echo rubbish > .git/HEAD",
        "rm -rf .git && git init -q && git add -A && git {ME} commit -qm x",
        "git rebase -q --root || true; git merge nothing || true",
        "head -c 2000000 /dev/zero | tr '\\0' x",
        "printf 'bad \\377\\376 utf \\033]52;c;eA==\\007 [/x] \\342\\200\\256 nul \\000\\n'",
        "chmod -R a-w .; chmod u+w .",
    ],
)
def test_whatever_else_an_agent_does_its_files_are_merged(scene: Scene, script: str) -> None:
    before = fingerprint(scene.repository)
    scene.begin(workstream("ws-a", "echo a > a.txt", script.replace("{ME}", ME), **ONCE))
    view = scene.finish()
    assert view.state is RunState.COMPLETED, reason(scene)
    assert scene.file("a.txt") == "a"
    changed = scene.repository.git("diff", "--name-only", view.base_commit, view.tip)
    assert changed == "a.txt"
    assert fingerprint(scene.repository) == before


def test_names_that_are_not_utf_8_are_merged_byte_for_byte(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo x > $(printf 'caf\\351')", "echo y > 'tab\there'", "echo z > ' lead'"))
    view = scene.finish()
    assert view.state is RunState.COMPLETED, reason(scene)
    names = scene.repository.git("-c", "core.quotePath=true", "diff", "--name-only", view.base_commit, view.tip)
    assert sorted(names.splitlines()) == [" lead", '"caf\\351"', '"tab\\there"']


@pytest.mark.parametrize("cost", ["NaN", "-1", "1e400", "Infinity", "true", '"3"', "null", "[1]", "1" + "0" * 5000])
def test_money_that_is_no_money_is_not_booked(scene: Scene, cost: str) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt", f"""printf '{{"uet": {{"cost_usd": {cost}}}}}\\n'"""),
        sets=(USE, "budget.max_cost_total=1"),
    )
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.costs.spent_usd == 0.0
    assert view.costs.reserved_usd == 0.0


def test_a_setup_command_that_fails_brings_the_run_to_rest_with_its_words(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo a > a.txt"),
        workstream("ws-b", "echo b > b.txt"),
        sets=("sandbox.setup=['echo no network >&2; exit 9']",),
    )
    view = scene.finish()
    assert view.state is RunState.PAUSED
    assert "setup command `echo no network >&2; exit 9` ended with 9: no network" in view.reason
    told = re.search(r"; (\.uet/runs/\w+/setup/[1-4]\.log) has all of it$", view.reason)
    assert told is not None
    assert (scene.repository.path / told[1]).read_text() == "$ echo no network >&2; exit 9\nno network\n"
    assert {ws.state for ws in view.workstreams} == {WorkstreamState.PENDING}


def test_a_setup_command_that_leaves_something_running_or_never_ends_holds_nothing_up(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "test -e ready && echo a > a.txt"),
        sets=("sandbox.setup=['sleep 60 & echo > ready']", "sandbox.keep=['ready']"),
    )
    assert scene.finish(15).state is RunState.COMPLETED, reason(scene)
    scene.begin(
        workstream("ws-a", "echo a > a.txt"), sets=("sandbox.setup=['sleep 60 & sleep 60']", "timeout_seconds=0.3")
    )
    view = scene.finish(15)
    assert view.state is RunState.PAUSED
    assert "did not end in 0.3 s" in view.reason


def test_an_orchestrator_killed_while_it_sets_a_sandbox_up_does_not_leave_it_half_done(scene: Scene) -> None:
    outside = scene.repository.path.parent
    script = f"echo half > .env; echo x >> {outside}/setups; test -e {outside}/second || exit 1; echo whole > .env"
    scene.repository.write(".gitignore", ".env\n")
    scene.repository.commit("Ignore")
    scene = Scene(scene.repository)
    scene.begin(workstream("ws-a", "cp .env copy.txt"), sets=(f"sandbox.setup=['{script}']", "sandbox.keep=['.env']"))
    assert scene.finish().state is RunState.PAUSED
    (outside / "second").touch()
    scene.home.run(scene.run).sandbox(1).mkdir(exist_ok=True)
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED, reason(scene)
    assert scene.file("copy.txt") == "whole"


def test_a_sandbox_is_set_up_once_and_again_when_that_is_to_be_done_otherwise(scene: Scene) -> None:
    outside = scene.repository.path.parent
    scene.begin(
        workstream("ws-a", "echo a > a.txt"),
        workstream("ws-b", "echo b > b.txt"),
        sets=("workers=1", f"sandbox.setup=['echo up; echo up >> {outside}/setups', 'true']"),
    )
    assert scene.finish().state is RunState.COMPLETED
    assert (outside / "setups").read_text() == "up\n"
    (event,) = scene.events("sandbox_set_up")
    log = scene.home.run(scene.run).setup_log(1)
    assert event.startswith("the sandbox of worker 1 is set up: 2 setup commands in ")
    assert event.endswith(f"output in .uet/runs/{scene.run}/setup/1.log")
    assert log.read_text() == f"$ echo up; echo up >> {outside}/setups\nup\n$ true\n"
    otherwise = settings("sandbox.setup=[]", "sandbox.keep=[]").model_dump(mode="json", include={"sandbox"})
    opened = open_run(scene.home, scene.run, overrides=otherwise)
    try:
        leaving = threading.Event()
        assert make_ready(opened.place, opened.place.sandbox(1), opened.place.base, leaving) is not None
        assert make_ready(opened.place, opened.place.sandbox(1), opened.place.base, leaving) is None
    finally:
        opened.hold.release(scene.run)
        opened.place.control.close()


def test_a_sandbox_that_an_agent_deleted_is_set_up_anew(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", 'rm -rf "$PWD"', **ONCE),
        workstream("ws-b", "cp .venv/made b.txt"),
        sets=("workers=1", "sandbox.setup=['mkdir .venv && echo yes > .venv/made']", "scope=off"),
    )
    scene.finish()
    assert scene.state("ws-b") is WorkstreamState.MERGED, reason(scene, "ws-b")


def test_what_cannot_be_collected_is_kept_for_the_operator(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Sandbox.snapshot

    def full(sandbox: Sandbox, parent: str, message: str) -> object:
        if message.startswith("ws-a"):
            raise OSError(5, "Input/output error")
        return whole(sandbox, parent, message)

    monkeypatch.setattr(Sandbox, "snapshot", full)
    scene.begin(
        workstream("ws-a", "echo precious > a.txt", **ONCE), workstream("ws-b", "echo b > b.txt"), sets=("workers=1",)
    )
    scene.finish()
    kept = attempt_folder(scene, "ws-a") / "sandbox"
    assert "Input/output error" in reason(scene)
    assert str(kept) in reason(scene)
    assert (kept / "a.txt").read_text() == "precious\n"
    assert scene.state("ws-b") is WorkstreamState.MERGED


def test_more_parallelism_than_there_is_work_makes_no_idle_sandboxes(scene: Scene) -> None:
    go = scene.repository.path.parent / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    scene.begin(*(workstream(f"ws-{n}", wait, f"echo {n} > {n}", scope=[n]) for n in "abc"), sets=("workers=2",))
    assert scene.ask(Verb.SCALE, number=8).ok
    for id in ("ws-a", "ws-b", "ws-c"):
        scene.until_state(id, WorkstreamState.RUNNING)
    assert len(scene.view().workers) == 3
    assert scene.view().parallelism == 8
    go.touch()
    assert scene.finish().state is RunState.COMPLETED


def test_when_a_runs_files_are_deleted_it_ends_with_an_error_and_ends_its_agents(scene: Scene) -> None:
    pid = scene.repository.path.parent / "pid"
    scene.begin(workstream("ws-a", f"echo $$ > {pid}", "sleep 60", timeout=2))
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    until(lambda: pid.exists() and pid.read_text(), 10, "the agent")
    shutil.rmtree(scene.home.folder)
    assert scene.orchestrator is not None
    assert scene.orchestrator.join(20), "it must not wait for ever"
    assert isinstance(scene.orchestrator.failure, UetError)
    scene.orchestrator = None
    until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists(), 10, "the time limit")


def _replace_the_lock(scene: Scene) -> None:
    lock = scene.home.run(scene.run).lock
    lock.unlink()
    lock.touch()


def _replace_the_store(scene: Scene) -> None:
    copy = back_up(scene.home.database)
    for ending in ("-wal", "-shm"):
        (scene.home.folder / f"uet.db{ending}").unlink(missing_ok=True)
    copy.rename(scene.home.database)


@pytest.mark.parametrize("replace", [_replace_the_lock, _replace_the_store])
def test_when_another_takes_the_place_of_a_runs_files_it_ends_with_an_error(
    scene: Scene, replace: Callable[[Scene], None]
) -> None:
    scene.begin(workstream("ws-a", "sleep 300", scope=["a"]))
    until((attempt_folder(scene, "ws-a") / "keeper.json").exists, what="the agent")
    replace(scene)
    assert scene.orchestrator is not None and scene.orchestrator.join(30)
    assert "was replaced while the run went on" in str(scene.orchestrator.failure)
    scene.resume()
    scene.ask(Verb.STOP)
    assert scene.orchestrator.join(30)


def test_a_run_that_cannot_be_woken_ends_with_a_word_and_lets_go(scene: Scene) -> None:
    opened = new_run(scene.operator, build_plan([workstream("ws-a", "echo a > a", scope=["a"])]), settings())
    scene.run = opened.place.run
    opened.place.paths.wake.mkdir()
    orchestrator = Orchestrator(opened.place, opened.hold)
    orchestrator.start()
    assert orchestrator.join(30)
    with pytest.raises(UetError):
        orchestrator.raise_failure()
    opened.place.paths.wake.rmdir()
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED


def test_a_run_whose_agent_is_not_configured_any_more_is_not_resumed(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "exit 1", **ONCE))
    scene.finish()
    only = {"agents": {"codex": {"command": ["codex"], "prompt": "text", "env": [], "usage": "none"}}}
    with pytest.raises(UetError, match=r"ws-a .* agent shell, but the agents now are: codex"):
        open_run(scene.home, scene.run, overrides=only)
    assert open_run_and_let_go(scene), "the lock is free again"


def open_run_and_let_go(scene: Scene) -> bool:
    opened = open_run(scene.home, scene.run)
    opened.hold.release(scene.run)
    opened.place.control.close()
    return True


@pytest.mark.parametrize("name", ["plan.json", "settings.json"])
def test_a_run_whose_files_are_broken_says_so(scene: Scene, name: str) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt"))
    scene.finish()
    path = scene.home.run(scene.run).folder / name
    whole = path.read_text()
    for text in ("", "{", "[]", '{"agents": {}}', "[{}]"):
        path.write_text(text)
        with pytest.raises(UetError, match="is not whole"):
            open_run(scene.home, scene.run)
    path.write_text(whole)
    assert open_run_and_let_go(scene)


def test_a_broken_pipe_ends_a_program_of_an_agent_as_in_any_shell(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "yes 2>err.txt | head -1 > a.txt", "test ! -s err.txt", "rm err.txt"))
    assert scene.finish().state is RunState.COMPLETED, reason(scene)


def test_an_agent_that_stops_itself_is_ended_at_its_time_limit(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt", "kill -STOP $$", timeout=0.3))
    scene.finish()
    assert "time limit" in reason(scene)
    left = scene.repository.git("show", f"refs/uet/{scene.run}/ws-a.attempt-1:a.txt")
    assert left == "a"


def test_publishing_is_tried_again_where_the_operators_repository_was_in_the_way(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, failures = ControlRepository.publish, list[Exception]()

    def watched(control: ControlRepository, refs: Mapping[str, str]) -> tuple[str, ...]:
        try:
            return publish(control, refs)
        except UetError as error:
            failures.append(error)
            raise

    monkeypatch.setattr(ControlRepository, "publish", watched)
    go = scene.repository.path.parent / "go"
    obstacle = scene.repository.write(".git/refs/heads/uet", "in the way")
    scene.begin(
        workstream("ws-a", "echo a > a.txt"),
        workstream("ws-b", f"while [ ! -e {go} ]; do sleep 0.02; done", "echo b > b.txt", depends_on=["ws-a"]),
    )
    until(lambda: failures, 10, "a failed try")
    obstacle.unlink()
    go.touch()
    view = scene.finish()
    assert scene.repository.git("rev-parse", f"refs/uet/{scene.run}/ws-a") == view.workstreams[0].result_commit
    assert scene.repository.git("rev-parse", f"uet/{scene.run}") == view.tip


def test_an_agent_gets_no_signals_that_the_orchestrator_ignores(scene: Scene) -> None:
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        scene.begin(workstream("ws-a", "grep SigIgn /proc/self/status > a.txt"))
        scene.finish()
    finally:
        signal.signal(signal.SIGHUP, old)
    ignored = int(scene.file("a.txt").split()[1], 16)
    assert not ignored & 1 << signal.SIGHUP - 1


@pytest.mark.parametrize("trap", ["mkfifo {0}", "ln -s {1} {0}"])
def test_what_an_agent_puts_in_the_place_of_uets_own_files_is_neither_waited_for_nor_followed(
    scene: Scene, tmp_path: Path, trap: str
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    diff, note = (trap.format(f'"$(dirname "$0")/{name}"', precious) for name in ("diff.patch", "snapshot"))
    scene.begin(workstream("ws-a", diff, "echo a > a.txt"), workstream("ws-b", note, "echo b > b.txt", **ONCE))
    scene.finish()
    assert scene.state("ws-a") is WorkstreamState.MERGED
    assert "is no file" in reason(scene, "ws-b")
    until(lambda: "a.txt" in (attempt_folder(scene, "ws-a") / "diff.patch").read_text(), 5, "the diff")
    assert precious.read_text() == "mine"


def test_a_command_that_cannot_be_sent_leaves_the_run_to_the_next(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a", scope=["a"]))
    scene.finish()
    with pytest.raises(UetError, match="too large"):
        scene.ask_offline(Verb.EDIT, content="x" * 9_000_000)
    assert scene.ask_offline(Verb.LAND).ok


def test_an_interrupt_ends_the_landing_that_follows_a_run(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = f"if [ -e {tmp_path}/slow ]; then touch {tmp_path}/begun; sleep 300; fi"
    gated = build_plan([workstream("ws-a", "echo a > a", test_gates=[{"type": "GATE_UNIT"}])])
    opened = new_run(scene.operator, gated, settings("land=auto", f"gates.GATE_UNIT.commands={[slow]!r}"))
    scene.run = opened.place.run
    before = scene.repository.git("rev-parse", "main")
    land = offline.carry_out

    def land_slowly(*arguments: Any) -> Answer:
        shutil.rmtree(scene.home.folder / "gates")  # what they said is not remembered
        (tmp_path / "slow").touch()
        return land(*arguments)

    def interrupt() -> None:
        until((tmp_path / "begun").exists, 60, "the gate")
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(headless, "carry_out", land_slowly)
    operator = threading.Thread(target=interrupt)
    operator.start()
    with pytest.raises(InterruptedCommandError, match="land was taken back"):
        headless.Headless(opened, lambda _: None).run()
    operator.join()
    assert scene.view().state is RunState.COMPLETED
    assert scene.repository.git("rev-parse", "main") == before
    assert not inbox.waiting(scene.home.run(scene.run))
