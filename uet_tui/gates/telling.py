"""The line of a failed command's output that says most. Repeats are told by it, so it must differ where failures do."""

import re

from uet_tui.text import one_line

_LENGTH = 200
"""Characters of a line that are kept: what fits into a reason on the screen."""
_NAMED = (
    re.compile(r"(?:FAILED|ERROR) [^\s(]"),  # pytest's summary, which stands before a count that many failures share
    re.compile(r"(?:FAIL|ERROR): \S"),  # unittest
    re.compile(r"[^\s:]*[A-Za-z][^\s:]*:\d+(?::\d+)?:? \S"),  # a place in a file: linters, compilers
    re.compile(r"[A-Z]+\d{3,4} \S"),  # a rule's name, with the place in the next line: ruff
)
"""How lines begin that name a failure, the most telling first."""
_OF_RUNNERS = re.compile(r"make(?:\[\d+\])?: |npm (?:ERR!|error|warn|notice)")
"""What programs that only run others say in the end, whatever was wrong."""


def telling_line(output: str, silent: str) -> str:
    """The first line that names a failure, else the last that a runner did not add; `silent` if there is none."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    named = (line for pattern in _NAMED for line in lines if pattern.match(line))
    own = (line for line in reversed(lines) if not _OF_RUNNERS.match(line))
    return one_line(next(named, None) or next(own, None) or (lines or [silent])[-1], _LENGTH)


def last_line(output: str, silent: str = "it printed nothing") -> str:
    """The last line, whatever it says; `silent` if there is none."""
    return one_line((output.strip().splitlines() or [silent])[-1], _LENGTH)
