"""A fleet on a repository of its own; tests whose programs are not installed are skipped, and say which and why."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.provider.script import Session
from tests.provider.server import FakeProvider
from tests.real_agents.fleet import Fleet, missing
from tests.support.repository import Repository

MakeFleet = Callable[[Mapping[str, Session]], Fleet]


@pytest.fixture(autouse=True)
def installed(request: pytest.FixtureRequest) -> None:
    """Skips a test whose programs, named by the mark `programs`, are not there."""
    for mark in request.node.iter_markers("programs"):
        for program in mark.args:
            if why := missing(program):
                pytest.skip(why)


@pytest.fixture
def fleet(repository: Repository) -> Iterator[MakeFleet]:
    """Makes a fleet whose provider answers these sessions."""
    providers: list[FakeProvider] = []

    def make(sessions: Mapping[str, Session]) -> Fleet:
        providers.append(FakeProvider(sessions).__enter__())
        return Fleet(repository, providers[-1])

    yield make
    for provider in providers:
        provider.__exit__()
        assert provider.strange == []
