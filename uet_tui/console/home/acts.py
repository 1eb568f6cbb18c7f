"""The acts of the home screen: which worker or workstream they are for, and what is asked before they are done."""

from collections.abc import Callable

from uet_tui.console.dialogs.choose import ChooseDialog, Pick
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.summary import Ending, SummaryDialog
from uet_tui.console.format import plural, worker_look
from uet_tui.console.home.selection import Selection
from uet_tui.console.screens import RunScreen
from uet_tui.core.commands import Verb
from uet_tui.core.states import ProviderState, WorkerState
from uet_tui.store.views import WorkerView


class Acts:
    """What the operator does to the run from a screen, on what the cursor is on there."""

    def __init__(self, screen: RunScreen, selection: Callable[[], Selection]) -> None:
        self._screen = screen
        self._selection = selection

    def pause_worker(self) -> None:
        """Pauses the worker under the cursor, or asks which."""
        self._with_worker("Pause which worker?", Verb.PAUSE, lambda worker: worker.state is not WorkerState.PAUSED)

    def continue_worker(self) -> None:
        """Continues the worker under the cursor, or asks which."""
        self._with_worker("Continue which worker?", Verb.CONTINUE)

    def drain_worker(self) -> None:
        """Drains the worker under the cursor, or asks which."""
        self._with_worker("Drain which worker?", Verb.DRAIN, lambda worker: worker.state is not WorkerState.DRAINING)

    def freeze_worker(self) -> None:
        """Freezes the worker under the cursor, or asks which."""
        self._with_worker("Freeze which worker?", Verb.FREEZE, lambda worker: bool(worker.workstream) > worker.frozen)

    def thaw_worker(self) -> None:
        """Thaws the worker under the cursor, or asks which."""
        self._with_worker("Thaw which worker?", Verb.THAW, lambda worker: worker.frozen)

    def drain_all(self) -> None:
        """Drains the run, if the operator is sure."""
        if (view := self._screen.run_app.view) is not None:
            running = sum(worker.workstream is not None for worker in view.workers)
            body = f"{plural(running, 'workstream')} in work will be finished and merged; nothing new starts."
            self._confirm("Drain all and finish?", body, "drain all", Verb.DRAIN)

    def kill(self) -> None:
        """Kills the attempt of the selected workstream, if the operator is sure."""
        if (workstream := self._selection().workstream) is not None:
            body = "Its agent is ended now. What it wrote stays on its branch; the money is spent."
            title = f"Kill the attempt of {workstream.id}?"
            self._confirm(title, body, "kill it", Verb.KILL, workstream=workstream.id)

    def retry(self) -> None:
        """Tries the selected workstream again."""
        if (workstream := self._selection().workstream) is not None:
            self._screen.act(Verb.RETRY, workstream=workstream.id)

    def go_on_with(self, provider: str | None = None) -> None:
        """Has a provider asked again that stopped, the first unless one is named, if the operator is sure."""
        view = self._screen.run_app.view
        stopped = [one for one in view.providers if one.state is ProviderState.STOPPED] if view else []
        if found := next((one for one in stopped if provider in (None, one.name)), None):
            body = f"It stopped: {found.reason}\nPut that right first: its next attempt shows whether it is."
            self._confirm(f"Ask {found.name} again?", body, "ask it again", Verb.CONTINUE, provider=found.name)

    def land(self) -> None:
        """Lands, if the operator is sure."""
        if (view := self._screen.run_app.view) is not None:
            body = f"{view.target_branch or 'The target branch'} moves to the integration branch, at {view.tip[:7]}."
            self._confirm(f"Land {plural(view.merged, 'workstream')}?", body, "land", Verb.LAND)

    def summary(self) -> None:
        """Says at length what came of the run, and leads on to landing or leaving."""

        async def next_step(step: Ending | None) -> None:
            if step == "land":
                self.land()
            elif step == "leave":
                await self._screen.run_action("app.leave")

        if (view := self._screen.run_app.view) is not None:
            self._screen.app.push_screen(SummaryDialog(view), next_step)

    def _with_worker(self, question: str, verb: Verb, fits: Callable[[WorkerView], bool] = lambda _: True) -> None:
        """Acts on the worker under the cursor, or asks which of those that it can be done to."""
        worker = self._selection().worker
        if worker is not None and fits(worker):
            self._screen.act(verb, worker=worker.number)
            return
        view = self._screen.run_app.view
        picks = [_pick(one) for one in (view.workers if view else ()) if fits(one)]

        def chosen(number: str | None) -> None:
            if number is not None:
                self._screen.act(verb, worker=int(number))

        self._screen.app.push_screen(ChooseDialog(question, picks), chosen)

    def _confirm(self, title: str, body: str, yes: str, verb: Verb, **fields: str) -> None:
        def decided(sure: bool | None) -> None:
            if sure:
                self._screen.act(verb, **fields)

        self._screen.app.push_screen(ConfirmDialog(title, body, yes), decided)


def _pick(worker: WorkerView) -> Pick:
    look = worker_look(worker.state, frozen=worker.frozen)
    return Pick(str(worker.number), f"worker {worker.number}", f"{look.glyph} {look.word}  {worker.workstream or ''}")
