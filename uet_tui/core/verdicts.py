"""The verdicts of gates: the words, and which of them let work go on."""

from typing import Final

PASSED: Final = "passed"
FAILED: Final = "failed"
ERROR: Final = "error"
"""It could not be run: its program is missing, or may not be executed."""
TIMEOUT: Final = "timeout"
"""It did not end within its time limit, and was ended."""
FLAKY: Final = "flaky"
"""It failed, and passed when it was run again on the same tree."""
RED_BEFORE: Final = "red before"
"""It fails, and it failed before any agent began: it is not held against this one."""
NO_TESTS: Final = "no tests"
"""Its program found nothing to test, and that is configured to be no failure."""
NOT_RUN: Final = "not run"
"""Nothing was run: it is prose, this is a rehearsal, or a blocking gate failed before it."""
NOT_CONFIGURED: Final = "not configured"
"""No command is configured for it that applies to these files."""

SEVERITY: Final = {
    PASSED: "info",
    NO_TESTS: "info",
    NOT_RUN: "info",
    NOT_CONFIGURED: "info",
    FLAKY: "warning",
    RED_BEFORE: "warning",
    FAILED: "warning",
    ERROR: "warning",
    TIMEOUT: "warning",
}
"""All verdicts, and how an event that tells of one is marked."""

RED: Final = frozenset({FAILED, ERROR, TIMEOUT})
"""The verdicts that speak against the work; all others hold."""


def holds(verdict: str) -> bool:
    """Whether nothing in the verdict speaks against the work. A word that is not known speaks against it."""
    return verdict in SEVERITY and verdict not in RED
