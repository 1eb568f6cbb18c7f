"""Homes that agents have of their own: one for each agent and sandbox, so that none meets another's state.

The operator's login is copied in, never back. A home is private, lies outside of every sandbox, and is the one place
where an agent's own files may hold secrets: they are its own.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from uet_tui import folders
from uet_tui.failpoints import reached
from uet_tui.store.files import open_regular


def make_home(home: Path, login: Sequence[str], operator: Path, files: Mapping[str, str] | None = None) -> None:
    """Makes a home, or makes it ready again: an empty `tmp`, and the files of the login where the operator's are newer.

    Args:
        home: where; kept from one attempt to the next.
        login: files relative to both homes; those that the operator does not have are passed over.
        operator: the operator's home.
        files: what it holds besides, by path: written anew each time.

    Raises:
        OSError: it cannot be made, or a file cannot be copied.
    """
    reached("home.before-made")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    make_empty(home / "tmp")
    for path in login:
        _copy_newer(operator, home, path)
    for path, text in (files or {}).items():
        with tempfile.NamedTemporaryFile("w", dir=_folder_of(home, path), encoding="utf-8", delete=False) as file:
            file.write(text)
        _put(Path(file.name), _folder_of(home, path) / Path(path).name)
    reached("home.made")


def make_empty(folder: Path) -> None:
    """Makes a private folder that is empty, whatever an agent left there.

    Raises:
        OSError: it cannot be made.
    """
    _remove(folder)
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)


def _copy_newer(operator: Path, home: Path, path: str) -> None:
    source = open_regular((operator / path).resolve())
    if source is None:
        return
    with source:
        facts = os.fstat(source.fileno())
        target = _folder_of(home, path) / Path(path).name
        with suppress(OSError):
            there = target.lstat()
            if stat.S_ISREG(there.st_mode) and there.st_mtime_ns >= facts.st_mtime_ns:
                return  # the same, or the agent's own renewal of it
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".login-", delete=False) as copy:
            shutil.copyfileobj(source, copy)
        os.utime(copy.name, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        _put(Path(copy.name), target)


def _put(new: Path, target: Path) -> None:
    """Puts a file in its place, whatever an agent made of that."""
    if target.is_dir() and not target.is_symlink():
        _remove(target)
    new.replace(target)


def _remove(path: Path) -> None:
    """Removes what is there, never through a link; folders that may not be written, as caches have them, as well."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    folders.remove(str(path))


def _folder_of(home: Path, path: str) -> Path:
    """The folder of a file in the home, made where it is missing: an agent may have put a link or a file there."""
    folder = home
    for name in Path(path).parts[:-1]:
        folder /= name
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            folder.unlink()
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    return folder
