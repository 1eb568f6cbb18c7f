"""At each failpoint of restoring and renewing a store the program dies: said again, the run comes to its end."""

import os
import tarfile
from pathlib import Path
from shutil import rmtree

import pytest

from tests.chaos import plans
from tests.chaos.cases import MIGRATE, RESTORE
from tests.chaos.stage import Stage, died
from tests.store.test_earlier_stores import STORES
from tests.support.repository import Repository
from uet_tui.store.backups import newest_first
from uet_tui.store.paths import Home

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]


@pytest.mark.parametrize("kind", ["kill", "raise", "enospc"])
@pytest.mark.parametrize("name", RESTORE)
def test_a_damaged_store_is_restored_once(folder: Path, tree_of_six: str, name: str, kind: str) -> None:
    stage = Stage(folder, plans.six())
    assert died(stage.do(*stage.orchestrate(), point="ask.ended"))
    database = stage.home.database
    for copy in newest_first(database)[:-1]:
        copy.unlink()
    damaged = os.urandom(9000)
    database.write_bytes(damaged)
    stage.do("resume", "--headless", point=f"{name}:1:{kind}")
    assert name in stage.lines("trace"), "it must get as far as that"
    stage.do("resume", "--headless")
    assert stage.sql("SELECT count(*) FROM uet_events WHERE type = 'store_restored'") == [(1,)]
    assert any(path.read_bytes() == damaged for path in stage.home.folder.glob("uet.db.corrupt-*")), "it is kept"
    stage.check_always()
    stage.to_the_end()
    (forgotten,) = stage.sql("SELECT id FROM merge_conflicts WHERE \"by\" = 'decided after the last record'")
    rmtree(stage.home.run(stage.run).sandbox(f"resolve-{forgotten[0]}"))  # what an agent wrote stays
    stage.check(tree_of_six)


@pytest.mark.parametrize("kind", ["kill", "raise", "enospc"])
@pytest.mark.parametrize("name", MIGRATE)
@pytest.mark.parametrize("schema", ["0001", "0003"])
def test_a_store_of_an_earlier_schema_is_renewed_once(folder: Path, schema: str, name: str, kind: str) -> None:
    with tarfile.open(STORES / f"{schema}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    stage = Stage(folder / "other", plans.six())
    stage.repository = Repository(folder / "repository")
    stage.home = Home(stage.repository.path / ".uet")
    code = stage.do("resume", "--headless", point=f"{name}:1:{kind}")
    assert died(code) or (kind != "kill" and code != 0)
    assert stage.do("resume", "--headless") == 0
    stage.check_events()
    assert set(stage.sql("SELECT state FROM workstreams")) == {("MERGED",)}
