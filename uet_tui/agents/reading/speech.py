"""What all formats have in common: they hear lines one by one, and tell what they understood at any time."""

from collections import deque

from uet_tui.agents.reading.adding import Reports
from uet_tui.agents.reading.documents import json_object
from uet_tui.agents.reading.told import Told

_TAIL = 20
"""Lines that are kept of what is no report: what went wrong stands in the last ones."""
_LONGEST = 2000
"""Characters that are kept of each of them."""


class Speech:
    """The speech of any program: lines for people, and perhaps the statement that nothing needs changing.

    Formats refine it. Whatever they do not understand is left alone, never an error.
    """

    file: str = ""
    """The file in the attempt's folder that it also writes; empty if there is none."""
    whole: bool = False
    """Whether that file is one document, written anew each time, instead of lines that are appended."""

    mark: bytes | None = b'"uet"'
    """What the lines of its output hold that count; None: all do. Of a flood of others only the last are heard."""

    def __init__(self) -> None:
        self.reports = Reports()
        self.no_change = False
        self.doing = ""
        self.trouble = ""
        """What it says of what went wrong; empty once that is over."""
        self.worked: bool | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL)

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        if not self.stated(line):
            self.plain(line)

    def written(self, text: str) -> None:
        """Takes a line of its file, or the whole of it."""

    def over(self) -> None:
        """Takes that nothing more will come."""

    def plain(self, line: str) -> None:
        """Keeps a line that is for people."""
        if line.strip():
            self._tail.append(line[:_LONGEST])

    def stated(self, line: str) -> bool:
        """Whether a line is for uet: `{"uet": {...}}`, perhaps quoted as code; takes that nothing needs changing."""
        bare = line.strip().strip("`")
        if not bare.startswith('{"uet"'):
            return False
        said = (json_object(bare) or {}).get("uet")
        if not isinstance(said, dict):
            return False
        self.no_change = self.no_change or said.get("no_change") is True
        return True

    def words(self, text: str) -> None:
        """Takes what the model itself says, in a format that parts it from what its tools print."""
        for line in text.splitlines():
            if not self.stated(line) and line.strip():
                self.doing = line.strip()[:_LONGEST]

    @property
    def tail(self) -> str:
        """The last lines for people."""
        return "\n".join(self._tail)

    def told(self) -> Told:
        """What was understood so far."""
        last = self._tail[-1] if self._tail else ""
        return Told(
            reports=self.reports.all(),
            worked=self.worked,
            says=self.trouble,
            no_change=self.no_change,
            doing=self.doing or last,
            last_line=last,
        )
