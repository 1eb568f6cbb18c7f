"""What is changed in the operator's repository while agents run: who is held for it, and what the operator is told."""

import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.killed import begin_until_killed
from tests.engine.scene import Scene, workstream
from tests.engine.test_resolving import KEEP_BOTH, agent, begin, conflict, reason
from tests.support.repository import Repository
from tests.support.wait import until
from uet_tui import failpoints
from uet_tui.core.commands import Side, Verb
from uet_tui.core.events import Event, Noted
from uet_tui.core.states import ConflictState, RunState, WorkstreamState
from uet_tui.engine import processes
from uet_tui.engine.guarding import Suspect, gates_watched, left_by_gates, look_after, look_before, tampered
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.tampering import compare, watched


def changed(repository: Repository, *commands: str) -> tuple[str, ...]:
    """What is seen of what somebody did."""
    operator = OperatorRepository.discover(repository.path)
    before = watched(operator)
    for command in commands:
        subprocess.run(["/bin/sh", "-ec", command], cwd=repository.path, check=True, capture_output=True)
    found = compare(before, watched(operator))
    files = (os.path.relpath(operator.common_dir / name, operator.common_dir) for name in found.files)
    return (*files, *(told.split()[0] for told in found.refs))


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("git config core.fsmonitor ./evil", "config"),
        ("git config core.hooksPath /tmp/evil", "config"),
        ("git config filter.any-name.clean evil", "config"),
        ("git config merge.mine.driver evil", "config"),
        ("git config include.path ../evil", "config"),
        ("git config alias.st '!evil'", "config"),
        ("git config branch.main.remote 'ext::sh -c evil'", "config"),
        ("printf '[color]\\n[core] bare = false\\nfsmonitor = evil\\n' >> .git/config", "config"),
        ("ln -sf /etc/passwd .git/config", "config"),
        ("echo evil > .git/hooks/pre-commit", "hooks/pre-commit"),
        ("rm -rf .git/hooks; ln -s /tmp .git/hooks", "hooks"),
        ("mkdir -p .git/info; echo '* filter=x' > .git/info/attributes", "info/attributes"),
        ("echo /tmp/objects > .git/objects/info/alternates", "objects/info/alternates"),
        ("git config extensions.worktreeConfig true; git config --worktree core.editor evil", "config.worktree"),
        ("git update-ref refs/heads/main $(git commit-tree -m x HEAD^{tree})", "refs/heads/main"),
        ("git branch other; git pack-refs --all", "refs/heads/other"),
        ("mkdir -p evil; cp -r .git/refs .git/objects .git/config evil; echo ../evil > .git/commondir", "commondir"),
        ("printf '#\\f[color]\\n\\tfsmonitor = evil\\n' >> .git/config", "config"),
        ("head -c 5000000 /dev/zero | tr '\\0' '#' >> .git/config; git config core.fsmonitor evil", "config"),
        ("cd .git/hooks; for n in $(seq 3000); do : > s$n.sample; done; echo evil > pre-commit", "hooks/pre-commit"),
        ("git init -q --bare .git/modules/s; rm .git/modules/s/hooks/*", "modules/s/config"),
        ("mkdir -p .git/modules/a/b/hooks; touch .git/modules/a/b/hooks/post-update", "modules/a/b/hooks/post-update"),
        ("mv .git ../moved; ln -s ../moved .git", "."),
    ],
)
def test_what_git_obeys_is_watched(repository: Repository, command: str, what: str) -> None:
    assert changed(repository, command) == (what,)


@pytest.mark.parametrize(
    "command",
    [
        "git config user.name Ann; git config user.email ann@example.org; git config color.ui auto",
        "git config branch.main.remote origin; git config branch.main.merge refs/heads/main",
        "git pack-refs --all; git gc -q",
        "git worktree add -q --detach ../beside; git status",
        "git update-ref refs/heads/uet/1234 HEAD; git update-ref refs/uet/1234/ws HEAD; git stash list",
        "echo x >> README.md; git stash -q; git stash pop -q",
    ],
)
def test_what_operators_do_all_day_is_no_attack(repository: Repository, command: str) -> None:
    assert changed(repository, command) == ()


def test_who_may_have_changed_it_is_quarantined_and_nothing_lands_until_it_is_put_back(
    scene: Scene,
) -> None:
    root = scene.repository.path
    hook = root / ".git/hooks/post-merge"
    evil = workstream("ws-evil", f"printf '#!/bin/sh\\n' > {hook}; chmod +x {hook}", "echo a > a.txt", scope=["a.txt"])
    scene.begin(workstream("ws-good", "echo b > b.txt", scope=["b.txt"]), evil, sets=["workers=1"])
    assert scene.finish().state is RunState.FAILED
    assert scene.state("ws-evil") is WorkstreamState.QUARANTINED
    assert scene.state("ws-good") is WorkstreamState.MERGED, "it had ended before, or began after"
    (told,) = scene.events("repository_changed")
    assert str(hook) in told
    assert "put it back" in told
    refused = scene.ask_offline(Verb.LAND)
    assert not refused.ok
    assert str(hook) in refused.message
    hook.unlink()
    assert scene.ask_offline(Verb.LAND).ok


@pytest.mark.parametrize("where", ["merged", "landing"])
def test_what_gates_change_outside_is_told_and_nothing_lands_until_it_is_put_back(
    scene: Scene, tmp_path: Path, where: str
) -> None:
    hook, ran = scene.repository.path / ".git/hooks/post-merge", tmp_path / "ran"
    plant = f'printf "#!/bin/sh\\ntouch {ran}\\n" > {hook}; chmod +x {hook}'
    at_landing = tmp_path / "at-landing"
    when = f"[ -e {at_landing} ]" if where == "landing" else "true"
    script = f'case "$PWD" in */sandboxes/1) ;; *) if {when}; then {plant}; fi;; esac'
    other = workstream("ws-b", "echo b > b.txt", scope=["b.txt"], depends_on=["ws-a"])
    scene.begin(
        workstream(
            "ws-a", f"cat > test.sh <<'END'\n{script}\nEND", scope=["test.sh"], test_gates=[{"type": "GATE_UNIT"}]
        ),
        other,
        sets=["workers=1", 'gates.GATE_UNIT.commands=["sh test.sh"]'],
    )
    assert scene.finish().state is RunState.COMPLETED
    if where == "landing":  # nor is what they said of this tree remembered any more
        at_landing.touch()
        shutil.rmtree(scene.home.folder / "gates")
    refused = scene.ask_offline(Verb.LAND)
    assert not refused.ok and str(hook) in refused.message
    assert any("gates ran" in told and str(hook) in told for told in scene.events("repository_changed"))
    hook.unlink()
    at_landing.unlink(missing_ok=True)
    assert scene.ask_offline(Verb.LAND).ok
    assert not ran.exists()


@pytest.mark.parametrize("resumed", [True, False], ids=["resumed", "landed offline"])
def test_what_gates_change_outside_is_told_though_they_kill_the_orchestrator_that_would_tell(
    scene: Scene, tmp_path: Path, resumed: bool
) -> None:
    hook, ran, once = scene.repository.path / ".git/hooks/post-merge", tmp_path / "ran", tmp_path / "once"
    plant = f'printf "#!/bin/sh\\ntouch {ran}\\n" > {hook}; chmod +x {hook}; touch {once}'
    kill = "p=$PPID; until grep -q python /proc/$p/comm; do p=$(awk '/^PPid/ { print $2 }' /proc/$p/status); done"
    script = f'case "$PWD" in */sandboxes/1) ;; *) [ -e {once} ] || {{ {plant}; {kill}; kill -9 $p; }};; esac'
    begin_until_killed(
        scene,
        workstream(
            "ws-a", f"cat > test.sh <<'END'\n{script}\nEND", scope=["test.sh"], test_gates=[{"type": "GATE_UNIT"}]
        ),
        workstream("ws-b", "echo b > b.txt", scope=["b.txt"], depends_on=["ws-a"]),
        sets=("workers=1", 'gates.GATE_UNIT.commands=["sh test.sh"]'),
    )
    assert once.exists()
    if resumed:
        scene.resume()
        assert scene.finish().state is RunState.COMPLETED
    else:
        assert not scene.ask_offline(Verb.LAND).ok
    assert any("gates ran" in told and str(hook) in told for told in scene.events("repository_changed"))
    refused = scene.ask_offline(Verb.LAND)
    assert not refused.ok and str(hook) in refused.message
    hook.unlink()
    assert scene.ask_offline(Verb.LAND).ok
    assert not ran.exists()


@pytest.mark.parametrize("trap", ["rm -f {0}; mkdir -p {0}/in", "rm -rf {1}; touch {1}"])
def test_what_gates_put_in_the_way_of_a_look_changes_nothing(scene: Scene, trap: str) -> None:
    place = scene.begin(workstream("ws-a", "echo a > a.txt")).place
    scene.finish()
    hook = scene.repository.path / ".git/hooks/post-merge"
    told: list[Event] = []
    with gates_watched(place, "here", told.append):
        script = trap.format(place.paths.guard / "gates.json", place.paths.guard)
        subprocess.run(["/bin/sh", "-ec", script], check=True)
        hook.touch()
    (note,) = told
    assert isinstance(note, Noted) and f"{hook} changed while gates ran here" in note.text
    assert [*left_by_gates(replace(place))] == []


def test_what_could_not_be_told_of_gates_is_told_the_next_time(scene: Scene) -> None:
    place = scene.begin(workstream("ws-a", "echo a > a.txt")).place
    scene.finish()
    hook = scene.repository.path / ".git/hooks/post-merge"
    told: list[Event] = []
    place.paths.tampered.mkdir()  # so that it cannot be written, as on a full disk
    with pytest.raises(OSError, match="directory"), gates_watched(place, "here", told.append):
        hook.touch()
    place.paths.tampered.rmdir()
    with gates_watched(place, "again", told.append):
        pass
    (note,) = told
    assert isinstance(note, Noted) and f"{hook} changed while gates ran again" in note.text
    assert str(hook) in tampered(place)


def test_gates_that_outlive_their_orchestrator_are_ended_before_it_is_looked_what_they_changed(scene: Scene) -> None:
    place = scene.begin(workstream("ws-a", "echo a > a.txt")).place
    scene.finish()
    with gates_watched(place, "here", lambda _: None):
        kept = place.paths.guard / "gates.json"
        shutil.copy(kept, look := kept.with_name("look"))
    look.rename(kept)  # as one leaves it that is killed
    environ = {**os.environ, processes.COOKIE: place.cookie_of_gates("queue")}
    with subprocess.Popen(["sleep", "60"], env=environ) as gate:
        until(lambda: gate.pid in processes.carrying(environ[processes.COOKIE]), 60, "the gate to run")
        assert [*left_by_gates(replace(place))] == []
        assert gate.wait(60) == -signal.SIGKILL
    assert not kept.exists()


@pytest.mark.parametrize("change", ["echo evil >> {git}/config", "touch {git}/hooks/h2001"])
def test_what_is_too_much_to_look_at_counts_as_changed_once_it_is(repository: Repository, change: str) -> None:
    git = repository.path / ".git"
    if "hooks" in change:
        for number in range(2001):
            (git / f"hooks/h{number}").touch()
    else:
        with (git / "config").open("a") as config:
            config.write("#" * 5_000_000 + "\n[core]\n\teditor = mine\n")
        assert changed(repository) == ()
    what = "hooks" if "hooks" in change else "config"
    assert what in changed(repository, change.format(git=git))


COVERS = ["find {guard} -name '*.json' -delete", "for f in {guard}/*.json; do echo '{{}}' > $f; done"]


@pytest.mark.parametrize("cover", COVERS)
def test_a_change_is_told_though_what_was_there_before_is_covered_up(scene: Scene, cover: str) -> None:
    hook = scene.repository.path / ".git/hooks/post-merge"
    guard = '$(dirname "$0" | sed "s|/attempts/.*||")/guard'
    scene.begin(workstream("ws-a", f"echo > {hook}", cover.format(guard=guard), "echo a > a.txt"), sets=["workers=1"])
    scene.finish()
    assert str(hook) in scene.events("repository_changed")[0]
    assert scene.state("ws-a") is WorkstreamState.QUARANTINED


def test_a_look_that_is_gone_once_a_run_is_resumed_is_told_and_counts(scene: Scene) -> None:
    opened = scene.begin(workstream("ws-a", "echo a > a.txt"))
    suspect = Suspect("ws-a", 7)
    look_before(opened.place, suspect)
    resumed = replace(opened.place)
    assert look_after(resumed, suspect, set(), confined=False) == ("", [])
    (opened.place.paths.guard / "ws-a.7.json").write_text("{}")
    assert look_after(replace(opened.place), suspect, set(), confined=False) == ("", []), "no agent began"
    folder = opened.place.paths.attempt("ws-a", 7)
    folder.mkdir(parents=True)
    (folder / "start.json").touch()
    resumed = replace(opened.place)
    suspicion, (note,) = look_after(resumed, suspect, set(), confined=False)
    assert "is gone or spoiled, and it may have done that" in suspicion
    assert note.severity == "error"
    suspicion, (note,) = look_after(resumed, suspect, set(), confined=True)
    assert (suspicion, note.severity) == ("", "warning")


def test_one_that_also_deletes_its_sandbox_is_quarantined_all_the_same(scene: Scene) -> None:
    config = scene.repository.path / ".git/config"
    scene.begin(workstream("ws-a", f"git config -f {config} core.pager evil", 'rm -rf "$PWD"'))
    scene.finish()
    assert scene.state("ws-a") is WorkstreamState.QUARANTINED
    assert str(config) in scene.events("repository_changed")[0]


def test_an_operator_who_commits_meanwhile_is_not_in_the_way(scene: Scene) -> None:
    root = scene.repository.path
    commit = f"git -C {root} -c user.name=a -c user.email=a@b commit -q --allow-empty -m mine"
    scene.begin(workstream("ws-a", commit, "echo a > a.txt"))
    assert scene.finish().state is RunState.COMPLETED
    (told,) = scene.events("repository_changed")
    assert "refs/heads/main was at" in told


@pytest.mark.parametrize("policy", ["ask", "auto"])
def test_an_agent_that_is_asked_about_a_conflict_is_held_for_what_it_changes(
    scene: Scene, tmp_path: Path, policy: str
) -> None:
    hook = scene.repository.path / ".git/hooks/post-merge"
    planting = f"{KEEP_BOTH}\n    open({str(hook)!r}, 'w').write('#!/bin/sh\\n')\n    os.chmod({str(hook)!r}, 0o755)"
    begin(scene, *agent(tmp_path, planting), f"resolve={policy}")
    assert scene.finish().state is RunState.PAUSED
    told = [text for text in scene.events("repository_changed") if str(hook) in text]
    assert len(told) == 1, told
    assert "while agent scripted was at conflict c1" in told[0]
    assert "put it back" in told[0]
    found = conflict(scene)
    assert (found.state, found.proposal) == (ConflictState.PENDING, None)
    assert found.tried[-1].verdict == "refused"
    assert str(hook) in reason(scene)
    assert scene.view().costs.spent_usd == 0.125, "its money counts all the same"
    answer = scene.ask_offline(Verb.TAKE, conflict="c1", side=Side.OURS, settle=True)
    assert answer.ok, answer
    refused = scene.ask_offline(Verb.LAND)
    assert not refused.ok
    assert str(hook) in refused.message
    hook.unlink()
    assert scene.ask_offline(Verb.LAND).ok


def test_what_an_agent_changed_that_could_not_be_heard_out_is_told_all_the_same(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = scene.repository.path / ".git/hooks/post-merge"
    monkeypatch.setattr(failpoints, "_reached", {})
    monkeypatch.setenv(failpoints.VARIABLE, "ask.ended:1:raise")
    begin(scene, *agent(tmp_path, f"{KEEP_BOTH}\n    open({str(hook)!r}, 'w').write('#!/bin/sh\\n')"), "resolve=auto")
    scene.finish()
    (told,) = (text for text in scene.events("repository_changed") if str(hook) in text)
    assert "while agent scripted was at conflict c1" in told


def test_one_that_is_asked_and_changes_nothing_there_is_not_held_for_anything(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, KEEP_BOTH), "resolve=auto")
    assert scene.finish().state is RunState.COMPLETED
    assert scene.events("repository_changed") == []
