from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.scene import make_run
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A store with a run in the middle of its work."""
    make_run(tmp_path)
    return Home(tmp_path / ".uet")


@pytest.fixture
def reader(home: Home) -> Iterator[Reader]:
    with closing(Reader(home.database)) as opened:
        yield opened
