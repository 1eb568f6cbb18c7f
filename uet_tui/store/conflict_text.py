"""The text of a conflicting file with its conflict markers: what the operator's editor opens."""

from pathlib import Path

from uet_tui.errors import UetError


def conflict_text(folder: Path, index: int) -> str:
    """The text of one file of a conflict, byte for byte: line ends and escape sequences as they are.

    Args:
        folder: the conflict's folder, `conflicts/<id>` in the run's.
        index: which of the conflict's files, from 0.

    Raises:
        UetError: there is none, or it is not text.
    """
    file = folder / f"{index}.txt"
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        raise UetError(f"{file}: there is no text to edit; take ours or theirs for the whole file") from None
    except UnicodeDecodeError as error:
        raise UetError(f"{file}: not UTF-8 text ({error.reason}); take ours or theirs instead") from None
