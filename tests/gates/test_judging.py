"""From what commands say, run after run, to one verdict."""

from collections.abc import Mapping, Sequence

import pytest

from uet_tui.core import verdicts
from uet_tui.gates.checks import Check, Step
from uet_tui.gates.judging import Judgement, judge
from uet_tui.gates.runner import Said

WORD = {".": "passed", "F": "failed", "E": "error", "T": "timeout", "0": "no tests"}


class Story:
    """Commands that say, one run after another, what the story has them say."""

    def __init__(self, tells: Sequence[str], base: Mapping[int, str] | None = None, baseline: bool = True) -> None:
        self.check = Check(
            "GATE_UNIT", True, True, tuple(Step(f"step {n}") for n in range(len(tells))), baseline=baseline
        )
        self._tells = [list(tell) for tell in tells]
        self._base = base or {}
        self.asked: list[int] = []
        self.log = ""

    def judged(self) -> Judgement:
        return judge(self.check, self._run, self._fresh, self._at_base)

    def _run(self, index: int) -> Said:
        self.log += str(index)
        word = WORD[self._tells[index].pop(0)]
        return Said(word, f"output {index}", f"trouble {index}")

    def _fresh(self) -> None:
        self.log += "|"

    def _at_base(self, index: int) -> str:
        self.asked.append(index)
        return self._base.get(index, "")


@pytest.mark.parametrize(
    ("tells", "base", "verdict", "log"),
    [
        ([".", "."], {}, "passed", "01"),
        (["FF"], {}, "failed", "0|0"),
        (["F."], {}, "flaky", "0|0"),
        (["..", "F.", "."], {}, "flaky", "01|012"),
        (["FF"], {0: "failed"}, "red before", "0|0"),
        (["FF"], {0: "timeout"}, "red before", "0|0"),
        (["FF"], {0: "passed"}, "failed", "0|0"),
        (["FF"], {0: "error"}, "failed", "0|0"),
        (["FF"], {0: "no tests"}, "failed", "0|0"),
        (["T"], {}, "timeout", "0"),
        (["T"], {0: "failed"}, "red before", "0"),
        (["E"], {0: "failed"}, "error", "0"),
        (["E", "."], {0: "error"}, "error", "0"),
        (["0"], {}, "no tests", "0"),
        (["0", "."], {}, "no tests", "01"),
        (["FF", "."], {0: "failed"}, "red before", "0|01"),
        (["FFF", "FF"], {0: "failed"}, "failed", "0|01|01"),
        (["FFF", "F."], {0: "failed"}, "red before", "0|01|01"),
        (["FFF", "FF"], {0: "failed", 1: "failed"}, "red before", "0|01|01"),
        ([".F", "F"], {}, "failed", "01|0"),
        ([".T", "F"], {}, "timeout", "01|0"),
    ],
)
def test_red_once_is_run_again_from_a_clean_sandbox_and_excused_only_where_it_was_red_before(
    tells: list[str], base: dict[int, str], verdict: str, log: str
) -> None:
    story = Story(tells, base)
    assert story.judged().verdict == verdict
    assert story.log == log


def test_the_command_that_decides_is_the_one_whose_words_are_kept() -> None:
    judged = Story(["..", "FF"]).judged()
    assert judged.said == Said("failed", "output 1", "trouble 1")
    assert Story(["FF", "."], {0: "failed"}).judged().said.output == "output 0"


def test_the_base_is_asked_only_about_what_is_red() -> None:
    for tells, asked in ((["."], []), (["F."], []), (["FF"], [0]), (["..", "FF"], [1])):
        story = Story(tells)
        story.judged()
        assert story.asked == asked


def test_an_acceptance_test_is_meant_to_be_red_before() -> None:
    story = Story(["FF"], {0: "failed"}, baseline=False)
    assert story.judged().verdict == "failed"
    assert story.asked == []


def test_what_cannot_be_run_at_the_base_either_is_hopeless() -> None:
    assert Story(["E"], {0: "error"}).judged().hopeless
    assert not Story(["E"], {0: "passed"}).judged().hopeless
    assert not Story(["FF"], {0: "error"}).judged().hopeless


def test_a_program_that_is_not_on_this_machine_is_hopeless_without_a_look_at_the_base() -> None:
    asked: list[int] = []
    check = Check("GATE_UNIT", True, True, (Step("ruff"),))
    judged = judge(
        check, lambda _: Said("error", "", "no ruff", absent=True), lambda: None, lambda at: str(asked.append(at))
    )
    assert (judged.verdict, judged.hopeless, asked) == ("error", True, [])


def test_every_verdict_has_a_severity_and_an_unknown_one_does_not_hold() -> None:
    held = {word for word in verdicts.SEVERITY if verdicts.holds(word)}
    assert held == {"passed", "flaky", "red before", "no tests", "not run", "not configured"}
    assert not verdicts.holds("splendid")
