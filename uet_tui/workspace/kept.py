"""What was read once and may be wanted again: the newest of it, up to a weight, so that a long run does not grow."""

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

_Value = TypeVar("_Value")

_FEW: Final = 16
"""So many are kept whatever they weigh: what is at work just now is not read again and again."""


class Kept(Generic[_Value]):
    """Values that never change, by name. Threads may share it."""

    def __init__(self, most: int, weigh: Callable[[_Value], int] = lambda _: 1) -> None:
        """Keeps nothing yet.

        Args:
            most: what all may weigh together.
            weigh: what one weighs.
        """
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._values: dict[str, _Value] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._values)

    def get(self, name: str) -> _Value | None:
        """The value of a name, if it is still kept."""
        return self._values.get(name)

    def keep(self, name: str, value: _Value) -> _Value:
        """Keeps a value and gives it; lets go of the oldest where they get too heavy."""
        with self._lock:
            if name not in self._values:
                self._values[name] = value
                self._weight += self._weigh(value)
            while self._weight > self._most and len(self._values) > _FEW:
                self._weight -= self._weigh(self._values.pop(next(iter(self._values))))
        return value
