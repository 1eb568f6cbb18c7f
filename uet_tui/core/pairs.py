"""The forecast of coming conflicts: which pairs of active branches are not clean together, and when one turns."""

from uet_tui.core.board import Board
from uet_tui.core.events import Forecast


def forecast(board: Board, event: Forecast) -> None:
    """What each pair would come to is known anew."""
    raise NotImplementedError
