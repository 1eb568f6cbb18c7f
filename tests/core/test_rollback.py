"""A run is undone merge by merge, newest first; what stops it can be put right, and it goes on where it was."""

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.effects import Effect, Land, Revert
from uet_tui.core.events import Event, Landed, LandingRefused, Reverted, RevertFailed
from uet_tui.core.machine import Step
from uet_tui.core.states import ConflictState, RunState, WorkstreamState
from uet_tui.plan.model import Workstream


class Undoing(Driver):
    """A driver that carries out what a rollback asks for."""

    def __init__(self, *workstreams: Workstream, workers: int = 2) -> None:
        self.effects: list[Effect] = []
        super().__init__(*workstreams, workers=workers)

    def step(self, event: Event) -> Step:
        """Takes an event, and keeps what the machine wants done."""
        step = super().step(event)
        self.effects += step.effects
        return step

    def asks_rollback(self) -> None:
        """The operator asks for a rollback, which is not answered before it has ended."""
        before = len(self.answers)
        self.ask(Verb.ROLLBACK)
        assert len(self.answers) == before, self.said()

    @property
    def undoing(self) -> Revert:
        """What is to be undone now."""
        found = [effect for effect in self.effects if isinstance(effect, Revert)][-1]
        return found

    def reverts(self, *, to: str = "") -> Revert:
        """What is to be undone now is undone."""
        asked = self.undoing
        tip = to or (f"undo-{asked.commit}" if asked.commit else asked.tip)
        self.tell(Reverted(asked.commit, tip))
        return asked

    def said(self) -> tuple[bool, str]:
        """What the newest answer was."""
        answer = list(self.answers.values())[-1]
        return answer.ok, answer.message


def three_in_a_row() -> Undoing:
    """Three workstreams, each on top of the one before, all merged."""
    story = Undoing(workstream("ws-a"), workstream("ws-b", "ws-a"), workstream("ws-c", "ws-b"), workers=1)
    story.begin()
    for id in ("ws-a", "ws-b", "ws-c"):
        story.clock += 1
        story.finishes(id)
    assert story.run.state is RunState.COMPLETED
    return story


def resumed(story: Undoing, *, dispatch: bool = False, linger: bool = False) -> Undoing:
    """Another orchestrator has the run."""
    story.crash(dispatch=dispatch, linger=linger)
    return story


def test_merges_are_undone_newest_first_and_the_run_ends_cancelled() -> None:
    story = resumed(three_in_a_row())
    tips = [story.row(id).merge_commit for id in ("ws-c", "ws-b", "ws-a")]
    story.let_go.clear()
    story.asks_rollback()
    assert [story.reverts().commit for _ in range(2)] == tips[:2]
    assert not story.let_go, "not before all is undone"
    assert story.reverts().commit == tips[2]
    assert set(story.states.values()) == {"CANCELLED"}
    assert (story.run.state, story.run.reason, story.run.tip) == (RunState.CANCELLED, "rolled back", f"undo-{tips[2]}")
    assert story.said()[0] and "rolled back" in story.said()[1]
    assert len(story.told("merge_reverted")) == 3 and len(story.told("rollback_done")) == 1
    assert story.let_go[-1] == "done"


def test_the_run_is_cancelled_before_the_first_merge_is_undone() -> None:
    story = resumed(three_in_a_row())
    story.asks_rollback()
    assert story.stored.run.state is RunState.CANCELLED
    assert "uet rollback" in story.stored.run.reason


def test_one_commit_that_merged_several_is_undone_once() -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b"), workers=2)
    story.begin().finishes("ws-a", "ws-b")
    for id in ("ws-a", "ws-b"):
        story.row(id).merge_commit = "both"
    resumed(story)
    for id in ("ws-a", "ws-b"):
        story.row(id).merge_commit = "both"
    story.asks_rollback()
    asked = story.reverts()
    assert (asked.commit, set(asked.workstreams)) == ("both", {"ws-a", "ws-b"})
    assert set(story.states.values()) == {"CANCELLED"}


def test_what_needed_no_change_has_its_turn_without_a_commit() -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b", "ws-a"), workers=1)
    story.begin().finishes("ws-a")
    story.clock += 1
    story.ends("ws-b")
    story.collects("ws-b", change=False, stated=True)
    assert story.row("ws-b").merge_commit is None and story.state("ws-b") is WorkstreamState.MERGED
    resumed(story).asks_rollback()
    first = story.reverts()
    assert (first.commit, first.workstreams, first.name) == ("", ("ws-b",), "ws-b.1")
    assert story.reverts().workstreams == ("ws-a",)
    assert story.run.reason == "rolled back"


@pytest.mark.parametrize("change", [True, False])
def test_where_the_clock_was_set_back_what_others_were_built_on_is_still_undone_after_them(change: bool) -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b", "ws-a"), workstream("ws-c", "ws-b"), workers=1)
    story.begin()
    for id in ("ws-a", "ws-b", "ws-c"):
        story.clock -= 1000
        story.ends(id)
        story.collects(id, change=change, stated=not change)
        if change:
            story.merges(id)
    assert story.run.state is RunState.COMPLETED
    resumed(story).asks_rollback()
    assert [story.reverts().workstreams for _ in range(3)] == [("ws-c",), ("ws-b",), ("ws-a",)]


def test_a_merge_that_the_branch_knows_to_be_newer_is_taken_off_instead() -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b"), workstream("ws-c"), workers=1)
    story.begin()
    for id in ("ws-a", "ws-b", "ws-c"):
        story.clock -= 1  # the clock was set back
        story.finishes(id)
    resumed(story).asks_rollback()
    newest = story.row("ws-c").merge_commit
    assert story.undoing.commit != newest and newest is not None
    story.tell(Reverted(newest, "undone"))
    assert story.states == {"ws-a": "MERGED", "ws-b": "MERGED", "ws-c": "CANCELLED"}


def test_where_it_stops_is_told_and_it_goes_on_from_there() -> None:
    story = resumed(three_in_a_row())
    story.asks_rollback()
    story.reverts()
    stuck = story.undoing
    story.tell(RevertFailed(stuck.commit, "compensation action 1 of ws-b ended with 1", "moved"))
    ok, message = story.said()
    assert not ok and "ws-b" in message and "action 1" in message and "`uet rollback` goes on" in message
    assert story.states == {"ws-a": "MERGED", "ws-b": "MERGED", "ws-c": "CANCELLED"}
    assert story.run.tip == "moved" and story.run.state is RunState.CANCELLED and "ws-b" in story.run.reason
    assert len(story.told("rollback_stopped")) == 1
    assert story.let_go[-1] == "done"
    resumed(story).asks_rollback()
    assert (story.undoing.commit, story.undoing.tip) == (stuck.commit, "moved")
    story.reverts(to="moved")
    story.reverts()
    assert story.said()[0] and set(story.states.values()) == {"CANCELLED"}


def test_nothing_goes_on_while_a_rollback_is_in_progress_but_whoever_asks_again_gets_the_same_answer() -> None:
    story = resumed(three_in_a_row(), dispatch=True, linger=True)
    story.asks_rollback()
    assert "being rolled back" in story.is_refused(Verb.RETRY, workstream="ws-a")
    assert "being rolled back" in story.is_refused(Verb.LAND)
    story.asks_rollback()
    asked = [effect for effect in story.effects if isinstance(effect, Revert)]
    assert len(asked) == 1, "once is enough"
    for _ in range(3):
        story.reverts()
    assert len([a for a in story.answers.values() if a.ok and "rolled back" in a.message]) == 2


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.DRAINING])
def test_a_run_that_goes_on_is_not_rolled_back(state: RunState) -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b"), workers=1)
    story.begin().finishes("ws-a")
    if state is RunState.DRAINING:
        story.does(Verb.DRAIN)
    assert state.value in story.is_refused(Verb.ROLLBACK)


def test_work_under_way_in_a_paused_run_is_named() -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b"), workers=1)
    story.begin().finishes("ws-a")
    story.does(Verb.PAUSE)
    assert "ws-b is RUNNING" in story.is_refused(Verb.ROLLBACK)


def test_without_a_merge_there_is_nothing_to_roll_back() -> None:
    story = Undoing(workstream("ws-a"), workers=1)
    story.begin().fails_for_good("ws-a")
    resumed(story)
    assert "nothing was merged" in story.is_refused(Verb.ROLLBACK)


def test_a_second_rollback_has_nothing_to_do() -> None:
    story = resumed(three_in_a_row())
    story.asks_rollback()
    for _ in range(3):
        story.reverts()
    resumed(story)
    assert "already" in story.is_refused(Verb.ROLLBACK)
    assert "rolled back" in story.is_refused(Verb.LAND)


def test_what_did_not_end_is_given_up_with_its_conflict() -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b"), workstream("ws-c", "ws-b"), workers=2)
    story.begin().comes_to_merge("ws-a", "ws-b")
    story.merges("ws-a")
    conflict = story.conflicts("ws-b")
    if story.conflict(conflict).climbing:
        story.climbs_to(conflict)
    story.clock += 10
    assert story.run.state is RunState.PAUSED
    resumed(story).asks_rollback()
    assert story.states == {"ws-a": "MERGED", "ws-b": "CANCELLED", "ws-c": "CANCELLED"}
    assert story.conflict(conflict).state is ConflictState.QUARANTINED
    story.reverts()
    assert story.run.state is RunState.CANCELLED and story.run.ended_at is not None


def test_what_the_operator_holds_in_the_merge_queue_is_given_up_too() -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b"), workers=2)
    story.begin()
    story.does(Verb.HOLD, workstream="ws-b")
    story.comes_to_merge("ws-a", "ws-b")
    story.merges("ws-a")
    assert (story.run.state, story.state("ws-b")) == (RunState.PAUSED, WorkstreamState.QUEUED)
    resumed(story).asks_rollback()
    assert story.state("ws-b") is WorkstreamState.CANCELLED
    story.reverts()
    assert (story.run.state, story.unanswered) == (RunState.CANCELLED, [])


def test_a_landed_run_takes_its_branch_along_and_is_not_landed_any_more() -> None:
    story = resumed(three_in_a_row())
    assert story.run.tip == "tip-3"
    story.ask(Verb.LAND)
    story.tell(Landed("main", "tip-3"))
    resumed(story).asks_rollback()
    for _ in range(3):
        story.reverts()
    assert [effect.target for effect in story.effects if isinstance(effect, Land)][-1] == "main"
    assert story.run.reason != "rolled back", "not before the branch has moved"
    story.tell(Landed("main", story.run.tip))
    assert story.said()[0] and "main" in story.said()[1]
    assert (story.run.reason, story.run.landed_at, story.run.landed_commit) == ("rolled back", None, None)


def test_a_branch_that_cannot_follow_is_told_with_what_to_do_and_tried_again_when_asked() -> None:
    story = resumed(three_in_a_row())
    story.ask(Verb.LAND)
    story.tell(Landed("main", "tip-3"))
    resumed(story).asks_rollback()
    for _ in range(3):
        story.reverts()
    story.tell(LandingRefused("it moved. Merge by hand: `git merge abc`"))
    ok, message = story.said()
    assert not ok and "main still holds the run" in message and "git merge abc" in message
    assert set(story.states.values()) == {"CANCELLED"}
    resumed(story)
    story.asks_rollback()
    assert isinstance(story.effects[-1], Land)
    story.tell(Landed("main", story.run.tip))
    assert story.said()[0] and story.run.reason == "rolled back"


def test_landing_elsewhere_is_undone_there() -> None:
    story = resumed(three_in_a_row())
    story.ask(Verb.LAND, target="release")
    story.tell(Landed("release", "tip-3"))
    resumed(story).asks_rollback()
    for _ in range(3):
        story.reverts()
    assert [effect.target for effect in story.effects if isinstance(effect, Land)] == ["release", "release"]


def test_a_run_that_landed_lands_on_no_second_branch_until_it_is_rolled_back() -> None:
    story = resumed(three_in_a_row())
    story.ask(Verb.LAND)
    story.tell(Landed("main", "tip-3"))
    resumed(story)
    refused = story.is_refused(Verb.LAND, target="release")
    assert "landed on main" in refused and f"`git switch release && git merge uet/{story.run.id}`" in refused
    assert story.ask(Verb.LAND, target="main") is None, "there it may land again"
    story.tell(Landed("main", "tip-3"))
    resumed(story).asks_rollback()
    for _ in range(3):
        story.reverts()
    story.tell(Landed("main", story.run.tip))
    resumed(story)
    story.ask(Verb.RETRY, workstream="ws-a")
    resumed(story, dispatch=True).finishes("ws-a")
    resumed(story)
    assert story.ask(Verb.LAND, target="release") is None


def test_resuming_a_run_that_was_rolled_back_begins_nothing() -> None:
    story = resumed(three_in_a_row())
    story.asks_rollback()
    for _ in range(3):
        story.reverts()
    resumed(story, dispatch=True)
    assert story.let_go[-1] == "over" and story.run.state is RunState.CANCELLED and not story.workers


def test_a_workstream_is_done_again_on_the_tip_with_the_reverts_when_the_operator_says_so() -> None:
    story = resumed(three_in_a_row())
    story.asks_rollback()
    for _ in range(3):
        story.reverts()
    tip = story.run.tip
    resumed(story)
    assert "ws-a" in story.is_refused(Verb.RETRY, workstream="ws-b")
    assert "ws-b" in story.does(Verb.RETRY, workstream="ws-a"), "what needed it is not forgotten"
    story.does(Verb.RETRY, workstream="ws-b")
    assert story.run.state is RunState.PAUSED
    resumed(story, dispatch=True)
    assert story.running == ["ws-a"]
    assert story.starting["ws-a", 2].base == tip
    story.finishes("ws-a")
    story.finishes("ws-b")
    assert story.states == {"ws-a": "MERGED", "ws-b": "MERGED", "ws-c": "CANCELLED"}
    assert story.run.state is RunState.FAILED


def test_a_rollback_that_was_killed_is_gone_on_with_when_its_command_is_taken_again() -> None:
    story = resumed(three_in_a_row())
    story.asks_rollback()
    story.reverts()
    resumed(story).asks_rollback()
    assert story.undoing.workstreams == ("ws-b",)
    story.reverts()
    story.reverts()
    assert story.said()[0] and set(story.states.values()) == {"CANCELLED"}


def test_an_orchestrator_that_was_only_paused_lets_go_after_a_rollback() -> None:
    story = Undoing(workstream("ws-a"), workstream("ws-b", "ws-a"), workers=1)
    story.begin()
    story.does(Verb.PAUSE)
    story.finishes("ws-a")
    assert story.held and story.states["ws-b"] == "PENDING"
    story.asks_rollback()
    story.reverts()
    assert story.let_go[-1] == "over" and not story.workers


def test_in_the_same_orchestrator_what_is_done_again_waits_for_what_it_depends_on() -> None:
    story = resumed(three_in_a_row(), dispatch=True, linger=True)
    story.asks_rollback()
    for _ in range(3):
        story.reverts()
    for id in ("ws-a", "ws-b"):
        story.does(Verb.RETRY, workstream=id)
    assert story.run.state is RunState.RUNNING
    assert story.running == ["ws-a"] and story.reason("ws-b") == "waits for ws-a"
    story.finishes("ws-a")
    assert story.running == ["ws-b"]
