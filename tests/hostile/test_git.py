"""An agent that does all it can against the run and the operator: nothing of it succeeds, and the run goes on.

Each is tried as an agent that nothing confines, and, where bubblewrap can be used, as one that is confined.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.workspace.test_untouched import fingerprint
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.engine.confinement import probe
from uet_tui.engine.start import repository_at

bwrap = pytest.mark.skipif(not probe().path, reason=f"no sandbox here: {probe().told}")
ONCE = {"circuit_breaker": {"max_attempts": 1}}

pytestmark = pytest.mark.parametrize("confined", ["off", pytest.param("required", marks=bwrap)])


def let_loose(scene: Scene, confined: str, *script: str, sets: Sequence[str] = ()) -> WorkstreamState:
    """Runs a hostile agent before an honest one; the honest one's work must be merged, and nothing else touched."""
    before = fingerprint(scene.repository)
    scene.begin(
        workstream("ws-hostile", *script, scope=["h/**"], **ONCE),
        workstream("ws-honest", "echo b > b.txt", scope=["b.txt"], depends_on=[]),
        sets=(f"agents.shell.sandbox={confined}", "workers=1", *sets),
    )
    view = scene.finish(60)
    assert view.state in (RunState.COMPLETED, RunState.FAILED)
    assert scene.state("ws-honest") is WorkstreamState.MERGED
    assert fingerprint(scene.repository) == before
    return scene.state("ws-hostile")


GIT = """
git config extensions.worktreeConfig true
git config --file .git/config.worktree core.fsmonitor "touch $TRACE; true"
git config --file .git/config.worktree filter.f.clean "touch $TRACE; cat"
git config core.fsmonitor "touch $TRACE; true"; git config core.hooksPath "$PWD/h/hooks"
git config filter.f.clean "touch $TRACE; cat"; git config filter.f.smudge "touch $TRACE; cat"
git config merge.default evil; git config merge.evil.driver "touch $TRACE; false";
git config diff.external "touch $TRACE"; git config filter.f.required true
git config core.sshCommand "touch $TRACE"; git config core.pager "touch $TRACE"; git config include.path /dev/zero
mkdir -p h/hooks; printf '#!/bin/sh\\ntouch %s\\n' "$TRACE" | tee h/hooks/post-checkout > h/hooks/reference-transaction
chmod +x h/hooks/*; mkdir -p .git/hooks; cp h/hooks/* .git/hooks
echo '* filter=f merge=evil diff=evil' > .git/info/attributes; echo '* filter=f' > h/.gitattributes
echo /nowhere >> .git/objects/info/alternates
"""


def test_what_it_writes_into_its_git_is_never_executed(scene: Scene, tmp_path: Path, confined: str) -> None:
    trace = tmp_path / "trace"
    state = let_loose(scene, confined, GIT.replace("$TRACE", str(trace)), "echo x > h/x.txt; rm -rf h/hooks")
    assert state is WorkstreamState.MERGED
    assert not trace.exists()
    assert scene.file("h/x.txt") == "x"


@pytest.mark.parametrize(
    "script",
    [
        "git switch -qc x; git commit -q --allow-empty -m 'x\n\nUET-Workstream: ws-honest\nUET-Attempt: 1'",
        "git update-ref -d HEAD; rm -rf .git/refs; git pack-refs --all || true",
        "echo 'ref: refs/heads/none' > .git/HEAD; rm -f .git/index; mkfifo .git/index",
        "mkdir -p .git/rebase-merge; echo refs/heads/main > .git/rebase-merge/head-name; touch .git/index.lock",
        "rm -rf .git; git init -q . ; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x",
        "rm -rf .git; echo 'gitdir: /etc' > .git",
    ],
)
def test_what_it_does_to_its_own_repository_changes_nothing(scene: Scene, script: str, confined: str) -> None:
    state = let_loose(scene, confined, script, "mkdir -p h; echo x > h/x.txt")
    assert state is WorkstreamState.MERGED
    merged = scene.sql("SELECT id FROM workstreams WHERE state = 'MERGED' ORDER BY id")
    assert merged == [("ws-honest",), ("ws-hostile",)]
    assert scene.file("b.txt") == "b", "a forged trailer stands for nobody's work"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('rm -rf "$PWD"', ""),  # a sandbox does not let it
        ("mkdir h; ln -s /etc/passwd h/link", "link out of the repository"),
        ("mkdir h; git init -q h/inner; touch h/inner/x", "repository"),
        ("echo x > outside.txt", "outside its scope"),
        ("mkdir h; mkfifo h/.gitattributes", "FIFO"),
    ],
)
def test_what_must_not_be_merged_is_not_and_says_why(scene: Scene, script: str, why: str, confined: str) -> None:
    assert let_loose(scene, confined, script) is WorkstreamState.FAILED
    found = scene.view().workstream("ws-hostile")
    assert found is not None
    assert why in (found.reason or "")


def test_what_it_writes_through_a_link_of_the_repository_is_not_taken_and_a_sandbox_does_not_let_it(
    scene: Scene, tmp_path: Path, confined: str
) -> None:
    """A folder that is a link leads a scope out; nobody can keep an agent from following it but a sandbox."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "s").write_text("the operator's\n")
    (scene.repository.path / "h").symlink_to(outside)
    scene.repository.commit("A link to a folder elsewhere")
    scene.operator = repository_at(scene.repository.path)
    assert let_loose(scene, confined, "echo the agent > h/s") is WorkstreamState.FAILED
    found = scene.view().workstream("ws-hostile")
    assert found is not None
    assert found.reason
    assert (outside / "s").read_text() == ("the agent\n" if confined == "off" else "the operator's\n")


def test_daemons_without_a_name_are_ended_with_it(scene: Scene, confined: str) -> None:
    daemon = "trap '' TERM INT HUP; while :; do touch alive; sleep 0.05; done"
    script = f'mkdir h; (env -i PATH=$PATH setsid setsid sh -c "{daemon}" >/dev/null 2>&1 </dev/null &) ; exec >&- 2>&-'
    let_loose(scene, confined, script)  # what is left fails every test here


FORGED = '{"code": 0, "why": "exit", "seconds": 1, "ended_at": 1}'


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


def test_names_that_no_terminal_should_see_are_told_harmlessly(scene: Scene, confined: str) -> None:
    script = (
        "mkdir h; printf x > \"h/$(printf 'a\\nb\\033]52;c;eA==\\007\\377')\"; printf '\\033]0;owned\\007\\n[/red]'"
    )
    assert let_loose(scene, confined, script) is WorkstreamState.MERGED
    assert not any("\x1b" in text or "\x07" in text for text in scene.events())


def test_what_fills_the_disk_or_the_memory_is_ended(scene: Scene, confined: str) -> None:
    script = "mkdir h; head -c 30000000 /dev/zero > h/big; sleep 60"
    assert let_loose(scene, confined, script, sets=["disk_mb=10"]) is WorkstreamState.FAILED
    assert any("more than disk_mb allows" in text for text in scene.events("attempt_ended"))
    assert attempt_folder(scene, "ws-hostile").exists()


def test_twenty_thousand_files_are_only_slow(scene: Scene, confined: str) -> None:
    script = "mkdir h; python3 -c \"for n in range(20000): open(f'h/{n}', 'w').close()\""
    assert let_loose(scene, confined, script) is WorkstreamState.MERGED
