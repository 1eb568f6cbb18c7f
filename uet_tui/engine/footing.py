"""What a run stands on: its lock and its store, which must stay the files that they were."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from uet_tui.errors import UetError


class Footing:
    """Files that somebody has open, by what the file system calls them."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """They are as they are now."""
        self._files = {path: _identity(path) for path in paths}

    def make_sure(self) -> None:
        """Ends what would go on for ever otherwise: to whoever has it open a file that was deleted looks as it did.

        Raises:
            UetError: one was deleted, or another took its place.
        """
        for path, identity in self._files.items():
            if _identity(path) != identity:
                what = "replaced" if path.exists() else "deleted"
                raise UetError(f"{path} was {what} while the run went on: what happens now could not be remembered")


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None
