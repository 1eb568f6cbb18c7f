"""Lending the terminal to the operator's editor."""

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from uet_tui.errors import UetError


def edit(app: App[object], path: str, text: str) -> str | None:
    """What the operator makes of a text in `$VISUAL` or `$EDITOR`; None if it was left as it is.

    The file has the name of `path`, so that the editor knows its language. The console stands still meanwhile.

    Raises:
        UetError: there is no such editor, it failed, or this terminal cannot be lent.
    """
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="uet-edit-") as folder:
        file = Path(folder, Path(path).name or "conflict")
        file.write_bytes(text.encode())
        try:
            with app.suspend():
                done = subprocess.run([*command, str(file)], check=False)
        except SuspendNotSupported:
            raise UetError("this terminal cannot be lent to an editor: use `uet conflicts edit` in another") from None
        except OSError as error:
            raise UetError(f"{command[0]}: {error.strerror}; set EDITOR to an editor that is installed") from None
        if done.returncode:
            raise UetError(f"{command[0]} ended with {done.returncode}: nothing was taken")
        try:
            edited = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise UetError(f"{path} as edited cannot be read: {error}") from None
    return None if edited == text else edited


def has_markers(text: str, marked: str) -> bool:
    """Whether a conflict is still marked in a text.

    Args:
        text: what became of it.
        marked: the text with its markers, which says how long they are: longer than what looks like one in the file.
    """
    size = max((len(run) for run in re.findall(r"^<{7,}", marked, re.MULTILINE)), default=0)
    wanted = [char * size for char in "<=>"] if size else []
    return bool(wanted) and all(any(_is(line, marker) for line in text.split("\n")) for marker in wanted)


def _is(line: str, marker: str) -> bool:
    return line.startswith(marker) and not line.startswith(marker + marker[0])
