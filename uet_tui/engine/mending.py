"""Making the store sound again before a run is taken up: restored where it is damaged, with the runs that it forgot."""

from contextlib import closing
from pathlib import Path

from uet_tui.engine.start import put_back
from uet_tui.errors import UetError
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.restoring import restore_if_damaged
from uet_tui.store.writer import Writer


def mend(home: Home) -> list[str]:
    """Restores a damaged store, and puts runs back on record that it does not know; says what was done, a line each.

    What happened after the last record of a run is found when that run is opened.

    Raises:
        UetError: it cannot be mended; nothing was changed.
    """
    restored = restore_if_damaged(home)
    told = [] if restored is None else [restored.text]
    forgotten = _forgotten(home)
    if not forgotten:
        return told
    with closing(Writer(home.database)) as writer:
        for run in forgotten:
            try:
                back = put_back(home, run, writer)
            except UetError as error:
                told.append(f"run {run} is not in the store and cannot be put back: {error}")
                continue
            how = "is put back on record as it began" if back else "cannot be put back: an older uet began it"
            told.append(f"run {run} was not in the store, and {how}")
    return told


def _forgotten(home: Home) -> list[str]:
    """Runs with attempts that the store does not know."""
    folders: list[Path] = sorted(path.parent for path in home.folder.glob("runs/*/attempts"))
    if not folders:
        return []
    with closing(Reader(home.database)) as reader:
        known = {run.id for run in reader.runs()}
    return [folder.name for folder in folders if folder.name not in known]
