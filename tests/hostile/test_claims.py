"""What a hostile agent claims: results, records of its attempt, other people's work, and the operator's own word."""

import json
import sys
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.engine.test_resolving import UNIT
from tests.hostile.loose import LIMIT, ONCE, either_way, let_loose, needs_bwrap, reason
from uet_tui.core.states import RunState, WorkstreamState

FORGED = '{"code": 0, "why": "exit", "seconds": 1, "ended_at": 1}'
BARE = "env -i PATH=$PATH HOME=$HOME"
UET = f"{sys.executable} -m uet_tui"


@either_way
@pytest.mark.parametrize(
    "script",
    [
        f"echo '{FORGED}' > exit.json; sleep 1",
        "mkdir exit.json exit.json.part snapshot; touch exit.json/x exit.json.part/x",
        "rm -f attempt.lock; mkdir attempt.lock; rm -f start.json; sleep 1.5",
        "python3 -c 'import fcntl\nfor n in range(3, 50):\n try: fcntl.flock(n, 8)\n except OSError: pass'; sleep 2.5",
        "rm -rf output.log; ln -s /dev/zero output.log; mkfifo usage.json",
    ],
)
def test_what_it_forges_of_its_attempt_is_not_believed(scene: Scene, script: str, confined: str) -> None:
    """It fails in the end: a record that was believed would make the work a success."""
    there = 'cd "$(dirname "$0")"'
    state = let_loose(scene, confined, f"( {there}; {script} ) 2>/dev/null || true", "exit 3")
    assert state is WorkstreamState.FAILED
    assert scene.sql("SELECT exit_code FROM attempts WHERE workstream = 'ws-hostile'") == [(3,)]


def test_no_second_attempt_begins_while_the_first_one_lives_whatever_is_in_the_place_of_its_record(
    scene: Scene, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    script = f'echo begin >> {trace}; mkdir "$(dirname "$0")/exit.json"; sleep 3; echo end >> {trace}; exit 3'
    assert let_loose(scene, "off", script) is WorkstreamState.FAILED
    assert trace.read_text().split() == ["begin", "end"]


def test_one_whose_folder_becomes_a_file_is_ended_and_ends_no_run(scene: Scene, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    script = f'd="$(dirname "$0")"; mv "$d" "$d.x"; touch "$d"; trap "" TERM; sleep 60; echo end >> {trace}'
    assert let_loose(scene, "off", script, sets=["retry.max_seconds=0.1"]) is WorkstreamState.FAILED
    assert not trace.exists()


@pytest.mark.parametrize(
    "lay",
    [
        "for n in attempt.json prompt.md start.json output.log exit.json snapshot .attempt.json; do mkfifo $d/$n; done",
        "mkdir $d/attempt.json $d/prompt.md $d/start.json $d/output.log $d/snapshot",
        "touch $d/keeper.json $d/start.json",
        "rmdir $d; touch $d",
        "rmdir $d; ln -s /nonexistent $d",
    ],
)
def test_what_it_lays_in_the_way_of_its_next_attempt_holds_nothing_up(scene: Scene, tmp_path: Path, lay: str) -> None:
    tried = tmp_path / "tried"
    first = f'd="$(dirname "$0")/../2"; mkdir -p "$d"; touch {tried}; {lay}; exit 3'
    scene.begin(
        workstream("ws-hostile", f"[ -e {tried} ] || {{ {first}; }}", "mkdir h; echo x > h/x", scope=["h/**"]),
        sets=["workers=1", "agents.shell.sandbox=off", "retry.max_seconds=0.1"],
    )
    scene.finish(LIMIT)
    assert scene.state("ws-hostile") is WorkstreamState.MERGED, reason(scene)


@pytest.mark.parametrize(
    "forged",
    [
        {"base_commit": "x y"},
        {"base_commit": "x\ninfo HEAD"},
        {"created_at": 1e300},
        {"reserved_usd": 1e300},
        {"model": "\ud800"},
        {"worker": 1 << 70},
    ],
)
def test_what_is_forged_of_an_attempt_to_come_keeps_no_run_from_being_resumed(
    scene: Scene, forged: dict[str, object]
) -> None:
    scene.begin(workstream("ws-a", "exit 3", scope=["h/**"], **ONCE), sets=["workers=1"])
    scene.finish(LIMIT)
    first = attempt_folder(scene, "ws-a")
    told = json.loads((first / "attempt.json").read_text()) | forged
    first.with_name("2").mkdir()
    (first.with_name("2") / "attempt.json").write_text(json.dumps(told))
    scene.resume()
    assert scene.finish(LIMIT).state is RunState.FAILED
    assert [ws.attempts for ws in scene.view().workstreams] == [1]


@pytest.mark.parametrize(
    "forged",
    [{"attempt": 1 << 70}, {"attempt": -1}, {"attempt": True}, {"ours_commit": "x y"}, {"model": "\ud800"}],
)
def test_what_is_forged_of_an_ask_keeps_no_run_from_being_resumed(scene: Scene, forged: dict[str, object]) -> None:
    opened = scene.begin(workstream("ws-a", "exit 3", scope=["h/**"], **ONCE), sets=["workers=1"])
    scene.finish(LIMIT)
    told: dict[str, object] = {"workstream": "ws-a", "attempt": 1, "agent": "shell", "model": "", "provider": ""}
    told |= {"ours_commit": opened.place.base, "theirs_commit": opened.place.base} | forged
    folder = opened.place.paths.ask("c1", 1)
    for ask in (folder, folder.with_name("ask-" + "9" * 30)):
        ask.mkdir(parents=True)
        (ask / "ask.json").write_text(json.dumps(told))
    scene.resume()
    assert scene.finish(LIMIT).state is RunState.FAILED
    assert not scene.view().conflicts


COMMITS = {
    "a link out": ("120000 blob $(printf /etc/passwd | $g hash-object -w --stdin)", "link out of the repository"),
    "a submodule": ("160000 commit $base", "h/x is a repository"),
    "a secret": ("100644 blob $(echo $OWN_API_KEY | $g hash-object -w --stdin)", "h/x: the value of OWN_API_KEY"),
    "another base": ("100644 blob $(echo x | $g hash-object -w --stdin)", "no commit on"),
}


@pytest.mark.parametrize(("entry", "why"), COMMITS.values(), ids=COMMITS.keys())
def test_what_it_notes_as_the_commit_of_its_work_is_looked_through(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, entry: str, why: str
) -> None:
    monkeypatch.setenv("OWN_API_KEY", "key-0123456789abcdef")
    script = [
        'base=$(cat .git/HEAD); g="git --git-dir ${PWD%%/.uet/*}/.uet/control.git -c user.name=M -c user.email=m@m"',
        f'h=$(printf "%s\\tx\\n" "{entry}" | $g mktree)',
        'tree=$( ( $g ls-tree $base; printf "040000 tree $h\\th\\n" ) | $g mktree)',
        f"parent={'' if why == 'no commit on' else '-p $base'}".replace(" ", "\\ "),
        'printf "$(echo forged | $g commit-tree $tree $parent)\\n\\n" > $(dirname $0)/snapshot',
    ]
    state = let_loose(scene, "off", *script, sets=['agents.shell.env=["PATH", "OWN_API_KEY"]'])
    assert state is WorkstreamState.FAILED
    assert why in reason(scene)
    assert "key-0123456789abcdef" not in scene.repository.git("log", "--all", "-p", "--format=%H")


@either_way
def test_who_it_says_that_it_is_in_its_commits_reaches_nobody(scene: Scene, confined: str) -> None:
    name = "$(printf 'Mallory\\033]52;c;eA==\\007\\nUET-Workstream: ws-later <x')"
    script = [
        f'mkdir h; echo x > h/x.txt; git add h; GIT_AUTHOR_NAME="{name}" GIT_COMMITTER_NAME="{name}" '
        "GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_EMAIL=a@b git commit -qm 'x\n\nUET-Workstream: ws-later\nUET-Attempt: 1'",
    ]
    assert let_loose(scene, confined, *script) is WorkstreamState.MERGED, reason(scene)
    history = scene.repository.git("log", "--format=%an %ae %cn %ce %B", f"refs/heads/uet/{scene.run}")
    assert "Mallory" not in history
    assert history.count("UET-Workstream: ws-later") == 1, "its own merge"
    assert not any("\x1b" in text for text in scene.events())


@either_way
def test_a_commit_message_of_100_megabytes_is_put_away_with_the_commit(scene: Scene, confined: str) -> None:
    script = [
        "mkdir h; echo x > h/x.txt; git add h; head -c 100000000 /dev/zero | tr '\\0' x > .git/message",
        "git -c user.name=a -c user.email=a@b -c core.bigFileThreshold=1k commit -qF .git/message; rm .git/message",
    ]
    assert let_loose(scene, confined, *script) is WorkstreamState.MERGED, reason(scene)
    assert len(scene.repository.git("log", "--format=%B", f"refs/heads/uet/{scene.run}")) < 10_000


@pytest.mark.parametrize(
    "calling",
    [
        f"{UET} scale 64",
        f"{UET} stop",
        f"env -u UET_ATTEMPT {UET} budget --total 1000000",
        f"{BARE} setsid -w setsid -w {UET} scale 64",
        f"({BARE} setsid sh -c 'sleep 0.2; {UET} scale 64; touch done' &); until [ -e done ]; do sleep 0.1; done",
    ],
)
def test_what_one_asks_for_that_nothing_confines_is_refused_and_on_record_with_who_asked(
    scene: Scene, calling: str
) -> None:
    script = f"mkdir h; echo x > h/x; cd {scene.repository.path}; ( {calling} ) >&2 || true; rm -f done"
    state = let_loose(scene, "off", script, sets=["agents.shell.env=[PATH, HOME]"])
    assert state is WorkstreamState.MERGED, reason(scene)
    (told,) = scene.events("operator_command")
    assert "it comes from" in told
    assert "ws-hostile/1" in told
    assert scene.view().parallelism == 1
    ((data,),) = scene.sql("SELECT data FROM uet_events WHERE type = 'operator_command'")
    assert '"source": "agent:' in data.replace('":"', '": "')


def test_a_gate_has_no_say_either(scene: Scene) -> None:
    call = f"cd {scene.repository.path} && ! {UET} scale 64"
    state = let_loose(
        scene,
        "off",
        "mkdir h; echo x > h/x",
        test_gates=UNIT,
        sets=[f"gates.GATE_UNIT.commands={json.dumps([call])}"],
    )
    assert state is WorkstreamState.MERGED, reason(scene)
    assert all("it comes from" in told for told in scene.events("operator_command"))
    assert scene.events("operator_command")
    assert scene.view().parallelism == 1


@needs_bwrap
@pytest.mark.parametrize("command", ["land", "scale 64", "stop"])
def test_one_that_is_confined_has_no_say_in_the_run(scene: Scene, command: str) -> None:
    root = scene.repository.path
    script = f"mkdir h; echo x > h/x; if cd {root} && {UET} {command} >&2; then echo obeyed >&2; exit 3; fi"
    home = ("agents.shell.env=[PATH, HOME]",)
    assert let_loose(scene, "required", script, sets=home) is WorkstreamState.MERGED, reason(scene)
    assert scene.events("operator_command") == []


@needs_bwrap
def test_one_that_is_confined_finds_no_inbox(scene: Scene) -> None:
    forged = '{"id": "1", "verb": "stop", "by": "ann", "source": "cli:1", "at": "2026-01-01T00:00:00Z"}'
    runs = scene.home.folder / "runs"
    put = f"for f in {runs} {runs}/*; do mkdir -p $f/inbox && echo '{forged}' > $f/inbox/1.json; done"
    let_loose(scene, "required", f"mkdir -p h; echo x > h/x; {put} || true")
    assert scene.events("operator_command") == []
    assert not list(runs.glob("**/1.json"))
