"""Whatever an agent leaves where its keeper tells how it ended, the engine reads an end, or none, and never fails."""

import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.engine import attempts, liveness

values: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just([]) | st.just({})
)
records = st.dictionaries(st.sampled_from(["code", "seconds", "how", "ended", "pid", "start", "x"]), values)

LARGE = {"deep": b"[" * 100_000, "long": b"9" * 5000}


@pytest.mark.fuzz
@given(
    st.sampled_from(["exit.json", "keeper.json"]),
    st.binary() | records.map(lambda record: json.dumps(record).encode()) | st.just("deep") | st.just("long"),
)
def test_any_bytes_in_the_records_of_an_attempt(name: str, data: bytes | str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(LARGE[data] if isinstance(data, str) else data)
        attempts.ended(Path(folder))
        liveness.orphaned(Path(folder))
        liveness.keeper_of(Path(folder))


def test_without_a_record_an_attempt_has_not_ended(tmp_path: Path) -> None:
    assert attempts.ended(tmp_path) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b'{"code": 0, "why": "exit", "seconds": ', b"[]", b"3", b"null", b'"exit"', b"{}", b"\xff\xfe",
        b'{"code": "0", "why": "exit", "seconds": 1}', b'{"code": 0, "why": "exit", "seconds": NaN}',
        b'{"code": 0, "why": "exit", "seconds": -1}', b'{"code": 0, "why": "exit", "seconds": "x"}',
        b'{"code": 0, "why": "exit", "seconds": 1e400}', b'{"code": 0.5, "why": "exit", "seconds": 1}',
    ],
)  # fmt: skip
def test_a_record_that_is_not_whole_or_of_the_wrong_kind_is_that_of_a_lost_attempt(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "exit.json").write_bytes(data)
    assert attempts.ended(tmp_path) == attempts.Ended(None, "lost", 0.0)


def test_a_record_of_a_gigabyte_is_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "exit.json").write_bytes(b" ")
    os.truncate(tmp_path / "exit.json", 1 << 30)
    began = time.monotonic()
    assert attempts.ended(tmp_path) == attempts.Ended(None, "lost", 0.0)
    assert time.monotonic() - began < 10
