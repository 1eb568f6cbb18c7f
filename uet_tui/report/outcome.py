"""How a command that ran a plan ends: the run as an exit code."""

from uet_tui.core.states import RunState
from uet_tui.store.views import RunView

ALL_MERGED = 0
NOT_ALL_MERGED = 1
HALTED = 3
WAITS_FOR_OPERATOR = 4


def exit_code(view: RunView, *, landing_asked: bool) -> int:
    """0 all merged (and landed, if asked), 1 ended but some did not merge, 3 halted, 4 waits for the operator."""
    if view.state is RunState.HALTED:
        return HALTED
    if view.merged == len(view.workstreams):
        return ALL_MERGED if view.landed_at or not landing_asked else WAITS_FOR_OPERATOR
    if any(conflict.open for conflict in view.conflicts) or view.state is RunState.PAUSED:
        return WAITS_FOR_OPERATOR
    return NOT_ALL_MERGED
