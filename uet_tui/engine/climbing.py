"""Climbing the ladder: what is tried on a conflict before the operator is asked."""

import threading

from uet_tui.core.effects import AskAgent
from uet_tui.core.events import AgentAnswered, Climbed
from uet_tui.core.records import ConflictRecord
from uet_tui.engine.workplace import Workplace


def climb(place: Workplace, conflict: ConflictRecord, leaving: threading.Event) -> Climbed:
    """Tries the rungs that need no agent, and gates what they propose."""
    raise NotImplementedError


def ask_agent(place: Workplace, effect: AskAgent, conflict: ConflictRecord, leaving: threading.Event) -> AgentAnswered:
    """Has an agent resolve a conflict in a sandbox of its own, and gates what it proposes."""
    raise NotImplementedError
