"""Finding the runs of this repository and opening one for reading."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from uet_tui.errors import UetError
from uet_tui.store.paths import Home, RunPaths
from uet_tui.store.queries import Reader


@dataclass(frozen=True, slots=True)
class Look:
    """One run, open for reading."""

    home: Home
    reader: Reader
    run: str

    @property
    def paths(self) -> RunPaths:
        """The files of the run."""
        return self.home.run(self.run)


def home() -> Home:
    """The runs of this repository; raises `UetError` if there never was one here."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if os.path.lexists(folder / ".uet" / "uet.db"):
            return Home(folder / ".uet")
    raise UetError(f"there are no runs in {here}; go to the repository, or start one there with: uet run")


@contextmanager
def look(run: str | None) -> Iterator[Look]:
    """Opens a run for reading: the named one or the newest; raises `UetError` if there is none such."""
    place = home()
    with closing(Reader(place.database)) as reader:
        yield Look(place, reader, reader.resolve(run))
