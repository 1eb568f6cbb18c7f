"""A store with one run that this test's orchestrator has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store import samples
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.writer import Writer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".uet")


@pytest.fixture
def writer(home: Home) -> Iterator[Writer]:
    """The writer of a store with `run-1`, claimed."""
    writer = Writer(home.database)
    writer.create_run(samples.records(), samples.plan())
    writer.claim("run-1", samples.TOKEN, 4242)
    yield writer
    writer.close()


@pytest.fixture
def reader(home: Home, writer: Writer) -> Iterator[Reader]:
    """A reader of that store; it is a minute after the run was made."""
    reader = Reader(home.database, lambda: samples.BEGIN + 60)
    yield reader
    reader.close()
