"""The operator's editor on a file of a conflict: what the console and the command line share, without a screen."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uet_tui.errors import UetError


def editor(setting: str) -> list[str]:
    """The editor's command line: the setting, else `$VISUAL`, else `$EDITOR`, else vi.

    Raises:
        UetError: it is no command line, or there is no such program.
    """
    named = {"the setting `editor`": setting, "$VISUAL": os.environ.get("VISUAL"), "$EDITOR": os.environ.get("EDITOR")}
    where, command = next(((where, found) for where, found in named.items() if found), ("", "vi"))
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UetError(f"the editor `{command}` is not a command line ({error}); correct {where}") from None
    if not words or shutil.which(words[0]) is None:
        what = f"{where} says `{command}`, which is not found" if where else f"`{command}` is not found"
        raise UetError(f"{what}; set $EDITOR to an editor that is installed, or: --set editor=COMMAND")
    return words


class Copy:
    """A copy of a text, under its file's own name so that the editor knows the language; stays until it is removed."""

    def __init__(self, text: str, name: str) -> None:
        self.file = Path(tempfile.mkdtemp(prefix="uet-edit-"), name or "conflict")
        self.file.write_bytes(text.encode())

    def edit(self, command: list[str]) -> str:
        """What the operator makes of it.

        Raises:
            UetError: the editor failed, or what it left is no text; it is kept and named.
        """
        try:
            with _interrupts_ignored():
                code = subprocess.run([*command, str(self.file)], check=False).returncode
        except OSError as error:
            raise UetError(f"the editor {command[0]} did not start: {error.strerror}") from error
        if code != 0:
            raise UetError(f"the editor ended with {code}; nothing was changed, what you wrote is in {self.file}")
        try:
            return self.file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise UetError(f"{self.file} is no UTF-8 text any more; nothing was changed") from error

    def remove(self) -> None:
        """Deletes the copy: what is in it was taken, or is of no use."""
        shutil.rmtree(self.file.parent, ignore_errors=True)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Lets ctrl+c be the editor's alone: the terminal sends it to every program in the foreground, to this one too."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the editor would inherit
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def left_marker(text: str, marked: str) -> int | None:
    """The first line of a text that marks a conflict, counted from 1; None if none is left.

    Args:
        text: what became of it.
        marked: the text with its markers, which says how long they are: longer than what looks like one in the file.
    """
    size = max((len(run) for run in re.findall(r"^<{7,}", marked, re.MULTILINE)), default=0)
    wanted = tuple(char * size for char in "<|>") if size else ()
    lines = enumerate(text.split("\n"), start=1)
    return next((number for number, line in lines for marker in wanted if _is(line, marker)), None)


def _is(line: str, marker: str) -> bool:
    return line.startswith(marker) and line[len(marker) : len(marker) + 1] in ("", " ", "\r")
