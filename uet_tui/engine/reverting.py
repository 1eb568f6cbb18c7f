"""Undoing a merge on the integration branch."""

import threading

from uet_tui.core.effects import Revert
from uet_tui.core.events import Reverted, RevertFailed
from uet_tui.engine.workplace import Workplace


def revert(place: Workplace, effect: Revert, leaving: threading.Event) -> Reverted | RevertFailed:
    """Makes the commit that undoes a merge, moves the branch, runs the compensation actions."""
    raise NotImplementedError
