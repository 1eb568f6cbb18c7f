"""Whole runs: from a plan to merged work."""

import json
import re

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.support.wait import until
from uet_tui.core import vocabulary
from uet_tui.core.commands import Side, Verb
from uet_tui.core.effects import Effect
from uet_tui.core.states import ConflictState, RunState, WorkerState, WorkstreamState
from uet_tui.engine.runner import LocalRunner
from uet_tui.engine.start import open_run
from uet_tui.errors import RunLockedError, UetError
from uet_tui.store.conflict_text import SideText, conflict_text, side_text


def test_workstreams_are_merged_in_the_order_of_their_dependencies(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo a >> log.txt"),
        workstream("ws-b", "echo b >> log.txt", depends_on=["ws-a"]),
        workstream("ws-c", "echo c >> log.txt", depends_on=["ws-b"]),
    )
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert scene.file("log.txt").split() == ["a", "b", "c"]
    assert {ws.state for ws in view.workstreams} == {WorkstreamState.MERGED}
    subjects = scene.repository.git("log", "--first-parent", "--format=%s", f"{view.base_commit}..{view.tip}")
    assert subjects.splitlines() == ["Merge ws-c", "Merge ws-b", "Merge ws-a"]


def test_a_merge_says_whose_it_is_and_the_results_are_in_the_operators_repository(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > new.txt"))
    view = scene.finish()
    body = scene.repository.git("log", "-1", "--format=%B", f"uet/{scene.run}")
    assert f"UET-Run: {scene.run}\nUET-Workstream: ws-a\nUET-Attempt: 1" in body
    result = scene.repository.git("rev-parse", f"refs/uet/{scene.run}/ws-a")
    assert scene.repository.git("rev-parse", f"{view.tip}^2") == result
    assert scene.repository.git("log", "-1", "--format=%an", result) == "uet"


def test_what_fails_is_tried_again_and_then_given_up_and_what_needs_it_is_skipped(scene: Scene) -> None:
    scene.begin(
        workstream("ws-bad", "echo half > half.txt", "echo the trouble >&2", "exit 3"),
        workstream("ws-after", "echo x > x.txt", depends_on=["ws-bad"]),
        workstream("ws-free", "echo y > y.txt"),
        sets=("scope=off",),
    )
    view = scene.finish()
    states = {ws.id: ws.state for ws in view.workstreams}
    assert view.state is RunState.FAILED
    assert states == {
        "ws-bad": WorkstreamState.FAILED,
        "ws-after": WorkstreamState.SKIPPED,
        "ws-free": WorkstreamState.MERGED,
    }
    reasons = {ws.id: ws.reason for ws in view.workstreams}
    assert "exit 3: the trouble" in reasons["ws-bad"]
    assert reasons["ws-after"].startswith("depends on ws-bad")
    left = scene.repository.git("show", f"refs/uet/{scene.run}/ws-bad.attempt-1:half.txt")
    assert left == "half", "what a failed attempt wrote must stay on its branch"


def test_a_workstream_that_fails_once_succeeds_on_retry(scene: Scene) -> None:
    marker = scene.repository.path.parent / "tried"
    scene.begin(workstream("ws-a", f"test -e {marker} || {{ touch {marker}; exit 1; }}", "echo ok > ok.txt"))
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.workstreams[0].attempts == 2
    assert scene.file("ok.txt") == "ok"


def test_a_change_outside_the_scope_is_not_merged(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "echo x > elsewhere.txt", scope=["src/"], circuit_breaker={"max_attempts": 1}),
    )
    view = scene.finish()
    assert view.workstreams[0].state is WorkstreamState.FAILED
    assert "elsewhere.txt" in view.workstreams[0].reason
    assert view.tip == view.base_commit


def test_a_change_outside_the_scope_is_merged_with_a_warning_where_the_operator_says_so(scene: Scene) -> None:
    script = "echo x > elsewhere.txt; mkdir -p src; echo y > src/a"
    scene.begin(workstream("ws-a", script, scope=["src/"]), sets=("scope=warn",))
    assert scene.finish().state is RunState.COMPLETED
    assert scene.events("scope_warning") == ["ws-a changed elsewhere.txt, which is outside its scope"]


@pytest.mark.parametrize("scope", ["warn", "off"])
def test_work_that_is_all_outside_the_scope_is_no_evidence_of_being_done(scene: Scene, scope: str) -> None:
    once = {"circuit_breaker": {"max_attempts": 1}}
    stated = """printf '{"uet": {"no_change": true}}\\n'"""
    scene.begin(
        workstream("ws-a", "echo x > elsewhere.txt", scope=["src/"], **once),
        workstream("ws-b", "echo x > beside.txt", stated, scope=["lib/"], **once),
        sets=(f"scope={scope}",),
    )
    scene.finish()
    assert [scene.state(id) for id in ("ws-a", "ws-b")] == [WorkstreamState.FAILED, WorkstreamState.MERGED]
    (reason,) = [ws.reason for ws in scene.view().workstreams if ws.id == "ws-a"]
    assert "changed nothing inside its scope: it changed elsewhere.txt, which is outside its scope" in reason


def test_an_agent_that_rightly_changes_nothing_says_so(scene: Scene) -> None:
    scene.begin(
        workstream("ws-quiet", """printf '{"uet": {"no_change": true}}\\n'"""),
        workstream("ws-silent", "true", circuit_breaker={"max_attempts": 1}),
    )
    view = scene.finish()
    assert [ws.state for ws in view.workstreams] == [WorkstreamState.MERGED, WorkstreamState.FAILED]
    assert view.workstreams[0].reason == "no change needed"


def test_an_attempt_ends_at_its_time_limit_with_all_its_children_and_is_not_retried(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "setsid sleep 60 &", "sleep 60", timeout=0.3))
    view = scene.finish()
    assert view.workstreams[0].state is WorkstreamState.FAILED
    assert "time limit" in view.workstreams[0].reason
    assert view.workstreams[0].attempts == 1


def test_a_conflict_stops_only_what_depends_on_it_and_waits(scene: Scene) -> None:
    scene.begin(
        workstream("ws-one", "sed -i s/hello/hi/ src/app.py", "sleep 0.4"),
        workstream("ws-two", "sed -i s/hello/howdy/ src/app.py", "sleep 0.4"),
        workstream("ws-behind", "echo x > behind.txt", depends_on=["ws-one", "ws-two"]),
        workstream("ws-free", "echo y > free.txt"),
        sets=("overlap=allow",),
    )
    view = scene.finish()
    assert view.state is RunState.PAUSED
    assert "waits for the operator" in view.reason
    assert scene.file("free.txt") == "y"
    (conflict,) = view.conflicts
    assert conflict.state is ConflictState.PENDING
    assert conflict.waiting == ("ws-behind",)
    assert len(conflict.against) == 1
    (hunk,) = conflict.files[0].hunks
    sides = {hunk.ours, hunk.theirs}
    assert sides == {('    return f"hi {name}"',), ('    return f"howdy {name}"',)}
    assert hunk.base == ('    return f"hello {name}"',)

    answer = scene.ask_offline(Verb.TAKE, conflict=conflict.id, side=Side.THEIRS, settle=True)
    assert answer.ok, answer.message
    assert scene.state(conflict.workstream) is WorkstreamState.MERGED
    assert hunk.theirs[0].strip() in scene.file("src/app.py")
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.conflicts[0].state is ConflictState.HUMAN_RESOLVED


def test_an_edited_resolution_is_merged_as_written(scene: Scene) -> None:
    _conflict_between_two(scene)
    conflict = scene.view().conflicts[0]
    path = conflict.files[0].path
    marked = (scene.home.run(scene.run).conflict(conflict.id) / "0.txt").read_text()
    assert marked.count("<<<<<<<") == 1
    refused = scene.ask_offline(Verb.EDIT, conflict=conflict.id, file=path, content=marked, settle=True)
    assert not refused.ok
    assert "marker" in refused.message
    text = 'def greet(name):\n    return f"hi and howdy {name}"\n'
    answer = scene.ask_offline(Verb.EDIT, conflict=conflict.id, file=path, content=text, settle=True)
    assert answer.ok, answer.message
    assert scene.file(path) + "\n" == text


def test_what_is_decided_is_in_the_file_that_an_editor_opens_and_so_is_what_was_edited(scene: Scene) -> None:
    scene.begin(
        workstream("ws-one", "printf 'one\\n' > a.txt; printf 'one\\n' > b.txt", "sleep 0.4"),
        workstream("ws-two", "printf 'two\\n' > a.txt; printf 'two\\n' > b.txt", "sleep 0.4"),
        sets=("overlap=allow",),
    )
    (conflict,) = scene.finish().conflicts
    folder = scene.home.run(scene.run).conflict(conflict.id)

    def text(index: int) -> str:
        return conflict_text(folder, index, lambda: scene.view().conflicts[0].version)

    assert all("<<<<<<<" in text(index) for index in (0, 1))
    assert scene.ask_offline(Verb.TAKE, conflict=conflict.id, side=Side.THEIRS, file="a.txt", hunk=1).ok
    assert text(0) in ("one\n", "two\n")
    assert scene.ask_offline(Verb.EDIT, conflict=conflict.id, file="a.txt", content="mine\n").ok
    assert text(0) == "mine\n"
    assert scene.ask_offline(Verb.UNDO, conflict=conflict.id, file="a.txt").ok
    assert "<<<<<<<" in text(0)


def test_what_was_decided_is_laid_out_though_the_orchestrator_leaves(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.begin(
        workstream("ws-one", "printf 'one\\n' > a.txt; printf 'one\\n' > b.txt"),
        workstream("ws-two", "printf 'two\\n' > a.txt; printf 'two\\n' > b.txt"),
        sets=("overlap=allow",),
    )
    (conflict,) = scene.finish().conflicts

    def late(runner: LocalRunner, effect: Effect) -> None:
        runner._pool.submit(lambda: (runner._leaving.wait(20), runner._guarded(effect)))

    monkeypatch.setattr(LocalRunner, "carry_out", late)
    assert scene.ask_offline(Verb.TAKE, conflict=conflict.id, side=Side.THEIRS, file="a.txt").ok
    folder = scene.home.run(scene.run).conflict(conflict.id)
    assert "<<<<<<<" not in conflict_text(folder, 0, lambda: scene.view().conflicts[0].version)


def test_a_conflict_in_a_file_that_is_no_text_offers_whole_sides_and_nothing_to_edit(scene: Scene) -> None:
    scene.begin(
        workstream("ws-one", "printf '\\000one' > a.bin; echo one > b.txt", "sleep 0.4"),
        workstream("ws-two", "printf '\\000two' > a.bin; echo two > b.txt", "sleep 0.4"),
        sets=("overlap=allow",),
    )
    (conflict,) = scene.finish().conflicts
    assert [(file.path, len(file.hunks)) for file in conflict.files] == [("a.bin", 0), ("b.txt", 1)]
    laid_out = scene.home.run(scene.run).conflict(conflict.id)
    assert sorted(path.name for path in laid_out.iterdir()) == ["0.ours", "0.theirs", "1.txt", "version"]
    assert side_text(laid_out, 0, "ours") == SideText("not text, 4 bytes", ())
    assert scene.events(vocabulary.ORCHESTRATOR_ERROR) == []


def test_a_conflict_in_a_file_whose_name_is_no_text_is_decided_like_any_other(scene: Scene) -> None:
    scene.begin(
        workstream("ws-one", "echo one > \"$(printf 'a\\377.txt')\"", "sleep 0.4"),
        workstream("ws-two", "echo two > \"$(printf 'a\\377.txt')\"", "sleep 0.4"),
        sets=("overlap=allow",),
    )
    (conflict,) = scene.finish().conflicts
    (file,) = conflict.files
    answer = scene.ask_offline(Verb.TAKE, conflict=conflict.id, side=Side.THEIRS, file=file.path, settle=True)
    assert answer.ok, answer.message
    assert scene.state(conflict.workstream) is WorkstreamState.MERGED


def test_a_conflicted_workstream_can_be_done_again_on_the_new_tip(scene: Scene) -> None:
    script = "grep -q hello src/app.py && sed -i s/hello/{word}/ src/app.py || echo {word} > {word}.txt"
    _conflict_between_two(scene, script)
    conflict = scene.view().conflicts[0]
    assert scene.ask_offline(Verb.REDO, conflict=conflict.id).ok
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    again = view.workstream(conflict.workstream)
    assert again is not None
    assert again.attempts == 2


def test_a_quarantined_conflict_leaves_its_work_on_its_branch(scene: Scene) -> None:
    _conflict_between_two(scene)
    conflict = scene.view().conflicts[0]
    assert scene.ask_offline(Verb.QUARANTINE, conflict=conflict.id).ok
    view = scene.view()
    assert view.state is RunState.FAILED
    assert scene.state(conflict.workstream) is WorkstreamState.QUARANTINED
    kept = scene.repository.git("rev-parse", f"refs/uet/{scene.run}/{conflict.workstream}.attempt-1")
    assert kept == conflict.theirs_commit


def _conflict_between_two(scene: Scene, script: str = "sed -i s/hello/{word}/ src/app.py") -> None:
    scene.begin(
        *(workstream(f"ws-{word}", script.format(word=word), "sleep 0.4") for word in ("hi", "howdy")),
        sets=("overlap=allow",),
    )
    assert len(scene.finish().conflicts) == 1


def test_overlapping_scopes_are_serialised_so_that_nothing_conflicts(scene: Scene) -> None:
    scene.begin(*(workstream(f"ws-{n}", f"sed -i '1i # {n}' src/app.py", scope=["src/app.py"]) for n in range(4)))
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert not view.conflicts
    assert sorted(scene.file("src/app.py").splitlines()[:4]) == ["# 0", "# 1", "# 2", "# 3"]


def test_gates_run_after_the_agent_and_on_the_merged_tree(scene: Scene) -> None:
    gate = 'gates.GATE_UNIT.commands=["test ! -e a.txt || test ! -e b.txt"]'
    gated = {"test_gates": [{"type": "GATE_UNIT"}], "circuit_breaker": {"max_attempts": 1}}
    scene.begin(
        workstream("ws-a", "echo a > a.txt", "sleep 0.3", scope=["a.txt"], **gated),
        workstream("ws-b", "echo b > b.txt", "sleep 0.3", scope=["b.txt"], **gated),
        sets=(gate,),
    )
    view = scene.finish()
    states = sorted(ws.state.value for ws in view.workstreams)
    assert states == ["FAILED", "MERGED"], "each passes alone, both together do not: the second may not be merged"
    failed = next(ws for ws in view.workstreams if ws.state is WorkstreamState.FAILED)
    assert "as merged: GATE_UNIT failed" in failed.reason


def test_one_run_has_one_orchestrator(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "sleep 5"))
    with pytest.raises(RunLockedError):
        open_run(scene.home, scene.run)


def test_commands_steer_a_live_run(scene: Scene) -> None:
    hold = scene.repository.path.parent / "go"
    wait = f"while [ ! -e {hold} ]; do sleep 0.05; done"
    scene.begin(
        *(workstream(f"ws-{n}", wait, f"echo {n} > {n}.txt", scope=[f"{n}.txt"]) for n in range(6)),
        sets=("workers=3",),
    )
    for n in range(3):
        scene.until_state(f"ws-{n}", WorkstreamState.RUNNING)
    assert scene.ask(Verb.SCALE, number=1).ok
    states = [w.state for w in scene.view().workers]
    assert states.count(WorkerState.DRAINING) == 2
    assert scene.ask(Verb.PAUSE).ok
    assert scene.view().state is RunState.PAUSED
    assert not scene.ask(Verb.PAUSE).ok, "paused twice is told"
    assert scene.ask(Verb.KILL, workstream="ws-0").ok
    scene.until_state("ws-0", WorkstreamState.FAILED)
    assert "killed by the operator" in scene.view().workstreams[0].reason
    assert scene.ask(Verb.RETRY, workstream="ws-0").ok
    hold.touch()
    scene.until_state("ws-2", WorkstreamState.MERGED)
    assert scene.state("ws-5") is WorkstreamState.PENDING
    assert scene.ask(Verb.CONTINUE).ok
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert scene.file("0.txt") == "0"


def test_what_is_held_where_nobody_has_the_run_is_let_go_there(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "sleep 0.5", "echo a > a.txt"))
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    assert scene.ask(Verb.HOLD, workstream="ws-a").ok
    view = scene.finish()
    assert (view.state, view.reason) == (RunState.PAUSED, "waits for the operator: ws-a held")
    assert scene.ask_offline(Verb.RELEASE, workstream="ws-a").message == "ws-a goes on"
    assert scene.view().state is RunState.COMPLETED
    assert scene.file("a.txt") == "a"


def test_draining_all_ends_the_orchestrator_and_resuming_finishes(scene: Scene) -> None:
    scene.begin(
        workstream("ws-a", "sleep 0.3", "echo a > a.txt"),
        workstream("ws-b", "echo b > b.txt", depends_on=["ws-a"]),
    )
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    assert scene.ask(Verb.DRAIN).ok
    view = scene.finish()
    assert view.state is RunState.PAUSED
    assert scene.state("ws-a") is WorkstreamState.MERGED
    assert scene.state("ws-b") is WorkstreamState.PENDING
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED


def test_stopping_ends_agents_and_resuming_does_their_work_again(scene: Scene) -> None:
    marker = scene.repository.path.parent / "second"
    scene.begin(workstream("ws-a", f"test -e {marker} || sleep 60", "echo a > a.txt"))
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    assert scene.ask(Verb.STOP).ok
    view = scene.finish()
    assert view.state is RunState.PAUSED
    assert scene.state("ws-a") is WorkstreamState.PENDING
    marker.touch()
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.workstreams[0].attempts == 2


def test_stopping_ends_gates_and_resuming_runs_them_again(scene: Scene) -> None:
    outside = scene.repository.path.parent
    slow = f"echo x >> {outside}/began; test -e {outside}/second || sleep 60"
    scene.begin(
        workstream("ws-a", "echo a > a.txt", test_gates=[{"type": "GATE_UNIT"}]),
        sets=(f"gates.GATE_UNIT.commands={json.dumps([slow])}",),
    )
    until((outside / "began").exists, 15, "the gate to run")
    assert scene.ask(Verb.STOP).ok
    view = scene.finish()
    assert (view.state, view.reason, scene.state("ws-a")) == (RunState.PAUSED, "stopped", WorkstreamState.GATING)
    (outside / "second").touch()
    scene.resume()
    view = scene.finish()
    assert (view.state, view.workstreams[0].attempts) == (RunState.COMPLETED, 1)


def test_the_same_wrong_change_is_told_although_the_branch_moved_on_in_between(scene: Scene) -> None:
    go = scene.repository.path.parent / "go"
    scene.begin(
        workstream(
            "ws-a",
            f"touch {go}",
            "echo wrong > a.txt",
            test_gates=[{"type": "GATE_UNIT"}],
            circuit_breaker={"max_attempts": 9, "max_error_repeats": 9, "oscillation_threshold": 1},
        ),
        workstream("ws-b", f"while [ ! -e {go} ]; do sleep 0.05; done; echo b > b.txt"),
        sets=('gates.GATE_UNIT.commands=["! grep -q wrong a.txt"]', "retry.base_seconds=2", "retry.jitter=0"),
    )
    scene.finish(30)
    assert scene.state("ws-b") is WorkstreamState.MERGED
    found = scene.view().workstream("ws-a")
    assert found is not None
    assert (found.state, found.attempts) == (WorkstreamState.QUARANTINED, 2), found.reason
    assert found.reason.startswith("made the same change 2 times")


def test_leaving_and_resuming_adopts_the_agents_that_went_on(scene: Scene) -> None:
    hold = scene.repository.path.parent / "go"
    scene.begin(workstream("ws-a", f"while [ ! -e {hold} ]; do sleep 0.05; done", "echo a > a.txt"))
    scene.until_state("ws-a", WorkstreamState.RUNNING)
    assert scene.ask(Verb.DETACH).ok
    scene.finish()
    assert scene.state("ws-a") is WorkstreamState.RUNNING
    assert not scene.view().alive
    scene.resume()
    hold.touch()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.workstreams[0].attempts == 1
    assert scene.events("attempt_adopted")


def test_money_is_settled_and_the_budget_halts_the_run(scene: Scene) -> None:
    dollar = {"simulate": {"cost_usd": 1.0}}
    scene.begin(
        *(workstream(f"ws-{n}", f"echo {n}", scope=[f"{n}.txt"], metadata=dollar) for n in range(4)),
        sets=("budget.max_cost_total=2.5", "budget.reserve_usd=1.0", "workers=1"),
        agent="simulated",
    )
    view = scene.finish()
    assert view.state is RunState.HALTED
    assert view.costs.spent_usd == pytest.approx(2.0)
    assert view.costs.reserved_usd == 0
    assert scene.ask_offline(Verb.BUDGET, amount=10).ok
    scene.resume()
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert view.costs.spent_usd == pytest.approx(4.0)


def test_landing_moves_the_checkout_forward(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt"))
    scene.finish()
    answer = scene.ask_offline(Verb.LAND)
    assert answer.ok, answer.message
    assert (scene.repository.path / "a.txt").read_text() == "a\n"
    assert scene.repository.git("status", "--porcelain") == ""
    assert scene.view().landed_at is not None


def test_the_prompt_and_the_output_and_the_diff_are_kept(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo working", "echo a > a.txt"))
    scene.finish()
    folder = attempt_folder(scene, "ws-a")
    assert "echo a > a.txt" in (folder / "prompt.md").read_text()
    assert (folder / "output.log").read_text() == "working\n"
    assert "+a" in (folder / "diff.patch").read_text()


def test_a_run_that_ended_unpublished_is_published_by_whoever_opens_it_next(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo a > a.txt"))
    view = scene.finish()
    scene.repository.git("update-ref", "-d", f"refs/heads/uet/{scene.run}")
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED
    assert scene.repository.git("rev-parse", f"uet/{scene.run}") == view.tip


def test_a_run_that_cannot_begin_leaves_nothing_and_the_next_one_can(scene: Scene) -> None:
    scene.home.folder.mkdir()
    scene.home.database.write_text("no store\n" * 1000)
    with pytest.raises(UetError, match=re.escape(str(scene.home.database))):
        scene.begin(workstream("ws-a", "echo a > a", scope=["a"]))
    assert list(scene.home.folder.glob("runs/*")) == []
    scene.home.database.unlink()
    scene.begin(workstream("ws-a", "echo a > a", scope=["a"]))
    assert scene.finish().state is RunState.COMPLETED
