"""Carrying effects out: the one seam between deciding and doing. Another machine would be another runner."""

import logging
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from uet_tui.core import vocabulary
from uet_tui.core.conflicts import Rung
from uet_tui.core.effects import (
    AskAgent,
    Climb,
    Collect,
    Effect,
    EndAsk,
    HoldStill,
    KillAttempt,
    Land,
    LayOut,
    Merge,
    QueueEntry,
    Revert,
    SpawnWorker,
    StartAttempt,
)
from uet_tui.core.events import (
    AgentAnswered,
    AttemptEnded,
    AttemptStarted,
    Climbed,
    Collected,
    Event,
    LandingRefused,
    MergeConflicted,
    Merged,
    MergeDeferred,
    MergeFailed,
    Noted,
    Progressed,
    RevertFailed,
    WorkerBroken,
    WorkerReady,
)
from uet_tui.core.records import ConflictRecord, Records
from uet_tui.core.states import AttemptState
from uet_tui.engine import attempts
from uet_tui.engine.answering import refused
from uet_tui.engine.asking import ask_agent, end_ask, give_up, suspect_of
from uet_tui.engine.attempting import after_all, collect, start_attempt, write_diff
from uet_tui.engine.batching import carry_out_batch
from uet_tui.engine.climbing import climb
from uet_tui.engine.confining import confines_all, is_confined
from uet_tui.engine.forecasting import Forecaster
from uet_tui.engine.guarding import Suspect, look_after
from uet_tui.engine.landing import land_run
from uet_tui.engine.laying_out import lay_out
from uet_tui.engine.publishing import Publisher, due
from uet_tui.engine.reverting import revert
from uet_tui.engine.sandboxes import make_ready
from uet_tui.engine.workplace import Workplace
from uet_tui.errors import UetError, out_of_room
from uet_tui.gates.runner import InterruptedRunError
from uet_tui.settings.model import MOST_WORKERS
from uet_tui.text import one_line

_log = logging.getLogger(__name__)

_FULL_LOOK = 1.0
"""Seconds until an effect is tried again for which the disk had no room."""
_THREADS = 2 * MOST_WORKERS + 64
"""More than effects ever run at once: gates of all workers must not keep the merge queue, or the end of an agent,
waiting. Threads are made as they are needed."""


class Runner(Protocol):
    """Carries effects out and reports what came of them, in its own time and threads."""

    def carry_out(self, effect: Effect) -> None:
        """Begins an effect and returns at once."""

    def close(self) -> None:
        """Waits for the effects under way and lets go of everything."""


class LocalRunner:
    """Carries effects out on this machine, in threads of its own."""

    def __init__(
        self, place: Workplace, records: Records, report: Callable[[Event], None], *, forecast: bool = False
    ) -> None:
        """`forecast` says whether to look ahead to conflicts, as often as the settings want."""
        self._place = place
        self._records = records
        self._report = report
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="uet-effect")
        self._later = ThreadPoolExecutor(1, thread_name_prefix="uet-later")
        self._refs_told: set[str] = set()
        self._publisher = Publisher(place)
        self._publisher.publish(due(place, records))
        self._leaving = threading.Event()
        self._keepers: set[subprocess.Popen[bytes]] = set()
        self._keepers_lock = threading.Lock()
        self._full: tuple[type, str] | None = None
        """What the operator was last told that there is no room for."""
        self._forecaster = Forecaster(place, records, report)
        if forecast:
            self._forecaster.start()

    def carry_out(self, effect: Effect) -> None:
        """Begins an effect in a thread of the pool."""
        self._pool.submit(self._guarded, effect)

    def close(self) -> None:
        """Ends gates and set-up that are under way, waits for other effects; agents go on, their keepers hold them."""
        self._leaving.set()
        self._forecaster.close()
        self._pool.shutdown(wait=True)
        self._later.shutdown(wait=True)
        self._publisher.close()
        self.reap()

    def reap(self) -> None:
        """Takes the exit of keepers that are gone, so that none stays a zombie."""
        with self._keepers_lock:
            self._keepers = {keeper for keeper in self._keepers if keeper.poll() is None}

    def _guarded(self, effect: Effect) -> None:
        at_once = isinstance(effect, LayOut)  # it takes no time, and whoever decided something may open an editor next
        while at_once or not self._leaving.is_set():
            at_once = False
            try:
                return self._do(effect)
            except InterruptedRunError:
                break
            except Exception as error:  # noqa: BLE001 - an effect that fails must come back as an event, whatever it was
                if not self._waits_for_room(effect, error):
                    with suppress(InterruptedRunError):
                        return self._went_wrong(effect, error)
        _log.info("left while it was under way: %s", effect)  # on record as begun: whoever goes on does it again
        return None

    def _waits_for_room(self, effect: Effect, error: Exception) -> bool:
        """Waits a moment where the disk was full, so that the effect can be done again: done twice it happens once.

        The operator is told once, in the same words.

        An agent is started in another attempt instead: of this one there may be more than the half.
        """
        if not out_of_room(error) or isinstance(effect, StartAttempt):
            return False
        _log.warning("no room on the disk for %s: %s", effect, error)
        if self._full != (type(effect), str(error)):
            self._full = type(effect), str(error)
            text = self._place.redactor.text(one_line(f"no room on the disk, it is tried again once there is: {error}"))
            self._report(Noted(vocabulary.ORCHESTRATOR_ERROR, text, "warning"))
        self._leaving.wait(_FULL_LOOK)
        return True

    def _went_wrong(self, effect: Effect, error: Exception) -> None:
        text = self._tell(effect, error)
        for event in self._became(effect, text) or _failure(effect, text, full=out_of_room(error)):
            self._report(event)

    def _became(self, effect: Effect, text: str) -> Sequence[Event]:
        """What became of an agent that was started although its effect failed: it works, and it costs."""
        place, records = self._place, self._records
        try:
            match effect:
                case StartAttempt(id, attempt):
                    event = after_all(place, records.attempts[id, attempt])
                    return [] if event is None else [event]
                case AskAgent(conflict):
                    asked = records.conflicts[conflict]
                    answer = give_up(place, effect, asked, self._leaving, text)
                    self._suspicion(suspect_of(effect, asked), effect.agent, gated=False)
                    return [answer]
                case _:
                    return []
        except (UetError, OSError):
            _log.exception("what became of %s cannot be found out", effect)
            return []

    def _tell(self, effect: Effect, error: Exception) -> str:
        """Tells the operator of an effect that failed; gives the text."""
        _log.error("effect %s failed", effect, exc_info=error)
        expected = isinstance(error, UetError | OSError)
        told = one_line(str(error) if expected else f"{type(error).__name__}: {error}")
        text = self._place.redactor.text(told)
        self._report(Noted(vocabulary.ORCHESTRATOR_ERROR, text, "error"))
        return text

    def _merge(self, batch: Merge) -> None:
        """Merges a batch; what had not come back when something went wrong comes back as failed."""
        left = {entry.workstream: entry for entry in batch.entries}

        def report(event: Event) -> None:
            if isinstance(event, Merged | MergeConflicted | MergeFailed | MergeDeferred):
                if event.workstream not in left:
                    return  # told before the disk was full
                self._publish_result(left.pop(event.workstream), event)
            self._report(event)

        while not self._leaving.is_set():
            try:
                return carry_out_batch(self._place, batch, self._records, self._leaving, report)
            except InterruptedRunError:
                raise
            except Exception as error:  # noqa: BLE001 - as for any effect, but only for those that have not come back
                if not self._waits_for_room(batch, error):
                    return self._went_wrong(replace(batch, entries=tuple(left.values())), error)
        return None

    def _collected(self, effect: Collect, worker: int) -> Collected:
        """What an attempt left; whatever went wrong with that, what it did elsewhere is still to be looked at."""
        try:
            return collect(self._place, effect, self._leaving, lambda doing: self._report(Progressed(worker, doing)))
        except InterruptedRunError:
            raise
        except Exception as error:  # as for any effect
            if out_of_room(error):
                raise  # it is done again once there is room
            text = self._tell(effect, error)
            return Collected(effect.workstream, effect.attempt, None, "", f"could not be collected: {text}")

    def _answered(self, effect: AskAgent, conflict: ConflictRecord) -> AgentAnswered:
        """What an agent made of a conflict; nothing, where it may have changed what it has no business with."""
        place = self._place
        answer = ask_agent(place, effect, conflict, self._leaving, self._report)
        suspicion = self._suspicion(suspect_of(effect, conflict), effect.agent, gated=bool(answer.gates))
        return refused(answer, conflict, suspicion) if suspicion else answer

    def _suspicion(self, suspect: Suspect, agent: str, *, gated: bool) -> str:
        """Why an agent's work is not to be taken, whatever it is; empty if it may be. The operator is told.

        Gates run what it wrote: they count with it. Where it is confined they are, but for those left out of that.
        """
        place = self._place
        confined = is_confined(place.agent(agent)) and (confines_all(place) or not gated)
        suspicion, notes = look_after(place, suspect, self._refs_told, confined=confined)
        for note in notes:
            self._report(note)
        return self._place.redactor.text(one_line(suspicion, 300))

    def _publish_result(self, entry: QueueEntry, event: Event) -> None:
        place = self._place
        if isinstance(event, Merged):
            self._publisher.publish({place.integration: event.tip, place.result_ref(entry.workstream): entry.commit})
        elif not isinstance(event, MergeDeferred):
            self._publisher.publish({place.attempt_ref(entry.workstream, entry.attempt): entry.commit})

    def _do(self, effect: Effect) -> None:
        place, records = self._place, self._records
        match effect:
            case SpawnWorker(worker):
                set_up = make_ready(place, place.sandbox(worker), records.run.tip, self._leaving)
                if set_up is not None and set_up.commands:
                    self._report(Noted(vocabulary.SANDBOX_SET_UP, set_up.told(worker), worker=worker))
                self._report(WorkerReady(worker))
            case StartAttempt(id, attempt, _, _):
                record = records.workstreams[id]
                started = start_attempt(place, effect, record, records.attempts[id, attempt], self._leaving)
                with self._keepers_lock:
                    self._keepers.add(started.keeper)
                self._report(AttemptStarted(id, attempt, started.estimated_tokens))
                if started.note is not None:
                    self._report(started.note)
            case KillAttempt(id, attempt):
                attempts.kill(place.paths.attempt(id, attempt))
            case HoldStill(id, attempt):
                hold = attempts.thaw if records.attempts[id, attempt].frozen_at is None else attempts.freeze
                hold(place.paths.attempt(id, attempt))
            case Collect(id, attempt, worker, base):
                result = self._collected(effect, worker)
                agent = records.workstreams[id].agent
                suspicion = self._suspicion(Suspect(id, attempt), agent, gated=bool(result.gates))
                self._report(replace(result, suspicion=suspicion))
                if result.commit is not None:
                    folder = place.paths.attempt(id, attempt)
                    self._later.submit(write_diff, place, folder, base, result.commit)
                    if result.problem or not effect.gate:
                        self._publisher.publish({place.attempt_ref(id, attempt): result.commit})
            case Merge():
                self._merge(effect)
            case LayOut(conflict):
                lay_out(place, records.conflicts[conflict])
            case Climb(conflict):
                self._report(climb(place, records.conflicts[conflict], self._leaving))
            case AskAgent(conflict):
                self._report(self._answered(effect, records.conflicts[conflict]))
            case EndAsk():
                end_ask(place, effect)
            case Revert():
                outcome_of = revert(place, effect, self._leaving)
                if outcome_of.tip is not None:
                    self._publisher.publish({place.integration: outcome_of.tip})
                self._report(outcome_of)
            case Land(target):
                self._publisher.flush()
                self._report(land_run(place, records, target, self._leaving, self._report))
            case _:
                raise TypeError(f"no effect to carry out: {effect}")


def _failure(effect: Effect, error: str, *, full: bool) -> Sequence[Event]:
    """What an effect that could not be carried out means for the run; `full` where the disk had no room for it."""
    match effect:
        case SpawnWorker(worker):
            return [WorkerBroken(worker, error)]
        case StartAttempt(id, attempt) if full:
            return [AttemptEnded(id, attempt, AttemptState.LOST, None, f"there was no room to start it: {error}")]
        case StartAttempt(id, attempt):
            return [AttemptEnded(id, attempt, AttemptState.FAILED, None, f"could not start: {error}")]
        case Collect(id, attempt):
            return [Collected(id, attempt, None, "", f"could not be collected: {error}")]
        case Merge(entries):
            why = f"could not be merged: {error}"
            return [MergeFailed(entry.workstream, why, retryable=False) for entry in entries]
        case Climb(conflict):
            return [Climbed(conflict, (), (), problem=error)]
        case AskAgent(conflict, ask):
            return [AgentAnswered(conflict, ask, (), Rung("agent", "failed", detail=error))]
        case Revert(commit):
            return [RevertFailed(commit, error)]
        case Land():
            return [LandingRefused(error)]
        case _:
            return []
