"""From what commands said to the verdict of a check: once more where it failed, excused where it failed before."""

from collections.abc import Callable
from dataclasses import dataclass

from uet_tui.core import verdicts
from uet_tui.gates.checks import Check
from uet_tui.gates.runner import Said


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a check."""

    verdict: str
    said: Said
    """By the command that decided it: the one that is red or was excused, else the last."""
    hopeless: bool = False
    """No agent can put it right: its program is not on this machine, or it cannot be run at the base commit either."""


def judge(check: Check, run: Callable[[int], Said], fresh: Callable[[], None], base: Callable[[int], str]) -> Judgement:
    """Runs a check with steps, in order, until one is red that is neither flaky nor was red before.

    Args:
        check: what is run.
        run: runs the step with this index, in the sandbox as the step before left it.
        fresh: makes the sandbox what it was before the first step.
        base: the verdict of the step with this index at the base commit; empty where it did not apply there. Asked
            only where a step is red.
    """
    excused: dict[int, Said] = {}
    flaky, without, said, at = False, False, Said(verdicts.PASSED, ""), 0
    while at < len(check.steps):
        said = run(at)
        if said.verdict == verdicts.FAILED:
            fresh()
            at, said = _up_to(at, run, excused)
            flaky = flaky or verdicts.holds(said.verdict)
        if not verdicts.holds(said.verdict):
            before = base(at) if check.baseline and not said.absent else ""
            if said.verdict == verdicts.ERROR or before not in (verdicts.FAILED, verdicts.TIMEOUT):
                return Judgement(said.verdict, said, said.absent or said.verdict == before == verdicts.ERROR)
            excused[at] = said
        without = without or said.verdict == verdicts.NO_TESTS
        at += 1
    for told in excused.values():
        return Judgement(verdicts.RED_BEFORE, told)
    return Judgement(verdicts.FLAKY if flaky else verdicts.NO_TESTS if without else verdicts.PASSED, said)


def _up_to(last: int, run: Callable[[int], Said], excused: dict[int, Said]) -> tuple[int, Said]:
    """Runs the steps again up to one of them, or to one before it that is red now; gives that one."""
    for at in range(last):
        said = run(at)
        if not verdicts.holds(said.verdict) and at not in excused:
            return at, said
    return last, run(last)
