"""Conflicts in every state that the desk shows: what its pictures and some of its tests are made of."""

from dataclasses import replace

from tests.console.samples import ago, conflict, event, gate, hostile_run, hunk, sample_run, workstream
from tests.console.stage import Stage, StageSource
from uet_tui.console.desk.screen import ConflictDesk
from uet_tui.core.states import ConflictState, WorkstreamState
from uet_tui.store.conflict_text import SideText
from uet_tui.store.conflict_views import ConflictFileView, ConflictView, HunkView, RungView
from uet_tui.store.views import EventView, RunView

BOTH = ("    args = parse(argv, defaults=load_config())", "    args.jobs = max(1, args.jobs)")
TRIED = (
    RungView("recorded", "not applicable", 0.0, 0.0, "nothing like it was resolved before"),
    RungView("union", "not applicable", 0.0, 0.0),
    RungView("structural", "failed", 2.4, 0.0, "mergiraf ended with 1: no parser for this language"),
    RungView("agent", "settled", 48.0, 0.06, "both changes kept"),
)
LOST = ("ours: + import os", "ours: +     os.umask(0o077)")


def desk(*conflicts: ConflictView, id: str | None = None) -> Stage:
    """The desk over these conflicts."""
    return over(sample_run(conflicts=conflicts), id)


def over(view: RunView, id: str | None = None, source: StageSource | None = None) -> Stage:
    """The desk over a run."""
    return Stage(source or StageSource(view), lambda given: ConflictDesk(given, id))


def proposed(**changes: object) -> ConflictView:
    """A conflict with a proposal by an agent for each of its hunks; the gates are green and nothing is lost."""
    hunks = (
        hunk(1, 12, before=("import json",), ours=("import os",), base=(), theirs=("import sys",), choice="both"),
        hunk(2, 42, proposal=BOTH),
        hunk(3, 80, proposal=BOTH),
    )
    first = replace(hunks[0], proposal=("import os", "import sys"))
    files = (ConflictFileView("scripts/run_workstream.py", "content", (first, *hunks[1:]), None, "agent"),)
    made = conflict(
        state=ConflictState.PROPOSED,
        proposal="agent claude",
        files=files,
        waiting=("ws-30-integration", "ws-31-release"),
    )
    gates = (
        gate("GATE_LINT", where="proposal", seconds=1.2),
        gate("GATE_UNIT", where="proposal", seconds=39.6, output="41 passed in 39.12s\n"),
        gate("GATE_SECURITY", "not configured", "proposal", seconds=0),
    )
    return replace(made, **{"tried": TRIED, "gates": gates, **changes})


def refused() -> ConflictView:
    """A proposal that drops lines, so that the check refused it, and that a gate is red on."""
    made = proposed()
    lossy = replace(made.files[0], lost=LOST)
    red = gate("GATE_UNIT", "failed", "proposal", output="FAILED tests/test_umask.py::test_private - assert 0o644\n")
    tried = (*TRIED[:3], RungView("agent", "refused", 48.0, 0.06, "2 lines of ours are lost"))
    return replace(made, state=ConflictState.PENDING, files=(lossy,), gates=(made.gates[0], red), tried=tried)


def bare(**changes: object) -> ConflictView:
    """A conflict for which nothing is proposed, though all was tried."""
    failed = RungView("agent", "failed", 300.0, 0.31, "it ran out of time (300 s)")
    return replace(conflict(), **{"tried": (*TRIED[:3], failed), **changes})


def climbing() -> ConflictView:
    """The rungs that need no agent are being tried."""
    return replace(conflict(opened=2), tried=(), busy="ladder")


def asked() -> Stage:
    """An agent is at it since 48 seconds, with a note."""
    found = replace(bare(), tried=TRIED[:3], busy="agent", note="keep the umask, and say why in the docstring")
    at_it = workstream("ws-18-scripts", WorkstreamState.CONFLICTED, 2, "agent claude is at conflict c1", begun=700)
    view = sample_run(conflicts=(found,), workstreams=(at_it,))
    source = StageSource(view)
    source.log = [_asked()]
    return over(view, "c1", source)


def _asked() -> EventView:
    told = event(9, "conflict c1: agent claude is asked", "agent_asked", before=48, workstream="ws-18-scripts")
    return replace(told, data={"conflict": "c1", "ask": 1})


WHOLE = (
    ConflictFileView("assets/logo.png", "binary", (), None),
    ConflictFileView("docs/old.md", "modify/delete", (), None),
    ConflictFileView("docs/gone.md", "delete/modify", (), "theirs"),
    ConflictFileView(
        "src/engine/core.py",
        "rename",
        (),
        None,
        beside=("src/core.py", "src/kernel.py"),
        note="ours moved src/core.py to src/engine/core.py, theirs to src/kernel.py",
    ),
    ConflictFileView("bin/run", "mode", (), None),
    ConflictFileView("latest", "symlink", (), None),
    ConflictFileView("vendor/zlib", "submodule", (), None),
    ConflictFileView("package-lock.json", "lossy", (), None, "regenerate"),
)


def whole(at: int = 0, **changes: object) -> Stage:
    """Files that can only be taken whole, of every kind; the desk is at the one with this index."""
    found = replace(conflict(files=(WHOLE[at], *(file for file in WHOLE if file is not WHOLE[at]))), **changes)
    view = sample_run(conflicts=(found,))
    source = StageSource(view)
    page = tuple(f"line {n} of the page" for n in range(1, 30))
    changed = (*page[:9], "line 10, said better", *page[10:], "a last word")
    kinds: dict[str, dict[str, SideText]] = {
        "binary": {
            "base": SideText("not text, 18,220 bytes", ()),
            "ours": SideText("not text, 21,004 bytes", ()),
            "theirs": SideText("not text, 19,871 bytes", ()),
        },
        "modify/delete": {"base": SideText("text, 640 bytes", page), "ours": SideText("text, 671 bytes", changed)},
        "delete/modify": {"base": SideText("text, 640 bytes", page), "theirs": SideText("text, 671 bytes", changed)},
        "mode": {"ours": SideText("text, 120 bytes, executable", ()), "theirs": SideText("text, 120 bytes", ())},
        "symlink": {"ours": SideText("link to releases/2.1", ()), "theirs": SideText("link to releases/2.0.4", ())},
        "submodule": {
            "ours": SideText(f"submodule at commit {'3f2c1ab9' * 5}", ()),
            "theirs": SideText(f"submodule at commit {'90bd4e77' * 5}", ()),
        },
        "lossy": {
            "ours": SideText("text, 640 bytes", page),
            "theirs": SideText("text, 655 bytes", (*page, "theirs at the end")),
            "proposal": SideText("text, 684 bytes", (*changed, "theirs at the end")),
        },
    }
    source.sides = {("c1", 0, side): text for side, text in kinds.get(WHOLE[at].kind, {}).items()}
    return over(view, "c1", source)


def vast() -> ConflictView:
    """Names, lines and hunks that are far too long."""
    name = "ws-18-" + "a-name-that-nobody-would-give-" * 4
    path = "src/" + "a_folder_in_a_folder/" * 6 + "the_module_itself.py"
    wide = f"    value = compute({', '.join(f'argument_{n}' for n in range(60))})"
    big = hunk(
        1,
        ours=tuple(f"    step_{n} = {n}" for n in range(10_000)),
        theirs=(wide,) * 40,
        proposal=(wide, "    # 漢字 and tabs\t\tare\there"),
    )
    files = (
        ConflictFileView(
            path, "content", (big, *(hunk(n, n * 50, proposal=BOTH) for n in range(2, 60))), None, "agent"
        ),
        *(ConflictFileView(f"docs/page_{n}.md", "content", (hunk(),), None) for n in range(40)),
    )
    return proposed(
        workstream=name,
        files=files,
        waiting=tuple(f"ws-{n}-that-waits" for n in range(30)),
        ours_tasks=("Load defaults from config, " * 20,),
        theirs_tasks=("Never start fewer than one job, " * 20,),
    )


def several() -> tuple[ConflictView, ...]:
    """Conflicts in all stages: proposed, without a proposal, put off, an agent at it, resolved."""
    done = ConflictFileView("a.py", "content", (hunk(choice="ours"),), None)
    resolved = conflict("c3", "ws-11-docs", ConflictState.HUMAN_RESOLVED, files=(done,))
    return (
        proposed(),
        replace(bare(), id="c2", workstream="ws-10-base", opened_at=ago(95)),
        replace(conflict("c4", "ws-14-engine", opened=3_000, waiting=("ws-15-core",)), deferred=True),
        replace(conflict("c5", "ws-21-ci", opened=40), busy="agent"),
        replace(refused(), id="c6", workstream="ws-25-metrics", waiting=()),
        replace(resolved, closed_at=ago(60), by="ada"),
    )


def decided(**changes: object) -> ConflictView:
    """A conflict of which all is decided."""
    hunks: tuple[HunkView, ...] = (
        hunk(1, 12, choice="ours"),
        hunk(2, 42, choice="both-theirs-first"),
        hunk(3, 80, choice="theirs"),
    )
    files = (
        ConflictFileView("scripts/run_workstream.py", "content", hunks, None),
        ConflictFileView("README.md", "content", (hunk(1),), "edited"),
    )
    return replace(conflict(files=files), **changes)


def hostile() -> Stage:
    """Markup in every text."""
    return over(hostile_run())
