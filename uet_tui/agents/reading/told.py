"""What an agent has told, whatever the format that it told it in."""

from dataclasses import dataclass

from uet_tui.core.usage import Fault, Usage


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent has told so far, or in all. Texts are as the agent wrote them: not yet harmless."""

    reports: tuple[Usage, ...] = ()
    """All its reports of use, from the first: later tellings only append, so that none is counted twice."""
    worked: bool | None = None
    """Whether it says itself that it worked; None: it does not say, and its exit code decides."""
    fault: Fault | None = None
    """What went wrong, where it was not the work."""
    until: float | None = None
    """Until when its provider wants to be left alone, in seconds since the epoch."""
    says: str = ""
    """How it tells what went wrong."""
    no_change: bool = False
    """It said that nothing needs changing."""
    doing: str = ""
    """What it is at: a step, a call of a tool, the last line."""
    last_line: str = ""
    """The last line that it printed which is no report."""
