"""The app and its bridge: what comes from the run, what goes to it, and how the console is left."""

import threading
from time import monotonic

import pytest
from textual.app import App
from textual.message import Message

from tests.console.running import FakeHost, console, eventually, running, shown, text
from tests.console.samples import HOSTILE, FakeSource, event, finished_run, sample_run
from tests.support.wait import until
from uet_tui.console.app import UetApp, window_title, words
from uet_tui.console.bridge import Bridge
from uet_tui.console.dialogs.leave import LeaveDialog
from uet_tui.console.messages import EventsArrived, RunChanged, SourceFailed
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState


def messages(app: App[object]) -> list[str]:
    """The texts of all toasts."""
    return [str(toast.message) for toast in app._notifications]


@pytest.fixture
def watched(source: FakeSource) -> object:
    """A bridge over the source, and what it posted."""
    posted: list[Message] = []
    bridge = Bridge(source, lambda message: posted.append(message) or True)
    yield bridge, posted
    bridge.stop()
    bridge.join()


async def test_a_change_of_the_run_is_on_the_screen_within_a_second() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        source.change(notices=("disk nearly full",))
        await eventually(pilot, lambda: "disk nearly full" in text(home))


async def test_the_title_says_what_needs_the_operator() -> None:
    async with running(FakeSource()) as (pilot, _):
        assert pilot.app.title == "uet · payments · ! 2 need you"
    assert window_title(sample_run(needs=())) == "uet · payments"


async def test_a_run_that_cannot_be_read_leaves_the_last_view_with_a_banner_until_it_can_again() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        source.failure = f"the store is locked {HOSTILE}"
        await eventually(pilot, lambda: "cannot read the run: the store is locked [/x]" in text(home))
        assert "ws-13-plugins" in text(home)
        source.failure = ""
        await eventually(pilot, lambda: "cannot read" not in text(home))


async def test_a_refusal_is_told_with_its_reason_and_never_as_markup() -> None:
    source = FakeSource()
    source.refusal = f"not now {HOSTILE}"
    async with running(source) as (pilot, _):
        await pilot.press("space")
        await eventually(pilot, lambda: messages(pilot.app))
        assert messages(pilot.app) == [f"not now {HOSTILE}"]


async def test_a_command_that_breaks_is_told_as_a_refusal() -> None:
    source = FakeSource()

    def broken(verb: Verb, **fields: object) -> None:
        raise OSError("no space left on device")

    source.send = broken
    async with running(source) as (pilot, _):
        await pilot.press("space")
        await eventually(pilot, lambda: messages(pilot.app) == ["no space left on device"])


async def test_a_slow_command_does_not_hold_up_the_screen() -> None:
    source, go_on = FakeSource(), threading.Event()
    send = source.send

    def slow(verb: Verb, **fields: object) -> object:
        go_on.wait(10)
        return send(verb, **fields)

    source.send = slow
    async with running(source) as (pilot, home):
        await pilot.press("space", "2")
        assert home.focused is home.workers_pane
        go_on.set()
        await eventually(pilot, lambda: source.sent)


async def test_the_run_is_shown_behind_a_dialog_too() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        await pilot.press("D")
        source.change(state=RunState.PAUSED)
        await eventually(pilot, lambda: home.run_app.view == source.view)
        await eventually(pilot, lambda: "PAUSED" in str(home.header.render()))


async def test_events_that_came_while_another_screen_was_on_top_are_there_afterwards() -> None:
    source = FakeSource()
    async with running(source) as (pilot, home):
        await pilot.press("c")
        await eventually(pilot, lambda: pilot.app.screen is not home)
        source.happen(event(6, "behind the desk"))
        await eventually(pilot, lambda: home.events_pane.count() == 6)
        await pilot.press("escape")
        await eventually(pilot, lambda: pilot.app.screen is home)
        await eventually(pilot, lambda: "behind the desk" in text(home))


@pytest.mark.parametrize("keys", [["q"], ["ctrl+q"]])
@pytest.mark.parametrize("host_is", ["none", "dead", "over"])
async def test_a_console_without_a_live_engine_just_closes(host_is: str, keys: list[str]) -> None:
    host = FakeHost()
    host.alive = host_is == "over"
    source = FakeSource(finished_run() if host_is == "over" else None)
    async with running(source, host=None if host_is == "none" else host) as (pilot, _):
        await pilot.press(*keys)
        await pilot.pause()
        assert not pilot.app.is_running
    assert host.left == []


@pytest.mark.parametrize(("key", "how"), [("b", "background"), ("d", "drain"), ("s", "stop")])
async def test_leaving_a_live_run_asks_and_does_as_told(key: str, how: str) -> None:
    host = FakeHost()
    async with running(FakeSource(), host=host) as (pilot, _):
        await pilot.press("q")
        await eventually(pilot, lambda: isinstance(pilot.app.screen, LeaveDialog))
        await pilot.press(key)
        await eventually(pilot, lambda: not pilot.app.is_running)
    assert host.left == [how]


async def test_staying_leaves_everything_as_it_is() -> None:
    host = FakeHost()
    async with running(FakeSource(), host=host) as (pilot, home):
        await pilot.press("q", "escape")
        await eventually(pilot, lambda: pilot.app.screen is home)
    assert host.left == []


async def test_an_engine_that_cannot_be_left_keeps_the_console_open_and_says_why() -> None:
    host = FakeHost()
    host.error = f"no process could be started {HOSTILE}"
    async with running(FakeSource(), host=host) as (pilot, _):
        await pilot.press("q", "b")
        await eventually(pilot, lambda: host.error in messages(pilot.app))
        assert pilot.app.is_running


async def test_nothing_runs_on_after_the_console_has_closed() -> None:
    source = FakeSource()
    app = console(source)
    async with app.run_test() as pilot:
        await shown(pilot)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("console")]


def test_the_bridge_posts_a_change_once_and_at_most_four_times_a_second(
    source: FakeSource, watched: tuple[Bridge, list[Message]]
) -> None:
    bridge, posted = watched
    bridge.start()
    stop = threading.Event()

    def busy() -> None:
        while not stop.wait(0.005):
            source.change()

    changing = threading.Thread(target=busy)
    changing.start()
    begun, before = monotonic(), len(runs(posted))
    try:
        until(lambda: len(runs(posted)) >= 5, 10)
        posts, seconds = len(runs(posted)) - before, monotonic() - begun
    finally:
        stop.set()
        changing.join()
    until(lambda: runs(posted)[-1].view == source.view, 5)
    revisions = [message.view.revision for message in runs(posted)]
    assert revisions == sorted(set(revisions))
    assert posts <= 4 * seconds + 1


def test_the_bridge_posts_every_event_once_in_order_however_many_came(
    source: FakeSource, watched: tuple[Bridge, list[Message]]
) -> None:
    bridge, posted = watched
    bridge.start()
    until(lambda: runs(posted), 5)
    source.happen(*(event(n, f"event {n}") for n in range(6, 5_006)))
    until(lambda: len(seen(posted)) >= 5_005, 20)
    assert seen(posted) == list(range(1, 5_006))


def test_the_bridge_tells_a_failure_once_and_goes_on_after_it(
    source: FakeSource, watched: tuple[Bridge, list[Message]]
) -> None:
    bridge, posted = watched
    bridge.start()
    until(lambda: runs(posted), 5)
    source.failure = "locked"
    until(lambda: any(isinstance(m, SourceFailed) for m in posted), 5)
    before = len(runs(posted))
    source.failure = ""
    until(lambda: len(runs(posted)) > before, 5)
    assert [m.text for m in posted if isinstance(m, SourceFailed)] == ["locked"]


def test_an_unread_view_gives_way_to_a_newer_one_only() -> None:
    old, new = RunChanged(sample_run(revision=1)), RunChanged(sample_run(revision=2))
    assert old.can_replace(new)
    assert not new.can_replace(old)
    assert not old.can_replace(EventsArrived(()))


@pytest.mark.parametrize(
    ("verb", "fields", "said"),
    [
        (Verb.PAUSE, {}, "pause"),
        (Verb.DRAIN, {"worker": 3}, "drain worker 3"),
        (Verb.TAKE, {"conflict": "c1", "side": "ours"}, "take c1"),
        (Verb.SCALE, {"number": 5}, "scale 5"),
    ],
)
def test_a_command_is_told_in_words(verb: Verb, fields: dict[str, object], said: str) -> None:
    assert words(verb, fields) == said


def runs(posted: list[Message]) -> list[RunChanged]:
    return [message for message in posted if isinstance(message, RunChanged)]


def seen(posted: list[Message]) -> list[int]:
    return [e.id for message in posted if isinstance(message, EventsArrived) for e in message.events]


async def test_what_comes_while_the_app_ends_reaches_no_screen() -> None:
    async with running(FakeSource()) as (pilot, home):
        app = pilot.app
        assert isinstance(app, UetApp)
        assert app.run_screens == [home]
    assert app.run_screens == []
    app._tick()
