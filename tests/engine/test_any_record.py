"""Whatever an agent leaves where its keeper tells how it ended, the engine reads an end, or none, and never fails."""

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from uet_tui.engine import attempts

values: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just([]) | st.just({})
)
records = st.dictionaries(st.sampled_from(["code", "seconds", "how", "ended", "pid", "start", "x"]), values)

LARGE = {"deep": b"[" * 100_000, "long": b"9" * 5000}


@given(
    st.sampled_from(["exit.json", "keeper.json"]),
    st.binary() | records.map(lambda record: json.dumps(record).encode()) | st.just("deep") | st.just("long"),
)
def test_any_bytes_in_the_records_of_an_attempt(name: str, data: bytes | str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(LARGE[data] if isinstance(data, str) else data)
        attempts.ended(Path(folder))
        attempts.orphaned(Path(folder))
        attempts.keeper_of(Path(folder))
