"""The desk where machines are at work: proposals, what speaks against them, what is tried, and who is at it."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tests.console import desks
from tests.console.samples import gate, hunk, sample_run
from tests.console.stage import Stage, words
from tests.console.test_desk import MARKED, click_word, edited, editor, lent, three  # noqa: F401 - a fixture
from uet_tui.console.desk.screen import ConflictDesk
from uet_tui.console.desk.side import SideBox
from uet_tui.console.desk.sides import Sides
from uet_tui.console.dialogs.confirm import ConfirmDialog
from uet_tui.console.dialogs.evidence import EvidenceDialog
from uet_tui.console.dialogs.note import NoteDialog
from uet_tui.console.key_bar import KeyBar
from uet_tui.core.commands import Side, Verb
from uet_tui.store.conflict_text import SideText
from uet_tui.store.conflict_views import ConflictFileView, RungView

PATH = "scripts/run_workstream.py"
BIG = (120, 40)


def box(app: Stage, name: str) -> str:
    return "\n".join(str(line) for line in app.shown.query_one(f"#{name}", SideBox).lines)


def told(app: Stage) -> list[str]:
    return [note.message for note in app._notifications]


async def click_text(pilot: Pilot[None], app: Stage, selector: str, text: str) -> None:
    widget = app.shown.query_one(selector)
    await pilot.click(widget, offset=(str(widget.render()).index(text) + widget.styles.padding.left, 0))
    await pilot.pause()


async def test_a_proposal_that_holds_is_approved_with_one_key() -> None:
    app = desks.desk(desks.proposed())
    async with app.run_test(size=BIG) as pilot:
        assert "a approves the proposal" in words(app, "#next")
        assert "gates on the result: lint ✓ unit ✓ 0:40" in words(app, "#verdicts")
        assert "lost lines: none" in words(app, "#verdicts")
        assert "agent ✓ settled 0:48, $0.06" in words(app, "#tried")
        assert str(app.shown.query_one("#proposal").border_title) == "proposal: by agent claude, 0:48, $0.06"
        await pilot.press("a")
        assert app.acts == [(Verb.APPROVE, {"conflict": "c1"})]


async def test_a_proposal_that_gates_are_red_on_is_not_recommended() -> None:
    red = gate("GATE_UNIT", "failed", "proposal", output="1 failed\n")
    made = desks.proposed(gates=(red,))
    (file,) = made.files
    app = desks.desk(replace(made, files=(replace(file, hunks=file.hunks[1:]),)))
    async with app.run_test(size=BIG) as pilot:
        assert words(app, "#next").startswith("✗ gates are red on the proposal, v shows; n asks again; or o ours")
        await pilot.press("a")
        assert isinstance(app.screen, ConfirmDialog)
        assert app.acts == []


async def test_only_what_applies_to_a_place_is_offered_for_it() -> None:
    app = desks.desk(three(proposal=False))
    async with app.run_test(size=BIG) as pilot:
        assert words(app, "#next") == "? 4 decisions are left: o ours, t theirs, b B both, e edit"
        await pilot.press("}")
        assert "b.png" in words(app, "#place")
        assert words(app, "#next") == "? 4 decisions are left: o ours, t theirs"


async def test_with_little_room_the_heading_leaves_out_what_one_can_do_without() -> None:
    app = desks.desk(desks.proposed())
    async with app.run_test(size=(80, 24)):
        said = words(app, "#heading")
        assert "conflict 1 of 1" in said and "decided  2 wait  open for" in said
        assert len(said) <= 78


async def test_a_later_try_that_failed_did_not_make_the_proposal() -> None:
    later = RungView("agent", "failed", 300.0, 0.2, "ended by signal 15")
    app = desks.desk(desks.proposed(tried=(*desks.TRIED, later)))
    async with app.run_test(size=BIG):
        assert str(app.shown.query_one("#proposal").border_title) == "proposal: by agent claude, 0:48, $0.06"


async def test_a_proposal_that_drops_lines_is_never_taken_in_passing() -> None:
    app = desks.desk(desks.refused())
    async with app.run_test(size=BIG, notifications=True) as pilot:
        assert "⊘ 2 lines" in words(app, "#verdicts")
        assert "drops 2 lines" in str(app.shown.query_one("#proposal").border_title)
        await pilot.press("a")
        assert app.acts == []
        assert "drops lines" in told(app)[0]
        await pilot.press("p", "p")
        take = {"conflict": "c1", "side": Side.PROPOSAL, "file": PATH}
        assert app.acts == [(Verb.TAKE, {**take, "hunk": 2}), (Verb.TAKE, {**take, "hunk": 3})]
        (file,) = desks.refused().files
        taken = replace(file, hunks=tuple(replace(h, choice="proposal") for h in file.hunks))
        app.put_conflict(replace(desks.refused(), files=(taken,)))
        await pilot.press("a")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("n")
        assert len(app.acts) == 2
        await pilot.press("a", "y")
        assert app.acts[2:] == [(Verb.APPROVE, {"conflict": "c1"})]


async def test_all_evidence_can_be_read_by_key_and_by_click() -> None:
    app = desks.desk(desks.refused())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("v")
        assert isinstance(app.screen, EvidenceDialog)
        said = "\n".join(str(part.render()) for part in app.screen.query("Static.dialog--lead"))
        for part in (*desks.LOST, "test_private", "no parser", "2 lines of ours are lost", "Never start fewer"):
            assert part in said
        await pilot.press("pagedown", "G", "g", "v")
        assert app.screen is app.shown
        await pilot.click("#verdicts")
        await pilot.pause()
        assert isinstance(app.screen, EvidenceDialog)
        await pilot.click("#back")
        await pilot.pause()
        assert app.screen is app.shown


@pytest.mark.parametrize("busy", ["ladder", "agent"])
async def test_what_does_not_apply_while_something_is_tried_is_dim_and_says_why(busy: str) -> None:
    app = desks.desk(replace(desks.bare(), busy=busy))
    async with app.run_test(size=BIG, notifications=True) as pilot:
        said = []
        for key in "otbBpueanO":  # looked at one by one: they are gone after some seconds
            await pilot.press(key)
            said.append(told(app)[-1])
        assert app.acts == []
        assert len({*said}) == 10, said
        assert all("wait for what comes of it" in one for one in said)
        await pilot.press("z", "x", "y", "R", "enter")
        assert [verb for verb, _ in app.acts] == [Verb.DEFER, Verb.QUARANTINE, Verb.REDO]


async def test_what_waits_for_its_turn_to_ask_an_agent_can_be_decided() -> None:
    app = desks.desk(replace(desks.bare(), busy="turn"))
    async with app.run_test(size=BIG) as pilot:
        assert "waits to ask an agent" in words(app, "#next")
        await pilot.press("o")
        assert [verb for verb, _ in app.acts] == [Verb.TAKE]


async def test_who_is_at_it_and_for_how_long_is_said() -> None:
    app = desks.asked()
    async with app.run_test(size=BIG) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "agent claude is at it, 0:48" in words(app, "#next")
        assert "keep the umask" in box(app, "proposal")


async def test_where_nothing_is_proposed_the_box_says_what_was_tried_and_what_to_press() -> None:
    app = desks.desk(desks.bare())
    async with app.run_test(size=BIG, notifications=True) as pilot:
        said = box(app, "proposal")
        for part in ("agent failed: it ran out of time", "structural failed", "n asks the agent again"):
            assert part in said
        await pilot.press("p")
        assert told(app) == ["proposal: nothing is proposed here: n asks the agent"]


async def test_asking_again_starts_from_the_note_before() -> None:
    app = desks.desk(replace(desks.proposed(), note="keep both"))
    async with app.run_test(size=BIG) as pilot:
        await pilot.press("n")
        assert isinstance(app.screen, NoteDialog)
        assert app.screen.query_one(Input).value == "keep both"
        await pilot.click("#send")
        await pilot.pause()
        assert app.acts == [(Verb.AGAIN, {"conflict": "c1", "note": "keep both"})]


async def test_a_first_ask_needs_no_note() -> None:
    app = desks.desk(desks.bare())
    async with app.run_test(size=BIG) as pilot:
        await pilot.press("n", "enter")
        assert app.acts == [(Verb.AGAIN, {"conflict": "c1"})]


async def test_conflicts_that_were_put_off_come_last_and_are_marked() -> None:
    app = desks.desk(*desks.several())
    async with app.run_test(size=BIG) as pilot:
        listing = app.shown.query_one("#conflicts", OptionList)
        rows = [str(listing.get_option_at_index(index).prompt) for index in range(listing.option_count)]
        assert [row.split("c", 1)[1][:1] for row in rows] == ["1", "2", "5", "6", "4", "3"]
        assert "put off" in rows[4]
        for row, glance in zip(rows, ("gates ok", "no proposal", "agent at it", "loses lines"), strict=False):
            assert glance in row
        await pilot.press("z")
        assert app.acts == [(Verb.DEFER, {"conflict": "c1"})]
        assert "ws-10-base" in words(app, "#heading")


async def test_a_proposal_for_a_whole_file_is_shown_against_ours_and_taken_whole() -> None:
    app = desks.whole(7)
    async with app.run_test(size=BIG) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        said = box(app, "proposal")
        assert "below: what it changes" in said
        assert "theirs at the end" in said
        assert "lines alike" in said
        await pilot.press("p")
        take = {"conflict": "c1", "side": Side.PROPOSAL, "file": "package-lock.json"}
        assert app.acts == [(Verb.TAKE, take)]


async def test_a_proposal_in_one_piece_is_taken_whole_from_any_hunk() -> None:
    file = ConflictFileView("a.py", "content", (hunk(1), hunk(2)), None, "structural")
    app = desks.desk(desks.proposed(files=(file,)))
    app.source.sides = {
        ("c1", 0, "ours"): SideText("text, 2 bytes", ("a", "b")),
        ("c1", 0, "proposal"): SideText("text, 2 bytes", ("a", "c")),
    }
    async with app.run_test(size=BIG) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "P takes it, for the whole file" in box(app, "proposal")
        await pilot.press("p")
        assert app.acts == [(Verb.TAKE, {"conflict": "c1", "side": Side.PROPOSAL, "file": "a.py"})]


async def test_a_proposal_to_delete_a_file_says_so() -> None:
    file = ConflictFileView("a.py", "modify/delete", (), None, "agent", proposes_deletion=True)
    app = desks.desk(desks.proposed(files=(file,)))
    async with app.run_test(size=BIG):
        assert "no such file any more" in box(app, "proposal")


@pytest.mark.parametrize("at", range(8))
async def test_every_kind_of_file_is_decided_by_key(at: int) -> None:
    app = desks.whole(at)
    async with app.run_test(size=(80, 24)) as pilot:
        start = desks.WHOLE[at]
        await pilot.press(*"{" * len(desks.WHOLE), "u" if start.choice else "o")
        assert app.acts[0][1]["file"] == start.path


async def test_with_the_mouse_alone_one_gets_everywhere_and_does_everything() -> None:
    app = desks.desk(*desks.several())
    async with app.run_test(size=BIG) as pilot:
        bar = app.shown.query_one(KeyBar)
        await click_text(pilot, app, "#strip", "»3")
        assert "hunk 3 of 3" in words(app, "#place")
        await click_text(pilot, app, "#strip", "»2")
        await click_word(pilot, bar, "o ours")
        await click_word(pilot, bar, "f whole file")
        await click_word(pilot, bar, "t theirs")
        await click_word(pilot, bar, "u undo")
        await click_word(pilot, bar, "z defer")
        await click_word(pilot, bar, "R redo")
        await pilot.click("#send")
        await pilot.pause()
        await click_word(pilot, bar, "n ask again")
        await pilot.click("#send")
        await pilot.pause()
        await click_word(pilot, bar, "x quarantine")
        await pilot.click("#yes")
        await pilot.pause()
        await pilot.click("#conflicts", offset=(10, 1))
        await pilot.pause()
        await click_word(pilot, bar, "a approve")
        assert [verb for verb, _ in app.acts] == [
            *(Verb.TAKE, Verb.TAKE, Verb.UNDO, Verb.DEFER, Verb.REDO, Verb.AGAIN, Verb.QUARANTINE, Verb.APPROVE)
        ]
        await click_word(pilot, bar, "esc back")
        assert len(app.screen_stack) == 1


async def test_files_are_chosen_by_click() -> None:
    app = desks.desk(three())
    async with app.run_test(size=BIG) as pilot:
        await click_text(pilot, app, "#strip", "? c.md")
        assert "c.md  hunk 1 of 1" in words(app, "#place")
        await click_text(pilot, app, "#strip", "? b.png")
        assert "b.png  whole file (binary)" in words(app, "#place")


async def test_what_speaks_for_a_merge_changes_without_the_boxes_being_drawn_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = desks.desk(desks.proposed())
    async with app.run_test(size=BIG) as pilot:
        drawn: list[str | None] = []
        show = SideBox.show
        monkeypatch.setattr(SideBox, "show", lambda self, *more: (drawn.append(self.id), show(self, *more))[1])
        app.put_conflict(desks.proposed(gates=()))
        await pilot.pause()
        assert "none ran" in words(app, "#verdicts")
        assert drawn == []
        assert isinstance(app.shown.query_one(Sides), Sides)


# The editor


@pytest.mark.usefixtures("lent")
async def test_the_setting_outranks_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    app = desks.desk(three())
    app.editor = editor(tmp_path, 'echo done > "$1"')
    await edited(app)
    assert [fields["content"] for _, fields in app.acts] == ["done\n"]


@pytest.mark.usefixtures("lent")
async def test_an_editor_that_is_no_command_line_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "vim -c 'set tw=80")
    app = desks.desk(three())
    await edited(app)
    assert [("$VISUAL" in said, "not a command line" in said) for said in told(app)] == [(True, True)]


@pytest.mark.usefixtures("lent")
async def test_what_was_refused_is_what_editing_again_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'cp "$1" {tmp_path}/seen; echo mine >> "$1"; sed -i "/^[<=>]/d" "$1"'
    monkeypatch.setenv("EDITOR", editor(tmp_path, script))
    app = desks.desk(three())
    app.source.texts["c1", 0] = MARKED
    async with app.run_test(size=BIG, notifications=True) as pilot:
        await pilot.press("e")
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.refuse(Verb.EDIT)
        await pilot.press("{", "{", "e")
        await app.workers.wait_for_complete()
        await pilot.pause()
    assert (tmp_path / "seen").read_text() == "a\nb\nc\nmine\n"
    assert [verb for verb, _ in app.acts] == [Verb.EDIT, Verb.EDIT]


@pytest.mark.usefixtures("lent")
async def test_what_was_written_with_markers_left_is_kept_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f'cp "$1" {tmp_path}/seen; echo more >> "$1"'
    monkeypatch.setenv("EDITOR", editor(tmp_path, script))
    app = desks.desk(three())
    await edited(app, ("e", "n", "e", "n"))
    assert app.acts == []
    assert (tmp_path / "seen").read_text().count("more\n") == 1
    assert told(app) == ["Nothing is taken. What you wrote is kept: e goes on with it."] * 2


def test_the_sample_run_opens_at_what_needs_the_operator() -> None:
    first, *_ = desks.several()
    view = sample_run(conflicts=(replace(first, deferred=True), *desks.several()[1:]))
    settled = ConflictDesk(desks.over(view).source).sitting.settle(view)
    assert settled is not None and settled.id == "c2"
