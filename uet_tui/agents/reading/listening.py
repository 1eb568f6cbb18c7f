"""Listening to one agent: what it printed and wrote, in the format that its settings name."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from uet_tui.agents.reading.aider import Aider
from uet_tui.agents.reading.claude import Claude
from uet_tui.agents.reading.codex import Codex
from uet_tui.agents.reading.faults import fault_in, rules_of
from uet_tui.agents.reading.gemini import Gemini
from uet_tui.agents.reading.lines import Lines
from uet_tui.agents.reading.mapped import Mapped
from uet_tui.agents.reading.mini import Mini
from uet_tui.agents.reading.opencode import OpenCode
from uet_tui.agents.reading.patterns import Patterns
from uet_tui.agents.reading.speech import Speech
from uet_tui.agents.reading.told import Told
from uet_tui.agents.reading.uet_lines import UetLines
from uet_tui.settings.agents import AgentSettings
from uet_tui.store.files import open_regular
from uet_tui.store.paths import OWN

_AT_ONCE: Final = 1 << 21
"""Bytes that are read at one look while an agent goes on, so that none holds up the others."""
_AT_THE_END: Final = 1 << 28
"""Bytes that are read once it is over: more tells nothing that an agent would tell."""
_LARGEST_DOCUMENT: Final = 1 << 26
"""Bytes of a file that is one document; a larger one is not read."""
_LAST_WORDS: Final = 10_000
"""Characters in which is looked for what went wrong: an expression may take the square of them."""
_FORMATS: Final[Mapping[str, Callable[[], Speech]]] = {
    "none": Speech,
    "json-lines": UetLines,
    "claude": Claude,
    "codex": Codex,
    "aider": Aider,
    "mini": Mini,
    "opencode": OpenCode,
    "gemini": Gemini,
}


class Listener:
    """Listens to the agent of one attempt, from the beginning, each byte once."""

    def __init__(self, agent: AgentSettings, output: Path) -> None:
        """`output` is what it prints; the file that its format may have is in the agent's own folder."""
        self._agent = agent
        self._output = output
        self._begin()

    def _begin(self) -> None:
        usage = self._agent.usage
        self._speech = Mapped(usage) if usage.format not in _FORMATS else _FORMATS[usage.format]()
        self._patterns = Patterns(self._agent)
        file = usage.file or self._speech.file
        self._printed = Lines(self._output, None if self._patterns else self._speech.mark)
        self._path = self._output.parent / OWN / file if file else None
        self._written = Lines(self._path) if self._path else None
        self._version: tuple[int, int] | None = None

    def look(self, most: int = _AT_ONCE) -> Told:
        """What it has told so far; of what is new at most so many bytes are read."""
        if self._printed.changed() or (not self._speech.whole and self._written and self._written.changed()):
            self._begin()
        for line in self._printed.new(most):
            self._print(line)
        if self._path and self._speech.whole:
            self._document(self._path)
        elif self._written:
            for line in self._written.new(most):
                self._speech.written(line)
        return self._patterns.added(self._speech.told())

    def end(self, code: int | None, said_at: float) -> Told:
        """What it told in all, and what went wrong.

        Args:
            code: its exit code; None where nobody saw it.
            said_at: when it said its last, in seconds since the epoch.
        """
        self.look(_AT_THE_END)
        for line in self._printed.end():
            self._print(line)
        if self._written and not self._speech.whole:
            for line in self._written.end():
                self._speech.written(line)
        self._speech.over()
        self._speech.reports.close()
        told = self._patterns.added(self._speech.told())
        worked = self._patterns.verdict(told.worked)
        if worked is not False and code == 0:
            return replace(told, worked=worked, says="")
        rules = rules_of(self._agent.faults, shared=self._agent.prompt == "text")
        found = fault_in((told.says or self._speech.tail)[-_LAST_WORDS:], code, rules, said_at)
        fault, until = found or (None, None)
        return replace(told, worked=worked, fault=fault, until=until)

    def _print(self, line: str) -> None:
        self._speech.printed(line)
        self._patterns.printed(line)

    def _document(self, path: Path) -> None:
        file = open_regular(path)
        if file is None:
            return
        with file:
            facts = os.fstat(file.fileno())
            version = (facts.st_mtime_ns, facts.st_size)
            if version != self._version and facts.st_size <= _LARGEST_DOCUMENT:
                self._version = version
                self._speech.written(file.read(_LARGEST_DOCUMENT).decode("utf-8", "replace"))
