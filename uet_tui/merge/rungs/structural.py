"""Structural: a program that knows the language merges the file, if one is configured for it."""

import shlex
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from uet_tui.core.conflicts import ConflictFile
from uet_tui.merge.hunks import marker_size
from uet_tui.merge.rungs import Case, Made
from uet_tui.merge.rungs.regenerate import why_failed
from uet_tui.merge.texts import LARGEST, sides
from uet_tui.plan.scopes import covers
from uet_tui.workspace.mergetree import merge_file


def structural(case: Case, files: Sequence[ConflictFile]) -> Made:
    """Runs the first configured program that covers a file, in a folder that holds the three versions and no more.

    Its result is what it writes to `{output}`; or, if its command has none, what it makes of `{marked}` in place.
    """
    texts: dict[str, bytes] = {}
    failed: dict[str, str] = {}
    for file in files:
        command = next((c.command for c in case.settings.structural if covers(c.paths, file.path)), None)
        versions = sides(case.control, file) if command is not None else None
        if command is None or versions is None:
            continue
        result = _merged(case, file, command, versions)
        if isinstance(result, bytes):
            texts[file.path] = result
        else:
            failed[file.path] = result
    return Made(texts, failed)


def _merged(case: Case, file: ConflictFile, command: str, versions: tuple[bytes, bytes, bytes]) -> bytes | str:
    """What the program made; or, in one line, why it made nothing."""
    ours, base, theirs = versions
    suffix = PurePosixPath(file.path).suffix
    marked = merge_file(case.control, ours, base, theirs, marker_size(*versions), style="diff3")
    with tempfile.TemporaryDirectory(prefix="structural-", dir=case.control.path) as name:
        places = {
            part: Path(name, f"{part}{_plain(suffix)}") for part in ("base", "ours", "theirs", "marked", "output")
        }
        for part, text in {"base": base, "ours": ours, "theirs": theirs, "marked": marked}.items():
            places[part].write_bytes(text)
        result = places["output" if "{output}" in command else "marked"]
        for part, place in places.items():
            command = command.replace(f"{{{part}}}", shlex.quote(str(place)))
        command = command.replace("{path}", shlex.quote(file.path))
        ran = case.workshop.in_folder(Path(name), command)
        return why_failed(ran, case.settings.command_seconds) or _read(result)


def _plain(suffix: str) -> str:
    """The end of a name that tells its language, if a shell need not be told about it."""
    return suffix if suffix[1:].isalnum() and suffix.isascii() else ""


def _read(place: Path) -> bytes | str:
    try:
        found = place.lstat()
    except FileNotFoundError:
        return "wrote no result"
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
        return "wrote no result that is a plain file of a fair size"
    return place.read_bytes()
