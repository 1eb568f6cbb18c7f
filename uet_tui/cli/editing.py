"""The operator's editor on a file with conflict markers."""

from uet_tui.console.editing import Copy, left_marker
from uet_tui.errors import UetError
from uet_tui.store.conflict_views import ConflictView
from uet_tui.text import one_line


def which_file(conflict: ConflictView, path: str | None) -> int:
    """The index of the file that was named, else of the only one, else of the only one that is not decided."""
    paths = [file.path for file in conflict.files]
    if path is None:
        left = [file.path for file in conflict.files if len(paths) == 1 or not file.decided]
        if len(left) != 1:
            raise UetError(f"conflict {conflict.id} has several files; say which one: --file {' | '.join(paths)}")
        path = left[0]
    path = one_line(path)  # as it is, or as screens show it
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
    copy = Copy(marked, name)
    content = copy.edit(command)
    if left := left_marker(content, marked):
        where = f"{copy.file}:{left}"
        raise UetError(f"{where}: a conflict marker is left; nothing was changed, what you wrote is kept there")
    copy.remove()
    return content
