"""Stores that earlier versions of uet left, each with a run in the middle: migrated, and the run goes on to its end."""

import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.scene import Scene
from tests.store.test_schema import scripts
from tests.support.repository import Repository
from uet_tui.core.states import AttemptState, RunState
from uet_tui.engine.mending import mend
from uet_tui.errors import UetError
from uet_tui.store.backups import newest_first
from uet_tui.store.queries import Reader
from uet_tui.store.tables import REVISION
from uet_tui.store.writer import Writer

STORES = Path(__file__).with_name("stores")
EARLIER = sorted(script.revision for script in scripts().walk_revisions() if script.revision != REVISION)


@pytest.fixture
def left(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A repository as an earlier version left it when it was killed."""
    with tarfile.open(STORES / f"{request.param}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    scene = Scene(Repository(tmp_path / "repository"))
    yield scene
    scene.leave()


def test_there_is_a_store_of_every_earlier_schema() -> None:
    assert [path.name for path in sorted(STORES.glob("*.gz"))] == [f"{one}.tar.gz" for one in EARLIER]


@pytest.mark.parametrize("left", EARLIER, indirect=True)
def test_a_run_that_an_earlier_version_began_goes_on(left: Scene) -> None:
    with closing(sqlite3.connect(left.home.database)) as store:
        before = store.execute("SELECT count(*) FROM uet_events").fetchone()[0]
    with pytest.raises(UetError, match="older uet"):
        Reader(left.home.database)
    assert mend(left.home) == []
    with closing(Reader(left.home.database)) as reader:
        over, runs = reader.runs()[-1], reader.runs()
        assert len(runs) == 2 and over.state is RunState.COMPLETED
        left.run = reader.newest()
        view = reader.run(left.run)
        assert {ws.id: ws.state for ws in view.workstreams} == {"ws-a": "MERGED", "ws-b": "RUNNING", "ws-c": "PENDING"}
        assert len(reader.events(left.run)) + len(reader.events(over.id)) == before
    left.resume()
    view = left.finish()
    assert view.state is RunState.COMPLETED, view.reason
    assert [ws.attempts for ws in view.workstreams] == [1, 2, 1]
    states = [state for (state,) in left.sql("SELECT state FROM attempts WHERE workstream = 'ws-b' ORDER BY number")]
    assert states == [AttemptState.LOST, AttemptState.SUCCEEDED]
    assert left.file("c") == "a"
    assert left.sql("PRAGMA foreign_key_check") == []
    assert newest_first(left.home.database)


@pytest.mark.parametrize("left", EARLIER, indirect=True)
def test_a_migration_that_is_cut_off_leaves_the_store_as_it_was(left: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Operations, "create_table", cut_off)
        patched.setattr(Operations, "add_column", cut_off)
        with pytest.raises(KeyboardInterrupt):
            Writer(left.home.database)
    with pytest.raises(UetError, match="older uet"):
        Reader(left.home.database)
    Writer(left.home.database).close()
    with closing(Reader(left.home.database)) as reader:
        assert len(reader.runs()) == 2
