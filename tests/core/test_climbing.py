"""The ladder in the core: what becomes of what a machine makes of a conflict, and of the agent that is asked."""

from dataclasses import replace
from itertools import count

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.conflicts import ConflictFile, Entry, Rung
from uet_tui.core.policy import Policy
from uet_tui.core.records import GateEntry

UNION = Rung("union", "settled", 0.1, detail="CHANGES.md")
SETTLED = Rung("agent", "settled", 3.0, 0.25, "wrote src/shared.py")
REFUSED = Rung("agent", "refused", 3.0, 0.25, "ours added 'x' (src/shared.py:3), the result lacks it")
FAILED = Rung("agent", "failed", 3.0, 0.25, "exit 1")
GREEN = (GateEntry(1.0, "ws-a", 1, "GATE_UNIT", "proposal", "passed", 0.1, ""),)
RED = (GateEntry(1.0, "ws-a", 1, "GATE_UNIT", "proposal", "failed", 0.1, "1 failed"),)
OTHER = Entry("100644", "f" * 40)


def proposed(file: ConflictFile, by: str = "union", *lost: str, parts: bool = True) -> ConflictFile:
    """The file with a proposal."""
    hunks = tuple(replace(hunk, proposal=(by,) if parts else None) for hunk in file.hunks)
    return replace(file, proposed=OTHER, proposed_by=by, lost=lost, hunks=hunks)


def scene(
    *files: str,
    resolve: str = "ask",
    paths: dict[str, str] | None = None,
    agent: bool = True,
    linger: bool = True,
    budget: float | None = None,
) -> tuple[Driver, str]:
    """A run with one conflict that starts up the ladder, and another workstream that is done."""
    policy = Policy(
        resolve=resolve, resolve_paths=paths or {}, resolver={"ws-a": "claude"} if agent else {}, reserve_usd=0.5
    )
    run = Driver(
        workstream("ws-a", files_scope=["a"]),
        workstream("ws-b", files_scope=["b"]),
        policy=policy,
        climb=False,
        budget=budget,
    ).begin(linger=linger)
    run.finishes("ws-b")
    run.comes_to_merge("ws-a")
    return run, run.conflicts("ws-a", *files, against=("ws-b",))


def ask(run: Driver, id: str) -> None:
    """The rungs without an agent make nothing of the conflict, so the agent is asked."""
    run.climbs_to(id, Rung("union", "not applicable"))
    assert [asked.conflict for asked in run.asked] == [id]


def whole(run: Driver, id: str, by: str = "union") -> tuple[ConflictFile, ...]:
    """The files of a conflict, all proposed."""
    return tuple(proposed(file, by) for file in run.conflict(id).files)


def test_a_conflict_is_told_of_and_starts_up_the_ladder_before_the_operator_is_bothered():
    run, id = scene()
    assert run.climbs == [id]
    assert (run.state("ws-a"), run.reason("ws-a")) == ("CONFLICTED", f"tries to resolve conflict {id}")
    assert run.told("conflict_opened") == [f"ws-a conflicts with ws-b in src/shared.py: conflict {id}"]
    assert run.told("conflict_waits") == []
    assert run.let_go == []


def test_never_gives_it_straight_to_the_operator():
    run, id = scene(resolve="never")
    assert run.climbs == []
    assert run.reason("ws-a") == f"needs you: conflict {id} with ws-b in src/shared.py"
    assert run.conflict(id).tried == ()


@pytest.mark.parametrize(
    ("files", "paths", "outcome"),
    [
        (("a.lock",), {"*.lock": "auto"}, "MERGING"),
        (("deep/a.lock",), {"*.lock": "auto"}, "CONFLICTED"),
        (("deep/a.lock",), {"**/*.lock": "auto"}, "MERGING"),
        (("a.lock",), {"*.lock": "auto", "a.*": "ask"}, "CONFLICTED"),
        (("a.lock",), {"a.*": "ask", "*.lock": "auto"}, "MERGING"),
        (("a.lock", "src/x.py"), {"*.lock": "auto"}, "CONFLICTED"),
        (("a.lock", "db/1.sql"), {"*.lock": "auto", "db": "never"}, "CONFLICTED"),
    ],
)
def test_the_last_glob_counts_for_a_file_and_the_strictest_file_for_a_conflict(files, paths, outcome):
    run, id = scene(*files, paths=paths)
    if "never" in paths.values():
        assert run.climbs == []
    else:
        run.climbs_to(id, UNION, files=whole(run, id), gates=GREEN)
    assert run.state("ws-a") == outcome


def test_with_auto_a_whole_proposal_that_the_gates_let_pass_is_merged_like_any_resolution():
    run, id = scene(resolve="auto")
    run.climbs_to(id, UNION, files=whole(run, id), gates=GREEN)
    conflict = run.conflict(id)
    assert (run.state("ws-a"), conflict.by, conflict.proposal) == ("MERGING", "union", "union")
    assert [hunk.choice for hunk in conflict.files[0].hunks] == ["proposal", "proposal"]
    assert [entry.conflict for entry in run.unanswered] == [id]
    run.merges("ws-a")
    assert conflict.state == "AUTO_RESOLVED"
    assert run.told("conflict_resolved") == [f"conflict {id} of ws-a resolved by union"]
    assert run.run.state == "COMPLETED"
    assert run.told("rung_tried") == [f"conflict {id}: union settled in 0.1 s: CHANGES.md"]


def test_with_ask_it_becomes_a_proposal_with_what_the_gates_said_and_approving_takes_it():
    run, id = scene()
    run.climbs_to(id, UNION, files=whole(run, id), gates=GREEN)
    conflict = run.conflict(id)
    assert (conflict.state, conflict.proposal, conflict.gates) == ("PROPOSED", "union", GREEN)
    assert run.reason("ws-a") == f"needs you: proposal by union for conflict {id}"
    assert run.told("conflict_proposed") == [f"ws-a needs you: proposal by union for conflict {id}"]
    assert run.asked == []
    run.does(Verb.APPROVE, conflict=id)
    assert conflict.by == "ann: proposal by union"
    run.merges("ws-a")
    assert conflict.state == "HUMAN_RESOLVED"


def test_approving_takes_the_proposal_only_for_what_nothing_was_chosen_for():
    run, id = scene("src/a.py", "src/b.py")
    one, two = run.conflict(id).files
    run.climbs_to(id, UNION, files=(proposed(one), proposed(two, parts=False)))
    run.does(Verb.TAKE, conflict=id, side="theirs", file="src/a.py", hunk=2)
    run.does(Verb.APPROVE, conflict=id)
    one, two = run.conflict(id).files
    assert [hunk.choice for hunk in one.hunks] == ["proposal", "theirs"]
    assert (two.choice, [hunk.choice for hunk in two.hunks]) == ("proposal", [None, None])
    assert run.conflict(id).by == "ann"


def test_a_proposal_in_one_piece_is_not_put_together_with_what_was_chosen_for_a_part():
    run, id = scene()
    run.climbs_to(id, UNION, files=tuple(proposed(file, parts=False) for file in run.conflict(id).files))
    run.does(Verb.TAKE, conflict=id, side="ours", file="src/shared.py", hunk=1)
    assert run.is_refused(Verb.APPROVE, conflict=id).startswith(f"conflict {id} is not decided yet")
    run.does(Verb.TAKE, conflict=id, side="proposal", file="src/shared.py")
    run.does(Verb.APPROVE, conflict=id)
    assert run.conflict(id).files[0].choice == "proposal"


def test_a_proposal_can_be_taken_for_a_file_without_hunks_and_only_where_there_is_one():
    run, id = scene("logo.png", agent=False)
    (file,) = run.conflict(id).files
    run.climbs_to(id, files=(replace(file, hunks=(), kind="binary"),))
    told = run.is_refused(Verb.TAKE, conflict=id, side="proposal")
    assert told == "logo.png has no proposal to take"
    assert run.is_refused(Verb.TAKE, conflict=id, side="both").endswith("ours or theirs")


def test_what_is_only_settled_in_part_goes_to_the_agent_and_who_proposes_is_all_of_them():
    run, id = scene("CHANGES.md", "src/shared.py")
    log, code = run.conflict(id).files
    run.climbs_to(id, UNION, files=(proposed(log), code))
    (asked,) = run.asked
    assert (asked.ask, asked.agent, asked.note) == (1, "claude", "")
    assert run.reason("ws-a") == f"agent claude is at conflict {id}"
    run.answers_ask(id, SETTLED, files=(proposed(log), proposed(code, "agent")), gates=GREEN, usd=0.25)
    assert run.conflict(id).proposal == "union and agent claude"
    assert run.reason("ws-a") == f"needs you: proposal by union and agent claude for conflict {id}"


def test_with_auto_what_an_agent_settles_is_merged_and_told_as_the_agents():
    run, id = scene(resolve="auto")
    ask(run, id)
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"))
    run.merges("ws-a")
    assert (run.conflict(id).state, run.conflict(id).by) == ("AGENT_RESOLVED", "agent claude")


def test_without_an_agent_it_comes_to_the_operator():
    run, id = scene(agent=False)
    run.climbs_to(id, Rung("union", "not applicable"))
    assert run.asked == []
    assert run.reason("ws-a") == f"needs you: conflict {id} with ws-b in src/shared.py"
    assert run.told("conflict_waits") == [f"ws-a {run.reason('ws-a')}"]
    assert [rung.verdict for rung in run.conflict(id).tried] == ["not applicable"]


def test_a_proposal_that_the_gates_refuse_goes_up_and_stays_in_sight():
    run, id = scene(agent=False)
    run.climbs_to(id, UNION, files=whole(run, id), gates=RED, problem="GATE_UNIT failed: 1 failed")
    conflict = run.conflict(id)
    assert (conflict.state, conflict.proposal, conflict.gates) == ("PENDING", "union", RED)
    assert run.reason("ws-a").endswith("; GATE_UNIT failed: 1 failed")
    run, id = scene()
    run.climbs_to(id, UNION, files=whole(run, id), gates=RED, problem="GATE_UNIT failed: 1 failed")
    assert [asked.conflict for asked in run.asked] == [id]


@pytest.mark.parametrize(
    ("rung", "problem", "reason", "shown"),
    [
        (REFUSED, "", f"what the agent made is refused: {REFUSED.detail}", True),
        (
            SETTLED,
            "GATE_UNIT failed: 1 failed",
            "the gates refuse what the agent made: GATE_UNIT failed: 1 failed",
            True,
        ),
        (FAILED, "", "the agent failed: exit 1", False),
        (
            Rung("agent", "not applicable", detail="nothing of it is text"),
            "",
            "no agent was asked: nothing of it is text",
            False,
        ),
    ],
)
def test_what_an_agent_did_not_settle_comes_to_the_operator_with_the_evidence(rung, problem, reason, shown):
    run, id = scene(resolve="auto")
    ask(run, id)
    lost = ("a line is lost",) if rung is REFUSED else ()
    files = tuple(proposed(file, "agent", *lost) for file in run.conflict(id).files) if shown else ()
    run.answers_ask(id, rung, files=files, problem=problem)
    conflict = run.conflict(id)
    assert (run.state("ws-a"), conflict.state) == ("CONFLICTED", "PENDING")
    assert run.reason("ws-a") == f"needs you: conflict {id} with ws-b in src/shared.py; {reason}"
    assert conflict.proposal == ("agent claude" if shown else None)
    assert conflict.tried[-1] == rung
    refused = run.is_refused(Verb.APPROVE, conflict=id) if rung is REFUSED else ""
    assert "is not decided yet" in refused or rung is not REFUSED


def test_money_is_set_aside_for_the_agent_and_settled_by_what_it_used():
    run, id = scene(budget=10.0)
    ask(run, id)
    assert (run.run.reserved_usd, run.conflict(id).reserved_usd) == (0.5, 0.5)
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"), usd=0.25)
    assert (run.run.reserved_usd, run.run.spent_usd, run.row("ws-a").cost_usd) == (0.0, 0.25, 0.25)


def test_no_agent_is_asked_where_the_budget_does_not_allow_it():
    run, id = scene(budget=5.0)
    run.does(Verb.BUDGET, amount=0.4)
    run.climbs_to(id, Rung("union", "not applicable"))
    assert run.asked == []
    last = run.conflict(id).tried[-1]
    assert (last.name, last.verdict, last.detail) == ("agent", "not applicable", "budget: needs $0.50, $0.40 is left")
    assert run.reason("ws-a").endswith("; no agent was asked (budget: needs $0.50, $0.40 is left)")


def test_agents_are_asked_one_at_a_time_in_the_order_of_the_conflicts():
    policy = Policy(resolver={"ws-a": "claude", "ws-b": "claude"}, overlap="allow")
    run = Driver(workstream("ws-a"), workstream("ws-b"), policy=policy, climb=False).begin(linger=True)
    run.comes_to_merge("ws-a")
    first = run.conflicts("ws-a")
    run.comes_to_merge("ws-b")
    second = run.conflicts("ws-b")
    run.climbs_to(second)
    run.climbs_to(first)
    assert [asked.conflict for asked in run.asked] == [second]
    assert run.reason("ws-a") == f"waits to ask an agent about conflict {first}"
    run.answers_ask(second, FAILED)
    assert [asked.conflict for asked in run.asked] == [first]


def queue_of_conflicts() -> tuple[Driver, str, str]:
    """Two conflicts with the same tip: the agent is at the first, the second waits for its turn."""
    policy = Policy(resolve="auto", resolver={"ws-a": "claude", "ws-b": "claude"}, overlap="allow")
    run = Driver(workstream("ws-a"), workstream("ws-b"), policy=policy, climb=False).begin(linger=True)
    run.comes_to_merge("ws-a")
    first = run.conflicts("ws-a")
    run.comes_to_merge("ws-b")
    second = run.conflicts("ws-b")
    run.climbs_to(first)
    run.climbs_to(second)
    return run, first, second


def test_what_the_branch_overtook_while_it_waited_for_its_turn_is_merged_again_before_an_agent_is_paid():
    run, first, second = queue_of_conflicts()
    run.answers_ask(first, SETTLED, files=whole(run, first, "agent"), usd=0.25)
    assert run.asked == [], "the first answer is about to be merged in the same file"
    run.merges("ws-a")
    assert run.conflict(second).state == "AUTO_RESOLVED"
    assert "the branch moved on" in run.conflict(second).by
    assert [(entry.workstream, entry.conflict) for entry in run.unanswered] == [("ws-b", None)]
    third = run.conflicts("ws-b")
    run.climbs_to(third)
    assert [asked.conflict for asked in run.asked] == [third]


def test_an_agent_is_asked_after_all_where_the_resolution_before_does_not_hold():
    run, first, second = queue_of_conflicts()
    run.answers_ask(first, SETTLED, files=whole(run, first, "agent"), usd=0.25)
    run.merge_fails("ws-a")
    assert [asked.conflict for asked in run.asked] == [second]


def test_what_the_operator_began_to_decide_is_not_merged_again():
    run, first, second = queue_of_conflicts()
    run.does(Verb.UNDO, conflict=second)
    run.answers_ask(first, SETTLED, files=whole(run, first, "agent"), usd=0.25)
    run.merges("ws-a")
    assert run.conflict(second).state == "PENDING"


def test_no_agent_is_asked_while_the_run_is_paused_and_it_is_when_it_goes_on():
    run, id = scene()
    run.does(Verb.PAUSE)
    run.climbs_to(id)
    assert run.asked == []
    assert run.reason("ws-a") == f"waits to ask an agent about conflict {id}"
    run.does(Verb.CONTINUE)
    assert [asked.conflict for asked in run.asked] == [id]


def test_whoever_only_carries_a_command_out_asks_no_agent_and_does_not_wait_for_one():
    run, id = scene(linger=False)
    ask(run, id)
    run.crash(dispatch=False)
    assert run.asked == []
    refused = run.is_refused(Verb.TAKE, conflict=id, side="ours")
    assert "an agent is at it; `uet resume` takes it up" in refused
    assert run.let_go[-1] == "done"


def test_a_run_does_not_let_go_while_the_ladder_is_tried_or_an_agent_is_at_a_conflict():
    run, id = scene(linger=False)
    assert run.let_go == []
    ask(run, id)
    assert run.let_go == []
    run.answers_ask(id, FAILED)
    assert (run.run.state, run.let_go) == ("PAUSED", ["operator"])


def test_a_drained_run_waits_for_the_agent_that_is_at_a_conflict():
    run, id = scene(linger=False)
    ask(run, id)
    run.does(Verb.DRAIN)
    assert run.let_go == []
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"))
    assert run.conflict(id).state == "PROPOSED"
    assert run.let_go == ["drained"]


def test_stopping_ends_the_agent_and_resuming_asks_again():
    run, id = scene(linger=False)
    ask(run, id)
    assert "stopping 1 running attempt" in run.does(Verb.STOP)
    assert [(end.conflict, end.ask) for end in run.ended_asks] == [(id, 1)]
    run.answers_ask(id, Rung("agent", "failed", detail="ended on request"), usd=0.1)
    assert run.let_go == ["drained"]
    assert run.run.spent_usd == 0.1
    run.crash()
    assert [(asked.conflict, asked.ask) for asked in run.asked] == [(id, 2)]


@pytest.mark.parametrize("at_it", [False, True])
def test_after_a_crash_the_ladder_and_the_agent_are_taken_up_where_they_were(at_it):
    run, id = scene()
    if at_it:
        ask(run, id)
    run.crash()
    if at_it:
        assert [(asked.conflict, asked.ask) for asked in run.asked] == [(id, 1)]
        assert run.run.reserved_usd == 0.5
        run.answers_ask(id, SETTLED, files=whole(run, id, "agent"))
    else:
        run.climbs_to(id, UNION, files=whole(run, id))
    assert run.conflict(id).state == "PROPOSED"
    assert run.run.reserved_usd == 0.0


def test_nothing_can_be_decided_while_the_ladder_is_tried_or_an_agent_is_at_it():
    run, id = scene()
    acts: tuple[tuple[Verb, dict[str, str]], ...]
    acts = ((Verb.TAKE, {"side": "ours"}), (Verb.UNDO, {}), (Verb.EDIT, {"file": "src/shared.py"}), (Verb.APPROVE, {}))
    for doing in ("the ladder is being tried on it", "an agent is at it"):
        for verb, fields in acts:
            told = run.is_refused(verb, conflict=id, **fields)
            assert told.startswith(f"conflict {id} cannot be decided now: {doing}")
        assert doing in run.is_refused(Verb.AGAIN, conflict=id)
        if run.climbs:
            ask(run, id)


def test_what_only_waits_for_an_agent_can_be_decided_and_then_none_is_asked():
    run, id = scene()
    run.does(Verb.PAUSE)
    run.climbs_to(id)
    run.does(Verb.TAKE, conflict=id, side="ours")
    assert run.reason("ws-a").startswith("needs you")
    run.does(Verb.CONTINUE)
    assert run.asked == []


@pytest.mark.parametrize("verb", [Verb.REDO, Verb.QUARANTINE])
def test_redo_and_quarantine_end_the_agent_and_its_money_still_counts(verb):
    run, id = scene(budget=10.0)
    ask(run, id)
    run.does(verb, conflict=id)
    assert [(end.conflict, end.ask) for end in run.ended_asks] == [(id, 1)]
    assert not run.conflict(id).state.value.startswith("P")
    if verb is Verb.REDO:
        assert run.run.reserved_usd == 1.0, "the agent's and the new attempt's"
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"), usd=0.2)
    assert run.run.spent_usd == 0.2
    assert run.conflict(id).proposal is None
    assert run.conflict(id).reserved_usd == 0.0


def test_a_superseded_agent_is_ended_again_after_a_crash():
    run, id = scene()
    ask(run, id)
    run.does(Verb.QUARANTINE, conflict=id)
    run.ended_asks.clear()
    run.crash()
    assert [(end.conflict, end.ask) for end in run.ended_asks] == [(id, 1)]
    run.answers_ask(id, FAILED)
    assert run.run.state == "FAILED"


@pytest.mark.parametrize("at_it", [False, True])
def test_a_run_that_is_resumed_without_a_resolver_ends_the_one_at_work_and_asks_no_other(at_it):
    run, id = scene(budget=10.0)
    if not at_it:
        run.does(Verb.PAUSE)
        run.climbs_to(id)
    else:
        ask(run, id)
    run.policy = replace(run.policy, resolver={})
    run.crash()
    if at_it:
        assert [(end.conflict, end.ask) for end in run.ended_asks] == [(id, 1)]
        run.answers_ask(id, Rung("agent", "failed", detail="ended on request"), usd=0.1)
        assert (run.run.spent_usd, run.run.reserved_usd) == (0.1, 0.0)
    assert run.asked == []
    assert run.reason("ws-a").startswith(f"needs you: conflict {id}")


def test_a_redo_or_skip_while_the_ladder_is_tried_makes_what_it_finds_nobodys():
    run, id = scene()
    run.does(Verb.SKIP, workstream="ws-a")
    run.climbs_to(id, UNION, files=whole(run, id))
    assert run.conflict(id).state == "QUARANTINED"
    assert run.conflict(id).proposal is None


def test_asking_again_tells_the_agent_the_operators_note_and_a_better_proposal_replaces_the_one_before():
    run, id = scene()
    ask(run, id)
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"), gates=GREEN)
    told = run.does(Verb.AGAIN, conflict=id, note="keep the order")
    assert told == f"agent claude is asked about {id}"
    (asked,) = run.asked
    assert (asked.ask, asked.note) == (2, "keep the order")
    assert run.conflict(id).state == "PROPOSED"
    better = tuple(replace(file, proposed=Entry("100644", "b" * 40)) for file in run.conflict(id).files)
    run.answers_ask(id, SETTLED, files=better)
    assert run.conflict(id).files == better
    assert (run.conflict(id).gates, run.conflict(id).state) == ((), "PROPOSED")


@pytest.mark.parametrize(("rung", "problem"), [(REFUSED, ""), (FAILED, ""), (SETTLED, "GATE_UNIT failed")])
def test_a_second_try_that_does_not_hold_leaves_the_first_proposal_standing(rung, problem):
    run, id = scene()
    ask(run, id)
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"), gates=GREEN)
    before = run.conflict(id).files
    run.does(Verb.AGAIN, conflict=id, note="shorter")
    worse = tuple(proposed(file, "agent", "lost") for file in before)
    run.answers_ask(id, rung, files=worse, problem=problem)
    conflict = run.conflict(id)
    assert (conflict.state, conflict.files, conflict.gates) == ("PROPOSED", before, GREEN)
    assert "the proposal by agent claude stays; " in run.reason("ws-a")
    run.does(Verb.APPROVE, conflict=id)


def test_asking_again_is_refused_where_there_is_no_agent():
    run, id = scene(agent=False)
    run.climbs_to(id)
    assert run.is_refused(Verb.AGAIN, conflict=id).startswith("no agent resolves conflicts of ws-a: ")


def test_never_does_not_keep_the_operator_from_asking_and_what_comes_of_it_waits_for_them():
    run, id = scene(resolve="never")
    run.does(Verb.AGAIN, conflict=id, note="try")
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"))
    assert run.conflict(id).state == "PROPOSED"


def test_what_is_put_off_is_put_off_until_the_operator_comes_back_to_it():
    run, id = scene(agent=False)
    run.climbs_to(id)
    assert "put off" in run.does(Verb.DEFER, conflict=id)
    assert run.conflict(id).deferred and run.stored.conflicts[id].deferred
    run.is_refused(Verb.TAKE, conflict=id, side="both", file="nothing")
    assert run.conflict(id).deferred
    run.does(Verb.DEFER, conflict=id)
    assert not run.conflict(id).deferred
    run.does(Verb.DEFER, conflict=id)
    run.does(Verb.TAKE, conflict=id, side="ours")
    assert not run.stored.conflicts[id].deferred


@pytest.mark.parametrize("resolve", ["auto", "ask"])
def test_a_resolution_that_does_not_pass_as_merged_comes_back_with_its_choices(resolve):
    run, id = scene(resolve=resolve)
    run.climbs_to(id, UNION, files=whole(run, id))
    if resolve == "ask":
        run.does(Verb.APPROVE, conflict=id)
    run.merge_fails("ws-a")
    conflict = run.conflict(id)
    assert run.reason("ws-a") == "needs you: the resolution did not hold (as merged: GATE_UNIT failed)"
    assert all(hunk.choice == "proposal" for hunk in conflict.files[0].hunks)
    assert conflict.by == ""
    assert conflict.tried[-1].name == ("union" if resolve == "auto" else "operator")
    run.does(Verb.TAKE, conflict=id, side="ours", settle=True)
    run.merges("ws-a")
    assert conflict.state == "HUMAN_RESOLVED"


def test_a_proposal_that_meets_a_tip_that_moved_on_is_proposed_anew():
    run, id = scene()
    run.climbs_to(id, UNION, files=whole(run, id))
    run.does(Verb.APPROVE, conflict=id)
    again = run.conflicts("ws-a", "src/other.py", against=("ws-b",))
    assert (again != id, run.conflict(id).state) == (True, "HUMAN_RESOLVED")
    assert run.climbs == [again]
    run.climbs_to(again, UNION, files=whole(run, again))
    assert run.conflict(again).state == "PROPOSED"


def test_what_a_machine_resolved_and_came_up_again_is_not_told_as_a_humans():
    run, id = scene(resolve="auto")
    run.climbs_to(id, UNION, files=whole(run, id))
    again = run.conflicts("ws-a")
    assert (run.conflict(id).state, run.conflict(again).state) == ("AUTO_RESOLVED", "PENDING")


def test_what_is_told_twice_or_of_what_is_not_there_changes_nothing():
    run, id = scene(budget=10.0)
    ask(run, id)
    (asked,) = run.asked
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"), usd=0.25)
    run.asked.append(asked)
    run.answers_ask(id, FAILED, usd=0.25)
    run.climbs.append(id)
    run.climbs_to(id, Rung("union", "failed"))
    assert (run.run.spent_usd, run.conflict(id).state) == (0.25, "PROPOSED")
    assert len(run.conflict(id).tried) == 2


def test_a_redo_is_told_what_the_operator_says_and_what_both_sides_did():
    run, id = scene(agent=False)
    run.climbs_to(id)
    run.does(Verb.REDO, conflict=id, note="use the new parser")
    note = run.row("ws-a").note
    assert run.row("ws-a").wish == "use the new parser"
    assert "ws-b was merged" in note and "src/shared.py (content)" in note
    assert "line 10, as merged:\n    ours\nline 10, in the first result:\n    theirs\n" in note


def test_an_account_of_a_large_conflict_is_cut():
    run, id = scene(agent=False)
    numbers = count(1)
    file = run.conflict(id).files[0]
    long = tuple(replace(file.hunks[0], number=next(numbers), ours=("x" * 100,) * 60) for _ in range(9))
    run.climbs_to(id, files=(replace(file, hunks=long),))
    run.does(Verb.REDO, conflict=id)
    note = run.row("ws-a").note
    assert "(20 more lines)" in note
    assert note.endswith("(cut)\n") and len(note) < 8_100


def test_the_story_is_the_same_each_time():
    run, id = scene()
    ask(run, id)
    run.answers_ask(id, SETTLED, files=whole(run, id, "agent"), gates=GREEN, usd=0.25)
    run.does(Verb.APPROVE, conflict=id)
    run.merges("ws-a")
    assert run.replayed() == run.log
    assert run.stored.conflicts[id] == run.conflict(id)
