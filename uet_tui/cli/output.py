"""What a command prints: facts on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Mapping

from rich.console import Console, RenderableType

from uet_tui.text import one_line


def emit(document: Mapping[str, object]) -> None:
    """Prints one JSON document."""
    print(json.dumps(document, indent=2, allow_nan=False))  # noqa: T201  # this is what the command is for


def emit_line(document: Mapping[str, object]) -> None:
    """Prints one JSON document on one line and at once, for a reader that waits for it."""
    print(json.dumps(document, allow_nan=False), flush=True)  # noqa: T201  # this is what the command is for


def console(*, stderr: bool = False) -> Console:
    """A rich console that takes all text as it is; away from a terminal it is plain and as wide as its lines."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 10_000
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def show(*parts: RenderableType) -> None:
    """Prints for people; away from a terminal without the blanks that fill up a table's columns."""
    out = console()
    if out.is_terminal:
        out.print(*parts, sep="\n")
        return
    with out.capture() as captured:
        out.print(*parts, sep="\n")
    for line in captured.get().splitlines():
        print(line.rstrip())  # noqa: T201  # this is what the command is for


def complain(message: str) -> None:
    """Prints one line on standard error."""
    print("uet: " + one_line(message, limit=2000), file=sys.stderr)  # noqa: T201  # this is what standard error is for
