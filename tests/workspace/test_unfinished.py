"""Snapshots of work that goes on: what is in them, what they cost an idle agent, and that they leave no trace."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.wait import until
from tests.workspace.bench import Bench, files_of
from uet_tui.workspace import survey, unfinished
from uet_tui.workspace.sandbox import Sandbox
from uet_tui.workspace.scratch import Scratch
from uet_tui.workspace.trees import compare, entry_at
from uet_tui.workspace.unfinished import Unfinished


@pytest.fixture
def scratch(bench: Bench, tmp_path: Path) -> Iterator[Scratch]:
    scratch = Scratch(bench.control, tmp_path / "forecast")
    yield scratch
    scratch.close()


@pytest.fixture
def sandbox(bench: Bench) -> Sandbox:
    sandbox = bench.sandbox(keep=("node_modules/",))
    sandbox.reset(bench.base)
    return sandbox


@pytest.fixture
def work(bench: Bench, scratch: Scratch, sandbox: Sandbox) -> Unfinished:
    return Unfinished(scratch, sandbox, bench.base)


def changes(scratch: Scratch, bench: Bench, work: Unfinished) -> dict[str, str]:
    assert work.commit is not None
    commit = scratch.objects.commit(work.commit)
    assert commit.parents == (bench.base,)
    before = bench.control.tree_of(bench.base)
    return {change.path: change.status for change in compare(scratch.objects, before, commit.tree)}


def test_a_snapshot_has_what_is_changed_new_and_gone_but_nothing_ignored(
    bench: Bench, scratch: Scratch, sandbox: Sandbox, work: Unfinished
) -> None:
    (sandbox.folder / "src/app.py").write_text("changed\n")
    (sandbox.folder / "src/numbers.py").unlink()
    (sandbox.folder / "new").mkdir()
    (sandbox.folder / "new/file").write_text("new\n")
    (sandbox.folder / "__pycache__").mkdir()
    (sandbox.folder / "__pycache__/x.pyc").write_text("ignored\n")
    assert work.look()
    assert changes(scratch, bench, work) == {"src/app.py": "M", "src/numbers.py": "D", "new/file": "A"}


def test_what_was_copied_in_for_the_agent_is_left_out(bench: Bench, scratch: Scratch, sandbox: Sandbox) -> None:
    bench.repository.write(".env", "SECRET=1\n")
    sandbox.prepare(bench.repository.path, [".env"])
    work = Unfinished(scratch, sandbox, bench.base)
    work.look()
    assert changes(scratch, bench, work) == {}


def test_an_agent_that_writes_nothing_costs_no_git_process(
    sandbox: Sandbox, work: Unfinished, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled() -> bool:
        work.look()
        return bool(work._seen)

    until(settled, 5, "files to be older than a tick")
    monkeypatch.setattr(work, "_git", None)
    assert not work.look()
    with pytest.raises(AttributeError):
        (sandbox.folder / "src/app.py").write_text("changed\n")
        work.look()


def test_a_write_that_changes_neither_size_nor_time_is_seen(
    bench: Bench, scratch: Scratch, sandbox: Sandbox, work: Unfinished
) -> None:
    file = sandbox.folder / "src/app.py"
    facts = file.stat()
    until(lambda: not work.look() and work._seen, 5, "files to be older than a tick")
    file.write_text(file.read_text().replace("hello", "jello"))
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert work.look()
    assert changes(scratch, bench, work) == {"src/app.py": "M"}


def test_each_of_many_quick_writes_ends_up_in_a_snapshot(scratch: Scratch, sandbox: Sandbox, work: Unfinished) -> None:
    file = sandbox.folder / "src/app.py"
    for n in range(20):
        file.write_text(f"{n % 10}\n")
        work.look()
        assert work.commit is not None
        entry = entry_at(scratch.objects, scratch.objects.commit(work.commit).tree, "src/app.py")
        assert entry is not None
        assert scratch.objects.read(entry.oid, "blob") == b"%d\n" % (n % 10)


def test_files_too_large_to_merge_and_repositories_inside_are_left_out(
    bench: Bench, scratch: Scratch, sandbox: Sandbox, work: Unfinished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "LARGEST", 1000)
    (sandbox.folder / "large[1].bin").write_bytes(b"x" * 1001)
    (sandbox.folder / "src/app.py").write_bytes(b"y" * 1001)
    (sandbox.folder / "inner/.git").mkdir(parents=True)
    (sandbox.folder / "inner/file").write_text("its own\n")
    (sandbox.folder / "small.bin").write_bytes(b"x" * 1000)
    assert work.look()
    assert changes(scratch, bench, work) == {"small.bin": "A"}


@pytest.mark.parametrize("name", ["src/.gitignore", "node_modules/.gitattributes", "inner/.git/HEAD"])
def test_what_git_would_wait_for_is_not_touched_and_not_waited_for(
    bench: Bench, scratch: Scratch, sandbox: Sandbox, work: Unfinished, name: str
) -> None:
    fifo = sandbox.folder / name
    fifo.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(fifo)
    (sandbox.folder / "src/app.py").write_text("changed\n")
    assert not work.look()
    assert fifo.is_fifo()
    fifo.unlink()
    assert work.look()
    assert changes(scratch, bench, work) == {"src/app.py": "M"}


def test_a_file_that_cannot_be_read_keeps_no_other_out(
    bench: Bench, scratch: Scratch, sandbox: Sandbox, work: Unfinished
) -> None:
    (sandbox.folder / "new").write_text("new\n")
    (sandbox.folder / "dangling").symlink_to("nowhere")
    os.mkfifo(sandbox.folder / "pipe")
    assert work.look()
    assert changes(scratch, bench, work) == {"new": "A", "dangling": "A"}


def test_the_agent_and_the_real_snapshot_see_nothing_of_it(bench: Bench, sandbox: Sandbox, work: Unfinished) -> None:
    (sandbox.folder / "new").write_text("new\n")
    (sandbox.folder / ".git" / "config").write_text('[core]\n\tfsmonitor = "touch ran; false"\n')
    everything = {p: (p.lstat().st_mtime_ns, p.read_bytes()) for p in sandbox.folder.rglob("*") if p.is_file()}
    index = sandbox.index.read_bytes()
    control = {path for path in bench.control.path.rglob("*") if path.is_file()}
    assert work.look()
    assert {p: (p.lstat().st_mtime_ns, p.read_bytes()) for p in everything} == everything
    assert {p for p in sandbox.folder.rglob("*") if p.is_file()} == everything.keys()
    assert sandbox.index.read_bytes() == index
    assert {path for path in bench.control.path.rglob("*") if path.is_file()} == control
    assert [change.path for change in sandbox.snapshot(bench.base, "real").changes] == ["new"]


def test_looking_while_the_agent_writes_and_the_real_snapshot_is_taken_harms_neither(
    bench: Bench, sandbox: Sandbox, work: Unfinished
) -> None:
    enough = threading.Event()

    def write() -> None:
        n = 0
        while not enough.is_set():
            n += 1
            folder = sandbox.folder / f"made{n % 7}"
            folder.mkdir(exist_ok=True)
            (folder / "file").write_text(f"{n}\n")
            (folder / "file").unlink()
            folder.rmdir()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            work.look()
            assert work.commit is not None
    finally:
        enough.set()
        writer.join()
    (sandbox.folder / "last").write_text("last\n")
    looking = threading.Thread(target=work.look)
    looking.start()
    taken = sandbox.snapshot(bench.base, "real")
    looking.join()
    assert [change.path for change in taken.changes] == ["last"]
    assert taken.problems == ()
    assert files_of(sandbox.folder)["last"] == b"last\n"


def test_a_sandbox_whose_index_is_gone_is_read_from_scratch(bench: Bench, scratch: Scratch, sandbox: Sandbox) -> None:
    sandbox.index.unlink()
    (sandbox.folder / "new").write_text("new\n")
    work = Unfinished(scratch, sandbox, bench.base)
    assert work.look()
    assert changes(scratch, bench, work) == {"new": "A"}


def test_a_glance_passes_over_what_is_kept_between_attempts(sandbox: Sandbox) -> None:
    before = survey.glance(sandbox.folder, sandbox.keep, 10)
    (sandbox.folder / "node_modules").mkdir()
    (sandbox.folder / "node_modules/x").write_text("x" * 20)
    assert survey.glance(sandbox.folder, sandbox.keep, 10) == before
    assert b"src/app.py" in before.large
