"""What an agent can leave among its files and in its history that must neither lead out, nor run, nor take memory."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import Repository
from tests.workspace.bench import Bench, files_of
from uet_tui.workspace.sandbox import Sandbox

ME = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")


@pytest.fixture
def sandbox(bench: Bench) -> Sandbox:
    """A sandbox at the operator's commit."""
    sandbox = bench.sandbox()
    sandbox.reset(bench.base)
    return sandbox


@pytest.fixture
def agent(sandbox: Sandbox) -> Repository:
    """The sandbox as an agent sees it."""
    return Repository(sandbox.folder)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the operator's, with a file that is nobody's business."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "app.py").write_text("the operator's\n")
    return folder


def untouched(outside: Path) -> bool:
    """Whether it holds what it held, and nothing else."""
    return {path.name: path.read_text() for path in outside.iterdir()} == {"app.py": "the operator's\n"}


def test_a_folder_that_became_a_link_brings_in_nothing_from_where_it_leads(
    bench: Bench, sandbox: Sandbox, outside: Path
) -> None:
    for path in (sandbox.folder / "src").iterdir():
        path.unlink()
    (sandbox.folder / "src").rmdir()
    (sandbox.folder / "src").symlink_to(outside)
    snapshot = sandbox.snapshot(bench.base, "x")
    assert any("src is a link out of the repository" in problem for problem in snapshot.problems)
    assert {(c.status, c.path) for c in snapshot.changes} >= {("D", "src/app.py")}
    assert snapshot.commit is not None
    assert bench.text(bench.control.tree_of(snapshot.commit), "src/app.py") is None
    sandbox.reset(bench.base)
    assert untouched(outside)
    assert (sandbox.folder / "src/app.py").read_text() != "the operator's\n"


def test_what_is_swapped_after_it_was_read_off_changes_nothing(bench: Bench, sandbox: Sandbox, outside: Path) -> None:
    (sandbox.folder / "src/app.py").write_text("the agent's\n")
    snapshot = sandbox.snapshot(bench.base, "x")
    (sandbox.folder / "src/app.py").unlink()
    (sandbox.folder / "src/app.py").symlink_to(outside / "app.py")
    assert snapshot.commit is not None and not snapshot.problems
    tree = bench.control.tree_of(snapshot.commit)
    entry = bench.control.entry(tree, "src/app.py")
    assert entry is not None and entry.mode == "100644"
    assert bench.text(tree, "src/app.py") == b"the agent's\n"
    again = sandbox.snapshot(bench.base, "x")
    assert any("src/app.py is a link out of the repository" in problem for problem in again.problems)
    sandbox.reset(bench.base)
    assert untouched(outside)


def test_a_hard_link_to_a_file_elsewhere_is_a_copy_and_never_written_through(
    bench: Bench, sandbox: Sandbox, outside: Path
) -> None:
    (outside / "app.py").chmod(0o640)
    (sandbox.folder / "src/app.py").unlink()
    for name in ("src/app.py", "new.py"):
        (sandbox.folder / name).hardlink_to(outside / "app.py")
    snapshot = sandbox.snapshot(bench.base, "x")
    assert sorted(c.path for c in snapshot.changes) == ["new.py", "src/app.py"]
    sandbox.reset(bench.base)
    (sandbox.folder / "src/app.py").write_text("the agent's\n")
    assert untouched(outside)
    facts = (outside / "app.py").stat()
    assert (facts.st_nlink, stat.S_IMODE(facts.st_mode)) == (1, 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK])
def test_a_device_is_a_problem_and_never_read(bench: Bench, sandbox: Sandbox, kind: int) -> None:
    for name in ("zero", "src/.gitignore", "README.md"):
        (sandbox.folder / name).unlink(missing_ok=True)
        try:
            os.mknod(sandbox.folder / name, kind | 0o666, os.makedev(1, 5))  # /dev/zero
        except PermissionError:
            pytest.skip("devices cannot be made here")
    snapshot = sandbox.snapshot(bench.base, "x")
    named = [problem.partition(" is a ")[0] for problem in snapshot.problems]
    assert named == ["README.md", "src/.gitignore", "zero"]
    assert all("device" in problem for problem in snapshot.problems)
    sandbox.reset(bench.base)
    assert not (sandbox.folder / "zero").exists()
    assert (sandbox.folder / "README.md").is_file()


def test_hooks_of_a_repository_inside_and_addresses_of_submodules_are_never_run(
    bench: Bench, sandbox: Sandbox, agent: Repository, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    agent.git("init", "-q", "inner")
    inner = Repository(sandbox.folder / "inner")
    inner.write("file.txt", "x\n")
    inner.git(*ME, "add", "-A")
    inner.git(*ME, "commit", "-qm", "Inner")
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit", "fsmonitor-watchman"):
        file = inner.write(f".git/hooks/{hook}", f"#!/bin/sh\ntouch {trace}\n")
        file.chmod(0o755)
    inner.git("config", "core.fsmonitor", str(sandbox.folder / "inner/.git/hooks/fsmonitor-watchman"))
    address = f"ext::sh -c 'touch {trace}'"
    agent.write(".gitmodules", f'[submodule "inner"]\n\tpath = inner\n\turl = {address}\n\tupdate = !touch {trace}\n')
    agent.git("config", "submodule.inner.url", address)
    agent.git("config", "submodule.inner.update", f"!touch {trace}")
    agent.git("config", "submodule.recurse", "true")
    agent.git("config", "protocol.ext.allow", "always")
    snapshot = sandbox.snapshot(bench.base, "x")
    assert any(problem.startswith("inner is a repository") for problem in snapshot.problems)
    assert "160000" not in {c.new.mode for c in snapshot.changes if c.new}
    sandbox.reset(bench.base, keep_git=tmp_path / "kept")
    assert not trace.exists()
    assert (tmp_path / "kept/inner/.git/hooks/pre-commit").exists(), "it is kept, and not run"
    assert not trace.exists()


def test_a_commit_of_the_agents_with_a_hundred_megabytes_to_say_is_moved_away_unread(
    bench: Bench, sandbox: Sandbox, agent: Repository, tmp_path: Path
) -> None:
    message = tmp_path / "message"
    with message.open("wb") as file:
        for _ in range(100):
            file.write(b"UET-Attempt: 1\n" * 70_000)
    assert message.stat().st_size > 100_000_000
    agent.write("new.txt", "new\n")
    agent.git("add", "-A")
    agent.git(*ME, "commit", "-q", "--cleanup=verbatim", "-F", str(message))
    message.unlink()
    snapshot = sandbox.snapshot(bench.base, "Mine")
    assert [c.path for c in snapshot.changes] == ["new.txt"]
    assert snapshot.commit is not None
    assert bench.control.git.run("log", "-1", "--format=%B", snapshot.commit).out == b"Mine\n\n"
    sandbox.reset(bench.base, keep_git=tmp_path / "kept")
    assert files_of(sandbox.folder).keys() == {
        path for path in files_of(bench.repository.path) if not path.startswith(".uet/")
    }


@pytest.mark.parametrize("name", [b"a\x1b]0;owned\x07b", b"two\nauthor evil <e@e> 1 +0000\n", b"\xff\xfe", b"<>"])
def test_no_name_of_an_author_is_in_what_is_merged(
    bench: Bench, sandbox: Sandbox, agent: Repository, name: bytes
) -> None:
    agent.write("new.txt", "new\n")
    agent.git("add", "-A")
    who = {"GIT_AUTHOR_NAME": name, "GIT_COMMITTER_NAME": name, "GIT_AUTHOR_EMAIL": name, "GIT_COMMITTER_EMAIL": b"a@b"}
    made = subprocess.run(
        ["git", "commit", "-qm", "x"], cwd=sandbox.folder, check=False, capture_output=True,
        env={**os.environ, **{key: os.fsdecode(value) for key, value in who.items()}},
    )  # fmt: skip
    tree, parent = agent.git("write-tree"), agent.git("rev-parse", f"{bench.base}")
    raw = b"tree %s\nparent %s\nauthor %s <a> 1 +0000\ncommitter x <a> 1 +0000\n\nx\n"
    forged = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"], cwd=sandbox.folder, check=True,
        capture_output=True, input=raw % (tree.encode(), parent.encode(), name),
    )  # fmt: skip
    agent.git("update-ref", "HEAD", forged.stdout.decode().strip())
    snapshot = sandbox.snapshot(bench.base, "Mine")
    assert made.returncode in (0, 128)
    assert snapshot.commit is not None
    assert bench.control.git.run("log", "-1", "--format=%an <%ae>, %cn <%ce>", snapshot.commit).out == (
        b"uet <uet@localhost>, uet <uet@localhost>\n"
    )
    assert bench.control.git.run("rev-list", "--count", f"{bench.base}..{snapshot.commit}").out == b"1\n"
    sandbox.reset(bench.base)
    assert agent.head == bench.base
