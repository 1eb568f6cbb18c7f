import io
import threading
import time
from contextlib import closing

import pytest
from rich.console import Console

from tests.cli.scene import HOSTILE, RUN, TOKEN
from tests.support.wait import until
from uet_tui.core import vocabulary
from uet_tui.core.changes import Changes, NewEvent
from uet_tui.report.progress import follow
from uet_tui.store.paths import Home
from uet_tui.store.queries import Reader
from uet_tui.store.writer import Writer


class Following:
    """Progress shown by a thread of its own, while the test is the orchestrator."""

    def __init__(self, home: Home, *, terminal: bool, after: int = 0) -> None:
        self.printed = io.StringIO()
        self._console = Console(file=self.printed, force_terminal=terminal, width=100, markup=False, highlight=False)
        self._home, self._after = home, after
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._writer = Writer(home.database)

    def __enter__(self) -> "Following":
        self._writer.claim(RUN, TOKEN, 1)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._writer.close()

    def _follow(self) -> None:
        with closing(Reader(self._home.database)) as reader:
            follow(reader, RUN, self._stop, self._console, after=self._after)

    def tell(self, text: str, severity: str = "info", type: str = vocabulary.WORKSTREAM_QUEUED) -> None:
        self._writer.commit(RUN, TOKEN, Changes(events=[NewEvent(time.time(), type, text, severity)]))

    @property
    def text(self) -> str:
        return self.printed.getvalue()


def test_away_from_a_terminal_every_event_but_debug_is_a_line(home: Home) -> None:
    with Following(home, terminal=False) as following:
        following.tell("step one")
        following.tell("inner workings", severity="debug")
        until(lambda: "step one" in following.text, 5, "the first step")
        following.tell("the last word")
    lines = [line[10:] for line in following.text.splitlines()]
    assert lines == [
        "run started",
        "ws-merged merged as 3333333",
        "ws-conflicted needs you",
        "step one",
        "the last word",
    ]
    assert "\x1b" not in following.text


def test_what_was_told_before_is_not_told_again(home: Home, reader: Reader) -> None:
    last = reader.last_events(RUN, 1)[0].id
    with Following(home, terminal=False, after=last) as following:
        following.tell("afterwards")
    assert [line[10:] for line in following.text.splitlines()] == ["afterwards"]


def test_on_a_terminal_a_bar_the_workers_the_money_and_the_needs_are_drawn(home: Home) -> None:
    with Following(home, terminal=True) as following:
        following.tell("only a step")
        following.tell("ws-x merged as 1234567", type=vocabulary.WORKSTREAM_MERGED)
        until(lambda: "1234567" in following.text, 5, "the merge")
    assert "1 of 5 merged (20 %)" in following.text
    assert "━" in following.text
    assert "ws-running" in following.text
    assert "$3.12 spent" in following.text
    assert "uet conflicts show c1" in following.text
    assert "only a step" not in following.text


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_text_is_shown_and_does_nothing(home: Home, terminal: bool) -> None:
    with Following(home, terminal=terminal) as following:
        following.tell(f"said {HOSTILE}", severity="warning")
    assert "[/x]" in following.text
    assert "\x1b]" not in following.text
    assert "\u202e" not in following.text
