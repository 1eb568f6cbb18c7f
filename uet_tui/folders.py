"""Going through folders that an agent filled: however deep they are, and whatever permissions they have.

The standard library goes down by recursion, and a thousand levels end it; a path of more than 4 KiB nobody can name.
The keeper uses this, so it imports nothing that is slow to load.
"""

import contextlib
import os
from collections.abc import Iterator
from itertools import count

_DEEPEST = 3000
"""Bytes of the longest path that is gone into. The system takes 4,095; two names of 255 and more are kept free."""


def walk(top: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each folder below one, with the names of the folders in it and of all else; links are not followed.

    What cannot be read is passed over. Whoever is given a folder may change what is in it before it is gone into.
    """
    todo = [top]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError:
            continue
        folders = [name for name, is_folder in found if is_folder]
        yield folder, folders, [name for name, is_folder in found if not is_folder]
        todo += [f"{folder}/{name}" for name in folders]


def permit(top: str) -> None:
    """Gives the owner back the permission to look into and change every folder."""
    with contextlib.suppress(OSError):
        os.chmod(top, os.stat(top).st_mode | 0o700)  # noqa: PTH101, PTH116 - the keeper cannot afford pathlib
    for folder, names, _ in walk(top):
        for name in names:
            with contextlib.suppress(OSError):
                here = f"{folder}/{name}"
                os.chmod(here, os.stat(here).st_mode | 0o700)  # noqa: PTH101, PTH116 - as above


def prune(top: str) -> None:
    """Removes the folders that lie so deep that no program can name what is in them."""
    for folder, names, _ in walk(top):
        for name in names:
            if len(os.fsencode(f"{folder}/{name}")) > _DEEPEST:
                with contextlib.suppress(OSError):
                    remove(f"{folder}/{name}")


def remove(top: str) -> None:
    """Removes a folder with all that is in it: folders are taken up to its top until none holds another.

    Raises:
        OSError: something in it cannot be removed.
    """
    if os.path.islink(top):  # noqa: PTH114 - the keeper cannot afford pathlib
        return os.unlink(top)  # noqa: PTH108 - as above
    os.chmod(top, 0o700)  # noqa: PTH101 - as above
    names = (f"{top}/{number}" for number in count())
    while folders := _emptied(top):
        for folder in folders:
            for inner in _emptied(folder):
                os.rename(inner, next(name for name in names if not os.path.lexists(name)))  # noqa: PTH104 - as above
            os.rmdir(folder)  # noqa: PTH106 - as above
    return os.rmdir(top)  # noqa: PTH106 - as above


def _emptied(folder: str) -> list[str]:
    """The folders in one, all else being removed; they may be moved and emptied themselves."""
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            os.chmod(entry.path, 0o700)  # noqa: PTH101 - as above
        else:
            os.unlink(entry.path)  # noqa: PTH108 - as above
    return [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
