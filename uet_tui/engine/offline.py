"""Carrying a command out on a run that no orchestrator has: take the lock, do it, let go."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import NoReturn

from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.engine_log import log_to_file
from uet_tui.engine.orchestrator import Orchestrator
from uet_tui.engine.signals import handled
from uet_tui.engine.start import open_run
from uet_tui.errors import UetError
from uet_tui.store import inbox
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home, RunPaths
from uet_tui.store.writer import Writer

WITHOUT_AGENT = frozenset(
    {
        Verb.TAKE,
        Verb.UNDO,
        Verb.EDIT,
        Verb.APPROVE,
        Verb.AGAIN,
        Verb.DEFER,
        Verb.REDO,
        Verb.QUARANTINE,
        Verb.FORGET,
        Verb.RETRY,
        Verb.SKIP,
        Verb.HOLD,
        Verb.RELEASE,
        Verb.FIRST,
        Verb.BUDGET,
        Verb.LAND,
        Verb.ROLLBACK,
    }
)
"""What can be done where no orchestrator has the run; an agent that is asked again is asked when the run goes on."""

_INTERRUPTED = 130
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_ANSWER_SECONDS = 120.0
"""Longer than any answer takes; a merge that follows is waited for without a limit."""
_LOOK = 0.5


class InterruptedCommandError(UetError):
    """The operator interrupted a command before it was done, and it was taken back."""

    exit_code = _INTERRUPTED


def carry_out(home: Home, run: str, command: Command, say: Callable[[str], None]) -> Answer:
    """Does what the command asks, merge included, and answers when it is done.

    Args:
        home: where the run is.
        run: the run.
        command: what is asked.
        say: tells the operator what it waits for.

    Raises:
        InterruptedCommandError: the operator interrupted it.
        UetError: the command needs an orchestrator, or another process has the run.
    """
    if command.verb not in WITHOUT_AGENT and command.provider is None:
        return _only_take_back(home, run, command)
    opened = open_run(home, run)
    log = log_to_file(opened.place)
    orchestrator = Orchestrator(opened.place, opened.hold, dispatch=False)
    interrupted = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        orchestrator.give_up()

    heeded = [one for one in _INTERRUPTS if signal.getsignal(one) is not signal.SIG_IGN]  # else as under `nohup`
    with closing(log), handled(dict.fromkeys(heeded, interrupt)):
        try:
            inbox.submit(opened.place.paths, command)
        except UetError:
            orchestrator.give_up()
            orchestrator.run()  # lets go of the run
            raise
        thread = threading.Thread(target=orchestrator.run, name="uet-offline")
        thread.start()
        answer = _wait(opened.place.paths, orchestrator, thread, command, say)
        if answer is None and (interrupted.is_set() or orchestrator.failure is None):  # or the next would do it, too
            answer = _take_back(home, run, command)
    if interrupted.is_set():
        return answer or _taken_back(command, orchestrator)
    if orchestrator.failure is not None:
        raise UetError(f"run {run}: {orchestrator.failure}; {Path(opened.place.paths.engine_log)} tells more")
    if answer is None:
        raise UetError(f"run {run} did not answer; {opened.place.paths.engine_log} may tell why")
    return _with_outcome(answer, command, orchestrator)


def _wait(
    paths: RunPaths, orchestrator: Orchestrator, thread: threading.Thread, command: Command, say: Callable[[str], None]
) -> Answer | None:
    """What is answered until the orchestrator has let go again."""
    end, answer, told = time.monotonic() + _ANSWER_SECONDS, None, ""
    while thread.is_alive():
        if answer is None and time.monotonic() < end:
            answer = inbox.wait(paths, command.id, _LOOK)
        else:
            thread.join(_LOOK)
        if orchestrator.no_room and orchestrator.no_room != told:
            told = orchestrator.no_room
            say(f"{told}; it goes on once there is, and an interrupt takes the command back")
    return answer or inbox.wait(paths, command.id, 0)


def _taken_back(command: Command, orchestrator: Orchestrator) -> NoReturn:
    """Says what became of a command that was interrupted, and that nobody will do later.

    Raises:
        InterruptedCommandError: always.
    """
    became = " before it was done"
    if orchestrator.failure is not None:
        became = f", and what of it was done is not on record: {orchestrator.failure}"
    raise InterruptedCommandError(f"interrupted: {command.verb.value} was taken back{became}")


def _take_back(home: Home, run: str, command: Command) -> Answer | None:
    """Takes a command out of the inbox; gives what was answered, if it was done before."""
    paths = home.run(run)
    with RunLock.acquire(paths):
        inbox.withdraw(paths, command.id)  # first: the store may not open where the disk is full
        with closing(Writer(home.database)) as writer:
            return writer.answered(run, command.id)


def _only_take_back(home: Home, run: str, command: Command) -> Answer:
    """What needs an orchestrator must not wait for the next one: what it was meant for is over by then.

    Raises:
        UetError: always, unless the orchestrator that is gone had done it and could not say so any more.
    """
    done = _take_back(home, run, command)
    if done is not None:
        return done
    raise UetError(f"nobody runs {run} now, so there is nothing to {command.verb.value}; `uet resume {run}` goes on")


def _with_outcome(answer: Answer, command: Command, orchestrator: Orchestrator) -> Answer:
    """What became of a resolution, once its merge was tried."""
    records = orchestrator.records
    conflict = records.conflicts.get(command.conflict or "")
    if not answer.ok or conflict is None:
        return answer
    record = records.workstreams[conflict.workstream]
    if record.state is WorkstreamState.MERGED:
        text = f"{answer.message.partition(';')[0]}; {record.id} merged as {(record.merge_commit or '')[:7]}"
        return answer.model_copy(update={"message": text})
    if "merge queue" in answer.message:
        return answer.model_copy(update={"ok": False, "message": f"{record.id} did not merge: {record.reason}"})
    return answer
