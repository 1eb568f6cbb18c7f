"""The control repository that tests of git work stand on."""

from collections.abc import Iterator

import pytest

from tests.support.repository import Repository
from tests.workspace.bench import Bench


@pytest.fixture
def bench(repository: Repository) -> Iterator[Bench]:
    """A control repository over a small repository."""
    bench = Bench.over(repository)
    yield bench
    bench.control.close()
