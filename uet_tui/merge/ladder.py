"""The ladder: what is tried on a conflict before an agent or the operator is asked, each rung on what is left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from uet_tui.core.conflicts import ConflictFile, Entry, Rung, holds
from uet_tui.merge.proposing import propose_results
from uet_tui.merge.rungs import Case, Climber, Made, Workshop
from uet_tui.merge.rungs.recorded import recorded
from uet_tui.merge.rungs.regenerate import regenerate
from uet_tui.merge.rungs.structural import structural
from uet_tui.merge.rungs.union import union
from uet_tui.merge.texts import marker_in
from uet_tui.settings.model import LadderSettings
from uet_tui.text import one_line
from uet_tui.workspace.control import ControlRepository

_CLIMBERS: Final[tuple[tuple[str, Climber], ...]] = (
    ("recorded", recorded),
    ("union", union),
    ("regenerate", regenerate),
    ("structural", structural),
)
_EVIDENCE = 3
"""Lines of evidence that a rung's entry on record tells; the file has them all."""
_DETAIL = 1_000
"""Characters of a rung's entry on record."""


@dataclass(frozen=True, slots=True)
class Climbing:
    """How far a conflict came."""

    files: tuple[ConflictFile, ...]
    """All its files; what a rung made is their proposal, with the evidence against it if there is any."""
    tried: tuple[Rung, ...]
    """What was tried, in that order: one entry for each verdict that a rung came to."""

    @property
    def settled(self) -> bool:
        """Whether every file has a proposal that the side-loss check let pass."""
        return all(holds(file) for file in self.files)


def climb(
    control: ControlRepository,
    tree: str,
    files: Sequence[ConflictFile],
    settings: LadderSettings,
    workshop: Workshop,
    clock: Callable[[], float],
) -> Climbing:
    """Tries the rungs that need no agent, from the bottom, each on the files that are not settled yet.

    Args:
        control: where the conflict's objects are.
        tree: what git merged by itself; files in conflict hold markers.
        files: the files in conflict; proposals of theirs that hold are kept.
        settings: which rungs are tried on which paths.
        workshop: runs the commands of `regenerate` and `structural`.
        clock: monotonic time, in seconds.

    Raises:
        whatever the workshop raises when the orchestrator leaves: nothing was changed then.
    """
    case = Case(control, tree, tuple(files), settings, workshop)
    tried: list[Rung] = []
    for name, climber in _CLIMBERS:
        case = _step(case, name, climber, clock, tried)
    if "structural" in (rung.name for rung in tried if rung.verdict == "settled"):
        # What is generated from a file that is settled only now can be made anew from it.
        case = _step(case, "regenerate", regenerate, clock, tried)
    return Climbing(case.files, tuple(tried))


def _step(case: Case, name: str, climber: Climber, clock: Callable[[], float], tried: list[Rung]) -> Case:
    left = [file for file in case.files if not holds(file)]
    if not left:
        return case
    began = clock()
    made = climber(case, left)
    results: dict[str, Entry | None] = {}
    failed = dict(made.failed)
    for path, text in made.texts.items():
        line = marker_in(case.control, _file(case, path), text)
        if line is None:
            results[path] = _entry(case, path, text)
        else:
            failed[path] = f"left a conflict marker in line {line}"
    proposed = propose_results(case.control, case.files, results, name)
    evidence = {file.path: file.lost for file in proposed if file.path in results}
    tried += _told(name, evidence, replace(made, failed=failed), clock() - began)
    files = tuple(_better(old, new) for old, new in zip(case.files, proposed, strict=True))
    return replace(case, files=files)


def _file(case: Case, path: str) -> ConflictFile:
    return next(file for file in case.files if file.path == path)


def _entry(case: Case, path: str, text: bytes) -> Entry:
    """The file with a new text; its mode is what git merged it to."""
    file = _file(case, path)
    modes = [entry.mode for entry in (file.merged, file.ours, file.theirs) if entry and entry.mode.startswith("100")]
    return Entry(modes[0] if modes else "100644", case.control.write_blob(text))


def _better(old: ConflictFile, new: ConflictFile) -> ConflictFile:
    """Of two proposals that drop lines the one that drops fewer; the operator may still want it."""
    return old if old.proposed_by and new.lost and len(old.lost) <= len(new.lost) else new


def _told(name: str, evidence: Mapping[str, tuple[str, ...]], made: Made, seconds: float) -> list[Rung]:
    """One entry for each verdict that there is; the first has the time that all took."""
    notes = "".join(f"; {note}" for note in made.notes)
    settled = [one_line(path) for path, lost in evidence.items() if not lost]
    refused = [line for lost in evidence.values() for line in _some(lost)]
    failed = [f"{one_line(path)}: {why}" for path, why in made.failed.items()]
    rungs = []
    if settled:
        rungs.append(Rung(name, "settled", detail=", ".join(settled) + notes))
    if refused:
        rungs.append(Rung(name, "refused", detail="; ".join(refused) + ("" if settled else notes)))
    if failed:
        rungs.append(Rung(name, "failed", detail="; ".join(failed)))
    if not rungs:
        rungs.append(Rung(name, "not applicable", detail=_NOT[name]))
    return [
        replace(rung, seconds=0.0 if index else round(seconds, 3), detail=one_line(rung.detail, _DETAIL))
        for index, rung in enumerate(rungs)
    ]


def _some(lost: Sequence[str]) -> list[str]:
    more = len(lost) - _EVIDENCE
    return [*lost[:_EVIDENCE], *([f"and {more} more"] if more > 0 else [])]


_NOT: Final = {
    "recorded": "no resolution of these hunks is on record",
    "union": "no file of it is one that ladder.union covers",
    "regenerate": "no command of ladder.regenerate covers a file of it",
    "structural": "no program of ladder.structural covers a file of it",
}
