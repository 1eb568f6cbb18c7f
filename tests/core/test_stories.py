"""What a thing went through is told where a transition is refused, and a long run does not grow by it."""

import pytest

from uet_tui.core.states import TransitionError
from uet_tui.core.stories import Stories


def _told(stories: Stories, thing: str, old: str) -> str:
    with pytest.raises(TransitionError) as wrong:
        stories.go_on((), thing, old, "WRONG")
    return str(wrong.value)


def test_a_refused_transition_tells_all_that_went_before() -> None:
    stories = Stories()
    for old, new in (("A", "B"), ("B", "C")):
        stories.go_on({new}, "ws-a", old, new)
    for _ in range(2):  # what is refused is no part of the story
        assert all(state in _told(stories, "ws-a", "C") for state in "ABC")


def test_of_many_things_those_that_moved_last_are_remembered() -> None:
    stories = Stories()
    stories.go_on({"B"}, "lively", "A", "B")
    for number in range(1000):
        stories.go_on({"B"}, f"ws-{number}", "FIRST", "B")
        stories.go_on({"B"}, "lively", "B", "B")
    assert "FIRST" in _told(stories, "ws-999", "B")
    assert "FIRST" not in _told(stories, "ws-0", "B")
    assert len(_told(stories, "lively", "B")) < 200


def test_what_comes_back_under_an_old_name_begins_anew() -> None:
    stories = Stories()
    stories.go_on({"B"}, "ws-a", "FIRST", "B")
    stories.forget("ws-a")
    assert "FIRST" not in _told(stories, "ws-a", "B")
