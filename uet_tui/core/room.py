"""A disk that is nearly full: the run pauses before anything is lost for want of room, and goes on by itself."""

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.events import Room
from uet_tui.core.states import RunState
from uet_tui.core.workers import fill_workers

_FULL = "the disk is nearly full: "
"""How the reason of a run begins that waits for room."""


def room(board: Board, event: Room) -> None:
    """There is no room to begin anything, or there is again; told at every look while there is none."""
    run = board.records.run
    waits = run.state is RunState.PAUSED and run.reason.startswith(_FULL)
    if not event.enough and run.state is RunState.RUNNING:
        board.move_run(RunState.PAUSED, f"{_FULL}{event.told}")
        board.tell(
            vocabulary.DISK_FULL, f"{_FULL}{event.told}; running attempts finish, no new one starts", severity="warning"
        )
    elif event.enough and waits and board.dispatching:
        board.move_run(RunState.RUNNING)
        board.tell(vocabulary.DISK_HAS_ROOM, f"there is room again ({event.told}): the run goes on")
        fill_workers(board)
