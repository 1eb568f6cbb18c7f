"""What each thing of a run went through, so that a transition that is not allowed can tell how it came to that."""

from collections.abc import Container

from uet_tui.core.states import TransitionError

Thing = str | int | tuple[str, int] | tuple[str, str]
"""What has a story: a workstream by id, a worker by number, an attempt, or the run or a conflict by its kind and id."""


class Stories:
    """The states that things were in since this process has the run."""

    def __init__(self) -> None:
        self._told: dict[Thing, list[str]] = {}

    def go_on(self, allowed: Container[str], thing: Thing, old: str, new: str) -> None:
        """Adds a state to a story.

        Raises:
            TransitionError: the state is not allowed now.
        """
        story = self._told.get(thing)
        if story is None:
            story = self._told[thing] = [old]
        if new not in allowed:
            raise TransitionError(_name(thing), old, new, tuple(story))
        story.append(new)

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
