"""After a power loss the store is a prefix of history: recovery reconciles each with a repository that is ahead."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.scene import Scene, workstream
from tests.engine.wal import frame_ends
from uet_tui.core.states import RunState
from uet_tui.engine.mending import mend

COST = """printf '{"uet": {"cost_usd": 0.5}}\\n'"""
SAMPLED = 12
"""Recoveries in the short form: from the first transactions, the last ones, and some in between."""


def plan(outside: Path) -> list:
    """Four workstreams: one is gated, one is tried twice, one needs two others."""
    ran = f"echo $UET_ATTEMPT >> {outside}/ran"
    return [
        workstream("ws-a", ran, "echo a > a", COST, scope=["a"], test_gates=[{"type": "GATE_UNIT"}]),
        workstream(
            "ws-b",
            ran,
            COST,
            f"test -e {outside}/tried || {{ touch {outside}/tried; exit 1; }}",
            "cp a b",
            scope=["b"],
            depends_on=["ws-a"],
        ),
        workstream("ws-c", ran, "echo c > c", COST, scope=["c"]),
        workstream("ws-d", ran, "cat b c > d", COST, scope=["d"], depends_on=["ws-b", "ws-c"]),
    ]


SETS = ("agents.shell.usage=json-lines", "gates.GATE_UNIT.commands=['test -e a']", "workers=2")


class Disk:
    """A repository as it was at the end of a run, to be put back, with its store as after a power loss."""

    def __init__(self, scene: Scene, kept: Path) -> None:
        self.scene = scene
        self._kept = kept
        self._log = kept.with_name("log")
        shutil.copytree(scene.repository.path, kept, symlinks=True, ignore=shutil.ignore_patterns("wake"))
        shutil.copyfile(scene.home.folder / "uet.db-wal", self._log)
        shutil.copyfile(scene.home.database, kept / ".uet/uet.db")
        for ending in ("-wal", "-shm"):
            (kept / f".uet/uet.db{ending}").unlink(missing_ok=True)
        self.ends = frame_ends(self._log)

    def lose(self, size: int) -> None:
        """Puts all back, with so many bytes of the store's log."""
        shutil.rmtree(self.scene.repository.path)
        shutil.copytree(self._kept, self.scene.repository.path, symlinks=True)
        log = self.scene.home.folder / "uet.db-wal"
        with self._log.open("rb") as whole:
            log.write_bytes(whole.read(size))

    def store_alone(self, size: int, folder: Path) -> Path:
        """The store alone, with so many bytes of its log."""
        for left in folder.glob("uet.db*"):
            left.unlink()
        with self._log.open("rb") as whole:
            (folder / "uet.db-wal").write_bytes(whole.read(size))
        return shutil.copyfile(self._kept / ".uet/uet.db", folder / "uet.db")


@pytest.fixture
def disk(scene: Scene, tmp_path: Path) -> Iterator[Disk]:
    outside = tmp_path / "outside"
    outside.mkdir()
    opened = scene.begin(*plan(outside), sets=SETS)
    with closing(sqlite3.connect(scene.home.database)) as watcher:  # while it looks, the log is not taken in
        watcher.execute("SELECT count(*) FROM runs").fetchone()
        assert opened
        view = scene.finish()
        assert view.state is RunState.COMPLETED, view.reason
        yield Disk(scene, tmp_path / "kept")


def history(database: Path) -> tuple[int, int]:
    """How far a store is: its newest event, and its sum of revisions."""
    with closing(sqlite3.connect(database)) as store:
        events = store.execute("SELECT coalesce(max(id), 0), count(*) FROM uet_events").fetchone()
        revision = store.execute("SELECT coalesce(sum(revision), 0) FROM runs").fetchone()
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert events[0] == events[1], "an event is missing"
    return events[0], revision[0]


def recover_and_check(disk: Disk, size: int, tree: str, ran: str, outside: Path) -> None:
    """Recovers from a prefix: nothing is done that was done before, and nothing is missing."""
    scene = disk.scene
    disk.lose(size)
    mend(scene.home)
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED, (size, view.reason, scene.events())
    assert scene.repository.git("rev-parse", f"{view.tip}^{{tree}}") == tree
    assert (outside / "ran").read_text() == ran, "an attempt ran twice"
    format = "%(trailers:key=UET-Workstream,valueonly,separator=%x2C)"
    merges = scene.repository.git(
        "log", "--first-parent", f"--format={format}", f"{view.base_commit}..refs/heads/uet/{scene.run}"
    ).replace(",", "\n")
    assert sorted(merges.split()) == ["ws-a", "ws-b", "ws-c", "ws-d"], "each is merged exactly once"
    assert scene.repository.git("rev-parse", f"refs/heads/uet/{scene.run}") == view.tip
    assert view.costs.spent_usd == pytest.approx(2.5), "the money of what ran is not forgotten"
    assert view.costs.reserved_usd == pytest.approx(0.0)
    (spent,) = scene.sql("SELECT sum(usd) FROM cost_tracking WHERE run = ?", scene.run)[0]
    assert spent == pytest.approx(2.5)
    assert {ws.id: ws.attempts for ws in view.workstreams} == {"ws-a": 1, "ws-b": 2, "ws-c": 1, "ws-d": 1}
    history(scene.home.database)


def test_a_store_cut_at_any_frame_is_a_prefix_of_history(disk: Disk, tmp_path: Path) -> None:
    far: list[tuple[int, int]] = []
    folder = tmp_path / "alone"
    folder.mkdir()
    for size, _ in disk.ends:
        far.append(history(disk.store_alone(size, folder)))
    assert len(far) > 100, "a run of a few workstreams writes so much"
    assert far == sorted(far)
    assert far[0] == (0, 0) and far[-1] == history(disk.scene.home.database)


def _some(ends: list[int]) -> list[int]:
    step = max(1, len(ends) // (SAMPLED - 4))
    return sorted({*ends[:2], *ends[-2:], *ends[2:-2:step]})


@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", ["sampled", pytest.param("all", marks=pytest.mark.chaos)])
def test_from_every_prefix_a_run_comes_to_the_same_end(disk: Disk, tmp_path: Path, form: str) -> None:
    scene, outside = disk.scene, tmp_path / "outside"
    view = scene.view()
    tree = scene.repository.git("rev-parse", f"{view.tip}^{{tree}}")
    ran = (outside / "ran").read_text()
    commits = [0, *(size for size, ends in disk.ends if ends)]
    for size in commits if form == "all" else _some(commits):
        recover_and_check(disk, size, tree, ran, outside)
    print(f"{len(disk.ends)} frames, {len(commits)} transactions")  # noqa: T201 - for `pytest -s`
    torn = commits[len(commits) // 2] + 1000
    recover_and_check(disk, torn, tree, ran, outside)
