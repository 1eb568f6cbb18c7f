"""What the agent of an attempt or of an ask has told: priced, made harmless, and without secrets."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from uet_tui.agents.prices import priced
from uet_tui.agents.reading.listening import Listener
from uet_tui.agents.reading.told import Told
from uet_tui.core.states import AttemptState
from uet_tui.core.usage import Fault, Usage
from uet_tui.engine import attempts
from uet_tui.engine.workplace import Workplace
from uet_tui.store.paths import OUTPUT
from uet_tui.text import one_line

_DOING: Final = 120
_ERROR: Final = 200
"""Characters of what it says that are kept."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an agent told in all, and how it ended."""

    outcome: AttemptState
    error: str
    """Why it did not work, in one line; empty if it did."""
    reports: tuple[Usage, ...]
    no_change: bool
    fault: Fault | None
    until: float | None


class Hearing:
    """Hears one agent out: now and then while it goes on, and at its end."""

    def __init__(self, place: Workplace, agent: str, model: str, folder: Path) -> None:
        """`model` is what it was told to use; `folder` is the attempt's."""
        self._place = place
        self._model = model or place.agent(agent).model
        self._output = folder / OUTPUT
        self._listener = Listener(place.agent(agent), self._output)
        self._reports: tuple[Usage, ...] = ()
        self._counted = 0

    def look(self) -> tuple[str, tuple[Usage, ...] | None]:
        """What it is doing, and all its reports if there are new ones."""
        told = self._listener.look()
        doing = self._line(told.doing, _DOING)
        if len(told.reports) <= self._counted:
            return doing, None
        self._counted = len(told.reports)
        return doing, self._priced(told.reports)

    def end(self, ended: attempts.Ended) -> Heard:
        """What it told in all."""
        told = self._listener.end(ended.code if ended.why == "exit" else None, self._last_said())
        outcome, error = self._outcome(ended, told)
        went_wrong = outcome in (AttemptState.FAILED, AttemptState.TIMED_OUT)
        return Heard(
            outcome,
            error,
            self._priced(told.reports),
            told.no_change,
            told.fault if went_wrong else None,
            told.until if went_wrong else None,
        )

    def _outcome(self, ended: attempts.Ended, told: Told) -> tuple[AttemptState, str]:
        says = self._line(told.says, _ERROR)
        last = says or self._line(told.last_line, _ERROR)
        match ended.why, ended.code:
            case "exit", 0 if told.worked is not False:
                return AttemptState.SUCCEEDED, ""
            case "exit", 0:
                return AttemptState.FAILED, last or "it ended without saying that it worked"
            case "timeout", _ if told.fault is not None and says:  # it tried until its time was over
                return AttemptState.FAILED, f"{says} (until its time limit, {ended.seconds:.0f} s)"
            case "timeout", _:
                return AttemptState.TIMED_OUT, f"did not end within its time limit ({ended.seconds:.0f} s)"
            case "memory" | "disk" | "stall" as limit, _:
                return AttemptState.FAILED, self._passed(limit)
            case "killed", _:
                return AttemptState.KILLED, "ended on request"
            case "exit", code:
                return AttemptState.FAILED, f"exit {code}" + (f": {last}" if last else "")
            case _:
                return AttemptState.LOST, "its processes are gone and nobody saw how they ended"

    def _passed(self, limit: str) -> str:
        """Which of the limits an attempt was ended by."""
        settings = self._place.settings
        match limit:
            case "memory":
                return f"ended: it used more memory than memory_mb allows ({settings.memory_mb} MB)"
            case "disk":
                return f"ended: it wrote more than disk_mb allows ({settings.disk_mb} MB)"
            case _:
                seconds = settings.stall_end_seconds
                return f"ended: it neither printed nor used the processor for stall_end_seconds ({seconds:g} s)"

    def _priced(self, reports: Iterable[Usage]) -> tuple[Usage, ...]:
        harmless = (replace(report, model=self._line(report.model, 100)) for report in reports)
        return priced(harmless, self._model, self._place.settings.budget)

    def _line(self, text: str, limit: int) -> str:
        return self._place.redactor.text(one_line(text, limit)) if text else ""

    def _last_said(self) -> float:
        """When it printed last: what it says of a time to wait was said then."""
        try:
            return min(max(0.0, self._output.stat().st_mtime), time.time())  # the agent may have set it
        except OSError:
            return 0.0
