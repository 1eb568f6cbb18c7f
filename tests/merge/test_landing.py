"""Landing: the target branch moves forwards, or the operator is told what to do."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import Repository
from tests.workspace.bench import Bench
from uet_tui.merge.landing import Way, land, plan_landing
from uet_tui.workspace.git import GitError
from uet_tui.workspace.operator import OperatorRepository


@pytest.fixture
def tip(bench: Bench) -> str:
    """A result that is ahead of `main`."""
    return bench.commit(bench.base, {"README.md": b"# Landed\n", "new.txt": b"new\n"})


def landed(bench: Bench, target: str | None, tip: str) -> tuple[Way, str]:
    """The way and the reason of a landing, which is checked to be what was planned."""
    planned = plan_landing(bench.operator, bench.control, target, tip)
    done = land(bench.operator, bench.control, target, tip, "r1")
    assert done == planned
    return done.way, done.reason


def test_a_clean_checkout_is_fast_forwarded_with_its_files(bench: Bench, tip: str) -> None:
    bench.repository.write("untracked.txt", "mine\n")
    assert landed(bench, "main", tip)[0] is Way.FAST_FORWARD
    assert bench.repository.head == tip
    assert (bench.repository.path / "new.txt").read_text() == "new\n"
    assert bench.repository.git("status", "--porcelain", "--branch") == "## main\n?? untracked.txt"


def test_a_fast_forward_runs_the_operators_hook_as_their_own_merge_would(bench: Bench, tip: str) -> None:
    hook = bench.repository.path / ".git/hooks/post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hook-ran\n")
    hook.chmod(0o755)
    landed(bench, "main", tip)
    assert (bench.repository.path / "hook-ran").exists()


def test_a_branch_that_nobody_has_checked_out_is_swapped_and_says_so_in_its_reflog(bench: Bench, tip: str) -> None:
    bench.repository.git("checkout", "-q", "--detach")
    before = bench.repository.git("status", "--porcelain", "--branch")
    assert landed(bench, "main", tip)[0] is Way.COMPARE_AND_SWAP
    assert bench.repository.git("rev-parse", "main") == tip
    assert bench.repository.git("status", "--porcelain", "--branch") == before
    assert "uet: land r1" in bench.repository.git("reflog", "main")
    bench.repository.git("fsck", "--strict")


def test_landing_again_has_nothing_to_do(bench: Bench, tip: str) -> None:
    landed(bench, "main", tip)
    bench.repository.write("more.txt", "more\n")
    later = bench.repository.commit("More")
    assert landed(bench, "main", tip)[0] is Way.NOTHING
    assert bench.repository.head == later


@pytest.mark.parametrize("staged", [True, False])
def test_a_dirty_checkout_is_refused_and_the_dirt_named(bench: Bench, tip: str, staged: bool) -> None:
    bench.repository.write("src/app.py", "mine\n")
    if staged:
        bench.repository.git("add", "src/app.py")
    way, reason = landed(bench, "main", tip)
    assert way is Way.REFUSED
    assert "src/app.py" in reason and "commit or stash" in reason
    assert bench.repository.head == bench.base


def test_an_untracked_file_in_the_way_is_refused_by_git_and_kept(bench: Bench, tip: str) -> None:
    bench.repository.write("new.txt", "mine\n")
    done = land(bench.operator, bench.control, "main", tip, "r1")
    assert done.refused and "new.txt" in done.reason and "nothing was changed" in done.reason
    assert (bench.repository.path / "new.txt").read_text() == "mine\n"
    assert bench.repository.head == bench.base


def test_a_target_that_moved_is_refused_with_both_commits_and_the_command(bench: Bench, tip: str) -> None:
    bench.repository.write("mine.txt", "mine\n")
    moved = bench.repository.commit("Mine")
    bench.control.publish({"refs/heads/uet/r1": tip})
    way, reason = landed(bench, "main", tip)
    assert way is Way.REFUSED
    assert moved[:10] in reason and tip[:10] in reason
    command = re.search(r"`git switch main && (git merge \w+)`", reason)
    assert command
    bench.repository.git(*command[1].split()[1:])
    assert landed(bench, "main", tip)[0] is Way.NOTHING


def test_a_branch_in_another_checkout_is_refused_with_the_place(bench: Bench, tip: str, tmp_path: Path) -> None:
    bench.repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    way, reason = landed(bench, "side", tip)
    assert way is Way.REFUSED
    assert str(tmp_path / "linked") in reason and "git merge --ff-only" in reason
    assert bench.repository.git("rev-parse", "side") == bench.base


def test_from_a_linked_worktree_its_own_branch_is_fast_forwarded(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    bench = Bench.over(Repository(tmp_path / "linked"))
    with bench.control:
        tip = bench.commit(bench.base, {"new.txt": b"new\n"})
        assert landed(bench, "main", tip)[0] is Way.REFUSED
        assert landed(bench, "side", tip)[0] is Way.FAST_FORWARD
    assert (tmp_path / "linked/new.txt").exists()


def test_a_branch_in_the_middle_of_a_rebase_is_refused(bench: Bench, tmp_path: Path) -> None:
    repository = bench.repository
    repository.git("branch", "onto")
    repository.write("README.md", "mine\n")
    mine = repository.commit("Mine")
    repository.git("checkout", "-q", "onto")
    repository.write("README.md", "other\n")
    repository.commit("Other")
    repository.git("checkout", "-q", "main")
    repository.git("rebase", "-q", "onto", check=False)
    tip = bench.commit(mine, {"new.txt": b"new\n"})
    way, reason = landed(bench, "main", tip)
    assert way is Way.REFUSED and "being rebased" in reason
    assert repository.git("rev-parse", "main") == mine


@pytest.mark.parametrize(
    ("target", "words"),
    [(None, "--target BRANCH"), ("nosuch", "there is no branch nosuch"), ("no\x1b[1m", "there is no branch no")],
)
def test_without_a_target_branch_one_is_asked_for(bench: Bench, tip: str, target: str | None, words: str) -> None:
    way, reason = landed(bench, target, tip)
    assert way is Way.REFUSED and words in reason and "\x1b" not in reason


def test_a_target_that_moves_in_between_is_not_overwritten(
    bench: Bench, tip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.repository.git("checkout", "-q", "--detach")
    real = OperatorRepository.move_branch

    def move(self: OperatorRepository, branch: str, new: str, old: str, reason: str) -> None:
        bench.repository.git("update-ref", "refs/heads/main", other)
        real(self, branch, new, old, reason)

    other = bench.repository.git("commit-tree", "-m", "other", "HEAD^{tree}")
    monkeypatch.setattr(OperatorRepository, "move_branch", move)
    done = land(bench.operator, bench.control, "main", tip, "r1")
    assert done.refused and "nothing was changed" in done.reason
    assert bench.repository.git("rev-parse", "main") == other


def test_a_checkout_that_is_switched_while_it_is_looked_at_is_left_alone(
    bench: Bench, tip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = OperatorRepository.dirty

    def dirty(self: OperatorRepository) -> tuple[str, ...]:
        found = real(self)
        bench.repository.git("switch", "-q", "-c", "feature")
        return found

    monkeypatch.setattr(OperatorRepository, "dirty", dirty)
    done = land(bench.operator, bench.control, "main", tip, "r1")
    assert done.refused and "feature" in done.reason and "nothing was changed" in done.reason
    assert [bench.repository.git("rev-parse", ref) for ref in ("main", "feature")] == [bench.base, bench.base]


@pytest.mark.parametrize(("switch", "moved"), [("-c feature", "feature"), ("--detach", "a detached HEAD")])
def test_a_checkout_that_is_switched_in_the_last_instant_is_named_with_the_way_back(
    bench: Bench, tip: str, switch: str, moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = OperatorRepository.fast_forward

    def fast_forward(self: OperatorRepository, commit: str) -> None:
        bench.repository.git("switch", "-q", *switch.split())
        real(self, commit)

    monkeypatch.setattr(OperatorRepository, "fast_forward", fast_forward)
    done = land(bench.operator, bench.control, "main", tip, "r1")
    assert done.refused and f"from main to {moved}" in done.reason
    assert bench.repository.git("rev-parse", "main") == bench.base and bench.repository.head == tip
    bench.repository.git(*re.findall("`git (reset [^`]*)`", done.reason)[0].split())
    assert bench.repository.head == bench.base


def test_a_hook_that_commits_on_top_of_what_landed_is_no_trouble(bench: Bench, tip: str) -> None:
    hook = bench.repository.path / ".git/hooks/post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngit commit -q --allow-empty -m stamp\n")
    hook.chmod(0o755)
    assert landed(bench, "main", tip)[0] is Way.FAST_FORWARD
    assert bench.repository.git("rev-parse", "main~1") == tip


def test_what_a_filter_of_the_operator_left_half_done_is_named_with_the_way_back(bench: Bench) -> None:
    git, folder = bench.repository.git, bench.repository.path
    changed = {"README.md": b"# Landed\n", "new.txt": b"new\n", "deep/also.txt": b"new\n", "z.bin": b"big\n"}
    tip = bench.commit(bench.base, changed)
    git("config", "filter.far.smudge", "false")  # as a large file whose server is away
    git("config", "filter.far.required", "true")
    (folder / ".git/info/attributes").write_text("*.bin filter=far\n")
    bench.repository.write("mine.txt", "mine\n")
    done = land(bench.operator, bench.control, "main", tip, "r1")
    assert done.refused and "nothing was changed" not in done.reason
    assert "README.md" in done.reason and "new.txt" in done.reason and "mine.txt" not in done.reason
    assert bench.repository.head == bench.base
    for command in re.findall("`(git (?:restore|diff) [^`]*)`", done.reason):
        subprocess.run(command, shell=True, cwd=folder, check=True)
    assert git("status", "--porcelain") == "?? mine.txt"
    git("config", "filter.far.smudge", "cat")
    assert land(bench.operator, bench.control, "main", tip, "r1").way is Way.FAST_FORWARD


def test_what_moved_before_git_failed_has_landed(bench: Bench, tip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = OperatorRepository.fast_forward

    def fast_forward(self: OperatorRepository, commit: str) -> None:
        real(self, commit)
        raise GitError(("merge",), -1, "its hook did not end")

    monkeypatch.setattr(OperatorRepository, "fast_forward", fast_forward)
    assert land(bench.operator, bench.control, "main", tip, "r1").way is Way.FAST_FORWARD
    assert bench.repository.head == tip and bench.repository.git("status", "--porcelain") == ""
