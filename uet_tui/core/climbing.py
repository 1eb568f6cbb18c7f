"""What follows from the ladder: a conflict that a machine may have settled, and the agent that is asked."""

from uet_tui.core.board import Board
from uet_tui.core.events import AgentAnswered, Climbed


def climbed(board: Board, event: Climbed) -> None:
    """The rungs that need no agent were tried."""
    raise NotImplementedError


def agent_answered(board: Board, event: AgentAnswered) -> None:
    """The agent that was asked is gone."""
    raise NotImplementedError
