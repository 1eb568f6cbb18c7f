"""A merge that git cannot make alone: who waits, who goes on, and what the operator can do."""

from dataclasses import replace

import pytest

from tests.core.driver import Driver, conflicted_file, workstream
from uet_tui.core import conflicts
from uet_tui.core.commands import Side, Verb
from uet_tui.core.conflicts import ChoiceError, Entry
from uet_tui.core.records import GateEntry
from uet_tui.text import one_line


def conflicted(*files: str, linger: bool = True, **fields: object) -> tuple[Driver, str]:
    """ws-a conflicts; ws-b depends on it, ws-c does not."""
    run = Driver(workstream("ws-a", **fields), workstream("ws-b", "ws-a"), workstream("ws-c"), workers=1).begin(
        linger=linger
    )
    run.comes_to_merge("ws-a")
    return run, run.conflicts("ws-a", *files, against=("ws-y",))


def test_only_what_depends_on_a_conflict_waits():
    run, id = conflicted()
    assert run.state("ws-a") == "CONFLICTED"
    assert run.reason("ws-a") == f"needs you: conflict {id} with ws-y in src/shared.py"
    assert run.reason("ws-b") == "waits for ws-a"
    assert run.running == ["ws-c"]
    assert run.laid_out == [id]
    run.finishes("ws-c")
    assert run.run.state == "RUNNING", "the console waits for the operator"


def test_a_conflict_gives_up_its_scope_and_its_group():
    run = Driver(
        workstream("ws-a", files_scope=["src/"], conflict_group="g"),
        workstream("ws-b", files_scope=["src/"]),
        workstream("ws-c", files_scope=["docs/"], conflict_group="g"),
    ).begin()
    run.comes_to_merge("ws-a")
    run.conflicts("ws-a")
    assert run.running == ["ws-b", "ws-c"]


def test_taking_a_side_hunk_by_hunk_then_approving_merges_the_resolution():
    run, id = conflicted("src/a.py", "src/b.py")
    assert run.does(Verb.TAKE, conflict=id, side="ours", file="src/a.py", hunk=1) == "ours taken; 0 of 2 files decided"
    run.does(Verb.TAKE, conflict=id, side="both", file="src/a.py", hunk=2)
    refusal = run.is_refused(Verb.APPROVE, conflict=id)
    assert refusal == f"conflict {id} is not decided yet: src/b.py (1 left); take a side or edit"
    told = run.does(Verb.TAKE, conflict=id, side="theirs", file="src/b.py")
    assert told == f"theirs taken; everything is decided: approve {id} to merge it"
    assert run.merging is None
    run.does(Verb.APPROVE, conflict=id)
    assert run.state("ws-a") == "MERGING"
    assert run.merging is not None
    (entry,) = run.merging.entries
    assert (entry.conflict, entry.commit) == (id, "commit-ws-a-1")
    assert run.is_refused(Verb.UNDO, conflict=id) == f"conflict {id} is being merged just now"
    run.merges("ws-a")
    assert run.conflict(id).state == "HUMAN_RESOLVED"
    assert run.conflict(id).by == "ann"
    assert run.told("conflict_resolved") == [f"conflict {id} of ws-a resolved by ann"]
    assert run.state("ws-b") == "PENDING"
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_settling_merges_as_soon_as_nothing_is_left_to_decide():
    run, id = conflicted("src/a.py", "src/b.py")
    run.does(Verb.TAKE, conflict=id, side="ours", file="src/a.py", settle=True)
    assert run.merging is None
    run.does(Verb.EDIT, conflict=id, file="src/b.py", content="mine\n", settle=True)
    assert run.merging is not None
    assert run.conflict(id).files[1].choice == "edited"


def test_a_choice_can_be_taken_back():
    run, id = conflicted()
    run.does(Verb.TAKE, conflict=id, side="ours")
    run.does(Verb.UNDO, conflict=id)
    assert not conflicts.decided(run.conflict(id).files)
    assert "not decided yet" in run.is_refused(Verb.APPROVE, conflict=id)


def test_redo_sends_the_workstream_back_to_be_done_on_the_new_tip():
    run, id = conflicted(circuit_breaker={"max_attempts": 1})
    run.finishes("ws-c")
    run.does(Verb.REDO, conflict=id)
    assert run.conflict(id).state == "HUMAN_RESOLVED"
    assert run.attempts["ws-a", 2].base_commit == "tip-1"
    assert "src/shared.py" in run.row("ws-a").note
    run.comes_to_merge("ws-a")
    assert [entry.conflict for entry in run.unanswered] == [None], "the new result has no conflict yet"
    run.runs_to_the_end()
    assert run.run.state == "COMPLETED"


def test_a_redo_that_fails_is_not_taken_for_the_old_conflict():
    run, id = conflicted()
    run.does(Verb.REDO, conflict=id, note="use the new parser")
    assert run.row("ws-a").wish == "use the new parser"
    run.finishes("ws-c")
    run.comes_to_merge("ws-a")
    run.merge_fails("ws-a")
    assert run.state("ws-a") == "PENDING"
    assert run.row("ws-a").wish == "use the new parser", "it holds for every further attempt"


def test_quarantine_gives_the_workstream_up():
    run, id = conflicted()
    run.does(Verb.QUARANTINE, conflict=id)
    assert run.state("ws-a") == "QUARANTINED"
    assert run.state("ws-b") == "SKIPPED"
    assert run.conflict(id).state == "QUARANTINED"
    assert run.is_refused(Verb.APPROVE, conflict=id) == f"conflict {id} is closed (QUARANTINED)"
    run.does(Verb.RETRY, workstream="ws-a")
    assert run.state("ws-b") == "PENDING"


def test_skipping_a_conflicted_workstream_closes_its_conflict():
    run, id = conflicted()
    run.does(Verb.SKIP, workstream="ws-a")
    assert run.conflict(id).state == "QUARANTINED"
    run.finishes("ws-c")
    assert run.run.state == "FAILED"


def test_a_resolution_that_conflicts_again_opens_a_new_conflict():
    run, id = conflicted()
    run.finishes("ws-c")
    run.does(Verb.TAKE, conflict=id, side="ours", settle=True)
    again = run.conflicts("ws-a", "src/other.py")
    assert again != id
    assert run.conflict(id).closed_at is not None
    assert "came up again" in run.conflict(id).by
    assert run.conflict(again).ours_commit == "tip-1"
    assert run.laid_out[0] == id and run.laid_out[-1] == again
    run.does(Verb.TAKE, conflict=again, side="theirs", settle=True)
    run.merges("ws-a")
    assert run.conflict(again).state == "HUMAN_RESOLVED"


def test_a_resolution_that_does_not_pass_goes_back_to_the_operator():
    run, id = conflicted()
    run.does(Verb.TAKE, conflict=id, side="ours", settle=True)
    run.merge_fails("ws-a", "as merged: GATE_UNIT failed")
    assert run.state("ws-a") == "CONFLICTED"
    assert run.reason("ws-a") == "needs you: the resolution did not hold (as merged: GATE_UNIT failed)"
    run.does(Verb.UNDO, conflict=id)
    run.does(Verb.TAKE, conflict=id, side="theirs", settle=True)
    run.merges("ws-a")
    assert run.state("ws-a") == "MERGED"


@pytest.mark.parametrize("gated", [True, False])
def test_a_conflict_that_is_closed_shows_what_the_gates_said_of_what_was_merged(gated: bool):
    red = GateEntry(1.0, "ws-a", 1, "GATE_UNIT", "merged", "failed", 0.1, "1 failed")
    green = (replace(red, verdict="passed"),) if gated else ()
    run, id = conflicted()
    run.does(Verb.TAKE, conflict=id, side="ours", settle=True)
    run.merge_fails("ws-a", gates=(red,))
    assert run.conflict(id).gates == (red,)
    run.does(Verb.TAKE, conflict=id, side="theirs", settle=True)
    run.merges("ws-a", gates=green)
    assert run.conflict(id).gates == green


def test_without_a_console_the_run_waits_for_the_operator_and_lets_go():
    run, id = conflicted(linger=False)
    run.finishes("ws-c")
    assert run.run.state == "PAUSED"
    assert run.run.reason == f"waits for the operator: conflict {id}"
    assert run.let_go == ["operator"]
    assert run.workers == {}


def test_a_resolution_in_the_queue_does_not_free_what_somebody_else_holds():
    run = Driver(
        workstream("ws-a", conflict_group="g", estimated_seconds=9),
        workstream("ws-b", conflict_group="g", estimated_seconds=5),
        workstream("ws-c", conflict_group="g"),
        workers=3,
    ).begin()
    run.comes_to_merge("ws-a")
    id = run.conflicts("ws-a")
    assert run.running == ["ws-b"]
    run.does(Verb.TAKE, conflict=id, side="ours", settle=True)
    run.merges("ws-a")
    assert run.running == ["ws-b"]
    assert run.reason("ws-c") == "group g held by ws-b"


def test_a_resolution_in_the_queue_does_not_end_the_solitude_of_what_runs_alone():
    run = Driver(
        workstream("ws-a", parallel_ok=False, estimated_seconds=9),
        workstream("ws-b", parallel_ok=False, estimated_seconds=5),
        workstream("ws-c"),
        workers=3,
    ).begin()
    run.comes_to_merge("ws-a")
    id = run.conflicts("ws-a")
    run.does(Verb.TAKE, conflict=id, side="ours", settle=True)
    run.merges("ws-a")
    assert run.running == ["ws-b"]


# Choices


def test_a_whole_side_overrides_what_was_chosen_before():
    files = conflicts.take((conflicted_file(),), Side.BOTH, None, 2)
    files = conflicts.take(files, Side.THEIRS)
    assert [hunk.choice for hunk in files[0].hunks] == ["theirs", "theirs"]
    assert conflicts.decided(files)


def test_what_was_written_by_hand_is_only_thrown_away_by_an_act_that_names_its_file():
    written = Entry("100644", "1" * 40)
    files = conflicts.edit((conflicted_file("src/a.py"), conflicted_file("src/b.py")), "src/a.py", written)
    a, b = conflicts.take(files, Side.BOTH)
    assert (a.choice, a.edited) == ("edited", written)
    assert [hunk.choice for hunk in b.hunks] == ["both", "both"]
    with pytest.raises(ChoiceError, match="everything was edited: name the file to take ours"):
        conflicts.take((a,), Side.OURS)
    (a,) = conflicts.take((a,), Side.OURS, "src/a.py")
    assert (a.choice, a.edited, [hunk.choice for hunk in a.hunks]) == (None, None, ["ours", "ours"])


@pytest.mark.parametrize(
    ("side", "file", "hunk", "message"),
    [
        (Side.OURS, "src/none.py", None, "is not a file of this conflict"),
        (Side.OURS, "src/a.py", 3, "has hunks 1 to 2, there is no hunk 3"),
        (Side.PROPOSAL, "src/a.py", None, "has no proposal"),
        (Side.PROPOSAL, "src/a.py", 1, "has no proposal"),
        (Side.OURS, None, 1, "say which file"),
    ],
)
def test_a_choice_that_is_not_there_is_refused(side, file, hunk, message):
    files = (conflicted_file("src/a.py"), conflicted_file("src/b.py"))
    with pytest.raises(ChoiceError, match=message):
        conflicts.take(files, side, file, hunk)


def test_a_file_can_be_named_as_screens_show_it_unless_that_could_be_another():
    odd, plain = conflicted_file("a\udcff\x1b]0;x\x07.txt"), conflicted_file("b.txt")
    shown = one_line(odd.path)
    assert shown != odd.path
    taken = conflicts.take((odd, plain), Side.OURS, shown, 1)
    assert [[hunk.choice for hunk in file.hunks] for file in taken] == [["ours", None], [None, None]]
    assert conflicts.undo(taken, shown) == (odd, plain)
    same = conflicted_file("a\udcfe\x1b]0;x\x07.txt")
    with pytest.raises(ChoiceError, match="2 files of this conflict look like"):
        conflicts.take((odd, same), Side.OURS, shown)
    exact = conflicted_file(shown)
    assert [f.decided for f in conflicts.take((odd, exact), Side.OURS, shown)] == [False, True]


@pytest.mark.parametrize("verb", [Verb.TAKE, Verb.UNDO, Verb.EDIT, Verb.APPROVE, Verb.REDO, Verb.QUARANTINE])
def test_an_act_on_a_conflict_that_is_not_there_names_those_that_are(verb):
    run, id = conflicted()
    assert run.is_refused(verb, conflict="c9") == f"there is no conflict c9; open conflicts: {id}"
