"""What each thing of a run went through, so that a transition that is not allowed can tell how it came to that."""

from collections.abc import Container
from typing import Final

from uet_tui.core.states import TransitionError

Thing = str | int | tuple[str, int] | tuple[str, str]
"""What has a story: a workstream by id, a worker by number, an attempt, or the run or a conflict by its kind and id."""

_THINGS: Final = 200
"""Of so many things the story is kept: those that moved last. A long run would grow by the others for ever."""
_STATES: Final = 16
"""So much of a story is kept: the newest."""


class Stories:
    """The states that things were in lately, since this process has the run."""

    def __init__(self) -> None:
        self._told: dict[Thing, list[str]] = {}

    def go_on(self, allowed: Container[str], thing: Thing, old: str, new: str) -> None:
        """Adds a state to a story.

        Raises:
            TransitionError: the state is not allowed now.
        """
        story = self._told.get(thing) or [old]
        if new not in allowed:
            raise TransitionError(_name(thing), old, new, tuple(story))
        self._told.pop(thing, None)  # what moved last stands last
        self._told[thing] = [*story, new][-_STATES:]
        if len(self._told) > _THINGS:
            del self._told[next(iter(self._told))]

    def forget(self, thing: Thing) -> None:
        """Begins anew what comes back under an old name."""
        self._told.pop(thing, None)


def _name(thing: Thing) -> str:
    match thing:
        case int():
            return f"worker {thing}"
        case (str(id), int(number)):
            return f"{id} attempt {number}"
        case (kind, id):
            return f"{kind} {id}"
        case _:
            return str(thing)
