from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def operators_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's own configuration folder: empty, and never that of the machine the tests run on."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    folder = tmp_path / "xdg" / "uet"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repository" / "config").mkdir(parents=True)
    return tmp_path / "repository"
