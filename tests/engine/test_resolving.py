"""Conflicts and the ladder in whole runs: real git, and agents that are scripts."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.engine.driver import Orchestrating, start_server
from tests.engine.scene import Scene, settings, workstream
from tests.support.wait import until
from uet_tui import failpoints
from uet_tui.core.commands import Side, Verb
from uet_tui.core.states import ConflictState, RunState, WorkstreamState
from uet_tui.engine import attempts, liveness
from uet_tui.engine.start import new_run
from uet_tui.errors import UetError
from uet_tui.plan.graph import build_plan
from uet_tui.store.conflict_views import ConflictView

KEEP_BOTH = """
    lines, kept, side = open("list.txt").read().splitlines(keepends=True), [], ""
    for line in lines:
        if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")):
            side = line[0]
        elif side != "|":
            kept.append(line)
    open("list.txt", "w").writelines(kept)
"""
USE = 'print(\'{"uet": {"cost_usd": 0.125, "tokens_in": 10, "tokens_out": 2}}\')'
BOTH = "top\nfrom ws-a\nfrom ws-b\nbottom\n"
UNIT = [{"type": "GATE_UNIT"}]
ONCE_A_IS_MERGED = (
    "run=${PWD#*/.uet/runs/}; until git --git-dir ${PWD%%/.uet/*}/.uet/control.git log --format=%s uet/${run%%/*}"
    " | grep -qx 'Merge ws-a'; do sleep 0.02; done"
)
"""A task that ends when ws-a is on the integration branch of its run, so that what follows conflicts with it."""


def once(there: Path) -> str:
    """A task that ends when a file is there."""
    return f"until [ -e {there} ]; do sleep 0.02; done"


def held(trace: Path, let_go: Path) -> str:
    """Python that leaves a trace, and goes on when it is let go."""
    wait = f"while not os.path.exists({str(let_go)!r}):\n    time.sleep(0.02)\n"
    return f'open({str(trace)!r}, "a").write("asked\\n")\n{wait}' + dedent(KEEP_BOTH)


def agent(folder: Path, code: str) -> tuple[str, ...]:
    """The settings of a resolver that is a Python script."""
    script = folder / "resolver.py"
    script.write_text(f"import os, sys, time\n{dedent(code)}\n{USE}\n")
    told = {
        "command": [sys.executable, str(script), "{prompt_file}"],
        "prompt": "text",
        "env": ["PATH", "HOME"],
        "usage": "json-lines",
    }
    return (f"agents.scripted={json.dumps(told)}", "ladder.agent=scripted")


def two(**fields: object) -> list:
    """Two workstreams that change the same line, the second once the first is merged."""
    change = "sed -i 's/middle/from {0}/' list.txt"
    return [
        workstream("ws-a", change.format("ws-a"), **fields),
        workstream("ws-b", ONCE_A_IS_MERGED, change.format("ws-b"), **fields),
    ]


def begin(scene: Scene, *sets: str, linger: bool = False, more: tuple = (), **fields: object) -> None:
    """Starts a run whose second workstream conflicts."""
    scene.repository.write("list.txt", "top\nmiddle\nbottom\n")
    scene.repository.commit("A list")
    scene.operator = type(scene.operator).discover(scene.repository.path)
    scene.begin(*two(**fields), *more, sets=("overlap=allow", "forecast_seconds=0", *sets), linger=linger)


def reason(scene: Scene) -> str:
    """Why the workstream that conflicts is where it is."""
    row = scene.view().workstream("ws-b")
    assert row is not None
    return row.reason


def conflict(scene: Scene) -> ConflictView:
    """The only conflict of the run."""
    (found,) = scene.view().conflicts
    return found


def proposed(scene: Scene, id: str = "c1") -> bool:
    """Whether a conflict waits for approval."""
    return any(c.id == id and c.state is ConflictState.PROPOSED for c in scene.view().conflicts)


def merged(scene: Scene, name: str = "list.txt") -> str:
    """A file as the integration branch has it now, before anything is published."""
    control = ["git", "--git-dir", str(scene.home.control), "show", f"refs/heads/uet/{scene.run}:{name}"]
    return subprocess.run(control, check=True, capture_output=True, text=True).stdout


def folder(scene: Scene) -> Path:
    """Where the first ask of the first conflict keeps its files."""
    return scene.home.run(scene.run).conflict("c1") / "ask-1"


def gate(command: str) -> str:
    """The settings of the unit gate."""
    return f"gates.GATE_UNIT.commands={json.dumps([command])}"


def test_what_an_agent_settles_is_a_proposal_until_it_is_approved(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, KEEP_BOTH), gate("grep -q ws-b list.txt"), test_gates=UNIT)
    view = scene.finish()
    found = conflict(scene)
    assert (view.state, found.state, found.proposal) == (RunState.PAUSED, ConflictState.PROPOSED, "agent scripted")
    assert found.files[0].hunks[0].proposal == ("from ws-a", "from ws-b")
    assert found.tried[-1].name == "agent" and found.tried[-1].verdict == "settled"
    assert found.tried[-1].cost_usd == 0.125 and found.tried[-1].seconds > 0
    assert [(g.gate, g.where, g.verdict) for g in found.gates] == [("GATE_UNIT", "proposal", "passed")]
    assert view.costs.spent_usd == 0.125 and view.costs.reserved_usd == 0
    kept = scene.repository.git("show", f"refs/uet/{scene.run}/ws-b.c1-ask-1:list.txt")
    assert kept + "\n" == BOTH
    answer = scene.ask_offline(Verb.APPROVE, conflict="c1")
    assert answer.ok, answer
    assert merged(scene) == BOTH
    assert conflict(scene).state is ConflictState.HUMAN_RESOLVED
    assert not scene.home.run(scene.run).sandbox("resolve-c1").exists()


def test_with_auto_it_is_merged_without_a_human(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, KEEP_BOTH), "resolve=auto")
    assert scene.finish().state is RunState.COMPLETED
    assert conflict(scene).state is ConflictState.AGENT_RESOLVED
    assert merged(scene) == BOTH


def test_four_that_change_one_line_cost_three_asks(scene: Scene, tmp_path: Path) -> None:
    met = tmp_path / "met"
    met.mkdir()
    scene.repository.write("list.txt", "top\nmiddle\nbottom\n")
    scene.repository.commit("A list")
    scene.operator = type(scene.operator).discover(scene.repository.path)
    together = f"while [ $(ls {met} | wc -l) -lt 4 ]; do sleep 0.02; done"
    names = ["ws-a", "ws-b", "ws-c", "ws-d"]
    work = [workstream(id, f"touch {met}/{id}; {together}; sed -i 's/middle/from {id}/' list.txt") for id in names]
    scene.begin(*work, sets=("overlap=allow", "forecast_seconds=0", "resolve=auto", *agent(tmp_path, KEEP_BOTH)))
    view = scene.finish()
    assert view.state is RunState.COMPLETED
    assert sorted(merged(scene).splitlines()) == ["bottom", *(f"from {id}" for id in names), "top"]
    assert view.costs.spent_usd == 3 * 0.125, "each ask costs money, and one merged without a conflict"


def test_with_never_no_agent_is_asked(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, KEEP_BOTH), "resolve=never")
    scene.finish()
    assert conflict(scene).tried == ()
    assert not folder(scene).exists()


def test_what_union_settles_asks_no_agent_and_paths_have_policies_of_their_own(scene: Scene, tmp_path: Path) -> None:
    sets = ('ladder.union=["list.txt"]', 'resolve_paths={"*.txt": auto}')
    begin(scene, *agent(tmp_path, KEEP_BOTH), *sets)
    assert scene.finish().state is RunState.COMPLETED
    found = conflict(scene)
    assert (found.state, found.by) == (ConflictState.AUTO_RESOLVED, "union")
    assert merged(scene) == BOTH


def test_an_agent_that_drops_a_line_is_refused_with_the_line_and_its_result_stays_in_sight(
    scene: Scene, tmp_path: Path
) -> None:
    begin(scene, *agent(tmp_path, 'open("list.txt", "w").write("top\\nfrom ws-b\\nbottom\\n")'), "resolve=auto")
    scene.finish()
    found = conflict(scene)
    assert found.state is ConflictState.PENDING
    assert found.tried[-1].verdict == "refused" and "ours added 'from ws-a'" in found.tried[-1].detail
    assert any("from ws-a" in line for line in found.files[0].lost)
    assert found.files[0].hunks[0].proposal == ("from ws-b",)
    assert scene.state("ws-b") is WorkstreamState.CONFLICTED
    taken = scene.ask_offline(Verb.TAKE, conflict="c1", side=Side.PROPOSAL, settle=True)
    assert taken.ok, "the operator may take it with open eyes"
    assert merged(scene) == "top\nfrom ws-b\nbottom\n"


def test_an_agent_that_touches_a_file_that_was_not_in_conflict_is_refused(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, KEEP_BOTH + '\n    open("README.md", "a").write("x")\n'), "resolve=auto")
    scene.finish()
    last = conflict(scene).tried[-1]
    assert (last.verdict, last.detail) == ("refused", "touched README.md, which was not in conflict")


def test_what_an_agent_does_to_the_mode_of_a_file_is_no_part_of_its_resolution(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, KEEP_BOTH + '\n    os.chmod("list.txt", 0o755)\n'), "resolve=auto")
    assert scene.finish().state is RunState.COMPLETED
    assert scene.repository.git("ls-tree", f"refs/heads/uet/{scene.run}", "list.txt").startswith("100644")


@pytest.mark.parametrize(
    ("code", "sets", "detail"),
    [
        ("pass", (), "it changed nothing"),
        ('open("list.txt", "a").write("more\\n")', (), "a conflict marker is left: list.txt:2"),
        ('print("no key"); sys.exit(3)', (), "exit 3: no key"),
        ("time.sleep(60)", ("ladder.agent_seconds=0.3",), "did not end within its time limit (0 s)"),
        ("import shutil; shutil.rmtree(os.getcwd())", (), "its sandbox is gone: the agent deleted it"),
    ],
)
def test_an_agent_that_fails_leaves_the_conflict_to_the_operator(
    scene: Scene, tmp_path: Path, code: str, sets: tuple[str, ...], detail: str
) -> None:
    begin(scene, *agent(tmp_path, code), *sets)
    assert scene.finish().state is RunState.PAUSED
    found = conflict(scene)
    assert (found.state, found.tried[-1].detail) == (ConflictState.PENDING, detail)
    assert found.tried[-1].verdict in ("failed", "refused")
    assert detail in reason(scene)


COMMITS = """
    import subprocess
    def git(*args):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], check=True)
    {}
    git("add", "-A")
    git("commit", "-qm", "Tried")
    {}
"""


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        (COMMITS.format('open("new.txt", "w").write("x")', 'git("reset", "-q", "--hard", "HEAD^")'), ".git"),
        (COMMITS.format('os.mkdir("own"); os.chdir("own"); git("init", "-q"); open("f", "w")', ""), "own/.git"),
    ],
    ids=["commits", "a repository"],
)
def test_what_an_agent_made_that_no_snapshot_holds_stays_in_the_folder_of_its_ask(
    scene: Scene, tmp_path: Path, code: str, kept: str
) -> None:
    begin(scene, *agent(tmp_path, code))
    scene.finish()
    place = folder(scene) / "git-after" / kept
    said = subprocess.run(["git", "--git-dir", place, "log", "--all", "--reflog", "--format=%s"], capture_output=True)
    assert b"Tried" in said.stdout, said.stderr


def test_a_proposal_that_the_gates_refuse_is_shown_with_what_they_said(scene: Scene, tmp_path: Path) -> None:
    red = gate("if grep -q ws-a list.txt && grep -q ws-b list.txt; then echo both is wrong; exit 1; fi")
    begin(scene, *agent(tmp_path, KEEP_BOTH), red, "resolve=auto", test_gates=UNIT)
    scene.finish()
    found = conflict(scene)
    assert (found.state, found.proposal) == (ConflictState.PENDING, "agent scripted")
    assert "both is wrong" in next(g.output for g in found.gates if g.verdict == "failed")
    assert "the gates refuse what the agent made: GATE_UNIT failed" in reason(scene)


def test_the_prompt_tells_both_sides_what_must_hold_and_what_the_operator_says(scene: Scene, tmp_path: Path) -> None:
    code = 'open("list.txt", "w").write("top\\nfrom ws-b\\nbottom\\n")'
    begin(scene, *agent(tmp_path, code), gate("test -f list.txt"), test_gates=UNIT, linger=True)
    until(lambda: "needs you" in reason(scene), 20, "the first answer")
    first = (folder(scene) / "prompt.md").read_text()
    for wanted in (
        "- list.txt (content)",
        "sed -i 's/middle/from ws-a/'",
        "-middle\n+from ws-a",
        "-middle\n+from ws-b",
    ):
        assert wanted in first
    assert "`test -f list.txt` passes" in first
    assert "What the operator says" not in first
    (tmp_path / "resolver.py").write_text(f"import os, sys\n{dedent(KEEP_BOTH)}\n{USE}\n")
    assert scene.ask(Verb.AGAIN, conflict="c1", note="keep both, ours first").ok
    until(lambda: proposed(scene), 20, "the second answer")
    second = (folder(scene).with_name("ask-2") / "prompt.md").read_text()
    assert "keep both, ours first" in second
    assert "agent refused: ours added 'from ws-a'" in second, "the evidence against the first"
    assert "## The proposal before" in second
    assert [rung.verdict for rung in conflict(scene).tried if rung.name == "agent"] == ["refused", "settled"]
    assert scene.view().costs.spent_usd == 0.25


def test_no_agent_is_asked_where_the_budget_is_too_small_for_one(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, KEEP_BOTH), "budget.max_cost_total=1", max_cost_usd=0.5, linger=True)
    scene.until_state("ws-b", WorkstreamState.RUNNING)
    assert scene.ask(Verb.BUDGET, amount=0.3).ok
    until(lambda: "no agent was asked" in reason(scene), 20, "the conflict")
    assert conflict(scene).tried[-1].detail == "budget: needs $0.50, $0.30 is left"
    assert not folder(scene).exists()


def killed_at(scene: Scene, trace: Path, *sets: str, **fields: object) -> None:
    """Has an orchestrator of its own process start the run, and kills it as soon as the trace is there."""
    scene.repository.write("list.txt", "top\nmiddle\nbottom\n")
    scene.repository.commit("A list")
    operator = type(scene.operator).discover(scene.repository.path)
    opened = new_run(operator, build_plan(two(**fields)), settings("overlap=allow", "forecast_seconds=0", *sets))
    scene.run = opened.place.run
    opened.hold.release(scene.run)
    opened.place.control.close()
    server = start_server()
    try:
        first = Orchestrating(server, scene.repository.path, scene.run, "")
        until(trace.exists, 20, "the moment to kill at")
        first.kill()
        first.wait(10)
    finally:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.close()
        server.wait(10)
        server.stdout.close()


def test_an_agent_goes_on_when_the_orchestrator_is_killed_and_is_asked_once(scene: Scene, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    killed_at(scene, trace, *agent(tmp_path, held(trace, tmp_path / "go")))
    assert liveness.alive(folder(scene))
    scene.resume()
    until(lambda: "is at conflict" in reason(scene), 10, "the ask to be taken up")
    (tmp_path / "go").touch()
    scene.finish()
    assert conflict(scene).state is ConflictState.PROPOSED
    assert trace.read_text() == "asked\n"
    assert scene.view().costs.spent_usd == 0.125


def test_a_command_of_the_ladder_that_outlives_its_orchestrator_is_ended_before_it_is_run_again(
    scene: Scene, tmp_path: Path
) -> None:
    trace, outlived = tmp_path / "trace", tmp_path / "outlived"
    again = f"test -d /proc/$(cat {trace})/cwd/ && touch {outlived}; printf 'top\\nfrom ws-a\\nfrom ws-b\\nbottom\\n'"
    command = f"if [ -e {trace} ]; then ({again}) > list.txt; else echo $$ > {trace}; sleep 60; fi"
    killed_at(scene, trace, f"ladder.regenerate={json.dumps([{'paths': ['list.txt'], 'command': command}])}")
    scene.resume()
    scene.finish()
    assert conflict(scene).state is ConflictState.PROPOSED
    assert not outlived.exists()


def test_an_agent_that_ends_while_nobody_has_the_run_is_heard_afterwards(scene: Scene, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    killed_at(scene, trace, *agent(tmp_path, held(trace, tmp_path / "go")), "resolve=auto")
    (tmp_path / "go").touch()
    until(lambda: attempts.ended(folder(scene)), 10, "the agent to end")
    scene.resume()
    assert scene.finish().state is RunState.COMPLETED
    assert trace.read_text() == "asked\n"
    assert scene.view().costs.spent_usd == 0.125


def test_what_an_agent_made_is_gated_again_when_the_orchestrator_is_killed_while_it_is(
    scene: Scene, tmp_path: Path
) -> None:
    trace, asked = tmp_path / "gating", tmp_path / "asked"
    command = f"if [ $(grep -c from list.txt) = 2 ] && [ ! -e {trace} ]; then touch {trace}; sleep 60; fi"
    code = f'open("{asked}", "a").write("asked\\n")\n' + dedent(KEEP_BOTH)
    killed_at(scene, trace, *agent(tmp_path, code), gate(command), test_gates=UNIT)
    scene.resume()
    scene.finish()
    assert conflict(scene).state is ConflictState.PROPOSED
    assert conflict(scene).files[0].hunks[0].proposal == ("from ws-a", "from ws-b")
    assert asked.read_text() == "asked\n"
    assert scene.view().costs.spent_usd == 0.125


def test_quarantining_a_conflict_ends_the_agent_that_is_at_it(scene: Scene, tmp_path: Path) -> None:
    begin(scene, *agent(tmp_path, "time.sleep(60)"), linger=True)
    until(lambda: liveness.alive(folder(scene)), 20, "the agent to be at it")
    refused = scene.ask(Verb.TAKE, conflict="c1", side=Side.OURS)
    assert not refused.ok and "an agent is at it" in refused.message
    assert scene.ask(Verb.QUARANTINE, conflict="c1").ok
    until(lambda: not liveness.alive(folder(scene)), 10, "the agent to be gone")
    until(lambda: scene.view().state is RunState.FAILED, 10, "the run to end")
    assert conflict(scene).state is ConflictState.QUARANTINED


def test_a_resolution_that_was_made_once_is_made_again_by_itself(scene: Scene, tmp_path: Path) -> None:
    begin(scene, "ladder.agent=none")
    scene.finish()
    assert scene.ask_offline(Verb.EDIT, conflict="c1", file="list.txt", content=BOTH, settle=True).ok
    scene.begin(*two(), sets=("overlap=allow", "forecast_seconds=0", "ladder.agent=none", "resolve=auto"))
    assert scene.finish().state is RunState.COMPLETED
    assert (conflict(scene).state, conflict(scene).by) == (ConflictState.AUTO_RESOLVED, "recorded")
    assert merged(scene) == BOTH


def test_a_proposal_is_merged_again_where_the_tip_moved_on(scene: Scene, tmp_path: Path) -> None:
    late = workstream("ws-late", once(tmp_path / "go"), "echo late > late.txt")
    begin(scene, *agent(tmp_path, KEEP_BOTH), linger=True, more=(late,))
    until(lambda: proposed(scene), 20, "the proposal")
    (tmp_path / "go").touch()
    scene.until_state("ws-late", WorkstreamState.MERGED, 20)
    assert scene.ask(Verb.APPROVE, conflict="c1").ok
    scene.until_state("ws-b", WorkstreamState.MERGED, 20)
    assert merged(scene) == BOTH
    assert merged(scene, "late.txt") == "late\n"


def test_a_proposal_that_conflicts_with_a_tip_that_moved_on_is_proposed_anew(scene: Scene, tmp_path: Path) -> None:
    late = workstream(
        "ws-late", once(tmp_path / "go"), "sed -i 's/from ws-a/from ws-late/' list.txt", depends_on=["ws-a"]
    )
    begin(scene, *agent(tmp_path, KEEP_BOTH), linger=True, more=(late,))
    until(lambda: proposed(scene), 20, "the proposal")
    (tmp_path / "go").touch()
    scene.until_state("ws-late", WorkstreamState.MERGED, 20)
    tip = scene.view().tip
    assert scene.ask(Verb.APPROVE, conflict="c1").ok
    until(lambda: len(scene.view().conflicts) == 2, 20, "the second conflict")
    again = next(c for c in scene.view().conflicts if c.id == "c2")
    until(lambda: proposed(scene, "c2"), 20, "c2")
    assert scene.view().tip == tip, "nothing stale was merged"
    assert again.files[0].path == "list.txt"
    assert scene.ask(Verb.APPROVE, conflict="c2").ok
    scene.until_state("ws-b", WorkstreamState.MERGED, 20)
    assert {"from ws-late", "from ws-b"} <= set(merged(scene).splitlines())
    assert "<<<" not in merged(scene)


def test_an_agent_that_is_asked_again_where_nobody_has_the_run_is_asked_when_it_goes_on(
    scene: Scene, tmp_path: Path
) -> None:
    begin(scene, *agent(tmp_path, "sys.exit(1)"))
    scene.finish()
    (tmp_path / "resolver.py").write_text(f"import os, sys\n{dedent(KEEP_BOTH)}\n{USE}\n")
    assert scene.ask_offline(Verb.DEFER, conflict="c1").ok
    assert conflict(scene).deferred
    answer = scene.ask_offline(Verb.AGAIN, conflict="c1", note="once more")
    assert (answer.ok, answer.message) == (True, "agent scripted is asked about c1 when the run goes on")
    assert not conflict(scene).deferred
    assert not folder(scene).with_name("ask-2").exists()
    scene.resume()
    scene.finish()
    assert conflict(scene).state is ConflictState.PROPOSED


def test_the_rehearsal_writes_both_sides(scene: Scene, tmp_path: Path) -> None:
    begin(scene, "ladder.agent=simulated", "simulated.unit_seconds=0.2")
    scene.finish()
    found = conflict(scene)
    assert (found.state, found.proposal) == (ConflictState.PROPOSED, "agent simulated")
    assert found.files[0].hunks[0].proposal == ("from ws-a", "from ws-b")
    assert found.tried[-1].cost_usd == 0.05


def test_a_resolution_that_meets_a_new_conflict_elsewhere_keeps_what_was_decided_and_lands_no_marker(
    scene: Scene, tmp_path: Path
) -> None:
    scene.repository.write("other.txt", "top\nmiddle\nbottom\n")
    change = "sed -i 's/middle/from {0}/' {1}"
    late = workstream("ws-late", once(tmp_path / "go"), change.format("ws-late", "other.txt"), depends_on=["ws-a"])
    scene.repository.write("list.txt", "top\nmiddle\nbottom\n")
    scene.repository.commit("Two lists")
    scene.operator = type(scene.operator).discover(scene.repository.path)
    first, second = two()
    second = workstream("ws-b", *second.tasks, change.format("ws-b", "other.txt"))
    scene.begin(first, second, late, sets=("overlap=allow", "forecast_seconds=0", "ladder.agent=none"), linger=True)
    until(lambda: "needs you" in reason(scene), 20, "the first conflict")
    assert [file.path for file in conflict(scene).files] == ["list.txt"]
    (tmp_path / "go").touch()
    scene.until_state("ws-late", WorkstreamState.MERGED, 20)
    assert scene.ask(Verb.EDIT, conflict="c1", file="list.txt", content=BOTH, settle=True).ok
    until(lambda: len(scene.view().conflicts) == 2, 20, "the second conflict")
    until(lambda: "needs you" in reason(scene), 20, "the ladder")
    again = next(c for c in scene.view().conflicts if c.id == "c2")
    assert [file.path for file in again.files] == ["other.txt"]
    assert scene.ask(Verb.TAKE, conflict="c2", side=Side.BOTH, settle=True).ok
    scene.until_state("ws-b", WorkstreamState.MERGED, 20)
    assert merged(scene) == BOTH
    assert merged(scene, "other.txt").splitlines() == ["top", "from ws-late", "from ws-b", "bottom"]


def test_whose_work_it_meets_is_known_under_the_names_that_both_sides_had_for_a_file(scene: Scene) -> None:
    scene.repository.write("list.txt", "".join(f"line {number}\n" for number in range(20)))
    scene.repository.commit("A list")
    scene.operator = type(scene.operator).discover(scene.repository.path)
    scene.begin(
        workstream("ws-a", "sed -i 's/line 4/ours/' list.txt"),
        workstream("ws-b", ONCE_A_IS_MERGED, "sed -i 's/line 4/theirs/' list.txt", "mv list.txt listed.txt"),
        sets=("overlap=allow", "forecast_seconds=0"),
    )
    (conflict,) = scene.finish().conflicts
    assert [file.path for file in conflict.files] == ["listed.txt"]
    assert conflict.against == ("ws-a",)
    assert conflict.ours_tasks


def test_a_gate_that_only_the_resolution_gives_something_to_look_at_is_run_on_it(scene: Scene) -> None:
    traps = json.dumps([{"run": "exit 1", "when": ["list.txt"], "contains": "^trap"}])
    begin(scene, f"gates.GATE_UNIT.commands={traps}", "ladder.agent=none", test_gates=UNIT)
    scene.finish()
    answer = scene.ask_offline(Verb.EDIT, conflict="c1", file="list.txt", content="trap\n", settle=True)
    assert not answer.ok, answer
    assert scene.state("ws-b") is WorkstreamState.CONFLICTED
    assert "GATE_UNIT failed" in reason(scene)


def test_what_was_decided_is_not_dropped_where_there_is_nothing_to_decide_any_more(scene: Scene) -> None:
    begin(scene, "ladder.agent=none")
    base = scene.finish().base_commit
    scene.rewrite("UPDATE merge_conflicts SET ours_commit = ?", base)
    answer = scene.ask_offline(Verb.TAKE, conflict="c1", side=Side.OURS, settle=True)
    assert not answer.ok, answer
    assert scene.state("ws-b") is WorkstreamState.CONFLICTED
    assert "clean when it is made again: redo it" in reason(scene)


def test_an_agent_that_is_asked_is_heard_as_who_it_is_when_the_run_goes_on_with_another(
    scene: Scene, tmp_path: Path
) -> None:
    trace, go = tmp_path / "trace", tmp_path / "go"
    killed_at(
        scene, trace, *agent(tmp_path, held(trace, go)), "agents.scripted.model=opus", "agents.scripted.provider=x"
    )
    go.touch()
    until(lambda: attempts.ended(folder(scene)), 10, "the agent to end")
    other = json.dumps(
        {"command": ["false"], "env": [], "prompt": "text", "usage": "none", "provider": "y", "model": "gpt"}
    )
    scripted = json.dumps({"command": ["false"], "env": [], "prompt": "text", "usage": "json-lines", "model": "haiku"})
    with pytest.raises(UetError, match=f"agent scripted is at conflict c1 of run {scene.run}, but the agents now are"):
        scene.resume(f"agents.other={other}", "ladder.agent=other")
    scene.resume(f"agents.other={other}", f"agents.scripted={scripted}", "ladder.agent=other")
    scene.finish()
    assert conflict(scene).tried[-1].cost_usd == 0.125
    assert scene.sql("SELECT agent, model, provider, usd FROM cost_tracking") == [("scripted", "opus", "x", 0.125)]


def test_an_agent_that_is_asked_is_ended_when_it_cost_what_it_may(scene: Scene, tmp_path: Path) -> None:
    code = """
        for spent in (0.5, 1.5):
            print('{"uet": {"cost_usd": %s}}' % spent, flush=True)
        time.sleep(60)
    """
    begin(scene, *agent(tmp_path, code), "grace_seconds=0.2", max_cost_usd=1)
    view = scene.finish()
    why = "cost $1.50 and reached its max_cost_usd of $1.00"
    assert reason(scene).endswith(f"the agent failed: {why}")
    assert (conflict(scene).tried[-1].verdict, conflict(scene).tried[-1].detail) == ("failed", why)
    assert (view.state, view.costs.spent_usd, view.costs.reserved_usd) == (RunState.PAUSED, 1.5, 0.0)
    assert scene.sql("SELECT ask, number, usd FROM cost_tracking") in ([(1, 1, 0.5), (1, 2, 1.0)], [(1, 1, 1.5)])


@pytest.mark.parametrize("point", ["ask.started", "ask.ended"])
def test_what_an_agent_used_is_counted_although_it_could_not_be_heard_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    trace = scene.repository.path.parent / "asked"
    script = f"{USE}\nsys.stdout.flush()\nopen({str(trace)!r}, 'w').close()\n" + dedent(KEEP_BOTH)
    monkeypatch.setattr(failpoints, "_reached", {})
    monkeypatch.setenv(failpoints.VARIABLE, f"{point}:1:raise")
    begin(scene, *agent(scene.repository.path.parent, script), "resolve=auto")
    view = scene.finish()
    assert "the agent failed: [Errno 5]" in reason(scene)
    assert view.costs.spent_usd == (0.125 if trace.exists() else 0.0)
    assert trace.exists() or point == "ask.started", "it was ended before it said anything"
    assert not liveness.alive(folder(scene))
