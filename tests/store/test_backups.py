"""Copies of the store are made while it is written, are whole, and take the place of one that is damaged."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.store import samples
from tests.store.test_database import change
from tests.support.wait import until
from uet_tui.core.changes import Changes
from uet_tui.errors import UetError
from uet_tui.store import backups, restoring
from uet_tui.store.backups import Backups, back_up, newest_first
from uet_tui.store.database import DamagedStoreError, check
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.restoring import restore_if_damaged
from uet_tui.store.writer import Writer


def runs(database: Path) -> list[str]:
    with closing(Reader(database)) as reader:
        return [run.id for run in reader.runs()]


def test_a_backup_is_private_whole_and_of_this_instant(home: Home) -> None:
    with closing(Writer(home.database)) as writer:
        writer.create_run(samples.records(), samples.plan())
        made = back_up(home.database)
        writer.create_run(samples.records("run-2"), samples.plan())
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert runs(made) == ["run-1"]
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_the_newest_backups_are_kept_by_number_not_by_clock(home: Home) -> None:
    with closing(Writer(home.database)):
        for number in range(1, 6):
            os.utime(back_up(home.database), (100 - number, 100 - number))
    assert [path.name for path in newest_first(home.database)] == ["000005.db", "000004.db", "000003.db"]


def test_a_damaged_store_takes_no_good_backups_place(home: Home) -> None:
    with closing(Writer(home.database)) as writer:
        writer.create_run(samples.records(), samples.plan())
    good = back_up(home.database)
    damage_a_page(home.database)
    with pytest.raises(UetError, match="could not be backed up"):
        back_up(home.database)
    assert newest_first(home.database) == [good]
    assert list(good.parent.iterdir()) == [good]


def test_without_room_there_is_no_backup_and_a_clear_word(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    Writer(home.database).close()
    monkeypatch.setattr("uet_tui.store.backups.shutil.disk_usage", lambda _: _Usage(free=10))
    with pytest.raises(UetError, match="there is no room for a backup"):
        back_up(home.database)
    assert newest_first(home.database) == []


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_a_backup_is_made_at_the_start_every_five_merges_and_at_the_end(home: Home) -> None:
    with closing(Writer(home.database)):
        copies = Backups(home.database)
        copies.start()
        copies.close()
        assert len(newest_first(home.database)) >= 1
        again = Backups(home.database)
        for _ in range(5):
            again.merged(1)
        assert again._wanted.is_set()


def damage_a_page(database: Path) -> None:
    """Overwrites pages in the middle."""
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * 4096 * 4)


def cut(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def empty(database: Path) -> None:
    os.truncate(database, 0)


def garbage(database: Path) -> None:
    database.write_bytes(os.urandom(20_000))


def torn_header(database: Path) -> None:
    with database.open("r+b") as file:
        file.write(b"\xff" * 100)


def lost_a_table(database: Path) -> None:
    change(database, "PRAGMA foreign_keys=OFF")
    change(database, "DROP TABLE workers")


DAMAGE = [damage_a_page, cut, empty, garbage, torn_header, lost_a_table]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__name__)
@pytest.mark.parametrize("backup", [True, False], ids=["from a backup", "without a backup"])
def test_a_damaged_store_is_set_aside_whole_and_restored(
    home: Home, damage: Callable[[Path], None], backup: bool
) -> None:
    with closing(Writer(home.database)) as writer:
        writer.create_run(samples.records(), samples.plan())
    if backup:
        back_up(home.database)
    damage(home.database)
    damaged = home.database.read_bytes()
    with pytest.raises(DamagedStoreError, match=r"is damaged .*: `uet resume` sets it aside and restores it") as raised:
        Writer(home.database)
    assert "\n" not in str(raised.value)
    restored = restore_if_damaged(home)
    assert restored is not None
    assert restored.aside.read_bytes() == damaged
    assert ".corrupt-" in restored.aside.name
    assert "\n" not in restored.text and restored.aside.name in restored.text
    assert runs(home.database) == (["run-1"] if backup else [])
    with closing(sqlite3.connect(home.database)) as store:
        told = store.execute("SELECT type, text FROM uet_events").fetchall()
        assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert told == ([("store_restored", restored.text)] if backup else [])
    assert restore_if_damaged(home) is None
    assert stat.S_IMODE(home.database.stat().st_mode) == 0o600
    assert not list(home.folder.glob("restoring.db*"))


def test_a_backup_that_is_damaged_is_passed_over(home: Home) -> None:
    with closing(Writer(home.database)) as writer:
        writer.create_run(samples.records(), samples.plan())
        back_up(home.database)
        damage_a_page(back_up(home.database))
    garbage(home.database)
    restored = restore_if_damaged(home)
    assert restored is not None and restored.backup is not None
    assert restored.backup.name == "000001.db"
    assert runs(home.database) == ["run-1"]


def test_a_log_beside_a_damaged_store_is_not_taken_for_that_of_the_restored_one(home: Home) -> None:
    writer = Writer(home.database)
    writer.create_run(samples.records(), samples.plan())
    back_up(home.database)
    writer.claim("run-1", "token", 1)
    writer.commit("run-1", "token", Changes())
    log = (home.folder / "uet.db-wal").read_bytes()
    assert log
    kept = home.database.read_bytes()
    writer.close()
    home.database.write_bytes(b"\xff" * 200 + kept[200:])
    (home.folder / "uet.db-wal").write_bytes(log)
    restored = restore_if_damaged(home)
    assert restored is not None
    assert (restored.aside.with_name(restored.aside.name + "-wal")).read_bytes() == log
    assert runs(home.database) == ["run-1"]


@pytest.mark.parametrize("dies", ["link", "rename"])
def test_a_restore_that_was_cut_off_begins_anew(home: Home, monkeypatch: pytest.MonkeyPatch, dies: str) -> None:
    with closing(Writer(home.database)) as writer:
        writer.create_run(samples.records(), samples.plan())
    back_up(home.database)
    garbage(home.database)
    damaged = home.database.read_bytes()

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if dies == "link":
            patched.setattr("uet_tui.store.restoring.os.link", cut_off)
        else:
            patched.setattr(Path, "rename", cut_off)
        with pytest.raises(KeyboardInterrupt):
            restore_if_damaged(home)
    assert home.database.read_bytes() == damaged
    assert restore_if_damaged(home) is not None
    assert runs(home.database) == ["run-1"]


def test_a_damaged_store_in_which_a_run_goes_on_is_left_alone(home: Home) -> None:
    with closing(Writer(home.database)) as writer:
        writer.create_run(samples.records(), samples.plan())
    home.run("run-1").folder.mkdir(parents=True)
    garbage(home.database)
    damaged = home.database.read_bytes()
    with RunLock.acquire(home.run("run-1")), pytest.raises(UetError, match="run run-1 goes on in it: end that first"):
        restore_if_damaged(home)
    assert home.database.read_bytes() == damaged


def test_a_store_of_a_newer_uet_or_of_another_program_is_never_restored(home: Home) -> None:
    Writer(home.database).close()
    change(home.database, "UPDATE schema_meta SET version_num = '9000'")
    with pytest.raises(UetError, match="newer uet"):
        restore_if_damaged(home)
    change(home.database, "PRAGMA application_id = 7")
    with pytest.raises(UetError, match="another program's"):
        restore_if_damaged(home)
    assert not list(home.folder.glob("*corrupt*"))


def test_the_last_copy_is_begun_after_the_end(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    Writer(home.database).close()
    begun, go_on, made = threading.Event(), threading.Event(), list[Path]()

    def slow(database: Path) -> Path:
        begun.set()
        assert go_on.wait(20)
        made.append(back_up(database))
        return made[-1]

    monkeypatch.setattr(backups, "back_up", slow)
    copies = Backups(home.database)
    copies.start()
    assert begun.wait(20)
    closer = threading.Thread(target=copies.close)  # the run ends while a copy is under way
    closer.start()
    until(lambda: copies._closing, what="the end")
    go_on.set()
    closer.join(20)
    assert len(made) == 2


def test_what_stands_where_backups_go_is_told(home: Home) -> None:
    Writer(home.database).close()
    backups.backups_of(home.database).write_text("a file")
    with pytest.raises(UetError, match="could not be backed up"):
        back_up(home.database)


def test_of_two_that_find_the_damage_one_restores(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    Writer(home.database).close()
    os.truncate(home.database, 5000)
    looked = list[Path]()

    def look(database: Path) -> None:
        try:
            check(database)
        finally:
            looked.append(database)
            until(lambda: len(looked) > 1, what="both to have looked before either restores")

    monkeypatch.setattr(restoring, "check", look)
    told = list[object]()
    threads = [threading.Thread(target=lambda: told.append(restore_if_damaged(home))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(one is None for one in told) == [False, True]
    assert len([path for path in home.folder.glob("uet.db.corrupt-*") if not path.name.endswith(("-wal", "-shm"))]) == 1
