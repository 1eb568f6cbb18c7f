"""The inbox: one folder of files through which operators' commands reach the orchestrator.

A command is a JSON file, made by write-and-rename so that it is never seen half written; its answer comes back the
same way. A byte on the run's FIFO wakes the orchestrator at once, so nobody polls.
"""

from uet_tui.core.commands import Answer, Command
from uet_tui.store.paths import RunPaths


def submit(paths: RunPaths, command: Command) -> None:
    """Puts a command in the inbox and wakes the orchestrator."""
    ...


def wait(paths: RunPaths, command_id: str, seconds: float) -> Answer | None:
    """The answer to a command, or None if none came in time."""
    ...


def take(paths: RunPaths) -> tuple[Command | Answer, ...]:
    """All waiting commands, oldest first, left in place until answered; rubbish is answered with a refusal."""
    ...


def answer(paths: RunPaths, answer: Answer) -> None:
    """Answers a command and removes it from the inbox."""
    ...


def held(paths: RunPaths) -> bool:
    """Whether an orchestrator has the run: its lock is held."""
    ...
