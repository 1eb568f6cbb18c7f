"""What a hostile agent does to git: its own repository, the operator's, and uet's."""

import subprocess
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.hostile.loose import LIMIT, ONCE, either_way, let_loose, needs_bwrap, reason
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState, WorkstreamState

ME = "-c user.name=a -c user.email=a@b"
OBEYED = """
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
INCLUDED = """
printf '[core]\\n\\tfsmonitor = touch %s; true\\n' "$TRACE" > .git/more
printf '[filter "f"]\\n\\tclean = touch %s; cat\\n' "$TRACE" >> .git/more
git config include.path more; git config includeIf.gitdir:/.path more; git config extensions.worktreeConfig true
cp .git/more .git/config.worktree; mkdir -p h; echo '* filter=f' > h/.gitattributes
"""
NESTED = """
mkdir h; git init -q h/inner; printf '#!/bin/sh\\ntouch %s\\n' "$TRACE" > h/inner/.git/hooks/post-checkout
cp h/inner/.git/hooks/post-checkout h/inner/.git/hooks/post-index-change; chmod +x h/inner/.git/hooks/*
git -C h/inner config core.fsmonitor "touch $TRACE; true"; touch h/inner/x
"""
EXT = '[submodule "s"]\\n\\tpath = h/s\\n\\turl = ext::sh -c touch%% $TRACE\\n\\tupdate = !touch $TRACE\\n'


@either_way
@pytest.mark.parametrize("planted", [OBEYED, INCLUDED])
def test_what_it_writes_into_its_git_is_never_executed(
    scene: Scene, tmp_path: Path, planted: str, confined: str
) -> None:
    trace = tmp_path / "trace"
    state = let_loose(scene, confined, planted.replace("$TRACE", str(trace)), "echo x > h/x.txt; rm -rf h/hooks")
    assert state is WorkstreamState.MERGED
    assert not trace.exists()
    assert scene.file("h/x.txt") == "x"


@either_way
@pytest.mark.parametrize(
    "script",
    [
        "git switch -qc x; git commit -q --allow-empty -m 'x\n\nUET-Workstream: ws-later\nUET-Attempt: 1'",
        "git update-ref -d HEAD; rm -rf .git/refs; git pack-refs --all || true",
        "git branch y; git pack-refs --all; git checkout -q --detach; git commit -q --allow-empty -m detached",
        "echo 'ref: refs/heads/none' > .git/HEAD; rm -f .git/index; mkfifo .git/index",
        "mkdir -p .git/rebase-merge; echo refs/heads/main > .git/rebase-merge/head-name; touch .git/index.lock",
        "rm -rf .git; git init -q . ; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x",
        "rm -rf .git; echo 'gitdir: /etc' > .git",
        "rm -rf .git; ln -s /etc .git",
        "git config core.worktree /; git config core.bare true; touch .git/shallow.lock .git/HEAD.lock",
        "echo /proc/self/root > .git/commondir; echo $PWD/h > .git/gitdir",
    ],
)
def test_what_it_does_to_its_own_repository_changes_nothing(scene: Scene, script: str, confined: str) -> None:
    state = let_loose(scene, confined, script, "mkdir -p h; echo x > h/x.txt")
    assert state is WorkstreamState.MERGED
    merged = scene.sql("SELECT id FROM workstreams WHERE state = 'MERGED' ORDER BY id")
    assert merged == [("ws-hostile",), ("ws-later",)]
    assert scene.file("b.txt") == "b", "a forged trailer stands for nobody's work"


@either_way
@pytest.mark.parametrize("way", ["rebase main", "merge main", "cherry-pick main", "revert HEAD~1"])
def test_a_merge_or_rebase_that_it_leaves_half_done_is_put_away_and_what_it_wrote_counts(
    scene: Scene, way: str, confined: str
) -> None:
    commit = f"git {ME} commit -qam"
    script = [
        "git switch -qc main; mkdir h; echo 0 > h/x.txt; git add h",
        f"{commit} base; git switch -qc side; echo side > h/x.txt; {commit} side; echo more > h/x.txt; {commit} more",
        f"git switch -q main; echo main > h/x.txt; {commit} main; git switch -q side",
        f"! git {ME} {way} >&2",
        "ls .git | grep -qE 'rebase-merge|MERGE_HEAD|CHERRY_PICK_HEAD|REVERT_HEAD' && git ls-files -u | grep -q x.txt",
        "echo decided > h/x.txt",
    ]
    assert let_loose(scene, confined, *script) is WorkstreamState.MERGED, reason(scene)
    assert scene.file("h/x.txt") == "decided"


@either_way
def test_a_repository_inside_with_hooks_is_told_and_nothing_of_it_runs(
    scene: Scene, tmp_path: Path, confined: str
) -> None:
    trace = tmp_path / "trace"
    assert let_loose(scene, confined, NESTED.replace("$TRACE", str(trace))) is WorkstreamState.FAILED
    assert "h/inner is a repository: its history is not part of the commit" in reason(scene)
    assert not trace.exists()


@either_way
def test_a_submodule_whose_address_is_a_command_is_a_file_like_any_other(
    scene: Scene, tmp_path: Path, confined: str
) -> None:
    trace = tmp_path / "trace"
    script = [
        f"printf '{EXT}' > .gitmodules".replace("$TRACE", str(trace)),
        f"mkdir h; echo x > h/x.txt; git {ME} commit -q --allow-empty -m x",
        "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),h/s; git config submodule.recurse true",
        f"git {ME} commit -qm gitlink",
    ]
    state = let_loose(scene, confined, *script, scope=["h/**", ".gitmodules"])
    assert state is WorkstreamState.MERGED, reason(scene)
    assert scene.repository.git("ls-tree", "-r", f"refs/heads/uet/{scene.run}", "h/s") == "", "no link to anything"
    landed = scene.ask_offline(Verb.LAND)
    assert landed.ok, landed
    assert not trace.exists()


MOVES = """
run=${PWD#*/.uet/runs/}; run=${run%%/*}; root=${PWD%%/.uet/*}; control=$root/.uet/control.git
forged=$(printf 'x\\n\\nUET-Run: %s\\nUET-Workstream: ws-later\\nUET-Attempt: 1\\n' $run | git --git-dir $control \
-c user.name=a -c user.email=a@b commit-tree uet/$run^{tree} -p uet/$run)
"""


@needs_bwrap
def test_refs_that_are_not_its_own_cannot_be_moved_by_one_that_is_confined(scene: Scene) -> None:
    root = scene.repository.path
    script = [
        f"( git -C {root} update-ref refs/heads/main HEAD~0 ) 2>/dev/null && echo broke out >&2",
        f"( git -C {root} tag evil ) 2>/dev/null && echo broke out >&2",
        f"( {MOVES} git --git-dir $control update-ref refs/heads/uet/$run $forged ) 2>/dev/null && echo broke out >&2",
        "mkdir h; echo x > h/x.txt",
    ]
    assert let_loose(scene, "required", *script) is WorkstreamState.MERGED, reason(scene)
    assert "broke out" not in (attempt_folder(scene, "ws-hostile") / "output.log").read_text()


def test_refs_of_the_operator_that_one_moves_are_told_and_the_run_goes_on(scene: Scene) -> None:
    root = scene.repository.path
    git = f"git -C {root} {ME}"
    scene.begin(
        workstream("ws-hostile", f"{git} commit -q --allow-empty -m evil; {git} tag evil; echo x > x.txt", **ONCE),
        workstream("ws-later", "echo b > b.txt", depends_on=["ws-hostile"]),
    )
    assert scene.finish(LIMIT).state is RunState.COMPLETED
    (told,) = scene.events("repository_changed")
    assert "refs/heads/main was at" in told
    assert "refs/tags/evil is new" in told


def test_an_integration_branch_that_one_moves_stops_the_merging_and_says_so_until_it_is_put_back(scene: Scene) -> None:
    """It forges the trailers of the other's merge: that one must not count as merged by it."""
    move = "git --git-dir $control update-ref refs/heads/uet/$run $forged; echo x > x.txt"
    scene.begin(
        workstream("ws-hostile", MOVES, move, scope=["x.txt"], **ONCE),
        workstream("ws-later", "echo b > b.txt", scope=["b.txt"], **ONCE),
        sets=["workers=1"],
    )
    assert scene.finish(LIMIT).state is RunState.FAILED
    for id in ("ws-hostile", "ws-later"):
        assert scene.state(id) is WorkstreamState.FAILED
        assert "is not a merge that this run made" in reason(scene, id)
    assert not scene.ask_offline(Verb.LAND).ok
    control = ["git", "--git-dir", str(scene.home.control)]
    back = [*control, "update-ref", f"refs/heads/uet/{scene.run}", scene.view().base_commit]
    subprocess.run(back, check=True)
    assert scene.ask_offline(Verb.RETRY, workstream="ws-later").ok
    scene.resume()
    scene.finish(LIMIT)
    assert scene.state("ws-later") is WorkstreamState.MERGED
    assert scene.file("b.txt") == "b"
