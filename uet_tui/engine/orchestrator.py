"""The thread that owns a run: takes events, asks the core, commits, has the effects carried out.

Everything that happens comes through one queue and one FIFO; the thread sleeps in `select` until there is something to
do. State and the effects that it implies are committed together before any of them is carried out.
"""

import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from uet_tui.core import vocabulary
from uet_tui.core.changes import Changes, NewEvent
from uet_tui.core.commands import Answer, Command, Verb
from uet_tui.core.conflicts import ChoiceError, Entry
from uet_tui.core.effects import Effect, LetGo, Reply
from uet_tui.core.events import Asked, AttemptEnded, AttemptStarted, Began, Event, Noted, Room, Ticked
from uet_tui.core.machine import Machine
from uet_tui.core.records import Records, compact
from uet_tui.core.states import AttemptState, WorkstreamState
from uet_tui.engine.arenas import give_back
from uet_tui.engine.confining import unconfined
from uet_tui.engine.disk_budget import DiskBudget
from uet_tui.engine.footing import Footing
from uet_tui.engine.guarding import left_by_gates
from uet_tui.engine.runner import LocalRunner
from uet_tui.engine.watching import Watch
from uet_tui.engine.workplace import Workplace, policy_of
from uet_tui.errors import NoRoomError, StoppedError, UetError
from uet_tui.failpoints import reached
from uet_tui.merge.resolution import accept_edit
from uet_tui.store import inbox
from uet_tui.store.backups import Backups
from uet_tui.store.lock import RunLock
from uet_tui.store.writer import Writer

_log = logging.getLogger(__name__)

_SWEEP: Final = 1.0
"""Seconds between looks at what nobody would tell: a keeper that was killed, the last line of an agent."""
_FULL_LOOK: Final = 0.5
"""Seconds between tries to write to a disk that is full."""
_CHECKPOINT: Final = 30.0
"""Seconds between checkpoints; they shorten recovery, no fact waits for them."""


@dataclass
class Hold:
    """The proof that this process has the run: its lock, its token, and the store that it alone writes."""

    lock: RunLock
    token: str
    writer: Writer
    records: Records
    crashed_at: datetime | None = None
    """When the orchestrator that had the run before last committed an event, if it never let go of the run."""
    left_over: frozenset[str] = frozenset()
    """The ids of the commands that were in the inbox when the run was taken: asked of one that is gone."""

    def release(self, run: str) -> None:
        """Lets go of the run."""
        try:
            with suppress(UetError, OSError):  # whoever is next takes it up as after a crash
                reached("orchestrator.before-release")
                self.writer.release(run, self.token)
                reached("orchestrator.released")
        finally:
            self.writer.close()
            self.lock.release()


class Orchestrator:
    """Runs one plan to its end, or until it is told to let go."""

    def __init__(
        self,
        place: Workplace,
        hold: Hold,
        *,
        dispatch: bool = True,
        linger: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._hold = hold
        give_back()
        self._clock = clock
        self._began = Began(dispatch, linger)
        self._machine = Machine(place.plan, policy_of(place), hold.records)
        self._watch = Watch(place, self._machine.board)
        self._bell_in, self._bell_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._events: deque[Event] = deque()
        self._taken: dict[str, Command] = {}
        self._backups = Backups(place.home.database)
        self._said: dict[str, object] = {}
        """What is said of this orchestrator beside the store."""
        self._low = False
        self._disk_budget = DiskBudget(place.home.folder, place.settings.disk_budget_gb)
        self._runner = LocalRunner(place, hold.records, self.report, forecast=dispatch)
        self._thread = threading.Thread(target=self.run, name="uet-orchestrator", daemon=True)
        self._let_go: str | None = None
        self._given_up = threading.Event()
        self._footing = Footing((place.paths.lock, place.home.database))
        self.failure: BaseException | None = None
        """What ended the thread before its time."""

    # For other threads

    def report(self, event: Event) -> None:
        """Puts an event in the queue."""
        self._events.append(event)
        with suppress(OSError):  # a full pipe rings already; a closed one has nobody left to wake
            os.write(self._bell_out, b"e")

    def start(self) -> None:
        """Begins in a thread of its own."""
        self._thread.start()

    def join(self, seconds: float | None = None) -> bool:
        """Waits for the thread; says whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def give_up(self) -> None:
        """Has the thread leave the run as it is, even where the disk is full; agents go on, and so does a later run."""
        self._given_up.set()
        with suppress(OSError):
            os.write(self._bell_out, b"g")

    @property
    def no_room(self) -> str:
        """Why nothing can be put on record, while the disk is full."""
        return str(self._said.get("no_room", ""))

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def records(self) -> Records:
        """The records; to be read once the thread has ended."""
        return self._hold.records

    def raise_failure(self) -> None:
        """Raises what ended the thread before its time; to be called once it has ended.

        Raises:
            StoppedError: it was the machine's doing; what was committed can be resumed.
        """
        failure, run = self.failure, self._place.run
        if isinstance(failure, OSError) or type(failure) is UetError:  # no mistake in here
            raise StoppedError(f"run {run} stops: {failure}; `uet resume {run}` goes on") from failure
        if failure is not None:
            raise failure

    # The thread

    def run(self) -> None:
        """Takes the run up where it was and drives it until it lets go."""
        wake = None
        try:
            wake = inbox.open_wake(self._place.paths)
            self._backups.start()
            self._disk_budget.start()
            reached("recovery.begun")
            found = [*self._watch.recovered()]
            reached("recovery.attempts-judged")
            self._advance([*found, *self._crash(found), self._began, *self._room(), *self._warnings()])
            reached("recovery.done")
            swept = saved = time.monotonic()  # the clock may be set
            while self._let_go is None and not self._given_up.is_set():
                self._wait(wake, swept + _SWEEP)
                now = time.monotonic()
                events = [*self._commands(), *self._reported(), *self._watch.ended()]
                if now >= swept + _SWEEP:
                    swept = now
                    self._footing.make_sure()
                    events += [*self._watch.swept(), *self._room(), *self._disk_taken()]
                self._runner.reap()
                self._advance(events or [Ticked()])
                if now >= saved + _CHECKPOINT:
                    saved = now
                    reached("orchestrator.before-checkpoint")
                    with suppress(NoRoomError):  # no fact waits for it
                        self._hold.writer.checkpoint(self._place.run, self._hold.token, compact(self._hold.records))
                    reached("orchestrator.checkpointed")
        except Exception as error:  # noqa: BLE001 - the thread must tell why it died; what was committed can be resumed
            self.failure = error
            _log.exception("the orchestrator of run %s stops", self._place.run)
        finally:
            self._runner.close()
            if self.failure is None:  # else the records are ahead of the store, and what follows must not be in it
                with suppress(Exception):  # the last words; what they tell can be found out again
                    self._advance_quietly()
            if wake is not None:
                os.close(wake)
            os.close(self._bell_in)
            os.close(self._bell_out)
            self._backups.close()
            self._disk_budget.close()
            self._hold.release(self._place.run)
            self._place.control.close()

    def _warnings(self) -> Iterator[Event]:
        """What the operator should know before anything goes on."""
        yield from left_by_gates(self._place)
        if self._began.dispatch:
            yield from unconfined(self._place)

    def _crash(self, found: Sequence[Event]) -> Iterator[Event]:
        """That the orchestrator before died, and what became of what it left."""
        at = self._hold.crashed_at
        if at is None or not self._began.dispatch:
            return
        ended = [event for event in found if isinstance(event, AttemptEnded)]
        lost = sum(event.outcome is AttemptState.LOST for event in ended)
        adopted = sum(isinstance(event, AttemptStarted) for event in found)
        collected = len(ended) - lost
        became = f"{adopted} attempt{'' if adopted == 1 else 's'} adopted, {collected} collected, {lost} lost"
        text = f"went on after a crash at {at:%Y-%m-%d %H:%M:%S}Z: {became}"
        data: dict[str, object] = {"adopted": adopted, "collected": collected, "lost": lost}
        yield Noted(vocabulary.RUN_RECOVERED, text, "warning", data=data)

    def _wait(self, wake: int, until: float) -> None:
        """Waits for news, `until` a monotonic time at most, or until the machine wants to be woken."""
        wakeup = self._machine.next_wakeup()
        left = until - time.monotonic()
        left = left if wakeup is None else min(left, wakeup - self._clock())
        timeout = 0.0 if self._events else max(0.0, left)
        for descriptor in select.select([wake, self._bell_in], [], [], timeout)[0]:
            with suppress(BlockingIOError):
                os.read(descriptor, 65_536)

    def _reported(self) -> Iterator[Event]:
        while self._events:
            yield self._events.popleft()

    def _commands(self) -> Iterator[Event]:
        for item in inbox.take(self._place.paths):
            if isinstance(item, Answer) or item.id in self._taken:
                continue  # refused already, or under way
            done = self._hold.writer.answered(self._place.run, item.id)
            if done is not None:
                self._reply(done)  # an orchestrator died between doing it and saying so, or the disk was full
                continue
            self._taken[item.id] = item
            try:
                yield Asked(item, self._edited(item), left_over=item.id in self._hold.left_over)
            except (UetError, ChoiceError) as error:
                self._reply(Answer(id=item.id, ok=False, message=str(error)))

    def _edited(self, command: Command) -> Entry | None:
        if command.verb is not Verb.EDIT or command.file is None or command.content is None:
            return None
        data = command.content.encode("utf-8", "surrogateescape")
        return accept_edit(self._place.control, command.file, data)

    def _advance(self, events: Sequence[Event]) -> None:
        """Steps through events, commits all that they changed at once, then has their effects carried out."""
        for effect in self._record(events):
            match effect:
                case Reply(answer):
                    self._reply(answer)
                case LetGo(why):
                    if why == "left" or not self._began.linger:
                        self._let_go = why
                case _:
                    self._runner.carry_out(effect)

    def _record(self, events: Sequence[Event]) -> Sequence[Effect]:
        """Steps through events and commits all that they changed at once, answers included; gives their effects."""
        changes = Changes()
        effects: list[Effect] = []
        for event in events:
            step = self._machine.step(event, self._clock())
            changes.add(step.changes)
            effects += step.effects
        replies = [effect.answer for effect in effects if isinstance(effect, Reply)]
        answered = [(self._taken[reply.id], reply) for reply in replies]
        if changes or answered:
            reached("orchestrator.before-commit")
            self._commit(changes, answered)
            reached("orchestrator.committed")
            self._backups.merged(sum(row.state is WorkstreamState.MERGED for row in changes.workstreams.values()))
        return effects

    def _advance_quietly(self) -> None:
        """Commits what effects reported while the orchestrator was letting go, so that no fact is left behind.

        Who asked for what was done meanwhile is answered. What these events would have begun is begun by whoever takes
        the run next: the committed state implies it.
        """
        for effect in self._record([*self._reported()]):
            if isinstance(effect, Reply):
                self._reply(effect.answer)

    def _commit(self, changes: Changes, answered: Sequence[tuple[Command, Answer]] = ()) -> None:
        """Commits what changed; where the disk is full it is kept here, and tried again until there is room.

        Meanwhile nothing else is taken: agents go on by themselves, and what they and the operator say waits.
        """
        while True:
            try:
                self._hold.writer.commit(self._place.run, self._hold.token, changes, answered)
            except NoRoomError as error:
                if "no_room" not in self._said:
                    _log.error("%s", error)
                    changes.events.append(NewEvent(self._clock(), vocabulary.DISK_FULL, str(error), "error"))
                self._say(no_room=f"{error}; what happens meanwhile is kept, and nothing is begun")
                if self._given_up.wait(_FULL_LOOK):
                    raise UetError(f"{error}; what happened since is found out when the run goes on") from error
                self._footing.make_sure()
            else:
                self._say(no_room=None)
                return

    def drains_until(self, moment: float) -> None:
        """Tells whoever looks until when running attempts may finish, in seconds since the epoch."""
        self._say(drain_until=moment)

    def _say(self, **facts: object) -> None:
        said = {name: value for name, value in (self._said | facts).items() if value is not None}
        if said != self._said:
            self._said = said
            self._hold.lock.tell(**said)

    def _disk_taken(self) -> Iterator[Event]:
        """That the runs take much of the disk that they may, once for each time that they come to it."""
        warning = self._disk_budget.warning
        if warning and "disk_budget" not in self._said:
            yield Noted(vocabulary.DISK_BUDGET, warning, "warning")
        self._say(disk_budget=warning or None)

    def _room(self) -> Iterator[Event]:
        """Whether there is room on the disk, at every look while there is none, and once when there is again."""
        home = self._place.home.folder
        found = os.statvfs(home)
        free, wanted = found.f_bavail * found.f_frsize / 1e6, self._place.settings.low_disk_mb
        low = free < wanted
        if low or self._low:
            self._low = low
            yield Room(not low, f"{free:.0f} MB are free at {home}, and low_disk_mb is {wanted}")

    def _reply(self, answer: Answer) -> None:
        reached("inbox.before-answer")
        try:
            inbox.answer(self._place.paths, answer)
        except UetError as error:  # it is on record: the next look at the inbox finds the command, and answers it
            _log.warning("%s", error)
        reached("inbox.answered")
        self._taken.pop(answer.id, None)
