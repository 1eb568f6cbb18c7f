"""The engine that runs in this process, as far as the console may know it."""

from typing import Literal, Protocol

Leaving = Literal["background", "drain", "stop"]
"""What becomes of the run when the console closes."""


class EngineHost(Protocol):
    """An orchestrator in the console's own process."""

    @property
    def alive(self) -> bool:
        """Whether it still has the run."""
        ...

    def stop(self, how: Leaving) -> None:
        """Lets go of the run as asked; blocks until that is done, so it is called from a thread."""
        ...
