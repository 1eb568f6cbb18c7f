"""Secrets that agents write into their work: found before git stores them, and taken out of what is kept."""

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError, out_of_room
from uet_tui.redaction import Redactor, redact_file, secrets_in_file
from uet_tui.text import one_line
from uet_tui.workspace import trees
from uet_tui.workspace.sandbox import ENDLESS, Sandbox
from uet_tui.workspace.trees import Change

_READ = ("100644", "100755", "120000")
"""Modes of files and links."""


class Leaks:
    """The files of a sandbox that hold a secret which agents are given. A file is read again only once it changed."""

    def __init__(self, place: Workplace, sandbox: Sandbox, since: Path) -> None:
        """Only what was written since another file was is looked at; where that is not there, no agent ever began."""
        self._redactor = place.given
        self._sandbox = sandbox
        self._since = since
        self._read: dict[bytes, tuple[tuple[int, int, int], bool]] = {}

    def look(self) -> list[bytes]:
        """Their paths, as they are now; with them links that lead to a secret, and whatever bears one in its name."""
        if not self._redactor or not self._since.exists():
            return []
        files = self._sandbox.files(self._since.stat().st_mtime_ns)
        named = self._redactor.found_in(b"\n".join(path for path, _ in files))  # all at once: hardly ever one does
        return [
            path
            for path, written in files
            if (written and self._holds(path)) or (named and self._redactor.found_in(path))
        ]

    def _holds(self, path: bytes) -> bool:
        here = self._sandbox.folder / os.fsdecode(path)
        try:
            facts = here.lstat()
            mark = (facts.st_ctime_ns, facts.st_ino, facts.st_size)
            before = self._read.get(path)
            if before is None or before[0] != mark:
                held = facts.st_size <= ENDLESS and bool(_held(here, self._redactor))  # what is larger is left out
                before = self._read[path] = mark, held
            return before[1]
        except OSError as error:  # gone, or not to be read: then git cannot take it either, unless it can go further in
            return error.errno == errno.ENAMETOOLONG


def _held(here: Path, redactor: Redactor) -> set[str]:
    """The names of the secrets in a file, or in where a link leads."""
    if here.is_symlink():
        return redactor.found_in(os.fsencode(here.readlink()))
    return secrets_in_file(str(here), redactor)


def take_out_secrets(place: Workplace, sandbox: Sandbox, base: str, since: Path) -> Mapping[str, str]:
    """Rewrites the files of a sandbox that hold a secret which agents are given, before any of them is stored.

    So are links that lead to one, and what bears one in its name gets another. What was so at the base commit is no
    secret of this repository's.

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
    for path in Leaks(place, sandbox, since).look():
        try:
            name, held = _taken_out(place, sandbox, base, path)
        except FileNotFoundError:  # gone meanwhile
            continue
        except OSError as error:
            if out_of_room(error):
                raise
            shown = place.given.text(one_line(trees.decode(path), 120))
            raise UetError(f"no secret can be taken out of {shown}: {error.strerror}") from error
        if held:
            found[name] = ", ".join(sorted(held))
    return found


def _taken_out(place: Workplace, sandbox: Sandbox, base: str, path: bytes) -> tuple[str, set[str]]:
    """What a file is called without the secrets that it held, and their names."""
    name, here = trees.decode(path), sandbox.folder / os.fsdecode(path)
    known = place.control.entry(place.control.tree_of(base), name)
    before = place.given.found_in(place.control.read_blob(known.oid)) if known and known.mode in _READ else set()
    held = _held(here, place.given) - before
    only = place.given.only(held)
    if held and here.is_symlink():
        target = only.data(os.fsencode(here.readlink()))
        here.unlink()
        here.symlink_to(os.fsdecode(target))
    elif held:
        redact_file(str(here), only)
    named = set() if known else place.given.found_in(path)
    if named:
        name = trees.decode(place.given.data(path))
        os.renames(here, sandbox.folder / name)
    return name, held | named


def secrets_among(place: Workplace, changes: Sequence[Change]) -> Mapping[str, str]:
    """The names of the secrets that changes bring in which were made a commit of already, by path."""
    found: dict[str, str] = {}
    for change in changes if place.given else ():
        before, after = (
            place.given.found_in(place.control.read_blob(entry.oid)) if entry and entry.mode in _READ else set()
            for entry in (change.old, change.new)
        )
        named = place.given.found_in(trees.encode(change.path)) if change.status == "A" else set()
        if held := (after - before) | named:
            found[change.path] = ", ".join(sorted(held))
    return found


def leak(changes: Sequence[Change], leaked: Mapping[str, str]) -> str:
    """Why changes may not be merged of which some held secrets; empty if none did."""
    for change in changes:
        if change.path in leaked:
            return f"wrote a secret into {one_line(change.path, 120)}: the value of {leaked[change.path]}"
    return ""
