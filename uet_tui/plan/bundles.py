"""A file or folder of bundles -> workstreams, each with where it was read, and everything that is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uet_tui.plan.documents import MAX_BYTES, DocumentError, Node, decoded
from uet_tui.plan.fields import Complaint, declared
from uet_tui.plan.json_notation import read_json
from uet_tui.plan.model import Bundle, Problem
from uet_tui.plan.yaml_notation import read_yaml
from uet_tui.text import one_line

_READERS = {".json": read_json, ".jsonc": read_json, ".yaml": read_yaml, ".yml": read_yaml}
_ENDINGS = ".json, .jsonc, .yaml or .yml"
_MOST = 50
"""How many errors, and how many warnings, are told of one file."""


@dataclass(frozen=True, slots=True)
class Read:
    """What bundles came to. Where there are errors, workstreams may be missing."""

    bundles: tuple[Bundle, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read_bundles(path: Path) -> Read:
    """The bundles in a file, or in the files of a folder (not of folders in it; hidden files are left out)."""
    try:
        if not path.is_dir():
            return _read_file(path)
        files = [entry for entry in sorted(path.iterdir()) if _is_bundle(entry)]
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return _failed(path, f"cannot be read: {_reason(error)}")
    if not files:
        return _failed(path, f"holds no bundles: put files in it that end in {_ENDINGS}")
    reads = [_read_file(file) for file in files]
    return Read(
        tuple(bundle for read in reads for bundle in read.bundles),
        tuple(error for read in reads for error in read.errors),
        tuple(warning for read in reads for warning in read.warnings),
    )


def shown_path(path: Path) -> str:
    """A path as it can stand in a problem: on one line, encodable."""
    return one_line(str(path), 4096)


def _is_bundle(entry: Path) -> bool:
    return entry.suffix.lower() in _READERS and not entry.name.startswith(".") and not entry.is_dir()


def _read_file(file: Path) -> Read:
    try:
        if not file.exists():
            return _failed(file, "does not exist: name a bundle file or a folder of them")
        if not file.is_file():  # opening a FIFO would wait for ever
            return _failed(file, "is not a regular file")
        if file.suffix.lower() not in _READERS:
            return _failed(file, f"is not a bundle by its name: it must end in {_ENDINGS}")
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        root = _READERS[file.suffix.lower()](decoded(data))
    except DocumentError as error:
        return _failed(file, str(error), error.line)
    except (OSError, ValueError) as error:
        return _failed(file, f"cannot be read: {_reason(error)}")
    return _declared_in(file, root)


def _declared_in(file: Path, root: Node) -> Read:
    objects = list(root.inside.values()) if isinstance(root.value, list) else [root]
    if not objects:
        return _failed(file, "is an empty list: write at least one workstream", root.line)
    results = [(node, declared(node)) for node in objects]
    return Read(
        tuple(Bundle(it.workstream, file, node.line, node) for node, it in results if it.workstream),
        _problems(file, [complaint for _, it in results for complaint in it.errors]),
        _problems(file, [complaint for _, it in results for complaint in it.warnings]),
    )


def _problems(file: Path, complaints: Sequence[Complaint]) -> tuple[Problem, ...]:
    ordered = sorted(complaints)
    told = [Problem(shown_path(file), line, message) for line, message in ordered[:_MOST]]
    if len(ordered) > _MOST:
        told.append(Problem(shown_path(file), ordered[_MOST].line, f"and {len(ordered) - _MOST} more from here on"))
    return tuple(told)


def _failed(path: Path, message: str, line: int = 0) -> Read:
    return Read(errors=(Problem(shown_path(path), line, message),))


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "its name is not a path"
