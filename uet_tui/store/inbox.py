"""The inbox: one folder of files through which operators' commands reach the orchestrator.

A command is a JSON file, made by write-and-rename so that it is never seen half written; its answer comes back the
same way. A byte on the run's FIFO wakes the orchestrator at once, so nobody polls.
"""

import contextlib
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from uet_tui.core.commands import Answer, Command
from uet_tui.errors import RunLockedError, UetError
from uet_tui.store import lock
from uet_tui.store.files import open_regular, write_whole
from uet_tui.store.paths import RunPaths
from uet_tui.text import one_line

_ID = r"[A-Za-z0-9_-]{1,64}"
_NAME = re.compile(rf"\d{{20}}-({_ID})\.json")
_ANSWER = re.compile(rf"{_ID}\.answer\.json")
_LARGEST_BYTES = 8 * 1024 * 1024
"""Of a command: an edited file is in it."""
_WAIT_SECONDS = 0.005
_HELD_SECONDS = 0.25
"""Between looks at whether somebody still has the run that is to answer."""


def submit(paths: RunPaths, command: Command) -> None:
    """Puts a command in the inbox and wakes the orchestrator.

    Raises:
        UetError: the run has no folder, the command is too large, or its id is no file name.
    """
    if not re.fullmatch(_ID, command.id):
        raise UetError(f"a command's id is 1 to 64 letters, digits, - and _, not {one_line(command.id)!r}")
    data = command.model_dump_json().encode()
    if len(data) > _LARGEST_BYTES:
        raise UetError(f"the command is too large ({len(data)} bytes, at most {_LARGEST_BYTES}): make the file smaller")
    try:
        paths.inbox.mkdir(mode=0o700, exist_ok=True)
        write_whole(paths.inbox / f"{time.time_ns():020d}-{command.id}.json", data)
    except OSError as error:
        raise UetError(f"cannot reach the run: {paths.inbox}: {error.strerror}") from error
    poke(paths)


def wait(paths: RunPaths, command_id: str, seconds: float) -> Answer | None:
    """The answer to a command, or None if none came in time; the answer is taken out of the inbox."""
    path = _answer_path(paths, command_id)
    end = time.monotonic() + seconds
    while (data := _read(path)) is None:
        if time.monotonic() >= end:
            return None
        time.sleep(_WAIT_SECONDS)
    path.unlink(missing_ok=True)
    try:
        return Answer.model_validate_json(data)
    except ValidationError:
        return Answer(id=command_id, ok=False, message="the answer cannot be read; `uet status` shows where the run is")


def deliver(
    paths: RunPaths, command: Command, seconds: float | None, carry_out: Callable[[Command], Answer]
) -> Answer | None:
    """Has a command carried out, whoever has the run, and although that may change while it waits.

    Args:
        paths: of the run.
        command: what is asked.
        seconds: the longest wait for an orchestrator that has the run; None: as long as it has it.
        carry_out: does a command on a run that nobody has. What waits in the inbox under the same id is the same
            command: it is done once.

    Returns:
        The answer, or None if none came in time; the command waits in the inbox then.

    Raises:
        UetError: the run cannot be reached; or nobody has it, and the command needs an orchestrator.
    """
    end = None if seconds is None else time.monotonic() + seconds
    submitted = False
    while end is None or time.monotonic() < end:
        if not held(paths):
            with contextlib.suppress(RunLockedError):  # an orchestrator took the run in between
                return _settled(paths, wait(paths, command.id, 0) or carry_out(command))
        if not submitted:
            submit(paths, command)
            submitted = True
        if answered := wait(paths, command.id, _HELD_SECONDS):
            return _settled(paths, answered)
    return None


def _settled(paths: RunPaths, answer: Answer) -> Answer:
    """Leaves nothing of a command whose sender has its answer.

    An orchestrator that was killed as it answered has left the command, and the next one would answer it to nobody.
    """
    withdraw(paths, answer.id)
    _answer_path(paths, answer.id).unlink(missing_ok=True)
    return answer


def withdraw(paths: RunPaths, command_id: str) -> None:
    """Takes a command back that nobody has taken; only for who has the run, or knows that it is over."""
    for name in _names(paths):
        if (match := _NAME.fullmatch(name)) and match[1] == command_id:
            (paths.inbox / name).unlink(missing_ok=True)


def waiting(paths: RunPaths) -> frozenset[str]:
    """The ids of the commands that wait: asked of an orchestrator that is gone, for who has just taken the run."""
    return frozenset(match[1] for name in _names(paths) if (match := _NAME.fullmatch(name)))


def take(paths: RunPaths) -> tuple[Command | Answer, ...]:
    """All waiting commands, oldest first, left in place until answered; rubbish is answered with a refusal.

    A command that is not answered yet comes again with the next call. Rubbish is moved to `inbox/rejected`; its
    refusal, which has been sent by then, is among what is returned, without an id where nobody can be told.
    """
    taken: list[Command | Answer] = []
    for name in _names(paths):
        if name.startswith(".") or name == "rejected" or _ANSWER.fullmatch(name):
            continue
        found = _command(paths.inbox / name)
        if isinstance(found, Command):
            taken.append(found)
        elif found:
            taken.append(_reject(paths, name, found))
    return tuple(taken)


def answer(paths: RunPaths, answer: Answer) -> None:
    """Answers a command and removes it from the inbox; an answer to nobody is dropped.

    Raises:
        UetError: the answer cannot be written, as on a full disk; the command stays.
    """
    if not answer.id:
        return
    try:
        write_whole(_answer_path(paths, answer.id), answer.model_dump_json().encode())
    except OSError as error:
        raise UetError(f"cannot answer in {paths.inbox}: {error.strerror}") from error
    withdraw(paths, answer.id)


def held(paths: RunPaths) -> bool:
    """Whether an orchestrator has the run: its lock is held."""
    return lock.held(paths.lock)


def open_wake(paths: RunPaths) -> int:
    """The read end of the FIFO that wakes the orchestrator; made if need be. Wait for it, then read until it blocks.

    Open for writing as well, so that it never comes to an end when a writer goes.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISFIFO(paths.wake.lstat().st_mode):
            paths.wake.unlink()
    with contextlib.suppress(FileExistsError):
        os.mkfifo(paths.wake, 0o600)
    return os.open(paths.wake, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)


def poke(paths: RunPaths) -> None:
    """Wakes the orchestrator if there is one. Never waits."""
    try:
        descriptor = os.open(paths.wake, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:  # nobody listens, or no FIFO: what starts later looks at the inbox first
        return
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.write(descriptor, b"\n")
    except BlockingIOError:
        pass  # so full of wake-ups that one more says nothing new
    finally:
        os.close(descriptor)


def _names(paths: RunPaths) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(paths.inbox))
    except OSError:  # no command has come yet
        return []


def _answer_path(paths: RunPaths, command_id: str) -> Path:
    return paths.inbox / f"{command_id}.answer.json"


def _read(path: Path) -> bytes | None:
    file = open_regular(path)
    if file is None:
        return None
    with file:
        return file.read(_LARGEST_BYTES + 1)


def _command(path: Path) -> Command | str:
    """The command in a file, or what is wrong with it; empty if it is gone."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return "not the name of a command"
    file = open_regular(path)
    if file is None:
        return "not a regular file" if os.path.lexists(path) else ""
    with file:
        if os.fstat(file.fileno()).st_uid != os.geteuid():
            return "another user's file"
        data = file.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES:
        return "too large"
    try:
        command = Command.model_validate_json(data)
    except ValidationError as error:
        return f"not a command: {error.errors(include_input=False, include_url=False)[0]['msg']}"
    return command if command.id == match[1] else "its id is not that of its file"


def _reject(paths: RunPaths, name: str, why: str) -> Answer:
    """Moves rubbish aside and tells whoever waits for it."""
    match = _NAME.fullmatch(name)
    refusal = Answer(id=match[1] if match else "", ok=False, message=one_line(f"refused {name} in the inbox: {why}"))
    with contextlib.suppress(OSError):  # what cannot be moved is refused again next time; the run goes on
        (paths.inbox / "rejected").mkdir(mode=0o700, exist_ok=True)
        (paths.inbox / name).rename(paths.inbox / "rejected" / f"{secrets.token_hex(4)}-{name}"[:255])
    if match:
        with contextlib.suppress(OSError):  # as above
            write_whole(_answer_path(paths, match[1]), refusal.model_dump_json().encode())
    return refusal
