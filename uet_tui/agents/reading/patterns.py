"""What an agent's settings say that it prints: when it worked, and when nothing needs changing."""

import re
from dataclasses import replace

from uet_tui.agents.reading.told import Told
from uet_tui.settings.agents import AgentSettings

_LONGEST = 10_000
"""Characters of a line that an expression is tried on."""


class Patterns:
    """Looks for the expressions `done` and `no_change` in the lines that an agent prints."""

    def __init__(self, agent: AgentSettings) -> None:
        self._done = re.compile(agent.done) if agent.done else None
        self._no_change = re.compile(agent.no_change) if agent.no_change else None
        self._is_done = False
        self._needs_none = False

    def __bool__(self) -> bool:
        return bool(self._done or self._no_change)

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        if self._done and not self._is_done:
            self._is_done = self._done.search(line[:_LONGEST]) is not None
        if self._no_change and not self._needs_none:
            self._needs_none = self._no_change.search(line[:_LONGEST]) is not None

    def added(self, told: Told) -> Told:
        """What it told, with what the expressions found."""
        return replace(told, no_change=True) if self._needs_none else told

    def verdict(self, worked: bool | None) -> bool | None:
        """Whether it worked: what it prints then must be there."""
        return worked if self._done is None or worked is False else self._is_done
