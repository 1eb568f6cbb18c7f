"""Conflicts decided in a real terminal: hunk by hunk, from a proposal, and by sending the work back."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import TMUX, Terminal
from tests.e2e.uet import events, start, states, status
from tests.support.repository import Repository
from tests.support.wait import until

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

FAR = [f"    # {number}" for number in range(8)]
"""Lines between two places, so that they are hunks of their own."""


def text(*places: str) -> str:
    """A module with a line for each place, far from one another."""
    lines = ["def values(found):"]
    for place in places:
        lines += [*FAR, f"    found.append({place!r})"]
    return "\n".join([*lines, "    return found", ""])


FIXER = """\
import pathlib, re, sys
prompt = pathlib.Path(sys.argv[1]).read_text()
told = re.search(r"say (\\w+) at the end", prompt)
marked = [path for path in pathlib.Path().glob("*.py") if "<<<<<<< " in path.read_text()]
for path in marked:  # asked to resolve: both sides are kept, and base goes
    path.write_text(re.sub(
        r"(?ms)^<<<<<<< .*?\\n(.*?)(?:^\\|{7} .*?\\n.*?)?^=======\\n(.*?)^>>>>>>> .*?\\n", r"\\1\\2", path.read_text()))
if not marked:
    path = pathlib.Path(re.search(r"\\b(proposed|again)\\.py", prompt)[0])
    whole = path.read_text()
    if told:
        path.write_text(whole + f"\\n\\ndef last():\\n    return {told[1]!r}\\n")
    else:
        path.write_text(whole.replace("'one'", "'theirs'"))
"""
CHECK = """\
import again, hunks, proposed
assert hunks.values([]), "no values"
assert "ours" in proposed.values([]), "what was merged first is lost"
again.values([])
"""
EDITOR = """\
import pathlib, re, sys
path = pathlib.Path(sys.argv[-1])
path.write_text(re.sub(r"(?ms)^<<<<<<< .*?^>>>>>>> .*?\\n", "    found.append('by hand')\\n", path.read_text()))
"""
EDITED = {"hunks.py": ("one", "two", "three"), "proposed.py": ("one",), "again.py": ("one",)}


def plan(folder: Path) -> Path:
    """One workstream that is merged first, and three that wait for it and then conflict with it."""
    required = {"openspec_change": "OS-1", "ccpm_issue": 1, "gate": 1, "test_gates": [{"type": "GATE_UNIT"}]}
    wait = f"until [ -e {folder / 'word'} ]; do sleep 0.05; done"

    def changed(name: str, who: str) -> str:
        return "; ".join(f"s/'{place}'/'{who} {place}'/" for place in EDITED[name])

    first = [
        f'sed -i "{changed("hunks.py", "ours")}" hunks.py',
        "sed -i \"s/'one'/'ours'/\" proposed.py again.py",
    ]
    hunks = [wait, f'sed -i "{changed("hunks.py", "theirs")}" hunks.py']
    found: list[dict[str, Any]] = [
        {"id": "ws-first", "tool": "shell", "files_scope": [*EDITED], "tasks": first, **required},
        {"id": "ws-hunks", "tool": "shell", "files_scope": ["hunks.py"], "tasks": hunks, **required},
        {"id": "ws-proposed", "tool": "fixer", "files_scope": ["proposed.py"], "tasks": ["Say theirs"], **required},
        {"id": "ws-again", "tool": "fixer", "files_scope": ["again.py"], "tasks": ["Say theirs"], **required},
    ]
    path = folder / "plan.json"
    path.write_text(json.dumps(found))
    return path


def configured(repository: Repository, folder: Path) -> None:
    """An agent that reads text, gates that look at the whole, and a policy that differs by file."""
    fixer, check, editor = (folder / name for name in ("fixer.py", "check.py", "editor.py"))
    for path, source in ((fixer, FIXER), (check, CHECK), (editor, EDITOR)):
        path.write_text(source)
    wait = f"until [ -e {folder / 'word'} ]; do sleep 0.05; done"
    command = f"grep -q '<<<<<<< ' *.py || {wait}; exec {sys.executable} {fixer} \"$0\""
    repository.write(
        "config/agents.yaml",
        json.dumps(
            {"agents": {"fixer": {
                "command": ["/bin/sh", "-c", command, "{prompt_file}"],
                "prompt": "text", "env": ["PATH"], "usage": "none",
            }}}
        ),
    )  # fmt: skip
    gate = {"commands": [f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. {sys.executable} {check}"], "timeout_seconds": 60}
    repository.write("config/gates.yaml", json.dumps({"gates": {"GATE_UNIT": gate}}))
    settings = {
        "overlap": "allow",
        "resolve_paths": {"hunks.py": "never", "again.py": "never"},
        "editor": f"{sys.executable} {editor}",
        "retry": {"base_seconds": 0.1},
    }
    repository.write("config/uet.yaml", json.dumps(settings))
    for name, places in EDITED.items():
        repository.write(name, text(*places))
    repository.commit("Three modules, and how to run their plan")


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), pytest.param(80, 24, marks=pytest.mark.slow)])
def test_three_conflicts_are_decided_by_hand_from_a_proposal_and_by_doing_the_work_again(
    tmp_path: Path, repository: Repository, columns: int, rows: int
) -> None:
    configured(repository, tmp_path)
    folder = repository.path
    with Terminal(columns, rows) as terminal:
        start(terminal, folder, "run", str(plan(tmp_path)), "--workers", "4")
        terminal.wait_for(re.compile("1/4|1 of 4"), 60)
        (tmp_path / "word").touch()
        terminal.wait_for("! 3 need", 60)
        terminal.press("c")
        choose(terminal, "ws-hunks")
        terminal.wait_for("0/3 decided")
        terminal.press("o")
        terminal.wait_for("1/3 decided")
        terminal.press("t")
        terminal.wait_for("2/3 decided")
        terminal.press("e")
        terminal.wait_for(re.compile("3/3 decided|everything is decided"))
        terminal.press("a")
        until(lambda: "ws-hunks" in merged(folder), 60, "the resolution to be merged", every=0.2)
        choose(terminal, "ws-proposed")
        terminal.wait_for(re.compile("PROPOSED"))
        terminal.press("a")
        until(lambda: "ws-proposed" in merged(folder), 60, "the proposal to be merged", every=0.2)
        choose(terminal, "ws-again")
        terminal.press("R")
        terminal.wait_for("Do ws-again again?")
        terminal.type("say done at the end")
        terminal.press("Enter")
        until(lambda: "ws-again" in merged(folder), 60, "the work to be done again", every=0.2)
        terminal.press("Escape")
        terminal.wait_for("COMPLETED", 30)
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    document = status(folder)
    assert states(document) == ["MERGED"]
    branch = f"uet/{document['run']}"
    assert repository.git("show", f"{branch}:hunks.py").rstrip("\n") + "\n" == text("ours one", "theirs two", "by hand")
    proposed = repository.git("show", f"{branch}:proposed.py")
    assert proposed.index("'ours'") < proposed.index("'theirs'")
    assert "return 'done'" in repository.git("show", f"{branch}:again.py")
    attempts = {one["id"]: one["attempts"] for one in document["workstreams"]}
    assert attempts == {"ws-first": 1, "ws-hunks": 1, "ws-proposed": 1, "ws-again": 2}
    gated_as_merged = {
        event["workstream"]
        for event in events(folder)
        if event["type"] == "gate_result" and "(merged" in event["text"] and "passed" in event["text"]
    }
    assert {"ws-hunks", "ws-proposed", "ws-again"} <= gated_as_merged
    assert all(is_green(repository, commit) for commit in repository.git("rev-list", branch).splitlines()[:-1])


def merged(folder: Path) -> set[str]:
    """The workstreams that are merged."""
    return {one["id"] for one in status(folder)["workstreams"] if one["state"] == "MERGED"}


def choose(terminal: Terminal, workstream: str) -> None:
    """Goes to the conflict of a workstream, by keys, from wherever the desk is."""
    for _ in range(6):
        now = shown(terminal.wait_for(shown))
        if now == workstream:
            return
        terminal.press("J")
        terminal.wait_for(lambda screen, before=now: shown(screen) not in (before, ""))
    raise AssertionError(f"could not get to {workstream}:\n{terminal.screen()}")


def shown(screen: str) -> str:
    """The workstream whose conflict the desk shows."""
    found = re.search(r"(?m)^.*conflict \d+ of \d+ +(ws-[a-z]+)", screen)
    return found[1] if found else ""


def is_green(repository: Repository, commit: str) -> bool:
    """Whether the modules of a commit are whole."""
    names = repository.git("ls-tree", "--name-only", commit).splitlines()
    sources = [repository.git("show", f"{commit}:{name}") for name in names if name.endswith(".py")]
    for source in sources:
        compile(source, commit, "exec")
    return bool(sources) and not any("<<<<<<<" in source for source in sources)
