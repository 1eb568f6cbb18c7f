"""A store is made whole or not at all, private, and never mistaken for something else."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.store import samples
from uet_tui.errors import UetError
from uet_tui.store import database as module
from uet_tui.store.database import DamagedStoreError, check
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.writer import Writer

ROOT = Path(__file__).resolve().parents[2]


def other_program(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()


def change(database: Path, sql: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute(sql)
    connection.commit()
    connection.close()


def cut_short(database: Path) -> None:
    Writer(database).close()
    os.truncate(database, 5000)


def torn(database: Path) -> None:
    Writer(database).close()
    with database.open("r+b") as file:
        file.write(b"\xff" * 100)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (Path.touch, "is empty"),
    "garbage": (lambda path: path.write_bytes(os.urandom(9000)), "file is not a database"),
    "another program's": (other_program, "another program's"),
    "cut short": (cut_short, "malformed|not a store|no store"),
    "torn": (torn, "file is not a database"),
    "a folder": (Path.mkdir, "not a regular file"),
    "a link to nowhere": (lambda path: path.symlink_to("elsewhere.db"), "not a regular file"),
    "a FIFO": (os.mkfifo, "not a regular file"),
}


@pytest.mark.parametrize("use", [Reader, Writer])
@pytest.mark.parametrize(("make", "why"), REFUSED.values(), ids=[*REFUSED])
def test_what_is_no_store_is_named_and_left_as_it_is(
    home: Home, use: type[Reader] | type[Writer], make: Callable[[Path], object], why: str
) -> None:
    home.folder.mkdir()
    make(home.database)
    before = home.database.lstat()
    with pytest.raises(UetError, match=why) as raised:
        use(home.database)
    assert str(home.database) in str(raised.value)
    assert "\n" not in str(raised.value)
    after = home.database.lstat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("use", [Reader, Writer])
def test_a_store_of_a_newer_version_is_refused(home: Home, use: type[Reader] | type[Writer]) -> None:
    Writer(home.database).close()
    change(home.database, "UPDATE schema_meta SET version_num = '9000'")
    with pytest.raises(UetError, match=r"newer uet \(schema 9000; this one knows \d{4}\): upgrade"):
        use(home.database)


def test_a_reader_of_an_older_store_says_what_renews_it(home: Home) -> None:
    Writer(home.database).close()
    change(home.database, "UPDATE schema_meta SET version_num = '0000'")
    with pytest.raises(UetError, match=r"older uet \(schema 0000\): the next `uet run`"):
        Reader(home.database)


def test_without_a_store_a_reader_says_how_to_begin_and_makes_nothing(home: Home) -> None:
    with pytest.raises(UetError, match="there is no run yet"):
        Reader(home.database)
    assert not home.folder.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UetError, match=f"cannot open the store {tmp_path}/file/uet.db"):
        Writer(tmp_path / "file" / "uet.db")


def test_nobody_else_can_read_the_store_whatever_the_umask(home: Home) -> None:
    before = os.umask(0)
    try:
        writer = Writer(home.database)
        writer.create_run(samples.records(), samples.plan())
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.folder.iterdir()}
    writer.close()
    assert {"uet.db", "uet.db-wal", "uet.db-shm"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700


def test_making_a_store_that_was_cut_off_begins_again(home: Home) -> None:
    home.folder.mkdir()
    (home.folder / "uet.db.new").write_bytes(b"half")
    writer = Writer(home.database)
    writer.create_run(samples.records(), samples.plan())
    writer.close()
    assert sorted(path.name for path in home.folder.iterdir()) == ["uet.db", "uet.db.lock"]


def test_many_who_make_a_store_at_once_make_one(home: Home) -> None:
    errors: list[Exception] = []

    def make(number: int) -> None:
        try:
            writer = Writer(home.database)
            writer.create_run(samples.records(f"run-{number}"), samples.plan())
            writer.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must tell it
            errors.append(error)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    reader = Reader(home.database)
    assert sorted(run.id for run in reader.runs()) == [f"run-{number}" for number in range(6)]
    reader.close()


def test_a_new_store_is_made_from_its_schema_without_the_migrations(home: Home) -> None:
    program = (
        "import sys; from pathlib import Path; from uet_tui.store.writer import Writer\n"
        "Writer(Path(sys.argv[1])).close(); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, home.database], cwd=ROOT, check=True)
    assert home.database.exists()


def test_a_reader_cannot_write(writer: Writer, reader: Reader) -> None:
    with pytest.raises(Exception, match="attempt to write a readonly database"):
        reader._connection.exec_driver_sql("DELETE FROM runs")


@pytest.mark.parametrize("left", ["nothing beside it", "its log beside it"])
def test_a_store_is_read_whether_or_not_its_log_is_there(home: Home, left: str) -> None:
    writer = Writer(home.database)
    writer.create_run(samples.records(), samples.plan())
    if left == "nothing beside it":
        writer.close()
        assert not (home.folder / "uet.db-wal").exists()
    reader = Reader(home.database)
    assert reader.newest() == "run-1"
    reader.close()
    writer.close()


READ_AS_NOBODY = """
import os, sys
from pathlib import Path
from uet_tui.store.queries import Reader
if os.geteuid() == 0:
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
folder = Path(sys.argv[1])
assert not os.access(folder, os.W_OK)
reader = Reader(folder / "uet.db")
print(reader.run(reader.newest()).id)
"""


def test_a_store_in_a_folder_that_cannot_be_written_is_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kept")
    writer = Writer(folder / "uet.db")
    writer.create_run(samples.records(), samples.plan())
    writer.close()
    (folder / "uet.db").chmod(0o444)
    folder.chmod(0o555)
    closed = [parent for parent in folder.parents if not parent.stat().st_mode & stat.S_IXOTH]
    modes = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in closed if os.geteuid() == 0}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    try:
        for parent, mode in modes.items():
            parent.chmod(mode | stat.S_IXOTH)
        done = subprocess.run(
            [sys.executable, "-c", READ_AS_NOBODY, str(folder)],
            cwd=ROOT,
            env=environment,  # nobody can write what coverage collects
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for parent, mode in modes.items():
            parent.chmod(mode)
        folder.chmod(0o755)
    assert (done.stdout, done.stderr) == ("run-1\n", "")


def test_an_error_of_the_disk_while_it_is_looked_through_is_no_damage(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    Writer(home.database).close()

    class Failing(sqlite3.Connection):
        def execute(self, statement: str, *more: object) -> sqlite3.Cursor:
            if "quick_check" in statement:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error
            return super().execute(statement)

    monkeypatch.setattr(module, "connect", lambda path, mode: sqlite3.connect(path, factory=Failing))
    with pytest.raises(UetError, match="cannot be opened") as found:
        check(home.database)
    assert not isinstance(found.value, DamagedStoreError)


def test_a_run_begun_later_is_the_newest_though_the_clock_was_set_back(home: Home) -> None:
    with closing(Writer(home.database)) as writer:
        for number, moment in enumerate((samples.BEGIN, samples.BEGIN - 7200, samples.BEGIN - 7200)):
            records = samples.records(f"run-{9 - number}")
            records.run.created_at = moment
            writer.create_run(records, samples.plan())
    with closing(Reader(home.database)) as reader:
        assert reader.newest() == "run-7"
        assert [run.id for run in reader.runs()] == ["run-7", "run-8", "run-9"]
