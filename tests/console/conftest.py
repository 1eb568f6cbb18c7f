"""Fixtures of the console's tests; the views themselves are made by `tests.console.samples`."""

import pytest
from textual.widgets import Input

from tests.console.samples import FakeSource


@pytest.fixture(autouse=True)
def steady_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that does not blink: pictures must not depend on when they are taken."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _self: None)


@pytest.fixture
def source() -> FakeSource:
    """A source with the sample run."""
    return FakeSource()
