"""The operator's editor on a file with conflict markers."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from uet_tui.errors import UetError
from uet_tui.store.conflict_views import ConflictView

_MARKERS = ("<<<<<<< ", "||||||| ", ">>>>>>> ")


def editor(setting: str) -> list[str]:
    """The editor's command line: the setting, else $VISUAL, else $EDITOR, else vi; raises `UetError` if not found."""
    command = setting or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UetError(f"the editor `{command}` is not a command line: {error}") from error
    if not words or shutil.which(words[0]) is None:
        raise UetError(f"the editor `{command}` is not found; set $EDITOR, or: --set editor=COMMAND")
    return words


def which_file(conflict: ConflictView, path: str | None) -> int:
    """The index of the file that was named, else of the only one, else of the only one that is not decided."""
    paths = [file.path for file in conflict.files]
    if path is None:
        left = [file.path for file in conflict.files if len(paths) == 1 or not file.decided]
        if len(left) != 1:
            raise UetError(f"conflict {conflict.id} has several files; say which one: --file {' | '.join(paths)}")
        path = left[0]
    if path not in paths:
        raise UetError(f"{path} is not a file of conflict {conflict.id}; its files are: {', '.join(paths)}")
    return paths.index(path)


def edited(command: list[str], marked: str, name: str) -> str:
    """What the operator made of a text with conflict markers.

    Args:
        command: The editor.
        marked: The text.
        name: The name of the file that it belongs to.

    Raises:
        UetError: the editor failed, or markers are left; what was written is kept and named.
    """
    folder = Path(tempfile.mkdtemp(prefix="uet-"))
    copy = folder / name  # under its own name, so that the editor knows the language
    copy.write_bytes(marked.encode())
    try:
        code = subprocess.run([*command, str(copy)], check=False).returncode
    except OSError as error:
        raise UetError(f"the editor {command[0]} did not start: {error.strerror}") from error
    if code != 0:
        raise UetError(f"the editor ended with {code}; nothing was changed, what you wrote is in {copy}")
    try:
        content = copy.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UetError(f"{copy} is no UTF-8 text any more; nothing was changed") from error
    left = next((n for n, line in enumerate(content.splitlines(), 1) if line.startswith(_MARKERS)), None)
    if left:
        raise UetError(f"{copy}:{left}: a conflict marker is left; nothing was changed, what you wrote is kept there")
    shutil.rmtree(folder)
    return content
