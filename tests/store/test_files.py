"""Files that are put in their place whole, by many at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from uet_tui.store.files import write_whole


def test_threads_that_write_the_same_file_do_not_stumble_over_each_other(tmp_path: Path) -> None:
    texts = [str(number % 10).encode() * 10_000 for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_whole(tmp_path / "whole", text), texts))
    assert (tmp_path / "whole").read_bytes() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_what_cannot_be_put_in_its_place_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
