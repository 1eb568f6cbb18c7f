"""The rungs of the ladder that need no person and no agent: what each is given, and what it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from uet_tui.core.conflicts import ConflictFile
from uet_tui.settings.model import LadderSettings
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.trees import Change


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int | None
    """Its exit code; None: it was ended at the time limit."""
    output: str
    """The end of what it printed, as it came."""
    changes: tuple[Change, ...] = ()
    """What it changed in the tree that it was run in, in path order."""


class Workshop(Protocol):
    """Where commands of the ladder run: with a time limit, an environment of their own, their whole tree ended."""

    def in_tree(self, tree: str, command: str) -> Ran:
        """Runs a shell command in a sandbox that is checked out at a tree, and says what it changed there."""
        ...

    def in_folder(self, folder: Path, command: str) -> Ran:
        """Runs a shell command in a folder."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """A conflict on its way up the ladder."""

    control: ControlRepository
    tree: str
    """What git merged by itself; files in conflict hold markers."""
    files: tuple[ConflictFile, ...]
    """All files in conflict; those that are settled hold their proposals."""
    settings: LadderSettings
    workshop: Workshop


@dataclass(frozen=True, slots=True)
class Made:
    """What a rung made of the files that it was given; a file that is in neither mapping is not for this rung."""

    texts: Mapping[str, bytes] = field(default_factory=dict)
    """The whole of each file that it resolved, by path."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Why it made nothing of a file, in one line, by path."""
    notes: tuple[str, ...] = ()
    """What is to be known beside: lines for the record."""


class Climber(Protocol):
    """One rung."""

    def __call__(self, case: Case, files: Sequence[ConflictFile]) -> Made:
        """Tries the files that are not settled yet."""
        ...
