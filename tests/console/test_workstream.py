"""The workstream screen: what its keys do, and that it follows attempts that come, end and vanish."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import TabbedContent

from tests.console.samples import HOSTILE, NOW, ago, conflict, event, hostile_run, sample_run, workstream
from tests.console.stage import Stage, StageSource, words
from uet_tui.console.desk.screen import ConflictDesk
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.key_bar import KeyBar
from uet_tui.console.lines_box import LONGEST_LINE, LinesBox
from uet_tui.console.workstream.facts import attempt_lines, attempt_title, cost
from uet_tui.console.workstream.output import MOST_LINES, OutputBox
from uet_tui.console.workstream.paint import MOST_CONTEXT, diff_lines
from uet_tui.console.workstream.screen import WorkstreamScreen
from uet_tui.core.commands import Verb
from uet_tui.core.states import AttemptState, WorkstreamState
from uet_tui.errors import UetError
from uet_tui.store.artifacts import Piece
from uet_tui.store.views import AttemptView

ID = "ws-13-plugins"


def attempt(number: int, state: AttemptState = AttemptState.RUNNING, **changes: object) -> AttemptView:
    made = AttemptView(
        workstream=ID,
        number=number,
        state=state,
        worker=1,
        agent="claude",
        model="opus",
        started_at=ago(700 - 200 * number),
        ended_at=None if state is AttemptState.RUNNING else ago(600 - 200 * number),
        exit_code=None,
        error="",
        commit=None,
        cost_usd=0.2 * number,
        tokens_in=0,
        tokens_out=0,
        folder=f"attempts/{ID}/{number}",
    )
    return replace(made, **changes)


class FilesSource(StageSource):
    """Serves files that a test writes; as a reader of files does, it hands out at most 64 KiB at once."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, str] = {}
        self.lock = threading.Lock()
        self.broken = ""

    def write(self, path: str, text: str) -> None:
        with self.lock:
            self.files[path] = self.files.get(path, "") + text

    def output(self, folder: str, offset: int) -> Piece:
        if self.broken:
            raise UetError(self.broken)
        with self.lock:
            data = self.files.get(f"{folder}/output", "").encode()
        start = max(0, len(data) + offset) if offset < 0 else offset
        piece = data[start : start + 65_536]
        return Piece(piece.decode(), start + len(piece))

    def prompt(self, folder: str) -> str:
        return self.files.get(f"{folder}/prompt", "")

    def context(self, folder: str) -> str:
        return self.files.get(f"{folder}/context", "")

    def diff(self, folder: str) -> str:
        return self.files.get(f"{folder}/diff", "")


def stage(*attempts: AttemptView, id: str = ID) -> tuple[Stage, FilesSource]:
    source = FilesSource()
    source.tries = attempts
    return Stage(source, lambda given: WorkstreamScreen(given, id)), source


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await pilot.pause(0.01)


def lines(app: Stage, id: str) -> list[str]:
    return [line.plain for line in app.shown.query_one(f"#{id}", LinesBox).lines]


def tab(app: Stage) -> str:
    return app.shown.query_one("#tabs", TabbedContent).active


def change(app: Stage, **changes: object) -> None:
    """The workstream has another view."""
    streams = tuple(replace(ws, **changes) if ws.id == ID else ws for ws in app.source.view.workstreams)
    app.put(replace(app.source.view, workstreams=streams))


@pytest.mark.parametrize(
    ("size", "keys", "active"),
    [
        ((120, 40), ["d"], "diff-pane"),
        ((120, 40), ["i"], "prompt-pane"),
        ((120, 40), ["v"], "events-pane"),
        ((120, 40), ["v", "o"], "output-pane"),
        ((120, 40), ["f"], "output-pane"),
        ((120, 40), ["ctrl+right"], "diff-pane"),
        ((120, 40), ["ctrl+left"], "events-pane"),
        ((80, 24), ["f"], "facts-pane"),
        ((80, 24), ["ctrl+left"], "facts-pane"),
        ((80, 24), ["ctrl+left", "ctrl+left"], "events-pane"),
    ],
)
async def test_keys_open_tabs(size: tuple[int, int], keys: list[str], active: str) -> None:
    app, _ = stage(attempt(1))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        assert tab(app) == active
        focused = app.focused
        assert focused is not None
        assert any(node.id == active for node in focused.ancestors)


@pytest.mark.parametrize(
    ("state", "key", "acts"),
    [
        (WorkstreamState.FAILED, "r", [(Verb.RETRY, {"workstream": ID})]),
        (WorkstreamState.QUARANTINED, "r", [(Verb.RETRY, {"workstream": ID})]),
        (WorkstreamState.PENDING, "r", [(Verb.RETRY, {"workstream": ID})]),
        (WorkstreamState.RUNNING, "r", []),
        (WorkstreamState.MERGED, "r", []),
        (WorkstreamState.MERGED, "k", []),
    ],
)
async def test_retry_and_kill_apply_only_where_they_can(state: WorkstreamState, key: str, acts: list[object]) -> None:
    app, _ = stage(attempt(1))
    async with app.run_test(size=(80, 24)) as pilot:
        change(app, state=state)
        await pilot.press(key)
        assert app.acts == acts
        assert not isinstance(app.screen, ConfirmDialog)


@pytest.mark.parametrize(("answer", "acts"), [("y", [(Verb.KILL, {"workstream": ID})]), ("n", [])])
async def test_kill_asks_once(answer: str, acts: list[object]) -> None:
    app, _ = stage(attempt(1))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("k")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press(answer)
        assert app.acts == acts


async def test_output_is_live_and_a_line_may_come_in_pieces() -> None:
    app, source = stage(attempt(1))
    source.write(f"attempts/{ID}/1/output", "one\n\ntw")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: lines(app, "output-lines") == ["one", "", "tw"])
        source.write(f"attempts/{ID}/1/output", "o\nthree\n")
        await until(pilot, lambda: lines(app, "output-lines") == ["one", "", "two", "three"])


async def test_output_follows_its_end_until_the_operator_scrolls_away() -> None:
    app, source = stage(attempt(1))
    path = f"attempts/{ID}/1/output"
    source.write(path, "".join(f"line {n}\n" for n in range(200)))
    async with app.run_test(size=(120, 40)) as pilot:
        box = app.shown.query_one(OutputBox)
        await until(pilot, lambda: len(box.lines) == 200 and box.is_vertical_scroll_end)
        assert box.vertical_scrollbar.position == box.max_scroll_y
        source.write(path, "more\n" * 50)
        await until(pilot, lambda: len(box.lines) == 250 and box.is_vertical_scroll_end)
        await pilot.press("home")
        source.write(path, "more\n" * 5)
        await until(pilot, lambda: box.unseen == 5)
        assert box.scroll_offset.y == 0
        assert "5 new below" in str(box.border_subtitle)
        await pilot.press("G")
        await until(pilot, lambda: box.unseen == 0)
        source.write(path, "more\n")
        await until(pilot, lambda: len(box.lines) == 256 and box.is_vertical_scroll_end)


async def test_only_the_end_of_a_long_output_is_read_and_says_so() -> None:
    app, source = stage(attempt(1, AttemptState.SUCCEEDED))
    source.write(f"attempts/{ID}/1/output", "x" * 99 + "\n" + ("y" * 99 + "\n") * 5_000)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(lines(app, "output-lines")) > 600)
        assert "printed before" in lines(app, "output-lines")[0]


async def test_output_is_bounded_in_lines_and_in_their_length() -> None:
    app, source = stage(attempt(1))
    path = f"attempts/{ID}/1/output"
    async with app.run_test(size=(80, 24)) as pilot:
        box = app.shown.query_one(OutputBox)
        await until(pilot, lambda: "attempt 1" in words(app, "#attempt"))
        source.write(path, "z" * 2_000_000 + "\n" + "a\n" * (MOST_LINES + 10))
        await until(pilot, lambda: len(box.lines) == MOST_LINES)
        source.write(path, "z" * 200_000 + "\n")
        await until(pilot, lambda: len(box.lines[-1]) > LONGEST_LINE)
        assert len(box.lines[-1]) < LONGEST_LINE + 10
        assert box.is_vertical_scroll_end


async def test_the_newest_attempt_is_followed_and_others_can_be_walked() -> None:
    first = attempt(1, AttemptState.FAILED, exit_code=1, error="gate unit failed")
    app, source = stage(first)
    for number in (1, 2, 3):
        source.write(f"attempts/{ID}/{number}/output", f"output {number}\n")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: lines(app, "output-lines") == ["output 1"])
        source.tries = (first, attempt(2))
        change(app, attempts=2)
        await until(pilot, lambda: lines(app, "output-lines") == ["output 2"])
        await pilot.press("[")
        await until(pilot, lambda: lines(app, "output-lines") == ["output 1"])
        assert "attempt 1 of 2 ✗ FAILED" in words(app, "#attempt")
        source.tries = (first, attempt(2, AttemptState.KILLED), attempt(3))
        change(app, attempts=3)
        await until(pilot, lambda: "attempt 1 of 3" in words(app, "#attempt"))
        await pilot.press("]", "]", "]")
        await until(pilot, lambda: lines(app, "output-lines") == ["output 3"])


async def test_diff_and_prompt_are_those_of_the_attempt_and_come_when_it_ends() -> None:
    app, source = stage(attempt(1))
    source.write(f"attempts/{ID}/1/prompt", "Do it.\n\n[/x]")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: lines(app, "prompt-lines") == ["Do it.", "", "[/x]"])
        await pilot.press("d")
        assert lines(app, "diff-lines") == []
        source.write(f"attempts/{ID}/1/diff", "@@ -1 +1 @@\n-old\n+new\n")
        source.tries = (attempt(1, AttemptState.SUCCEEDED),)
        change(app, state=WorkstreamState.GATING)
        await until(pilot, lambda: lines(app, "diff-lines") == ["@@ -1 +1 @@", "-old", "+new"])


async def test_above_the_prompt_is_what_it_comes_to_and_what_it_leaves_out() -> None:
    app, source = stage(attempt(1))
    source.write(f"attempts/{ID}/1/prompt", "Do it.\n")
    source.write(f"attempts/{ID}/1/context", "900 tokens\n" + "".join(f"left out: f{n} [/x]\n" for n in range(30)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: lines(app, "prompt-lines")[-2:] == ["", "Do it."])
        told = lines(app, "prompt-lines")
        assert told[:2] == ["900 tokens", "left out: f0 [/x]"]
        assert told[MOST_CONTEXT] == f"… {31 - MOST_CONTEXT} more in context.txt, beside the prompt"
        assert len(told) == MOST_CONTEXT + 3


async def test_events_of_this_workstream_alone_are_shown_once() -> None:
    app, source = stage(attempt(1))
    source.log = [event(7, "ours [/x]", workstream=ID), event(8, "another's", workstream="ws-other")]
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: lines(app, "event-lines"))
        app.shown.add_events((source.log[0], event(9, "new", workstream=ID), event(10, "no", workstream="ws-other")))
        assert [line.split(" ", 2)[2] for line in lines(app, "event-lines")] == ["ours [/x]", "new"]


async def test_the_facts_say_why_it_is_where_it_is_and_what_hangs_on_it() -> None:
    failed = attempt(1, AttemptState.FAILED, exit_code=2, error="gate unit failed")
    app, _ = stage(failed, attempt(2))
    async with app.run_test(size=(120, 40)) as pilot:
        change(
            app,
            state=WorkstreamState.PENDING,
            reason="waits for ws-14-engine",
            depends_on=("ws-14-engine", "ws-unknown"),
            waited_for_by=("ws-15-core",),
            files_create=("src/new.py",),
            acceptance_tests=("pytest -q",),
        )
        await until(pilot, lambda: "gate unit failed" in words(app, "#facts-side .facts"))
        said = words(app, "#facts-side .facts")
        for part in (
            "· PENDING",
            "waits for ws-14-engine",
            "2 of 4",
            "claude",
            "$0.41",
            "✗ 1 FAILED",
            "▶ 2 RUNNING",
            "Do what ws-13-plugins says",
            "◆ GATING      ws-14-engine",
            "? ws-unknown",
            "· PENDING     ws-15-core",
            "src/ws-13-plugins/",
            "src/new.py",
            "pytest -q",
            "lint",
        ):
            assert part in said


async def test_a_workstream_without_attempts_says_what_it_waits_for() -> None:
    app, _ = stage(id="ws-15-core")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "waits for ws-14-engine" in words(app, "#attempt"))
        await pilot.press("[", "]", "k", "r", "d", "i", "v", "f")
        assert app.acts == []


async def test_a_workstream_that_the_run_does_not_have_is_named() -> None:
    app, _ = stage(attempt(1))
    async with app.run_test(size=(80, 24)) as pilot:
        app.put(replace(app.source.view, workstreams=()))
        await pilot.press("k", "r", "c", "[")
        assert f"no workstream {ID}" in words(app, "#headline")


async def test_what_cannot_be_read_is_said_and_the_screen_stays() -> None:
    app, source = stage(attempt(1))
    source.broken = "the disk is gone [/x]"
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "the disk is gone" in words(app, "#attempt"))
        await pilot.press("d", "escape")
        assert len(app.screen_stack) == 1


async def test_its_conflict_opens_at_the_desk() -> None:
    app, _ = stage(attempt(1))
    app.source.view = app.view = sample_run(conflicts=(conflict("c7", ID),))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        assert isinstance(app.screen, ConflictDesk)
        await pilot.press("escape")
        assert isinstance(app.screen, WorkstreamScreen)


async def test_facts_are_a_tab_only_below_100_columns() -> None:
    app, _ = stage(attempt(1))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        assert not app.shown.query_one("#facts-side").display
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: tab(app) == "output-pane")
        assert app.shown.query_one("#facts-side").display
        assert "f facts" not in str(app.shown.query_one(KeyBar).render())


async def test_text_from_outside_is_never_markup() -> None:
    for size in ((120, 40), (80, 24)):
        app, source = stage(attempt(1, agent=HOSTILE, model=HOSTILE, error=HOSTILE))
        app.source.view = app.view = replace(
            hostile_run(), workstreams=(replace(workstream(ID, WorkstreamState.RUNNING), reason=HOSTILE),)
        )
        for name in ("output", "prompt", "context", "diff"):
            source.write(f"attempts/{ID}/1/{name}", f"{HOSTILE}\n+{HOSTILE}\n")
        source.log = [event(1, HOSTILE, workstream=ID, severity="error")]
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda app=app: lines(app, "output-lines") == [HOSTILE, f"+{HOSTILE}"])
            await pilot.press("d", "i", "v", "f", "k")
            assert isinstance(app.screen, ConfirmDialog)


def test_a_diff_keeps_its_signs_without_colour() -> None:
    diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n c\n\\ No newline at end of file\n"
    assert "".join(f"{line.plain}\n" for line in diff_lines(diff)) == diff
    assert diff_lines("") == []


async def test_what_is_read_for_a_screen_that_was_left_meanwhile_goes_nowhere() -> None:
    app, _ = stage(attempt(1))
    async with app.run_test(size=(80, 24)):
        screen = app.shown
        with pytest.raises(asyncio.CancelledError):
            await screen.read(lambda: app.call_from_thread(screen.dismiss))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ["$0.20"]),
        ({"cost_usd": 0.0, "unpriced": 1}, ["?"]),
        ({"unpriced": 1, "listed_usd": 0.1}, ["~$0.20+?"]),
        (
            {"tokens_in": 41_000, "tokens_cached": 30_000, "tokens_out": 3_200, "tokens_reasoning": 900},
            ["41k in (30k cached), 3.2k out (900 thought)"],
        ),
        ({"provider": "anthropic"}, ["anthropic · opus"]),
        ({"fault": "rate limit", "state": AttemptState.FAILED}, ["rate limit"]),
        ({"error": "it broke", "fault": "network", "state": AttemptState.FAILED}, ["it broke"]),
    ],
)
def test_an_attempt_tells_what_it_used_and_of_whom_with_the_marks_of_its_price(
    changes: dict[str, object], said: list[str]
) -> None:
    lines = "\n".join(line.plain for line in attempt_lines(attempt(1, **changes), NOW))
    assert [part for part in said if part not in lines] == []
    assert "$0.00" not in lines
    if changes.get("unpriced") or changes.get("tokens_in"):
        assert said[0] in attempt_title(attempt(1, **changes), 2).plain


def test_what_a_workstream_cost_has_the_marks_of_its_attempts() -> None:
    seen = workstream(ID, WorkstreamState.RUNNING, cost=0.6, begun=10)
    assert cost(seen, (attempt(1), attempt(2))) == "$0.60"
    assert cost(seen, (attempt(1, listed_usd=0.1), attempt(2, unpriced=1))) == "~$0.60+?"
    assert cost(replace(seen, cost_usd=0.0), (attempt(1, unpriced=1),)) == "?"
