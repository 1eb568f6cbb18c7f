"""What git could be made to run is not run, and the operator's repository stays byte for byte what it was."""

import subprocess
from pathlib import Path

import pytest

from tests.support.repository import Repository
from tests.workspace.bench import Bench
from uet_tui import folders
from uet_tui.merge.merging import Conflicted, merge

HOOKS = (
    "applypatch-msg", "commit-msg", "fsmonitor-watchman", "post-applypatch", "post-checkout", "post-commit",
    "post-index-change", "post-merge", "post-rewrite", "post-update", "pre-auto-gc", "pre-commit", "pre-merge-commit",
    "prepare-commit-msg", "reference-transaction", "update",
)  # fmt: skip


def booby_trap(git_dir: Path, trace: Path) -> None:
    """Makes nearly everything that git does in a repository leave a trace."""
    program = git_dir / "trap"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{trace}"\ncat\n')
    program.chmod(0o755)
    (git_dir / "hooks").mkdir(exist_ok=True)
    for hook in HOOKS:
        (git_dir / "hooks" / hook).write_text(f'#!/bin/sh\necho {hook} >> "{trace}"\n')
        (git_dir / "hooks" / hook).chmod(0o755)
    with (git_dir / "config").open("a") as config:
        config.write(
            f"[core]\n\tfsmonitor = {program}\n\tpager = {program}\n\teditor = {program}\n\tsshCommand = {program}\n"
            f"\taskPass = {program}\n"
            f'[filter "trap"]\n\tclean = {program}\n\tsmudge = {program}\n\tprocess = {program}\n'
            f"[diff]\n\texternal = {program}\n"
            f'[diff "trap"]\n\ttextconv = {program}\n\tcommand = {program}\n'
            f'[merge "trap"]\n\tdriver = {program}\n'
            f"[gc]\n\tauto = 1\n[maintenance]\n\tauto = true\n"
        )
    (git_dir / "info").mkdir(exist_ok=True)
    with (git_dir / "info/attributes").open("a") as attributes:
        attributes.write("* filter=trap diff=trap merge=trap\n")


ADDED = (".git/objects/", ".git/refs/uet/", ".git/refs/heads/uet/")
"""Below these a run may add."""


def fingerprint(repository: Repository) -> dict[str, object]:
    """Everything of a repository that a run must leave alone, without running git in it."""
    git_dir = repository.path / ".git"
    found: dict[str, object] = {}
    for folder, inner, names in folders.walk(str(repository.path)):
        if Path(folder) == repository.path and ".uet" in inner:
            inner.remove(".uet")  # as deep as an agent made it
        for path in sorted(Path(folder, name) for name in names):
            name = path.relative_to(repository.path).as_posix()
            if name == ".git/info/exclude" or name.startswith(ADDED):
                continue
            status = path.lstat()
            content = path.readlink() if path.is_symlink() else path.read_bytes()
            found[name] = (content, status.st_mode, status.st_mtime_ns, status.st_ino)
    assert git_dir / "index" in {repository.path / name for name in found}
    return found


def nasty(repository: Repository, trace: Path) -> None:
    """A stash, staged and unstaged changes, untracked files, a detached HEAD, a second worktree, and traps."""
    repository.write("README.md", "stashed\n")
    repository.git("stash", "-q")
    repository.git("checkout", "-q", "--detach")
    repository.write("src/app.py", "staged\n")
    repository.git("add", "src/app.py")
    repository.write("src/app.py", "staged, then changed\n")
    repository.write("untracked.txt", "untracked\n")
    repository.git("worktree", "add", "-q", str(repository.path.parent / "other"), "main")
    booby_trap(repository.path / ".git", trace)


def work(bench: Bench) -> None:
    """All that a run does to two workstreams that conflict, and a look at the result."""
    control, operator = bench.control, bench.operator
    operator.exclude_uet()
    commits = []
    for number in (1, 2):
        sandbox = bench.sandbox(str(number))
        sandbox.reset(bench.base)
        booby_trap(sandbox.folder / ".git", bench.repository.path.parent / "trace")
        (sandbox.folder / ".gitattributes").write_text("* filter=trap diff=trap merge=trap\n")
        (sandbox.folder / "src/app.py").write_text(f"number {number}\n")
        snapshot = sandbox.snapshot(bench.base, f"work {number}")
        assert snapshot.commit and not snapshot.problems
        assert "number" in control.diff(bench.base, snapshot.commit)
        commits.append(snapshot.commit)
        sandbox.reset(snapshot.commit)
    control.update_refs([("refs/heads/uet/r1", commits[0], None)])
    assert isinstance(merge(control, *commits), Conflicted)
    control.publish({"refs/heads/uet/r1": commits[0], "refs/uet/r1/ws-b": commits[1]})
    operator.worktrees()
    operator.refs_checked_out()


def test_the_traps_do_spring_under_a_careless_git(repository: Repository, tmp_path: Path) -> None:
    booby_trap(repository.path / ".git", tmp_path / "trace")
    subprocess.run(["git", "add", "-A"], cwd=repository.path, check=False, capture_output=True)
    subprocess.run(["git", "update-ref", "refs/uet/x", "HEAD"], cwd=repository.path, check=False, capture_output=True)
    sprung = (tmp_path / "trace").read_text()
    assert "reference-transaction" in sprung
    assert "trap" in sprung


def test_nothing_an_agent_or_an_operator_configured_is_run_and_nothing_of_theirs_changes(
    repository: Repository, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    nasty(repository, trace)
    before = fingerprint(repository)
    other = fingerprint_of_folder(tmp_path / "other")
    bench = Bench.over(repository)
    with bench.control:
        work(bench)
    assert not trace.exists(), trace.read_text()
    assert fingerprint(repository) == before
    assert fingerprint_of_folder(tmp_path / "other") == other
    refs = (repository.path / ".git/refs").rglob("*")
    named = {path.relative_to(repository.path / ".git").as_posix() for path in refs if path.is_file()}
    assert named == {"refs/heads/main", "refs/stash", "refs/heads/uet/r1", "refs/uet/r1/ws-b"}


def fingerprint_of_folder(folder: Path) -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", ["config", "hooks/pre-commit", "info/attributes"])
def test_what_an_agent_put_into_its_own_git_is_gone_after_the_reset(bench: Bench, tmp_path: Path, name: str) -> None:
    sandbox = bench.sandbox()
    sandbox.reset(bench.base)
    booby_trap(sandbox.folder / ".git", tmp_path / "trace")
    sandbox.reset(bench.base)
    left = sandbox.folder / ".git" / name
    assert not left.exists() or "trap" not in left.read_text()
    Repository(sandbox.folder).git("status")
    assert not (tmp_path / "trace").exists()
