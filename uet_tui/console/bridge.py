"""The one thread that reads the run for the console, and the one that carries the operator's commands to it.

Both post messages to the app and touch no widget. The reader polls a number that costs one indexed read, reads the run
only when it changed, and posts at most four times a second, however fast the run goes.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Thread
from time import monotonic

from textual.message import Message

from uet_tui.console.host import EngineHost, Leaving
from uet_tui.console.messages import Answered, EventsArrived, Left, RunChanged, SourceFailed
from uet_tui.console.screens import Field
from uet_tui.console.source import RunSource
from uet_tui.core.commands import Answer, Verb
from uet_tui.errors import UetError
from uet_tui.store.views import EventView, RunView

POLL_SECONDS = 0.12
POST_SECONDS = 0.25
"""The least time between two posts."""
AGAIN_SECONDS = 1.0
"""How old a view may get: whether an orchestrator lives, and dollars per minute, change without a write."""
FIRST_EVENTS = 5_000
EVENTS_AT_ONCE = 2_000


class Bridge:
    """Carries a run to the app and commands to the run."""

    def __init__(self, source: RunSource, post: Callable[[Message], bool]) -> None:
        """`post` is thread-safe and false once there is nobody to take the message."""
        self._source = source
        self._post = post
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name="console-reader", daemon=True)
        self._commands = ThreadPoolExecutor(1, thread_name_prefix="console-commands")
        self._seen_event: int | None = None
        self._behind = False
        self._view: RunView | None = None
        self._read_at = 0.0
        self._failure = ""

    def start(self) -> None:
        """Begins to watch the run."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watching; commands that were not begun are dropped. Returns at once."""
        self._stopping.set()
        self._commands.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Waits until both threads have ended; not to be called on the UI thread."""
        if self._thread.is_alive():
            self._thread.join()
        self._commands.shutdown(wait=True)

    def send(self, verb: Verb, what: str, fields: dict[str, Field]) -> None:
        """Sends a command; its answer comes as `Answered`. Commands keep their order."""

        def run() -> None:
            self._post(Answered(verb, what, self._source.send(verb, **fields)))

        def failed(done: Future[None]) -> None:
            if not done.cancelled() and (error := done.exception()) is not None:
                self._post(Answered(verb, what, Answer(id="", ok=False, message=str(error))))

        self._commands.submit(run).add_done_callback(failed)

    def leave(self, host: EngineHost, how: Leaving) -> None:
        """Lets go of the engine as asked; `Left` comes when that is done."""

        def failed(done: Future[None]) -> None:
            if not done.cancelled():
                error = done.exception()
                self._post(Left("" if error is None else str(error)))

        self._commands.submit(host.stop, how).add_done_callback(failed)

    def _watch(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = POST_SECONDS if self._look() else POLL_SECONDS
                if self._failure and self._view is not None:
                    self._failure = ""
                    self._post(RunChanged(self._view))
            except UetError as error:
                self._fail(str(error))
                pause = AGAIN_SECONDS
            except Exception as error:  # noqa: BLE001 - the reader must outlive what it reads; the operator is told
                self._fail(f"{type(error).__name__}: {error}")
                pause = AGAIN_SECONDS

    def _look(self) -> bool:
        """Reads and posts what is new; says whether anything was."""
        seen = -1 if self._view is None else self._view.revision
        changed = self._behind or self._source.revision() != seen
        if not changed and monotonic() - self._read_at < AGAIN_SECONDS:
            return False
        view = self._source.run()
        self._read_at = monotonic()
        events = self._new_events() if changed else ()
        if events:
            self._post(EventsArrived(events))
        if view != self._view:
            self._view = view
            self._post(RunChanged(view))
            return True
        return bool(events)

    def _new_events(self) -> tuple[EventView, ...]:
        if self._seen_event is None:
            events = self._source.last_events(FIRST_EVENTS)
            self._seen_event = 0
        else:
            events = self._source.events(self._seen_event, EVENTS_AT_ONCE)
            self._behind = len(events) == EVENTS_AT_ONCE
        if events:
            self._seen_event = events[-1].id
        return events

    def _fail(self, text: str) -> None:
        if text != self._failure:
            self._failure = text
            self._post(SourceFailed(text))
