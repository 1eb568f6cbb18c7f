"""The conflict desk: what each key asks for, where it goes, and what survives a change of the world."""

import asyncio
import signal
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.content import Content
from textual.highlight import highlight
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.console.samples import ago, conflict, hostile_run, hunk, sample_run, workstream
from tests.console.stage import Stage, StageSource, words
from uet_tui.console.desk.marks import MarkedLine
from uet_tui.console.desk.screen import ConflictDesk
from uet_tui.console.desk.side import COLOURED, SideBox
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.editing import Copy, left_marker
from uet_tui.console.key_bar import KeyBar
from uet_tui.core.commands import Answer, Side, Verb
from uet_tui.core.states import ConflictState, WorkstreamState
from uet_tui.store.conflict_views import ConflictFileView, ConflictView

A, B, C = "src/a.py", "b.png", "c.md"


def desk(*conflicts: ConflictView, id: str | None = None) -> Stage:
    return Stage(StageSource(sample_run(conflicts=conflicts)), lambda source: ConflictDesk(source, id))


def three(*choices: str | None, proposal: bool = True) -> ConflictView:
    """Two hunks of one file, a binary file, and a file with one hunk; `choices` decide them in this order."""
    first, second, third, fourth = (*choices, *[None] * (4 - len(choices)))
    lines = ("    args = parse(argv, defaults=load_config())",) if proposal else None
    files = (
        ConflictFileView(A, "content", (hunk(1, choice=first, proposal=lines), hunk(2, 90, choice=second)), None),
        ConflictFileView(B, "binary", (), third),
        ConflictFileView(C, "content", (hunk(1, choice=fourth),), None),
    )
    return conflict(files=files, proposal="claude" if proposal else None, waiting=("ws-30-integration",))


def take(side: Side, file: str = A, hunk: int | None = None) -> tuple[Verb, dict[str, object]]:
    fields = {"conflict": "c1", "side": side, "file": file}
    return Verb.TAKE, fields if hunk is None else {**fields, "hunk": hunk}


def where(app: Stage) -> str:
    return words(app, "#place")


@pytest.mark.parametrize(
    ("keys", "acts"),
    [
        (["o"], [take(Side.OURS, hunk=1)]),
        (["t"], [take(Side.THEIRS, hunk=1)]),
        (["b"], [take(Side.BOTH, hunk=1)]),
        (["p"], [take(Side.PROPOSAL, hunk=1)]),
        (["o", "t"], [take(Side.OURS, hunk=1), take(Side.THEIRS, hunk=2)]),
        (["]", "p"], []),
        (["O"], [take(Side.OURS)]),
        (["T"], [take(Side.THEIRS)]),
        (["}", "t"], [take(Side.THEIRS, B)]),
        (["B"], [take(Side.BOTH_THEIRS_FIRST, hunk=1)]),
        (["f", "b"], [take(Side.BOTH)]),
        (["f", "B"], [take(Side.BOTH_THEIRS_FIRST)]),
        (["f", "f", "b"], [take(Side.BOTH, hunk=1)]),
        (["f", "]", "[", "t"], [take(Side.THEIRS, hunk=1)]),
        (["o", "[", "f", "u"], [take(Side.OURS, hunk=1), (Verb.UNDO, {"conflict": "c1", "file": A})]),
        (["o", "[", "U"], [take(Side.OURS, hunk=1), (Verb.UNDO, {"conflict": "c1", "file": A})]),
        (["}", "b", "B", "p", "P", "e", "f"], []),
        (["}", "O"], [take(Side.OURS, B)]),
        (["}", "}", "o"], [take(Side.OURS, C, 1)]),
        (["u"], []),
        (["o", "u"], [take(Side.OURS, hunk=1), (Verb.UNDO, {"conflict": "c1", "file": A, "hunk": 1})]),
        (["a"], []),
        (["R", "enter"], [(Verb.REDO, {"conflict": "c1"})]),
        (["R", "h", "i", "enter"], [(Verb.REDO, {"conflict": "c1", "note": "hi"})]),
        (["R", "escape"], []),
        (["n", "enter"], []),
        (["n", "h", "i", "enter"], [(Verb.AGAIN, {"conflict": "c1", "note": "hi"})]),
        (["n", "escape"], []),
        (["z"], [(Verb.DEFER, {"conflict": "c1"})]),
        (["x", "enter"], [(Verb.QUARANTINE, {"conflict": "c1"})]),
        (["x", "escape"], []),
    ],
    ids=lambda value: "-".join(value) if value and isinstance(value[0], str) else "",
)
async def test_each_key_asks_for_its_act_and_no_more(keys: list[str], acts: list[object]) -> None:
    app = desk(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys)
        assert app.acts == acts


async def test_a_choice_goes_on_to_the_next_undecided_place_and_undo_comes_back() -> None:
    app = desk(three(None, "ours"))
    async with app.run_test(size=(120, 40)) as pilot:
        assert f"{A}  hunk 1 of 2" in where(app)
        await pilot.press("t")
        assert f"{B}  whole file (binary)" in where(app)
        app.put_conflict(three("theirs", "ours"))
        assert B in where(app)
        await pilot.press("u")
        assert app.acts[-1] == (Verb.UNDO, {"conflict": "c1", "file": A, "hunk": 1})
        assert f"{A}  hunk 1 of 2" in where(app)


async def test_a_choice_is_shown_as_sent_until_a_view_has_it() -> None:
    app = desk(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("o", "[")
        assert "… sent" in where(app)
        assert "1/4 decided" in words(app, "#heading")
        app.put_conflict(three("ours"))
        await pilot.pause()
        assert "✓ ours" in where(app)
        assert app.shown.query_one("#ours").has_class("-taken")


async def test_a_refused_choice_is_undecided_again() -> None:
    app = desk(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("o", "[")
        app.refuse(Verb.TAKE)
        assert "» undecided: proposed" in where(app)


async def test_approve_goes_to_what_is_undecided_and_names_it() -> None:
    app = desk(three("ours", "ours"))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("[", "[", "a")
        assert app.acts == []
        assert B in where(app)
        assert [f"{B} is not decided yet" in note.message for note in app._notifications] == [True]


async def test_approve_merges_once_everything_is_decided() -> None:
    app = desk(three("ours", "both", "theirs", "edited"))
    async with app.run_test(size=(120, 40)) as pilot:
        assert "everything is decided: a approves and merges" in words(app, "#next")
        await pilot.press("a")
        assert app.acts == [(Verb.APPROVE, {"conflict": "c1"})]


async def test_approve_right_after_the_last_choice_waits_for_that_choice() -> None:
    app = desk(three("ours", "ours", "ours"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("t", "a")
        assert [verb for verb, _ in app.acts] == [Verb.TAKE]
        app.put_conflict(three("ours", "ours", "ours", "theirs"))
        await pilot.pause()
        assert [verb for verb, _ in app.acts] == [Verb.TAKE, Verb.APPROVE]
        app.put_conflict(three("ours", "ours", "ours", "theirs"))
        await pilot.pause()
        assert len(app.acts) == 2


async def test_a_refused_last_choice_is_not_approved() -> None:
    app = desk(three("ours", "ours", "ours"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("t", "a")
        app.refuse(Verb.TAKE)
        app.put_conflict(three("ours", "ours", "ours", "theirs"))
        await pilot.pause()
        assert [verb for verb, _ in app.acts] == [Verb.TAKE]


async def test_walks_go_over_hunks_files_and_conflicts() -> None:
    app = desk(three(), conflict("c2", "ws-10-base"))
    async with app.run_test(size=(120, 40)) as pilot:
        seen = []
        for key in ("]", "]", "[", "}", "{", "J", "K", "ctrl+down", "ctrl+up", "K"):
            await pilot.press(key)
            seen.append(where(app).split("  ")[1:3] if "ws-18" in words(app, "#heading") else "c2")
        a1, a2 = [A, "hunk 1 of 2"], [A, "hunk 2 of 2"]
        b, c = [B, "whole file (binary)"], [C, "hunk 1 of 1"]
        assert seen == [a2, b, a2, b, a1, "c2", a1, "c2", a1, "c2"]
        assert c not in seen


async def test_the_list_is_there_when_none_is_chosen_or_several_exist() -> None:
    for stage, listed in (
        (desk(three()), True),
        (desk(three(), id="c1"), False),
        (desk(three(), conflict("c2"), id="c2"), True),
    ):
        async with stage.run_test(size=(120, 40)):
            listing = stage.shown.query_one("#conflicts", OptionList)
            assert listing.display is listed
            line = str(listing.get_option_at_index(0).prompt)
            assert all(word in line for word in ("PENDING", "c1", "ws-18-scripts", A, "7 min", "1 waits behind it"))


async def test_a_click_on_a_conflict_opens_it() -> None:
    app = desk(three(), conflict("c2", "ws-10-base"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.click("#conflicts", offset=(10, 2))
        await pilot.pause()
        assert "ws-10-base" in words(app, "#heading")


async def test_every_act_can_be_clicked() -> None:
    app = desk(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        bar = app.shown.query_one(KeyBar)
        rows = str(bar.render()).split("\n")
        assert len(rows) == bar.size.height
        shown = " ".join(rows)
        for name in (
            *("a approve", "o ours", "b B both", "p proposal", "e edit", "f whole file", "n ask again", "R redo"),
            *("z defer", "x quarantine", "v evidence", "] [ hunk", "} { file", "esc back"),
        ):
            assert name in shown
        await click_word(pilot, bar, "t theirs")
        await click_word(pilot, bar, "x quarantine")
        assert app.acts == [take(Side.THEIRS, hunk=1)]
        assert isinstance(app.screen, ConfirmDialog)


async def click_word(pilot: Pilot[None], bar: KeyBar, word: str) -> None:
    rows = str(bar.render()).split("\n")
    row = next(y for y, text in enumerate(rows) if word in text)
    await pilot.click(bar, offset=(rows[row].index(word) + 1 + bar.styles.padding.left, row))
    await pilot.pause()


async def test_tab_walks_the_boxes_and_j_k_scroll_them() -> None:
    long = hunk(1, ours=tuple(f"line {n}" for n in range(100)))
    app = desk(conflict(files=(ConflictFileView("notes.unknown", "content", (long,), None),)), id="c1")
    async with app.run_test(size=(80, 24)) as pilot:
        walked = []
        for _ in range(4):
            await pilot.press("tab")
            assert app.focused is not None
            walked.append(app.focused.id)
        assert walked == ["ours", "theirs", "base", "proposal"]
        await pilot.press("tab", "j", "j", "k")
        assert app.shown.query_one("#ours", SideBox).scroll_offset.y == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("modify/delete", "ours changed this file, theirs deleted it"),
        ("delete/modify", "ours deleted this file, theirs changed it"),
        ("binary", "not text"),
        ("mode", "executed"),
        ("symlink", "link"),
        ("submodule", "submodule"),
        ("rename", "moved"),
        ("file/directory", "folder"),
        ("add/add", "both added"),
        ("something new", "something new"),
    ],
)
async def test_a_file_without_hunks_says_in_words_what_each_side_did(kind: str, said: str) -> None:
    app = desk(conflict(files=(ConflictFileView("f", kind, (), None),)))
    async with app.run_test(size=(80, 24)) as pilot:
        assert said in str(app.shown.query_one("#base", SideBox).lines[0])
        await pilot.press("b", "o")
        assert app.acts == [take(Side.OURS, "f")]


async def test_a_resolved_conflict_says_who_resolved_it_how_and_takes_nothing_more() -> None:
    done = replace(three("ours", "ours", "theirs", "both"), state=ConflictState.HUMAN_RESOLVED, by="ada")
    app = desk(replace(done, closed_at=ago(60)))
    async with app.run_test(size=(120, 40)) as pilot:
        said = words(app, "#next")
        for part in ("HUMAN_RESOLVED", "resolved by the operator (ada)", "14:02:42", "2 × ours", "1 × both"):
            assert part in said
        await pilot.press("o", "t", "a", "u", "R", "x", "e")
        assert app.acts == []


async def test_a_conflict_that_is_being_merged_says_so_and_takes_nothing_more() -> None:
    app = desk(three("ours", "ours", "ours", "ours"))
    async with app.run_test(size=(120, 40)) as pilot:
        queued = workstream("ws-18-scripts", WorkstreamState.QUEUED, 2)
        app.put(replace(app.source.view, workstreams=(queued,)))
        await pilot.press("a", "o", "x")
        assert app.acts == []
        assert "merge queue" in words(app, "#next")


async def test_a_conflict_that_another_terminal_closes_stays_readable() -> None:
    app = desk(three(), conflict("c2", "ws-10-base"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("]", "o")
        closed = replace(three("theirs", "theirs", "ours", "ours"), state=ConflictState.HUMAN_RESOLVED, by="eve")
        app.put_conflict(conflict("c2", "ws-10-base"), closed)
        await pilot.pause()
        assert "conflict 2 of 2" in words(app, "#heading")
        assert "(eve)" in words(app, "#next")


async def test_a_conflict_that_vanishes_gives_way_to_another_and_then_to_the_empty_state() -> None:
    app = desk(three(), conflict("c2", "ws-10-base"), id="c1")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("}", "}")
        app.put_conflict(conflict("c2", "ws-10-base"))
        await pilot.pause()
        assert "ws-10-base" in words(app, "#heading")
        app.put_conflict()
        await pilot.press("o", "a", "]", "J", "e", "x", "j")
        assert app.shown.query_one("#empty").display
        assert not app.shown.query_one("#conflict").display
        assert app.acts == []


async def test_hunks_that_change_under_the_desk_leave_it_at_one_that_exists() -> None:
    app = desk(three())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("]", "]", "]")
        app.put_conflict(conflict(files=(ConflictFileView("new.py", "content", (hunk(1),), None),)))
        await pilot.press("o")
        assert app.acts == [take(Side.OURS, "new.py", 1)]


async def test_escape_goes_back() -> None:
    app = desk(three())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_a_hunk_of_thousands_of_lines_is_not_coloured_and_drawn_only_when_one_comes_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str | None] = []
    coloured: list[int] = []
    show = SideBox.show

    def noted_show(box: SideBox, lines: Sequence[MarkedLine], path: str) -> None:
        drawn.append(box.id)
        show(box, lines, path)

    def noted_highlight(code: str, **more: str) -> Content:
        coloured.append(code.count("\n") + 1)
        return highlight(code, **more)

    monkeypatch.setattr(SideBox, "show", noted_show)
    monkeypatch.setattr("uet_tui.console.desk.side.highlight", noted_highlight)
    lines = {side: tuple(f"{side} [{n}]" for n in range(5_000)) for side in ("ours", "base", "theirs")}
    big = ConflictFileView("big.py", "content", (hunk(1, **lines), hunk(2)), None)
    found = conflict(files=(big,))
    app = desk(found)
    async with app.run_test(size=(120, 40)) as pilot:
        assert len(app.shown.query_one("#ours", SideBox).lines) > 10_000
        assert drawn == ["ours", "theirs", "base"]
        await pilot.press("tab", "pagedown", "G", "j")
        app.put_conflict(found)  # as whenever anything in the run changes
        assert len(drawn) == 3
        await pilot.press("]", "[")
        assert len(drawn) == 9
    assert max(coloured) <= COLOURED < 10_000


async def test_text_from_outside_is_never_markup() -> None:
    for size in ((120, 40), (80, 24)):
        stage = Stage(StageSource(hostile_run()), ConflictDesk)
        async with stage.run_test(size=size, notifications=True, tooltips=True) as pilot:
            await pilot.press("]", "a", "tab", "o", "u", "x")
            await pilot.pause()
            assert isinstance(stage.screen, ConfirmDialog)


# The editor


def editor(tmp_path: Path, script: str) -> str:
    program = tmp_path / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal that can be lent: tests have none. Like Textual, it does not come back where something is raised."""
    back: list[bool] = []

    @contextmanager
    def suspend(_self: Stage) -> Iterator[None]:
        back.append(False)
        yield
        back[-1] = True

    monkeypatch.setattr(Stage, "suspend", suspend)
    yield
    assert all(back), "the terminal was lent and never taken back"


MARKED = "a\n<<<<<<< ours\nb\r\n=======\nc\n>>>>>>> theirs\n"


async def edited(app: Stage, keys: tuple[str, ...] = ("e",)) -> None:
    app.source.texts["c1", 0] = MARKED
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
            async with asyncio.timeout(10):
                while app.workers and not isinstance(app.screen, ConfirmDialog):
                    await pilot.pause(0.01)
        await pilot.pause()


@pytest.mark.usefixtures("lent")
async def test_an_edited_file_is_sent_whole_and_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    script = f'cp "$1" {seen}; basename "$1" >> {tmp_path}/name; printf "b\\r\\nc\\n" > "$1"'
    monkeypatch.setenv("EDITOR", editor(tmp_path, script))
    app = desk(three())
    await edited(app)
    assert seen.read_bytes() == MARKED.encode()
    assert (tmp_path / "name").read_text() == "a.py\n"
    assert app.acts == [(Verb.EDIT, {"conflict": "c1", "file": A, "content": "b\r\nc\n"})]


@pytest.mark.usefixtures("lent")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", "left as it is"),
        ("exit 3", "ended with 3"),
        ('printf "\\377" > "$1"', "no UTF-8 text"),
    ],
)
async def test_what_is_not_a_resolution_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, script))
    app = desk(three())
    await edited(app)
    assert app.acts == []
    assert [said in note.message for note in app._notifications] == [True]


@pytest.mark.usefixtures("lent")
async def test_an_editor_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    app = desk(three())
    await edited(app)
    assert ["/no/such/editor" in note.message for note in app._notifications] == [True]


def test_an_interrupt_is_the_editors_alone_and_kept_from_nothing_afterwards(tmp_path: Path) -> None:
    copy, before = Copy("a\n", "a.py"), signal.getsignal(signal.SIGINT)
    program = editor(tmp_path, f'trap "echo interrupted > {tmp_path}/seen" INT; kill -INT $PPID $$; echo b > "$1"')
    assert copy.edit([program]) == "b\n"
    assert (tmp_path / "seen").exists()
    assert signal.getsignal(signal.SIGINT) is before
    copy.remove()


async def test_a_terminal_that_cannot_be_lent_gets_a_word_of_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    app = desk(three())
    await edited(app)
    assert ["uet conflicts edit" in note.message for note in app._notifications] == [True]


@pytest.mark.usefixtures("lent")
async def test_a_text_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    app = desk(three())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("e")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert ["c1 has no text [/x]" in note.message for note in app._notifications] == [True]


@pytest.mark.usefixtures("lent")
async def test_left_markers_are_asked_about_and_edited_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'if [ -e {tmp_path}/once ]; then echo done > "$1"; else touch {tmp_path}/once; echo more >> "$1"; fi'
    monkeypatch.setenv("EDITOR", editor(tmp_path, script))
    app = desk(three())
    await edited(app, ("e", "y"))
    assert app.acts == [(Verb.EDIT, {"conflict": "c1", "file": A, "content": "done\n"})]


@pytest.mark.usefixtures("lent")
async def test_left_markers_that_are_not_edited_again_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, 'echo more >> "$1"'))
    app = desk(three())
    await edited(app, ("e", "n"))
    assert app.acts == []


@pytest.mark.usefixtures("lent")
async def test_an_editor_is_opened_on_what_became_of_the_decisions_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, f'cp "$1" {tmp_path}/seen'))
    app = desk(three())
    app.source.texts["c1", 0] = MARKED
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("o", "{", "u", "e")
        app.shown.answered(Verb.TAKE, Answer(id="1", ok=True, message="done"))
        await pilot.pause()
        assert not (tmp_path / "seen").exists()
        app.source.texts["c1", 0] = "decided\n"
        app.shown.answered(Verb.UNDO, Answer(id="2", ok=True, message="done"))
        await app.workers.wait_for_complete()
    assert (tmp_path / "seen").read_text() == "decided\n"


@pytest.mark.parametrize(
    ("text", "marked", "left"),
    [
        (MARKED, MARKED, True),
        ("Title\n=======\n", MARKED, False),
        ("x <<<<<<< \n=======\n x >>>>>>> \n", MARKED, False),
        (MARKED, f"<<<<<<<<< ours\n{MARKED}=========\n>>>>>>>>> theirs\n", False),
        ("<<<<<<<<< a\n=========\n>>>>>>>>> b\n", f"<<<<<<<<< ours\n{MARKED}=========\n>>>>>>>>> theirs\n", True),
    ],
    ids=["all", "underline", "not at line starts", "the file's own", "longer"],
)
def test_markers_are_known_by_their_length_and_place(text: str, marked: str, left: bool) -> None:
    assert bool(left_marker(text, marked)) is left
