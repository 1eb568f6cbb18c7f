"""A run leaves the operator's repository as it is, byte for byte, whatever state it is in."""

from pathlib import Path

from tests.engine.scene import Scene, workstream
from tests.support.repository import Repository
from tests.workspace.test_untouched import fingerprint, nasty
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState, WorkstreamState


def as_git_tells(repository: Repository) -> dict[str, str]:
    """What an operator would ask git to see whether anything happened."""
    commands = {
        "HEAD": "rev-parse HEAD",
        "symbolic": "symbolic-ref -q HEAD",
        "status": "--no-optional-locks status --porcelain=v2 --branch --untracked-files=all",
        "staged": "diff --cached",
        "stash": "stash list --format=%H",
        "config": "config --list --local",
        "reflog": "reflog show --all --format=%H%gd",
    }
    told = {name: repository.git(*command.split(), check=False) for name, command in commands.items()}
    refs = repository.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    told["refs"] = "\n".join(r for r in refs if not r.startswith(("refs/heads/uet/", "refs/uet/")))
    return told


def test_twelve_workstreams_and_nothing_of_the_operators_is_touched(scene: Scene, tmp_path: Path) -> None:
    repository, trace = scene.repository, tmp_path / "trace"
    nasty(repository, trace)
    scene = Scene(repository)
    told = as_git_tells(repository)
    assert told["status"].count("\n") >= 3
    assert told["stash"]
    assert not told["symbolic"], "HEAD is detached"
    exclude = repository.path / ".git/info/exclude"
    known = exclude.read_bytes() if exclude.exists() else b""
    trace.unlink(missing_ok=True)
    before = fingerprint(repository)
    scene.begin(
        *(
            workstream(
                f"ws-{n:02}",
                f"mkdir -p work && echo {n} > work/{n}.txt && sed -i 1s/^/{n}:/ src/numbers.py",
                "git status >/dev/null && git add -A && git commit -qm mine && git stash list",
                scope=[f"work/{n}.txt", "src/numbers.py"],
            )
            for n in range(12)
        )
    )
    view = scene.finish()
    after = fingerprint(repository)
    assert not trace.exists(), trace.read_text()
    assert view.state is RunState.COMPLETED
    assert {ws.state for ws in view.workstreams} == {WorkstreamState.MERGED}
    assert {name: after[name] for name in before if after.get(name) != before[name]} == {}
    assert after.keys() == before.keys()
    gained = exclude.read_bytes().removeprefix(known)
    assert gained.strip() == b"/.uet/"
    assert as_git_tells(repository) == told
    assert scene.file("src/numbers.py").count(":") == 13
    assert len(scene.file("work/").splitlines()) == 14


def test_a_run_that_fails_and_is_stopped_touches_nothing_either(scene: Scene) -> None:
    before = fingerprint(scene.repository)
    scene.begin(
        workstream("ws-bad", "echo x > x.txt", "exit 1", circuit_breaker={"max_attempts": 1}),
        workstream("ws-long", "sleep 60", scope=["long.txt"]),
    )
    scene.until_state("ws-bad", WorkstreamState.FAILED)
    assert scene.ask(Verb.STOP).ok
    scene.finish()
    assert fingerprint(scene.repository) == before


def test_an_integration_branch_that_the_operator_checked_out_is_not_moved_under_them(scene: Scene) -> None:
    hold = scene.repository.path.parent / "go"
    scene.begin(
        workstream("ws-a", "echo a > a.txt"),
        workstream("ws-b", f"while [ ! -e {hold} ]; do sleep 0.02; done", "echo b > b.txt", depends_on=["ws-a"]),
    )
    scene.until_state("ws-b", WorkstreamState.RUNNING)
    branch = f"uet/{scene.run}"
    scene.until_published(branch)
    scene.repository.git("checkout", "-q", branch)
    before = fingerprint(scene.repository)
    head = scene.repository.head
    hold.touch()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert fingerprint(scene.repository) == before
    assert scene.repository.head == head != view.tip
    assert scene.repository.git("status", "--porcelain") == ""
    assert scene.repository.git("show", f"refs/uet/{scene.run}/ws-b:b.txt") == "b"
