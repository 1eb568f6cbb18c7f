"""Folders are gone through and removed however deep they are, and whatever permissions they have."""

import os
from pathlib import Path

import pytest

from tests.support.deep import deep
from uet_tui import folders


@pytest.mark.parametrize("levels", [0, 1, 5, 1200, 5000])
def test_a_folder_is_removed_however_deep_it_is(tmp_path: Path, levels: int) -> None:
    deep(tmp_path / "top", levels)
    (tmp_path / "top/0").touch()  # a name that it might have used itself
    folders.remove(str(tmp_path / "top"))
    assert list(tmp_path.iterdir()) == []


def test_what_links_lead_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    (tmp_path / "top").mkdir()
    for name in ("link", "0"):
        (tmp_path / "top" / name).symlink_to(tmp_path / "other")
    folders.permit(str(tmp_path / "top"))
    assert [names for _, names, _ in folders.walk(str(tmp_path / "top"))] == [[]]
    folders.remove(str(tmp_path / "top"))
    (tmp_path / "link").symlink_to(tmp_path / "other")
    folders.remove(str(tmp_path / "link"))
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["other", "other/file"]


def test_a_walk_finds_all_that_can_be_named(tmp_path: Path) -> None:
    deep(tmp_path / "top", 1500)
    (tmp_path / "top/d/d/file").touch()
    (tmp_path / "top/\udcff").touch()
    found = [
        (folder.removeprefix(str(tmp_path)).count("/d"), names)
        for folder, _, names in folders.walk(str(tmp_path / "top"))
        if names
    ]
    assert found == [(0, ["\udcff"]), (2, ["file"])]
    folders.prune(str(tmp_path / "top"))
    depth = sum(1 for _ in folders.walk(str(tmp_path / "top")))
    assert 1000 < depth < 1500, "what nobody could name is gone, and nothing else"
    folders.remove(str(tmp_path / "top"))


def test_permissions_that_were_taken_away_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "top/a/b").mkdir(parents=True)
    (tmp_path / "top/a/b/file").touch()
    for path in ("top/a/b", "top/a", "top"):
        (tmp_path / path).chmod(0)
    child = os.fork()
    if not child:  # as somebody whom permissions hold
        try:
            here = os.open(tmp_path, os.O_RDONLY)  # the folders above it are the tests' own
            if os.geteuid() == 0:
                for path in (tmp_path, *tmp_path.rglob("*")):
                    os.chown(path, 65534, 65534)
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.fchdir(here)
            folders.permit("top")
            seen = [names for _, _, names in folders.walk("top")]
            (Path("top/a")).chmod(0)
            folders.remove("top")
            os._exit(0 if seen == [[], [], ["file"]] else 1)
        except BaseException:  # noqa: BLE001 - the exit code tells
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not (tmp_path / "top").exists()
