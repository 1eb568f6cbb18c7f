"""Undoing a run: its merges in reverse order, one commit each, with the compensation actions."""

from collections.abc import Callable, Mapping

from uet_tui.core.board import Board
from uet_tui.core.commands import Verb
from uet_tui.core.events import Asked, Reverted, RevertFailed

ACTS: Mapping[Verb, Callable[[Board, Asked], str]] = {}
"""Each act takes a command and returns a line for the operator; it raises `Refusal`."""


def reverted(board: Board, event: Reverted) -> None:
    """A merge is undone."""
    raise NotImplementedError


def revert_failed(board: Board, event: RevertFailed) -> None:
    """A merge could not be undone."""
    raise NotImplementedError
