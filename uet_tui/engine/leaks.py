"""Secrets that agents write into their work: found before git stores them, and taken out of what is kept."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError, out_of_room
from uet_tui.redaction import redact_file, secrets_in_file
from uet_tui.text import one_line
from uet_tui.workspace import trees
from uet_tui.workspace.sandbox import Sandbox
from uet_tui.workspace.trees import Change


class Leaks:
    """The files of a sandbox that hold a secret which agents are given. A file is read again only once it changed."""

    def __init__(self, place: Workplace, sandbox: Sandbox, since: Path) -> None:
        """Only what was written since another file was is looked at; where that is not there, no agent ever began."""
        self._redactor = place.given
        self._sandbox = sandbox
        self._since = since
        self._read: dict[bytes, tuple[tuple[int, int, int], bool]] = {}

    def look(self) -> list[bytes]:
        """Their paths, as they are now."""
        if not self._redactor or not self._since.exists():
            return []
        return [path for path in self._sandbox.written(self._since.stat().st_mtime_ns) if self._holds(path)]

    def _holds(self, path: bytes) -> bool:
        here = self._sandbox.folder / os.fsdecode(path)
        try:
            facts = here.lstat()
            mark = (facts.st_ctime_ns, facts.st_ino, facts.st_size)
            before = self._read.get(path)
            if before is None or before[0] != mark:
                before = self._read[path] = mark, bool(secrets_in_file(str(here), self._redactor))
            return before[1]
        except OSError:  # gone, or not to be read: then git cannot take it either
            return False


def take_out_secrets(place: Workplace, sandbox: Sandbox, base: str, since: Path) -> Mapping[str, str]:
    """Rewrites the files of a sandbox that hold a secret which agents are given, before any of them is stored.

    A value that the file held at the base commit is no secret of this repository's.

    Args:
        place: the run.
        sandbox: where an agent worked.
        base: the commit that it began at.
        since: a file that was written just before it began.

    Returns:
        the names of the secrets that each file held, by path.

    Raises:
        OSError: the disk is full; it may be done again.
        UetError: one of them cannot be taken out, so that nothing may be taken of what is there.
    """
    found: dict[str, str] = {}
    tree = place.control.tree_of(base)
    for path in Leaks(place, sandbox, since).look():
        name, here = trees.decode(path), str(sandbox.folder / os.fsdecode(path))
        known = place.control.entry(tree, name)
        was_file = known is not None and known.mode.startswith("100")
        before = place.given.found_in(place.control.read_blob(known.oid)) if known and was_file else set()
        try:
            held = secrets_in_file(here, place.given) - before
            if held:
                redact_file(here, place.given.only(held))
                found[name] = ", ".join(sorted(held))
        except FileNotFoundError:  # gone meanwhile
            continue
        except OSError as error:
            if out_of_room(error):
                raise
            raise UetError(f"{one_line(name, 120)} holds a secret that cannot be taken out: {error.strerror}") from error
    return found


def leak(changes: Sequence[Change], leaked: Mapping[str, str]) -> str:
    """Why changes may not be merged of which some held secrets; empty if none did."""
    for change in changes:
        if change.path in leaked:
            return f"wrote a secret into {one_line(change.path, 120)}: the value of {leaked[change.path]}"
    return ""
