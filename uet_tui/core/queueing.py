"""What the operator wants of the merge queue: hold one, let it go, put one first."""

from collections.abc import Callable, Mapping

from uet_tui.core.board import Board
from uet_tui.core.commands import Verb
from uet_tui.core.events import Asked

ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {}
"""Each act takes a command and returns a line for the operator; it raises `Refusal`."""
