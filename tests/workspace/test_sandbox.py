"""Sandboxes: reset to a commit, read off as a commit, and nothing of an agent's lost on the way."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.deep import deep
from tests.support.repository import Repository
from tests.support.wait import until
from tests.workspace.bench import Bench, files_of
from uet_tui.core.conflicts import Entry
from uet_tui.errors import UetError
from uet_tui.workspace import git
from uet_tui.workspace.git import GitError
from uet_tui.workspace.sandbox import Sandbox


@pytest.fixture
def sandbox(bench: Bench) -> Sandbox:
    """A sandbox at the operator's commit."""
    sandbox = bench.sandbox(keep=(".venv/", "*.cache"))
    sandbox.reset(bench.base)
    return sandbox


@pytest.fixture
def agent(sandbox: Sandbox) -> Repository:
    """The sandbox as an agent sees it."""
    return Repository(sandbox.folder)


def tree_files(bench: Bench, commit: str) -> list[str]:
    return bench.control.git.run("ls-tree", "-r", "-z", "--name-only", commit).out.decode().split("\0")[:-1]


def test_a_reset_sandbox_holds_the_commit_and_nothing_else(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    assert sorted(files_of(sandbox.folder)) == tree_files(bench, bench.base)
    assert agent.git("status", "--porcelain", "--branch") == "## HEAD (no branch)"
    assert agent.head == bench.base
    assert agent.git("log", "--format=%s") == "Begin"


def test_a_reset_undoes_whatever_was_done(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    agent.write("README.md", "changed\n")
    agent.write("new/deep.txt", "new\n")
    agent.write("__pycache__/x.pyc", "ignored\n")
    agent.write(".hidden", "new\n")
    (sandbox.folder / "empty").mkdir()
    (sandbox.folder / "src/numbers.py").unlink()
    (sandbox.folder / "tests/test_app.py").chmod(0o755)
    shutil.rmtree(sandbox.folder / "src")
    (sandbox.folder / "src").symlink_to("/etc")
    (sandbox.folder / "tests/test_app.py").unlink()
    (sandbox.folder / "tests/test_app.py").mkdir()
    agent.write("tests/test_app.py/inside", "x")
    sandbox.reset(bench.base)
    assert files_of(sandbox.folder) == files_of_commit(bench, bench.base)
    assert not (sandbox.folder / "empty").exists()
    assert not (sandbox.folder / "src").is_symlink()
    assert agent.git("status", "--porcelain", "--ignored") == ""


def files_of_commit(bench: Bench, commit: str) -> dict[str, bytes]:
    return {path: bench.text(bench.control.tree_of(commit), path) or b"" for path in tree_files(bench, commit)}


def test_a_reset_goes_to_any_commit_and_back(bench: Bench, sandbox: Sandbox) -> None:
    other = bench.commit(bench.base, {"src/app.py": None, "src/app.py/now/folder": b"f", "README.md": b"r\n"})
    for commit in (other, bench.base, other):
        sandbox.reset(commit)
        assert files_of(sandbox.folder) == files_of_commit(bench, commit)


def test_kept_and_only_kept_ignored_files_survive(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    for name in (".venv/lib/x.py", "deep.cache", "src/.venv/y", "build.log", "src/other/z"):
        agent.write(name, "x")
    sandbox.reset(bench.base)
    left = set(files_of(sandbox.folder)) - set(tree_files(bench, bench.base))
    assert left == {".venv/lib/x.py", "deep.cache", "src/.venv/y"}


@pytest.mark.parametrize("path", ["node_modules/x", "src/node_modules/x", "left.kept"])
def test_what_a_reset_leaves_alone_is_nobodys_work_though_nothing_ignores_it(bench: Bench, path: str) -> None:
    base = bench.commit(bench.base, {"node_modules/ours": b"of the repository\n"})
    sandbox = bench.sandbox(keep=("node_modules/", "*.kept"))
    sandbox.reset(base)
    agent = Repository(sandbox.folder)
    agent.write(path, "left by a gate of the attempt before")
    sandbox.reset(base)
    assert (sandbox.folder / path).exists()
    agent.write("node_modules/ours", "changed\n")
    assert [c.path for c in sandbox.snapshot(base, "x").changes] == ["node_modules/ours"]


def test_a_snapshot_is_all_that_is_not_ignored(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    agent.write("README.md", "changed\n")
    agent.write("new/deep.txt", "new\n")
    agent.write("__pycache__/x.pyc", "ignored\n")
    (sandbox.folder / "src/numbers.py").unlink()
    (sandbox.folder / "src/app.py").chmod(0o755)
    before = files_of(sandbox.folder)
    snapshot = sandbox.snapshot(bench.base, "Do the work")
    assert [(c.status, c.path) for c in snapshot.changes] == [
        ("M", "README.md"), ("A", "new/deep.txt"), ("M", "src/app.py"), ("D", "src/numbers.py"),
    ]  # fmt: skip
    assert snapshot.problems == ()
    assert snapshot.commit is not None
    assert bench.control.tree_of(snapshot.commit) == snapshot.tree
    assert bench.control.objects.commit(snapshot.commit).parents == (bench.base,)
    assert bench.text(snapshot.tree, "new/deep.txt") == b"new\n"
    assert files_of(sandbox.folder) == before


def test_a_snapshot_of_nothing_is_no_commit(bench: Bench, sandbox: Sandbox) -> None:
    (sandbox.folder / "README.md").touch()
    snapshot = sandbox.snapshot(bench.base, "Nothing")
    assert (snapshot.commit, snapshot.changes, snapshot.problems) == (None, (), ())
    assert snapshot.tree == bench.control.tree_of(bench.base)


def test_an_edit_of_the_same_length_in_the_same_instant_is_seen(bench: Bench, sandbox: Sandbox) -> None:
    for round_ in range(20):
        readme = sandbox.folder / "README.md"
        times = readme.stat()
        readme.write_bytes(b"# S%02dple\n" % round_)
        os.utime(readme, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert [c.path for c in sandbox.snapshot(bench.base, "x").changes] == ["README.md"]
        sandbox.reset(bench.base)
        assert readme.read_bytes() == b"# Sample\n"


def test_what_the_agent_committed_itself_is_in_the_snapshot(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    agent.write("mine.txt", "mine\n")
    agent.commit("My own commit")
    agent.write("later.txt", "later\n")
    snapshot = sandbox.snapshot(bench.base, "Work")
    assert [c.path for c in snapshot.changes] == ["later.txt", "mine.txt"]


def test_commits_stashes_and_staged_content_of_the_agents_are_moved_away_not_deleted(
    bench: Bench, sandbox: Sandbox, agent: Repository, tmp_path: Path
) -> None:
    agent.write("mine.txt", "mine\n")
    commit = agent.commit("My own commit")
    agent.write("mine.txt", "stashed\n")
    agent.git("stash", "-q")
    sandbox.reset(bench.base, keep_git=tmp_path / "kept")
    agent.write("README.md", "staged\n")
    agent.git("add", "README.md")
    sandbox.reset(bench.base, keep_git=tmp_path / "kept")
    assert agent.git("stash", "list") == ""
    kept = Repository(tmp_path / "kept")
    assert kept.git("show", f"{commit}:mine.txt") == "mine"
    assert kept.git("show", "stash@{0}:mine.txt") == "stashed"
    assert Repository(tmp_path / "kept").git("--git-dir=.git-2", "show", ":README.md") == "staged"


def test_an_own_git_that_only_looked_is_simply_made_anew(
    bench: Bench, sandbox: Sandbox, agent: Repository, tmp_path: Path
) -> None:
    agent.git("status")
    agent.git("config", "core.editor", "vi")
    sandbox.reset(bench.base, keep_git=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    assert "editor" not in (sandbox.folder / ".git/config").read_text()


@pytest.mark.parametrize("name", ["HEAD", "index", "config", "refs", "info", "objects/info/alternates"])
@pytest.mark.parametrize("folder", [True, False])
def test_nothing_is_written_through_a_link_that_an_agent_put_there(
    bench: Bench, sandbox: Sandbox, agent: Repository, tmp_path: Path, name: str, folder: bool
) -> None:
    target, own = tmp_path / "target", sandbox.folder / ".git" / name
    if own.is_dir():
        shutil.move(own, target)
    else:
        target.write_bytes(own.read_bytes())
        own.unlink()
    before = {path: path.read_bytes() for path in [target, *target.rglob("*")] if path.is_file()}
    if folder:
        own.mkdir()
    else:
        own.symlink_to(target)
    sandbox.reset(bench.commit(bench.base, {"other.txt": b"other\n"}))
    assert {path: path.read_bytes() for path in [target, *target.rglob("*")] if path.is_file()} == before
    assert not own.is_symlink()
    assert agent.git("status", "--porcelain") == ""


@pytest.mark.parametrize("what", ["deleted", "file", "link", "emptied"])
def test_whatever_became_of_the_own_git_it_is_made_anew(
    bench: Bench, sandbox: Sandbox, agent: Repository, tmp_path: Path, what: str
) -> None:
    own = sandbox.folder / ".git"
    shutil.rmtree(own)
    if what == "file":
        own.write_text("gitdir: /etc\n")
    elif what == "link":
        (tmp_path / "elsewhere").mkdir()
        own.symlink_to(tmp_path / "elsewhere")
    elif what == "emptied":
        own.mkdir()
    agent.write("new.txt", "new\n")
    assert [c.path for c in sandbox.snapshot(bench.base, "x").changes] == ["new.txt"]
    sandbox.reset(bench.base)
    assert agent.git("status", "--porcelain") == ""
    assert agent.head == bench.base


def test_an_agent_without_its_own_git_does_not_find_the_operators(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(sandbox.folder / ".git")
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    assert Repository(sandbox.folder).git("rev-parse", "--git-dir", check=False) == ""


def test_names_of_any_bytes_survive(bench: Bench, sandbox: Sandbox) -> None:
    names = [
        b"new\nline",
        b"latin-\xe9",
        b"-rf",
        b" space ",
        b"quote\"'",
        b"esc\x1b[31m",
        "bidi\u202e".encode(),
        b"*?[x]",
        b"back\\slash",
        b":(top)",
    ]
    for name in names:
        (sandbox.folder / os.fsdecode(name)).write_text("x")
    snapshot = sandbox.snapshot(bench.base, "Odd names")
    assert sorted(os.fsencode(c.path) for c in snapshot.changes) == sorted(names)
    assert snapshot.problems == () and snapshot.commit is not None
    sandbox.reset(bench.base)
    assert {p.name for p in sandbox.folder.iterdir()} == {*tree_top(bench), ".git"}
    sandbox.reset(snapshot.commit)
    assert set(names) < {os.fsencode(p.name) for p in sandbox.folder.iterdir()}


def tree_top(bench: Bench) -> set[str]:
    return {path.split("/")[0] for path in tree_files(bench, bench.base)}


def test_repositories_in_the_sandbox_are_a_problem_and_are_kept(
    bench: Bench, sandbox: Sandbox, agent: Repository, tmp_path: Path
) -> None:
    for name in ("sub/with-commit", "sub/without"):
        agent.git("init", "-q", name)
        agent.write(f"{name}/file.txt", "x\n")
    inner = Repository(sandbox.folder / "sub/with-commit")
    inner.git("-c", "user.name=a", "-c", "user.email=a@example.invalid", "add", "-A")
    inner.git("-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-qm", "Inner")
    agent.git("init", "-q", "src")
    agent.write("src/app.py", "changed\n")
    agent.write("mine.txt", "mine\n")
    snapshot = sandbox.snapshot(bench.base, "x")
    assert [(c.status, c.path) for c in snapshot.changes] == [("A", "mine.txt"), ("M", "src/app.py")]
    assert [p.split(" is a ")[0] for p in snapshot.problems] == ["src", "sub/with-commit", "sub/without"]
    sandbox.reset(bench.base, keep_git=tmp_path / "kept")
    assert Repository(tmp_path / "kept/sub/with-commit").git("log", "--format=%s") == "Inner"
    assert (tmp_path / "kept/sub/without/file.txt").read_text() == "x\n"
    assert files_of(sandbox.folder) == files_of_commit(bench, bench.base)


def test_ignored_repositories_are_no_problem(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    agent.git("init", "-q", "__pycache__/checkout")
    assert sandbox.snapshot(bench.base, "x").problems == ()


def test_fifos_and_sockets_are_a_problem_and_never_a_hang(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    for name in ("pipe", "src/.gitignore", ".gitattributes", ".gitmodules"):
        os.mkfifo(sandbox.folder / name)
    (sandbox.folder / "README.md").unlink()
    os.mkfifo(sandbox.folder / "README.md")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(sandbox.folder)  # a socket's path must be short
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
    agent.write("mine.txt", "mine\n")
    snapshot = sandbox.snapshot(bench.base, "x")
    assert [p.split(":")[0] for p in snapshot.problems] == [
        ".gitattributes is a FIFO", ".gitmodules is a FIFO", "README.md is a FIFO",
        "pipe is a FIFO", "socket is a socket", "src/.gitignore is a FIFO",
    ]  # fmt: skip
    assert "mine.txt" in {c.path for c in snapshot.changes}
    sandbox.reset(bench.base)
    assert files_of(sandbox.folder) == files_of_commit(bench, bench.base)
    assert not (sandbox.folder / "pipe").exists()


def git_folder(place: Path) -> Path:
    """What git takes for a repository, but for its HEAD."""
    for name in ("refs", "objects"):
        (place / name).mkdir(parents=True)
    return place


WAITING = {
    "in a repository": "mkfifo h/inner/.git/HEAD",
    "behind a link in one": "mkfifo $OUT/HEAD; ln -s $OUT/HEAD h/inner/.git/HEAD",
    "behind another": "mkfifo $OUT/packed-refs; cd h/inner/.git; echo ref: refs/x > HEAD; echo $OUT > commondir",
    "where a file leads": "mv h/inner/.git h/other; mkfifo h/other/HEAD; echo gitdir: ../other > h/inner/.git",
    "where a file leads out": "rm -r h/inner/.git; mkfifo $OUT/HEAD; echo gitdir: $OUT > h/inner/.git",
    "where a link leads": "rm -r h/inner/.git; mkfifo $OUT/HEAD; ln -s $OUT h/inner/.git",
    "where a kept file leads": "mkdir .venv; mkfifo $OUT/HEAD; echo gitdir: $OUT > .venv/.git",
    "in what is kept": "mkdir h/.venv; mkfifo h/.venv/.gitignore",
}


@pytest.mark.parametrize("command", WAITING.values(), ids=WAITING.keys())
def test_git_waits_for_no_fifo_wherever_it_is_led(
    bench: Bench, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(git, "_PATIENCE_SECONDS", 60.0)
    out = git_folder(tmp_path / "out")
    git_folder(sandbox.folder / "h/inner/.git")
    (sandbox.folder / "h/inner/x").touch()
    subprocess.run(
        ["/bin/sh", "-ec", command], cwd=sandbox.folder, env=os.environ | {"OUT": str(out)}, check=True, timeout=60
    )
    snapshot = sandbox.snapshot(bench.base, "x")
    assert not any("did not end" in problem for problem in snapshot.problems)
    sandbox.reset(bench.base)
    assert files_of(sandbox.folder).keys() - {".venv/.git"} == files_of_commit(bench, bench.base).keys()
    assert sandbox.snapshot(bench.base, "x").commit is None


@pytest.mark.parametrize(
    ("target", "leaves"),
    [
        ("/etc/passwd", True),
        ("../../x", True),
        ("../.git/config", True),
        ("../README.md", False),
        ("app.py", False),
        ("nowhere", False),
    ],
)
def test_links_out_of_the_repository_are_a_problem(bench: Bench, sandbox: Sandbox, target: str, leaves: bool) -> None:
    (sandbox.folder / "src/link").symlink_to(target)
    snapshot = sandbox.snapshot(bench.base, "x")
    assert [(c.path, c.new and c.new.mode) for c in snapshot.changes] == [("src/link", "120000")]
    assert bool(snapshot.problems) == leaves


def test_a_stale_lock_on_the_private_index_is_removed(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    lock = sandbox.index.with_name("1.lock")
    lock.touch()
    agent.write("mine.txt", "mine\n")
    assert sandbox.snapshot(bench.base, "x").commit
    lock.touch()
    sandbox.reset(bench.base)
    assert files_of(sandbox.folder) == files_of_commit(bench, bench.base)


@pytest.mark.parametrize("damage", [None, b"", b"DIRC garbage"])
def test_a_lost_or_torn_index_is_made_anew(
    bench: Bench, sandbox: Sandbox, agent: Repository, damage: bytes | None
) -> None:
    agent.write("new.txt", "new\n")
    if damage is None:
        sandbox.index.unlink()
    else:
        sandbox.index.write_bytes(damage)
    sandbox.reset(bench.base)
    assert files_of(sandbox.folder) == files_of_commit(bench, bench.base)
    assert agent.git("status", "--porcelain") == ""


def test_permissions_that_an_agent_took_away_are_given_back(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    agent.write("locked/new.txt", "new\n")
    (sandbox.folder / "locked").chmod(0o500)
    (sandbox.folder / "src").chmod(0o000)
    sandbox.reset(bench.base)
    assert files_of(sandbox.folder) == files_of_commit(bench, bench.base)


def test_a_commit_that_is_nowhere_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(GitError):
        sandbox.reset("1" * 40)


def test_the_operators_untracked_files_are_copied_once_kept_and_never_committed(
    bench: Bench, sandbox: Sandbox, agent: Repository
) -> None:
    operator = bench.repository
    operator.write(".env", "SECRET=1\n")
    operator.write("conf/local [x].yaml", "y\n")
    operator.write("conf/other.txt", "no\n")
    (operator.path / "conf/link.yaml").symlink_to("/etc/passwd")
    globs = (".env", "conf/*.yaml", "README.md", "**/uet.db")
    assert sandbox.prepare(operator.path, globs) == (".env", "conf/local [x].yaml")
    agent.write(".env", "SECRET=2\n")
    assert sandbox.prepare(operator.path, globs) == ()
    assert agent.git("status", "--porcelain") == ""
    assert sandbox.snapshot(bench.base, "x").commit is None
    sandbox.reset(bench.base)
    again = Sandbox(bench.control, sandbox.folder, sandbox.index)
    again.reset(bench.base)
    assert (sandbox.folder / ".env").read_text() == "SECRET=2\n"
    assert (sandbox.folder / "conf/local [x].yaml").read_text() == "y\n"
    assert agent.git("status", "--porcelain") == ""
    assert again.snapshot(bench.base, "x").commit is None


@pytest.mark.parametrize("glob", ["/etc/passwd", "../x", "a/../../x", " "])
def test_a_glob_that_leaves_the_checkout_is_refused(bench: Bench, sandbox: Sandbox, glob: str) -> None:
    with pytest.raises(UetError, match="below the repository's root"):
        sandbox.prepare(bench.repository.path, (glob,))


def test_what_the_operator_always_ignores_is_no_part_of_a_snapshot(repository: Repository) -> None:
    (repository.path / ".git/info/exclude").write_text("*.swp\n")
    bench = Bench.over(repository)
    with bench.control:
        sandbox = bench.sandbox()
        sandbox.reset(bench.base)
        (sandbox.folder / "x.swp").write_text("x")
        assert sandbox.snapshot(bench.base, "x").commit is None


def test_submodules_stay_what_they_were(bench: Bench) -> None:
    base = bench.commit(bench.base, {"module": Entry("160000", bench.base)})
    sandbox = bench.sandbox()
    sandbox.reset(base)
    agent = Repository(sandbox.folder)
    agent.write("mine.txt", "mine\n")
    assert [c.path for c in sandbox.snapshot(base, "x").changes] == ["mine.txt"]
    agent.git("init", "-q", "module")
    inner = Repository(sandbox.folder / "module")
    inner.git("-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-qm", "Inner", "--allow-empty")
    snapshot = sandbox.snapshot(base, "x")
    assert [c.path for c in snapshot.changes] == ["mine.txt"]
    assert len(snapshot.problems) == 1


def test_files_that_were_written_are_named_ignored_ones_too(bench: Bench, sandbox: Sandbox, agent: Repository) -> None:
    (bench.repository.path / ".env").write_text("A=1\n")
    sandbox.prepare(bench.repository.path, [".env"])
    since = sandbox.folder.parent / "since"

    def written(later_ns: int = 0) -> list[bytes]:
        return sorted(path for path, new in sandbox.files(since.stat().st_mtime_ns + later_ns) if new)

    def later() -> bool:
        since.touch()
        return written() == []

    until(later, 5, "the clock of the file system to go on")
    agent.write("README.md", "changed\n")
    agent.write("new/deep.txt", "new\n")
    agent.write("__pycache__/x.pyc", "ignored\n")
    agent.write(".venv/kept", "kept\n")
    agent.write(".env", "A=2\n")
    (sandbox.folder / "link").symlink_to("README.md")
    os.utime(sandbox.folder / "new/deep.txt", (1, 1))
    assert written() == [b".venv/kept", b"README.md", b"__pycache__/x.pyc", b"link", b"new/deep.txt"]
    assert written(10**12) == []


@pytest.mark.parametrize(
    ("where", "levels"),
    [
        *(pytest.param("h", levels, marks=pytest.mark.chaos) for levels in (1200, 5000)),
        (".git/x", 1200),
        (".git/refs/x", 1200),
    ],
)
def test_a_reset_removes_folders_however_deep(bench: Bench, sandbox: Sandbox, where: str, levels: int) -> None:
    deep(sandbox.folder / where, levels)
    sandbox.reset(bench.base)
    assert not (sandbox.folder / where).exists()
    assert not sandbox.holds_more(bench.base)


def test_a_sandbox_that_became_a_link_is_made_anew_and_what_it_leads_to_is_left_alone(
    bench: Bench, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").touch()
    shutil.rmtree(sandbox.folder)
    sandbox.folder.symlink_to(tmp_path / "elsewhere")
    sandbox.reset(bench.base)
    assert not sandbox.folder.is_symlink()
    assert (tmp_path / "elsewhere/file").exists()


def test_only_what_a_snapshot_would_take_is_left_out_for_its_size(bench: Bench, sandbox: Sandbox) -> None:
    (sandbox.folder / ".gitignore").write_text("*.bin\n")
    names = (".venv/model", "data.bin", "endless")
    for name in names:
        (sandbox.folder / name).parent.mkdir(exist_ok=True)
        (sandbox.folder / name).touch()
        os.truncate(sandbox.folder / name, 5 << 30)
    assert sandbox.drop_endless() == ["endless has more than 4 GiB: left out"]
    assert [(sandbox.folder / name).exists() for name in names] == [True, True, False]
