"""Counts that are kept on disk: made once, whatever becomes of the file."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uet_tui.agents.context import counts
from uet_tui.agents.context.counts import BINARY, HUGE, LARGEST, Counts, count_content


def contents(*datas: bytes) -> dict[str, bytes]:
    return {hashlib.sha1(data).hexdigest(): data for data in datas}


class Reading:
    """Contents by id, and which of them were read."""

    def __init__(self, there: dict[str, bytes]) -> None:
        self.there = there
        self.read: list[str] = []

    def __call__(self, oid: str) -> bytes:
        self.read.append(oid)
        return self.there[oid]


def test_a_content_is_counted_once(tmp_path: Path) -> None:
    there = contents(b"hello world", b"", b"one\n")
    first, second = Reading(there), Reading(there)
    store = Counts(tmp_path / "tokens")
    found = store.of([*there, *there], first)
    assert sorted(found.values()) == [0, 2, 2] and sorted(first.read) == sorted(there)
    assert Counts(tmp_path / "tokens").of(there, second) == found and second.read == []
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o600


def test_what_is_no_text_and_what_is_huge_is_said_and_kept(tmp_path: Path) -> None:
    there = contents(b"a\0b", b"x" * (LARGEST + 1), "ä".encode("latin-1"))
    found = Counts(tmp_path / "tokens").of(there, there.__getitem__)
    assert [*found.values()][:2] == [BINARY, HUGE] and [*found.values()][2] > 0
    assert Counts(tmp_path / "tokens").known() == found


def test_ids_of_sha256_and_sha1_live_side_by_side(tmp_path: Path) -> None:
    store = Counts(tmp_path / "tokens")
    short, long = "ab" * 20, "cd" * 32
    store.of([short, long], lambda oid: b"hello world")
    assert store.known() == {short: 2, long: 2}


def test_a_record_that_was_cut_short_shifts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    there = contents(b"one", b"two", b"three")
    oids = list(there)
    Counts(path).of(oids[:2], there.__getitem__)
    os.truncate(path, path.stat().st_size - 7)
    reading = Reading(there)
    Counts(path).of(oids, reading)
    assert reading.read == oids[1:]
    assert set(Counts(path).known()) == set(oids)


@given(rubbish=st.binary(max_size=300), at=st.integers(0, 200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_the_file_the_counts_are_right(tmp_path: Path, rubbish: bytes, at: int) -> None:
    path = tmp_path / "tokens"
    there = contents(*(b"word " * n for n in range(5)))
    right = {oid: count_content(data) for oid, data in there.items()}
    path.unlink(missing_ok=True)
    Counts(path).of(there, there.__getitem__)
    data = path.read_bytes()
    path.write_bytes(data[:at] + rubbish + data[at + len(rubbish) :])
    assert Counts(path).of(there, there.__getitem__) == right
    assert Counts(path).of(there, there.__getitem__) == right


def test_the_store_is_bounded_and_keeps_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_MOST", 10)
    store = Counts(tmp_path / "tokens")
    there = contents(*(b"%d" % n for n in range(25)))
    for oid in there:
        store.of([oid], there.__getitem__)
    known = store.known()
    assert 5 <= len(known) <= 10
    assert set(known) == set([*there][-len(known) :])
    store.of(there, there.__getitem__)
    assert len(store.known()) <= 10


def test_several_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    there = contents(*(b"%d" % n for n in range(200)))
    oids = list(there)
    with ThreadPoolExecutor(8) as pool:
        parts = [oids[n::8] for n in range(8)]
        [*pool.map(lambda part: [Counts(tmp_path / "tokens").of([oid], there.__getitem__) for oid in part], parts)]
    assert set(Counts(tmp_path / "tokens").known()) == set(oids)


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    there = contents(b"hello world")
    assert [*Counts(tmp_path / "no" / "tokens").of(there, there.__getitem__).values()] == [2]
    (tmp_path / "folder").mkdir()
    assert [*Counts(tmp_path / "folder").of(there, there.__getitem__).values()] == [2]
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    assert [*Counts(link).of(there, there.__getitem__).values()] == [2]
    assert not (tmp_path / "elsewhere").exists()
