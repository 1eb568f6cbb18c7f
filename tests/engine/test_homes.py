"""Homes of agents: private, with the operator's login in them, and no way out."""

import os
from pathlib import Path

import pytest

from uet_tui.engine.homes import make_home

LOGIN = (".claude/.credentials.json", ".auth.json")


@pytest.fixture
def operator(tmp_path: Path) -> Path:
    """The operator's home, with a login."""
    home = tmp_path / "operator"
    (home / ".claude").mkdir(parents=True)
    (home / ".claude/.credentials.json").write_text("first")
    (home / ".claude/.credentials.json").chmod(0o644)
    os.utime(home / ".claude/.credentials.json", (1000, 1000))
    return home


def test_a_home_is_private_and_holds_the_login(tmp_path: Path, operator: Path) -> None:
    home = tmp_path / "homes/1/claude"
    make_home(home, LOGIN, operator)
    login = home / ".claude/.credentials.json"
    assert login.read_text() == "first"
    assert [path.stat().st_mode & 0o777 for path in (home, login.parent, login)] == [0o700, 0o700, 0o600]
    assert not (home / ".auth.json").exists(), "the operator has none"
    assert sorted(path.name for path in login.parent.iterdir()) == [".credentials.json"]


def test_a_login_is_copied_again_only_where_the_operators_is_newer(tmp_path: Path, operator: Path) -> None:
    home, theirs = tmp_path / "home", operator / ".claude/.credentials.json"
    own = home / ".claude/.credentials.json"
    make_home(home, LOGIN, operator)
    own.write_text("renewed by the agent")
    make_home(home, LOGIN, operator)
    assert own.read_text() == "renewed by the agent"
    assert theirs.read_text() == "first", "nothing is ever written back"
    theirs.write_text("second")
    os.utime(theirs, (own.stat().st_mtime + 1,) * 2)
    make_home(home, LOGIN, operator)
    assert own.read_text() == "second"


def test_what_an_agent_left_in_tmp_goes_and_the_rest_stays(tmp_path: Path, operator: Path) -> None:
    home = tmp_path / "home"
    make_home(home, (), operator)
    (home / "tmp/x").mkdir()
    (home / "session").write_text("kept")
    make_home(home, (), operator)
    assert list((home / "tmp").iterdir()) == []
    assert (home / "session").read_text() == "kept"


def test_links_that_an_agent_put_into_its_home_lead_nowhere(tmp_path: Path, operator: Path) -> None:
    home, precious = tmp_path / "home", tmp_path / "precious"
    precious.mkdir()
    (precious / ".credentials.json").write_text("mine")
    (precious / "note").write_text("mine")
    home.mkdir()
    (home / ".claude").symlink_to(precious)
    (home / "tmp").symlink_to(precious)
    make_home(home, LOGIN, operator)
    assert sorted(path.read_text() for path in precious.iterdir()) == ["mine", "mine"]
    assert (home / ".claude/.credentials.json").read_text() == "first"
    (home / ".claude/.credentials.json").unlink()
    (home / ".claude/.credentials.json").symlink_to(precious / "note")
    make_home(home, LOGIN, operator)
    assert (precious / "note").read_text() == "mine"
    assert (home / ".claude/.credentials.json").read_text() == "first"


def test_a_login_that_is_a_link_of_the_operators_own_is_followed(tmp_path: Path, operator: Path) -> None:
    (tmp_path / "dotfiles").write_text("linked")
    (operator / ".auth.json").symlink_to(tmp_path / "dotfiles")
    make_home(tmp_path / "home", LOGIN, operator)
    assert (tmp_path / "home/.auth.json").read_text() == "linked"
    assert not (tmp_path / "home/.auth.json").is_symlink()


def test_files_are_written_anew_each_time_and_never_through_a_link(tmp_path: Path, operator: Path) -> None:
    home, precious = tmp_path / "home", tmp_path / "precious"
    precious.write_text("mine")
    files = {".agent/config.json": "{}"}
    make_home(home, (), operator, files)
    (home / ".agent/config.json").unlink()
    (home / ".agent/config.json").symlink_to(precious)
    make_home(home, (), operator, files)
    assert (precious.read_text(), (home / ".agent/config.json").read_text()) == ("mine", "{}")
    assert [path.name for path in (home / ".agent").iterdir()] == ["config.json"]
