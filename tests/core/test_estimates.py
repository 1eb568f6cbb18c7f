"""Estimates of tokens: what attempts teach, and how good it makes the next one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.core.estimates import REMEMBERED, Estimated, Factor, accuracy, estimate, learned


def attempt(counted: int, used: int, estimated: int = 0, agent: str = "a", model: str = "m") -> Estimated:
    return Estimated(agent, model, counted, estimated or counted, used)


def test_before_anything_was_used_what_is_counted_is_the_estimate() -> None:
    assert learned([]) == Factor(1.0, None, 0)
    assert estimate(700, Factor()) == 700
    assert learned([attempt(0, 5), attempt(5, 0)]) == Factor()


def test_the_factor_is_the_median_and_its_error_how_far_it_was_off() -> None:
    assert learned([attempt(100, 300)]) == Factor(3.0, None, 1)
    assert learned([attempt(100, 300), attempt(100, 200), attempt(100, 9_000)]) == Factor(3.0, pytest.approx(0.5), 3)


def test_only_the_newest_attempts_count() -> None:
    old = [attempt(100, 100)] * 50
    assert learned([*old, *[attempt(100, 500)] * REMEMBERED]).value == 5.0


@pytest.mark.parametrize("seed", range(20))
def test_after_three_attempts_of_the_same_kind_the_estimate_is_within_a_tenth(seed: int) -> None:
    """An agent reads a steady multiple of its prompt, give or take some noise, whatever the sizes of its prompts."""
    chance = random.Random(seed)
    multiple = chance.uniform(0.5, 40)
    done: list[Estimated] = []
    for _ in range(12):
        counted = chance.randint(500, 60_000)
        guessed = estimate(counted, learned(done))
        used = max(1, round(counted * multiple * chance.uniform(0.95, 1.05)))
        done.append(Estimated("claude", "opus", counted, guessed, used))
    later = done[3:]
    assert all(abs(one.estimated - one.used) / one.used < 0.15 for one in later)
    (told,) = accuracy(done)
    assert told.newest_error < 0.1
    assert told.factor.value == pytest.approx(multiple, rel=0.05)
    assert told.factor.error is not None and told.factor.error < 0.1


def test_accuracy_is_told_for_each_agent_and_model_apart() -> None:
    told = accuracy(
        [
            attempt(100, 200, estimated=100),
            attempt(100, 200, estimated=190),
            attempt(100, 50, agent="b"),
            attempt(100, 400, model="n"),
            attempt(100, 0, agent="c"),
        ]
    )
    assert [(one.agent, one.model, one.attempts, one.used) for one in told] == [
        ("a", "m", 2, 400),
        ("a", "n", 1, 400),
        ("b", "m", 1, 50),
    ]
    assert told[0].error == pytest.approx(0.275) and told[0].factor.value == 2.0 and told[0].estimated == 290


@given(st.lists(st.builds(attempt, st.integers(0, 10**9), st.integers(0, 10**12)), max_size=40))
def test_whatever_was_used_the_factor_is_a_number_above_nothing(attempts: list[Estimated]) -> None:
    factor = learned(attempts)
    assert 0 < factor.value < float("inf")
    assert factor.error is None or 0 <= factor.error < float("inf")
    assert estimate(10, factor) >= 0
    accuracy(attempts)
