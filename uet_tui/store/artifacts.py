"""Files that attempts leave: prompt, output, diff. Read in pieces, made harmless on the way."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a growing file."""

    text: str
    """Harmless text, without markup meaning; ends at a line end where the file has one."""
    next_offset: int
    """Where to read on, in bytes."""


def read_output(folder: Path, offset: int = 0, limit: int = 65_536) -> Piece:
    """What the attempt in `folder` printed, from a byte offset on; a negative offset counts from the end."""
    ...


def read_prompt(folder: Path) -> str:
    """The prompt that the agent got; empty before there is one."""
    ...


def read_diff(folder: Path) -> str:
    """The unified diff of what the attempt changed; empty before there is one."""
    ...
